/* SPDX-License-Identifier: MIT
 *
 * options.c - the options of "chat", and the names of fields that it knows.
 */
#include "chat.h"

/* ISO C promises 4095 bytes of a string; gcc and clang do not care. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */
const char chat_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"dialect\":{\"type\":\"string\",\"enum\":[\"auto\",\"alpaca\",\"sharegpt\",\"messages\",\"pairs\","
      "\"dialogue\"],"
      "\"default\":\"auto\",\"description\":\"Shape of the records. auto looks, in this order, for: a list "
      "of turns (conversations, messages, conversation, chat_rounds, data, chosen); MOSS chat; an OASST tree; "
      "a dialogue in one text (text, chosen); a prompt (instruction, query, prompt, question, inputs, input, problem) with a response (response, "
      "output, answer, targets, target, completion, solution, answer_key, text, content, chosen, "
      "chatgpt_answers, human_answers); content with "
      "summary. The first of each list that is not null is taken, the others stay in the record.\"},"
    "\"turns\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":1},\"minItems\":2,\"maxItems\":2,"
      "\"default\":[1,1000000],\"description\":\"Least and most rounds (questions) of a record that is "
      "kept; others are dropped as turns_out_of_range.\"},"
    "\"messages_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Field that holds the list of "
      "turns; empty: the known names.\"},"
    "\"role_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Member of a turn that names the "
      "role; empty: from or role.\"},"
    "\"content_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Member of a turn that holds the "
      "text; empty: value or content.\"},"
    "\"roles\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"enum\":"
      "[\"human\",\"gpt\",\"system\",\"function_call\",\"observation\"]},\"description\":\"Words for roles of "
      "turns beside the known ones, as {\\\"Q\\\": \\\"human\\\", \\\"A\\\": \\\"gpt\\\"}.\"},"
    "\"prompt_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Field that holds the question; "
      "empty: the known names.\"},"
    "\"input_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Field that is joined to the prompt; "
      "empty: input, context or query, after an instruction only.\"},"
    "\"response_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Field that holds the answer; "
      "empty: the known names.\"},"
    "\"system_key\":{\"type\":\"string\",\"default\":\"\",\"description\":\"Field that holds the system text; "
      "empty: system or system_prompt.\"},"
    "\"history_key\":{\"type\":\"string\",\"default\":\"history\",\"description\":\"Field that holds earlier "
      "rounds as [[question, answer], ...].\"},"
    "\"system\":{\"type\":\"string\",\"enum\":[\"keep\",\"drop\"],\"default\":\"keep\",\"description\":\"Keep the "
      "system text or leave it out.\"},"
    "\"default_system\":{\"type\":\"string\",\"default\":\"\",\"description\":\"System text for records without "
      "one; empty: none is added.\"},"
    "\"later_system\":{\"type\":\"string\",\"enum\":[\"drop\",\"merge\"],\"default\":\"drop\",\"description\":\"System "
      "texts after the first: leave them out, or join them to the first.\"},"
    "\"same_role\":{\"type\":\"string\",\"enum\":[\"fail\",\"merge\"],\"default\":\"fail\",\"description\":\"Two "
      "turns of one role in a row: the record fails (alternation), or they are joined.\"},"
    "\"last_user\":{\"type\":\"string\",\"enum\":[\"cut\",\"fail\"],\"default\":\"cut\",\"description\":\"A last "
      "turn without an answer: cut it off, or fail the record.\"},"
    "\"tools\":{\"type\":\"string\",\"enum\":[\"keep\",\"drop\",\"render\"],\"default\":\"keep\",\"description\":"
      "\"Records with function calls: keep (roles function_call and observation), drop, or render them "
      "as text of the assistant (<tool_call>) and the human (<tool_response>).\"},"
    "\"think\":{\"type\":\"string\",\"enum\":[\"keep\",\"strip\",\"render\"],\"default\":\"keep\",\"description\":"
      "\"What a model thought before it answered: keep it as it is; strip <think>...</think> and the like "
      "from answers, and reasoning_content, reasoning and thinking from turns; or render those members, "
      "and such fields beside an answer, as <think>...</think> in front of the answer.\"},"
    "\"empty\":{\"type\":\"string\",\"enum\":[\"fail\",\"keep\"],\"default\":\"fail\",\"description\":\"Empty "
      "questions and answers: fail the record (empty_question, empty_answer) or let them through.\"},"
    "\"joiner\":{\"type\":\"string\",\"default\":\"\\n\",\"description\":\"What goes between instruction and "
      "input, between the text parts of a message, and between texts that are merged.\"},"
    "\"lang\":{\"type\":\"string\",\"default\":\"auto\",\"description\":\"metadata.lang: auto tells by the "
      "script of the letters (En for Latin, Zh, Ja, Ko, Ru), none writes none, any other text is "
      "written as it is.\"},"
    "\"quality\":{\"type\":\"string\",\"default\":\"\",\"description\":\"metadata.quality, when not empty.\"},"
    "\"kind\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Write metadata.kind: single for one "
      "round, multi for more.\"},"
    "\"flags\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Write metadata.flags, a list, where "
      "something looks wrong: template_leak (a text holds <|im_end|>, an answer ### Response: and the like), "
      "truncated (an answer stops in the middle).\"},"
    "\"output\":{\"type\":\"string\",\"enum\":[\"canonical\",\"messages\"],\"default\":\"canonical\",\"description\":"
      "\"canonical: conversations with from and value. messages: role and content, the system text as "
      "the first message.\"}"
    "}}";
