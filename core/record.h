/* SPDX-License-Identifier: MIT
 * record.h - the record behind the handle, and the three tables through which plugins see it.
 *
 * A record is the bytes it came from plus a list of top-level members; a member that was set holds
 * a new text in the batch's arena.  A record lives in its batch's arena and is touched by one
 * thread at a time. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "arena.h"
#include "buf.h"
#include "json.h"

#include <drh/plugin.h>

#include <stdbool.h>

enum settled { REC_OPEN = 0, REC_KEPT, REC_DROPPED, REC_FAILED };

/* Shared by the records of one file; the texts outlive them. */
struct origin {
    drh_str file, domain, dataset, source;
    bool    between; /* a file from one step to another */
};

struct builder; /* of records->open ... close */
struct member;

struct drh_record {
    struct arena        *arena;
    const char          *src; /* source text, one object; NULL for a new record */
    size_t               src_len;
    struct member       *members;
    uint32_t             n_members, cap_members;
    uint64_t             bits;      /* field_bit() of all members' keys, and of some more */
    bool                 changed;   /* a member was set or unset, or there is no source */
    bool                 stale;     /* the source text is not what the members say */
    bool                 mended;    /* json_mend() made its source text JSON */
    bool                 multiline; /* the source holds a newline between tokens */
    uint8_t              settled;   /* enum settled */
    uint32_t             attempt;
    char                 reason[41]; /* of a drop or failure */
    drh_str              detail;     /* in the arena */
    const struct origin *origin;
    uint64_t             row, line, slot;
    drh_str              from; /* where it was read first, when that is not origin; {"",0}: it is */
    uint64_t             from_line;
    uint64_t             index;     /* the runner's: place in its shard, from 0 */
    uint64_t             uid;       /* the runner's: what seeds and journals go by */
    uint64_t             step_seed; /* the runner sets it before each step */
    struct drh_record   *parent;
    struct drh_record   *first_child, *last_child, *next_sibling;
    struct builder      *builder;
    void                *state; /* records->set_state */
    void                *owner; /* the runner's */
};                              /* record_blank() sets every member */

extern const drh_record_api record_api;
extern const drh_value_api  value_api;

/* Makes *r (zeroed by the caller, arena set) from one JSON object; text must outlive the record.
 * DRH_E_DATA with *e filled: not strict JSON, or not an object (code "not_object"). */
drh_status record_parse(struct drh_record *r, const char *text, size_t len, struct json_err *e);
/* A record in the arena, to be parsed; NULL: out of memory. */
struct drh_record *record_blank(struct arena *a);
/* A new record in the arena: {}. */
struct drh_record *record_new(struct arena *a);
/* The record as one line without the newline; untouched parts byte for byte, except that newlines
 * and spaces between tokens of a pretty-printed source go. */
drh_status record_write(const struct drh_record *r, struct buf *out);
/* Makes a settled, kept record ready for the next step. */
void record_reopen(struct drh_record *r, uint64_t step_seed);
/* "id" of a record as reports show it: /metadata/id when it is a string, else "". */
drh_str record_id(const struct drh_record *r);
/* DRH_E_ARG when reason is no reason code. */
drh_status record_settle(struct drh_record *r, enum settled how, const char *reason,
                         const char *detail, size_t len);

/* A cursor at a text that json_scan() has accepted; strings are decoded into the arena. */
void value_at(drh_value *v, struct arena *a, const char *p, size_t len);

/* A JSON text that is no record, as drh_host.json_open.  text[0,len) must outlive it. [any] */
drh_status json_doc_open(const drh_host *h, const char *text, size_t len, drh_json **doc,
                         drh_value *root, drh_error *e);
void       json_doc_close(drh_json *doc);

/* Text that many threads read, a configuration: every string of accepted text[0,len) decoded ahead
 * into one block, mem_free()d by the caller (NULL: out of memory), so that cursors at p, a value
 * inside that text, and all that come from them allocate nothing.  Both must outlive them. [any] */
struct decoded;
struct decoded *value_decode(const char *text, size_t len);
void            value_at_decoded(drh_value *v, const struct decoded *d, const char *p, size_t len);

#endif
