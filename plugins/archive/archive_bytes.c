/* SPDX-License-Identifier: MIT
 * archive_bytes.c - see archive_in.h: the bytes of one member.  One that is packed itself (gzip,
 * zstd, xz, told by its first bytes) is unpacked by a second reader, over those of the first. */
#include "archive_in.h"

#include <archive_entry.h>

#include <errno.h>

void archive_bytes_reset(struct archive_in *in)
{
    (void)archive_read_free(in->inner);
    in->inner = NULL;
    in->begun = false;
    in->n_head = in->head_at = in->left = 0;
    in->blocks = 0;
}

/* ---- as they are in the archive ---- */

/* The next block that is not empty; ARCHIVE_EOF. */
static int next_block(struct archive_in *in)
{
    const void *block = NULL;
    size_t      n = 0;
    la_int64_t  at = 0;
    int         got;

    do {
        got = archive_read_data_block(in->all, &block, &n, &at);
    } while (got == ARCHIVE_OK && n == 0);
    in->broken = in->broken || got == ARCHIVE_FATAL;
    if (got == ARCHIVE_OK && at != in->blocks) {
        archive_set_error(in->all, EINVAL, "it has holes instead of text");
        return ARCHIVE_FAILED;
    }
    in->block = block;
    in->left = got == ARCHIVE_OK ? n : 0;
    in->blocks += (int64_t)in->left;
    return got;
}

/* Some bytes, at most `most`; they are taken. */
static int take(struct archive_in *in, size_t most, const void **p, size_t *n)
{
    int got = ARCHIVE_OK;

    if (in->head_at < in->n_head) {
        *p = in->head + in->head_at;
        *n = in->n_head - in->head_at;
        *n = *n < most ? *n : most;
        in->head_at += *n;
        return ARCHIVE_OK;
    }
    got = in->left ? ARCHIVE_OK : next_block(in);
    *p = in->block;
    *n = in->left < most ? in->left : most;
    if (*n) {
        in->block += *n;
        in->left -= *n;
    }
    return got;
}

/* ---- unpacked ---- */

static la_ssize_t read_packed(struct archive *a, void *self, const void **piece)
{
    struct archive_in *in = self;
    size_t             n = 0;
    int                got = take(in, SIZE_MAX, piece, &n);

    if (got == ARCHIVE_OK || got == ARCHIVE_EOF) {
        return (la_ssize_t)n;
    }
    archive_set_error(a, archive_errno(in->all), "%s", archive_error_string(in->all));
    return ARCHIVE_FATAL;
}

static bool is_packed(const struct archive_in *in)
{
    return (in->n_head >= 2 && memcmp(in->head, "\x1f\x8b", 2) == 0) ||
           (in->n_head >= 4 && memcmp(in->head, "\x28\xb5\x2f\xfd", 4) == 0) ||
           (in->n_head == 6 && memcmp(in->head,
                                      "\xfd"
                                      "7zXZ",
                                      6) == 0);
}

static drh_status open_packed(struct archive_in *in, drh_error *e)
{
    struct archive       *a = archive_read_new();
    struct archive_entry *entry;

    in->inner = a;
    if (!a || archive_read_support_format_raw(a) != ARCHIVE_OK ||
        archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_filter_xz(a) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(a) != ARCHIVE_OK) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a packed member");
    }
    return archive_read_open(a, in, NULL, read_packed, NULL) == ARCHIVE_OK &&
                   archive_read_next_header(a, &entry) == ARCHIVE_OK
               ? DRH_OK
               : archive_failed(in, a, e);
}

/* Looks at the first bytes. */
static drh_status begin(struct archive_in *in, drh_error *e)
{
    const void *p;
    size_t      n;
    int         got = ARCHIVE_OK;

    in->begun = true;
    while (in->n_head < ARCHIVE_HEAD && got == ARCHIVE_OK) {
        in->head_at = in->n_head; /* what is held is not taken again */
        got = take(in, ARCHIVE_HEAD - in->n_head, &p, &n);
        if (got == ARCHIVE_OK) {
            memcpy(in->head + in->n_head, p, n);
            in->n_head += n;
        }
    }
    in->head_at = 0;
    if (got != ARCHIVE_OK && got != ARCHIVE_EOF) {
        return archive_failed(in, in->all, e);
    }
    return is_packed(in) ? open_packed(in, e) : DRH_OK;
}

drh_status archive_in_read(void *self, void *to, size_t cap, size_t *got, drh_error *e)
{
    struct archive_in *in = self;
    const drh_host    *h = in->o->host;
    const void        *p;
    drh_status         st = in->begun ? DRH_OK : begin(in, e);
    int                answer;

    *got = 0;
    if (st == DRH_OK && h->cancelled(h)) {
        return drh_fail(e, DRH_E_CANCELLED, "stopped");
    }
    if (st == DRH_OK && in->inner) {
        la_ssize_t n = archive_read_data(in->inner, to, cap);
        *got = n > 0 ? (size_t)n : 0;
        return n >= 0 ? DRH_OK : archive_failed(in, in->inner, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    answer = take(in, cap, &p, got);
    if (answer == ARCHIVE_OK) {
        memcpy(to, p, *got);
    }
    return answer == ARCHIVE_OK || answer == ARCHIVE_EOF ? DRH_OK : archive_failed(in, in->all, e);
}
