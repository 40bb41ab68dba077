/* SPDX-License-Identifier: MIT
 * schema.c - see schema.h. */
#include "schema.h"

#include "../columns/text.h"

/* ---- reading ---- */

struct build {
    struct arrow_schema *s;
    uint32_t             cap;
    drh_error           *e;
};

/* How many nodes a Field makes, at most ARROW_MAX_NODES + 1: tables may be shared, so that a few
 * bytes could ask for any number of them. */
static uint32_t count(const struct flat_table *field, uint32_t depth, uint32_t sum)
{
    const struct flat_vector children = flat_list(field, 5, 4);
    const struct flat_table  dictionary = flat_child(field, 4);

    sum += flat_there(&dictionary) ? 2 : 1;
    for (uint32_t i = 0; i < children.n && sum <= ARROW_MAX_NODES && depth < ARROW_MAX_DEPTH; i++) {
        const struct flat_table child = flat_item(&children, i);
        sum = count(&child, depth + 1, sum);
    }
    return sum;
}

static drh_status wrong(const struct arrow_node *n, const char *why, drh_error *e)
{
    return drh_fail(e, DRH_E_DATA, "column %s: %s", n->path, why);
}

static struct arrow_node *new_node(struct build *b)
{
    return b->s->n_nodes < b->cap ? &b->s->nodes[b->s->n_nodes++] : NULL;
}

/* Structures have as many members as they like; what else a type holds is fixed. */
static bool children_fit(const struct arrow_node *n, uint32_t there)
{
    const struct arrow_node *c = n->child;

    switch (n->kind) {
    case ARROW_LIST:
    case ARROW_LIST_VIEW:
    case ARROW_FIXED_LIST:
        return there == 1;
    case ARROW_MAP:
        return there == 1 && c->kind == ARROW_STRUCT && c->child && c->child->next &&
               !c->child->next->next;
    case ARROW_RUNS:
        return there == 2;
    case ARROW_STRUCT:
    case ARROW_UNION:
        return true;
    case ARROW_NULL:
    case ARROW_BIT:
    case ARROW_FIXED:
    case ARROW_BYTES:
    case ARROW_VIEW:
    case ARROW_DICTIONARY:
        break;
    }
    return there == 0;
}

static bool is_text(const struct arrow_node *n)
{
    const struct arrow_node *v = n->kind == ARROW_DICTIONARY ? n->child : n;

    return v->show.form == COL_SHOW_TEXT;
}

static drh_status build_node(struct build *b, const struct flat_table *field, const char *above,
                             bool has_name, uint32_t depth, struct arrow_node **out);

static drh_status build_children(struct build *b, const struct flat_table *field,
                                 struct arrow_node *n, uint32_t depth)
{
    const struct flat_vector children = flat_list(field, 5, 4);
    const bool               named = n->kind == ARROW_STRUCT || n->kind == ARROW_UNION;
    struct arrow_node      **at = &n->child;
    drh_status               st = DRH_OK;

    for (uint32_t i = 0; st == DRH_OK && i < children.n; i++) {
        const struct flat_table child = flat_item(&children, i);
        st = build_node(b, &child, n->path, named, depth + 1, at);
        at = st == DRH_OK ? &(*at)->next : at;
    }
    if (st == DRH_OK && !children_fit(n, children.n)) {
        return wrong(n, "its type does not go with what it holds" COL_AGAIN, b->e);
    }
    n->text_keys = st == DRH_OK && n->kind == ARROW_MAP && is_text(n->child->child);
    return st;
}

/* The index of a dictionary, before the values. */
static drh_status build_index(struct arrow_node *n, const struct flat_table *dictionary,
                              drh_error *e)
{
    const struct flat_table type = flat_child(dictionary, 1);
    const int64_t           bits = flat_int(&type, 0, 4, 32);

    n->kind = ARROW_DICTIONARY;
    n->dictionary = flat_int(dictionary, 0, 8, 0);
    n->show.form = !flat_there(&type) || flat_int(&type, 1, 1, 0) ? COL_SHOW_INT : COL_SHOW_UINT;
    n->show.width = (uint32_t)bits / 8;
    return bits == 8 || bits == 16 || bits == 32 || bits == 64
               ? DRH_OK
               : wrong(n, "its dictionary has no numbers" COL_AGAIN, e);
}

static void set_path(struct arrow_node *n, const char *above)
{
    (void)snprintf(n->path, sizeof(n->path), "%s%s%.*s", above, *above && n->name.len ? "." : "",
                   n->name.len < ARROW_PATH ? (int)n->name.len : ARROW_PATH - 1, n->name.ptr);
}

