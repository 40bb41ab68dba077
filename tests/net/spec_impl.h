/* SPDX-License-Identifier: MIT
 * spec_impl.h - between spec.c and spec_files.c. */
#ifndef NET_SPEC_IMPL_H
#define NET_SPEC_IMPL_H

#include "spec.h"

struct reading {
    struct world *w;
    char         *folder; /* owned; of the specification */
};

/* Values of keys; what has the wrong type dies.  `what` names the object in messages. */
const cJSON *spec_get(const cJSON *o, const char *key);
const char  *spec_text(const cJSON *o, const char *key, const char *otherwise);
uint64_t     spec_number(const cJSON *o, const char *key, uint64_t otherwise);
bool         spec_bool(const cJSON *o, const char *key);
/* Dies when o has a key that is not among `keys`, which have a space on each side. */
void spec_keys(const cJSON *o, const char *keys, const char *what);

/* Adds the files of a "files" array. */
void spec_files(const struct reading *in, struct commit *c, const cJSON *files);

#endif
