/* SPDX-License-Identifier: MIT
 *
 * job.c - a record while it waits for the model; see personas.h.
 */
#include "personas.h"

drh_status personas_ready(struct personas *p, drh_error *e)
{
    drh_status st;
    if (p->ready) {
        return DRH_OK;
    }
    p->info.struct_size = sizeof(p->info);
    st = p->infer->info(p->host, &p->info);
    if (st != DRH_OK) {
        return drh_fail(e, st, "the model service does not say what it is");
    }
    if (!(p->info.caps & (1u << DRH_INFER_GENERATE))) {
        return drh_fail(e, DRH_E_CONFIG, "the model %s writes no text; choose another backend",
                        p->info.model);
    }
    if (p->info.flags & DRH_INFER_NO_CHAT) {
        return drh_fail(e, DRH_E_CONFIG, "%s has no chat template; use a chat model",
                        p->info.model);
    }
    p->ready = 1;
    return DRH_OK;
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

drh_status job_failure(const drh_infer_res *res, const char **why, drh_error *e)
{
    *why = res->error && res->error->message[0] ? res->error->message : "no reason given";
    if (res->status == DRH_E_UNSUPPORTED || res->status == DRH_E_CONFIG) {
        return drh_fail(e, res->status, "%s", *why);
    }
    return DRH_OK;
}
