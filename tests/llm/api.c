/* SPDX-License-Identifier: MIT
 *
 * api.c - what the servers answer: texts that are a function of what was asked, in the forms of
 * their public descriptions.
 *
 * Tokens: a word with the one space before it, or a single other byte of white space.  The i-th
 * token of a text (a context token counts) of b bytes has the log-probability -b/10 - 1/(1+i).
 */
#include "llm.h"

#include <stdlib.h>
#include <string.h>

enum { BOS_ID = 1, MOST_TOKENS = 4096 };

static const char *const words[] = {
    " river",  " stone",  " market", " child", " winter", " garden", " engine", " letter",
    " planet", " bridge", " the",    " of",    " moves",  " keeps",  " paints", " follows"};

struct token {
    const char *p;
    size_t      n;
    uint32_t    id;
};

/* ---- tokens ---- */

static uint32_t id_of(const char *p, size_t n)
{
    return 10 + (uint32_t)(hash_bytes(7, p, n) % 50000);
}

static size_t tokens_of(const char *s, struct token *out)
{
    size_t n = 0;

    while (*s && n < MOST_TOKENS) {
        size_t len = *s == ' ' ? 1 : 0;
        len += strcspn(s + len, " \n\t\r");
        len = len ? len : 1;
        out[n++] = (struct token){s, len, id_of(s, len)};
        s += len;
    }
    return n;
}

static double logprob(size_t i, size_t bytes)
{
    return -(double)bytes / 10 - 1.0 / (1.0 + (double)i);
}

/* Lengths of tokens by their ids: those that the tokenizer has given out. */
static uint8_t length_of[50010];

static void remember(const struct token *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        length_of[t[i].id] = (uint8_t)t[i].n;
    }
}

/* ---- small parts ---- */

static const cJSON *key(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static void fail(struct answer *a, int status, const char *type, const char *code,
                 const char *message)
{
    a->status = status;
    a->type = "application/json";
    sb_puts(&a->body, "{\"error\":{\"message\":");
    sb_jsons(&a->body, message);
    sb_printf(&a->body, ",\"type\":\"%s\",\"param\":null,\"code\":\"%s\"}}", type, code);
}

static void usage(struct sb *b, size_t in, size_t out)
{
    if (!set.no_usage) {
        sb_printf(b,
                  ",\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,"
                  "\"total_tokens\":%zu}",
                  in, out, in + out);
    }
}

/* ---- texts ---- */

struct text {
    struct sb   s;
    size_t      n_tokens;
    const char *finish;
};

static void cut_at_stops(struct text *t, const cJSON *stops)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, stops)
    {
        const char *at = cJSON_IsString(one) ? strstr(sb_text(&t->s), one->valuestring) : NULL;
        if (at) {
            t->s.n = (size_t)(at - t->s.p);
            t->s.p[t->s.n] = '\0';
            t->finish = "stop";
        }
    }
}

/* The answer to a prompt: 3 to 40 words, a second line in it. */
static struct text make_text(const char *prompt, const cJSON *q)
{
    const cJSON *max = key(q, "max_tokens"), *seed = key(q, "seed");
    uint64_t     h = hash_bytes(11, prompt, strlen(prompt));
    struct text  t = {.finish = "stop"};
    size_t       n, most;

    max = max ? max : key(q, "max_completion_tokens");
    most = cJSON_IsNumber(max) && max->valuedouble >= 1 ? (size_t)max->valuedouble : 1000;
    h = mix64(h + (cJSON_IsNumber(seed) ? (uint64_t)seed->valuedouble : 0));
    n = 3 + h % 38;
    for (size_t i = 0; i < n && i < most; i++) {
        h = mix64(h + i);
        sb_puts(&t.s, i == n / 2 ? "\n" : words[h % COUNT(words)]);
        t.n_tokens++;
    }
    t.finish = n > most ? "length" : "stop";
    cut_at_stops(&t, key(q, "stop"));
    return t;
}

