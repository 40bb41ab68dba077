/* SPDX-License-Identifier: MIT
 *
 * notes.h - the files that observe() wrote, one a shard, as one long sequence of bytes.  A place in
 * it is an address.  One thread.
 */
#ifndef SPILL_NOTES_H
#define SPILL_NOTES_H

#include <drh/util.h>

#define NOTES_DAMAGED "the notes of this step are damaged; start again with --fresh"

enum { NOTES_OPEN = 64 };

struct notes {
    const drh_host    *host;
    const char *const *path;
    size_t             n;
    uint64_t          *start; /* n + 1 addresses */
    struct {
        size_t shard;
        int    fd; /* -1: none */
    } open[NOTES_OPEN];
};

/* DRH_E_IO, DRH_E_NOMEM.  notes_close() in any case. */
drh_status notes_open(struct notes *s, const drh_host *h, const char *const *path, size_t n,
                      drh_error *e);
void       notes_close(struct notes *s);
/* The bytes at an address. */
drh_status notes_read(struct notes *s, uint64_t address, void *to, size_t len, drh_error *e);
/* The folder of the notes, where temporary files go, too. */
void notes_folder(const char *const *path, size_t n, char *to, size_t size);

#endif
