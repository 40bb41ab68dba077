/* SPDX-License-Identifier: MIT
 * plan_stand_in.c - sources that stand for others give way to them, before anything is planned. */
#include "err.h"
#include "plan_impl.h"

#include <string.h>

struct ask {
    struct plan_step *s;
    drh_str           entry;
    drh_error        *e;
    drh_status        st;
};

static void do_ask(void *arg)
{
    struct ask *a = arg;
    a->st = a->s->stage->ops.source.stands_for(a->s->in->self, &a->entry, a->e);
}

/* Makes the source, as it needs its options, asks it, and lets it go. */
static drh_status give_way(struct plan *p, size_t at, struct problems *all, drh_error *e)
{
    struct plan_step s = {.step = NULL};
    struct ask       a = {.s = &s, .e = e};
    drh_status       st = plan_step_make(p, &s, &p->recipe->steps[at], all, e);

    st = st == DRH_OK ? plan_instance(p, &s, e) : st;
    if (st == DRH_OK) {
        e->message[0] = '\0';
        instance_call(s.in, do_ask, &a);
        st = a.st == DRH_OK ? DRH_OK : stage_error(s.in, a.st, e);
        if (st != DRH_OK) {
            err_prefix(e, "%s", s.step->pointer);
            problems_add(all, "%s", e->message);
        }
    }
    if (st == DRH_OK) {
        st = recipe_stand_in(p->recipe, at, a.entry.ptr, a.entry.len, e);
        if (st != DRH_OK) {
            problems_add(all, "%s", e->message);
        }
    }
    plan_step_free(&s);
    return st;
}

static bool stands_for_another(struct plan *p, const struct step *s)
{
    const struct stage *stage;
    drh_error           e = ERR_INIT;

    return s->phase == PHASE_SOURCE &&
           plan_stage(p, DRH_KIND_SOURCE, s->use, &stage, &e) == DRH_OK &&
           stage->ops.source.stands_for;
}

drh_status plan_stand_in(struct plan *p, struct problems *all, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < p->recipe->n_steps; i++) {
        if (!stands_for_another(p, &p->recipe->steps[i])) {
            continue;
        }
        if (p->recipe->steps[i].alternative_of) {
            st = err_set(e, DRH_E_CONFIG, "%s: %s stands for another source; put it in its place",
                         p->recipe->steps[i].pointer, p->recipe->steps[i].use);
            problems_add(all, "%s", e->message);
            return st;
        }
        st = give_way(p, i, all, e);
        if (st == DRH_OK && stands_for_another(p, &p->recipe->steps[i])) {
            return err_set(e, DRH_E_CONFIG, "%s: stands for %s, which stands for another one",
                           p->recipe->steps[i].pointer, p->recipe->steps[i].use);
        }
    }
    return st;
}
