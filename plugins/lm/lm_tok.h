/* SPDX-License-Identifier: MIT
 *
 * lm_tok.h - tokenizer.json with a BPE model, as Hugging Face tokenizers reads it: text to token
 * ids.  Byte-level vocabularies (GPT-2, Llama 3, Qwen2 ...) and those of characters with bytes for
 * the rest (SentencePiece: Llama 2, Mistral, Gemma).  The way back is lm_decode.h.
 *
 * lm_tok_load on one thread; everything else only reads and may run on any thread.  Encoding takes
 * n log n time in the length of a word, and no lock.  What a file asks for that would change the
 * tokens and is not done here is refused at load, with its field.
 */
#ifndef LM_TOK_H
#define LM_TOK_H

#include "lm_pre.h"

#include <drh/plugin.h>

struct lm_tok_added {
    char    *text; /* as the file has it; owned */
    size_t   len;
    char    *key; /* what is looked for: the same, or its normalized form; owned */
    size_t   key_len;
    uint32_t id;
    int      special; /* 0: found in any text */
    int      normalized, single_word, lstrip, rstrip;
};

/* Added tokens that are looked for in one and the same text, by the bytes of their keys. */
struct lm_tok_set {
    struct lm_tok_added **by_key; /* into lm_tok.added */
    size_t                n;
    uint8_t               first[256]; /* 1: a key begins with this byte */
    int                   plain;      /* 1: some of them are found in any text */
};

struct lm_tok_merge { /* key = left << 32 | right; empty: UINT64_MAX */
    uint64_t key;
    uint32_t rank, id;
};

struct lm_tok_word { /* bytes at pool + off */
    uint64_t hash;
    uint32_t off, len, id;
    uint8_t  whole; /* 1: BPE of these bytes gives just this token */
    uint8_t  alien; /* 1: no text has it: a control token, or one that a byte-level vocabulary does
                       not spell in its letters */
};

enum { LM_TOK_USED = 1, LM_TOK_SPECIAL = 2, LM_TOK_BYTE = 4, LM_TOK_ADDED = 8 };

struct lm_tok_text { /* what an id stands for to the decoder: bytes at pool + off */
    uint32_t off, len;
    uint32_t out_off, out_len; /* the same behind the decoder's replacements */
    uint8_t  flags;            /* LM_TOK_USED ... */
    uint8_t  byte;             /* LM_TOK_BYTE: which one */
};

/* decoder, as far as it is the same for all texts; see lm_decode.c */
struct lm_tok_decoder {
    int    byte_fallback; /* <0x41> is a byte */
    char   first_drop[5]; /* Metaspace: dropped from the first token */
    size_t first_drop_n;
    char   strip[5]; /* Strip: how often it is dropped from the start */
    size_t strip_n, strip_most;
};

enum { LM_TOK_POST_MAX = 8, LM_TOK_MAYBE_BITS = 21, LM_TOK_JOIN_BITS = 20 };

struct lm_tok {
    struct lm_uni         uni;
    struct lm_norm        norm;
    struct lm_pre         pre;
    int                   byte_level, ignore_merges, fuse_unk;
    uint32_t              byte_id[256];  /* byte-level: its token; else <0x00> ..., or none */
    uint32_t             *char_id;       /* not byte-level: by code point, id + 1 or 0 */
    uint64_t             *joins, *loose; /* bits, see part_end in lm_bpe.c */
    uint32_t              unk;           /* LM_TOK_NONE: there is none */
    struct lm_tok_merge  *merges;
    size_t                merge_mask;
    unsigned              merge_shift; /* 64 - log2 of the slots */
    uint64_t             *maybe;       /* a bit for the hash of every merge */
    struct lm_tok_word   *words;
    size_t                word_mask;
    size_t                longest_word;
    char                 *pool;
    size_t                pool_n, pool_cap;
    struct lm_tok_added  *added;
    size_t                n_added;
    struct lm_tok_set     raw, normalized; /* found before and behind the normalizer */
    struct lm_tok_text   *texts;           /* max_id + 1 */
    struct lm_tok_decoder decoder;
    size_t                n_vocab; /* entries */
    uint32_t              max_id;
    /* What the post-processor puts before and behind one text; lm_tok_encode leaves it out. */
    uint32_t post_first[LM_TOK_POST_MAX], post_last[LM_TOK_POST_MAX];
    size_t   n_post_first, n_post_last;
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
 * behind them they are plain text.  -1: out of memory, or a pattern of the file is too costly for
 * this text. */
int lm_tok_encode(const struct lm_tok *t, const char *text, size_t n, size_t special_n,
                  struct lm_tok_out *out);

/* A control token of a text, known by its place: its own text stands there. */
struct lm_tok_mark {
    size_t                     at;
    const struct lm_tok_added *token;
};

/* The same with control tokens at the marks, in their order, and nowhere else. */
int lm_tok_encode_marked(const struct lm_tok *t, const char *text, size_t n,
                         const struct lm_tok_mark *mark, size_t n_marks, struct lm_tok_out *out);

/* Added token by its text, or NULL. */
struct lm_tok_added *lm_tok_added_of(const struct lm_tok *t, const char *text, size_t n);

/* Id of an added token or a vocabulary entry by its text, or LM_TOK_NONE. */
uint32_t lm_tok_id(const struct lm_tok *t, const char *text, size_t n);

/* Text of an id: bytes for a byte-level vocabulary, else as the vocabulary spells it; of an added
 * token as the file has it.  NULL: there is no such id. */
const char *lm_tok_text(const struct lm_tok *t, uint32_t id, size_t *n);

/* 1: a special token, which data never holds. */
int lm_tok_is_special(const struct lm_tok *t, uint32_t id);

/* ---- between the files of the tokenizer ---------------------------------------------------- */

uint64_t                  lm_tok_hash(const char *p, size_t n);
const struct lm_tok_word *lm_tok_find(const struct lm_tok *t, const char *p, size_t n, int alien);
size_t                    lm_tok_merge_slot(const struct lm_tok *t, uint64_t key);

/* BPE alone, and with the vocabulary's shortcuts: p[0..n) is one word. */
int  lm_bpe_merge(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out);
int  lm_bpe_word(const struct lm_tok *t, const char *p, size_t n, struct lm_tok_out *out);
void lm_bpe_note_merge(struct lm_tok *t, uint64_t key);
/* Notes that a merge joins what p[0..n) ends with and what q[0..m) begins with. */
void lm_bpe_note_join(struct lm_tok *t, const char *p, size_t n, const char *q, size_t m);

static inline void lm_tok_emit(struct lm_tok_out *out, uint32_t id)
{
    if (out->count < out->cap) {
        out->ids[out->count] = id;
    }
    out->count++;
}

#endif /* LM_TOK_H */
