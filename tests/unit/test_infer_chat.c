/* SPDX-License-Identifier: MIT
 *
 * test_infer_chat.c - chat forms: text and tokens against goldens of Jinja and Hugging Face
 * tokenizers (tests/data/chat), beginnings of user turns as Magpie lists them, where a template is
 * found, what is refused, and what ends a turn.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"
#include "lm_answer.h"
#include "run.h"

#include <cjson/cJSON.h>
#include <drh/util.h>
#include <string.h>

#define DATA DRH_SOURCE_DIR "/tests/data/"

enum { MODELS = 32, MOST = 16 };

static char   dir[4096];
static cJSON *rows[MODELS];

/* ---- help ---------------------------------------------------------------------------------- */

static void set_up(void)
{
    size_t n, k = 0;
    char  *text = lab_read(DATA "chat/golden.jsonl", &n), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        ck_assert_uint_lt(k, MODELS);
        rows[k] = cJSON_Parse(line);
        ck_assert_ptr_nonnull(rows[k++]);
    }
    ck_assert_uint_eq(k, MODELS);
    free(text);
    lab_folder(dir, sizeof(dir));
}

static void tear_down(void)
{
    lab_remove(dir);
    for (size_t i = 0; i < MODELS; i++) {
        cJSON_Delete(rows[i]);
    }
}

static const char *text_of(const cJSON *o, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(o, key));
}

static cJSON *row_of(const char *name)
{
    for (size_t i = 0; i < MODELS; i++) {
        if (strcmp(text_of(rows[i], "name"), name) == 0) {
            return rows[i];
        }
    }
    ck_abort_msg("no row %s", name);
    return NULL;
}

