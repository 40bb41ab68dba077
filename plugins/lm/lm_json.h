/* SPDX-License-Identifier: MIT
 *
 * lm_json.h - pull reader for the JSON files of a model: config.json, tokenizer.json, the header of
 * a safetensors file.  Works on bytes in place, keeps no tree, never recurses, so a tokenizer with
 * 50,000 entries loads in milliseconds.  Hostile input is an error, never a fault.
 *
 * Use: lm_json_init; then lm_json_enter('{'), while (lm_json_key(&j, &k) == 1) { read or skip }.
 * After a failed call `err` says why and every further call fails too.  One thread a reader.
 */
#ifndef LM_JSON_H
#define LM_JSON_H

#include <stddef.h>
#include <stdint.h>

enum { LM_JSON_DEPTH = 256 };

struct lm_json {
    const char *start, *p, *end;
    const char *err;       /* static text, or NULL */
    int         no_memory; /* that is what err says: the file is not to blame */
    int         first;
    char       *buf; /* text of the last string that had escapes */
    size_t      cap;
};

/* Text of a string; valid until the next string is read. */
struct lm_slice {
    const char *p;
    size_t      n;
};

void lm_json_init(struct lm_json *j, const void *p, size_t n);
void lm_json_free(struct lm_json *j);

/* First byte of the next value ('{', '[', '"', 't', 'f', 'n', '-', digit), or 0 on error. */
int lm_json_peek(struct lm_json *j);
/* Enters an object ('{') or array ('['): 0, or -1. */
int lm_json_enter(struct lm_json *j, char open);
/* Next member of the entered object: 1 with its key, 0 at the end (left), -1 on error. */
int lm_json_key(struct lm_json *j, struct lm_slice *key);
/* Next item of the entered array: 1, 0 at the end (left), -1 on error. */
int lm_json_item(struct lm_json *j);

int lm_json_string(struct lm_json *j, struct lm_slice *out);
int lm_json_uint(struct lm_json *j, uint64_t *out); /* whole number >= 0 */
int lm_json_number(struct lm_json *j, double *out);
int lm_json_bool(struct lm_json *j, int *out);
int lm_json_null(struct lm_json *j);
/* Skips a value; *raw (may be NULL) is its text. */
int lm_json_skip(struct lm_json *j, struct lm_slice *raw);
/* 0 when nothing but white space follows. */
int lm_json_end(struct lm_json *j);

/* Byte offset, for messages. */
size_t lm_json_at(const struct lm_json *j);
int    lm_slice_eq(struct lm_slice s, const char *lit);

#endif /* LM_JSON_H */