static drh_status build_node(struct build *b, const struct flat_table *field, const char *above,
                             bool has_name, uint32_t depth, struct arrow_node **out)
{
    const struct flat_table dictionary = flat_child(field, 4);
    struct arrow_node      *n = new_node(b), *values;
    drh_status              st;

    *out = n;
    if (!n || depth >= ARROW_MAX_DEPTH) {
        return drh_fail(b->e, DRH_E_DATA, "its columns are nested deeper than %d", ARROW_MAX_DEPTH);
    }
    n->name = has_name ? flat_text(field, 0) : (drh_str){"", 0};
    if (n->name.len > COL_MAX_NAME || !col_utf8(n->name.ptr, n->name.len)) {
        return drh_fail(b->e, DRH_E_DATA, "a column's name is no UTF-8, or too long" COL_AGAIN);
    }
    set_path(n, above);
    if (flat_there(&dictionary)) {
        st = build_index(n, &dictionary, b->e);
        values = st == DRH_OK ? new_node(b) : NULL;
        if (!values) {
            return st != DRH_OK ? st : wrong(n, "it is too large", b->e);
        }
        memcpy(values->path, n->path, sizeof(n->path));
        n->child = values;
        n = values;
    }
    st = arrow_type_read(n, field, b->e);
    if (st == DRH_E_DATA) {
        return wrong(n, "its type is none of Arrow's" COL_AGAIN, b->e);
    }
    return st == DRH_OK ? build_children(b, field, n, depth) : st;
}

drh_status arrow_schema_read(struct arrow_schema *s, const drh_host *h, const struct flat_table *t,
                             drh_error *e)
{
    const struct flat_vector fields = flat_list(t, 1, 4);
    struct build             b = {.s = s, .cap = 1, .e = e};
    struct arrow_node      **at, *root;
    drh_status               st = DRH_OK;

    if (flat_int(t, 0, 2, 0) != 0) {
        return drh_fail(e, DRH_E_DATA, "it is big-endian; write it again on a usual machine");
    }
    for (uint32_t i = 0; i < fields.n && b.cap <= ARROW_MAX_NODES; i++) {
        const struct flat_table field = flat_item(&fields, i);
        b.cap = count(&field, 0, b.cap);
    }
    if (b.cap > ARROW_MAX_NODES) {
        return drh_fail(e, DRH_E_DATA, "it has more than %d columns", ARROW_MAX_NODES);
    }
    s->nodes = h->alloc(h, NULL, b.cap * sizeof(*s->nodes));
    if (!s->nodes) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for %u columns", b.cap);
    }
    memset(s->nodes, 0, b.cap * sizeof(*s->nodes));
    root = new_node(&b);
    root->kind = ARROW_STRUCT;
    root->name = (drh_str){"", 0};
    at = &root->child;
    for (uint32_t i = 0; st == DRH_OK && i < fields.n; i++) {
        const struct flat_table field = flat_item(&fields, i);
        st = build_node(&b, &field, "", true, 0, at);
        at = st == DRH_OK ? &(*at)->next : at;
    }
    return st == DRH_OK && t->f->broken ? drh_fail(e, DRH_E_DATA, "its schema is damaged" COL_AGAIN)
                                        : st;
}

static void free_nodes(struct arrow_node *nodes, uint32_t count, struct col_file *f)
{
    for (uint32_t i = 0; i < count; i++) {
        struct arrow_node *n = &nodes[i];

        arrow_chunks_free(n, f);
        for (uint32_t k = 0; k < n->n_views; k++) {
            col_release(f, &n->view[k].block);
        }
        col_release(f, &n->list);
        col_release(f, &n->valid.block);
        col_release(f, &n->offsets.block);
        col_release(f, &n->sizes.block);
        col_release(f, &n->values.block);
    }
}

void arrow_schema_free(struct arrow_schema *s, struct col_file *f)
{
    free_nodes(s->nodes, s->n_nodes, f);
    if (s->nodes) {
        (void)f->host->alloc(f->host, s->nodes, 0);
    }
    memset(s, 0, sizeof(*s));
}

/* ---- dictionaries that grow ---- */

/* n and all below it lie one behind the other. */
static uint32_t count_nodes(const struct arrow_node *n)
{
    uint32_t sum = 1;

    for (const struct arrow_node *c = n->child; c; c = c->next) {
        sum += count_nodes(c);
    }
    return sum;
}

/* What is in memory of the first values is not copied; a dictionary in a dictionary is shared. */
static void copy_nodes(struct arrow_node *to, const struct arrow_node *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct arrow_node *n = &from[i];

        to[i] = (struct arrow_node){
            .kind = n->kind,
            .wanted = n->wanted,
            .is_large = n->is_large,
            .is_day = n->is_day,
            .is_dense = n->is_dense,
            .text_keys = n->text_keys,
            .show = n->show,
            .items = n->items,
            .dictionary = n->dictionary,
            .refused = n->refused,
            .name = n->name,
            .child = n->child ? to + (n->child - from) : NULL,
            .next = n->next && i ? to + (n->next - from) : NULL,
            .same = n->kind == ARROW_DICTIONARY ? (struct arrow_node *)(uintptr_t)n : NULL};
        memcpy(to[i].path, n->path, sizeof(n->path));
    }
}

