/* SPDX-License-Identifier: MIT
 *
 * tree.c - one tree: who replies to whom, in which order, and the conversations in it; see trees.h.
 * Linear but for sorting, and without recursion, for a tree may be one long chain.  [main]
 */
#include "trees.h"

#include <stdlib.h>

void trees_tree_free(struct trees_tree *t)
{
    trees_buf_free(&t->bytes);
    trees_buf_free(&t->nodes);
    trees_buf_free(&t->order);
    trees_buf_free(&t->stack);
    trees_buf_free(&t->path);
    trees_buf_free(&t->json);
}

/* ---- reading ------------------------------------------------------------------------------- */

static drh_status add_node(struct trees_tree *t, size_t at)
{
    struct trees_note note;
    struct trees_node x = {.note = at, .up = TREES_LOST};
    const char       *p = (const char *)t->bytes.ptr + at;
    memcpy(&note, p, sizeof(note));
    p += sizeof(note);
    x.id.ptr = p;
    x.id.len = (size_t)note.n_id;
    x.parent.ptr = p + note.n_id;
    x.parent.len = (size_t)note.n_parent;
    x.text.ptr = p + note.n_id + note.n_parent;
    x.text.len = (size_t)note.n_text;
    x.rank = note.rank;
    x.role = note.role;
    x.deleted = note.deleted != 0;
    return trees_add(&t->nodes, &x, sizeof(x));
}

/* Is what is at `at` a whole note? */
static bool is_note(const struct trees_tree *t, size_t at)
{
    const uint64_t    left = t->bytes.len - at;
    struct trees_note note;
    if (left < sizeof(note)) {
        return false;
    }
    memcpy(&note, t->bytes.ptr + at, sizeof(note));
    return note.size <= left && note.size % 8 == 0 && note.size >= sizeof(note) &&
           note.n_id <= note.size - sizeof(note) &&
           note.n_parent <= note.size - sizeof(note) - note.n_id &&
           note.n_text <= note.size - sizeof(note) - note.n_id - note.n_parent;
}

static drh_status read_nodes(struct trees_tree *t)
{
    size_t at = 0;
    t->nodes.len = 0;
    while (at < t->bytes.len) {
        struct trees_note note;
        if (!is_note(t, at)) {
            return DRH_E_DATA;
        }
        if (add_node(t, at) != DRH_OK) {
            return DRH_E_NOMEM;
        }
        memcpy(&note, t->bytes.ptr + at, sizeof(note));
        at += (size_t)note.size;
    }
    return DRH_OK;
}

/* ---- parents and children ------------------------------------------------------------------ */

