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

/* ---- the rest works on text that json_scan() has accepted ---- */

uint32_t    json_type(const char *p);                       /* by the first byte */
const char *json_skip(const char *p, const char *end);      /* p at a value: one past its end */
const char *json_space(const char *p, const char *end);     /* past white space */
bool        json_has_escape(const char *p, size_t len);     /* a backslash in p[0,len) */
size_t json_unescape(const char *p, size_t len, char *out); /* out holds len bytes; returns used */
drh_status json_i64(const char *p, size_t len,
                    int64_t *out);                           /* OK, E_TYPE, E_RANGE: see plugin.h */
drh_status json_f64(const char *p, size_t len, double *out); /* nearest; any locale */
/* The value on one line: white space between tokens removed. */
drh_status json_minify(struct buf *b, const char *p, size_t len);

/* ---- writing ---- */

/* "text" with quotes and the escapes that JSON demands; everything else as it is.  DRH_E_DATA when
 * it is not UTF-8. */
drh_status json_quote(struct buf *b, const char *p, size_t len);
/* Shortest form that reads back to the same double.  DRH_E_RANGE for NaN and infinities. */
drh_status json_put_f64(struct buf *b, double v);
drh_status json_put_i64(struct buf *b, int64_t v);
bool       json_utf8_valid(const char *p, size_t len);

#endif
