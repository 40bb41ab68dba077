/* SPDX-License-Identifier: MIT
 * thrift.c - see thrift.h. */
#include "thrift.h"

enum { MAX_DEPTH = 32 };

void pq_thrift_open(struct pq_thrift *t, const void *p, size_t n)
{
    t->p = p;
    t->end = t->p + n;
    t->depth = 0;
    t->bad = t->cut = false;
}

static void wrong(struct pq_thrift *t)
{
    t->bad = true;
    t->p = t->end;
}

/* The bytes ended; more of them could have helped. */
static void ended(struct pq_thrift *t)
{
    t->cut = t->cut || !t->bad;
    wrong(t);
}

static uint8_t get_byte(struct pq_thrift *t)
{
    if (t->p == t->end) {
        ended(t);
        return 0;
    }
    return *t->p++;
}

static uint64_t get_varint(struct pq_thrift *t)
{
    uint64_t v = 0;
    uint32_t shift;

    for (shift = 0; shift < 64; shift += 7) {
        uint8_t b = get_byte(t);

        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            return t->bad ? 0 : v;
        }
    }
    wrong(t);
    return 0;
}

static int64_t get_zigzag(struct pq_thrift *t)
{
    uint64_t v = get_varint(t);

    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* n bytes; NULL when there are fewer. */
static const uint8_t *get_bytes(struct pq_thrift *t, uint64_t n)
{
    const uint8_t *p = t->p;

    if (n > (uint64_t)(t->end - t->p)) {
        ended(t);
        return NULL;
    }
    t->p += n;
    return p;
}

bool pq_thrift_next(struct pq_thrift *t, struct pq_field *f)
{
    uint8_t b = get_byte(t);
    int64_t id;

    if (b == 0) { /* the end, or a mistake */
        return false;
    }
    f->type = b & 0x0f;
    id = b >> 4 ? f->id + (b >> 4) : get_zigzag(t);
    if (f->type == 0 || f->type > PQ_T_STRUCT || id < INT16_MIN || id > INT16_MAX) {
        wrong(t);
    }
    f->id = t->bad ? 0 : (int32_t)id;
    return !t->bad;
}

int64_t pq_thrift_int(struct pq_thrift *t, const struct pq_field *f)
{
    if (f->type == PQ_T_BYTE) {
        return (int8_t)get_byte(t);
    }
    if (f->type < PQ_T_I16 || f->type > PQ_T_I64) {
        wrong(t);
        return 0;
    }
    return get_zigzag(t);
}

int32_t pq_thrift_i32(struct pq_thrift *t, const struct pq_field *f)
{
    int64_t v = pq_thrift_int(t, f);

    if (v < INT32_MIN || v > INT32_MAX) {
        wrong(t);
        return 0;
    }
    return (int32_t)v;
}

bool pq_thrift_bool(struct pq_thrift *t, const struct pq_field *f)
{
    if (f->type != PQ_T_TRUE && f->type != PQ_T_FALSE) {
        wrong(t);
    }
    return f->type == PQ_T_TRUE;
}

drh_str pq_thrift_text(struct pq_thrift *t, const struct pq_field *f)
{
    drh_str        s = {NULL, 0};
    uint64_t       n;
    const uint8_t *p;

    if (f->type != PQ_T_BINARY) {
        wrong(t);
        return s;
    }
    n = get_varint(t);
    p = get_bytes(t, n);
    if (p) {
        s.ptr = (const char *)p;
        s.len = (size_t)n;
    }
    return s;
}

/* The head of a list or a set. */
static uint64_t list_head(struct pq_thrift *t, uint8_t *type)
{
    uint8_t  b = get_byte(t);
    uint64_t n = b >> 4;

    *type = b & 0x0f;
    n = n == 15 ? get_varint(t) : n;
    if (n > (uint64_t)(t->end - t->p)) {
        ended(t);
        return 0;
    }
    return n;
}

uint32_t pq_thrift_list(struct pq_thrift *t, const struct pq_field *f, uint8_t type)
{
    uint8_t  got;
    uint64_t n;

    if (f->type != PQ_T_LIST) {
        wrong(t);
        return 0;
    }
    n = list_head(t, &got);
    if (n > UINT32_MAX || (n && got != type)) {
        wrong(t);
    }
    return t->bad ? 0 : (uint32_t)n;
}

void pq_thrift_struct(struct pq_thrift *t, const struct pq_field *f)
{
    if (f->type != PQ_T_STRUCT) {
        wrong(t);
    }
}

/* An element of a list or a map: there a bool is a byte of its own. */
static void skip_element(struct pq_thrift *t, uint8_t type)
{
    if (type == PQ_T_TRUE || type == PQ_T_FALSE) {
        (void)get_byte(t);
    } else {
        pq_thrift_skip(t, type);
    }
}

static void skip_list(struct pq_thrift *t)
{
    uint8_t  type;
    uint64_t n = list_head(t, &type);

    for (; n && !t->bad; n--) {
        skip_element(t, type);
    }
}

static void skip_map(struct pq_thrift *t)
{
    uint64_t n = get_varint(t);
    uint8_t  types = n ? get_byte(t) : 0;

    for (; n && !t->bad; n--) {
        skip_element(t, types >> 4);
        skip_element(t, types & 0x0f);
    }
}

static void skip_struct(struct pq_thrift *t)
{
    struct pq_field f = {0};

    while (pq_thrift_next(t, &f)) {
        pq_thrift_skip(t, f.type);
    }
}

void pq_thrift_skip(struct pq_thrift *t, uint8_t type)
{
    if (t->depth == MAX_DEPTH) {
        wrong(t);
        return;
    }
    t->depth++;
    if (type == PQ_T_BYTE) {
        (void)get_byte(t);
    } else if (type >= PQ_T_I16 && type <= PQ_T_I64) {
        (void)get_varint(t);
    } else if (type == PQ_T_DOUBLE) {
        (void)get_bytes(t, 8);
    } else if (type == PQ_T_BINARY) {
        (void)get_bytes(t, get_varint(t));
    } else if (type == PQ_T_LIST || type == PQ_T_SET) {
        skip_list(t);
    } else if (type == PQ_T_MAP) {
        skip_map(t);
    } else if (type == PQ_T_STRUCT) {
        skip_struct(t);
    } else if (type != PQ_T_TRUE && type != PQ_T_FALSE) {
        wrong(t);
    }
    t->depth--;
}
