/* SPDX-License-Identifier: MIT
 * flat.c - see flat.h. */
#include "flat.h"

/* Are there n bytes at `at`? */
static bool holds(struct flat *f, size_t at, size_t n)
{
    const bool good = at <= f->n && n <= f->n - at;

    f->broken = f->broken || !good;
    return good;
}

static struct flat_table table_at(struct flat *f, size_t at)
{
    struct flat_table none = {.f = f}, t = {.f = f, .at = at};
    int64_t           vtable;
    size_t            bytes;

    if (!holds(f, at, 4)) {
        return none;
    }
    vtable = (int64_t)at - (int32_t)col_u32(f->p + at);
    if (vtable < 0 || !holds(f, (size_t)vtable, 4)) {
        f->broken = true;
        return none;
    }
    t.vtable = (size_t)vtable;
    bytes = (size_t)f->p[t.vtable] | (size_t)f->p[t.vtable + 1] << 8;
    t.size = (size_t)f->p[t.vtable + 2] | (size_t)f->p[t.vtable + 3] << 8;
    if (bytes < 4 || !holds(f, t.vtable, bytes) || !holds(f, at, t.size)) {
        f->broken = true;
        return none;
    }
    t.slots = (bytes - 4) / 2;
    return t;
}

struct flat_table flat_root(struct flat *f)
{
    return holds(f, 0, 4) ? table_at(f, col_u32(f->p)) : (struct flat_table){.f = f};
}

/* Where a field of that size lies; 0: it is not there. */
static size_t field(const struct flat_table *t, uint32_t slot, size_t size)
{
    const uint8_t *p;
    size_t         offset;

    if (slot >= t->slots) {
        return 0;
    }
    p = t->f->p + t->vtable + 4 + (size_t)slot * 2;
    offset = (size_t)p[0] | (size_t)p[1] << 8;
    if (offset == 0) {
        return 0;
    }
    if (offset < 4 || offset > t->size || size > t->size - offset) {
        t->f->broken = true;
        return 0;
    }
    return t->at + offset;
}

int64_t flat_int(const struct flat_table *t, uint32_t slot, uint32_t width, int64_t none)
{
    const size_t   at = field(t, slot, width);
    const uint8_t *p = at ? t->f->p + at : NULL;

    if (!p) {
        return none;
    }
    switch (width) {
    case 1:
        return (int8_t)p[0];
    case 2:
        return (int16_t)(p[0] | p[1] << 8);
    case 4:
        return (int32_t)col_u32(p);
    default:
        return (int64_t)col_u64(p);
    }
}

/* Where the offset at `at` leads to; 0: nowhere. */
static size_t follow(struct flat *f, size_t at)
{
    const size_t to = at ? at + col_u32(f->p + at) : 0;

    if (to > f->n) {
        f->broken = true;
        return 0;
    }
    return to;
}

struct flat_table flat_child(const struct flat_table *t, uint32_t slot)
{
    const size_t at = follow(t->f, field(t, slot, 4));

    return at ? table_at(t->f, at) : (struct flat_table){.f = t->f};
}

struct flat_vector flat_list(const struct flat_table *t, uint32_t slot, uint32_t width)
{
    struct flat_vector v = {.f = t->f};
    const size_t       at = follow(t->f, field(t, slot, 4));

    if (at && holds(t->f, at, 4)) {
        v.n = col_u32(t->f->p + at);
        v.p = t->f->p + at + 4;
        if (v.n > (t->f->n - at - 4) / width) {
            t->f->broken = true;
            v.n = 0;
        }
    }
    return v;
}

drh_str flat_text(const struct flat_table *t, uint32_t slot)
{
    const struct flat_vector v = flat_list(t, slot, 1);

    return (drh_str){v.p ? (const char *)v.p : "", v.n};
}

struct flat_table flat_item(const struct flat_vector *v, uint32_t i)
{
    const size_t at = follow(v->f, (size_t)(v->p - v->f->p) + (size_t)i * 4);

    return at ? table_at(v->f, at) : (struct flat_table){.f = v->f};
}