static int compare(drh_str a, drh_str b)
{
    int c = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* Pointers to nodes, which lie in order of appearance. */
static int by_id(const void *a, const void *b)
{
    const struct trees_node *x = *(const struct trees_node *const *)a;
    const struct trees_node *y = *(const struct trees_node *const *)b;
    int                      c = compare(x->id, y->id);
    return c ? c : (x > y) - (x < y);
}

static int by_parent(const void *a, const void *b)
{
    const struct trees_node *x = *(const struct trees_node *const *)a;
    const struct trees_node *y = *(const struct trees_node *const *)b;
    if (x->up != y->up) {
        return (x->up > y->up) - (x->up < y->up);
    }
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : (x > y) - (x < y);
}

static struct trees_node *find_id(struct trees_node **list, size_t n, drh_str id)
{
    size_t low = 0, high = n;
    while (low < high) { /* the first that is not less: of equal ids the one that came first */
        size_t mid = low + (high - low) / 2;
        if (compare(list[mid]->id, id) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < n && compare(list[low]->id, id) == 0 ? list[low] : NULL;
}

static void find_parents(struct trees_tree *t, struct trees_node **list)
{
    struct trees_node *node = trees_nodes(t);
    const size_t       n = trees_count(t);
    for (size_t i = 0; i < n; i++) {
        struct trees_node *x = list[i], *up;
        if (i > 0 && compare(list[i - 1]->id, x->id) == 0) {
            x->outcome = TREES_TWICE;
        } else if (x->parent.len == 0) {
            x->up = TREES_ROOT;
        } else if ((up = find_id(list, n, x->parent)) != NULL) {
            x->up = (size_t)(up - node);
        } else {
            x->outcome = TREES_NO_PARENT;
        }
    }
}

drh_status trees_build(struct trees_tree *t)
{
    struct trees_node *node, **list;
    size_t             n;
    drh_status         st = read_nodes(t);
    if (st != DRH_OK) {
        return st;
    }
    node = trees_nodes(t);
    n = trees_count(t);
    t->order.len = 0;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        struct trees_node *x = &node[i];
        st = trees_add(&t->order, &x, sizeof(x));
    }
    if (st != DRH_OK || n == 0) {
        return st;
    }
    list = (struct trees_node **)(void *)t->order.ptr;
    qsort(list, n, sizeof(*list), by_id);
    find_parents(t, list);
    qsort(list, n, sizeof(*list), by_parent);
    for (size_t i = 0; i < n; i++) {
        if (list[i]->up < n) {
            struct trees_node *up = &node[list[i]->up];
            up->first = up->n == 0 ? i : up->first;
            up->n++;
        }
    }
    return DRH_OK;
}

/* The k-th child. */
static struct trees_node *child(const struct trees_tree *t, const struct trees_node *x, size_t k)
{
    return ((struct trees_node **)(void *)t->order.ptr)[x->first + k];
}

/* ---- conversations ------------------------------------------------------------------------- */

/* A string of JSON; the text is UTF-8. */
static drh_status add_string(struct trees_buf *b, drh_str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t            from = 0;
    drh_status        st = trees_add(b, "\"", 1);
    for (size_t i = 0; st == DRH_OK && i < s.len; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        char                escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        size_t              n = 6;
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        if (c >= 0x20 || c == '\n' || c == '\t' || c == '\r') {
            escape[1] = (char)(c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c);
            n = 2;
        }
        st = trees_add(b, s.ptr + from, i - from);
        st = st == DRH_OK ? trees_add(b, escape, n) : st;
        from = i + 1;
    }
    st = st == DRH_OK ? trees_add(b, s.ptr + from, s.len - from) : st;
    return st == DRH_OK ? trees_add(b, "\"", 1) : st;
}

/* One conversation: the first `n` nodes of t->path. */
static drh_status add_path(struct trees_tree *t, size_t n)
{
    static const char         before[] = "{\"from\":\"human\",\"value\":";
    static const char         answer[] = "{\"from\":\"gpt\",\"value\":";
    static const uint8_t      zero[8] = {0};
    struct trees_node *const *path = (struct trees_node *const *)(const void *)t->path.ptr;
    struct trees_buf         *b = &t->json;
    const size_t              begin = b->len;
    uint64_t                  len = 0;
    drh_status                st = trees_add(b, &len, sizeof(len));
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = trees_add(b, i ? "," : "[", 1);
        if (st == DRH_OK && path[i]->role == DRH_ROLE_ASSISTANT) {
            st = trees_add(b, answer, sizeof(answer) - 1);
        } else if (st == DRH_OK) {
            st = trees_add(b, before, sizeof(before) - 1);
        }
        st = st == DRH_OK ? add_string(b, path[i]->text) : st;
        st = st == DRH_OK ? trees_add(b, "}", 1) : st;
    }
    st = st == DRH_OK ? trees_add(b, "]", 1) : st;
    if (st == DRH_OK) {
        len = b->len - begin - sizeof(len);
        memcpy(b->ptr + begin, &len, sizeof(len));
        st = trees_add(b, zero, (8 - b->len % 8) % 8);
        t->n_paths++;
    }
    return st;
}

/* At every step the first reply that is there, up to the last answer. */
static drh_status best(struct trees_tree *t, struct trees_node *root)
{
    struct trees_node *x = root;
    size_t             n = 0, answered = 0;
    drh_status         st = DRH_OK;
    while (x && st == DRH_OK) {
        struct trees_node *next = NULL;
        st = trees_add(&t->path, &x, sizeof(x));
        n++;
        answered = x->role == DRH_ROLE_ASSISTANT ? n : answered;
        for (size_t k = 0; !next && k < x->n; k++) {
            next = child(t, x, k)->deleted ? NULL : child(t, x, k);
        }
        x = next;
    }
    return st == DRH_OK && answered > 0 ? add_path(t, answered) : st;
}

/* Marks what leads to an answer: every node after its children. */
static drh_status mark(struct trees_tree *t, struct trees_node *root)
{
    drh_status st = trees_add(&t->stack, &root, sizeof(root));
    for (size_t at = 0; st == DRH_OK && at < t->stack.len / sizeof(root); at++) {
        struct trees_node *x = ((struct trees_node **)(void *)t->stack.ptr)[at];
        for (size_t k = 0; st == DRH_OK && k < x->n; k++) {
            struct trees_node *c = child(t, x, k);
            st = c->deleted ? DRH_OK : trees_add(&t->stack, &c, sizeof(c));
        }
    }
    for (size_t i = st == DRH_OK ? t->stack.len / sizeof(root) : 0; i-- > 0;) {
        struct trees_node *x = ((struct trees_node **)(void *)t->stack.ptr)[i];
        x->gives = x->gives || x->role == DRH_ROLE_ASSISTANT;
        if (x != root && x->gives) {
            trees_nodes(t)[x->up].gives = true;
        }
    }
    return st;
}

/* A place of a walk: the node and its child that comes next. */
struct step {
    struct trees_node *node;
    size_t             next;
    bool               leads; /* a child led to an answer */
};

/* Depth first, in order of ranks: a conversation wherever an answer has no answer behind it. */
static drh_status all(struct trees_tree *t, struct trees_node *root)
{
    struct step now = {root, 0, false};
    drh_status  st = mark(t, root);
    t->stack.len = 0;
    if (st != DRH_OK || !root->gives) {
        return st;
    }
    st = trees_add(&t->stack, &now, sizeof(now));
    st = st == DRH_OK ? trees_add(&t->path, &root, sizeof(root)) : st;
    while (st == DRH_OK && t->stack.len > 0) {
        struct step *top = (struct step *)(void *)(t->stack.ptr + t->stack.len) - 1;
        if (top->next < top->node->n) {
            struct step c = {child(t, top->node, top->next++), 0, false};
            if (!c.node->deleted && c.node->gives) {
                top->leads = true;
                st = trees_add(&t->stack, &c, sizeof(c));
                st = st == DRH_OK ? trees_add(&t->path, &c.node, sizeof(c.node)) : st;
            }
            continue;
        }
        if (!top->leads) {
            st = add_path(t, t->path.len / sizeof(root));
        }
        t->stack.len -= sizeof(*top);
        t->path.len -= sizeof(root);
    }
    return st;
}

drh_status trees_paths(struct trees_tree *t, size_t root, uint32_t which)
{
    struct trees_node *x = &trees_nodes(t)[root];
    t->path.len = t->stack.len = t->json.len = 0;
    t->n_paths = 0;
    if (x->deleted) {
        return DRH_OK;
    }
    return which == TREES_ALL ? all(t, x) : best(t, x);
}
