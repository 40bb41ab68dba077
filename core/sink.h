/* SPDX-License-Identifier: MIT
 * sink.h - what drh_host.sink_write and list_file lead to. */
#ifndef CORE_SINK_H
#define CORE_SINK_H

#include "outfile.h"

#include <drh/plugin.h>

enum { SINK_MAX_PARTS = 8 };

struct drh_sink {
    struct outfile *part[SINK_MAX_PARTS];
    uint32_t        n_parts;
    drh_error       error; /* of the first write that failed */
};

/* The files that a source named; freed by list_free. */
struct listed {
    char    *name, *local, *sha256; /* owned; local and sha256 may be NULL */
    uint64_t size;
};

struct drh_list {
    struct listed *file;
    size_t         n, cap;
};

drh_status sink_write(drh_sink *s, uint32_t part, const void *ptr, size_t len);
/* DRH_E_ARG: a name that is empty, absolute, has ".." or control characters. */
drh_status list_file(drh_list *l, const drh_file *file);
void       list_free(drh_list *l);

#endif
