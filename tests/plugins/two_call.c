/* SPDX-License-Identifier: MIT
 * two_call.c - record-driven stages on drh.infer/1.  two-call makes a record from a slot with
 * two requests, one after the other; ask puts answers to three requests into a record (ask-text
 * does it as a converter).  They check the host's promises as they go and log a line with BROKEN
 * for each that does not hold. */
#include <drh/infer.h>
#include <drh/util.h>

#include <stdlib.h>

struct two {
    const drh_host  *host;
    const drh_infer *infer;
    int64_t          drop_every, leave_every, start_drop_every, error_every, misuse, extra, all;
    int64_t          chat, max_tokens, stops; /* of the second request: also as a chat, its length,
                                               * so many more texts that end it */
    drh_field   conversations, slot, attempt, answer;
    int         inside; /* calls of one instance never overlap */
    int64_t     live;   /* states not yet given back */
    drh_record *other;  /* of an earlier call */
};

struct state {
    uint64_t seed;
    uint32_t n;
    char     text[3][64];
};

#define INTEGER(key) "\"" key "\":{\"type\":\"integer\",\"default\":0}"
/* clang-format off */
static const char SCHEMA[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    INTEGER("drop_every") "," INTEGER("leave_every") "," INTEGER("start_drop_every") ","
    INTEGER("error_every") "," INTEGER("misuse") "," INTEGER("extra") "," INTEGER("all") ","
    INTEGER("chat") "," INTEGER("max_tokens") "," INTEGER("stops") "}}";
/* clang-format on */

static void broken(const struct two *t, const char *what)
{
    drh_logf(t->host, DRH_LOG_ERROR, "BROKEN: %s", what);
}

static int one_in(int64_t every, uint64_t seed)
{
    return every > 0 && seed % (uint64_t)every == 0;
}

static void enter(struct two *t)
{
    if (__atomic_exchange_n(&t->inside, 1, __ATOMIC_ACQUIRE)) {
        broken(t, "two calls of one instance at once");
    }
}

static drh_status leave(struct two *t, drh_status st)
{
    __atomic_store_n(&t->inside, 0, __ATOMIC_RELEASE);
    return st;
}

static void give_up(struct two *t, struct state *s)
{
    t->live--;
    free(s);
}

static void release(void *self, void *state)
{
    give_up(self, state);
}

static struct state *take_state(struct two *t, drh_record *r)
{
    struct state *s = calloc(1, sizeof(*s));

    if (s && t->host->records->state(r)) {
        broken(t, "a record starts with a state");
    }
    if (s) {
        t->live++;
        s->seed = t->host->records->seed(r);
        (void)t->host->records->set_state(r, s);
    }
    return s;
}

/* What the host must refuse. */
static void misuse(struct two *t, drh_record *r, const drh_infer_req *q)
{
    drh_error     e = DRH_ERROR_INIT;
    drh_infer_req small = *q;

    small.struct_size = 8;
    if (t->infer->submit(t->host, r, &small, 9, &e) != DRH_E_ARG) {
        broken(t, "a request of 8 bytes was taken");
    }
    if (t->other && t->other != r && t->infer->submit(t->host, t->other, q, 9, &e) != DRH_E_ARG) {
        broken(t, "a request for another record was taken");
    }
    t->other = r;
}

/* ---- two-call ---- */

static drh_status ask_question(struct two *t, drh_record *r, uint64_t seed, drh_error *e)
{
    const drh_infer_msg        system = {sizeof(system), 0, {DRH_LIT("system")}, {DRH_LIT("Be.")}};
    const drh_infer_msg        user = {sizeof(user), 0, {DRH_LIT("user")}, {DRH_LIT("Ask!")}};
    const drh_infer_msg *const messages[] = {&system, &user};
    const drh_str              stop[] = {{DRH_LIT("\n")}};
    drh_infer_req              q = {.struct_size = sizeof(q),
                                    .op = DRH_INFER_GENERATE,
                                    .messages = messages,
                                    .n_messages = 2,
                                    .max_tokens = 64,
                                    .temperature = 1,
                                    .top_p = 1,
                                    .stop = stop,
                                    .n_stop = 1,
                                    .seed = seed};

    if (t->misuse) {
        misuse(t, r, &q);
    }
    return t->infer->submit(t->host, r, &q, 1, e);
}

static drh_status two_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct two   *t = self;
    struct state *s = take_state(t, r);
    drh_status    st = s ? DRH_OK : drh_fail(e, DRH_E_NOMEM, "out of memory");

    (void)worker;
    enter(t);
    if (st == DRH_OK && one_in(t->leave_every, s->seed + 1)) {
        return leave(t, DRH_OK); /* neither settled nor asked; its state is the host's to release */
    }
    st = st == DRH_OK ? ask_question(t, r, s->seed, e) : st;
    if (st == DRH_OK && one_in(t->start_drop_every, s->seed + 2)) {
        give_up(t, s);
        st = t->host->records->drop(r, "at_start", NULL, 0);
    }
    return leave(t, st);
}

