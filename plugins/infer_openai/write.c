/* SPDX-License-Identifier: MIT
 *
 * write.c - bodies of requests, as the servers' public descriptions have them.  Pure. [any]
 */
#include "oa.h"

#include <drh/util.h>

#include <stdlib.h>

enum { STOPS_OF_OPENAI = 4 };

void oa_write_str(drh_text *t, drh_str s)
{
    size_t from = 0;

    drh_text_adds(t, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        char          code[8];

        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        (void)snprintf(code, sizeof(code), c < 0x20 ? "\\u%04x" : "\\%c", c);
        drh_text_add(t, s.ptr + from, i - from);
        drh_text_adds(t, c == '\n' ? "\\n" : code);
        from = i + 1;
    }
    drh_text_add(t, s.len ? s.ptr + from : "", s.len - from);
    drh_text_adds(t, "\"");
}

/* The shortest of 15, 16, 17 digits that is the same number. */
void oa_write_number(drh_text *t, double v)
{
    char buf[40];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(buf, sizeof(buf), "%.*g", digits, v);
        if (strtod(buf, NULL) == v) {
            break;
        }
    }
    drh_text_adds(t, buf);
}

static void write_int(drh_text *t, const char *key, uint64_t v)
{
    char buf[96];

    (void)snprintf(buf, sizeof(buf), ",\"%s\":%llu", key, (unsigned long long)v);
    drh_text_adds(t, buf);
}

static void write_double(drh_text *t, const char *key, double v)
{
    drh_text_adds(t, ",\"");
    drh_text_adds(t, key);
    drh_text_adds(t, "\":");
    oa_write_number(t, v);
}

static void write_model(drh_text *t, const struct oa_endpoint *ep)
{
    drh_text_adds(t, "{\"model\":");
    oa_write_str(t, drh_str_of(ep->model ? ep->model : ""));
}

/* ---- what a server knows ---- */

/* top_k, min_p and repetition_penalty are no part of OpenAI's API. */
static bool knows_more(const struct oa *o)
{
    return o->caps.server == OA_VLLM || o->caps.server == OA_SGLANG ||
           o->caps.server == OA_LLAMACPP;
}

static drh_status unknown(const char *what, drh_error *e)
{
    return drh_fail(e, DRH_E_UNSUPPORTED,
                    "%s is no part of this server's API; leave it out, or say what kind of server "
                    "it is (services.infer.server)",
                    what);
}

static drh_status check_generate(const struct oa *o, const drh_infer_req *q, drh_error *e)
{
    if (q->n_first_avoid || (q->first_temperature != 0.0 && q->first_temperature != 1.0)) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "a server cannot treat the first token of an answer in a way of its own; "
                        "leave out first_avoid and first_temperature");
    }
    if (!knows_more(o) && q->top_k) {
        return unknown("top_k", e);
    }
    if (!knows_more(o) && q->min_p > 0) {
        return unknown("min_p", e);
    }
    if (!knows_more(o) && q->repetition_penalty > 0 && q->repetition_penalty != 1.0) {
        return unknown("repetition_penalty", e);
    }
    if (q->n_messages && !o->caps.chat) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "%s has no /chat/completions for %s (a model without a chat template?), "
                        "and chat messages are to be sent",
                        o->ep[0].name, o->ep[0].model ? o->ep[0].model : "its model");
    }
    if (!q->n_messages && !o->caps.completions) {
        return drh_fail(
            e, DRH_E_UNSUPPORTED,
            "%s offers chat only for %s: it puts its template around every text, so a raw prompt, "
            "which magpie needs, cannot be sent; use a server with /v1/completions (vLLM, SGLang, "
            "llama.cpp, Ollama)",
            o->ep[0].name, o->ep[0].model ? o->ep[0].model : "its model");
    }
    return DRH_OK;
}

drh_status oa_check_request(const struct oa *o, const drh_infer_req *q, drh_error *e)
{
    const uint32_t known = DRH_INFER_BOS | DRH_INFER_JOINT | DRH_INFER_SPECIAL;

    if (q->flags & DRH_INFER_OPEN) {
        return drh_fail(
            e, DRH_E_UNSUPPORTED,
            "a server closes each message by its own template, so none can be left open; "
            "give the text that precedes the answer as a raw prompt (magpie: pre_query)");
    }
    if (q->flags & ~known) {
        return drh_fail(e, DRH_E_UNSUPPORTED, "a flag of the request is not known: 0x%lx",
                        (unsigned long)(q->flags & ~known));
    }
    if ((q->flags & DRH_INFER_BOS) && !q->n_messages && !o->caps.has_bos) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "it is not known which token the server's texts begin with; name it with "
                        "services.infer.bos");
    }
    if (q->op == DRH_INFER_GENERATE) {
        return check_generate(o, q, e);
    }
    if (q->op != DRH_INFER_SCORE) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "this backend scores and generates; it does not "
                        "embed");
    }
    if (o->caps.score == OA_SCORE_NONE) {
        return drh_fail(e, DRH_E_UNSUPPORTED,
                        "%s does not tell the probabilities of a prompt's tokens, so it cannot "
                        "score",
                        o->ep[0].name);
    }
    return q->n_messages ? drh_fail(e, DRH_E_UNSUPPORTED,
                                    "chat messages cannot be scored by a server; give the prompt "
                                    "as text")
                         : DRH_OK;
}

/* ---- generate ---- */

uint32_t oa_stops_there(const struct oa *o, const drh_infer_req *q)
{
    return !knows_more(o) && q->n_stop > STOPS_OF_OPENAI ? STOPS_OF_OPENAI : q->n_stop;
}

