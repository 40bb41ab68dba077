/* SPDX-License-Identifier: MIT
 *
 * read.c - answers: whole ones, events of a stream, and errors.  Nothing that is wrong ever becomes
 * text.  Pure. [any]
 */
#include "oa.h"

#include <drh/util.h>

void oa_answer_clear(struct oa_answer *a)
{
    drh_text_clear(&a->text);
    a->finish = 0;
    a->n_in = a->n_out = -1;
    a->code = DRH_OK;
    a->words[0] = '\0';
}

/* ---- words ---- */

static void add_words(struct oa_answer *a, drh_str s, size_t *n)
{
    for (size_t i = 0; i < s.len && *n < OA_WORDS; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        a->words[(*n)++] = c < 0x20 || c == 0x7F ? ' ' : s.ptr[i];
    }
    while (*n == OA_WORDS && *n > 0 && ((unsigned char)a->words[*n - 1] & 0x80)) {
        (*n)--; /* no half of a character at the end */
    }
    a->words[*n] = '\0';
}

void oa_words(struct oa_answer *a, const char *before, drh_str words, const char *key)
{
    size_t n = 0, k = key ? strlen(key) : 0, from = 0;

    add_words(a, drh_str_of(before), &n);
    for (size_t i = 0; k && i + k <= words.len; i++) {
        if (memcmp(words.ptr + i, key, k) == 0) {
            add_words(a, (drh_str){words.ptr + from, i - from}, &n);
            add_words(a, drh_str_of("(the key)"), &n);
            from = i + k;
            i = from - 1;
        }
    }
    add_words(a, drh_str_from(words, from), &n);
}

static enum oa_verdict say(struct oa_answer *a, enum oa_verdict v, drh_status code,
                           const char *words)
{
    a->code = code;
    if (a->words[0] == '\0') {
        oa_words(a, words, (drh_str){NULL, 0}, NULL);
    }
    return v;
}

static enum oa_verdict broken(struct oa_answer *a, const char *words)
{
    return say(a, OA_AGAIN, DRH_E_NETWORK, words);
}

/* ---- parts ---- */

static bool member(const drh_host *h, const drh_value *o, const char *key, drh_value *out)
{
    return h->values->member(o, key, strlen(key), out) == DRH_OK;
}

static double number(const drh_host *h, const drh_value *o, const char *key)
{
    drh_value v;
    double    d = -1;

    return member(h, o, key, &v) && h->values->f64(&v, &d) == DRH_OK && d >= 0 ? d : -1;
}

static void read_usage(const drh_host *h, const drh_value *root, struct oa_answer *a)
{
    drh_value u;

    if (member(h, root, "usage", &u) && h->values->type(&u) == DRH_T_OBJECT) {
        double in = number(h, &u, "prompt_tokens"), out = number(h, &u, "completion_tokens");
        if (in >= 0) {
            a->n_in = in;
            a->n_out = out >= 0 ? out : 0;
        }
    }
}

static const struct {
    const char     *word;
    enum oa_verdict v;
    uint32_t        finish;
} finishes[] = {
    {"stop", OA_GOOD, DRH_INFER_STOP},      {"eos", OA_GOOD, DRH_INFER_STOP},
    {"eos_token", OA_GOOD, DRH_INFER_STOP}, {"stop_sequence", OA_GOOD, DRH_INFER_STOP},
    {"length", OA_GOOD, DRH_INFER_LENGTH},  {"content_filter", OA_GOOD, DRH_INFER_FILTERED},
};

/* finish_reason; null while a stream goes on. */
static enum oa_verdict read_finish(const drh_host *h, const drh_value *choice, struct oa_answer *a)
{
    drh_str word = drh_hub_text(h, choice, "finish_reason");

    if (!word.len) {
        return OA_GOOD;
    }
    for (size_t i = 0; i < sizeof(finishes) / sizeof(finishes[0]); i++) {
        if (drh_str_eq(word, finishes[i].word)) {
            a->finish = finishes[i].finish;
            return finishes[i].v;
        }
    }
    if (drh_str_eq(word, "tool_calls") || drh_str_eq(word, "function_call")) {
        return say(a, OA_FAIL, DRH_E_DATA, "the model called a tool instead of answering");
    }
    oa_words(a, "the answer ended for the reason ", word, NULL);
    return broken(a, "");
}