static void write_file(const char *name, const char *text)
{
    char  path[4200];
    FILE *f;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fputs(text, f) < 0, 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* The row's tokenizer with the tokens of its model. */
static void load_tok(const cJSON *row, struct lm_tok *t)
{
    char         path[512];
    size_t       n;
    drh_error    e = DRH_ERROR_INIT;
    char        *text;
    cJSON       *j, *a;
    const cJSON *more;
    (void)snprintf(path, sizeof(path), DATA "tokenizers/%s.json", text_of(row, "tokenizer"));
    text = lab_read(path, &n);
    j = cJSON_Parse(text);
    free(text);
    ck_assert_ptr_nonnull(j);
    cJSON_ArrayForEach(more, cJSON_GetObjectItem(row, "added"))
    {
        cJSON_AddItemToArray(cJSON_GetObjectItem(j, "added_tokens"), cJSON_Duplicate(more, 1));
    }
    cJSON_ArrayForEach(a, cJSON_GetObjectItem(j, "added_tokens"))
    {
        if (cJSON_IsTrue(cJSON_GetObjectItem(a, "special"))) {
            ck_assert(cJSON_ReplaceItemInObject(a, "normalized", cJSON_CreateFalse()));
        }
    }
    text = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    ck_assert_msg(lm_tok_load(t, (uint8_t *)text, strlen(text), "tokenizer.json", &e) == DRH_OK,
                  "%s", e.message);
    cJSON_free(text);
}

static struct lm_chat_names names_of(const cJSON *row, const struct lm_tok *t)
{
    const char          *bos = text_of(row, "bos"), *eos = text_of(row, "eos");
    struct lm_chat_names n = {bos ? lm_tok_id(t, bos, strlen(bos)) : LM_TOK_NONE,
                              eos ? lm_tok_id(t, eos, strlen(eos)) : LM_TOK_NONE};
    return n;
}

/* A model of which there are a tokenizer and a chat form only. */
static struct lm_model open_model(const cJSON *row, const char *form)
{
    struct lm_model m;
    drh_error       e = DRH_ERROR_INIT;
    memset(&m, 0, sizeof(m));
    load_tok(row, &m.tok);
    m.named = names_of(row, &m.tok);
    ck_assert_msg(lm_model_chat(&m, dir, form, &e) == DRH_OK, "%s", e.message);
    return m;
}

static struct lm_model open_row(const cJSON *row)
{
    struct lm_model m;
    write_file("chat_template.jinja", text_of(row, "template"));
    m = open_model(row, "auto");
    ck_assert_msg(m.chat.form, "%s: %s", text_of(row, "name"), m.chat.why);
    return m;
}

static void close_model(struct lm_model *m)
{
    lm_chat_free(&m->chat);
    lm_tok_free(&m->tok);
}

struct chat { /* a request of messages */
    drh_infer_req        req;
    drh_infer_msg        msg[MOST];
    const drh_infer_msg *at[MOST];
};

static void say(struct chat *c, const char *role, const char *content)
{
    const uint32_t n = c->req.n_messages++;
    ck_assert_uint_lt(n, MOST);
    c->msg[n] = (drh_infer_msg){sizeof(c->msg[n]), 0, drh_str_of(role), drh_str_of(content)};
    c->at[n] = &c->msg[n];
    c->req.messages = c->at;
}

static struct chat *begin(struct chat *c, uint32_t flags)
{
    memset(c, 0, sizeof(*c));
    c->req.struct_size = sizeof(c->req);
    c->req.op = DRH_INFER_GENERATE;
    c->req.flags = flags;
    return c;
}

/* The text of a chat, which must work; freed with the next one. */
static const char *rendered(const struct lm_model *m, const struct chat *c)
{
    static struct lm_chat_text t;
    drh_error                  e = DRH_ERROR_INIT;
    ck_assert_msg(lm_chat_render(&m->chat, &m->tok.uni, &c->req, &t, &e) == DRH_OK, "%s",
                  e.message);
    ck_assert_int_eq(lm_text_put(&t.text, "", 1), 0);
    return t.text.p;
}

static void refused(const struct lm_model *m, const struct chat *c, drh_status st, const char *why)
{
    struct lm_chat_text t = {{NULL, 0, 0}, NULL, 0, 0};
    drh_error           e = DRH_ERROR_INIT;
    ck_assert_int_eq(lm_chat_render(&m->chat, &m->tok.uni, &c->req, &t, &e), st);
    ck_assert_msg(strstr(e.message, why) != NULL, "%s", e.message);
    lm_chat_text_free(&t);
}

/* ---- goldens ------------------------------------------------------------------------------- */

static void check_ids(const struct lm_model *m, const struct lm_chat_text *t, const cJSON *want,
                      const char *name, int at)
{
    uint32_t          ids[1024];
    struct lm_tok_out out = {ids, 1024, 0}, count = {NULL, 0, 0};
    const cJSON      *v;
    size_t            i = 0;
    ck_assert_int_eq(lm_tok_encode_marked(&m->tok, t->text.p, t->text.n, t->mark, t->n_marks, &out),
                     0);
    ck_assert_int_eq(
        lm_tok_encode_marked(&m->tok, t->text.p, t->text.n, t->mark, t->n_marks, &count), 0);
    ck_assert_uint_eq(count.count, out.count);
    ck_assert_uint_le(out.count, 1024);
    cJSON_ArrayForEach(v, want)
    {
        ck_assert_msg(i < out.count && ids[i] == (uint32_t)v->valuedouble,
                      "%s, chat %d, token %zu: %u, expected %u", name, at, i,
                      i < out.count ? ids[i] : 0, (unsigned)v->valuedouble);
        i++;
    }
    ck_assert_msg(i == out.count, "%s, chat %d: %zu tokens, expected %zu", name, at, out.count, i);
}

static void check_chat(const struct lm_model *m, const cJSON *chat, const char *name, int at)
{
    struct lm_chat_text t = {{NULL, 0, 0}, NULL, 0, 0};
    struct chat         c;
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;
    const char         *want = text_of(chat, "text");
    const cJSON        *v;
    begin(&c, 0);
    cJSON_ArrayForEach(v, cJSON_GetObjectItem(chat, "messages"))
    {
        say(&c, text_of(v, "role"), text_of(v, "content"));
    }
    st = lm_chat_render(&m->chat, &m->tok.uni, &c.req, &t, &e);
    if (!want) {
        ck_assert_msg(st == DRH_E_ARG, "%s, chat %d: not refused", name, at);
    } else {
        ck_assert_msg(st == DRH_OK, "%s, chat %d: %s", name, at, e.message);
        ck_assert_msg(t.text.n == strlen(want) && memcmp(t.text.p, want, t.text.n) == 0,
                      "%s, chat %d: \"%.*s\", expected \"%s\"", name, at, (int)t.text.n, t.text.p,
                      want);
        check_ids(m, &t, cJSON_GetObjectItem(chat, "ids"), name, at);
    }
    lm_chat_text_free(&t);
}

START_TEST(goldens)
{
    const char     *name = text_of(rows[_i], "name");
    struct lm_model m = open_row(rows[_i]);
    const cJSON    *chat;
    int             n = 0;
    ck_assert_str_eq(m.chat.form->name, text_of(rows[_i], "form"));
    cJSON_ArrayForEach(chat, cJSON_GetObjectItem(rows[_i], "chats"))
    {
        check_chat(&m, chat, name, n++);
    }
    ck_assert_int_ge(n, 7);
    close_model(&m);
}
END_TEST

/* By its name, without a template, a form is the same. */
START_TEST(by_name)
{
    static const char *const names[] = {
        "openhermes",     "phi-4",        "llama-3",       "llama-3.1",  "llama-2",
        "mistral-v0.1",   "mistral-v0.2", "mixtral-8x22b", "mistral-v1", "mistral-v3",
        "mistral-tekken", "mistral-v7",   "gemma-2",       "gemma-3",    "zephyr",
        "deepseek-v2",    "deepseek-v3",  "deepseek-r1",   "chatglm3",   "glm-edge"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const cJSON    *row = row_of(names[i]), *chats = cJSON_GetObjectItem(row, "chats");
        struct lm_model m = open_model(row, text_of(row, "form"));
        for (int k = 0; k < 3; k++) {
            check_chat(&m, cJSON_GetArrayItem(chats, k), names[i], k);
        }
        close_model(&m);
    }
}
END_TEST

/* Without the tokenizer's configuration the form's own bos and eos are found. */
START_TEST(by_name_alone)
{
    struct lm_model m;
    struct chat     c;
    drh_error       e = DRH_ERROR_INIT;
    memset(&m, 0, sizeof(m));
    load_tok(row_of("mistral-v3"), &m.tok);
    m.named = (struct lm_chat_names){LM_TOK_NONE, LM_TOK_NONE};
    ck_assert_int_eq(lm_model_chat(&m, dir, "mistral-v3", &e), DRH_OK);
    begin(&c, 0);
    say(&c, "user", "a");
    say(&c, "assistant", "b");
    say(&c, "user", "c");
    ck_assert_str_eq(rendered(&m, &c), "<s>[INST] a[/INST] b</s>[INST] c[/INST]");
    close_model(&m);
}
END_TEST

/* ---- open turns ---------------------------------------------------------------------------- */

/* The beginnings of user turns: Magpie's list, and for the others all that a template puts before
 * the user's text. */
START_TEST(pre_queries)
{
    static const struct {
        const char *name, *system, *want;
    } t[] = {
        {"llama-3", NULL, "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"},
        {"llama-3.1", NULL, "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"},
        {"llama-3", "S",
         "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>"
         "<|start_header_id|>user<|end_header_id|>\n\n"},
        {"qwen2", NULL, "<|im_start|>user\n"},
        {"qwen2", "You are a helpful assistant.",
         "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"},
        {"qwen2.5", NULL,
         "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
         "<|im_end|>\n<|im_start|>user\n"},
        {"qwen3", NULL, "<|im_start|>user\n"},
        {"openhermes", NULL, "<|im_start|>user\n"},
        {"internlm2", NULL, "<s><|im_start|>user\n"},
        {"phi-4", NULL, "<|im_start|>user<|im_sep|>"},
        {"llama-2", NULL, "<s>[INST] "},
        {"llama-2", "S", "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\n"},
        {"mistral-v1", NULL, "<s> [INST] "},
        {"mistral-v3", NULL, "<s>[INST] "},
        {"mistral-v3", "S", "<s>[INST] S\n\n"},
        {"mistral-tekken", NULL, "<s>[INST]"},
        {"mistral-v7", "S", "<s>[SYSTEM_PROMPT] S[/SYSTEM_PROMPT][INST] "},
        {"gemma-2", NULL, "<bos><start_of_turn>user\n"},
        {"gemma-3", "S", "<bos><start_of_turn>user\nS\n\n"},
        {"phi-3-mini", NULL, "<s><|user|>\n"},
        {"phi-3.5", NULL, "<|user|>\n"},
        {"phi-3-small", NULL, "<|endoftext|><|user|>\n"},
        {"deepseek-v2", NULL, "<｜begin▁of▁sentence｜>User: "},
        {"deepseek-v3", NULL, "<｜begin▁of▁sentence｜><｜User｜>"},
        {"chatglm3", NULL, "[gMASK]sop<|user|>\n "},
        {"glm-4", NULL, "[gMASK]<sop><|user|>\n"},
        {"glm-edge", NULL, "<|user|>\n"},
        {"zephyr", NULL, "<|user|>\n"},
    };
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct lm_model m = open_row(row_of(t[i].name));
        struct chat     c;
        begin(&c, DRH_INFER_OPEN);
        if (t[i].system) {
            say(&c, "system", t[i].system);
        }
        say(&c, "user", "");
        ck_assert_str_eq(rendered(&m, &c), t[i].want);
        close_model(&m);
    }
}
END_TEST

