/* SPDX-License-Identifier: MIT
 * values.c - see values.h. */
#include "values.h"

static drh_status ended(drh_error *e)
{
    return drh_fail(e, DRH_E_DATA,
                    "a page ends before its values do, or they make no sense" COL_AGAIN);
}

/* ---- opening ---- */

static bool goes_with(enum pq_physical p, int32_t encoding)
{
    switch (encoding) {
    case PQ_PLAIN:
        return true;
    case PQ_RLE_DICTIONARY:
        return p != PQ_BOOLEAN;
    case PQ_RLE:
        return p == PQ_BOOLEAN;
    case PQ_DELTA_BINARY_PACKED:
        return p == PQ_INT32 || p == PQ_INT64;
    case PQ_DELTA_LENGTH_BYTE_ARRAY:
        return p == PQ_BYTE_ARRAY;
    case PQ_DELTA_BYTE_ARRAY:
        return p == PQ_BYTE_ARRAY || p == PQ_FIXED;
    case PQ_BYTE_STREAM_SPLIT:
        return p != PQ_BOOLEAN && p != PQ_BYTE_ARRAY && p != PQ_INT96;
    default:
        return false;
    }
}

static drh_status open_dictionary(struct pq_values *v, drh_error *e)
{
    if (!v->dictionary || !v->dictionary->there) {
        return drh_fail(e, DRH_E_DATA, "a page needs a dictionary and there is none" COL_AGAIN);
    }
    if (v->p == v->end) { /* of nulls only */
        return DRH_OK;
    }
    return pq_rle_open(&v->rle, v->p + 1, (size_t)(v->end - v->p) - 1, *v->p) ? DRH_OK : ended(e);
}

static drh_status open_booleans(struct pq_values *v, drh_error *e)
{
    size_t   there = (size_t)(v->end - v->p);
    uint32_t n = there < 4 ? 0 : col_u32(v->p);

    if (there == 0) {
        return DRH_OK;
    }
    return there >= 4 && n <= there - 4 && pq_rle_open(&v->rle, v->p + 4, n, 1) ? DRH_OK : ended(e);
}

static drh_status open_split(struct pq_values *v, drh_error *e)
{
    size_t there = (size_t)(v->end - v->p);

    v->n = there / v->type.show.width;
    if (v->n * v->type.show.width != there) {
        return ended(e);
    }
    return col_reserve(v->file, &v->made, v->type.show.width, e);
}

/* Lengths first, then all texts; or how much of the text before each begins with, then that. */
static drh_status open_texts(struct pq_values *v, drh_error *e)
{
    const uint8_t *p = v->p;

    if (p == v->end) { /* of nulls only */
        return DRH_OK;
    }
    if (!pq_delta_open(&v->delta, p, (size_t)(v->end - p)) || !(p = pq_delta_end(&v->delta))) {
        return ended(e);
    }
    if (v->encoding == PQ_DELTA_BYTE_ARRAY &&
        (!pq_delta_open(&v->more, p, (size_t)(v->end - p)) || !(p = pq_delta_end(&v->more)))) {
        return ended(e);
    }
    v->p = p;
    return DRH_OK;
}

