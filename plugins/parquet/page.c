/* SPDX-License-Identifier: MIT
 * page.c - see page.h. */
#include "page.h"

#include <zlib.h>

/* A header holds statistics, which may hold long texts. */
enum { FIRST_HEAD = 4096, MAX_HEAD = 16 << 20 };

/* ---- headers ---- */

static uint32_t get_size(struct pq_thrift *t, const struct pq_field *f)
{
    int32_t v = pq_thrift_i32(t, f);

    t->bad = t->bad || v < 0;
    return v < 0 ? 0 : (uint32_t)v;
}

static void read_data_head(struct pq_thrift *t, struct pq_page *p)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            p->values = get_size(t, &f);
        } else if (f.id == 2) {
            p->encoding = pq_thrift_i32(t, &f);
        } else if (f.id == 3) {
            p->def_encoding = pq_thrift_i32(t, &f);
        } else if (f.id == 4) {
            p->rep_encoding = pq_thrift_i32(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

static void read_dictionary_head(struct pq_thrift *t, struct pq_page *p)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            p->values = get_size(t, &f);
        } else if (f.id == 2) {
            p->encoding = pq_thrift_i32(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

static void read_data_head_v2(struct pq_thrift *t, struct pq_page *p)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            p->values = get_size(t, &f);
        } else if (f.id == 3) {
            p->rows = get_size(t, &f);
        } else if (f.id == 4) {
            p->encoding = pq_thrift_i32(t, &f);
        } else if (f.id == 5) {
            p->def_size = get_size(t, &f);
        } else if (f.id == 6) {
            p->rep_size = get_size(t, &f);
        } else if (f.id == 7) {
            p->compressed = pq_thrift_bool(t, &f);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

/* The struct that goes with the page's type, or one that nobody needs. */
static void read_part(struct pq_thrift *t, const struct pq_field *f, struct pq_page *p)
{
    if (f->id == 5) {
        read_data_head(t, p);
    } else if (f->id == 7) {
        read_dictionary_head(t, p);
    } else {
        read_data_head_v2(t, p);
    }
}

static void read_head(struct pq_thrift *t, struct pq_page *p)
{
    struct pq_field f = {0};

    memset(p, 0, sizeof(*p));
    p->type = p->encoding = -1;
    p->compressed = true;
    while (pq_thrift_next(t, &f)) {
        if (f.id == 1) {
            p->type = pq_thrift_i32(t, &f);
        } else if (f.id == 2) {
            p->size = get_size(t, &f);
        } else if (f.id == 3) {
            p->stored = get_size(t, &f);
        } else if (f.id == 4) {
            p->crc = (uint32_t)pq_thrift_i32(t, &f);
            p->has_crc = true;
        } else if ((f.id == 5 || f.id == 7 || f.id == 8) && f.type == PQ_T_STRUCT) {
            read_part(t, &f, p);
        } else {
            pq_thrift_skip(t, f.type);
        }
    }
}

/* With n bytes of it.  False: there are more, and they are needed. */
static drh_status try_head(struct col_file *f, uint64_t at, size_t n, struct pq_page *p, bool *cut,
                           drh_error *e)
{
    uint8_t          text[FIRST_HEAD];
    struct col_block b = {0};
    struct pq_thrift t;
    drh_status       st = n > sizeof(text) ? col_reserve(f, &b, n, e) : DRH_OK;

    st = st == DRH_OK ? col_read(f, at, b.p ? b.p : text, n, e) : st;
    if (st == DRH_OK) {
        pq_thrift_open(&t, b.p ? b.p : text, n);
        read_head(&t, p);
        *cut = t.cut;
        p->at = at + (uint64_t)(t.p - (b.p ? b.p : text));
        if (t.bad && !t.cut) {
            st = drh_fail(e, DRH_E_DATA, "the page header at byte %llu is damaged" COL_AGAIN,
                          (unsigned long long)at);
        }
    }
    col_release(f, &b);
    return st;
}

drh_status pq_page_head(struct col_file *f, uint64_t at, uint64_t end, struct pq_page *p,
                        drh_error *e)
{
    uint64_t   there = at < end ? end - at : 0, most = there < MAX_HEAD ? there : MAX_HEAD;
    uint64_t   n = most < FIRST_HEAD ? most : FIRST_HEAD;
    bool       cut;
    drh_status st = try_head(f, at, (size_t)n, p, &cut, e);

    while (st == DRH_OK && cut && n < most) {
        n = n * 16 < most ? n * 16 : most;
        st = try_head(f, at, (size_t)n, p, &cut, e);
    }
    if (st == DRH_OK && cut) {
        st = drh_fail(e, DRH_E_DATA, "the page header at byte %llu does not end" COL_AGAIN,
                      (unsigned long long)at);
    }
    if (st == DRH_OK && p->stored > end - p->at) {
        st = drh_fail(e, DRH_E_DATA, "the page at byte %llu goes beyond the data" COL_AGAIN,
                      (unsigned long long)at);
    }
    return st;
}

/* ---- bytes ---- */

static drh_status check_crc(const struct pq_page *p, const uint8_t *text, drh_error *e)
{
    if (p->has_crc && (uint32_t)crc32(0, text, p->stored) != p->crc) {
        return drh_fail(e, DRH_E_DATA, "the page at byte %llu has a wrong checksum" COL_AGAIN,
                        (unsigned long long)p->at);
    }
    return DRH_OK;
}

static drh_status wrong_size(const struct pq_page *p, drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "the sizes of the page at byte %llu do not fit" COL_AGAIN,
                    (unsigned long long)p->at);
}

/* Bytes in front that are never compressed: the levels of a DATA_PAGE_V2. */
static drh_status plain_front(const struct pq_page *p, size_t *n, drh_error *e)
{
    uint64_t front = (uint64_t)p->def_size + p->rep_size;

    if (p->type != PQ_DATA_PAGE_V2) {
        *n = 0;
        return DRH_OK;
    }
    *n = (size_t)front;
    return front > p->size || front > p->stored ? wrong_size(p, e) : DRH_OK;
}

static drh_status read_plain(struct col_file *f, const struct pq_page *p, struct col_block *out,
                             drh_error *e)
{
    drh_status st = p->size == p->stored ? DRH_OK : wrong_size(p, e);

    st = st == DRH_OK ? col_reserve(f, out, p->size, e) : st;
    st = st == DRH_OK ? col_read(f, p->at, out->p, p->size, e) : st;
    return st == DRH_OK ? check_crc(p, out->p, e) : st;
}

drh_status pq_page_read(struct col_file *f, struct pq_unpack *u, const struct pq_page *p,
                        uint32_t codec, struct col_block *out, drh_error *e)
{
    size_t     front = 0;
    drh_status st = plain_front(p, &front, e);

    if (st != DRH_OK || codec == PQ_UNCOMPRESSED || !p->compressed) {
        return st == DRH_OK ? read_plain(f, p, out, e) : st;
    }
    st = col_reserve(f, &u->in, p->stored, e);
    st = st == DRH_OK ? col_reserve(f, out, p->size, e) : st;
    st = st == DRH_OK ? col_read(f, p->at, u->in.p, p->stored, e) : st;
    st = st == DRH_OK ? check_crc(p, u->in.p, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    if (front) {
        memcpy(out->p, u->in.p, front);
    }
    if (p->size == front) { /* nothing but nulls; what stands for it differs among writers */
        return DRH_OK;
    }
    st = pq_decompress(u, codec, u->in.p + front, p->stored - front, out->p + front,
                       p->size - front);
    if (st == DRH_E_DATA) {
        return drh_fail(e, st, "the page at byte %llu cannot be decompressed" COL_AGAIN,
                        (unsigned long long)p->at);
    }
    return st == DRH_OK ? st : drh_fail(e, st, "out of memory for decompression");
}
