/* SPDX-License-Identifier: MIT
 *
 * talk.c - a slot's conversation: question, answer, and so on, by requests to the model.  What is
 * not worth keeping is dropped, and the host asks for the slot again with the next attempt.
 */
#include "dialog.h"

enum { TAG_QUESTION = 1, TAG_ANSWER = 2 };

/* ---- states -------------------------------------------------------------------------------- */

static struct dialog *dialog_new(struct magpie *m, drh_record *r)
{
    struct dialog *d = m->host->alloc(m->host, NULL, sizeof(*d));
    if (!d) {
        return NULL;
    }
    memset(d, 0, sizeof(*d));
    for (size_t i = 0; i < 2 * MAGPIE_MAX_ROUNDS; i++) {
        d->turn[i].host = m->host;
    }
    d->seed = m->host->records->seed(r);
    d->next = m->all;
    if (m->all) {
        m->all->back = d;
    }
    m->all = d;
    (void)m->host->records->set_state(r, d);
    return d;
}

void magpie_release(void *self, void *state)
{
    struct magpie *m = self;
    struct dialog *d = state;
    if (d->back) {
        d->back->next = d->next;
    } else {
        m->all = d->next;
    }
    if (d->next) {
        d->next->back = d->back;
    }
    for (size_t i = 0; i < 2 * MAGPIE_MAX_ROUNDS; i++) {
        drh_text_free(&d->turn[i]);
    }
    (void)m->host->alloc(m->host, d, 0);
}

/* ---- seeds --------------------------------------------------------------------------------- */

static const struct magpie_system *draw_system(const struct magpie_options *o, uint64_t seed)
{
    double   total = 0, at = (double)(synth_nth(seed, 0) >> 11) * 0x1p-53;
    uint32_t i = 0;
    for (uint32_t k = 0; k < o->n_systems; k++) {
        total += o->system[k].weight;
    }
    for (at *= total; i + 1 < o->n_systems && at >= o->system[i].weight; i++) {
        at -= o->system[i].weight;
    }
    return &o->system[i];
}

/* ---- requests ------------------------------------------------------------------------------ */

struct messages {
    drh_infer_msg        one[MAGPIE_MAX_MESSAGES + 1];
    const drh_infer_msg *list[MAGPIE_MAX_MESSAGES + 1];
    uint32_t             n;
};

static void say(struct messages *m, const char *role, drh_str text)
{
    m->one[m->n] = (drh_infer_msg){sizeof(drh_infer_msg), 0, drh_str_of(role), text};
    m->list[m->n] = &m->one[m->n];
    m->n++;
}

static void say_history(struct messages *m, const struct dialog *d)
{
    for (size_t i = 0; i < d->n; i++) {
        say(m, i % 2 ? "assistant" : "user", drh_text_str(&d->turn[i]));
    }
}

static drh_infer_req request(const struct magpie_sampling *s, uint64_t seed)
{
    return (drh_infer_req){.struct_size = sizeof(drh_infer_req),
                           .op = DRH_INFER_GENERATE,
                           .max_tokens = s->max_tokens,
                           .temperature = s->temperature,
                           .top_p = s->top_p,
                           .top_k = s->top_k,
                           .min_p = s->min_p,
                           .repetition_penalty = s->penalty,
                           .first_temperature = s->first_temperature,
                           .seed = seed};
}

/* The system message in front of the next question. */
static drh_str system_of(const struct magpie *m, const struct dialog *d)
{
    return d->n ? m->o.follow_up : d->system->text;
}

/* What precedes the next question, as one text. */
static void raw_prompt(const struct magpie *m, const struct dialog *d, drh_infer_req *q,
                       drh_text *to)
{
    const struct magpie_options *o = &m->o;
    q->flags = DRH_INFER_SPECIAL;
    if (o->pre_query.len) {
        drh_text_addv(to, o->pre_query);
    } else {
        const int theirs = o->form->bos && m->info.has_bos; /* bos stands there once */
        q->flags |= theirs ? DRH_INFER_BOS : 0;
        magpie_form_open(o->form, !theirs, system_of(m, d), to);
        for (size_t i = 0; i + 1 < d->n; i += 2) {
            magpie_form_round(o->form, drh_text_str(&d->turn[i]), drh_text_str(&d->turn[i + 1]),
                              to);
        }
    }
    drh_text_addv(to, o->cue);
    q->prompt = drh_text_str(to);
}

