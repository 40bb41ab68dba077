/* SPDX-License-Identifier: MIT
 *
 * run.c - "personas": a slot, its persona, what it says, and the answer to that.
 */
#include "personas.h"

enum { TAG_REPLY = 1, TAG_ANSWER = 2 };

static drh_infer_req request(uint32_t max_tokens, double temperature, double top_p, uint64_t seed)
{
    return (drh_infer_req){.struct_size = sizeof(drh_infer_req),
                           .op = DRH_INFER_GENERATE,
                           .max_tokens = max_tokens,
                           .temperature = temperature,
                           .top_p = top_p,
                           .seed = seed};
}

static drh_status ask(struct personas *p, drh_record *r, drh_infer_req *q, drh_str text,
                      uint64_t tag, drh_error *e)
{
    const drh_infer_msg        user = {sizeof(user), 0, {DRH_LIT("user")}, text};
    const drh_infer_msg *const messages[] = {&user};
    q->messages = messages;
    q->n_messages = 1;
    return p->infer->submit(p->host, r, q, tag, e);
}

/* Is it a slot, which holds nothing? */
static int is_slot(const struct personas *p, const drh_record *r)
{
    drh_value whole, first;
    return p->host->records->get_value(r, DRH_FIELD_NONE, &whole) == DRH_OK &&
           p->host->values->child(&whole, &first) == DRH_END;
}

drh_status personas_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct personas *p = self;
    drh_record_info  info = {.struct_size = sizeof(info)};
    drh_text         prompt = {.host = p->host};
    drh_infer_req    q;
    struct job      *j;
    drh_status       st = personas_ready(p, e);
    (void)worker;
    if (st == DRH_OK && !is_slot(p, r)) {
        return drh_fail(e, DRH_E_CONFIG,
                        "personas makes records of its own: say how many with count; the stage "
                        "perspectives reads records");
    }
    st = st == DRH_OK ? p->host->records->info(r, &info) : st;
    if (st != DRH_OK) {
        return st;
    }
    j = job_new(p, r);
    if (!j) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    /* each persona once before any comes again, in a scattered order */
    j->persona[0] = (size_t)(info.slot % p->people.n * p->people.step % p->people.n);
    drh_text_adds(&prompt, p->o.purpose->before);
    drh_text_addv(&prompt, people_get(&p->people, j->persona[0]));
    drh_text_adds(&prompt, p->o.purpose->after);
    q = request(p->o.max_tokens, p->o.temperature, p->o.top_p, synth_nth(j->seed, 0));
    st = prompt.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory")
                       : ask(p, r, &q, drh_text_str(&prompt), TAG_REPLY, e);
    drh_text_free(&prompt);
    return st;
}

static drh_status leave(struct personas *p, struct job *j, drh_status st)
{
    personas_release(p, j);
    return st;
}

static drh_status reject(struct personas *p, drh_record *r, struct job *j, const char *why,
                         drh_str text)
{
    return leave(p, j, p->host->records->drop(r, why, text.ptr, text.len < 200 ? text.len : 200));
}

static drh_status finish(struct personas *p, drh_record *r, struct job *j)
{
    const drh_host *h = p->host;
    const drh_str   persona = people_get(&p->people, j->persona[0]);
    const drh_str   turn[2] = {drh_text_str(&j->text[0]), drh_text_str(&j->text[1])};
    const int       alone = !p->o.purpose->is_question;
    drh_status      st = synth_write(h, &p->f, r, turn, alone ? 1 : 2, alone, (drh_str){"", 0},
                                     "personas", &p->info);
    st = st == DRH_OK ? h->records->set_str(r, p->persona, persona.ptr, persona.len) : st;
    st = st == DRH_OK ? synth_note(h, &p->f, r, "personas", &p->info, j->seed) : st;
    st = st == DRH_OK ? synth_word(h, r, "purpose", drh_str_of(p->o.purpose->name)) : st;
    st = st == DRH_OK ? synth_number(h, r, "temperature", p->o.temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "top_p", p->o.top_p) : st;
    st = st == DRH_OK ? h->records->close(r) : st;
    return leave(p, j,
                 st == DRH_OK ? h->records->keep(r) : h->records->fail(r, "bad_text", NULL, 0));
}

static drh_status on_reply(struct personas *p, drh_record *r, struct job *j, drh_str said,
                           drh_error *e)
{
    drh_str       rest;
    const char   *why;
    drh_infer_req q;
    if (!reply_open(said, p->o.purpose->opening, &rest)) {
        return reject(p, r, j, "no_opening", said);
    }
    why = synth_bad_answer(rest, p->o.keep_refusals);
    if (why) {
        return reject(p, r, j, why, said);
    }
    drh_text_addv(&j->text[0], p->o.purpose->keeps_opening ? synth_trim(said) : rest);
    if (j->text[0].failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    if (!p->o.purpose->is_question) {
        return finish(p, r, j);
    }
    q = request(p->o.answer_max_tokens, p->o.answer_temperature, p->o.answer_top_p,
                synth_nth(j->seed, 1));
    return ask(p, r, &q, drh_text_str(&j->text[0]), TAG_ANSWER, e);
}

static drh_status on_answer(struct personas *p, drh_record *r, struct job *j, drh_str said,
                            drh_error *e)
{
    const char *why = synth_bad_answer(said, p->o.keep_refusals);
    if (why) {
        return reject(p, r, j, why, said);
    }
    drh_text_addv(&j->text[1], said);
    return j->text[1].failed ? drh_fail(e, DRH_E_NOMEM, "out of memory") : finish(p, r, j);
}

drh_status personas_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                           const void *result, drh_error *e)
{
    struct personas     *p = self;
    const drh_infer_res *res = result;
    struct job          *j = p->host->records->state(r);
    const char          *why;
    drh_str              said;
    (void)worker;
    if (res->status != DRH_OK) {
        drh_status st = synth_failure(res, &why, e);
        return st != DRH_OK
                   ? st
                   : leave(p, j, p->host->records->fail(r, "infer_failed", why, strlen(why)));
    }
    said = synth_answer_of(synth_trim(res->text));
    if (res->finish != DRH_INFER_STOP) {
        return reject(p, r, j, res->finish == DRH_INFER_FILTERED ? "filtered" : "answer_cut", said);
    }
    return tag == TAG_REPLY ? on_reply(p, r, j, said, e) : on_answer(p, r, j, said, e);
}