/* One event a token. */
static void stream_text(struct answer *a, const struct text *t, size_t n_in, bool chat,
                        bool with_usage)
{
    static struct token tok[MOST_TOKENS];
    size_t              n = tokens_of(sb_text(&t->s), tok);
    const double        all = (double)set.latency_ms / 1000;

    a->type = "text/event-stream";
    a->chunked = true;
    for (size_t i = 0; i <= n; i++) {
        sb_puts(&a->body, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,");
        sb_puts(&a->body, chat ? "\"delta\":{\"content\":" : "\"text\":");
        sb_json(&a->body, i < n ? tok[i].p : "", i < n ? tok[i].n : 0);
        sb_printf(&a->body, "%s,\"finish_reason\":", chat ? "}" : "");
        sb_printf(&a->body, i < n ? "null}]}\n\n" : "\"%s\"}]}\n\n", t->finish);
        answer_piece(a, a->body.n, all * (double)(i + 1) / (double)(n + 1));
    }
    if (with_usage && !set.no_usage) {
        sb_puts(&a->body, "data: {\"id\":\"c\",\"choices\":[]");
        usage(&a->body, n_in, t->n_tokens);
        sb_puts(&a->body, "}\n\n");
    }
    sb_puts(&a->body, "data: [DONE]\n\n");
    answer_piece(a, a->body.n, all);
}

static void whole_text(struct answer *a, const struct text *t, size_t n_in, bool chat)
{
    a->type = "application/json";
    sb_printf(&a->body, "{\"id\":\"c\",\"object\":\"%s\",\"created\":1,\"model\":",
              chat ? "chat.completion" : "text_completion");
    sb_jsons(&a->body, set.model);
    sb_puts(&a->body, ",\"choices\":[{\"index\":0,");
    sb_puts(&a->body, chat ? "\"message\":{\"role\":\"assistant\",\"content\":" : "\"text\":");
    sb_json(&a->body, sb_text(&t->s), t->s.n);
    sb_printf(&a->body, "%s,\"logprobs\":null,\"finish_reason\":\"%s\"}]", chat ? "}" : "",
              t->finish);
    usage(&a->body, n_in, t->n_tokens);
    sb_puts(&a->body, "}");
}

static void write_text(struct answer *a, const cJSON *q, const char *prompt, bool chat)
{
    static struct token tok[MOST_TOKENS];
    struct text         t = make_text(prompt, q);
    size_t              n_in = tokens_of(prompt, tok);

    if (a->fault && strcmp(a->fault, "filter") == 0) {
        t.finish = "content_filter";
        sb_puts(&t.s, " WITHHELD");
    }
    if (cJSON_IsTrue(key(q, "stream"))) {
        stream_text(a, &t, n_in, chat,
                    cJSON_IsTrue(key(key(q, "stream_options"), "include_usage")));
    } else {
        whole_text(a, &t, n_in, chat);
    }
    sb_free(&t.s);
}

/* ---- scores ---- */

/* Prompt of ids: vLLM's prompt_logprobs, the token itself and one that is likelier. */
static void score_ids(struct answer *a, const cJSON *ids)
{
    const cJSON *id;
    size_t       i = 0, n = (size_t)cJSON_GetArraySize(ids);

    a->type = "application/json";
    sb_puts(&a->body, "{\"choices\":[{\"index\":0,\"text\":\" x\",\"finish_reason\":\"length\","
                      "\"prompt_logprobs\":[");
    cJSON_ArrayForEach(id, ids)
    {
        uint32_t v = (uint32_t)id->valuedouble;
        size_t   bytes = v == BOS_ID ? 3 : v < COUNT(length_of) ? length_of[v] : 0;
        if (i == 0) {
            sb_puts(&a->body, "null");
        } else {
            sb_printf(&a->body,
                      ",{\"%u\":{\"logprob\":-0.01,\"rank\":1},\"%u\":{\"logprob\":%.9g,"
                      "\"rank\":2}}",
                      v + 60000, v, logprob(i, bytes));
        }
        i++;
    }
    sb_puts(&a->body, "]}]");
    usage(&a->body, n, 1);
    sb_puts(&a->body, "}");
}

static size_t characters(const char *s, size_t n)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        k += ((unsigned char)s[i] & 0xC0) != 0x80;
    }
    return k;
}

