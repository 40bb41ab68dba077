/* SPDX-License-Identifier: MIT
 * plan_impl.h - what the files of the plan share.  [main] */
#ifndef CORE_PLAN_IMPL_H
#define CORE_PLAN_IMPL_H

#include "plan.h"

/* ---- plan.c ---- */

/* The stage of that id, or the only one of the kind. */
drh_status plan_stage_of(const struct plugin *p, uint32_t kind, const char *id,
                         const struct stage **out, drh_error *e);

/* Finds the stage of a step and makes its options final.  What *ps owns is freed by the second. */
drh_status plan_step_make(struct plan *p, struct plan_step *ps, const struct step *s,
                          struct problems *all, drh_error *e);
void       plan_step_free(struct plan_step *ps);

/* ---- plan_stand_in.c ---- */

/* Sources that stand for others give way to them, in the recipe; before there are any steps. */
drh_status plan_stand_in(struct plan *p, struct problems *all, drh_error *e);

/* ---- plan_services.c ---- */

/* Finds who serves what a step needs, and what those need. */
drh_status plan_need(struct plan *p, const struct plan_step *ps, drh_error *e);
/* Options for a service that nobody needs: a slip of the pen, or left from another recipe. */
drh_status plan_check_services(const struct plan *p, drh_error *e);
/* The service of that id: that of the name `own`, or, own NULL, that of no name of its own. */
struct plan_service *plan_service_of(const struct plan *p, const char *id, const char *own);
/* The model of a name of its own that a step asks; "infer" is that of all others: NULL. */
const char *plan_infer_of(const struct step *s);
/* The name that a step gives to what it needs by this id, or NULL. */
const char *plan_own_of(const char *infer, const char *id);

#endif
