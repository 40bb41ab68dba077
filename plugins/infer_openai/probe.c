/* SPDX-License-Identifier: MIT
 *
 * probe.c - what the servers are and can do, asked at the start with requests of a token.  What the
 * options say is not asked.  [main]
 */
#include "oa.h"

#include <drh/util.h>

#include <math.h>

enum { PROBE_TRIES = 4 };

struct reply {
    uint32_t               status;
    drh_json              *doc; /* NULL: no JSON */
    drh_value              root;
    const drh_http_answer *a;
};

static void reply_free(const struct oa *o, struct reply *r)
{
    o->host->json_close(r->doc);
    o->http->release(o->host, r->a);
    memset(r, 0, sizeof(*r));
}

static bool passes(uint32_t status)
{
    return status == 408 || status == 429 || status >= 500;
}

/* Asks, and again while the server is busy.  DRH_OK: there is an answer of any other status. */
static drh_status ask(struct oa *o, const struct oa_endpoint *ep, int path, drh_str body,
                      struct reply *r, drh_error *e)
{
    struct oa_call c;
    drh_error      unused = DRH_ERROR_INIT;
    drh_status     st;

    memset(r, 0, sizeof(*r));
    oa_call_make(&c, o, ep, path, body);
    c.req.flags |= DRH_HTTP_REPEATABLE;
    c.req.tries = PROBE_TRIES;
    c.req.deadline_ms = (uint32_t)(o->opt.timeout * 1000) + 1;
    c.req.stall_ms = c.req.deadline_ms;
    st = c.url.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory for a request")
                      : o->http->call(o->host, &c.req, &r->a, e);
    oa_call_free(&c);
    if (st != DRH_OK) {
        return st == DRH_E_ARG ? DRH_E_CONFIG : st;
    }
    r->status = r->a->status;
    if (o->host->json_open(o->host, r->a->body.ptr, r->a->body.len, &r->doc, &r->root, &unused) !=
        DRH_OK) {
        r->doc = NULL;
    }
    if (r->status == 401 || r->status == 403) {
        st = drh_fail(e, DRH_E_AUTH,
                      ep->key ? "%s: the key is refused (%u)"
                              : "%s: the server wants a key (%u); give it by "
                                "services.infer.key, as env:NAME or file:PATH",
                      ep->name, r->status);
    } else if (passes(r->status)) {
        st = drh_fail(e, DRH_E_NETWORK, "%s: the server answers %u; try again later", ep->name,
                      r->status);
    }
    if (st != DRH_OK) {
        reply_free(o, r);
    }
    return st;
}

static bool member(const struct oa *o, const drh_value *v, const char *key, drh_value *out)
{
    return o->host->values->member(v, key, strlen(key), out) == DRH_OK;
}

static bool choice_of(const struct oa *o, const struct reply *r, drh_value *choice)
{
    drh_value list;

    return r->status == 200 && r->doc && member(o, &r->root, "choices", &list) &&
           o->host->values->child(&list, choice) == DRH_OK;
}

static void account(struct oa *o, const struct reply *r)
{
    drh_value usage;

    o->spend.requests++;
    if (r->doc && member(o, &r->root, "usage", &usage)) {
        int64_t in = drh_hub_int(o->host, &usage, "prompt_tokens", 0);
        int64_t out = drh_hub_int(o->host, &usage, "completion_tokens", 0);
        o->spend.n_in += in > 0 ? (double)in : 0;
        o->spend.n_out += out > 0 ? (double)out : 0;
    }
}

/* ---- models ---- */

static enum oa_server server_of(drh_str owner)
{
    static const struct {
        const char    *word;
        enum oa_server server;
    } owners[] = {{"vllm", OA_VLLM},      {"sglang", OA_SGLANG}, {"llamacpp", OA_LLAMACPP},
                  {"library", OA_OLLAMA}, {"openai", OA_OPENAI}, {"openai-internal", OA_OPENAI},
                  {"system", OA_OPENAI}};

    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        if (drh_str_eq(owner, owners[i].word)) {
            return owners[i].server;
        }
    }
    return OA_ANY;
}

