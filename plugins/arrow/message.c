/* SPDX-License-Identifier: MIT
 * message.c - see message.h. */
#include "message.h"

enum { MAX_METADATA = 128 << 20, MAGIC = 6, TAIL = 10, FIRST = 8, SMALLEST = 16 };

static const uint8_t go_on[4] = {0xff, 0xff, 0xff, 0xff}; /* since 0.15 before every message */

static bool is_magic(const uint8_t *p)
{
    return memcmp(p, "ARROW1", MAGIC) == 0;
}

/* Is that the beginning of a message of n bytes with a schema? */
static bool is_schema(const uint8_t *p, size_t there, uint32_t n)
{
    struct flat       f = {.p = p, .n = there < n ? there : n};
    struct flat_table t = flat_root(&f);

    return n >= SMALLEST && n <= MAX_METADATA && flat_there(&t) &&
           flat_int(&t, 1, 1, 0) == ARROW_SCHEMA && flat_int(&t, 0, 2, 0) <= 4 && !f.broken;
}

int32_t arrow_sniff(const uint8_t *head, size_t len)
{
    if (len >= MAGIC && is_magic(head)) {
        return 100;
    }
    if (len >= 12 && memcmp(head, go_on, 4) == 0) {
        return is_schema(head + 8, len - 8, col_u32(head + 4)) ? 100 : 0;
    }
    return len >= 8 && is_schema(head + 4, len - 4, col_u32(head)) ? 60 : 0;
}

/* The end of the messages of a file is the start of its footer; what has none is cut. */
static drh_status find_footer(struct arrow_messages *m, drh_error *e)
{
    uint8_t    tail[TAIL];
    uint64_t   footer;
    drh_status st;

    m->at = FIRST;
    if (m->file->size < FIRST + TAIL) {
        return DRH_OK;
    }
    st = col_read(m->file, m->file->size - TAIL, tail, TAIL, e);
    footer = st == DRH_OK ? col_u32(tail) : 0;
    if (st == DRH_OK && is_magic(tail + 4) && footer <= m->file->size - FIRST - TAIL) {
        m->end = m->file->size - TAIL - footer;
        m->whole = true;
    }
    return st;
}

drh_status arrow_messages_open(struct arrow_messages *m, struct col_file *file, drh_error *e)
{
    uint8_t    head[FIRST] = {0};
    drh_status st = DRH_OK;

    *m = (struct arrow_messages){.file = file, .end = file->size, .whole = true};
    if (file->size < FIRST) {
        return drh_fail(e, DRH_E_DATA, "it is too short to be an Arrow file" COL_AGAIN);
    }
    st = col_read(file, 0, head, FIRST, e);
    if (st == DRH_OK && is_magic(head)) {
        m->is_file = true;
        m->whole = false;
        st = find_footer(m, e);
    }
    return st;
}

static drh_status cut(const struct arrow_messages *m, drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "it ends in the middle, at byte %llu" COL_AGAIN,
                    (unsigned long long)m->end);
}

/* The size of the metadata; DRH_END.  An old stream has it without a mark before it. */
static drh_status read_size(struct arrow_messages *m, uint32_t *size, drh_error *e)
{
    uint8_t    head[8] = {0};
    uint64_t   left = m->end - m->at;
    drh_status st;

    if (left == 0 || (m->is_file && m->whole && left < 4)) {
        return m->whole ? DRH_END : cut(m, e);
    }
    if (left < 4) {
        return cut(m, e);
    }
    st = col_read(m->file, m->at, head, left < 8 ? 4 : 8, e);
    if (st != DRH_OK) {
        return st;
    }
    if (memcmp(head, go_on, 4) != 0) {
        *size = col_u32(head);
        m->at += 4;
    } else if (left < 8) {
        return cut(m, e);
    } else {
        *size = col_u32(head + 4);
        m->at += 8;
    }
    if (*size == 0) { /* said to be the end; a file has a footer behind it */
        m->at = m->end;
        return m->whole ? DRH_END : cut(m, e);
    }
    return DRH_OK;
}

static drh_status damaged(const struct arrow_messages *m, drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "the message before byte %llu is damaged" COL_AGAIN,
                    (unsigned long long)m->at);
}

drh_status arrow_messages_next(struct arrow_messages *m, struct arrow_message *out, drh_error *e)
{
    struct flat_table t;
    uint32_t          size = 0;
    int64_t           body;
    drh_status        st = read_size(m, &size, e);

    if (st != DRH_OK) {
        return st;
    }
    if (size > m->end - m->at || size > MAX_METADATA) {
        return size > MAX_METADATA ? damaged(m, e) : cut(m, e);
    }
    st = col_reserve(m->file, &out->bytes, size, e);
    st = st == DRH_OK ? col_read(m->file, m->at, out->bytes.p, size, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    m->at += size;
    out->flat = (struct flat){.p = out->bytes.p, .n = size};
    t = flat_root(&out->flat);
    out->version = flat_int(&t, 0, 2, 0);
    out->kind = flat_int(&t, 1, 1, 0);
    out->header = flat_child(&t, 2);
    body = flat_int(&t, 3, 8, 0);
    if (out->flat.broken || !flat_there(&t) || body < 0) {
        return damaged(m, e);
    }
    if ((uint64_t)body > m->end - m->at) {
        return cut(m, e);
    }
    out->body = m->at;
    out->body_len = (uint64_t)body;
    m->at += out->body_len;
    return DRH_OK;
}
