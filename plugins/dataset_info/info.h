/* SPDX-License-Identifier: MIT
 * info.h - LLaMA-Factory's registry of data sets, dataset_info.json, as entries of a recipe.
 * Called on the main thread only. */
#ifndef INFO_H
#define INFO_H

#include <drh/hub.h>

struct info {
    const drh_host   *host;
    const drh_config *config;     /* the host's, until destroy */
    drh_str           file, name; /* options; texts of the config */
    drh_text          entry;      /* what stands_for() gives */
};

/* entry.c: writes to i->entry what the registry `root` says of i->name.  DRH_E_CONFIG with what is
 * wrong there and what to do. */
drh_status info_entry(struct info *i, const drh_value *root, drh_error *e);

/* JSON: "," unless it comes first in its object or list, then "KEY": */
void info_key(drh_text *t, const char *key);

#endif /* INFO_H */