static void take_model(struct oa *o, const drh_value *m)
{
    int64_t n = drh_hub_int(o->host, m, "max_model_len", 0);

    if (o->caps.server == OA_ANY) {
        o->caps.server = server_of(drh_hub_text(o->host, m, "owned_by"));
    }
    if (o->caps.context == 0 && n > 0 && n < UINT32_MAX) {
        o->caps.context = (uint32_t)n;
    }
}

static drh_status unknown_model(const struct oa *o, const struct oa_endpoint *ep, drh_value *list,
                                drh_error *e)
{
    char       names[200] = "";
    size_t     n = 0, count = o->host->values->count(list);
    drh_value  m;
    drh_status st;

    for (st = o->host->values->child(list, &m); st == DRH_OK && n < sizeof(names) - 60;
         st = o->host->values->next(&m)) {
        drh_str id = drh_hub_text(o->host, &m, "id");
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%.*s", n ? ", " : "",
                              (int)(id.len < 50 ? id.len : 50), id.ptr ? id.ptr : "");
    }
    return drh_fail(e, DRH_E_CONFIG,
                    "model: %s has %zu models%s%s%s; name one of them with --model", ep->name,
                    count, count ? ": " : "", names, st == DRH_OK ? " ..." : "");
}

/* Finds the endpoint's model in GET /models, and what the server says of itself there. */
static drh_status find_model(struct oa *o, struct oa_endpoint *ep, drh_value *list, drh_error *e)
{
    const drh_host *h = o->host;
    drh_value       m;
    drh_status      st;
    drh_str         id;

    if (!ep->model && h->values->count(list) != 1) {
        return unknown_model(o, ep, list, e);
    }
    for (st = h->values->child(list, &m); st == DRH_OK; st = h->values->next(&m)) {
        id = drh_hub_text(h, &m, "id");
        if (!ep->model && id.len) {
            ep->model = h->alloc(h, NULL, id.len + 1);
            if (!ep->model) {
                return drh_fail(e, DRH_E_NOMEM, "out of memory for a name");
            }
            memcpy(ep->model, id.ptr, id.len);
            ep->model[id.len] = '\0';
        }
        if (ep->model && drh_str_eq(id, ep->model)) {
            take_model(o, &m);
            return DRH_OK;
        }
    }
    /* llama.cpp serves what it has under any name; Ollama calls "x" what it lists as "x:latest" */
    if (h->values->child(list, &m) == DRH_OK) {
        enum oa_server server = server_of(drh_hub_text(h, &m, "owned_by"));
        if (server == OA_LLAMACPP || server == OA_OLLAMA) {
            take_model(o, &m);
            return DRH_OK;
        }
    }
    return unknown_model(o, ep, list, e);
}

static drh_status probe_models(struct oa *o, struct oa_endpoint *ep, drh_error *e)
{
    struct reply r;
    drh_value    list;
    drh_status   st;

    if (ep->azure) {
        return DRH_OK; /* deployments are not models */
    }
    st = ask(o, ep, OA_PATH_MODELS, (drh_str){NULL, 0}, &r, e);
    if (st != DRH_OK) {
        return st;
    }
    if (r.status == 200 && r.doc && member(o, &r.root, "data", &list) &&
        o->host->values->type(&list) == DRH_T_ARRAY) {
        st = find_model(o, ep, &list, e);
    } else if (!ep->model) {
        st =
            drh_fail(e, DRH_E_CONFIG,
                     "%s does not say which models it has (%u); name one with --model; is this the "
                     "address of an API (.../v1)?",
                     ep->name, r.status);
    }
    reply_free(o, &r);
    return st;
}

/* ---- texts ---- */

static drh_status ask_body(struct oa *o, const struct oa_endpoint *ep, int path, drh_text *body,
                           struct reply *r, drh_error *e)
{
    drh_status st = body->failed ? drh_fail(e, DRH_E_NOMEM, "out of memory for a request")
                                 : ask(o, ep, path, drh_text_str(body), r, e);

