/* SPDX-License-Identifier: MIT
 * sink.h - what drh_host.sink_write and list_file lead to. */
#ifndef CORE_SINK_H
#define CORE_SINK_H

#include "outfile.h"

#include <drh/fetch.h>

enum { SINK_MAX_PARTS = 8 };

struct drh_sink {
    struct outfile *part[SINK_MAX_PARTS];
    uint32_t        n_parts;
    drh_error       error; /* of the first write that failed */
};

enum listed_state {
    LISTED = 0,
    LISTED_THERE,   /* was below its folder already, whole */
    LISTED_BROUGHT, /* came now */
    LISTED_FAILED   /* why says it */
};

/* A file that a source named; freed by list_free.  There may be very many: name, local and key are
 * one block of memory. */
struct listed {
    char       *name;  /* owned */
    const char *local; /* NULL: not on this machine yet */
    const char *key;   /* the source's own; NULL: none */
    uint64_t    size;
    int64_t     mtime_ns; /* of the file on this machine when it was verified */
    char       *why;      /* owned; of a failure */
    uint32_t    key_len;
    uint8_t     digest[32];
    uint8_t     hash;   /* DRH_HASH_* */
    uint8_t     flags;  /* DRH_FILE_* */
    uint8_t     state;  /* enum listed_state */
    uint8_t     status; /* of a failure: drh_status */
};

struct drh_list {
    struct listed *file;
    size_t         n, cap;
};

/* The first failure stays in s->error, and nothing is written after it. */
drh_status sink_write(drh_sink *s, uint32_t part, const void *ptr, size_t len);
/* Over bytes of that part that were written before: a header that is known at the end. */
drh_status sink_patch(drh_sink *s, uint32_t part, uint64_t offset, const void *ptr, size_t len);
/* A file that must not be brought, because of its name or a digest that is none, is listed as
 * failed: the others still come.  DRH_E_ARG: not even that can be said of it. */
drh_status list_file(drh_list *l, const drh_file *file);
drh_status listed_fail(struct listed *f, drh_status st, const char *why); /* returns st */
/* f as its source gave it; `hex` holds what its digests point to. */
void listed_file(const struct listed *f, char hex[65], drh_file *out);
/* Sorts by name; of files that are listed twice in the same way one stays.  DRH_E_DATA: two of one
 * name differ, e says which and in what: "the file a.json twice, with 10 and 12 bytes". */
drh_status list_settle(drh_list *l, drh_error *e);
void       list_free(drh_list *l);

#endif
