/* SPDX-License-Identifier: MIT
 *
 * record.c - a conversation as a record, and how it was made: enough to tell and to repeat it.
 */
#include "dialog.h"

/* How a text was drawn; what has its usual value is left out, but the first three. */
static drh_status put_sampling(const drh_host *h, drh_record *r, const char *key,
                               const struct magpie_sampling *s)
{
    drh_status st = h->records->put_key(r, key, strlen(key));
    st = st == DRH_OK ? h->records->begin(r, DRH_T_OBJECT) : st;
    st = st == DRH_OK ? synth_number(h, r, "temperature", s->temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "top_p", s->top_p) : st;
    st = st == DRH_OK ? synth_number(h, r, "max_tokens", s->max_tokens) : st;
    st = st == DRH_OK && s->top_k ? synth_number(h, r, "top_k", s->top_k) : st;
    st = st == DRH_OK && s->min_p > 0 ? synth_number(h, r, "min_p", s->min_p) : st;
    if (st == DRH_OK && s->penalty != 1) {
        st = synth_number(h, r, "repetition_penalty", s->penalty);
    }
    if (st == DRH_OK && s->first_temperature != 1) {
        st = synth_number(h, r, "first_temperature", s->first_temperature);
    }
    return st == DRH_OK ? h->records->end(r) : st;
}

static drh_status put_note(struct magpie *m, drh_record *r, const struct dialog *d)
{
    const drh_host              *h = m->host;
    const struct magpie_options *o = &m->o;
    drh_status                   st = synth_note(h, &m->f, r, "magpie", &m->info, d->seed);
    st = st == DRH_OK ? synth_word(h, r, "system", d->system->name) : st;
    st = st == DRH_OK
             ? synth_word(h, r, "prompt", drh_str_of(m->prompt_digest[d->system - o->system]))
             : st;
    st = st == DRH_OK ? put_sampling(h, r, "question", &o->question) : st;
    st = st == DRH_OK && o->answers ? put_sampling(h, r, "answer", &o->answer) : st;
    if (st == DRH_OK && d->class) {
        st = synth_word(h, r, "sanitised", drh_str_of(d->class));
    }
    return st == DRH_OK ? h->records->close(r) : st;
}

drh_status magpie_write(struct magpie *m, drh_record *r, const struct dialog *d)
{
    drh_str    turn[2 * MAGPIE_MAX_ROUNDS];
    drh_status st;
    for (size_t i = 0; i < d->n; i++) {
        turn[i] = drh_text_str(&d->turn[i]);
    }
    st = synth_write(m->host, &m->f, r, turn, d->n, 0, m->o.answer_system, "magpie", &m->info);
    return st == DRH_OK ? put_note(m, r, d) : st;
}
