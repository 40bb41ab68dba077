/* SPDX-License-Identifier: MIT
 *
 * maker.c - "persona-maker": who may have to do with the text of a record, or who stands close to
 * the persona of a record.  Each one is a record of its own behind the one that it is from.
 */
#include "personas.h"

#include <drh/turns.h>

static const char *const of_text[] = {
    "is likely to read this text, and why it matters to them",
    "is likely to have written this text, with what they know and do",
    "would like this text",
    "would disagree with this text, or dislike it",
    "would need this text in their work",
    "would teach others what is in this text",
};

static const char *const of_persona[] = {
    "works with this person every day",
    "needs this person's help or service",
    "helps or serves this person",
    "belongs to this person's family",
    "learns from this person, or teaches them",
    "is a friend or a neighbour, with quite another life",
    "stands against this person: a rival, a critic",
};

enum { N_OF_TEXT = sizeof(of_text) / sizeof(of_text[0]) };
enum { N_OF_PERSONA = sizeof(of_persona) / sizeof(of_persona[0]) };

static const char behind_text[] =
    "\n\nDescribe one such person in one sentence, without a name: who they are and what they do, "
    "know or care about, as precisely as the text allows. Use its own field of knowledge. Begin "
    "with \"Persona:\".";
static const char behind_persona[] =
    "\n\nDescribe one such other person in one sentence, without a name: who they are and what "
    "they do, know or care about, as precisely as you can. Say nothing of the first person that "
    "is not needed. Begin with \"Persona:\".";

/* The i-th relation of a record: another one each, while there are some. */
static const char *relation(const struct personas *p, const struct job *j, size_t i)
{
    const uint64_t n = p->o.from_persona ? N_OF_PERSONA : N_OF_TEXT;
    const size_t   at = (size_t)((synth_nth(j->seed, 999) + i) % n);
    return p->o.from_persona ? of_persona[at] : of_text[at];
}

/* ---- questions ------------------------------------------------------------------------------ */

/* What personas are made from; empty: nothing. */
static drh_str source_of(const struct personas *p, const drh_record *r)
{
    drh_str   s = {NULL, 0};
    drh_turns t;
    drh_turn  turn;
    for (size_t i = 0; i < PERSONAS_MAX_FROM && p->from[i] != DRH_FIELD_NONE; i++) {
        if (p->host->records->get_str(r, p->from[i], &s) == DRH_OK && synth_trim(s).len) {
            return synth_trim(s);
        }
    }
    if (!p->o.from_persona && !p->o.own_field && drh_turns_open(&t, p->host, r) == DRH_OK) {
        while (drh_turns_next(&t, &turn) == DRH_OK) {
            if (turn.role != DRH_ROLE_SYSTEM && turn.type == DRH_T_STRING) {
                return synth_trim(turn.text);
            }
        }
    }
    return (drh_str){NULL, 0};
}

static drh_status ask(struct personas *p, drh_record *r, const struct job *j, size_t i,
                      drh_error *e)
{
    drh_text                   prompt = {.host = p->host};
    drh_infer_msg              user = {sizeof(user), 0, {DRH_LIT("user")}, {NULL, 0}};
    const drh_infer_msg *const messages[] = {&user};
    drh_infer_req              q = {.struct_size = sizeof(q),
                                    .op = DRH_INFER_GENERATE,
                                    .messages = messages,
                                    .n_messages = 1,
                                    .max_tokens = p->o.max_tokens,
                                    .temperature = p->o.temperature,
                                    .top_p = p->o.top_p,
                                    .seed = synth_nth(j->seed, i)};
    drh_status                 st;
    drh_text_adds(&prompt, p->o.from_persona ? "Think of this person:\n" : "Read this text:\n");
    drh_text_addv(&prompt, drh_text_str(&j->text[0]));
    drh_text_adds(&prompt, "\n\nWho ");
    drh_text_adds(&prompt, relation(p, j, i));
    drh_text_adds(&prompt, "?");
    drh_text_adds(&prompt, p->o.from_persona ? behind_persona : behind_text);
    user.content = drh_text_str(&prompt);
    st = prompt.failed ? drh_fail(e, DRH_E_NOMEM, "out of memory")
                       : p->infer->submit(p->host, r, &q, i, e);
    drh_text_free(&prompt);
    return st;
}