bool oa_streams(const struct oa *o, const drh_infer_req *q)
{
    if (oa_stops_there(o, q) < q->n_stop) {
        return true;
    }
    return o->opt.stream == OA_STREAM_YES ||
           (o->opt.stream == OA_STREAM_AUTO &&
            (o->caps.server == OA_LLAMACPP || o->caps.server == OA_OLLAMA));
}

static void write_messages(drh_text *t, const drh_infer_req *q)
{
    drh_text_adds(t, ",\"messages\":[");
    for (uint32_t i = 0; i < q->n_messages; i++) {
        drh_text_adds(t, i ? ",{\"role\":" : "{\"role\":");
        oa_write_str(t, q->messages[i]->role);
        drh_text_adds(t, ",\"content\":");
        oa_write_str(t, q->messages[i]->content);
        drh_text_adds(t, "}");
    }
    drh_text_adds(t, "]");
}

/* The context token: by its text, or by the server (vLLM adds it when told so, llama.cpp always
 * when the model wants one). */
static void write_prompt(drh_text *t, const struct oa *o, const drh_infer_req *q)
{
    drh_text both = {.host = t->host};
    bool     bos = (q->flags & DRH_INFER_BOS) != 0;

    if (bos && o->opt.bos.len) {
        drh_text_addv(&both, o->opt.bos);
    }
    drh_text_addv(&both, q->prompt);
    drh_text_adds(t, ",\"prompt\":");
    oa_write_str(t, drh_text_str(&both));
    t->failed = t->failed || both.failed;
    drh_text_free(&both);
    if (o->caps.server == OA_VLLM) {
        drh_text_adds(t, bos && !o->opt.bos.len ? ",\"add_special_tokens\":true"
                                                : ",\"add_special_tokens\":false");
    }
}

static void write_sampling(drh_text *t, const struct oa *o, const drh_infer_req *q)
{
    if (q->max_tokens) {
        write_int(
            t, o->caps.completion_tokens && q->n_messages ? "max_completion_tokens" : "max_tokens",
            q->max_tokens);
    }
    write_double(t, "temperature", q->temperature);
    if (q->top_p > 0 && q->top_p < 1) {
        write_double(t, "top_p", q->top_p);
    }
    if (q->top_k) {
        write_int(t, "top_k", q->top_k);
    }
    if (q->min_p > 0) {
        write_double(t, "min_p", q->min_p);
    }
    if (q->repetition_penalty > 0 && q->repetition_penalty != 1.0) {
        write_double(t, o->caps.server == OA_LLAMACPP ? "repeat_penalty" : "repetition_penalty",
                     q->repetition_penalty);
    }
    /* 31 bits, which is what every server takes */
    write_int(t, "seed", (q->seed ^ (q->seed >> 32)) & 0x7FFFFFFF);
}

void oa_write_generate(drh_text *t, const struct oa *o, const struct oa_endpoint *ep,
                       const drh_infer_req *q, bool stream)
{
    uint32_t stops = oa_stops_there(o, q);

    write_model(t, ep);
    if (q->n_messages) {
        write_messages(t, q);
    } else {
        write_prompt(t, o, q);
    }
    write_sampling(t, o, q);
    for (uint32_t i = 0; i < stops; i++) {
        drh_text_adds(t, i ? "," : ",\"stop\":[");
        oa_write_str(t, q->stop[i]);
    }
    drh_text_adds(t, stops ? "]" : "");
    drh_text_adds(t, stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "");
    if (o->opt.extra.len) {
        drh_text_adds(t, ",");
        drh_text_addv(t, o->opt.extra);
    }
    drh_text_adds(t, "}");
}

/* ---- scores ---- */

void oa_write_ids(drh_text *t, const struct oa *o, const struct oa_endpoint *ep, drh_str a,
                  drh_str b, bool special)
{
    drh_text both = {.host = t->host};

    (void)o;
    drh_text_addv(&both, a);
    drh_text_addv(&both, b);
    write_model(t, ep);
    drh_text_adds(t, ",\"prompt\":");
    oa_write_str(t, drh_text_str(&both));
    drh_text_adds(t, special ? ",\"add_special_tokens\":true}" : ",\"add_special_tokens\":false}");
    t->failed = t->failed || both.failed;
    drh_text_free(&both);
}

void oa_write_score_ids(drh_text *t, const struct oa *o, const struct oa_endpoint *ep,
                        const uint32_t *id, size_t n)
{
    (void)o;
    write_model(t, ep);
    drh_text_adds(t, ",\"prompt\":[");
    for (size_t i = 0; i < n; i++) {
        char buf[16];
        (void)snprintf(buf, sizeof(buf), i ? ",%lu" : "%lu", (unsigned long)id[i]);
        drh_text_adds(t, buf);
    }
    drh_text_adds(t, "],\"max_tokens\":1,\"temperature\":0,\"prompt_logprobs\":1}");
}

void oa_write_score_echo(drh_text *t, const struct oa *o, const struct oa_endpoint *ep,
                         const drh_infer_req *q)
{
    drh_text both = {.host = t->host};

    if (q->flags & DRH_INFER_BOS) {
        drh_text_addv(&both, o->opt.bos);
    }
    drh_text_addv(&both, q->prompt);
    drh_text_addv(&both, q->target);
    write_model(t, ep);
    drh_text_adds(t, ",\"prompt\":");
    oa_write_str(t, drh_text_str(&both));
    drh_text_adds(t, ",\"max_tokens\":1,\"temperature\":0,\"echo\":true,\"logprobs\":1}");
    t->failed = t->failed || both.failed;
    drh_text_free(&both);
}
