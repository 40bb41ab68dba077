/* SPDX-License-Identifier: MIT
 * archive_in.h - a tar or zip archive as a row of members, and the bytes of the one it is at.  What
 * libarchive does is done here only; nothing is ever written to the disk. */
#ifndef ARCHIVE_IN_H
#define ARCHIVE_IN_H

#include <drh/util.h>

#include <archive.h>

#include <locale.h>
#include <stdbool.h>

enum { ARCHIVE_NAME = 4096, ARCHIVE_PASSED = 200, ARCHIVE_HEAD = 6 };

struct archive_options {
    const drh_host   *host;
    const drh_config *config; /* include, exclude */
    drh_field         origin; /* DRH_FIELD_NONE: records do not say where they come from */
    locale_t          utf8;   /* owned: libarchive gives names in the thread's locale; 0: none */
};

struct archive_in {
    const struct archive_options *o;

    struct archive *all;    /* the archive */
    struct archive *inner;  /* a member that is packed itself; NULL: as it is */
    drh_bytes      *bytes;  /* a tar archive, else NULL */
    int             fd;     /* a zip archive, else -1 */
    uint8_t        *piece;  /* owned: what libarchive is shown of a tar archive */
    uint64_t        base;   /* where in its bytes reading began */
    drh_error       why;    /* what the host said of its bytes */
    bool            broken; /* nothing after this member can be read */

    uint64_t    number; /* of the member, from 1 */
    uint64_t    header; /* tar: where the member begins */
    char        name[ARCHIVE_NAME];
    const char *refused; /* reason code: its content cannot be read, and `detail` */
    const char *detail;

    bool           begun; /* its first bytes were looked at */
    uint8_t        head[ARCHIVE_HEAD];
    size_t         n_head, head_at;
    const uint8_t *block; /* of its bytes in the archive, not given yet */
    size_t         left;
    int64_t        blocks; /* bytes of all blocks until now */

    uint64_t seen, passed;            /* members with records, others */
    char     example[ARCHIVE_PASSED]; /* names of the first ones that were passed over */
};

/* `in` is all zeros.  Opens before the first member, or before the one of that number, whose header
 * is there.  DRH_E_DATA: no archive that can be read; DRH_E_IO, DRH_E_NOMEM. */
drh_status archive_in_open(struct archive_in *in, const struct archive_options *o, const char *path,
                           uint64_t number, uint64_t header, drh_error *e);
void       archive_in_close(struct archive_in *in);

/* To the next member that holds records by its name; DRH_END.  DRH_E_DATA: damaged from here on. */
drh_status archive_in_next(struct archive_in *in, drh_error *e);

/* At most cap bytes of the member; *got 0: its end.  DRH_E_DATA: it is damaged, and with
 * in->broken the rest of the archive, too.  `in` is a struct archive_in. */
drh_status archive_in_read(void *in, void *to, size_t cap, size_t *got, drh_error *e);

/* archive_bytes.c: forgets the bytes of a member. */
void archive_bytes_reset(struct archive_in *in);
/* What libarchive has to say of `a`, or the host of the bytes below. */
drh_status archive_failed(const struct archive_in *in, struct archive *a, drh_error *e);

/* How well the first bytes of a file fit an archive; 0: they do not. */
int32_t archive_sniff(const uint8_t *head, size_t len);

#endif
