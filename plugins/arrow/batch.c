/* SPDX-License-Identifier: MIT
 * batch.c - see batch.h.  The lengths of all buffers are compared with the number of values here;
 * what offsets say is looked at when a row is put together. */
#include "batch.h"

enum { MAX_ROWS = INT32_MAX, MAX_NULLS = 1 << 24, PAIR = 16 };

static const uint64_t UNKNOWN = UINT64_MAX; /* how many are null */

struct cursor {
    struct arrow_schema        *s;
    struct col_file            *file;
    struct arrow_unpack        *u;
    const struct arrow_message *m;
    struct flat_vector          nodes, buffers, views; /* lengths; places; numbers of buffers */
    uint32_t                    i_node, i_buffer, i_view;
    int64_t                     codec; /* -1: none */
    uint64_t                    rows;
    drh_error                  *e;
};

static drh_status wrong(const struct cursor *c, const struct arrow_node *n, const char *why)
{
    return drh_fail(c->e, DRH_E_DATA, "column %s: %s" COL_AGAIN, n->path, why);
}

/* ---- buffers ---- */

static bool from_lz4(struct cursor *c, const uint8_t *in, size_t n, uint8_t *out, size_t n_out)
{
    size_t hint = 1, done = 0;

    LZ4F_resetDecompressionContext(c->u->lz4);
    while (hint && n) {
        size_t took = n, made = n_out - done;

        hint = LZ4F_decompress(c->u->lz4, out + done, &made, in, &took, NULL);
        if (LZ4F_isError(hint) || (took == 0 && made == 0)) {
            return false;
        }
        in += took;
        n -= took;
        done += made;
    }
    return hint == 0 && done == n_out;
}

static drh_status unpack(struct cursor *c, const uint8_t *in, size_t n, struct arrow_buffer *out)
{
    bool good;

    if (c->codec == 1) {
        c->u->zstd = c->u->zstd ? c->u->zstd : ZSTD_createDCtx();
        good = c->u->zstd && ZSTD_decompressDCtx(c->u->zstd, out->block.p, out->n, in, n) == out->n;
        if (!c->u->zstd) {
            return drh_fail(c->e, DRH_E_NOMEM, "out of memory for zstd");
        }
    } else {
        if (!c->u->lz4 && LZ4F_isError(LZ4F_createDecompressionContext(&c->u->lz4, LZ4F_VERSION))) {
            return drh_fail(c->e, DRH_E_NOMEM, "out of memory for lz4");
        }
        good = from_lz4(c, in, n, out->block.p, out->n);
    }
    return good ? DRH_OK : DRH_E_DATA;
}

/* A buffer that is packed says first how long it was; -1: it is as it was. */
static drh_status read_packed(struct cursor *c, struct arrow_node *n, uint64_t at, uint64_t len,
                              struct arrow_buffer *out)
{
    uint8_t    head[8];
    drh_status st = col_read(c->file, at, head, len < 8 ? 0 : 8, c->e);
    int64_t    size;

    if (st != DRH_OK || len < 8) {
        return st == DRH_OK ? wrong(c, n, "a packed buffer is too short") : st;
    }
    size = (int64_t)col_u64(head);
    out->n = size == -1 ? (size_t)len - 8 : (size_t)size;
    if (size < -1) {
        return wrong(c, n, "a packed buffer has no length");
    }
    st = col_reserve(c->file, &out->block, out->n, c->e);
    if (st == DRH_OK && size == -1) {
        return col_read(c->file, at + 8, out->block.p, out->n, c->e);
    }
    st = st == DRH_OK ? col_reserve(c->file, &c->u->packed, (size_t)len - 8, c->e) : st;
    st = st == DRH_OK ? col_read(c->file, at + 8, c->u->packed.p, (size_t)len - 8, c->e) : st;
    if (st == DRH_OK && out->n) {
        st = unpack(c, c->u->packed.p, (size_t)len - 8, out);
        return st == DRH_E_DATA ? wrong(c, n, "a buffer cannot be unpacked") : st;
    }
    return st;
}

/* The next buffer; `out` NULL: past it. */
static drh_status next_buffer(struct cursor *c, struct arrow_node *n, struct arrow_buffer *out)
{
    const uint8_t *p;
    uint64_t       at, len;
    drh_status     st;

    if (c->i_buffer >= c->buffers.n) {
        return wrong(c, n, "its batch has too few buffers");
    }
    p = c->buffers.p + (size_t)c->i_buffer++ * PAIR;
    if (!out) {
        return DRH_OK;
    }
    at = col_u64(p);
    len = col_u64(p + 8);
    if (at > c->m->body_len || len > c->m->body_len - at) {
        return wrong(c, n, "a buffer lies outside of its batch");
    }
    if (c->codec >= 0 && len) {
        return read_packed(c, n, c->m->body + at, len, out);
    }
    st = col_reserve(c->file, &out->block, (size_t)len, c->e);
    out->n = (size_t)len;
    return st == DRH_OK ? col_read(c->file, c->m->body + at, out->block.p, out->n, c->e) : st;
}