drh_status maker_start(void *self, void *worker, drh_record *r, drh_error *e)
{
    struct personas *p = self;
    struct job      *j;
    drh_str          source;
    drh_status       st = personas_ready(p, e);
    (void)worker;
    if (st != DRH_OK) {
        return st;
    }
    source = synth_first(source_of(p, r), p->o.text_chars);
    if (source.len == 0) {
        return p->host->records->fail(r, p->o.from_persona ? "no_persona" : "no_text", NULL, 0);
    }
    j = job_new(p, r);
    if (!j) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    drh_text_addv(&j->text[0], source);
    if (j->text[0].failed) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    j->n = j->waits = (size_t)p->o.k;
    for (size_t i = 0; st == DRH_OK && i < j->n; i++) {
        st = ask(p, r, j, i, e);
    }
    return st;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Why a reply is no persona, or NULL; *persona: what it is. */
static const char *bad(const struct personas *p, const struct job *j, size_t i,
                       const drh_str *before, drh_str *persona)
{
    drh_str     s;
    const char *why;
    if (!reply_open(drh_text_str(&j->text[1 + i]), "persona", &s)) {
        return "no_opening";
    }
    s = reply_line(s);
    why = synth_bad_answer(s, 0);
    if (why) {
        return why;
    }
    if (reply_words(s) < (size_t)p->o.min_words) {
        return "persona_short";
    }
    if ((int64_t)synth_characters(s) > p->o.max_chars) {
        return "persona_long";
    }
    if (reply_likeness(s, drh_text_str(&j->text[0])) >= p->o.similar) {
        return "like_source";
    }
    for (size_t k = 0; k < i; k++) {
        if (!j->why[k] && reply_likeness(s, before[k]) >= p->o.similar) {
            return "like_another";
        }
    }
    *persona = s;
    return NULL;
}

static drh_status write_persona(struct personas *p, drh_record *r, const struct job *j, size_t i,
                                drh_str persona, drh_str parent)
{
    const drh_host *h = p->host;
    drh_status      st =
        synth_write(h, &p->f, r, &persona, 1, 1, (drh_str){"", 0}, "persona-maker", &p->info);
    st = st == DRH_OK ? h->records->set_str(r, p->made, persona.ptr, persona.len) : st;
    st =
        st == DRH_OK && parent.len ? h->records->set_str(r, p->parent, parent.ptr, parent.len) : st;
    st = st == DRH_OK ? synth_note(h, &p->f, r, "persona-maker", &p->info, j->seed) : st;
    st = st == DRH_OK ? synth_word(h, r, "relation", drh_str_of(relation(p, j, i))) : st;
    st = st == DRH_OK ? synth_number(h, r, "temperature", p->o.temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "top_p", p->o.top_p) : st;
    return st == DRH_OK ? h->records->close(r) : st;
}

static drh_status finish(struct personas *p, drh_record *r, struct job *j)
{
    const drh_record_api *api = p->host->records;
    drh_str               parent = {NULL, 0}, persona[PERSONAS_MAX_K] = {{NULL, 0}};
    drh_status            st = DRH_OK;
    (void)api->get_str(r, p->f.id, &parent);
    for (size_t i = 0; st == DRH_OK && i < j->n; i++) {
        drh_record *child;
        j->why[i] = j->why[i] ? j->why[i] : bad(p, j, i, persona, &persona[i]);
        st = api->add(r, &child);
        if (st == DRH_OK && j->why[i]) {
            const drh_str said = synth_first(drh_text_str(&j->text[1 + i]), 100);
            st = (j->failed[i] ? api->fail : api->drop)(child, j->why[i], said.ptr, said.len);
        } else if (st == DRH_OK) {
            st = write_persona(p, child, j, i, persona[i], parent);
            st = st == DRH_OK ? api->keep(child) : api->fail(child, "bad_text", NULL, 0);
        }
    }
    personas_release(p, j);
    if (st != DRH_OK) {
        return st;
    }
    return p->o.keep_original ? api->keep(r) : api->drop(r, "replaced", NULL, 0);
}

drh_status maker_resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                        drh_error *e)
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
