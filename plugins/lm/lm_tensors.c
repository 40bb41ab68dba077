/* SPDX-License-Identifier: MIT
 *
 * lm_tensors.c - see lm_tensors.h.
 */
#include "lm_tensors.h"
#include "lm_json.h"

#include <drh/util.h>

#include <stdlib.h>

#define MAX_HEADER ((uint64_t)100 << 20) /* as the format's own library */
#define MAX_TENSORS ((size_t)1 << 20)

struct reader {
    struct lm_json     j;
    const char        *file;
    struct lm_tensors *ts;
    size_t             cap;
    uint64_t           data_size;
    drh_error         *e;
};

static drh_status bad_json(struct reader *r)
{
    if (r->j.no_memory) {
        return drh_fail(r->e, DRH_E_NOMEM, "%s: header: out of memory", r->file);
    }
    return drh_fail(r->e, DRH_E_DATA, "%s: header, byte %zu: %s; download the file again", r->file,
                    lm_json_at(&r->j) + 8, r->j.err ? r->j.err : "broken JSON");
}

__attribute__((format(printf, 3, 4))) static drh_status
bad_tensor(const struct reader *r, const struct lm_tensor *t, const char *fmt, ...)
{
    char    why[200];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    return drh_fail(r->e, DRH_E_DATA, "%s: tensor \"%s\": %s", r->file, t->name, why);
}

static uint64_t dtype_size(struct lm_tensor *t)
{
    static const struct {
        const char *name;
        uint8_t     size, dtype;
    } known[] = {{"F32", 4, LM_F32},       {"F16", 2, LM_F16},       {"BF16", 2, LM_BF16},
                 {"BOOL", 1, LM_OTHER},    {"U8", 1, LM_OTHER},      {"I8", 1, LM_OTHER},
                 {"F8_E4M3", 1, LM_OTHER}, {"F8_E5M2", 1, LM_OTHER}, {"I16", 2, LM_OTHER},
                 {"U16", 2, LM_OTHER},     {"I32", 4, LM_OTHER},     {"U32", 4, LM_OTHER},
                 {"F64", 8, LM_OTHER},     {"I64", 8, LM_OTHER},     {"U64", 8, LM_OTHER}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, t->dtype_name) == 0) {
            t->dtype = known[i].dtype;
            return known[i].size;
        }
    }
    return 0;
}

static void copy_text(char *out, size_t size, struct lm_slice s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    memcpy(out, s.p, n);
    out[n] = 0;
}

static drh_status read_shape(struct reader *r, struct lm_tensor *t)
{
    int rc;
    if (lm_json_enter(&r->j, '[')) {
        return bad_json(r);
    }
    while ((rc = lm_json_item(&r->j)) == 1) {
        if (t->ndim == LM_MAX_DIMS) {
            return bad_tensor(r, t, "more than %d dimensions", LM_MAX_DIMS);
        }
        if (lm_json_uint(&r->j, &t->shape[t->ndim++])) {
            return bad_tensor(r, t, "shape: %s", r->j.err);
        }
    }
    return rc < 0 ? bad_json(r) : DRH_OK;
}

static drh_status read_offsets(struct reader *r, struct lm_tensor *t)
{
    uint64_t v[2] = {0, 0};
    int      rc;
    size_t   n = 0;
    if (lm_json_enter(&r->j, '[')) {
        return bad_json(r);
    }
    while ((rc = lm_json_item(&r->j)) == 1) {
        if (n == 2 || lm_json_uint(&r->j, &v[n++])) {
            return bad_tensor(r, t, "data_offsets is not a pair of whole numbers");
        }
    }
    if (rc < 0) {
        return bad_json(r);
    }
    if (n != 2) {
        return bad_tensor(r, t, "data_offsets is not a pair of whole numbers");
    }
    t->begin = v[0];
    t->end = v[1];
    return DRH_OK;
}