static void open_messages(const struct magpie *m, const struct dialog *d, drh_infer_req *q,
                          struct messages *to)
{
    const drh_str system = system_of(m, d);
    if (system.len) {
        say(to, "system", system);
    }
    say_history(to, d);
    say(to, "user", m->o.cue);
    q->messages = to->list;
    q->n_messages = to->n;
    q->flags = DRH_INFER_OPEN;
}

static drh_status ask_question(struct magpie *m, drh_record *r, const struct dialog *d,
                               drh_error *e)
{
    static const drh_str headings[] = {
        {DRH_LIT("#")}, {DRH_LIT("##")}, {DRH_LIT("###")}, {DRH_LIT("####")}};
    const struct magpie_options *o = &m->o;
    struct messages              list = {.n = 0};
    drh_text                     raw = {.host = m->host};
    drh_infer_req                q = request(&o->question, synth_nth(d->seed, d->n + 1));
    drh_status                   st;
    q.stop = o->stop;
    q.n_stop = o->n_stop;
    if (o->avoid_headings) {
        q.first_avoid = headings;
        q.n_first_avoid = 4;
    }
    if (o->pre_query.len || o->form) {
        raw_prompt(m, d, &q, &raw);
    } else {
        open_messages(m, d, &q, &list);
    }
    st = raw.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory")
                    : m->infer->submit(m->host, r, &q, TAG_QUESTION, e);
    drh_text_free(&raw);
    return st;
}

static drh_status ask_answer(struct magpie *m, drh_record *r, const struct dialog *d, drh_error *e)
{
    struct messages say_to = {.n = 0};
    drh_infer_req   q = request(&m->o.answer, synth_nth(d->seed, d->n + 1));
    if (m->o.answer_system.len) {
        say(&say_to, "system", m->o.answer_system);
    }
    say_history(&say_to, d);
    q.messages = say_to.list;
    q.n_messages = say_to.n;
    return m->infer->submit(m->host, r, &q, TAG_ANSWER, e);
}

/* ---- the host's calls ---------------------------------------------------------------------- */

/* What is said around a question, as a digest, for each of the system messages. */
static drh_status digest_prompts(struct magpie *m)
{
    const struct magpie_options *o = &m->o;
    drh_status                   st = DRH_OK;
    for (uint32_t i = 0; st == DRH_OK && i < o->n_systems; i++) {
        const drh_str parts[6] = {o->pre_query,
                                  drh_str_of(o->form ? o->form->name : ""),
                                  o->system[i].text,
                                  o->rounds > 1 ? o->follow_up : (drh_str){"", 0},
                                  o->cue,
                                  o->answer_system};
        uint8_t       sum[32];
        st = m->host->digest(m->host, parts, 6, sum);
        synth_hex(sum, 16, m->prompt_digest[i]);
    }
    return st;
}

static drh_status get_ready(struct magpie *m, drh_error *e)
{
    drh_status st = synth_model(m->host, m->infer, &m->info, e);
    if (st != DRH_OK) {
        return st;
    }
    if ((m->o.pre_query.len || m->o.form) && (m->info.flags & DRH_INFER_NO_RAW)) {
        return drh_fail(
            e, DRH_E_CONFIG,
            "%s offers chat only and puts its template around every text, so a question "
            "cannot be left open; use a server with /v1/completions, or a model here",
            m->info.model);
    }
    st = digest_prompts(m);
    m->ready = st == DRH_OK;
    return st;
}

drh_status magpie_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct magpie *m = self;
    struct dialog *d;
    drh_status     st = m->ready ? DRH_OK : get_ready(m, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    d = dialog_new(m, r);
    if (!d) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    d->system = draw_system(&m->o, d->seed);
    return ask_question(m, r, d, e);
}

