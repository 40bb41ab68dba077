/* SPDX-License-Identifier: MIT
 * layout.h - where the files of a run lie (DATA is the recipe's data folder, VERSION its version):
 *
 *   DATA/interim/VERSION/DOMAIN/DATASET/part-000.jsonl[.zst]   after preprocessing and synthesis
 *   DATA/processed/VERSION/DOMAIN.jsonl[.zst]                  after selection and conversion
 *   DATA/.drhost/VERSION/lock                                  held while a run is going on
 *   DATA/.drhost/VERSION/report.json                           of the last run
 *   DATA/.drhost/VERSION/sources.json                          what was read: hub, commit, licence,
 * files DATA/.drhost/VERSION/inputs.json                           digests of raw files
 *   DATA/.drhost/VERSION/tasks/SEGMENT/DOMAIN/DATASET/part-000.json   manifests
 *   DATA/.drhost/VERSION/rejected/SEGMENT/...jsonl             a line per dropped or failed record
 *   DATA/.drhost/VERSION/journal/SEGMENT/...jnl                answers of unfinished tasks
 *   DATA/.drhost/VERSION/work/SEGMENT/...                      what steps hand to each other
 *
 * All functions give a new string for mem_free(), or NULL when out of memory. */
#ifndef CORE_LAYOUT_H
#define CORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

struct layout {
    const char *data, *version;
    bool        zst;
};

/* What a task is called: SEGMENT/DOMAIN/DATASET/part-000. */
struct task_name {
    const char *segment, *domain, *dataset;
    size_t      part;
};

char *layout_state(const struct layout *l, const char *name); /* DATA/.drhost/VERSION/NAME */
char *layout_interim(const struct layout *l, const struct task_name *t);
char *layout_work(const struct layout *l, const struct task_name *t, const char *suffix);
char *layout_manifest(const struct layout *l, const struct task_name *t);
char *layout_rejected(const struct layout *l, const struct task_name *t);
/* One per fingerprint: trying something else in between costs no answers. */
char *layout_journal(const struct layout *l, const struct task_name *t, const char *fingerprint);
char *layout_processed(const struct layout *l, const char *domain, const char *suffix);

#endif