/* ---- nodes ---- */

/* Which values are there: no bytes say that all are. */
static drh_status load_valid(struct cursor *c, struct arrow_node *n, bool wanted, uint64_t nulls)
{
    drh_status st = next_buffer(c, n, wanted ? &n->valid : NULL);

    if (st != DRH_OK || !wanted) {
        return st;
    }
    if (nulls == 0) {
        n->valid.n = 0;
    }
    return n->valid.n >= (n->length + 7) / 8 || nulls == 0 || (nulls == UNKNOWN && n->valid.n == 0)
               ? DRH_OK
               : wrong(c, n, "it does not say which values are null");
}

/* `count` numbers of `width` bytes. */
static drh_status load_array(struct cursor *c, struct arrow_node *n, bool wanted,
                             struct arrow_buffer *out, uint64_t count, uint32_t width)
{
    drh_status st = next_buffer(c, n, wanted ? out : NULL);

    return st != DRH_OK || !wanted || width == 0 || out->n / width >= count
               ? st
               : wrong(c, n, "a buffer is too short for its values");
}

/* A column of no values may have no offsets. */
static uint64_t n_offsets(const struct arrow_node *n)
{
    return n->length ? n->length + 1 : 0;
}

static drh_status make_views(struct cursor *c, struct arrow_node *n, uint32_t count)
{
    const size_t bytes = count * sizeof(*n->view);
    drh_status   st;

    for (uint32_t i = 0; i < n->n_views; i++) {
        col_release(c->file, &n->view[i].block);
    }
    n->n_views = 0;
    st = col_reserve(c->file, &n->list, bytes, c->e);
    if (st == DRH_OK) {
        n->view = (struct arrow_buffer *)(void *)n->list.p;
        memset(n->list.p, 0, bytes);
        n->n_views = count;
    }
    return st;
}

static drh_status load_views(struct cursor *c, struct arrow_node *n, bool wanted)
{
    drh_status st = load_array(c, n, wanted, &n->values, n->length, 16);
    uint64_t   count;

    if (st != DRH_OK) {
        return st;
    }
    if (c->i_view >= c->views.n) {
        return wrong(c, n, "its batch does not say how many buffers it has");
    }
    count = col_u64(c->views.p + (size_t)c->i_view++ * 8);
    if (count > c->buffers.n - c->i_buffer) {
        return wrong(c, n, "its batch has too few buffers");
    }
    st = wanted ? make_views(c, n, (uint32_t)count) : DRH_OK;
    for (uint32_t i = 0; st == DRH_OK && i < count; i++) {
        st = next_buffer(c, n, wanted ? &n->view[i] : NULL);
    }
    return st;
}

/* Types that are never wanted, but lie between others. */
static drh_status pass_union(struct cursor *c, struct arrow_node *n)
{
    drh_status st = c->s->old ? next_buffer(c, n, NULL) : DRH_OK;

    st = st == DRH_OK ? next_buffer(c, n, NULL) : st;
    return st == DRH_OK && n->is_dense ? next_buffer(c, n, NULL) : st;
}

static drh_status load_buffers(struct cursor *c, struct arrow_node *n, bool wanted, uint64_t nulls)
{
    const uint32_t width = n->is_large ? 8 : 4;
    drh_status     st;

    if (n->kind == ARROW_NULL || n->kind == ARROW_RUNS) {
        return DRH_OK;
    }
    if (n->kind == ARROW_UNION) {
        return pass_union(c, n);
    }
    st = load_valid(c, n, wanted, nulls);
    if (st != DRH_OK) {
        return st;
    }
    switch (n->kind) {
    case ARROW_BIT:
        st = load_array(c, n, wanted, &n->values, (n->length + 7) / 8, 1);
        break;
    case ARROW_FIXED:
    case ARROW_DICTIONARY:
        st = load_array(c, n, wanted, &n->values, n->length, n->show.width);
        break;
    case ARROW_BYTES:
        st = load_array(c, n, wanted, &n->offsets, n_offsets(n), width);
        st = st == DRH_OK ? next_buffer(c, n, wanted ? &n->values : NULL) : st;
        break;
    case ARROW_VIEW:
        st = load_views(c, n, wanted);
        break;
    case ARROW_LIST:
    case ARROW_MAP:
        st = load_array(c, n, wanted, &n->offsets, n_offsets(n), width);
        break;
    case ARROW_LIST_VIEW:
        st = load_array(c, n, wanted, &n->offsets, n->length, width);
        st = st == DRH_OK ? load_array(c, n, wanted, &n->sizes, n->length, width) : st;
        break;
    case ARROW_STRUCT:
    case ARROW_FIXED_LIST:
    case ARROW_NULL:
    case ARROW_UNION:
    case ARROW_RUNS:
        break;
    }
    return st;
}