/* A text, null, or a list of parts with texts. */
static bool read_content(const drh_host *h, const drh_value *v, struct oa_answer *a)
{
    drh_value  part;
    drh_status st;
    drh_str    s;

    switch (h->values->type(v)) {
    case DRH_T_STRING:
        if (h->values->str(v, &s) != DRH_OK) {
            return false;
        }
        drh_text_addv(&a->text, s);
        return true;
    case DRH_T_NULL:
        return true;
    case DRH_T_ARRAY:
        for (st = h->values->child(v, &part); st == DRH_OK; st = h->values->next(&part)) {
            if (drh_str_eq(drh_hub_text(h, &part, "type"), "text")) {
                drh_text_addv(&a->text, drh_hub_text(h, &part, "text"));
            }
        }
        return true;
    default:
        return false;
    }
}

/* The text of a choice: {"text":...}, {"message":{"content":...}}, {"delta":{"content":...}}. */
static enum oa_verdict read_text(const drh_host *h, const drh_value *choice, const char *in,
                                 struct oa_answer *a)
{
    drh_value holder = *choice, v;

    if (in && (!member(h, choice, in, &holder) || h->values->type(&holder) != DRH_T_OBJECT)) {
        return broken(a, "the answer has no message");
    }
    if (in && drh_hub_text(h, &holder, "refusal").len) {
        a->finish = DRH_INFER_FILTERED;
        return OA_GOOD;
    }
    if (!member(h, &holder, in ? "content" : "text", &v)) {
        return in && strcmp(in, "delta") == 0 ? OA_GOOD : broken(a, "the answer has no text");
    }
    return read_content(h, &v, a) ? OA_GOOD : broken(a, "the text of the answer is none");
}

static drh_str error_words(const drh_host *h, const drh_value *root)
{
    drh_value e, detail;
    drh_str   s = {NULL, 0};

    if (member(h, root, "error", &e)) {
        if (h->values->type(&e) == DRH_T_OBJECT) {
            return drh_hub_text(h, &e, "message");
        }
        (void)h->values->str(&e, &s);
        return s;
    }
    s = drh_hub_text(h, root, "message");
    if (!s.len && member(h, root, "detail", &detail)) {
        if (h->values->type(&detail) == DRH_T_STRING) {
            (void)h->values->str(&detail, &s);
        } else {
            s = h->values->json(&detail);
        }
    }
    /* cppcheck-suppress returnDanglingLifetime ; the text is the document's, not the cursor's */
    return s;
}

/* Some servers tell an error under 200. */
static bool is_error(const drh_host *h, const drh_value *root, struct oa_answer *a)
{
    drh_value e;

    if (member(h, root, "error", &e) && h->values->type(&e) != DRH_T_NULL) {
        oa_words(a, "the server says: ", error_words(h, root), NULL);
        return true;
    }
    return false;
}

/* ---- answers ---- */

static enum oa_verdict read_choice(const drh_host *h, const drh_value *choice, const char *in,
                                   struct oa_answer *a)
{
    enum oa_verdict v = read_text(h, choice, in, a);

    if (v == OA_GOOD && a->finish != DRH_INFER_FILTERED) {
        v = read_finish(h, choice, a);
    }
    if (a->finish == DRH_INFER_FILTERED) { /* what came before is not the answer */
        drh_text_clear(&a->text);
    }
    return v;
}

static bool first_choice(const drh_host *h, const drh_value *root, drh_value *out)
{
    drh_value list;

    return member(h, root, "choices", &list) && h->values->child(&list, out) == DRH_OK &&
           h->values->type(out) == DRH_T_OBJECT;
}

enum oa_verdict oa_read_whole(const drh_host *h, drh_str body, bool chat, struct oa_answer *a)
{
    drh_json       *doc = NULL;
    drh_value       root, choice;
    drh_error       e = DRH_ERROR_INIT;
    enum oa_verdict v;

    if (h->json_open(h, body.ptr, body.len, &doc, &root, &e) != DRH_OK) {
        return broken(a, "the answer is broken JSON");
    }
    read_usage(h, &root, a);
    if (is_error(h, &root, a)) {
        v = broken(a, "");
    } else if (!first_choice(h, &root, &choice)) {
        v = broken(a, "the answer has no choices");
    } else {
        v = read_choice(h, &choice, chat ? "message" : NULL, a);
        if (v == OA_GOOD && !a->finish) {
            v = broken(a, "the answer does not say how it ended");
        }
    }
    h->json_close(doc);
    return v == OA_GOOD && a->text.failed ? say(a, OA_FAIL, DRH_E_NOMEM, "out of memory") : v;
}