static drh_status check_tensor(struct reader *r, struct lm_tensor *t)
{
    uint64_t size = dtype_size(t);
    if (size == 0) {
        return bad_tensor(r, t, "unknown dtype \"%s\"", t->dtype_name);
    }
    if (t->begin > t->end || t->end > r->data_size) {
        return bad_tensor(r, t, "bytes %llu..%llu are not in the file's %llu data bytes",
                          (unsigned long long)t->begin, (unsigned long long)t->end,
                          (unsigned long long)r->data_size);
    }
    t->count = 1;
    for (uint32_t i = 0; i < t->ndim; i++) {
        if (t->shape[i] && t->count > UINT64_MAX / 16 / t->shape[i]) {
            return bad_tensor(r, t, "the shape is too large");
        }
        t->count *= t->shape[i];
    }
    if (t->count * size != t->end - t->begin) {
        return bad_tensor(r, t, "the shape asks for %llu bytes, data_offsets give %llu",
                          (unsigned long long)(t->count * size),
                          (unsigned long long)(t->end - t->begin));
    }
    return DRH_OK;
}

static drh_status read_tensor(struct reader *r, struct lm_tensor *t)
{
    struct lm_slice key, s;
    unsigned        seen = 0;
    drh_status      st = DRH_OK;
    int             rc;
    if (lm_json_enter(&r->j, '{')) {
        return bad_json(r);
    }
    while (st == DRH_OK && (rc = lm_json_key(&r->j, &key)) == 1) {
        unsigned bit = lm_slice_eq(key, "dtype")          ? 1u
                       : lm_slice_eq(key, "shape")        ? 2u
                       : lm_slice_eq(key, "data_offsets") ? 4u
                                                          : 0u;
        if (bit == 0 || (seen & bit)) {
            return bad_tensor(r, t, "an entry other than dtype, shape, data_offsets, or twice");
        }
        seen |= bit;
        if (bit == 1u) {
            if (lm_json_string(&r->j, &s)) {
                return bad_json(r);
            }
            copy_text(t->dtype_name, sizeof(t->dtype_name), s);
        } else {
            st = bit == 2u ? read_shape(r, t) : read_offsets(r, t);
        }
    }
    if (st != DRH_OK) {
        return st;
    }
    if (rc < 0) {
        return bad_json(r);
    }
    return seen == 7u ? check_tensor(r, t)
                      : bad_tensor(r, t, "dtype, shape or data_offsets missing");
}

static struct lm_tensor *grow(struct reader *r)
{
    if (r->ts->n == r->cap) {
        size_t            cap = r->cap ? r->cap * 2 : 256;
        struct lm_tensor *t = realloc(r->ts->t, cap * sizeof(*t));
        if (!t) {
            return NULL;
        }
        r->ts->t = t;
        r->cap = cap;
    }
    memset(&r->ts->t[r->ts->n], 0, sizeof(r->ts->t[0]));
    return &r->ts->t[r->ts->n];
}

static drh_status read_all(struct reader *r)
{
    struct lm_slice   key;
    struct lm_tensor *t;
    drh_status        st;
    int               rc;
    if (lm_json_enter(&r->j, '{')) {
        return bad_json(r);
    }
    while ((rc = lm_json_key(&r->j, &key)) == 1) {
        if (lm_slice_eq(key, "__metadata__")) {
            if (lm_json_skip(&r->j, NULL)) {
                return bad_json(r);
            }
            continue;
        }
        if (r->ts->n == MAX_TENSORS || !(t = grow(r))) {
            return drh_fail(r->e, DRH_E_NOMEM, "%s: too many tensors", r->file);
        }
        copy_text(t->name, sizeof(t->name), key);
        if (key.n >= sizeof(t->name)) {
            return bad_tensor(r, t, "the name is too long");
        }
        if ((st = read_tensor(r, t)) != DRH_OK) {
            return st;
        }
        r->ts->n++;
    }
    return rc < 0 || lm_json_end(&r->j) ? bad_json(r) : DRH_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct lm_tensor *x = a, *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct lm_tensor *)a)->name, ((const struct lm_tensor *)b)->name);
}