static void score_echo(struct answer *a, const char *prompt)
{
    static struct token tok[MOST_TOKENS + 1];
    size_t              n = tokens_of(prompt, tok), at = 0;
    struct sb           values = {0}, offsets = {0};

    tok[n] = (struct token){" x", 2, 0};
    for (size_t i = 0; i <= n; i++) { /* the last one is the answer's */
        sb_printf(&offsets, "%s%zu", i ? "," : "", at);
        at += characters(tok[i].p, tok[i].n);
        if (i == 0) {
            sb_puts(&values, "null");
        } else {
            sb_printf(&values, ",%.9g", logprob(i, tok[i].n));
        }
    }
    a->type = "application/json";
    sb_puts(&a->body, "{\"choices\":[{\"index\":0,\"text\":");
    sb_jsons(&a->body, prompt);
    sb_printf(&a->body,
              ",\"finish_reason\":\"length\",\"logprobs\":{\"token_logprobs\":[%s],"
              "\"text_offset\":[%s]}}]",
              sb_text(&values), sb_text(&offsets));
    usage(&a->body, n, 1);
    sb_puts(&a->body, "}");
    sb_free(&values);
    sb_free(&offsets);
}

/* ---- routes ---- */

static void completions(const cJSON *q, struct answer *a)
{
    const cJSON *prompt = key(q, "prompt");

    if (set.profile == P_OPENAI || set.profile == P_AZURE) {
        fail(a, 404, "invalid_request_error", "",
             "This is a chat model and not supported in the v1/completions endpoint. Did you mean "
             "to use v1/chat/completions?");
    } else if (cJSON_IsArray(prompt) && set.profile == P_VLLM) {
        if (cJSON_GetArraySize(prompt) >= set.context) {
            fail(a, 400, "BadRequestError", "400",
                 "This model's maximum context length is small. Please reduce the length.");
        } else if (key(q, "prompt_logprobs") && !set.plain) {
            score_ids(a, prompt);
        } else {
            fail(a, 400, "BadRequestError", "400", "ids without prompt_logprobs");
        }
    } else if (!cJSON_IsString(prompt)) {
        fail(a, 400, "invalid_request_error", "", "prompt is missing");
    } else if (cJSON_IsTrue(key(q, "echo")) && set.profile == P_SGLANG) {
        score_echo(a, prompt->valuestring);
    } else {
        write_text(a, q, prompt->valuestring, false);
    }
}

static void chat(const cJSON *q, struct answer *a)
{
    const cJSON *one, *stop = key(q, "stop");
    struct sb    prompt = {0};

    if (set.profile == P_OPENAI && (key(q, "top_k") || key(q, "min_p"))) {
        fail(a, 400, "invalid_request_error", "unknown_parameter", "Unknown parameter: 'top_k'.");
        return;
    }
    if (set.profile == P_OPENAI && key(q, "max_tokens")) {
        fail(a, 400, "invalid_request_error", "unsupported_parameter",
             "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
             "'max_completion_tokens' instead.");
        return;
    }
    if ((set.profile == P_OPENAI || set.profile == P_AZURE) && cJSON_GetArraySize(stop) > 4) {
        fail(a, 400, "invalid_request_error", "", "Invalid 'stop': array too long.");
        return;
    }
    cJSON_ArrayForEach(one, key(q, "messages"))
    {
        const char *role = cJSON_GetStringValue(key(one, "role"));
        const char *content = cJSON_GetStringValue(key(one, "content"));
        sb_printf(&prompt, "%s: %s\n", role ? role : "?", content ? content : "?");
    }
    if (prompt.n == 0) {
        fail(a, 400, "invalid_request_error", "", "messages are missing");
    } else {
        write_text(a, q, sb_text(&prompt), true);
    }
    sb_free(&prompt);
}