/* Do the values below have the length that those above need? */
static drh_status check_children(struct cursor *c, struct arrow_node *n)
{
    for (struct arrow_node *k = n->child; k; k = k->next) {
        const bool is_short =
            (n->kind == ARROW_STRUCT && k->length < n->length) ||
            (n->kind == ARROW_FIXED_LIST && n->items && k->length / n->items < n->length);
        if (is_short) {
            return wrong(c, k, "it has fewer values than what is above it");
        }
    }
    return DRH_OK;
}

/* What lies in no buffer could be said to be any number of values; in lists no more nulls are
 * believed than anybody needs. */
static uint64_t most_values(const struct cursor *c, const struct arrow_node *n)
{
    if (n->kind != ARROW_NULL) {
        return INT64_MAX / 64;
    }
    return c->rows > MAX_NULLS ? c->rows : MAX_NULLS;
}

static drh_status load_node(struct cursor *c, struct arrow_node *n)
{
    const uint8_t *p;
    uint64_t       length, nulls;
    drh_status     st;

    if (c->i_node >= c->nodes.n) {
        return wrong(c, n, "its batch has too few columns");
    }
    p = c->nodes.p + (size_t)c->i_node++ * PAIR;
    length = col_u64(p);
    nulls = col_u64(p + 8);
    if (length > most_values(c, n) || (nulls > length && nulls != UNKNOWN)) {
        return wrong(c, n, "its batch has no such number of values");
    }
    n->length = length;
    st = load_buffers(c, n, n->wanted, nulls);
    for (struct arrow_node *k = n->kind == ARROW_DICTIONARY ? NULL : n->child; st == DRH_OK && k;
         k = k->next) {
        st = load_node(c, k);
    }
    return st == DRH_OK && n->wanted && n->kind != ARROW_DICTIONARY ? check_children(c, n) : st;
}

static drh_status begin(struct cursor *c, const struct flat_table *batch, uint64_t *rows)
{
    const struct flat_table packed = flat_child(batch, 3);
    const int64_t           n = flat_int(batch, 0, 8, 0);

    c->nodes = flat_list(batch, 1, PAIR);
    c->buffers = flat_list(batch, 2, PAIR);
    c->views = flat_list(batch, 4, 8);
    c->codec = flat_there(&packed) ? flat_int(&packed, 0, 1, 0) : -1;
    if (batch->f->broken || n < 0 || n > MAX_ROWS) {
        return drh_fail(c->e, DRH_E_DATA, "the batch is damaged" COL_AGAIN);
    }
    if (c->codec > 1 || (c->codec >= 0 && flat_int(&packed, 1, 1, 0) != 0)) {
        return drh_fail(c->e, DRH_E_DATA,
                        "its compression is not known; write it again with zstd or lz4");
    }
    *rows = c->rows = (uint64_t)n;
    return DRH_OK;
}

drh_status arrow_batch_load(struct arrow_schema *s, struct arrow_node *root, bool values,
                            const struct arrow_message *m, const struct flat_table *batch,
                            struct col_file *file, struct arrow_unpack *u, uint64_t *rows,
                            drh_error *e)
{
    struct cursor c = {.s = s, .file = file, .u = u, .m = m, .e = e};
    drh_status    st = begin(&c, batch, rows);

    if (st != DRH_OK || values) {
        return st == DRH_OK ? load_node(&c, root) : st;
    }
    root->length = *rows;
    for (struct arrow_node *n = root->child; st == DRH_OK && n; n = n->next) {
        st = load_node(&c, n);
    }
    return st == DRH_OK ? check_children(&c, root) : st;
}

void arrow_unpack_free(struct arrow_unpack *u, struct col_file *file)
{
    col_release(file, &u->packed);
    (void)LZ4F_freeDecompressionContext(u->lz4);
    (void)ZSTD_freeDCtx(u->zstd);
    u->lz4 = NULL;
    u->zstd = NULL;
}
