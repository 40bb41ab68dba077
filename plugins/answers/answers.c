/* SPDX-License-Identifier: MIT
 *
 * answers.c - preprocessor "answers": the last question of each record is answered by a model.  So
 * one model may ask (magpie with answers=false) and another one answer.
 *
 * The record itself holds all that is known while it waits: there is no state.
 */
#include "synth.h"

#include <drh/turns.h>

DRH_PLUGIN_NOTE(0, "preprocessor answers 1.0.0\n");

enum { MAX_TURNS = 128 };

struct answers {
    const drh_host     *host;
    const drh_infer    *infer;
    drh_infer_info      info;
    int                 ready;
    drh_str             system; /* empty: the record's own */
    double              temperature, top_p, penalty;
    uint32_t            max_tokens;
    int32_t             again, refusals, cut, strip;
    struct synth_fields f; /* synthesis is metadata.answer */
    drh_field           messages;
};

static const char schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"temperature\":{\"type\":\"number\",\"minimum\":0,\"maximum\":10,\"default\":0,"
    "\"description\":\"0: the likeliest answer.\"},"
    "\"top_p\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"default\":1},"
    "\"repetition_penalty\":{\"type\":\"number\",\"minimum\":0.1,\"maximum\":10,\"default\":1},"
    "\"max_tokens\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000000,\"default\":512,"
    "\"description\":\"Longest answer.\"},"
    "\"system\":{\"type\":\"string\",\"default\":\"\",\"description\":\"System message, kept in "
    "the record: You are Sherlock Holmes; answer in his voice. Default: the record's own.\"},"
    "\"again\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Records that have an "
    "answer get another one in its place; otherwise they stay as they are.\"},"
    "\"keep_refusals\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Answers that "
    "begin with a refusal stay.\"},"
    "\"keep_cut_answers\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Answers that "
    "are longer than max_tokens stay, cut.\"},"
    "\"strip_thoughts\":{\"type\":\"boolean\",\"default\":true,\"description\":\"Only what is "
    "behind </think>.\"}"
    "}}";

/* ---- life ---------------------------------------------------------------------------------- */

static void destroy(void *self)
{
    struct answers *a = self;
    (void)a->host->alloc(a->host, a, 0);
}

static void read_options(struct answers *a, const drh_config *c)
{
    const drh_config_api *api = a->host->config;
    double                tokens = 0;
    (void)api->get_f64(c, "/temperature", &a->temperature);
    (void)api->get_f64(c, "/top_p", &a->top_p);
    (void)api->get_f64(c, "/repetition_penalty", &a->penalty);
    (void)api->get_f64(c, "/max_tokens", &tokens);
    a->max_tokens = (uint32_t)tokens;
    (void)api->get_bool(c, "/again", &a->again);
    (void)api->get_bool(c, "/keep_refusals", &a->refusals);
    (void)api->get_bool(c, "/keep_cut_answers", &a->cut);
    (void)api->get_bool(c, "/strip_thoughts", &a->strip);
    a->system = drh_hub_option(a->host, c, "/system");
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    struct answers *a = h->alloc(h, NULL, sizeof(*a));
    drh_status      st;
    if (!a) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(a, 0, sizeof(*a));
    a->host = h;
    read_options(a, c);
    a->messages = drh_field_of(h, "messages");
    st = synth_find_fields(h, &a->f);
    a->f.synthesis = drh_field_of(h, "/metadata/answer");
    if (st != DRH_OK || !a->messages || !a->f.synthesis) {
        st = drh_fail(e, DRH_E_NOMEM, "out of memory");
    } else if (!(a->infer = h->extension(h, DRH_INFER))) {
        st = drh_fail(e, DRH_E_CONFIG,
                      "no model: name one with --model, or services.infer in the recipe");
    }
    if (st != DRH_OK) {
        destroy(a);
        return st;
    }
    *self = a;
    return DRH_OK;
}

/* ---- what is said so far ------------------------------------------------------------------- */

struct talk {
    drh_turn turn[MAX_TURNS]; /* up to the question that is to be answered */
    size_t   n;
    int      answered; /* behind it there is an answer */
    drh_str  system;
};

/* NULL, or why the record cannot be answered. */
static const char *read_talk(const struct answers *a, const drh_record *r, struct talk *t)
{
    drh_turns walk;
    drh_turn  turn;
    t->n = 0;
    t->answered = 0;
    t->system = a->system;
    if (!a->system.len) {
        (void)a->host->records->get_str(r, a->f.system, &t->system);
    }
    if (drh_turns_open(&walk, a->host, r) != DRH_OK) {
        return "no_question";
    }
    while (drh_turns_next(&walk, &turn) == DRH_OK) {
        if (turn.role == DRH_ROLE_SYSTEM && t->n == 0) {
            t->system = t->system.len ? t->system : turn.text;
            continue;
        }
        if ((turn.role != DRH_ROLE_USER && turn.role != DRH_ROLE_ASSISTANT) ||
            turn.type != DRH_T_STRING) {
            return "bad_turn";
        }
        if (t->n == MAX_TURNS) {
            return "too_many_turns";
        }
        t->turn[t->n++] = turn;
    }
    if (t->n && t->turn[t->n - 1].role == DRH_ROLE_ASSISTANT) {
        t->answered = synth_trim(t->turn[t->n - 1].text).len > 0;
        t->n--;
    }
    if (t->n == 0 || t->turn[t->n - 1].role != DRH_ROLE_USER ||
        synth_trim(t->turn[t->n - 1].text).len == 0) {
        return "no_question";
    }
    return NULL;
}

