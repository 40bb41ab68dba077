/* SPDX-License-Identifier: MIT
 * schema.h - the columns of a file as a tree of what they mean: values, structs, lists and maps.
 *
 * Lists and maps are known in all the forms that writers have used (the rules of the format's
 * LogicalTypes.md); the groups between a list and its items are no nodes of the tree.  Names point
 * into the footer. */
#ifndef PQ_SCHEMA_H
#define PQ_SCHEMA_H

#include "../columns/show.h"
#include "thrift.h"

enum { PQ_MAX_DEPTH = 100, PQ_MAX_COLUMNS = 100000 };

enum pq_physical {
    PQ_BOOLEAN,
    PQ_INT32,
    PQ_INT64,
    PQ_INT96,
    PQ_FLOAT,
    PQ_DOUBLE,
    PQ_BYTE_ARRAY,
    PQ_FIXED, /* FIXED_LEN_BYTE_ARRAY */
    PQ_N_PHYSICAL
};

struct pq_type {
    enum pq_physical physical;
    struct col_type  show; /* width 0: BYTE_ARRAY, and BOOLEAN, which is a bit */
};

enum pq_kind { PQ_VALUE, PQ_STRUCT, PQ_LIST, PQ_MAP };

struct pq_column;

/* A lower definition level than `def` means null, here or above.  The items of a list or a map are
 * there from `item_def` on, and another item follows at repetition level `rep`. */
struct pq_node {
    enum pq_kind      kind;
    bool              wanted; /* something below it is read */
    bool              text_keys;
    uint32_t          def, item_def, rep;
    uint32_t          leaf; /* PQ_VALUE: number of its column in the file */
    drh_str           name; /* of a column or a member of a struct; "" in a list */
    struct pq_type    type; /* PQ_VALUE */
    struct pq_node   *child, *next;
    struct pq_column *column; /* PQ_VALUE that is wanted: the caller's */
};

struct pq_schema {
    struct pq_node  *nodes; /* owned; the first one stands for a row */
    struct pq_node **leaf;  /* owned; all columns of the file in order */
    uint32_t         n_nodes, n_leaves;
};

/* The list of SchemaElements that t is at, field f of its struct.  DRH_E_DATA with a message. */
drh_status pq_schema_read(struct pq_schema *s, const drh_host *h, struct pq_thrift *t,
                          const struct pq_field *f, drh_error *e);
void       pq_schema_free(struct pq_schema *s, const drh_host *h);

/* All columns, or those that `path` names: a column, or a member of structs, also in lists,
 * "messages.content"; false: there is none. */
void pq_schema_want_all(struct pq_schema *s, bool wanted);
bool pq_schema_want(struct pq_schema *s, drh_str path, bool wanted);
/* Sets `wanted` of structs, lists and maps; after the last of the two above. */
void pq_schema_settle(struct pq_schema *s);

/* type.c: what an element says of its values. */
struct pq_element {
    drh_str name;
    int32_t type, length, repetition, children, converted, scale, precision; /* -1: not given */
    int32_t logical; /* field of the union LogicalType; 0: none */
    int32_t bits;    /* of an INTEGER */
    int32_t unit;    /* of a TIME or TIMESTAMP: field of the union TimeUnit */
    bool    is_signed, utc;
};
void pq_element_read(struct pq_thrift *t, struct pq_element *el);
/* DRH_E_DATA: no type of the format. */
drh_status pq_type_of(const struct pq_element *el, struct pq_type *out, drh_error *e);
bool       pq_element_is_list(const struct pq_element *el);
bool       pq_element_is_map(const struct pq_element *el);

#endif