/* clang-format on */

static const char *const list_names[] = {
    "conversations", "messages", "conversation", "chat_rounds", "data", "chosen", NULL};
static const char *const dialogue_names[] = {"text", "chosen", NULL};
static const char *const instruction_names[] = {"instruction", "Instruction", "INSTRUCTION", NULL};
static const char *const input_names[] = {"input", "context", "query", "Input", "Context", NULL};
static const char *const prompt_names[] = {"query",   "prompt", "question", "inputs",   "input",
                                           "problem", "Query",  "Prompt",   "Question", "Input",
                                           "QUERY",   "PROMPT", "QUESTION", "INPUT",    NULL};
static const char *const response_names[] = {
    "response",   "output", "answer",  "targets",         "target",        "completion", "solution",
    "answer_key", "text",   "content", "Response",        "Output",        "Answer",     "RESPONSE",
    "OUTPUT",     "ANSWER", "chosen",  "chatgpt_answers", "human_answers", NULL};
static const char *const thought_names[] = {"reasoning_content", "reasoning", "thinking",
                                            "Complex_CoT", NULL};
static const char *const system_names[] = {"system", "system_prompt", NULL};

/* Appends the fields of `names` to a list of keys. */
static drh_status add_keys(const drh_host *h, const char *const *names, struct chat_keys *k)
{
    size_t n = 0;
    size_t i;
    while (k->f[n] != DRH_FIELD_NONE) {
        n++;
    }
    for (i = 0; names[i] && n + 1 < CHAT_MAX_KEYS; i++, n++) {
        k->f[n] = drh_field_of(h, names[i]);
        k->name[n] = names[i];
        if (k->f[n] == DRH_FIELD_NONE) {
            return DRH_E_NOMEM;
        }
    }
    return DRH_OK;
}

static drh_str option(const drh_host *h, const drh_config *c, const char *pointer)
{
    drh_str s = {"", 0};
    if (h->config->get_str(c, pointer, &s) != DRH_OK || !s.ptr) {
        s = drh_str_of("");
    }
    return s;
}

static bool option_is(const drh_host *h, const drh_config *c, const char *pointer, const char *word)
{
    return drh_str_eq(option(h, c, pointer), word);
}

/* The key of an option alone, or the known names. */
static drh_status choose_keys(const drh_host *h, const drh_config *c, const char *pointer,
                              const char *const *names, struct chat_keys *k, bool *own,
                              drh_error *e)
{
    drh_str key = option(h, c, pointer);
    if (key.len == 0) {
        return add_keys(h, names, k) == DRH_OK ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    *own = true;
    k->f[0] = h->field(h, key.ptr, key.len);
    k->name[0] = key.ptr;
    return k->f[0] != DRH_FIELD_NONE ? DRH_OK
                                     : drh_fail(e, DRH_E_CONFIG,
                                                "%s: \"%.*s\" is no field name; give a member's "
                                                "name or a JSON pointer",
                                                pointer + 1, (int)key.len, key.ptr);
}

static drh_status read_keys(struct chat *s, const drh_config *c, drh_error *e)
{
    const drh_host *h = s->host;
    bool            unused = false;
    drh_str         history = option(h, c, "/history_key");
    drh_status st = choose_keys(h, c, "/messages_key", list_names, &s->lists, &s->own_messages, e);
    if (st == DRH_OK) {
        st = add_keys(h, dialogue_names, &s->dialogues);
    }
    if (st == DRH_OK) {
        st = add_keys(h, thought_names, &s->thoughts);
    }
    if (st == DRH_OK) {
        st = choose_keys(h, c, "/input_key", input_names, &s->inputs, &s->own_input, e);
    }
    if (st == DRH_OK && option(h, c, "/prompt_key").len == 0) {
        st = add_keys(h, instruction_names, &s->prompts);
    }
    if (st == DRH_OK) {
        st = add_keys(h, instruction_names, &s->instructions);
    }
    if (st == DRH_OK) {
        st = choose_keys(h, c, "/prompt_key", prompt_names, &s->prompts, &s->own_pair, e);
    }
    if (st == DRH_OK) {
        st = choose_keys(h, c, "/response_key", response_names, &s->responses, &s->own_pair, e);
    }
    if (st == DRH_OK) {
        st = choose_keys(h, c, "/system_key", system_names, &s->systems, &unused, e);
    }
    s->history = h->field(h, history.ptr, history.len);
    s->conversations = drh_field_of(h, "conversations");
    s->messages = drh_field_of(h, "messages");
    s->system = drh_field_of(h, "system");
    s->metadata = drh_field_of(h, "metadata");
    s->moss_chat = drh_field_of(h, "chat");
    s->moss_system = drh_field_of(h, "meta_instruction");
    s->oasst_prompt = drh_field_of(h, "prompt");
    s->content = drh_field_of(h, "content");
    s->summary = drh_field_of(h, "summary");
    if (st == DRH_OK &&
        (!s->conversations || !s->messages || !s->system || !s->metadata || !s->moss_chat ||
         !s->moss_system || !s->oasst_prompt || !s->content || !s->summary || !s->history)) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory, or history_key is no field name");
    }
    return st;
}

