/* SPDX-License-Identifier: MIT
 * schema.c - see schema.h. */
#include "schema.h"

#include "../columns/text.h"

enum { REQUIRED, OPTIONAL, REPEATED };

struct build {
    struct pq_schema        *s;
    const struct pq_element *el;
    uint32_t                 n, at; /* the next element */
    uint32_t                 depth;
    drh_error               *e;
};

/* The levels of what is above. */
struct level {
    uint32_t def, rep;
};

static drh_status broken(drh_error *e, const char *why)
{
    return drh_fail(e, DRH_E_DATA, "the schema is damaged: %s" COL_AGAIN, why);
}

/* There are two nodes at most for an element. */
static struct pq_node *new_node(struct build *b, enum pq_kind kind, drh_str name, struct level at)
{
    struct pq_node *n = &b->s->nodes[b->s->n_nodes++];

    n->kind = kind;
    n->name = name;
    n->def = at.def;
    return n;
}

static drh_status build_any(struct build *b, struct level at, struct pq_node **out);
static drh_status build_group(struct build *b, const struct pq_element *el, struct level at,
                              struct pq_node **out);

/* ---- values and structs ---- */

static drh_status build_value(struct build *b, const struct pq_element *el, struct level at,
                              struct pq_node **out)
{
    struct pq_node *n = new_node(b, PQ_VALUE, el->name, at);

    n->leaf = b->s->n_leaves++;
    n->rep = at.rep;
    b->s->leaf[n->leaf] = n;
    *out = n;
    return pq_type_of(el, &n->type, b->e);
}

/* The next `children` elements and what is below them. */
static drh_status build_struct(struct build *b, const struct pq_element *el, struct level at,
                               struct pq_node **out)
{
    struct pq_node  *n = new_node(b, PQ_STRUCT, el->name, at);
    struct pq_node **next = &n->child;
    drh_status       st = DRH_OK;

    *out = n;
    for (int32_t i = 0; st == DRH_OK && i < el->children; i++) {
        st = build_any(b, at, next);
        next = st == DRH_OK ? &(*next)->next : next;
    }
    return st;
}

/* An element without regard to its repetition, LIST and MAP. */
static drh_status build_plain(struct build *b, const struct pq_element *el, struct level at,
                              struct pq_node **out)
{
    return el->children > 0 ? build_struct(b, el, at, out) : build_value(b, el, at, out);
}

/* ---- lists and maps ---- */

static bool name_is(drh_str name, const char *text, size_t n)
{
    return name.len == n && memcmp(name.ptr, text, n) == 0;
}

/* Is the repeated group itself the item?  Else its one child is. */
static bool group_is_item(const struct build *b, const struct pq_element *list,
                          const struct pq_element *group)
{
    size_t n = list->name.len;

    if (group->children > 1 || (b->at < b->n && b->el[b->at].repetition == REPEATED)) {
        return true;
    }
    return name_is(group->name, "array", 5) ||
           (group->name.len == n + 6 && memcmp(group->name.ptr, list->name.ptr, n) == 0 &&
            memcmp(group->name.ptr + n, "_tuple", 6) == 0);
}

/* What a list holds is called by the list's name. */
static drh_status no_name(struct pq_node *item, drh_status st)
{
    if (st == DRH_OK) {
        item->name.len = 0;
    }
    return st;
}

/* The group `el` has been taken and its one child, which is repeated, is next. */
static drh_status build_list(struct build *b, const struct pq_element *el, struct level at,
                             struct pq_node **out)
{
    const struct pq_element *group = &b->el[b->at++];
    struct pq_node          *n = new_node(b, PQ_LIST, el->name, at);
    struct level             in = {at.def + 1, at.rep + 1};

    drh_status st;

    n->item_def = in.def;
    n->rep = in.rep;
    *out = n;
    if (group->children <= 0 || group_is_item(b, el, group)) {
        st = build_group(b, group, in, &n->child);
    } else {
        st = build_any(b, in, &n->child);
    }
    return no_name(n->child, st);
}

/* A repeated element outside of a LIST is a list of its own. */
static drh_status build_repeated(struct build *b, const struct pq_element *el, struct level at,
                                 struct pq_node **out)
{
    struct pq_node *n = new_node(b, PQ_LIST, el->name, at);
    struct level    in = {at.def + 1, at.rep + 1};
    drh_status      st;

    n->item_def = in.def;
    n->rep = in.rep;
    *out = n;
    st = build_group(b, el, in, &n->child);
    return no_name(n->child, st);
}

/* A map is a list of pairs.  What is annotated as one and has no pairs stays a list. */
static drh_status build_map(struct build *b, const struct pq_element *el, struct level at,
                            struct pq_node **out)
{
    const struct pq_element *group = &b->el[b->at++];
    struct pq_node          *n = new_node(b, PQ_LIST, el->name, at), *key;
    struct level             in = {at.def + 1, at.rep + 1};
    drh_status               st;

    n->item_def = in.def;
    n->rep = in.rep;
    *out = n;
    st = build_plain(b, group, in, &n->child);
    st = no_name(n->child, st);
    if (st == DRH_OK && n->child->kind == PQ_STRUCT && group->children == 2) {
        key = n->child->child;
        n->kind = PQ_MAP;
        n->text_keys = key->kind == PQ_VALUE && key->type.show.form == COL_SHOW_TEXT;
    }
    return st;
}

/* ---- any element ---- */

