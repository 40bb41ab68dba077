/* SPDX-License-Identifier: MIT
 *
 * lm_decode.h - token ids back to text, by the decoder of tokenizer.json.
 *
 * A struct lm_decoder takes ids one after the other and gives text that is UTF-8 at any moment:
 * the first bytes of a character wait in it for the others.  Bytes that are no UTF-8 become U+FFFD,
 * one for each ill-formed part, as a whole text would.  Ids that the vocabulary has not give
 * nothing.  The tokenizer must stay alive; decoders are independent, one thread each.
 *
 * Two things differ from Hugging Face tokenizers: an added token is always its own text (there, a
 * byte-level decoder reads one of Latin letters as bytes), and without a decoder in the file texts
 * are joined without spaces.
 */
#ifndef LM_DECODE_H
#define LM_DECODE_H

#include "lm_tok.h"

enum {
    LM_DECODE_SKIP_SPECIAL = 1, /* special tokens give nothing */
    LM_DECODE_BYTES = 2         /* bytes as they are, UTF-8 or not: nothing waits */
};

/* Text goes here: p may be NULL to count only, else room for cap; count runs on beyond cap. */
struct lm_decode_out {
    char  *p;
    size_t cap, count;
};

struct lm_decoder {
    const struct lm_tok *t;
    unsigned             flags;
    int                  begun;   /* a token was written */
    size_t               strip;   /* characters that may still be dropped from the start */
    char                 wait[4]; /* begin of a character */
    size_t               n_wait;
};

void lm_decode_init(struct lm_decoder *d, const struct lm_tok *t, unsigned flags);
void lm_decode_push(struct lm_decoder *d, uint32_t id, struct lm_decode_out *out);
/* What still waits, as U+FFFD; the decoder may then begin anew. */
void lm_decode_end(struct lm_decoder *d, struct lm_decode_out *out);

/* All at once.  The same text as by the three above, but that a run of byte tokens (<0xE4>) which
 * is not UTF-8 as a whole becomes one U+FFFD a byte, as in the original. */
void lm_decode(const struct lm_tok *t, const uint32_t *ids, size_t n, unsigned flags,
               struct lm_decode_out *out);

#endif /* LM_DECODE_H */
