/* SPDX-License-Identifier: MIT
 *
 * lm_norm.h - the normalizers of tokenizer.json: NFC and the like by utf8proc, prepended and
 * replaced texts, small letters, stripped white space.  Text that does not change is not copied.
 * Linear in the text, combining marks in any number and order included.  Read-only once loaded: any
 * thread.
 */
#ifndef LM_NORM_H
#define LM_NORM_H

#include "lm_json.h"
#include "lm_regex.h"
#include "lm_uni.h"

enum { LM_NORM_MAX = 16 };

enum lm_norm_kind { LM_NORM_FORM, LM_NORM_PREPEND, LM_NORM_REPLACE, LM_NORM_LOWER, LM_NORM_STRIP };

struct lm_norm_step {
    enum lm_norm_kind kind;
    int               compose, compat; /* FORM */
    int               left, right;     /* STRIP */
    uint8_t          *inert;           /* FORM: 1 for a code point that never changes a neighbour */
    struct lm_regex  *re;              /* REPLACE by pattern; else `from` is replaced */
    char             *from, *to;       /* owned */
    size_t            from_n, to_n;
};

struct lm_norm {
    struct lm_norm_step step[LM_NORM_MAX];
    size_t              n;
};

/* A text that grows; owned. */
struct lm_text {
    char  *p;
    size_t n, cap;
};

int  lm_text_put(struct lm_text *t, const char *p, size_t n); /* 0, or -1: out of memory */
void lm_text_free(struct lm_text *t);

/* Fills step->inert by step->compose and compat.  -1: out of memory. */
int  lm_norm_form(struct lm_norm_step *step);
void lm_norm_free(struct lm_norm *m);

/* The normalized text, which is p[0..n) itself or lies in one of the two buffers.  -1: out of
 * memory, or a pattern that is too costly. */
int lm_norm_run(const struct lm_norm *m, const struct lm_uni *u, const char *p, size_t n,
                struct lm_text buf[2], struct lm_slice *out);

#endif /* LM_NORM_H */