/* The next question of a chat, a question that has begun, an answer that has begun. */
START_TEST(open_turns)
{
    struct lm_model m = open_row(row_of("llama-3"));
    struct chat     c;
    begin(&c, DRH_INFER_OPEN);
    say(&c, "user", " a ");
    say(&c, "assistant", " b ");
    ck_assert_str_eq(rendered(&m, &c),
                     "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\na"
                     "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n b ");
    say(&c, "user", "");
    ck_assert_str_eq(rendered(&m, &c),
                     "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\na"
                     "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nb"
                     "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n");
    close_model(&m);
    m = open_row(row_of("qwen2"));
    begin(&c, DRH_INFER_OPEN);
    say(&c, "user", "Write a ");
    ck_assert_str_eq(rendered(&m, &c), "<|im_start|>user\nWrite a ");
    say(&c, "assistant", "A");
    ck_assert_str_eq(
        rendered(&m, &c),
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "Write a <|im_end|>\n<|im_start|>assistant\nA");
    close_model(&m);
}
END_TEST

/* ---- where a template is ------------------------------------------------------------------- */

static const char *form_there(const cJSON *row, struct lm_model *m)
{
    *m = open_model(row, "auto");
    return m->chat.form ? m->chat.form->name : "";
}

START_TEST(places)
{
    const cJSON    *row = row_of("qwen2");
    struct lm_model m;
    ck_assert_str_eq(form_there(row, &m), "");
    ck_assert_ptr_nonnull(strstr(m.chat.why, "no chat template"));
    ck_assert_ptr_nonnull(strstr(m.chat.why, "glm-edge, zephyr"));
    close_model(&m);
    write_file(
        "tokenizer_config.json",
        "{\"x\":[1,{}],\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"nothing\"},"
        "{\"template\":\"{{'<|im_start|>' + message['role'] + '\\\\n' + message['content'] + "
        "'<|im_end|>' + '\\\\n'}}\",\"name\":\"default\"},{\"name\":\"rag\",\"template\":\"r\"}]}");
    ck_assert_str_eq(form_there(row, &m), "chatml");
    close_model(&m);
    write_file("chat_template.json", "{\"chat_template\":\"{{ x }}\"}");
    ck_assert_str_eq(form_there(row, &m), "");
    ck_assert_ptr_nonnull(
        strstr(m.chat.why, "chat_template.json: its chat_template is of no known"));
    ck_assert_ptr_nonnull(strstr(m.chat.why, "glm-edge, zephyr"));
    close_model(&m);
    write_file("chat_template.jinja", text_of(row, "template"));
    ck_assert_str_eq(form_there(row, &m), "chatml");
    close_model(&m);
}
END_TEST

