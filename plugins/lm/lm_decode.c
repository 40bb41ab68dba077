/* SPDX-License-Identifier: MIT
 *
 * lm_decode.c - see lm_decode.h.
 */
#include "lm_decode.h"

#include <string.h>

static const char bad[] = "\xef\xbf\xbd"; /* U+FFFD */

void lm_decode_init(struct lm_decoder *d, const struct lm_tok *t, unsigned flags)
{
    memset(d, 0, sizeof(*d));
    d->t = t;
    d->flags = flags;
    d->strip = t->decoder.strip_n ? t->decoder.strip_most : 0;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void copy(struct lm_decode_out *out, const char *p, size_t n)
{
    if (out->count < out->cap) {
        size_t room = out->cap - out->count;
        memcpy(out->p + out->count, p, n < room ? n : room);
    }
    out->count += n;
}

/* One whole character, or in BYTES any bytes. */
static void put_char(struct lm_decoder *d, struct lm_decode_out *out, const char *p, size_t n)
{
    const struct lm_tok_decoder *k = &d->t->decoder;
    if (d->strip) {
        if (n == k->strip_n && memcmp(p, k->strip, n) == 0) {
            d->strip--;
            return;
        }
        d->strip = 0;
    }
    copy(out, p, n);
}

/* How many bytes a character has that begins with p[0..n); 0: they begin none.  The range of a
 * second byte depends on the first. */
static size_t wanted(const unsigned char *p, size_t n)
{
    const unsigned b = p[0];
    size_t len = b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
    if (len > 1 && n > 1) {
        unsigned lo = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
        unsigned hi = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
        len = p[1] >= lo && p[1] <= hi ? len : 0;
    }
    for (size_t i = 2; i < n && len; i++) {
        len = lm_utf8_more(p[i]) ? len : 0;
    }
    return len;
}

static void give_up(struct lm_decoder *d, struct lm_decode_out *out, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        put_char(d, out, bad, 3);
    }
    d->n_wait = 0;
}

/* alone: an ill-formed part of n bytes gives n U+FFFD instead of one. */
static void put_byte(struct lm_decoder *d, struct lm_decode_out *out, char b, int alone)
{
    size_t want;
    if (d->flags & LM_DECODE_BYTES) {
        put_char(d, out, &b, 1);
        return;
    }
    d->wait[d->n_wait++] = b;
    want = wanted((unsigned char *)d->wait, d->n_wait);
    if (want == 0 && d->n_wait > 1) { /* b itself may begin a character */
        give_up(d, out, alone ? d->n_wait - 1 : 1);
        d->wait[d->n_wait++] = b;
        want = wanted((unsigned char *)d->wait, 1);
    }
    if (want == 0) {
        give_up(d, out, 1);
    } else if (want == d->n_wait) {
        d->n_wait = 0;
        put_char(d, out, d->wait, want);
    }
}

static void put_bytes(struct lm_decoder *d, struct lm_decode_out *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_byte(d, out, p[i], 0);
    }
}

/* ---- tokens -------------------------------------------------------------------------------- */

static int left_out(const struct lm_tok *t, uint32_t id, unsigned flags)
{
    unsigned have = id <= t->max_id ? t->texts[id].flags : 0;
    return !(have & LM_TOK_USED) || ((flags & LM_DECODE_SKIP_SPECIAL) && (have & LM_TOK_SPECIAL));
}

/* A byte-level vocabulary's characters may go over several tokens; elsewhere only those of byte
 * tokens do. */
static void end_of_bytes(struct lm_decoder *d, struct lm_decode_out *out)
{
    give_up(d, out, d->t->byte_level ? d->n_wait > 0 : d->n_wait);
}

/* Metaspace: the first token loses every replacement character. */
static void put_first(struct lm_decoder *d, struct lm_decode_out *out, const struct lm_tok_text *x)
{
    const struct lm_tok_decoder *k = &d->t->decoder;
    const char                  *p = d->t->pool + x->off;
    for (size_t i = 0; i < x->len;) {
        if (x->len - i >= k->first_drop_n && memcmp(p + i, k->first_drop, k->first_drop_n) == 0) {
            i += k->first_drop_n;
        } else {
            put_byte(d, out, p[i++], 0);
        }
    }
}

void lm_decode_push(struct lm_decoder *d, uint32_t id, struct lm_decode_out *out)
{
    const struct lm_tok      *t = d->t;
    const struct lm_tok_text *x;
    const int                 first = !d->begun;
    if (left_out(t, id, d->flags)) {
        return;
    }
    x = &t->texts[id];
    d->begun = 1;
    if (x->flags & LM_TOK_BYTE) {
        put_byte(d, out, (char)x->byte, 1);
        return;
    }
    if (!t->byte_level) {
        end_of_bytes(d, out);
    }
    if (first && t->decoder.first_drop_n) {
        put_first(d, out, x);
    } else {
        put_bytes(d, out, t->pool + x->out_off, x->out_len);
    }
}

void lm_decode_end(struct lm_decoder *d, struct lm_decode_out *out)
{
    end_of_bytes(d, out);
    lm_decode_init(d, d->t, d->flags);
}

/* The run of byte tokens from ids[0], with what is left out among them: its end; *bytes of them,
 * and whether they are UTF-8 together. */
static size_t byte_run(const struct lm_decoder *d, const uint32_t *ids, size_t n, size_t *bytes,
                       int *ok)
{
    unsigned char w[4];
    size_t        i = 0, n_w = 0, want = 0;
    *bytes = 0;
    *ok = 1;
    for (; i < n; i++) {
        if (left_out(d->t, ids[i], d->flags)) {
            continue;
        }
        if (!(d->t->texts[ids[i]].flags & LM_TOK_BYTE)) {
            break;
        }
        w[n_w++] = d->t->texts[ids[i]].byte;
        want = wanted(w, n_w);
        *ok &= want > 0;
        n_w = want == n_w || want == 0 ? 0 : n_w;
        (*bytes)++;
    }
    *ok &= n_w == 0;
    return i;
}

void lm_decode(const struct lm_tok *t, const uint32_t *ids, size_t n, unsigned flags,
               struct lm_decode_out *out)
{
    struct lm_decoder d;
    size_t            i = 0;
    lm_decode_init(&d, t, flags);
    while (i < n) {
        size_t bytes = 0, end = i;
        int    ok = 1;
        if (!left_out(t, ids[i], flags) && (t->texts[ids[i]].flags & LM_TOK_BYTE)) {
            end = i + byte_run(&d, ids + i, n - i, &bytes, &ok);
        }
        if (!ok && !(flags & LM_DECODE_BYTES)) {
            give_up(&d, out, bytes);
            d.begun = 1;
            i = end;
            continue;
        }
        end = end > i ? end : i + 1;
        for (; i < end; i++) {
            lm_decode_push(&d, ids[i], out);
        }
    }
    lm_decode_end(&d, out);
}