enum oa_verdict oa_read_event(const drh_host *h, drh_str json, bool chat, struct oa_answer *a)
{
    drh_json       *doc = NULL;
    drh_value       root, choice;
    drh_error       e = DRH_ERROR_INIT;
    enum oa_verdict v = OA_GOOD;

    if (h->json_open(h, json.ptr, json.len, &doc, &root, &e) != DRH_OK) {
        return broken(a, "an event of the answer is broken JSON");
    }
    read_usage(h, &root, a);
    if (is_error(h, &root, a)) {
        v = broken(a, "");
    } else if (first_choice(h, &root, &choice)) { /* the last event may have usage only */
        v = read_choice(h, &choice, chat ? "delta" : NULL, a);
    }
    h->json_close(doc);
    return v;
}

/* ---- errors ---- */

struct told {
    drh_str words, code, type;
};

static bool has(drh_str s, const char *part)
{
    return s.len && memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

static bool is_too_long(const struct told *t)
{
    return drh_str_eq(t->code, "context_length_exceeded") ||
           drh_str_eq(t->type, "exceed_context_size_error") ||
           has(t->words, "maximum context length") || has(t->words, "context length") ||
           has(t->words, "available context size") || has(t->words, "maximum model length");
}

static bool is_filtered(const struct told *t)
{
    return drh_str_eq(t->code, "content_filter") || drh_str_eq(t->code, "content_policy_violation");
}

static bool is_spent(const struct told *t)
{
    return drh_str_eq(t->code, "insufficient_quota") || drh_str_eq(t->type, "insufficient_quota") ||
           drh_str_eq(t->code, "billing_hard_limit_reached");
}

static enum oa_verdict denied(struct oa_answer *a, uint32_t status, const char *key)
{
    /* not the server's words: they may repeat some of the key */
    (void)snprintf(a->words, sizeof(a->words), "%s (%u)",
                   key ? "the key is refused" : "the server wants a key; give services.infer.key",
                   status);
    return say(a, OA_HALT, DRH_E_AUTH, "");
}

static enum oa_verdict refused(const struct told *t, uint32_t status, const char *key,
                               bool worked_before, struct oa_answer *a)
{
    char before[40];

    if (is_filtered(t)) { /* the prompt was withheld from the model */
        oa_answer_clear(a);
        a->finish = DRH_INFER_FILTERED;
        a->n_in = a->n_out = 0;
        return OA_GOOD;
    }
    (void)snprintf(before, sizeof(before), "the server answers %u%s", status,
                   t->words.len ? ": " : "");
    oa_words(a, before, t->words, key);
    if (is_too_long(t)) {
        return say(a, OA_FAIL, DRH_E_RANGE, "");
    }
    if (status == 404 && !worked_before) {
        return say(a, OA_HALT, DRH_E_CONFIG, "");
    }
    return say(a, OA_FAIL, DRH_E_ARG, "");
}

static enum oa_verdict judge(const struct told *t, uint32_t status, const char *key,
                             bool worked_before, struct oa_answer *a)
{
    char before[40];

    if (status == 401 || (status == 403 && !worked_before && !is_filtered(t))) {
        return denied(a, status, key);
    }
    if (status == 402 || is_spent(t)) {
        return say(a, OA_SPENT, DRH_E_BUDGET, "the account at the server has nothing left");
    }
    if (status >= 400 && status < 500 && status != 408 && status != 409 && status != 425 &&
        status != 429) {
        return refused(t, status, key, worked_before, a);
    }
    (void)snprintf(before, sizeof(before), "the server answers %u%s", status,
                   t->words.len ? ": " : "");
    oa_words(a, before, t->words, key);
    return status == 429 || status == 503 ? say(a, OA_BUSY, DRH_E_NETWORK, "")
                                          : say(a, OA_AGAIN, DRH_E_NETWORK, "");
}

enum oa_verdict oa_read_error(const drh_host *h, uint32_t status, drh_str body, const char *key,
                              bool worked_before, struct oa_answer *a)
{
    drh_json       *doc = NULL;
    drh_value       root, e;
    drh_error       why = DRH_ERROR_INIT;
    struct told     t = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    enum oa_verdict v;

    if (h->json_open(h, body.ptr, body.len, &doc, &root, &why) == DRH_OK) {
        t.words = error_words(h, &root);
        if (!member(h, &root, "error", &e) || h->values->type(&e) != DRH_T_OBJECT) {
            e = root;
        }
        t.code = drh_hub_text(h, &e, "code");
        t.type = drh_hub_text(h, &e, "type");
    }
    v = judge(&t, status, key, worked_before, a);
    h->json_close(doc);
    return v;
}