START_TEST(broken_files)
{
    static const char *const files[] = {"",
                                        "{",
                                        "[]",
                                        "{\"chat_template\":",
                                        "{\"chat_template\":7}",
                                        "{\"chat_template\":[",
                                        "{\"chat_template\":[7]}",
                                        "{\"chat_template\":[{\"name\":\"default\"}]}",
                                        "{\"chat_template\":[{\"name\":7,\"template\":null}]}",
                                        "{\"chat_template\":\"{{\"}",
                                        "{\"chat_template\":\"{%-'\\\\\"}",
                                        "{\"chat_template\":\"{#\"}",
                                        "{\"chat_template\":\"{\"}",
                                        "{\"chat_template\":\"{{']}}\"}"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct lm_model m;
        struct chat     c;
        write_file("tokenizer_config.json", files[i]);
        ck_assert_str_eq(form_there(row_of("qwen2"), &m), "");
        begin(&c, 0);
        say(&c, "user", "a");
        refused(&m, &c, DRH_E_UNSUPPORTED, "chat");
        close_model(&m);
    }
}
END_TEST

/* Another spelling of the same template; a template that is close to a known one, but is another.
 */
START_TEST(spellings)
{
    static const struct {
        const char *template, *form;
    } t[] = {
        {"{%- for m in messages -%}{{- \"<|im_start|>\" ~ message.role ~ \"\\n\" }}{{ "
         "message.content }}"
         "{{ \"<|im_end|>\"~'\\n' }}",
         "chatml"},
        {"{{ bos_token }}{%- for message in messages %} {{ \"[INST] \" + message[\"content\"]+\" "
         "[/INST]\" }}"
         "{{message.content + eos_token}}",
         "mistral-v0.2"},
        {"{{ bos_token }}{%- for message in messages %} {{ \"[INST] \" + "
         "message[\"content\"]+\"[/INST]\" }}"
         "{{message.content + eos_token}}",
         ""},
        {"{% set system = 1 %}{{ '[INST] ' + message.content + ' [/INST]' }}{{message.content + "
         "eos_token}}",
         ""},
        {"{{'<|user|>' + message.content + '<|end|>'}}", ""},
        {"{{'<|user|>\\n' + message.content + eos_token}}", ""},
        {"{{'<start_of_turn>' + role + '\\n' + message.content + '<end_of_turn>\\n'}}", ""},
        {"<|im_start|>{{ message.role }}<|im_end|>", ""},
    };
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct lm_model m;
        write_file("chat_template.jinja", t[i].template);
        ck_assert_str_eq(form_there(row_of(i < 1 ? "qwen2" : "mistral-v3"), &m), t[i].form);
        close_model(&m);
    }
}
END_TEST

