/* SPDX-License-Identifier: MIT
 * schema.h - the columns of an Arrow file as a tree, with the part of them that is in memory. */
#ifndef ARROW_SCHEMA_H
#define ARROW_SCHEMA_H

#include "../columns/row.h"
#include "flat.h"

enum {
    ARROW_MAX_DEPTH = 100,
    ARROW_MAX_NODES = 100000,
    ARROW_PATH = 200,
    ARROW_MAX_CHUNKS = 10000 /* of a dictionary that grows */
};

enum arrow_kind {
    ARROW_NULL,
    ARROW_BIT,   /* a boolean */
    ARROW_FIXED, /* show.width bytes */
    ARROW_BYTES, /* offsets into bytes */
    ARROW_VIEW,  /* short ones as they are, long ones in other buffers */
    ARROW_STRUCT,
    ARROW_LIST,
    ARROW_LIST_VIEW, /* offsets and lengths */
    ARROW_FIXED_LIST,
    ARROW_MAP,
    ARROW_DICTIONARY, /* indexes; its only child holds the values */
    ARROW_UNION,      /* the last two are passed over, and refused where they are wanted */
    ARROW_RUNS
};

struct arrow_buffer {
    struct col_block block; /* owned */
    size_t           n;
};

struct arrow_node {
    enum arrow_kind    kind;
    bool               wanted;
    bool               is_large; /* offsets of 64 bits */
    bool               is_day;   /* a date in milliseconds */
    bool               is_dense; /* a union with offsets */
    bool               text_keys;
    bool               loaded; /* values of a dictionary: it has come */
    struct col_type    show;   /* of a value; of an index its width */
    uint64_t           items;  /* of each fixed-size list */
    int64_t            dictionary;
    const char        *refused; /* why it cannot be read */
    drh_str            name;    /* in the schema's message; "" in lists */
    struct arrow_node *child, *next;
    char               path[ARROW_PATH]; /* "messages.content", for people */

    /* What is in memory of it. */
    uint64_t             length;
    struct arrow_buffer  valid, offsets, sizes, values; /* valid.n 0: all are there */
    struct col_block     list;                          /* owned: arrow_buffer each, of views */
    struct arrow_buffer *view;
    uint32_t             n_views;
    struct arrow_chunk  *more; /* of a dictionary: values behind those of `child` */
    struct arrow_node   *same; /* of a copy: whose dictionary it has */
};

/* Values that came later: a copy of the nodes that hold the first ones. */
struct arrow_chunk {
    struct col_block    block; /* owned: this one itself, with its nodes behind it */
    struct arrow_chunk *next;
    struct arrow_node  *node;
    uint32_t            n_nodes;
};

struct arrow_schema {
    struct arrow_node *nodes; /* owned; the first one stands for a row */
    uint32_t           n_nodes;
    bool               old; /* metadata V4: unions say which of them are null */
};

/* The Schema table `t`, whose bytes have to stay.  DRH_E_DATA with a message. */
drh_status arrow_schema_read(struct arrow_schema *s, const drh_host *h, const struct flat_table *t,
                             drh_error *e);
void       arrow_schema_free(struct arrow_schema *s, struct col_file *f);

/* Room for more values of a dictionary, not loaded yet; the last chunk.  DRH_E_RANGE, DRH_E_NOMEM
 * with a message. */
drh_status         arrow_chunk_add(struct arrow_node *dictionary, struct col_file *f, drh_error *e);
void               arrow_chunks_free(struct arrow_node *dictionary, struct col_file *f);
struct arrow_node *arrow_chunk_last(struct arrow_node *dictionary);

/* All columns, or those that `path` names: a column, or a member of structs, also in lists,
 * "messages.content"; false: there is none. */
void arrow_schema_want_all(struct arrow_schema *s, bool wanted);
bool arrow_schema_want(struct arrow_schema *s, drh_str path, bool wanted);
/* Sets `wanted` of what is above and below; after the last of the two.  How many columns are left.
 * DRH_E_DATA: one of them cannot be read. */
drh_status arrow_schema_settle(struct arrow_schema *s, uint32_t *left, drh_error *e);

/* type.c: kind and show of a Field, or `refused`.  DRH_E_DATA: no type of the format. */
drh_status arrow_type_read(struct arrow_node *n, const struct flat_table *field, drh_error *e);

#endif
