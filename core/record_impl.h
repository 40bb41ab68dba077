/* SPDX-License-Identifier: MIT
 * record_impl.h - what record*.c, value.c and builder.c share.  Nobody else includes this. */
#ifndef CORE_RECORD_IMPL_H
#define CORE_RECORD_IMPL_H

#include "field.h"
#include "json_impl.h"
#include "record.h"

#include <string.h>

/* A top-level member.  Key and value text belong to the source, the arena or the field table. */
struct member {
    struct json_member  m;
    drh_str             text;  /* decoded string, or 0-terminated copy, once someone asked for it */
    const struct known *known; /* strings inside whose texts are known, in order; arena */
    uint32_t            n_known;
    uint32_t            depth; /* of a container, plus one; 0: not known */
};

/* Where a field's value is. */
struct place {
    const char    *p;
    size_t         len;
    uint32_t       type;
    const char    *key; /* NULL: not a member of an object */
    uint32_t       key_len;
    bool           key_escaped;
    struct member *member; /* top-level members only, else NULL */
};

/* A value to be stored; its bytes are in the arena or outlive the record. */
struct new_value {
    const char *p;
    size_t      len;
    uint32_t    type;
    uint32_t    depth; /* of containers */
    bool        multiline, escaped;
    /* For later readers: strings inside whose texts are known, in order; arena, or NULL. */
    const struct known *known;
    uint32_t            n_known;
};

/* Is this member's key `key`?  Inline: asked for every member of every record. */
static inline bool member_is(const struct member *m, const drh_str *key)
{
    if (m->m.key_escaped) {
        return json_key_is(m->m.key, m->m.key_len, true, key->ptr, key->len);
    }
    return m->m.key_len == key->len && json_same(m->m.key, key->ptr, key->len);
}

/* The member that path's first part names.  Most calls ask for what is not there. */
static inline struct member *record_member(const struct drh_record *r,
                                           const struct field_path *path)
{
    const drh_str *key = &path->part[0];
    uint32_t       i;

    if (!(r->bits & path->bit)) {
        return NULL;
    }
    for (i = 0; i < r->n_members; i++) {
        if (member_is(&r->members[i], key)) {
            return &r->members[i];
        }
    }
    return NULL;
}

/* A member has come to r. */
static inline void record_note_key(struct drh_record *r, const struct json_member *m)
{
    r->bits |= m->key_escaped ? UINT64_MAX : field_bit(m->key, m->key_len);
}

/* record.c */
/* Room for a member at the end, zeroed; NULL: out of memory. */
struct member *record_member_new(struct drh_record *r);
/* Source text of the record as it is now, in the arena when it was changed. */
drh_status record_text(struct drh_record *r, drh_str *out);

/* record_get.c: DRH_E_MISSING, DRH_E_ARG (no such field number), DRH_E_NOMEM. */
drh_status record_find(const struct drh_record *r, drh_field f, struct place *out);

/* record_set.c: checks that the record is open, makes parents, marks it as changed. */
drh_status record_put(struct drh_record *r, drh_field f, const struct new_value *v);
/* The record becomes v, an object without newlines; its n members point into v. */
drh_status record_put_members(struct drh_record *r, const struct new_value *v,
                              const struct json_member *m, uint32_t n);
/* A new_value from text that json_scan() has accepted, copied into the arena. */
drh_status record_copy_value(struct drh_record *r, const char *p, size_t len,
                             struct new_value *out);

/* value.c */
uint32_t value_type(const drh_value *v);
drh_str  value_json(const drh_value *v);
/* The same of a container: how deep it is, and whether newlines are between its tokens. */
drh_str       value_container(const drh_value *v, uint32_t *depth, bool *multiline);
struct arena *value_arena(const drh_value *v); /* NULL: of a configuration */
/* A string whose text is known already, or NULL. */
const struct known *value_known(const drh_value *v);
void                value_of(drh_value *v, struct arena *a, const struct place *at);
void                value_of_member(drh_value *v, struct arena *a, const struct member *m);
drh_status          value_child(const drh_value *parent, drh_value *first);
drh_status          value_next(drh_value *v);
drh_status value_member(const drh_value *object, const char *key, size_t len, drh_value *out);
size_t     value_count(const drh_value *v);
/* p[0,len) between quotes of accepted text, decoded and 0-terminated in the arena. */
drh_status value_decode_to(struct arena *a, const char *p, size_t len, bool escaped, drh_str *out);

drh_status record_get_str(const drh_record *r, drh_field f, drh_str *out);
drh_status record_get_i64(const drh_record *r, drh_field f, int64_t *out);
drh_status record_get_f64(const drh_record *r, drh_field f, double *out);
drh_status record_get_bool(const drh_record *r, drh_field f, int32_t *out);
drh_status record_get_json(const drh_record *r, drh_field f, drh_str *out);
drh_status record_get_value(const drh_record *r, drh_field f, drh_value *out);
size_t     record_get_strs(drh_record *const *r, size_t n, drh_field f, drh_str *out);
size_t     record_get_f64s(drh_record *const *r, size_t n, drh_field f, double *out);
size_t record_get_i64s(drh_record *const *r, size_t n, drh_field f, int64_t *out, uint8_t *there);
drh_status record_set_str(drh_record *r, drh_field f, const char *ptr, size_t len);
drh_status record_set_i64(drh_record *r, drh_field f, int64_t v);
drh_status record_set_f64(drh_record *r, drh_field f, double v);
drh_status record_set_bool(drh_record *r, drh_field f, int32_t v);
drh_status record_set_json(drh_record *r, drh_field f, const char *ptr, size_t len);
drh_status record_set_value(drh_record *r, drh_field f, const drh_value *v);
drh_status record_unset(drh_record *r, drh_field f);

/* builder.c */
drh_status builder_open(drh_record *r, drh_field f, uint32_t type);
drh_status builder_begin(drh_record *r, uint32_t type);
drh_status builder_end(drh_record *r);
drh_status builder_put_key(drh_record *r, const char *ptr, size_t len);
drh_status builder_put_str(drh_record *r, const char *ptr, size_t len);
drh_status builder_put_i64(drh_record *r, int64_t v);
drh_status builder_put_f64(drh_record *r, double v);
drh_status builder_put_bool(drh_record *r, int32_t v);
drh_status builder_put_null(drh_record *r);
drh_status builder_put_value(drh_record *r, const drh_value *v);
drh_status builder_close(drh_record *r);

#endif
