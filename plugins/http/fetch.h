/* SPDX-License-Identifier: MIT
 * fetch.h - drh.fetch/1: verified files, many at a time and in many pieces. */
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "net.h"

#include <drh/fetch.h>

struct fetch;

struct fetch_options {
    uint32_t connections; /* of one job */
    uint32_t max_files;   /* under way at once */
    uint32_t patience;    /* failures in a row before a file is given up */
    uint32_t threads;     /* for hashing and the disk */
};

drh_status fetch_new(struct fetch **out, struct net *n, const struct fetch_options *o,
                     drh_error *e);
void       fetch_free(struct fetch *f); /* NULL is fine */
/* As drh_fetch_provider.run. [main] */
drh_status fetch_run(struct fetch *f, const drh_fetch_job *job, drh_error *e);

#endif