static drh_status ask_answer(struct two *t, drh_record *r, struct state *s,
                             const drh_infer_res *res, drh_error *e)
{
    /* as an older plugin has it, which knows nothing of what was added behind */
    drh_infer_req              q = {.struct_size = offsetof(drh_infer_req, first_avoid),
                                    .op = DRH_INFER_GENERATE,
                                    .seed = s->seed + 1,
                                    .n_first_avoid = UINT32_MAX};
    static const drh_str       stops[] = {{DRH_LIT("never")},   {DRH_LIT("nowhere")},
                                          {DRH_LIT("none")},    {DRH_LIT("nothing")},
                                          {DRH_LIT(" bridge")}, {DRH_LIT(" moves")}};
    drh_infer_msg              user = {sizeof(user), 0, {DRH_LIT("user")}, {NULL, 0}};
    const drh_infer_msg *const messages[] = {&user};
    drh_status                 st;

    (void)snprintf(s->text[0], sizeof(s->text[0]), "%.*s", (int)res->text.len, res->text.ptr);
    q.prompt = user.content = drh_str_of(s->text[0]);
    if (t->chat) {
        q.prompt = (drh_str){NULL, 0};
        q.messages = messages;
        q.n_messages = 1;
    }
    q.max_tokens = (uint32_t)t->max_tokens;
    q.stop = stops;
    q.n_stop = t->stops < 6 ? (uint32_t)t->stops : 6;
    st = t->infer->submit(t->host, r, &q, 2, e);
    for (int64_t i = 0; st == DRH_OK && i < t->extra; i++) {
        q.seed = s->seed + 100 + (uint64_t)i;
        st = t->infer->submit(t->host, r, &q, 3, e);
    }
    return st;
}

static drh_status put_turn(const drh_record_api *api, drh_record *r, const char *from, drh_str text)
{
    (void)api->begin(r, DRH_T_OBJECT);
    (void)api->put_key(r, DRH_LIT("from"));
    (void)api->put_str(r, from, strlen(from));
    (void)api->put_key(r, DRH_LIT("value"));
    (void)api->put_str(r, text.ptr, text.len);
    return api->end(r);
}

static drh_status two_finish(struct two *t, drh_record *r, struct state *s,
                             const drh_infer_res *res)
{
    const drh_record_api *api = t->host->records;
    drh_record_info       info = {.struct_size = sizeof(info)};
    uint64_t              seed = s->seed;
    drh_status            st = api->info(r, &info);

    (void)api->open(r, t->conversations, DRH_T_ARRAY);
    (void)put_turn(api, r, "human", drh_str_of(s->text[0]));
    (void)put_turn(api, r, "gpt", res->text);
    st = st == DRH_OK ? api->close(r) : st;
    st = st == DRH_OK ? api->set_i64(r, t->slot, (int64_t)info.slot) : st;
    st = st == DRH_OK ? api->set_i64(r, t->attempt, info.attempt) : st;
    give_up(t, s);
    if (st == DRH_OK) {
        return one_in(t->drop_every, seed) ? api->drop(r, "not_liked", NULL, 0) : api->keep(r);
    }
    return api->fail(r, "cannot_write", NULL, 0);
}

static drh_status failed(struct two *t, drh_record *r, struct state *s, const drh_infer_res *res)
{
    const char *text = res->error ? res->error->message : "no text";

    give_up(t, s);
    return t->host->records->fail(r, "infer_failed", text, strlen(text));
}

static drh_status two_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                             const void *result, drh_error *e)
{
    struct two          *t = self;
    const drh_infer_res *res = result;
    struct state        *s = t->host->records->state(r);
    drh_status           st = DRH_OK;

    (void)worker;
    enter(t);
    if (!s || s->seed != t->host->records->seed(r)) {
        broken(t, "resume() with another record's state");
        return leave(t, t->host->records->fail(r, "broken", NULL, 0));
    }
    if (tag == 3) {
        return leave(t, DRH_OK); /* not needed */
    }
    if (one_in(t->error_every, s->seed + 3)) {
        return leave(t, drh_fail(e, DRH_E_DATA, "this record is bad"));
    }
    if (res->status != DRH_OK) {
        return leave(t, failed(t, r, s, res));
    }
    if (res->finish == DRH_INFER_FILTERED) {
        give_up(t, s);
        return leave(t, t->host->records->fail(r, "filtered", NULL, 0));
    }
    st = tag == 1 ? ask_answer(t, r, s, res, e) : two_finish(t, r, s, res);
    return leave(t, st);
}

/* ---- ask ---- */

