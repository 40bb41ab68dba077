/* SPDX-License-Identifier: MIT
 * source.h - asking a source: what files, from where, what is it.  [main] */
#ifndef CORE_SOURCE_H
#define CORE_SOURCE_H

#include "plan.h"
#include "sink.h"

/* Its files, sorted by name; the caller frees the list in any case.  DRH_E_MISSING: none. */
drh_status source_list(struct plan_step *s, struct drh_list *list, drh_error *e);
/* Provenance of its records, "hf-mirror:openai/gsm8k@e53f048"; mem_free()d by the caller. After
 * source_list().  dir: the recipe's folder, or NULL. */
drh_status source_name(struct plan_step *s, const char *dir, char **name, drh_error *e);
/* What it is; all empty when it does not say.  Texts are the source's. */
void source_about(struct plan_step *s, drh_source_about *out);
/* For `drhost check`: makes it, and lists what needs no network. */
drh_status source_check(struct plan *p, struct plan_step *s, drh_error *e);

#endif