drh_status arrow_chunk_add(struct arrow_node *dictionary, struct col_file *f, drh_error *e)
{
    const uint32_t       n = count_nodes(dictionary->child);
    struct col_block     block = {NULL, 0};
    struct arrow_chunk **at = &dictionary->more, *chunk;
    uint32_t             chunks = 0;
    drh_status           st = col_reserve(f, &block, sizeof(*chunk) + n * sizeof(*chunk->node), e);

    if (st != DRH_OK) {
        return st;
    }
    chunk = (struct arrow_chunk *)(void *)block.p;
    *chunk = (struct arrow_chunk){
        .block = block, .node = (struct arrow_node *)(void *)(chunk + 1), .n_nodes = n};
    copy_nodes(chunk->node, dictionary->child, n);
    for (; *at; chunks++) {
        at = &(*at)->next;
    }
    *at = chunk;
    return chunks < ARROW_MAX_CHUNKS
               ? DRH_OK
               : wrong(dictionary, "its dictionary grows too often; write the file again", e);
}

struct arrow_node *arrow_chunk_last(struct arrow_node *dictionary)
{
    struct arrow_chunk *chunk = dictionary->more;

    while (chunk && chunk->next) {
        chunk = chunk->next;
    }
    return chunk ? chunk->node : dictionary->child;
}

void arrow_chunks_free(struct arrow_node *dictionary, struct col_file *f)
{
    while (dictionary->more) {
        struct arrow_chunk *chunk = dictionary->more;
        struct col_block    block = chunk->block;

        dictionary->more = chunk->next;
        free_nodes(chunk->node, chunk->n_nodes, f);
        col_release(f, &block);
    }
}

/* ---- which are wanted ---- */

static void want_below(struct arrow_node *n, bool wanted)
{
    n->wanted = wanted;
    for (struct arrow_node *c = n->child; c; c = c->next) {
        want_below(c, wanted);
    }
}

void arrow_schema_want_all(struct arrow_schema *s, bool wanted)
{
    want_below(&s->nodes[0], wanted);
}

/* The struct whose members the next part of a path may name, through lists and dictionaries. */
static struct arrow_node *members_of(struct arrow_node *n)
{
    while (n && n->kind != ARROW_STRUCT && n->kind != ARROW_MAP) {
        n = n->kind == ARROW_UNION || n->kind == ARROW_RUNS ? NULL : n->child;
    }
    return n && n->kind == ARROW_STRUCT ? n : NULL;
}

/* A member whose name is all of path, or what is before a dot. */
static bool want_member(struct arrow_node *of, drh_str path, bool wanted)
{
    struct arrow_node *members = members_of(of);
    bool               found = false;

    for (struct arrow_node *c = members ? members->child : NULL; c; c = c->next) {
        const size_t n = c->name.len;

        if (n > path.len || (n && memcmp(c->name.ptr, path.ptr, n) != 0)) {
            continue;
        }
        if (n == path.len) {
            want_below(c, wanted);
            found = true;
        } else if (path.ptr[n] == '.') {
            found = want_member(c, (drh_str){path.ptr + n + 1, path.len - n - 1}, wanted) || found;
        }
    }
    return found;
}

bool arrow_schema_want(struct arrow_schema *s, drh_str path, bool wanted)
{
    return want_member(&s->nodes[0], path, wanted);
}

/* Something below that is wanted is wanted itself; a map is read whole. */
static bool settle(struct arrow_node *n)
{
    bool below = false;

    for (struct arrow_node *c = n->child; c; c = c->next) {
        below = settle(c) || below;
    }
    n->wanted = n->child ? below : n->wanted;
    if (n->kind == ARROW_MAP && n->wanted) {
        want_below(n, true);
    }
    return n->wanted;
}

static const struct arrow_node *find_refused(const struct arrow_node *n)
{
    if (n->wanted && n->refused) {
        return n;
    }
    for (const struct arrow_node *c = n->child; c; c = c->next) {
        const struct arrow_node *found = find_refused(c);
        if (found) {
            return found;
        }
    }
    return NULL;
}

drh_status arrow_schema_settle(struct arrow_schema *s, uint32_t *left, drh_error *e)
{
    const struct arrow_node *no;

    *left = 0;
    for (struct arrow_node *c = s->nodes[0].child; c; c = c->next) {
        *left += settle(c);
    }
    s->nodes[0].wanted = true;
    no = find_refused(&s->nodes[0]);
    return no ? drh_fail(e, DRH_E_DATA,
                         "column %s: %s; read others (options columns, without) or write it as "
                         "another type",
                         no->path, no->refused)
              : DRH_OK;
}
