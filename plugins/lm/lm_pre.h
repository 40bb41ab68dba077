/* SPDX-License-Identifier: MIT
 *
 * lm_pre.h - the pre-tokenizers of tokenizer.json: they cut a text into the words that BPE then
 * works on.  A chain of steps; every piece of one goes through the next.  Read-only once loaded:
 * any thread.
 */
#ifndef LM_PRE_H
#define LM_PRE_H

#include "lm_norm.h"
#include "lm_split.h"

enum { LM_PRE_MAX = 16 };

enum lm_pre_kind {
    LM_PRE_CUT,      /* a known pattern */
    LM_PRE_SPLIT,    /* any pattern */
    LM_PRE_PREFIX,   /* ByteLevel's add_prefix_space */
    LM_PRE_METASPACE /* spaces become another character, and are cut at */
};

enum lm_pre_behavior { LM_ISOLATED, LM_REMOVED, LM_WITH_PREVIOUS, LM_WITH_NEXT, LM_CONTIGUOUS };

enum lm_pre_prepend { LM_PREPEND_ALWAYS, LM_PREPEND_FIRST, LM_PREPEND_NEVER };

struct lm_pre_step {
    enum lm_pre_kind     kind;
    lm_split_fn          cut;
    struct lm_regex     *re; /* owned */
    enum lm_pre_behavior behavior;
    int                  invert;
    char                 meta[5]; /* METASPACE: what spaces become */
    size_t               meta_n;
    enum lm_pre_prepend  prepend;
    int                  split;
};

struct lm_pre {
    struct lm_pre_step step[LM_PRE_MAX];
    size_t             n;
};

/* One run: what takes the words, and the matching data of the steps. */
struct lm_pre_run {
    const struct lm_pre *pre;
    const struct lm_uni *uni;
    int (*word)(void *ctx, const char *p, size_t n); /* 0, or the result of lm_pre_text */
    void *ctx;
    void *data[LM_PRE_MAX];
};

/* Cuts p[0..n); first: it is the beginning of the whole text.  0, or what `word` gave, or -1: out
 * of memory, or a pattern that is too costly. */
int  lm_pre_text(struct lm_pre_run *r, const char *p, size_t n, int first);
void lm_pre_run_end(struct lm_pre_run *r);

void lm_pre_free(struct lm_pre *pre);

#endif /* LM_PRE_H */
