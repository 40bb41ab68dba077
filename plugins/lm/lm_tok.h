/* SPDX-License-Identifier: MIT
 *
 * lm_tok.h - byte-level BPE as in GPT-2's tokenizer.json: text to token ids.
 *
 * lm_tok_load on one thread; everything else only reads and may run on any thread.  Encoding takes
 * n log n time in the length of a word, and no lock; memory only for words over 64 bytes.
 */
#ifndef LM_TOK_H
#define LM_TOK_H

#include "lm_split.h"

#include <drh/plugin.h>

struct lm_tok_added {
    char    *text;
    size_t   len;
    uint32_t id;
    int      special; /* 0: found in any text */
};

struct lm_tok_merge { /* key = left << 32 | right; empty: UINT64_MAX */
    uint64_t key;
    uint32_t rank, id;
};

struct lm_tok_word { /* bytes at pool + off */
    uint64_t hash;
    uint32_t off, len, id;
    uint32_t whole; /* 1: BPE of these bytes gives just this token */
};

struct lm_tok {
    struct lm_split      split;
    uint32_t             byte_id[256];
    struct lm_tok_merge *merges;
    size_t               merge_mask;
    struct lm_tok_word  *words;
    size_t               word_mask;
    char                *pool;
    size_t               pool_n, pool_cap;
    struct lm_tok_added *added;
    size_t               n_added;
    uint8_t              added_first[256]; /* 1: an added token begins with this byte */
    int                  added_plain;      /* 1: some of them are found in any text */
    size_t               n_vocab;          /* entries */
    uint32_t             max_id;
};

/* Tokens go here: ids may be NULL to count only, else room for cap; count runs on beyond cap. */
struct lm_tok_out {
    uint32_t *ids;
    size_t    cap, count;
};

#define LM_TOK_NONE UINT32_MAX

drh_status lm_tok_load(struct lm_tok *t, const uint8_t *json, size_t n, const char *file,
                       drh_error *e);
void       lm_tok_free(struct lm_tok *t);

/* Appends the tokens of text.  In its first `special_n` bytes special tokens are control tokens,
 * behind them they are plain text.  -1: out of memory. */
int lm_tok_encode(const struct lm_tok *t, const char *text, size_t n, size_t special_n,
                  struct lm_tok_out *out);

/* Id of an added token or a vocabulary entry by its text, or LM_TOK_NONE. */
uint32_t lm_tok_id(const struct lm_tok *t, const char *text, size_t n);

/* -- between lm_tok.c and lm_tok_load.c -- */
uint64_t                  lm_tok_hash(const char *p, size_t n);
const struct lm_tok_word *lm_tok_find_word(const struct lm_tok *t, const char *p, size_t n);
size_t                    lm_tok_merge_slot(const struct lm_tok *t, uint64_t key);
int lm_tok_word_encode(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out);

#endif /* LM_TOK_H */
