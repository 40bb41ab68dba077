/* SPDX-License-Identifier: MIT
 *
 * trees.h - the inside of trees.so: rows that are messages of a tree (OASST) to conversations.
 *     message.c  a record as a message, or as none
 *     observe.c  each message to a note: who it is, its parent, its text
 *     merge.c    the notes, tree by tree by sorting their digests, to the file that apply() reads
 *     tree.c     the messages of one tree to paths from its root to an answer
 *     apply.c    the root's record gets the conversation, the others go
 * Memory holds one tree at a time, and what sorting may have.  struct trees is read-only but in
 * create() and prepare().
 */
#ifndef TREES_H
#define TREES_H

#include <drh/turns.h>

#include <stdbool.h>

enum { TREES_BEST = 0, TREES_ALL };

/* What becomes of a message, in the file; other than these: its conversations. */
enum {
    TREES_PATHS = 0,
    TREES_NO_ANSWER,
    TREES_NO_PARENT,
    TREES_TWICE,
    TREES_TOO_LARGE,
    TREES_OUTCOMES
};

struct trees {
    const drh_host *host;
    drh_field       message_id, parent_id, tree_id, text, role, rank, deleted, conversations;
    uint32_t        paths;  /* TREES_BEST, TREES_ALL */
    size_t          memory; /* bytes for sorting, as many for the largest tree */
    /* after prepare(): the file, mapped */
    const uint8_t *file;
    size_t         file_size;
    const uint8_t *entry; /* n_entries of TREES_ENTRY bytes, sorted */
    uint64_t       n_entries;
};

/* A growing array of bytes. */
struct trees_buf {
    const drh_host *host;
    uint8_t        *ptr;
    size_t          len, cap;
};
drh_status trees_add(struct trees_buf *b, const void *p, size_t len); /* or DRH_E_NOMEM */
void       trees_buf_free(struct trees_buf *b);

/* ---- message.c ---- */

enum { TREES_PLACE = 24 }; /* bytes: file and row, as they sort */

struct trees_message {
    drh_str  id, parent, tree, text; /* parent.len 0: a root */
    int64_t  rank;                   /* INT64_MAX: none */
    uint32_t role;                   /* DRH_ROLE_USER, DRH_ROLE_ASSISTANT, or another */
    bool     deleted;
    uint8_t  place[TREES_PLACE];
};

/* DRH_E_MISSING: the record is no message. */
drh_status trees_read(const struct trees *t, const drh_record *r, struct trees_message *m);

/* ---- notes ---- */

/* Then come id, parent, text, and up to 7 bytes so that the next note begins at a multiple of 8. */
struct trees_note {
    uint64_t size; /* with all that */
    uint8_t  tree[16], place[TREES_PLACE];
    int64_t  rank;
    uint64_t n_id, n_parent, n_text;
    uint32_t role, deleted;
};

/* ---- tree.c ---- */

/* A message of the tree at hand; texts are in the tree's bytes. */
struct trees_node {
    size_t   note; /* where its note begins in the bytes */
    drh_str  id, parent, text;
    int64_t  rank;
    uint32_t role;
    bool     deleted, gives; /* gives: it is an answer, or one comes behind it */
    size_t   up;             /* index of the parent; TREES_ROOT, TREES_LOST */
    size_t   first, n;       /* its children in `order` */
    uint32_t outcome;        /* TREES_* */
};

#define TREES_ROOT SIZE_MAX
#define TREES_LOST (SIZE_MAX - 1) /* no such parent, or the id is there twice */

struct trees_tree {
    const drh_host  *host;
    struct trees_buf bytes; /* notes */
    struct trees_buf nodes; /* struct trees_node, in order of appearance */
    struct trees_buf order; /* size_t: nodes by parent, then by rank, then as they came */
    struct trees_buf stack; /* size_t, of a walk */
    struct trees_buf path;  /* size_t: nodes from the root */
    struct trees_buf json;  /* conversations */
    uint64_t         n_paths;
};

void trees_tree_free(struct trees_tree *t);
/* Reads the notes in t->bytes; finds parents and orders children.  DRH_E_DATA, DRH_E_NOMEM. */
drh_status                       trees_build(struct trees_tree *t);
static inline struct trees_node *trees_nodes(const struct trees_tree *t)
{
    return (struct trees_node *)(void *)t->nodes.ptr;
}
static inline size_t trees_count(const struct trees_tree *t)
{
    return t->nodes.len / sizeof(struct trees_node);
}
/* The conversations of a root into t->json: each its length as 8 bytes, its JSON text, and zeros up
 * to a multiple of 8.  How many: t->n_paths. */
drh_status trees_paths(struct trees_tree *t, size_t root, uint32_t which);

/* ---- the file: TREES_HEAD bytes, conversations, entries, end ---- */

enum { TREES_HEAD = 8, TREES_ENTRY = TREES_PLACE + 8 };

/* An entry is the place and, big-endian, where the conversations are, or below TREES_OUTCOMES an
 * outcome.  There: how many, as 8 bytes, and each as trees_paths() has it. */
#define TREES_MAGIC 0x3173656572745f5fu
struct trees_end {
    uint64_t magic, entries, n_entries;
};

/* ---- the calls of the stage ---- */

drh_status trees_observe(void *self, void *worker, drh_record *const *r, size_t n, drh_sink *notes,
                         drh_error *e);
drh_status trees_merge(void *self, const char *const *notes, size_t n, drh_sink *result,
                       drh_error *e);
drh_status trees_prepare(void *self, const char *result, drh_error *e);
drh_status trees_apply(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);
void       trees_forget(struct trees *t);

/* options.c */
extern const char trees_schema[];
drh_status        trees_options(struct trees *t, const drh_config *c, drh_error *e);

#endif