    drh_text_free(body);
    if (st == DRH_OK &&
        path != OA_PATH_TOKENIZE) { /* which is free, and asked by oa_count(), too */
        account(o, r);
    }
    return st;
}

/* A request of one token, raw or as a chat. */
static drh_status ask_a_token(struct oa *o, const struct oa_endpoint *ep, bool chat,
                              struct reply *r, drh_error *e)
{
    static const drh_infer_msg        user = {sizeof(user), 0, {DRH_LIT("user")}, {DRH_LIT("Hi")}};
    static const drh_infer_msg *const messages[] = {&user};
    const drh_infer_req               q = {.struct_size = sizeof(q),
                                           .op = DRH_INFER_GENERATE,
                                           .prompt = {DRH_LIT("Hi")},
                                           .messages = messages,
                                           .n_messages = chat,
                                           .max_tokens = 1,
                                           .temperature = 1};
    drh_text                          body = {.host = o->host};

    oa_write_generate(&body, o, ep, &q, false);
    return ask_body(o, ep, chat ? OA_PATH_CHAT : OA_PATH_COMPLETIONS, &body, r, e);
}

static bool wants_completion_tokens(const struct oa *o, const struct reply *r)
{
    drh_value e;
    drh_str   words;

    if (r->status != 400 || !r->doc || !member(o, &r->root, "error", &e)) {
        return false;
    }
    words = drh_hub_text(o->host, &e, "message");
    return words.len && memmem(words.ptr, words.len, DRH_LIT("max_completion_tokens")) != NULL;
}

/* Whether the endpoint answers; a refusal of any kind is a no, with the server's words in `why`. */
static drh_status can_write(struct oa *o, const struct oa_endpoint *ep, bool chat, bool *can,
                            struct oa_answer *why, drh_error *e)
{
    struct reply r;
    drh_value    choice;
    drh_status   st = ask_a_token(o, ep, chat, &r, e);