/* The newline behind "}}" is part of the form, the one behind "-}}" is not there. */
START_TEST(white_space_of_templates)
{
    const cJSON    *row = row_of("zephyr");
    const char     *from = text_of(row, "template");
    char            text[4096];
    size_t          n = 0;
    struct lm_model m;
    while (*from) {
        const int end = strncmp(from, "}}\n", 3) == 0;
        n += (size_t)snprintf(text + n, sizeof(text) - n, end ? "-%c" : "%c", *from++);
        ck_assert_uint_lt(n, sizeof(text));
    }
    write_file("chat_template.jinja", text);
    ck_assert_str_eq(form_there(row, &m), "");
    close_model(&m);
}
END_TEST

/* ---- refusals ------------------------------------------------------------------------------ */

START_TEST(no_such_form)
{
    struct lm_model m;
    drh_error       e = DRH_ERROR_INIT;
    memset(&m, 0, sizeof(m));
    load_tok(row_of("qwen2"), &m.tok);
    m.named = (struct lm_chat_names){LM_TOK_NONE, LM_TOK_NONE};
    ck_assert_int_eq(lm_model_chat(&m, dir, "chat-ml", &e), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "chat: there is no form \"chat-ml\""));
    ck_assert_ptr_nonnull(strstr(e.message, "chatml, phi-4"));
    ck_assert_ptr_nonnull(strstr(e.message, "glm-edge, zephyr"));
    ck_assert_int_eq(lm_model_chat(&m, dir, "llama-3", &e), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "needs the token <|start_header_id|>"));
    ck_assert_int_eq(lm_model_chat(&m, dir, "zephyr", &e), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "needs the token </s>"));
    lm_tok_free(&m.tok);
    write_file("chat_template.jinja", text_of(row_of("llama-3"), "template"));
    ck_assert_str_eq(form_there(row_of("qwen2"), &m), "");
    ck_assert_ptr_nonnull(strstr(m.chat.why, "needs the token <|start_header_id|>"));
    close_model(&m);
}
END_TEST

