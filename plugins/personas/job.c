/* SPDX-License-Identifier: MIT
 *
 * job.c - a record while it waits for the model; see personas.h.
 */
#include "personas.h"

drh_status personas_ready(struct personas *p, drh_error *e)
{
    drh_status st = p->ready ? DRH_OK : synth_model(p->host, p->infer, &p->info, e);
    p->ready = st == DRH_OK;
    return st;
}

struct job *job_new(struct personas *p, drh_record *r)
{
    struct job *j = p->host->alloc(p->host, NULL, sizeof(*j));
    if (!j) {
        return NULL;
    }
    memset(j, 0, sizeof(*j));
    for (size_t i = 0; i < PERSONAS_TEXTS; i++) {
        j->text[i].host = p->host;
    }
    j->seed = p->host->records->seed(r);
    j->next = p->all;
    if (p->all) {
        p->all->back = j;
    }
    p->all = j;
    (void)p->host->records->set_state(r, j);
    return j;
}

drh_status job_take(struct job *j, size_t i, const drh_infer_res *res, drh_error *e)
{
    const char *why;
    drh_text   *text = &j->text[1 + i];
    j->failed[i] = res->status != DRH_OK;
    if (j->failed[i]) {
        const drh_status st = synth_failure(res, &why, e);
        if (st != DRH_OK) {
            return st;
        }
        j->why[i] = "infer_failed";
        drh_text_addv(text, drh_str_of(why)); /* what is told of the failure */
    } else if (res->finish == DRH_INFER_STOP) {
        drh_text_addv(text, synth_answer_of(synth_trim(res->text)));
    } else {
        j->why[i] = res->finish == DRH_INFER_FILTERED ? "filtered" : "answer_cut";
    }
    return text->failed ? drh_fail(e, DRH_E_NOMEM, "out of memory") : DRH_OK;
}

void personas_release(void *self, void *state)
{
    struct personas *p = self;
    struct job      *j = state;
    if (j->back) {
        j->back->next = j->next;
    } else {
        p->all = j->next;
    }
    if (j->next) {
        j->next->back = j->back;
    }
    for (size_t i = 0; i < PERSONAS_TEXTS; i++) {
        drh_text_free(&j->text[i]);
    }
    (void)p->host->alloc(p->host, j, 0);
}
