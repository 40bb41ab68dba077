/* SPDX-License-Identifier: MIT
 * json.h - the slice scanner of the data path.  Nothing is copied: a value is the bytes of its
 * source.
 *
 * Strict JSON (RFC 8259) with stated limits: depth JSON_MAX_DEPTH, keys JSON_MAX_KEY bytes, valid
 * UTF-8, no raw control character, no lone surrogate, no duplicate key in any object (compared
 * after unescaping).  \u0000 is fine.  All functions [any]; no state. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "arena.h"
#include "buf.h"

#include <drh/plugin.h>

#include <stdbool.h>

enum { JSON_MAX_DEPTH = 512, JSON_MAX_KEY = 65535 };

/* Why a text was refused.  `code` is a reason code for reports: bad_json, bad_utf8, raw_control (a
 * raw NUL too), lone_surrogate, duplicate_key, too_deep, key_too_long. */
struct json_err {
    const char *code;   /* static */
    size_t      offset; /* byte in the text */
    char        message[160];
};

/* A member of an object: slices of the source. */
struct json_member {
    const char *key; /* between the quotes, still escaped */
    const char *val; /* value text, no space around it */
    uint32_t    key_len;
    uint8_t     key_escaped; /* key holds a backslash */
    uint8_t     type;        /* DRH_T_* of the value */
    uint8_t     multiline;   /* value text holds a raw newline between tokens */
    uint8_t     val_escaped; /* the value is a string that holds a backslash */
    size_t      val_len;
};

/* Called for each member of the outermost object, in order. */
typedef drh_status (*json_member_fn)(void *ctx, const struct json_member *m);

/* Checks that text[0,len) is exactly one JSON value (space around it is fine) and, if that is an
 * object, calls fn for each of its members as the check passes them (fn may be NULL).  `scratch`
 * holds what the duplicate check of large objects needs.  DRH_OK, DRH_E_DATA (*e filled),
 * DRH_E_NOMEM, or what fn returned.  *type gets the outermost type. */
drh_status json_scan(const char *text, size_t len, struct arena *scratch, json_member_fn fn,
                     void *ctx, uint32_t *type, struct json_err *e);

/* The same; *newline tells whether there is a newline between tokens. */
drh_status json_scan_lines(const char *text, size_t len, struct arena *scratch, json_member_fn fn,
                           void *ctx, uint32_t *type, bool *newline, struct json_err *e);

/* For text that json_scan() has refused: a copy of it in the arena with null for NaN, Infinity and
 * -Infinity, which Python writes, and without commas before a closing bracket.  It need not be JSON
 * yet.  DRH_E_DATA: there is nothing of the kind in it.  DRH_E_NOMEM. */
drh_status json_mend(struct arena *a, const char **text, size_t *len);

/* ---- the rest works on text that json_scan() has accepted ---- */

uint32_t    json_type(const char *p);                  /* by the first byte */
const char *json_skip(const char *p, const char *end); /* p at a value: one past its end */
/* The same, and how deep it is: 0 for a scalar, 1 for [] ... */
const char *json_skip_depth(const char *p, const char *end, uint32_t *depth);
const char *json_space(const char *p, const char *end);     /* past white space */
bool        json_has_escape(const char *p, size_t len);     /* a backslash in p[0,len) */
uint32_t    json_depth(const char *p, size_t len);          /* 0 for a scalar, 1 for [] ... */
size_t json_unescape(const char *p, size_t len, char *out); /* out holds len bytes; returns used */
size_t json_escape_len(const char *p); /* p at a backslash; a surrogate pair counts as one */
/* True when the source key[0,key_len) means want[0,len). */
bool json_key_is(const char *key, size_t key_len, bool escaped, const char *want, size_t len);
/* OK, E_TYPE (a fraction or an exponent), E_RANGE */
drh_status json_i64(const char *p, size_t len, int64_t *out);
drh_status json_f64(const char *p, size_t len, double *out); /* nearest; E_RANGE: overflow */
/* The value on one line: white space between tokens removed. */
drh_status json_minify(struct buf *b, const char *p, size_t len);
char *json_minify_to(char *out, const char *p, size_t len); /* out holds len; past the last byte */

/* The children of an array or object, one after another. */
struct json_walk {
    const char *at, *end;
    const char *before;  /* end of the child before this one, or behind the opening bracket */
    const char *key;     /* objects: between the quotes */
    const char *val;     /* start of the child's value */
    const char *val_end; /* NULL until asked for: json_walk_end() */
    /* A string in the text whose end is known, or NULL: it is not walked through again. */
    const char *string, *string_end;
    const char *parent, *child; /* a container and the value of a child of it, or NULL */
    uint32_t    key_len;
    bool        key_escaped, object;
};

void        json_walk_open(struct json_walk *w, const char *p, const char *end); /* p at { or [ */
bool        json_walk_next(struct json_walk *w); /* after the last: w->at is at the bracket */
const char *json_walk_end(struct json_walk *w);
bool        json_walk_find(struct json_walk *w, const char *key, size_t len); /* from here on */
/* The same from just after json_walk_open(), over the whole object: first behind `child`, the value
 * of a member, then before it.  No key is there twice, so what is found does not depend on it. */
bool json_walk_find_near(struct json_walk *w, const char *child, const char *key, size_t len);

/* ---- writing ---- */

/* "text" with quotes and the escapes that JSON demands; everything else as it is.  DRH_E_DATA when
 * it is not UTF-8. */
drh_status json_quote(struct buf *b, const char *p, size_t len);
/* The same in two steps: the size with quotes, then the bytes to out; returns past the last. */
drh_status json_quoted(const char *p, size_t len, size_t *size);
char      *json_quote_to(char *out, const char *p, size_t len, size_t size);
/* Shortest form that reads back to the same double.  DRH_E_RANGE for NaN and infinities. */
drh_status json_put_f64(struct buf *b, double v);
drh_status json_put_i64(struct buf *b, int64_t v);
enum { JSON_NUM_SIZE = 32 };
size_t json_fmt_f64(char *out, double v); /* to JSON_NUM_SIZE bytes; the length; 0: NaN, inf */
size_t json_fmt_i64(char *out, int64_t v);
bool   json_utf8_valid(const char *p, size_t len);

#endif