static drh_status read_options(struct chat *s, const drh_config *c, drh_error *e)
{
    static const char *const dialects[] = {"auto",     "alpaca", "sharegpt",
                                           "messages", "pairs",  "dialogue"};
    const drh_host          *h = s->host;
    int32_t                  kind = 0;
    uint32_t                 i;
    for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        if (option_is(h, c, "/dialect", dialects[i])) {
            s->dialect = i;
        }
    }
    s->min_turns = 1;
    s->max_turns = 1000000;
    (void)h->config->get_i64(c, "/turns/0", &s->min_turns);
    (void)h->config->get_i64(c, "/turns/1", &s->max_turns);
    if (s->min_turns > s->max_turns) {
        return drh_fail(e, DRH_E_CONFIG, "turns: the least (%lld) is more than the most (%lld)",
                        (long long)s->min_turns, (long long)s->max_turns);
    }
    (void)h->config->get_bool(c, "/kind", &kind);
    s->kind = kind != 0;
    (void)h->config->get_bool(c, "/flags", &kind);
    s->flags = kind != 0;
    s->drop_system = option_is(h, c, "/system", "drop");
    s->merge_system = option_is(h, c, "/later_system", "merge");
    s->merge_same = option_is(h, c, "/same_role", "merge");
    s->fail_last_user = option_is(h, c, "/last_user", "fail");
    s->tools = option_is(h, c, "/tools", "drop")     ? CHAT_TOOLS_DROP
               : option_is(h, c, "/tools", "render") ? CHAT_TOOLS_RENDER
                                                     : CHAT_TOOLS_KEEP;
    s->think = option_is(h, c, "/think", "strip")    ? CHAT_THINK_STRIP
               : option_is(h, c, "/think", "render") ? CHAT_THINK_RENDER
                                                     : CHAT_THINK_KEEP;
    s->keep_empty = option_is(h, c, "/empty", "keep");
    s->to_messages = option_is(h, c, "/output", "messages");
    s->role_key = option(h, c, "/role_key");
    s->content_key = option(h, c, "/content_key");
    s->default_system = option(h, c, "/default_system");
    s->lang = option(h, c, "/lang");
    s->quality = option(h, c, "/quality");
    s->joiner = option(h, c, "/joiner");
    return DRH_OK;
}

static drh_status read_roles(struct chat *s, const drh_config *c, drh_error *e)
{
    static const uint32_t of[] = {CHAT_HUMAN, CHAT_GPT, CHAT_SYSTEM, CHAT_CALL, CHAT_RESULT};
    const drh_value_api  *v = s->host->values;
    drh_value             list, one;
    drh_status            st = s->host->config->get_value(c, "/roles", &list);
    for (st = st == DRH_OK ? v->child(&list, &one) : st; st == DRH_OK; st = v->next(&one)) {
        drh_str  role;
        uint32_t i = 0;
        if (s->roles.n == CHAT_MAX_ROLES) {
            return drh_fail(e, DRH_E_CONFIG, "roles: at most %d words", CHAT_MAX_ROLES);
        }
        if (v->key(&one, &s->roles.word[s->roles.n]) != DRH_OK || v->str(&one, &role) != DRH_OK) {
            continue;
        }
        while (i + 1 < sizeof(of) / sizeof(of[0]) && !drh_str_eq(role, chat_role_word(of[i]).ptr)) {
            i++;
        }
        s->roles.role[s->roles.n++] = of[i]; /* the schema knows the names */
    }
    return DRH_OK;
}

drh_status chat_options(struct chat *s, const drh_config *c, drh_error *e)
{
    drh_status st = read_options(s, c, e);
    st = st == DRH_OK ? read_roles(s, c, e) : st;
    return st == DRH_OK ? read_keys(s, c, e) : st;
}
