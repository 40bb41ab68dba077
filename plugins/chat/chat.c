/* SPDX-License-Identifier: MIT
 *
 * chat.c - preprocessor "chat": any SFT dialect to the canonical record.  Options, the life of an
 * instance, and the call for each record.  The host calls process() on worker threads; struct chat
 * is read-only after create().
 */
#include "chat.h"

/* clang-format off */
static const char schema[] =
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
    "\"tools\":{\"type\":\"string\",\"enum\":[\"keep\",\"drop\"],\"default\":\"keep\",\"description\":\"Records with "
      "function calls: keep (roles function_call and observation) or drop.\"},"
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
    s->drop_system = option_is(h, c, "/system", "drop");
    s->merge_system = option_is(h, c, "/later_system", "merge");
    s->merge_same = option_is(h, c, "/same_role", "merge");
    s->fail_last_user = option_is(h, c, "/last_user", "fail");
    s->drop_tools = option_is(h, c, "/tools", "drop");
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

static void destroy(void *self)
{
    struct chat *s = self;
    chat_tell_free(s);
    (void)s->host->alloc(s->host, s, 0);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct chat *s = h->alloc(h, NULL, sizeof(*s));
    drh_status   st;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(s, 0, sizeof(*s));
    s->host = h;
    st = read_options(s, c, e);
    if (st == DRH_OK) {
        st = read_keys(s, c, e);
    }
    if (st == DRH_OK && chat_tell_new(s) != DRH_OK) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (st != DRH_OK) {
        destroy(s);
        return st;
    }
    *self = s;
    return DRH_OK;
}

static drh_status open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    const struct chat  *s = self;
    struct chat_worker *w = s->host->alloc(s->host, NULL, sizeof(*w));
    (void)index;
    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(w, 0, sizeof(*w));
    w->chat = s;
    w->host = s->host;
    *worker = w;
    return DRH_OK;
}

static void close_worker(void *self, void *worker)
{
    struct chat_worker *w = worker;
    const drh_host     *h = w->host;
    (void)self;
    chat_written_reset(w);
    chat_mem_free(w);
    (void)h->alloc(h, w->turns, 0);
    (void)h->alloc(h, w->parts, 0);
    (void)h->alloc(h, w, 0);
}

static void reset(struct chat_worker *w)
{
    chat_written_reset(w);
    chat_mem_reset(w);
    w->n_turns = w->n_used = w->input_from = 0;
    w->as_is = w->has_system = w->system_in_place = w->drop = false;
    w->reason[0] = w->detail[0] = 0;
}

static drh_status one(struct chat_worker *w, drh_record *r, drh_error *e)
{
    const drh_record_api *api = w->host->records;
    drh_status            st;
    reset(w);
    st = chat_collect(w, r);
    if (st == DRH_OK) {
        st = chat_tidy(w);
    }
    if (st == DRH_OK) {
        st = chat_write(w, r);
    }
    if (st == DRH_OK) {
        return api->keep(r);
    }
    if (st != DRH_E_DATA || w->reason[0] == 0) {
        return drh_fail(e, st,
                        st == DRH_E_NOMEM ? "out of memory" : "the record cannot be changed");
    }
    return (w->drop ? api->drop : api->fail)(r, w->reason, w->detail, strlen(w->detail));
}

static drh_status process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    size_t i;
    (void)self;
    for (i = 0; i < n; i++) {
        drh_status st = one(worker, r[i], e);
        if (st != DRH_OK) {
            if (e) {
                e->record = (int64_t)i;
            }
            return st;
        }
    }
    return DRH_OK;
}

static const drh_life life = {sizeof(drh_life), 0,   create, destroy, open_worker,
                              close_worker,     NULL};

static const drh_map_ops ops = {.struct_size = sizeof(drh_map_ops), .process = process};

static const drh_stage chat = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "chat",
    .version = "1.0.0",
    .summary = "any SFT dialect to the canonical record",
    .config_schema = schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC | DRH_GIVES_CANONICAL,
    .life = &life,
    .ops.map = &ops,
};

static const drh_stage *const stages[] = {&chat};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "chat",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};

DRH_PLUGIN_NOTE(0, "preprocessor chat 1.0.0 canonical\n");