drh_status pq_values_open(struct pq_values *v, const struct pq_type *type, int32_t encoding,
                          const struct pq_dictionary *d, const uint8_t *p, size_t n, drh_error *e)
{
    encoding = encoding == PQ_PLAIN_DICTIONARY ? PQ_RLE_DICTIONARY : encoding;
    if (!goes_with(type->physical, encoding)) {
        return drh_fail(e, DRH_E_DATA,
                        "values of type %d with encoding %d cannot be read; write the file again "
                        "with the encodings PLAIN or RLE_DICTIONARY",
                        (int)type->physical, (int)encoding);
    }
    v->type = *type;
    v->dictionary = d;
    v->encoding = encoding;
    v->plain_text = encoding == PQ_PLAIN && type->physical == PQ_BYTE_ARRAY;
    v->p = p;
    v->end = p + n;
    v->i = v->n = v->made_len = 0;
    v->at = v->have = 0;
    (void)pq_rle_open(&v->rle, p, 0, 0);
    memset(&v->delta, 0, sizeof(v->delta));
    if (encoding == PQ_RLE_DICTIONARY) {
        return open_dictionary(v, e);
    }
    if (encoding == PQ_RLE) {
        return open_booleans(v, e);
    }
    if (encoding == PQ_BYTE_STREAM_SPLIT) {
        return open_split(v, e);
    }
    if (encoding == PQ_DELTA_BINARY_PACKED) {
        return n == 0 || pq_delta_open(&v->delta, p, n) ? DRH_OK : ended(e);
    }
    if (encoding == PQ_DELTA_BYTE_ARRAY || encoding == PQ_DELTA_LENGTH_BYTE_ARRAY) {
        return open_texts(v, e);
    }
    v->n = n * 8; /* bits */
    return DRH_OK;
}

void pq_values_free(struct pq_values *v)
{
    col_release(v->file, &v->made);
}

/* ---- one value ---- */

static drh_status give_number(struct pq_values *v, struct col_value *out, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        v->number[i] = (uint8_t)(number >> i * 8);
    }
    out->p = v->number;
    out->n = v->type.show.width ? v->type.show.width : 1;
    return DRH_OK;
}

/* `n` bytes of the page. */
static inline drh_status give_bytes(struct pq_values *v, struct col_value *out, uint64_t n,
                                    drh_error *e)
{
    if (n > (uint64_t)(v->end - v->p)) {
        return ended(e);
    }
    out->p = v->p;
    out->n = (size_t)n;
    v->p += n;
    return DRH_OK;
}

static drh_status next_plain(struct pq_values *v, struct col_value *out, drh_error *e)
{
    uint32_t n = v->type.show.width;

    if (v->type.physical == PQ_BYTE_ARRAY) {
        if (v->end - v->p < 4) {
            return ended(e);
        }
        n = col_u32(v->p);
        v->p += 4;
    } else if (v->type.physical == PQ_BOOLEAN) {
        if (v->i == v->n) {
            return ended(e);
        }
        v->i++;
        return give_number(v, out, v->p[(v->i - 1) / 8] >> (v->i - 1) % 8 & 1);
    }
    return give_bytes(v, out, n, e);
}

static bool next_index(struct pq_values *v, uint32_t *index)
{
    if (v->at == v->have) {
        v->at = 0;
        v->have = (uint32_t)pq_rle_get(&v->rle, v->index, PQ_BATCH);
        if (v->have == 0) {
            return false;
        }
    }
    *index = v->index[v->at++];
    return true;
}

static drh_status next_of_dictionary(struct pq_values *v, struct col_value *out, drh_error *e)
{
    const struct pq_dictionary *d = v->dictionary;
    uint32_t                    i;

    if (!next_index(v, &i)) {
        return ended(e);
    }
    if (i >= d->n) {
        return drh_fail(e, DRH_E_DATA, "entry %u of a dictionary of %u is asked for" COL_AGAIN, i,
                        d->n);
    }
    if (v->type.physical == PQ_BYTE_ARRAY) {
        uint32_t at = ((const uint32_t *)(const void *)d->starts.p)[i];
        out->p = d->bytes.p + at + 4;
        out->n = col_u32(d->bytes.p + at);
        return DRH_OK;
    }
    out->p = d->bytes.p + (size_t)i * v->type.show.width;
    out->n = v->type.show.width;
    return DRH_OK;
}

static drh_status next_split(struct pq_values *v, struct col_value *out, drh_error *e)
{
    if (v->i == v->n) {
        return ended(e);
    }
    for (uint32_t k = 0; k < v->type.show.width; k++) {
        v->made.p[k] = v->p[k * v->n + v->i];
    }
    v->i++;
    out->p = v->made.p;
    out->n = v->type.show.width;
    return DRH_OK;
}