/* The record is settled: its state goes. */
static drh_status leave(struct magpie *m, struct dialog *d, drh_status st)
{
    magpie_release(m, d);
    return st;
}

static drh_status reject(struct magpie *m, drh_record *r, struct dialog *d, const char *why,
                         drh_str text)
{
    drh_status st = m->host->records->drop(r, why, text.ptr, text.len < 200 ? text.len : 200);
    return leave(m, d, st);
}

static drh_status no_answer(struct magpie *m, drh_record *r, struct dialog *d, uint64_t tag,
                            const drh_infer_res *res, drh_error *e)
{
    const char *why;
    drh_status  st = synth_failure(res, &why, e);
    if (st == DRH_E_UNSUPPORTED && tag == TAG_QUESTION && !m->o.form && !m->o.pre_query.len) {
        return drh_fail(e, st, "%.300s; name the model's template: --set form=qwen2.5", why);
    }
    return st != DRH_OK ? st
                        : leave(m, d, m->host->records->fail(r, "infer_failed", why, strlen(why)));
}

static drh_status keep_turn(struct dialog *d, drh_str text, drh_error *e)
{
    drh_text *t = &d->turn[d->n++];
    drh_text_addv(t, text);
    return t->failed ? drh_fail(e, DRH_E_NOMEM, "out of memory") : DRH_OK;
}

static drh_status finish(struct magpie *m, drh_record *r, struct dialog *d)
{
    const drh_status st = magpie_write(m, r, d);
    return leave(m, d,
                 st == DRH_OK ? m->host->records->keep(r)
                              : m->host->records->fail(r, "bad_text", NULL, 0));
}

static drh_status on_question(struct magpie *m, drh_record *r, struct dialog *d,
                              const drh_infer_res *res, drh_error *e)
{
    const drh_str text = synth_trim(res->text);
    const char   *why = NULL;
    drh_text     *t = &d->turn[d->n];
    drh_status    st;
    if (res->finish == DRH_INFER_LENGTH) {
        return reject(m, r, d, "question_cut", text);
    }
    st = keep_turn(d, text, e);
    if (st != DRH_OK) {
        return st;
    }
    if (m->o.sanitise >= 0 && t->len) {
        d->class = magpie_sanitise(t->ptr, &t->len, (enum magpie_family)m->o.sanitise);
    }
    why = magpie_bad_question(&m->o, drh_text_str(t));
    if (why) {
        return reject(m, r, d, why, drh_text_str(t));
    }
    return m->o.answers ? ask_answer(m, r, d, e) : finish(m, r, d);
}

static drh_status on_answer(struct magpie *m, drh_record *r, struct dialog *d,
                            const drh_infer_res *res, drh_error *e)
{
    drh_str     text = synth_trim(res->text);
    const char *why;
    drh_status  st;
    if (m->o.strip_thoughts) {
        text = synth_answer_of(text);
    }
    why = res->finish == DRH_INFER_LENGTH && !m->o.cut_answers
              ? "answer_cut"
              : synth_bad_answer(text, m->o.refusals);
    if (why) {
        return reject(m, r, d, why, text);
    }
    st = keep_turn(d, text, e);
    if (st != DRH_OK) {
        return st;
    }
    if ((int64_t)d->n < 2 * m->o.rounds) {
        return ask_question(m, r, d, e);
    }
    return finish(m, r, d);
}

drh_status magpie_resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                         drh_error *e)
{
    struct magpie       *m = self;
    const drh_infer_res *res = result;
    struct dialog       *d = m->host->records->state(r);
    (void)worker;
    if (res->status != DRH_OK) {
        return no_answer(m, r, d, tag, res, e);
    }
    if (res->finish == DRH_INFER_FILTERED) {
        return reject(m, r, d, "filtered", res->text);
    }
    return tag == TAG_QUESTION ? on_question(m, r, d, res, e) : on_answer(m, r, d, res, e);
}