static drh_status ask(const struct answers *a, drh_record *r, const struct talk *t, drh_error *e)
{
    drh_infer_msg        msg[MAX_TURNS + 1];
    const drh_infer_msg *list[MAX_TURNS + 1];
    uint32_t             n = 0;
    drh_infer_req        q = {.struct_size = sizeof(q),
                              .op = DRH_INFER_GENERATE,
                              .max_tokens = a->max_tokens,
                              .temperature = a->temperature,
                              .top_p = a->top_p,
                              .repetition_penalty = a->penalty,
                              .seed = synth_nth(a->host->records->seed(r), 0)};
    if (t->system.len) {
        msg[n++] = (drh_infer_msg){sizeof(msg[0]), 0, {DRH_LIT("system")}, t->system};
    }
    for (size_t i = 0; i < t->n; i++) {
        msg[n++] = (drh_infer_msg){
            sizeof(msg[0]), 0, drh_str_of(t->turn[i].role == DRH_ROLE_USER ? "user" : "assistant"),
            t->turn[i].text};
    }
    for (uint32_t i = 0; i < n; i++) {
        list[i] = &msg[i];
    }
    q.messages = list;
    q.n_messages = n;
    return a->infer->submit(a->host, r, &q, 0, e);
}

static drh_status start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct answers *a = self;
    struct talk     t;
    const char     *why;
    drh_status      st = a->ready ? DRH_OK : synth_model(a->host, a->infer, &a->info, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    a->ready = 1;
    why = read_talk(a, r, &t);
    if (why) {
        return a->host->records->fail(r, why, NULL, 0);
    }
    return t.answered && !a->again ? a->host->records->keep(r) : ask(a, r, &t, e);
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* A turn as it is, or a canonical one of a role and a text. */
static drh_status put_turn(const struct answers *a, drh_record *r, const drh_turn *turn,
                           const char *from, drh_str text)
{
    const drh_record_api *api = a->host->records;
    drh_value             value;
    drh_status            st;
    if (turn && a->host->values->member(&turn->turn, DRH_LIT("value"), &value) == DRH_OK) {
        return api->put_value(r, &turn->turn);
    }
    st = api->begin(r, DRH_T_OBJECT);
    st = st == DRH_OK ? synth_word(a->host, r, "from", drh_str_of(from)) : st;
    st = st == DRH_OK ? synth_word(a->host, r, "value", text) : st;
    return st == DRH_OK ? api->end(r) : st;
}

static drh_status write_answer(const struct answers *a, drh_record *r, const struct talk *t,
                               drh_str text)
{
    const drh_host       *h = a->host;
    const drh_record_api *api = h->records;
    drh_status            st = api->open(r, a->f.conversations, DRH_T_ARRAY);
    for (size_t i = 0; st == DRH_OK && i < t->n; i++) {
        const drh_turn *turn = &t->turn[i];
        st = put_turn(a, r, turn, turn->role == DRH_ROLE_USER ? "human" : "gpt", turn->text);
    }
    st = st == DRH_OK ? put_turn(a, r, NULL, "gpt", text) : st;
    st = st == DRH_OK ? api->close(r) : st;
    st = st == DRH_OK && t->system.len ? api->set_str(r, a->f.system, t->system.ptr, t->system.len)
                                       : st;
    st = st == DRH_OK ? api->unset(r, a->messages) : st;
    st = st == DRH_OK ? synth_note(h, &a->f, r, "answers", &a->info, api->seed(r)) : st;
    st = st == DRH_OK ? synth_number(h, r, "temperature", a->temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "top_p", a->top_p) : st;
    st = st == DRH_OK ? synth_number(h, r, "max_tokens", a->max_tokens) : st;
    return st == DRH_OK ? api->close(r) : st;
}

static drh_status resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                         drh_error *e)
{
    struct answers       *a = self;
    const drh_record_api *api = a->host->records;
    const drh_infer_res  *res = result;
    struct talk           t;
    drh_str               text;
    const char           *why;
    (void)worker;
    (void)tag;
    if (res->status != DRH_OK) {
        const drh_status st = synth_failure(res, &why, e);
        return st != DRH_OK ? st : api->fail(r, "infer_failed", why, strlen(why));
    }
    text = synth_trim(res->text);
    text = a->strip ? synth_answer_of(text) : text;
    why = res->finish == DRH_INFER_FILTERED            ? "filtered"
          : res->finish == DRH_INFER_LENGTH && !a->cut ? "answer_cut"
                                                       : synth_bad_answer(text, a->refusals);
    if (why) {
        return api->drop(r, why, text.ptr, text.len < 200 ? text.len : 200);
    }
    why = read_talk(a, r, &t);
    if (!why && write_answer(a, r, &t, text) == DRH_OK) {
        return api->keep(r);
    }
    return api->fail(r, why ? why : "bad_text", NULL, 0);
}

static const drh_life    life = {sizeof(drh_life), 0, create, destroy, NULL, NULL, NULL};
static const drh_map_ops ops = {
    .struct_size = sizeof(drh_map_ops), .start = start, .resume = resume};

static const char *const needs[] = {DRH_INFER, NULL};

static const drh_stage answers = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_PREPROCESSOR,
    .id = "answers",
    .version = "1.0.0",
    .summary = "answers to the last question of each record, by a model",
    .config_schema = schema,
    .threading = DRH_SERIAL,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .needs = needs,
    .life = &life,
    .ops.map = &ops,
};

static const drh_stage *const stages[] = {&answers};

const drh_entry drh_entry_v1 = {
    .struct_size = sizeof(drh_entry),
    .abi_minor = DRH_ABI_MINOR,
    .abi_minor_need = 0,
    .n_stages = 1,
    .name = "answers",
    .version = "1.0.0",
    .license = "MIT",
    .stages = stages,
};