START_TEST(bad_messages)
{
    struct lm_model m = open_row(row_of("gemma-2"));
    struct chat     c;
    begin(&c, 0);
    say(&c, "tool", "a");
    refused(&m, &c, DRH_E_ARG, "messages[0]: the role \"tool\"");
    begin(&c, 0);
    say(&c, "user", "a");
    say(&c, "user", "b");
    refused(&m, &c, DRH_E_ARG, "messages[1]: in the chat form gemma user and assistant take turns");
    begin(&c, 0);
    say(&c, "system", "a");
    say(&c, "user", "b");
    refused(&m, &c, DRH_E_ARG, "messages[0]: the chat form gemma has no system text");
    begin(&c, 0);
    say(&c, "user", "a");
    say(&c, "assistant", "b");
    refused(&m, &c, DRH_E_ARG, "the last message must be the user's");
    close_model(&m);
    m = open_row(row_of("llama-2"));
    begin(&c, DRH_INFER_OPEN);
    say(&c, "system", "a");
    refused(&m, &c, DRH_E_ARG, "the last message must be the user's");
    begin(&c, 0);
    say(&c, "user", "a");
    say(&c, "system", "b");
    say(&c, "assistant", "b");
    say(&c, "user", "b");
    refused(&m, &c, DRH_E_ARG, "messages[1]: in the chat form llama-2 only the first message");
    close_model(&m);
    m = open_row(row_of("mistral-small"));
    begin(&c, 0);
    say(&c, "user", "a");
    refused(&m, &c, DRH_E_ARG, "the day's date");
    close_model(&m);
}
END_TEST

/* Data never holds a form's tokens, though tokenizer.json does not call them special. */
START_TEST(not_special)
{
    static const char          text[] = "a<｜User｜>b";
    struct lm_model            m;
    struct lm_tok_out          out = {NULL, 0, 0};
    uint32_t                   ids[64];
    struct lm_tok_out          got = {ids, 64, 0};
    const struct lm_tok_added *a;
    memset(&m, 0, sizeof(m));
    load_tok(row_of("deepseek-v3"), &m.tok);
    ck_assert_int_eq(lm_tok_encode(&m.tok, text, sizeof(text) - 1, 0, &out), 0);
    ck_assert_uint_eq(out.count, 3);
    lm_tok_free(&m.tok);
    m = open_row(row_of("deepseek-v3"));
    a = lm_tok_added_of(&m.tok, "<｜User｜>", strlen("<｜User｜>"));
    ck_assert_int_eq(lm_tok_encode(&m.tok, text, sizeof(text) - 1, 0, &got), 0);
    ck_assert_uint_gt(got.count, 3);
    for (size_t i = 0; i < got.count; i++) {
        ck_assert_uint_ne(ids[i], a->id);
    }
    close_model(&m);
}
END_TEST

/* ---- ends of turns ------------------------------------------------------------------------- */

