/* SPDX-License-Identifier: MIT
 * manifest.h - what a finished task made, and of what: the commit point of a task.
 *
 * {"fingerprint": SHA-256 of the basis, "basis": {all that the output depends on},
 *  "outputs": [{"path","size","mtime","sha256"}], ...what the task adds}
 * A task whose manifest has its fingerprint and whose outputs are intact is not run again.  [main]
 */
#ifndef CORE_MANIFEST_H
#define CORE_MANIFEST_H

#include "buf.h"

#include <cjson/cJSON.h>
#include <drh/plugin.h>

#include <stdbool.h>

struct manifest_output {
    const char *path;
    uint8_t     sha256[32];
};

enum manifest_state {
    MANIFEST_NONE,
    MANIFEST_FITS,
    MANIFEST_CHANGED, /* made of something else */
    MANIFEST_DAMAGED  /* an output is gone or not what was written */
};

/* SHA-256 of the basis as canonical text; hex holds 65 bytes. */
drh_status manifest_fingerprint(const cJSON *basis, char hex[65], drh_error *e);
/* Reads the manifest at path into *m (NULL: none) and judges it; why gets what is different. */
drh_status manifest_check(const char *path, const cJSON *basis, cJSON **m,
                          enum manifest_state *state, struct buf *why, drh_error *e);
/* Writes it atomically; `more` (taken over) is the task's own members, basis is copied. */
drh_status manifest_write(const char *path, const cJSON *basis, const struct manifest_output *out,
                          size_t n, cJSON *more, drh_error *e);
cJSON     *json_file(const char *path); /* NULL: not there or broken */

#endif
