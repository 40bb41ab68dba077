/* SPDX-License-Identifier: MIT
 * values.h - the values of a page, one after another, whatever their encoding.
 *
 * A value is given as its plain bytes: little-endian numbers, one byte for a boolean, text without
 * its length.  It is valid until the next one is asked for. */
#ifndef PQ_VALUES_H
#define PQ_VALUES_H

#include "delta.h"
#include "page.h"
#include "rle.h"
#include "schema.h"

enum { PQ_BATCH = 512 };

/* The dictionary of a column chunk; all zeros: none. */
struct pq_dictionary {
    struct col_block bytes;  /* owned: the page */
    struct col_block starts; /* owned: where the texts begin in it, uint32_t each */
    uint32_t         n;
    bool             there;
};

struct pq_values {
    struct col_file            *file;
    const struct pq_dictionary *dictionary;
    struct pq_type              type;
    int32_t                     encoding;   /* enum pq_encoding */
    bool                        plain_text; /* PLAIN, BYTE_ARRAY */
    const uint8_t              *p, *end;
    size_t                      i, n; /* BYTE_STREAM_SPLIT: values; PLAIN booleans: bits */
    struct pq_rle               rle;  /* indexes, booleans; BATCH at a time: */
    uint32_t                    index[PQ_BATCH], at, have;
    struct pq_delta             delta, more; /* numbers or lengths; prefixes, then suffixes */
    struct col_block            made;        /* owned: a value that is in the page in parts */
    size_t                      made_len;
    uint8_t                     number[8];
};

/* The values of a page are p[0,n).  DRH_E_DATA with a message. */
drh_status pq_values_open(struct pq_values *v, const struct pq_type *type, int32_t encoding,
                          const struct pq_dictionary *d, const uint8_t *p, size_t n, drh_error *e);
void       pq_values_free(struct pq_values *v);
/* The next value, of any kind.  DRH_E_DATA when there is none: the page is damaged. */
drh_status pq_values_any(struct pq_values *v, struct col_value *out, drh_error *e);

/* The same; most values are plain texts, and these come without a call. */
static inline drh_status pq_values_next(struct pq_values *v, struct col_value *out, drh_error *e)
{
    if (v->plain_text && v->end - v->p >= 4) {
        uint32_t n = col_u32(v->p);

        if (n <= (uint64_t)(v->end - v->p - 4)) {
            out->p = v->p + 4;
            out->n = n;
            v->p += 4 + (size_t)n;
            return DRH_OK;
        }
    }
    return pq_values_any(v, out, e);
}

/* The dictionary page of d->bytes, n_bytes of them, has n entries. */
drh_status pq_dictionary_open(struct col_file *f, struct pq_dictionary *d,
                              const struct pq_type *type, uint32_t n, size_t n_bytes, drh_error *e);
void       pq_dictionary_free(struct col_file *f, struct pq_dictionary *d);

#endif