/* The text before is kept; room grows by halves, and no further than the page's texts go. */
static drh_status make_room(struct pq_values *v, size_t keep, size_t n, drh_error *e)
{
    struct col_block old = v->made;
    drh_status       st;

    if (n <= old.cap) {
        return DRH_OK;
    }
    v->made = (struct col_block){0};
    st = col_reserve(v->file, &v->made, n + n / 2 + 64, e);
    if (st == DRH_OK && keep) {
        memcpy(v->made.p, old.p, keep);
    }
    col_release(v->file, &old);
    return st;
}

static drh_status next_delta_text(struct pq_values *v, struct col_value *out, drh_error *e)
{
    int64_t    keep, more;
    drh_status st;

    if (!pq_delta_next(&v->delta, &keep) || !pq_delta_next(&v->more, &more) || keep < 0 ||
        more < 0 || (uint64_t)keep > v->made_len || more > v->end - v->p) {
        return ended(e);
    }
    st = make_room(v, (size_t)keep, (size_t)(keep + more), e);
    if (st != DRH_OK) {
        return st;
    }
    v->made_len = (size_t)(keep + more);
    if (more) {
        memcpy(v->made.p + keep, v->p, (size_t)more);
        v->p += more;
    }
    out->p = v->made.p;
    out->n = v->made_len;
    return v->type.physical == PQ_FIXED && out->n != v->type.show.width ? ended(e) : DRH_OK;
}

drh_status pq_values_any(struct pq_values *v, struct col_value *out, drh_error *e)
{
    int64_t  n;
    uint32_t bit;

    switch (v->encoding) {
    case PQ_PLAIN:
        return next_plain(v, out, e);
    case PQ_RLE_DICTIONARY:
        return next_of_dictionary(v, out, e);
    case PQ_DELTA_BINARY_PACKED:
        return pq_delta_next(&v->delta, &n) ? give_number(v, out, (uint64_t)n) : ended(e);
    case PQ_DELTA_LENGTH_BYTE_ARRAY:
        return pq_delta_next(&v->delta, &n) && n >= 0 ? give_bytes(v, out, (uint64_t)n, e)
                                                      : ended(e);
    case PQ_DELTA_BYTE_ARRAY:
        return next_delta_text(v, out, e);
    case PQ_BYTE_STREAM_SPLIT:
        return next_split(v, out, e);
    default: /* PQ_RLE */
        return next_index(v, &bit) ? give_number(v, out, bit) : ended(e);
    }
}

/* ---- dictionaries ---- */

static drh_status find_texts(struct col_file *f, struct pq_dictionary *d, uint32_t n,
                             size_t n_bytes, drh_error *e)
{
    drh_status st = col_reserve(f, &d->starts, (size_t)n * sizeof(uint32_t), e);
    uint32_t  *start = (uint32_t *)(void *)d->starts.p;
    size_t     at = 0;

    for (uint32_t i = 0; st == DRH_OK && i < n; i++) {
        uint32_t len = n_bytes - at < 4 ? UINT32_MAX : col_u32(d->bytes.p + at);

        if (n_bytes - at < 4 || len > n_bytes - at - 4) {
            return ended(e);
        }
        start[i] = (uint32_t)at;
        at += 4 + (size_t)len;
    }
    return st;
}

drh_status pq_dictionary_open(struct col_file *f, struct pq_dictionary *d,
                              const struct pq_type *type, uint32_t n, size_t n_bytes, drh_error *e)
{
    drh_status st = DRH_OK;

    if (type->physical == PQ_BOOLEAN ||
        (uint64_t)n * (type->show.width ? type->show.width : 4) > n_bytes) {
        return ended(e);
    }
    if (type->physical == PQ_BYTE_ARRAY) {
        st = find_texts(f, d, n, n_bytes, e);
    }
    d->n = n;
    d->there = st == DRH_OK;
    return st;
}

void pq_dictionary_free(struct col_file *f, struct pq_dictionary *d)
{
    col_release(f, &d->bytes);
    col_release(f, &d->starts);
    d->n = 0;
    d->there = false;
}
