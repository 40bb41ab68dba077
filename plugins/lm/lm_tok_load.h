/* SPDX-License-Identifier: MIT
 *
 * lm_tok_load.h - between the files that read tokenizer.json.  One thread, at load.
 */
#ifndef LM_TOK_LOAD_H
#define LM_TOK_LOAD_H

#include "lm_json.h"
#include "lm_tok.h"

enum { LM_TOK_IDS = 1 << 24, LM_TOK_NEST = 8 /* Sequences within one another */ };

struct loader {
    struct lm_tok *t;
    const char    *file;
    drh_error     *e;
    int16_t        byte_of[512]; /* GPT-2's printable stand-in to its byte, or -1 */
    size_t         word_n, merge_n;
    struct lm_text tmp;  /* bytes of a token text */
    struct lm_text both; /* bytes of a merge's two sides */
    struct lm_text keep; /* the first side's text */
    int            byte_level_decoder, fused;
    struct lm_norm replace; /* what the decoder replaces in every token */
    /* Of the TemplateProcessing that is being read. */
    struct lm_slice post_specials;
    int             post_seen; /* texts so far */
};

/* A member of an object, by name; the text is empty when it is not there. */
struct part {
    const char     *name;
    struct lm_slice raw;
};

drh_status lm_load_bad_json(struct loader *l, const struct lm_json *j, const char *where);
drh_status lm_load_unsupported(struct loader *l, const char *where, const char *what);
drh_status lm_load_bad(struct loader *l, const char *where, const char *what);
drh_status lm_load_no_memory(struct loader *l);

/* Notes the text of the named members of an object; the others are passed over. */
drh_status lm_load_parts(struct loader *l, struct lm_slice raw, struct part *parts, size_t n_parts,
                         const char *where);
int        lm_load_is_null(struct lm_slice s); /* not there, or null */
/* true, false or (not there, null) `otherwise`. */
drh_status lm_load_bool(struct loader *l, struct lm_slice raw, const char *where, int otherwise,
                        int *out);
/* A copy, which the caller owns, of a string; with a 0 behind it. */
drh_status lm_load_string(struct loader *l, struct lm_slice raw, const char *where, char **out,
                          size_t *n);
/* Calls fn for every item of an array. */
typedef drh_status (*lm_load_item)(struct loader *l, struct lm_slice raw, int depth);
drh_status lm_load_array(struct loader *l, struct lm_slice raw, const char *where, size_t most,
                         lm_load_item fn, int depth);

drh_status lm_load_normalizer(struct loader *l, struct lm_slice raw);
drh_status lm_load_pre(struct loader *l, struct lm_slice raw);
drh_status lm_load_decoder(struct loader *l, struct lm_slice raw);
/* That it is a BPE one: said before what else such a file may have. */
drh_status lm_load_check_model(struct loader *l, struct lm_slice raw);
drh_status lm_load_model(struct loader *l, struct lm_slice raw);
drh_status lm_load_added(struct loader *l, struct lm_slice raw);
drh_status lm_load_post(struct loader *l, struct lm_slice raw);
/* Fills t->texts, once the vocabulary and the added tokens are there. */
drh_status lm_load_texts(struct loader *l);

int lm_load_init_tables(struct loader *l);
/* Appends to the pool: 0 and the offset, or -1. */
int lm_load_pool(struct lm_tok *t, const char *p, size_t n, uint32_t *off);

#endif /* LM_TOK_LOAD_H */