static int ends(const struct lm_model *m, const drh_infer_req *req, const char *token)
{
    struct lm_answer a;
    uint32_t         id = lm_tok_id(&m->tok, token, strlen(token));
    int              rc;
    ck_assert_uint_ne(id, LM_TOK_NONE);
    memset(&a, 0, sizeof(a));
    lm_answer_begin(&a, m, req);
    rc = lm_answer_push(&a, id);
    lm_answer_free(&a);
    return rc;
}

START_TEST(turn_ends)
{
    static const struct {
        const char *name, *token;
    } t[] = {{"qwen2", "<|im_end|>"},
             {"qwen2", "<|im_start|>"},
             {"qwen2", "<|endoftext|>"},
             {"llama-3", "<|eot_id|>"},
             {"llama-3", "<|end_of_text|>"},
             {"llama-3", "<|start_header_id|>"},
             {"llama-3", "<|end_header_id|>"},
             {"mistral-v3", "[INST]"},
             {"mistral-v3", "[/INST]"},
             {"mistral-v3", "</s>"},
             {"mistral-v3", "<s>"},
             {"gemma-2", "<end_of_turn>"},
             {"gemma-2", "<start_of_turn>"},
             {"phi-3.5", "<|end|>"},
             {"phi-3.5", "<|user|>"},
             {"glm-4", "<|observation|>"},
             {"glm-4", "<|user|>"},
             {"deepseek-v3", "<｜Assistant｜>"}};
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct lm_model m = open_row(row_of(t[i].name));
        struct chat     c;
        begin(&c, DRH_INFER_OPEN);
        say(&c, "user", "");
        ck_assert_msg(ends(&m, &c.req, t[i].token), "%s: %s", t[i].name, t[i].token);
        begin(&c, 0); /* a prompt is no chat: the model's own ends only */
        ck_assert_msg(!ends(&m, &c.req, t[i].token), "%s: %s", t[i].name, t[i].token);
        close_model(&m);
    }
}
END_TEST

static size_t pushed(const struct lm_model *m, const drh_infer_req *req, const char *text, int *end)
{
    struct lm_answer  a;
    uint32_t          ids[256];
    struct lm_tok_out out = {ids, 256, 0};
    size_t            n;
    ck_assert_int_eq(lm_tok_encode(&m->tok, text, strlen(text), 0, &out), 0);
    memset(&a, 0, sizeof(a));
    lm_answer_begin(&a, m, req);
    *end = 0;
    for (size_t i = 0; i < out.count && !*end; i++) {
        *end = lm_answer_push(&a, ids[i]);
    }
    n = a.n;
    lm_answer_free(&a);
    return n;
}

/* Where no token ends a user's turn, the form's text does; an answer may say it. */
START_TEST(turn_ends_as_text)
{
    struct lm_model m = open_row(row_of("deepseek-v2"));
    struct chat     c;
    int             end;
    begin(&c, DRH_INFER_OPEN);
    say(&c, "user", "");
    ck_assert_uint_eq(pushed(&m, &c.req, "Why?\n\nAssistant: Because", &end), 4);
    ck_assert_int_eq(end, 1);
    c.req.flags = 0;
    (void)pushed(&m, &c.req, "Why?\n\nAssistant: Because", &end);
    ck_assert_int_eq(end, 0);
    begin(&c, DRH_INFER_OPEN);
    say(&c, "user", "a");
    say(&c, "assistant", "b");
    (void)pushed(&m, &c.req, "Why?\n\nAssistant: Because", &end);
    ck_assert_int_eq(end, 0);
    close_model(&m);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("chat");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, goldens, 0, MODELS);
    tcase_add_test(t, by_name);
    tcase_add_test(t, by_name_alone);
    tcase_add_test(t, pre_queries);
    tcase_add_test(t, open_turns);
    tcase_add_test(t, places);
    tcase_add_test(t, broken_files);
    tcase_add_test(t, spellings);
    tcase_add_test(t, white_space_of_templates);
    tcase_add_test(t, no_such_form);
    tcase_add_test(t, bad_messages);
    tcase_add_test(t, not_special);
    tcase_add_test(t, turn_ends);
    tcase_add_test(t, turn_ends_as_text);
    return run_case("infer_chat", t);
}