static drh_status ask_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct two   *t = self;
    struct state *s = take_state(t, r);
    drh_infer_req q = {.struct_size = sizeof(q), .op = DRH_INFER_GENERATE, .n_stop = 0};
    drh_status    st = s ? t->host->records->get_json(r, DRH_FIELD_NONE, &q.prompt) : DRH_E_NOMEM;

    (void)worker;
    enter(t);
    for (uint64_t tag = 0; st == DRH_OK && tag < 3; tag++) {
        q.seed = s->seed + tag;
        st = t->infer->submit(t->host, r, &q, tag, e);
    }
    return leave(t, st);
}

static drh_status ask_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                             const void *result, drh_error *e)
{
    struct two           *t = self;
    const drh_record_api *api = t->host->records;
    const drh_infer_res  *res = result;
    struct state         *s = api->state(r);
    char                  all[256];
    int                   n;

    (void)worker;
    (void)e;
    enter(t);
    if (res->status != DRH_OK) {
        return leave(t, failed(t, r, s, res));
    }
    (void)snprintf(s->text[tag], sizeof(s->text[tag]), "%.*s", (int)res->text.len, res->text.ptr);
    s->n++;
    if (t->all ? s->n < 3 : tag != 0) {
        return leave(t, DRH_OK);
    }
    n = t->all ? snprintf(all, sizeof(all), "%s, %s, %s", s->text[0], s->text[1], s->text[2])
               : snprintf(all, sizeof(all), "%s", s->text[0]);
    give_up(t, s);
    if (api->set_str(r, t->answer, all, (size_t)n) != DRH_OK) {
        return leave(t, api->fail(r, "cannot_write", NULL, 0));
    }
    return leave(t, api->keep(r));
}

/* ---- life ---- */

static void two_destroy(void *self)
{
    struct two *t = self;

    if (t->live != 0) {
        broken(t, "a state was not released");
    }
    free(t);
}

static drh_status two_create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct two *t = calloc(1, sizeof(*t));
    drh_status  st = DRH_OK;
    size_t      i;

    if (!t) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    t->host = h;
    t->infer = h->extension(h, DRH_INFER);
    t->conversations = drh_field_of(h, "conversations");
    t->slot = drh_field_of(h, "/metadata/slot");
    t->attempt = drh_field_of(h, "/metadata/attempt");
    t->answer = drh_field_of(h, "answer");
    {
        const char *const keys[] = {
            "/drop_every", "/leave_every", "/start_drop_every", "/error_every", "/misuse", "/extra",
            "/all",        "/chat",        "/max_tokens",       "/stops"};
        int64_t *const to[] = {&t->drop_every,  &t->leave_every, &t->start_drop_every,
                               &t->error_every, &t->misuse,      &t->extra,
                               &t->all,         &t->chat,        &t->max_tokens,
                               &t->stops};
        for (i = 0; st == DRH_OK && i < sizeof(to) / sizeof(to[0]); i++) {
            st = h->config->get_i64(c, keys[i], to[i]);
        }
    }
    if (st != DRH_OK || !t->infer) {
        free(t);
        return drh_fail(e, DRH_E_CONFIG, "no options or no inference service");
    }
    *self = t;
    return DRH_OK;
}

static const char *const NEEDS[] = {DRH_INFER, NULL};
static const drh_life    life = {
       .struct_size = sizeof(life), .create = two_create, .destroy = two_destroy};
static const drh_map_ops two_ops = {
    .struct_size = sizeof(two_ops), .start = two_start, .resume = two_resume, .release = release};
static const drh_map_ops ask_ops = {
    .struct_size = sizeof(ask_ops), .start = ask_start, .resume = ask_resume, .release = release};
static const drh_stage         two = {.struct_size = sizeof(two),
                                      .kind = DRH_KIND_SYNTHESIZER,
                                      .id = "two-call",
                                      .version = "1.0.0",
                                      .summary = "a question, then its answer",
                                      .config_schema = SCHEMA,
                                      .needs = NEEDS,
                                      .life = &life,
                                      .ops.map = &two_ops};
static const drh_stage         ask = {.struct_size = sizeof(ask),
                                      .kind = DRH_KIND_PREPROCESSOR,
                                      .id = "ask",
                                      .version = "1.0.0",
                                      .summary = "three requests a record",
                                      .config_schema = SCHEMA,
                                      .needs = NEEDS,
                                      .life = &life,
                                      .ops.map = &ask_ops};
static const drh_converter_ops text_ops = {.struct_size = sizeof(text_ops), .map = &ask_ops};
static const drh_stage         text = {.struct_size = sizeof(text),
                                       .kind = DRH_KIND_CONVERTER,
                                       .id = "ask-text",
                                       .version = "1.0.0",
                                       .summary = "the same, as a converter",
                                       .config_schema = SCHEMA,
                                       .needs = NEEDS,
                                       .life = &life,
                                       .ops.converter = &text_ops};
static const drh_stage *const  STAGES[] = {&two, &ask, &text};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .n_stages = 3,
                                .name = "two-call",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = STAGES};
DRH_PLUGIN_NOTE(0, "synthesizer two-call 1.0.0\npreprocessor ask 1.0.0\n"
                   "converter ask-text 1.0.0");
