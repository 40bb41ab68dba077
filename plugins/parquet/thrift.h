/* SPDX-License-Identifier: MIT
 * thrift.h - the compact protocol of Apache Thrift, reading, over bytes in memory.
 *
 * Nothing is allocated, and nothing is read beyond `end`: a mistake sets `bad` (`cut`, too, when
 * the bytes ended too early), and from then on every call gives 0 and no more fields.  One check at
 * the end of a struct is enough. */
#ifndef PQ_THRIFT_H
#define PQ_THRIFT_H

#include "../columns/file.h"

enum { /* types of the wire */
       PQ_T_TRUE = 1,
       PQ_T_FALSE,
       PQ_T_BYTE,
       PQ_T_I16,
       PQ_T_I32,
       PQ_T_I64,
       PQ_T_DOUBLE,
       PQ_T_BINARY,
       PQ_T_LIST,
       PQ_T_SET,
       PQ_T_MAP,
       PQ_T_STRUCT
};

struct pq_thrift {
    const uint8_t *p, *end;
    uint32_t       depth; /* of values that are skipped */
    bool           bad, cut;
};

/* A field of a struct; begin with all zeros. */
struct pq_field {
    int32_t id;
    uint8_t type;
};

void pq_thrift_open(struct pq_thrift *t, const void *p, size_t n);
/* To the next field; false at the struct's end. */
bool pq_thrift_next(struct pq_thrift *t, struct pq_field *f);
/* The value of a field that has come; another type than the one asked for is a mistake. */
int64_t pq_thrift_int(struct pq_thrift *t, const struct pq_field *f);
int32_t pq_thrift_i32(struct pq_thrift *t, const struct pq_field *f); /* a mistake when larger */
bool    pq_thrift_bool(struct pq_thrift *t, const struct pq_field *f);
drh_str pq_thrift_text(struct pq_thrift *t, const struct pq_field *f); /* in the bytes given */
/* Elements of a list; each takes at least one byte, so no more than bytes are left.  `type` is what
 * they must be. */
uint32_t pq_thrift_list(struct pq_thrift *t, const struct pq_field *f, uint8_t type);
void     pq_thrift_struct(struct pq_thrift *t, const struct pq_field *f); /* its fields follow */
void     pq_thrift_skip(struct pq_thrift *t, uint8_t type);

#endif
