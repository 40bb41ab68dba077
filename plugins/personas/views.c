/* SPDX-License-Identifier: MIT
 *
 * views.c - "perspectives": the question of a record that is read, answered as k personas would.
 * Each answer is a record of its own behind the one that it is from.
 */
#include "personas.h"

#include <drh/turns.h>

static const char before[] =
    "You are the following person. Answer as this person would, from their "
    "knowledge, experience and point of view, without saying who you "
    "are.\n";

/* The first question; {NULL,0}: there is none. */
static drh_str question_of(const struct personas *p, const drh_record *r)
{
    drh_turns t;
    drh_turn  turn;
    if (drh_turns_open(&t, p->host, r) == DRH_OK) {
        while (drh_turns_next(&t, &turn) == DRH_OK) {
            if (turn.role == DRH_ROLE_USER && turn.type == DRH_T_STRING) {
                return synth_trim(turn.text);
            }
        }
    }
    return (drh_str){NULL, 0};
}

/* k different personas by the record's seed, of its own category if there is such a wish. */
static void draw(const struct personas *p, const drh_record *r, struct job *j)
{
    drh_str category = {NULL, 0};
    if (p->match != DRH_FIELD_NONE) {
        (void)p->host->records->get_str(r, p->match, &category);
    }
    j->n = people_draw(&p->people, category, p->o.spread, (size_t)p->o.k, j->seed, j->persona);
}

static drh_status ask(struct personas *p, drh_record *r, const struct job *j, size_t i,
                      drh_error *e)
{
    drh_text                   system = {.host = p->host};
    drh_infer_msg              msg[2];
    const drh_infer_msg *const messages[] = {&msg[0], &msg[1]};
    drh_infer_req              q = {.struct_size = sizeof(q),
                                    .op = DRH_INFER_GENERATE,
                                    .messages = messages,
                                    .n_messages = 2,
                                    .max_tokens = p->o.max_tokens,
                                    .temperature = p->o.temperature,
                                    .top_p = p->o.top_p,
                                    .seed = synth_nth(j->seed, i)};
    drh_status                 st;
    drh_text_adds(&system, before);
    drh_text_addv(&system, people_get(&p->people, j->persona[i]));
    msg[0] = (drh_infer_msg){sizeof(msg[0]), 0, {DRH_LIT("system")}, drh_text_str(&system)};
    msg[1] = (drh_infer_msg){sizeof(msg[1]), 0, {DRH_LIT("user")}, drh_text_str(&j->text[0])};
    st = system.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory")
                       : p->infer->submit(p->host, r, &q, i, e);
    drh_text_free(&system);
    return st;
}

drh_status perspectives_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct personas *p = self;
    struct job      *j;
    drh_str          question;
    drh_status       st = personas_ready(p, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    question = question_of(p, r);
    if (question.len == 0) {
        return p->host->records->fail(r, "no_question", NULL, 0);
    }
    j = job_new(p, r);
    if (!j) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    drh_text_addv(&j->text[0], question);
    if (j->text[0].failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    draw(p, r, j);
    j->waits = j->n;
    for (size_t i = 0; st == DRH_OK && i < j->n; i++) {
        st = ask(p, r, j, i, e);
    }
    return st;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Why an answer is not kept, or NULL. */
static const char *bad(const struct personas *p, const struct job *j, size_t i)
{
    const drh_str s = drh_text_str(&j->text[1 + i]);
    const char   *why = synth_bad_answer(s, p->o.keep_refusals);
    if (why) {
        return why;
    }
    if (reply_introduces(s)) {
        return "introduction_only";
    }
    for (size_t k = 0; k < i; k++) {
        if (!j->why[k] && reply_likeness(s, drh_text_str(&j->text[1 + k])) > p->o.similar) {
            return "like_another";
        }
    }
    return NULL;
}

static drh_status write_view(struct personas *p, drh_record *r, const struct job *j, size_t i,
                             drh_str parent)
{
    const drh_host *h = p->host;
    const drh_str   persona = people_get(&p->people, j->persona[i]);
    const drh_str   turn[2] = {drh_text_str(&j->text[0]), drh_text_str(&j->text[1 + i])};
    drh_status      st =
        synth_write(h, &p->f, r, turn, 2, 0, (drh_str){"", 0}, "perspectives", &p->info);
    st =
        st == DRH_OK && parent.len ? h->records->set_str(r, p->parent, parent.ptr, parent.len) : st;
    st = st == DRH_OK ? h->records->set_str(r, p->persona, persona.ptr, persona.len) : st;
    st = st == DRH_OK ? synth_note(h, &p->f, r, "perspectives", &p->info, j->seed) : st;
    st = st == DRH_OK ? synth_number(h, r, "temperature", p->o.temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "top_p", p->o.top_p) : st;
    return st == DRH_OK ? h->records->close(r) : st;
}

static drh_status finish(struct personas *p, drh_record *r, struct job *j)
{
    const drh_record_api *api = p->host->records;
    drh_str               parent = {NULL, 0};
    drh_status            st = DRH_OK;
    (void)api->get_str(r, p->f.id, &parent);
    for (size_t i = 0; st == DRH_OK && i < j->n; i++) {
        drh_record *child;
        j->why[i] = j->why[i] ? j->why[i] : bad(p, j, i);
        st = api->add(r, &child);
        if (st == DRH_OK && j->why[i]) {
            const drh_str said = drh_text_str(&j->text[1 + i]);
            st = (j->failed[i] ? api->fail : api->drop)(child, j->why[i], said.ptr,
                                                        said.len < 200 ? said.len : 200);
        } else if (st == DRH_OK) {
            st = write_view(p, child, j, i, parent);
            st = st == DRH_OK ? api->keep(child) : api->fail(child, "bad_text", NULL, 0);
        }
    }
    personas_release(p, j);
    if (st != DRH_OK) {
        return st;
    }
    return p->o.keep_original ? api->keep(r) : api->drop(r, "replaced", NULL, 0);
}

drh_status perspectives_resume(void *self, void *worker, drh_record *r, uint64_t tag,
                               const void *result, drh_error *e)
{
    struct personas *p = self;
    struct job      *j = p->host->records->state(r);
    drh_status       st = job_take(j, tag, result, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    return --j->waits ? DRH_OK : finish(p, r, j);
}