/* The format: tensors fill the data part without gap or overlap. */
static drh_status check_places(struct reader *r)
{
    struct lm_tensors *ts = r->ts;
    uint64_t           at = 0;
    if (ts->n == 0) {
        return drh_fail(r->e, DRH_E_DATA, "%s: no tensors", r->file);
    }
    qsort(ts->t, ts->n, sizeof(ts->t[0]), by_place);
    for (size_t i = 0; i < ts->n; i++) {
        if (ts->t[i].begin != at) {
            return bad_tensor(r, &ts->t[i],
                              ts->t[i].begin < at ? "overlaps the tensor \"%s\""
                                                  : "a gap lies between it and \"%s\"",
                              i ? ts->t[i - 1].name : "the header");
        }
        at = ts->t[i].end;
    }
    if (at != r->data_size) {
        return bad_tensor(r, &ts->t[ts->n - 1], "%llu bytes behind it belong to no tensor",
                          (unsigned long long)(r->data_size - at));
    }
    qsort(ts->t, ts->n, sizeof(ts->t[0]), by_name);
    for (size_t i = 1; i < ts->n; i++) {
        if (strcmp(ts->t[i - 1].name, ts->t[i].name) == 0) {
            return bad_tensor(r, &ts->t[i], "the name is there twice");
        }
    }
    return DRH_OK;
}

drh_status lm_tensors_read(struct lm_tensors *ts, const uint8_t *p, size_t n, const char *file,
                           drh_error *e)
{
    struct reader r;
    uint64_t      len = 0;
    drh_status    st;
    memset(ts, 0, sizeof(*ts));
    for (size_t i = 0; i < 8 && n >= 8; i++) {
        len |= (uint64_t)p[i] << (8 * i);
    }
    if (n < 8 || len > n - 8) {
        return drh_fail(
            e, DRH_E_DATA,
            "%s: the header does not fit in the file's %zu bytes; download the file again", file,
            n);
    }
    if (len > MAX_HEADER) {
        return drh_fail(e, DRH_E_DATA, "%s: a header of %llu bytes is too large", file,
                        (unsigned long long)len);
    }
    memset(&r, 0, sizeof(r));
    lm_json_init(&r.j, p + 8, (size_t)len);
    r.file = file;
    r.ts = ts;
    r.e = e;
    r.data_size = n - 8 - len;
    ts->header = (size_t)len + 8;
    st = read_all(&r);
    if (st == DRH_OK) {
        st = check_places(&r);
    }
    lm_json_free(&r.j);
    if (st != DRH_OK) {
        lm_tensors_free(ts);
        return st;
    }
    for (size_t i = 0; i < ts->n; i++) {
        ts->t[i].data = p + ts->header + ts->t[i].begin;
    }
    return DRH_OK;
}

void lm_tensors_free(struct lm_tensors *ts)
{
    free(ts->t);
    memset(ts, 0, sizeof(*ts));
}

const struct lm_tensor *lm_tensors_find(const struct lm_tensors *ts, const char *name)
{
    size_t lo = 0, hi = ts->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int    c = strcmp(name, ts->t[mid].name);
        if (c == 0) {
            return &ts->t[mid];
        }
        if (c < 0) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return NULL;
}

/* IEEE half to single: shift into place and let one multiplication set the exponent, which also
 * makes subnormal halves right; infinities and NaN get theirs by hand. */
static float half_to_float(uint16_t h)
{
    uint32_t u = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;
    float    f;
    memcpy(&f, &u, 4);
    f *= 0x1p112f;
    memcpy(&u, &f, 4);
    if ((h & 0x7c00) == 0x7c00) {
        u |= 0x7f800000u;
    }
    u |= sign;
    memcpy(&f, &u, 4);
    return f;
}

void lm_tensor_to_f32(const struct lm_tensor *t, float *out)
{
    uint16_t h;
    if (t->dtype == LM_F32) {
        memcpy(out, t->data, (size_t)t->count * 4);
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        memcpy(&h, t->data + 2 * i, 2);
        if (t->dtype == LM_F16) {
            out[i] = half_to_float(h);
        } else {
            uint32_t u = (uint32_t)h << 16;
            memcpy(&out[i], &u, 4);
        }
    }
}