static bool has_repeated_child(const struct build *b, const struct pq_element *el)
{
    return el->children == 1 && b->at < b->n && b->el[b->at].repetition == REPEATED;
}

/* An element without regard to its repetition. */
static drh_status build_group(struct build *b, const struct pq_element *el, struct level at,
                              struct pq_node **out)
{
    drh_status st;

    if (b->depth == PQ_MAX_DEPTH) {
        return drh_fail(b->e, DRH_E_DATA, "the columns are nested more than %d deep; flatten them",
                        PQ_MAX_DEPTH);
    }
    b->depth++;
    if (pq_element_is_list(el) && has_repeated_child(b, el)) {
        st = build_list(b, el, at, out);
    } else if (pq_element_is_map(el) && has_repeated_child(b, el)) {
        st = build_map(b, el, at, out);
    } else {
        st = build_plain(b, el, at, out);
    }
    b->depth--;
    return st;
}

static drh_status build_any(struct build *b, struct level at, struct pq_node **out)
{
    const struct pq_element *el;

    if (b->at == b->n) {
        return broken(b->e, "elements are missing");
    }
    el = &b->el[b->at++];
    if (el->name.len > COL_MAX_NAME || !col_utf8(el->name.ptr, el->name.len)) {
        return broken(b->e, "a column's name is no UTF-8, or too long");
    }
    at.def += el->repetition == OPTIONAL;
    return el->repetition == REPEATED ? build_repeated(b, el, at, out)
                                      : build_group(b, el, at, out);
}

/* ---- the whole ---- */

static drh_status build_all(struct build *b)
{
    struct pq_node *root;
    drh_status      st;

    if (b->n == 0 || b->el[0].children < 0) {
        return broken(b->e, "it has no root");
    }
    b->at = 1;
    st = build_struct(b, &b->el[0], (struct level){0, 0}, &root);
    if (st == DRH_OK && b->at != b->n) {
        st = broken(b->e, "it has elements that belong to nothing");
    }
    return st;
}

drh_status pq_schema_read(struct pq_schema *s, const drh_host *h, struct pq_thrift *t,
                          const struct pq_field *f, drh_error *e)
{
    uint32_t           n = pq_thrift_list(t, f, PQ_T_STRUCT);
    struct pq_element *el;
    struct build       b = {.s = s, .n = n, .e = e};
    size_t             nodes = 2 * (size_t)n * sizeof(*s->nodes);
    drh_status         st;

    if (n == 0 || n > PQ_MAX_COLUMNS) {
        return n ? drh_fail(e, DRH_E_DATA, "%u columns are more than the %d that can be read", n,
                            PQ_MAX_COLUMNS)
                 : broken(e, "it is empty");
    }
    pq_schema_free(s, h); /* a damaged footer may have two */
    el = h->alloc(h, NULL, n * sizeof(*el));
    s->nodes = h->alloc(h, NULL, nodes);
    s->leaf = h->alloc(h, NULL, n * sizeof(struct pq_node *));
    if (!el || !s->nodes || !s->leaf) {
        (void)h->alloc(h, el, 0);
        return drh_fail(e, DRH_E_NOMEM, "out of memory for %u columns", n);
    }
    memset(s->nodes, 0, nodes);
    for (uint32_t i = 0; i < n; i++) {
        pq_element_read(t, &el[i]);
    }
    b.el = el;
    st = t->bad ? broken(e, "it ends too early") : build_all(&b);
    (void)h->alloc(h, el, 0);
    return st;
}

void pq_schema_free(struct pq_schema *s, const drh_host *h)
{
    (void)h->alloc(h, s->nodes, 0);
    (void)h->alloc(h, s->leaf, 0);
    memset(s, 0, sizeof(*s));
}

/* ---- which columns ---- */

void pq_schema_want_all(struct pq_schema *s, bool wanted)
{
    for (uint32_t i = 0; i < s->n_leaves; i++) {
        s->leaf[i]->wanted = wanted;
    }
}

static void want_below(struct pq_node *n, bool wanted)
{
    n->wanted = wanted;
    for (struct pq_node *c = n->child; c; c = c->next) {
        want_below(c, wanted);
    }
}

static bool want_path(struct pq_node *n, drh_str path, bool wanted)
{
    bool found = false;

    while (n->kind == PQ_LIST) {
        n = n->child;
    }
    if (n->kind != PQ_STRUCT) {
        return false;
    }
    for (struct pq_node *c = n->child; c; c = c->next) {
        size_t k = c->name.len;

        if (k == path.len && memcmp(c->name.ptr, path.ptr, k) == 0) {
            want_below(c, wanted);
            found = true;
        } else if (k < path.len && path.ptr[k] == '.' && memcmp(c->name.ptr, path.ptr, k) == 0) {
            drh_str rest = {path.ptr + k + 1, path.len - k - 1};
            found = want_path(c, rest, wanted) || found;
        }
    }
    return found;
}

bool pq_schema_want(struct pq_schema *s, drh_str path, bool wanted)
{
    return want_path(&s->nodes[0], path, wanted);
}

static bool settle(struct pq_node *n)
{
    bool any = false;

    if (n->kind == PQ_VALUE) {
        return n->wanted;
    }
    for (struct pq_node *c = n->child; c; c = c->next) {
        any = settle(c) || any;
    }
    n->wanted = any;
    return any;
}

void pq_schema_settle(struct pq_schema *s)
{
    (void)settle(&s->nodes[0]);
}
