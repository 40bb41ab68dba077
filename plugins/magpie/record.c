/* SPDX-License-Identifier: MIT
 *
 * record.c - a conversation as a record, and how it was made: enough to tell and to repeat it.
 */
#include "dialog.h"

static drh_status put_note(struct magpie *m, drh_record *r, const struct dialog *d)
{
    const drh_host              *h = m->host;
    const struct magpie_options *o = &m->o;
    drh_status                   st = synth_note(h, &m->f, r, "magpie", &m->info, d->seed);
    st = st == DRH_OK ? synth_word(h, r, "system", d->system->name) : st;
    st = st == DRH_OK ? synth_word(h, r, "prompt", drh_str_of(m->prompt_digest)) : st;
    st = st == DRH_OK ? synth_number(h, r, "temperature", o->question.temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "top_p", o->question.top_p) : st;
    st = st == DRH_OK ? synth_number(h, r, "answer_temperature", o->answer.temperature) : st;
    st = st == DRH_OK ? synth_number(h, r, "answer_top_p", o->answer.top_p) : st;
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