    if (st == DRH_OK && chat && wants_completion_tokens(o, &r)) {
        reply_free(o, &r);
        o->caps.completion_tokens = true;
        st = ask_a_token(o, ep, chat, &r, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    *can = choice_of(o, &r, &choice);
    if (!*can) {
        (void)oa_read_error(o->host, r.status == 200 ? 400 : r.status, r.a->body, ep->key, true,
                            why);
    }
    reply_free(o, &r);
    return DRH_OK;
}

static drh_status probe_texts(struct oa *o, const struct oa_endpoint *ep, drh_error *e)
{
    struct oa_answer why = {.text.host = o->host};
    bool             raw = o->opt.api != OA_CHAT, chat = o->opt.api != OA_COMPLETIONS;
    drh_status       st = DRH_OK;

    if (o->opt.api == OA_AUTO) {
        st = can_write(o, ep, false, &raw, &why, e);
        oa_answer_clear(&why);
        st = st == DRH_OK ? can_write(o, ep, true, &chat, &why, e) : st;
    }
    if (st == DRH_OK && !raw && !chat) {
        st = drh_fail(e, DRH_E_CONFIG, "%s answers neither /completions nor /chat/completions: %s",
                      ep->name, why.words);
    }
    o->caps.completions = o->caps.completions && raw;
    o->caps.chat = o->caps.chat && chat;
    drh_text_free(&why.text);
    return st;
}

/* ---- the tokenizer ---- */

static drh_status ids_of(struct oa *o, const struct oa_endpoint *ep, drh_str text, bool special,
                         struct oa_ids *ids, bool *can, drh_error *e)
{
    struct reply     r;
    struct oa_answer a = {.text.host = o->host};
    drh_text         body = {.host = o->host};
    drh_status       st;

    *ids = (struct oa_ids){NULL, 0};
    oa_write_ids(&body, o, ep, text, (drh_str){"", 0}, special);
    st = ask_body(o, ep, OA_PATH_TOKENIZE, &body, &r, e);
    if (st == DRH_OK) {
        *can = r.status == 200 && oa_read_ids(o->host, r.a->body, ids, &a) == OA_GOOD;
        reply_free(o, &r);
    }
    drh_text_free(&a.text);
    return st;
}

/* The context token: the text that the user names has to be one, or what the server adds. */
static drh_status probe_bos(struct oa *o, const struct oa_endpoint *ep, drh_error *e)
{
    struct oa_ids ids;
    bool          can = false, named = o->opt.bos.len > 0;
    drh_status    st = ids_of(o, ep, named ? o->opt.bos : (drh_str){"", 0}, !named, &ids, &can, e);

    o->caps.has_bos = named;
    if (st == DRH_OK && can && ids.n == 1) {
        o->caps.bos = ids.id[0];
        o->caps.has_bos = true;
    } else if (st == DRH_OK && can && named) {
        st = drh_fail(e, DRH_E_CONFIG, "bos: \"%.40s\" is %zu tokens for %s, and must be one",
                      o->opt.bos.ptr, ids.n, ep->name);
    }
    (void)o->host->alloc(o->host, ids.id, 0);
    return st;
}

static drh_status probe_tokenizer(struct oa *o, const struct oa_endpoint *ep, drh_error *e)
{
    struct oa_ids ids;
    bool          can = false;
    drh_status    st;

    o->caps.has_bos = o->opt.bos.len > 0;
    if (o->caps.server != OA_VLLM) {
        return DRH_OK;
    }
    st = ids_of(o, ep, (drh_str){DRH_LIT("Hi")}, false, &ids, &can, e);
    (void)o->host->alloc(o->host, ids.id, 0);
    o->caps.tokenize = can;
    return st == DRH_OK && can ? probe_bos(o, ep, e) : st;
}

/* ---- scores ---- */

static drh_status can_score_ids(struct oa *o, const struct oa_endpoint *ep, bool *can, drh_error *e)
{
    struct oa_ids    ids;
    struct oa_answer a = {.text.host = o->host};
    struct oa_plan   p = {.first = 1};
    float            values[64];
    struct reply     r;
    drh_text         body = {.host = o->host};
    drh_status       st = ids_of(o, ep, (drh_str){DRH_LIT("One two three")}, false, &ids, can, e);

    if (st != DRH_OK || !*can || ids.n < 2 || ids.n > 64) {
        *can = false;
        (void)o->host->alloc(o->host, ids.id, 0);
        return st;
    }
    p.total = ids.n;
    oa_write_score_ids(&body, o, ep, ids.id, ids.n);
    st = ask_body(o, ep, OA_PATH_COMPLETIONS, &body, &r, e);
    if (st == DRH_OK) {
        *can = r.status == 200 &&
               oa_read_prompt_logprobs(o->host, r.a->body, ids.id, &p, values, &a) == OA_GOOD;
        reply_free(o, &r);
    }
    (void)o->host->alloc(o->host, ids.id, 0);
    return st;
}

static drh_status can_score_echo(struct oa *o, const struct oa_endpoint *ep, bool *can,
                                 drh_error *e)
{
    const drh_infer_req q = {.struct_size = sizeof(q),
                             .op = DRH_INFER_SCORE,
                             .prompt = {DRH_LIT("One two")},
                             .target = {DRH_LIT(" three")}};
    struct oa_answer    a = {.text.host = o->host};
    struct oa_plan      p;
    struct reply        r;
    drh_text            body = {.host = o->host};
    float              *values = NULL;
    drh_status          st;

    oa_write_score_echo(&body, o, ep, &q);
    st = ask_body(o, ep, OA_PATH_COMPLETIONS, &body, &r, e);
    if (st == DRH_OK) {
        *can = r.status == 200 &&
               oa_read_echo(o->host, r.a->body, q.prompt.len, 0, &p, &values, &a) == OA_GOOD &&
               p.total > p.first;
        reply_free(o, &r);
    }
    (void)o->host->alloc(o->host, values, 0);
    return st;
}

static drh_status probe_score(struct oa *o, const struct oa_endpoint *ep, drh_error *e)
{
    enum oa_score want = o->opt.score;
    bool          ids = want == OA_SCORE_AUTO && o->caps.tokenize, echo = want == OA_SCORE_AUTO;
    drh_status    st = DRH_OK;

    o->caps.score = want == OA_SCORE_AUTO ? OA_SCORE_NONE : want;
    if (want == OA_SCORE_PROMPT && !o->caps.tokenize) {
        return drh_fail(
            e, DRH_E_CONFIG,
            "score: prompt_logprobs needs the tokenizer of vLLM, and %s has no /tokenize",
            ep->name);
    }
    if (!o->caps.completions) {
        o->caps.score = OA_SCORE_NONE;
        return DRH_OK;
    }
    if (ids) {
        st = can_score_ids(o, ep, &ids, e);
    }
    if (st == DRH_OK && !ids && echo) {
        st = can_score_echo(o, ep, &echo, e);
    }
    if (want == OA_SCORE_AUTO) {
        o->caps.score = ids ? OA_SCORE_PROMPT : echo ? OA_SCORE_ECHO : OA_SCORE_NONE;
    }
    return st;
}

/* ---- all ---- */

/* Nothing is asked when the options say it all. */
static bool is_told(const struct oa *o)
{
    for (size_t i = 0; i < o->n_ep; i++) {
        if (!o->ep[i].model) {
            return false;
        }
    }
    return o->opt.api != OA_AUTO && (o->opt.api == OA_CHAT || o->opt.score == OA_SCORE_NONE ||
                                     o->opt.score == OA_SCORE_ECHO);
}

static void say_what(const struct oa *o)
{
    static const char *const servers[] = {"a server", "OpenAI",    "Azure OpenAI", "vLLM",
                                          "SGLang",   "llama.cpp", "Ollama"};

    drh_logf(o->host, DRH_LOG_INFO, "%s%s: %s, model %s;%s%s%s%s", o->ep[0].name,
             o->n_ep > 1 ? " and others" : "", servers[o->caps.server],
             o->ep[0].model ? o->ep[0].model : "", o->caps.completions ? " raw prompts" : "",
             o->caps.completions && o->caps.chat ? "," : "", o->caps.chat ? " chat" : "",
             o->caps.score == OA_SCORE_PROMPT ? ", scores by prompt_logprobs"
             : o->caps.score == OA_SCORE_ECHO ? ", scores by echo"
                                              : "");
}

drh_status oa_probe(struct oa *o, drh_error *e)
{
    drh_status st = DRH_OK;

    o->caps =
        (struct oa_caps){.completions = o->opt.api != OA_CHAT,
                         .chat = o->opt.api != OA_COMPLETIONS,
                         .score = o->opt.score == OA_SCORE_ECHO ? OA_SCORE_ECHO : OA_SCORE_NONE,
                         .server = o->opt.server,
                         .has_bos = o->opt.bos.len > 0,
                         .context = o->opt.context};
    if (is_told(o)) {
        return DRH_OK;
    }
    for (size_t i = 0; st == DRH_OK && i < o->n_ep; i++) {
        st = probe_models(o, &o->ep[i], e);
        st = st == DRH_OK ? probe_texts(o, &o->ep[i], e) : st;
    }
    st = st == DRH_OK && o->caps.completions ? probe_tokenizer(o, &o->ep[0], e) : st;
    st = st == DRH_OK ? probe_score(o, &o->ep[0], e) : st;
    if (st == DRH_OK) {
        say_what(o);
    }
    return st;
}

drh_status oa_count(struct oa *o, drh_str text, uint32_t *tokens, drh_error *e)
{
    struct oa_ids ids;
    bool          can = false;
    drh_status    st;

    if (!o->caps.tokenize) {
        return drh_fail(e, DRH_E_UNSUPPORTED, "%s does not count tokens", o->ep[0].name);
    }
    st = ids_of(o, &o->ep[0], text, false, &ids, &can, e);
    *tokens = (uint32_t)ids.n;
    (void)o->host->alloc(o->host, ids.id, 0);
    return st == DRH_OK && !can
               ? drh_fail(e, DRH_E_NETWORK, "%s does not count tokens any more", o->ep[0].name)
               : st;
}