static void tokenize(const cJSON *q, struct answer *a)
{
    static struct token tok[MOST_TOKENS];
    const char         *prompt = cJSON_GetStringValue(key(q, "prompt"));
    bool                special = set.bos && !cJSON_IsFalse(key(q, "add_special_tokens"));
    size_t              n;

    if (!prompt) {
        fail(a, 400, "BadRequestError", "400", "prompt is missing");
        return;
    }
    if (strcmp(prompt, "<s>") == 0) { /* spelled out it is the context token */
        prompt = "";
        special = true;
    }
    n = tokens_of(prompt, tok);
    remember(tok, n);
    a->type = "application/json";
    sb_printf(&a->body, "{\"count\":%zu,\"max_model_len\":%ld,\"tokens\":[%s", n + special,
              set.context, special ? (n ? "1," : "1") : "");
    for (size_t i = 0; i < n; i++) {
        sb_printf(&a->body, i ? ",%u" : "%u", tok[i].id);
    }
    sb_puts(&a->body, "]}");
}

static void models(struct answer *a)
{
    static const char *const owners[] = {"vllm",   "sglang", "llamacpp",
                                         "system", "system", "library"};

    a->type = "application/json";
    sb_puts(&a->body, "{\"object\":\"list\",\"data\":[{\"id\":");
    sb_jsons(&a->body, set.model);
    sb_printf(&a->body, ",\"object\":\"model\",\"owned_by\":\"%s\"", owners[set.profile]);
    if (set.profile == P_VLLM || set.profile == P_SGLANG) {
        sb_printf(&a->body, ",\"max_model_len\":%ld", set.context);
    }
    if (set.profile == P_OPENAI) {
        sb_puts(&a->body, "},{\"id\":\"another\",\"object\":\"model\",\"owned_by\":\"system\"");
    }
    sb_puts(&a->body, "}]}");
}

static bool is_path(const struct ask *q, const char *path)
{
    return strcmp(q->path, path) == 0;
}

static void route(const struct ask *q, const cJSON *body, struct answer *a)
{
    const char *model = cJSON_GetStringValue(key(body, "model"));

    if (set.profile == P_AZURE) {
        if (is_path(q, "/openai/deployments/dep/chat/completions?api-version=2024-10-21")) {
            chat(body, a);
        } else {
            fail(a, 404, "", "404", "Resource not found");
        }
    } else if (is_path(q, "/v1/models")) {
        models(a);
    } else if (!body) {
        fail(a, 400, "invalid_request_error", "", "no JSON");
    } else if (is_path(q, "/tokenize") && set.profile == P_VLLM && !set.plain) {
        tokenize(body, a);
    } else if (set.profile != P_LLAMACPP && (!model || strcmp(model, set.model) != 0)) {
        fail(a, 404, "NotFoundError", "model_not_found", "The model does not exist.");
    } else if (is_path(q, "/v1/completions")) {
        completions(body, a);
    } else if (is_path(q, "/v1/chat/completions")) {
        chat(body, a);
    } else {
        fail(a, 404, "", "", "Not Found");
    }
}

void api_answer(const struct ask *q, struct answer *a)
{
    cJSON *body = q->body_n ? cJSON_ParseWithLength(q->body, q->body_n) : NULL;

    a->status = 200;
    if (set.key && strcmp(q->key, set.key) != 0) {
        struct sb told = {0};
        sb_printf(&told, "Incorrect API key provided: %s.", q->key);
        fail(a, 401, "invalid_request_error", "invalid_api_key", sb_text(&told));
        sb_free(&told);
    } else if (set.slots && q->open > (unsigned)set.slots) {
        fail(a, 429, "rate_limit_error", "", "ERRORTEXT: too many at once");
        a->fault = "slots";
    } else {
        route(q, body, a);
    }
    cJSON_Delete(body);
    if (a->fault && strcmp(a->fault, "bad_json") == 0 && a->body.n > 2) {
        a->body.n -= 2;
    }
}
