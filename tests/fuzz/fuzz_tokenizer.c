/* SPDX-License-Identifier: MIT
 * fuzz_tokenizer.c - any bytes as a tokenizer.json and a text, apart by a line "----".  A file that
 * is refused must say why.  One that loads encodes the text, as data and as a prompt, and its
 * tokens are decoded, at once and one by one.  What must hold then: every id is known, counting
 * gives the same number, data hold no special token, and a byte-level file without a normalizer
 * gives the text back. */
#include "lm_decode.h"
#include "must.h"

#include <drh/util.h>
#include <string.h>

enum { MAX_JSON = 1 << 16, MAX_TEXT = 1 << 12 };

static const char line[] = "\n----\n";

struct tokens {
    uint32_t *ids;
    size_t    n;
};

/* 0: a pattern of the file is too costly for the text. */
static int encode(const struct lm_tok *t, drh_str s, size_t special_n, struct tokens *k)
{
    struct lm_tok_out out = {NULL, 0, 0}, again;
    k->ids = NULL;
    k->n = 0;
    if (lm_tok_encode(t, s.ptr, s.len, special_n, &out)) {
        return 0;
    }
    MUST((k->ids = malloc((out.count + 1) * sizeof(*k->ids))));
    again = (struct lm_tok_out){k->ids, out.count, 0};
    MUST(lm_tok_encode(t, s.ptr, s.len, special_n, &again) == 0);
    MUST(again.count == out.count);
    k->n = out.count;
    return 1;
}

/* What plain BPE may come to, whatever else the file says of it. */
static int is_plain(const struct lm_tok *t, uint32_t id)
{
    int yes = id == t->unk;
    for (size_t i = 0; i <= t->merge_mask && !yes; i++) {
        yes = t->merges[i].key != UINT64_MAX && t->merges[i].id == id;
    }
    for (size_t i = 0; i < 256 && !yes; i++) {
        yes = t->byte_id[i] == id;
    }
    for (size_t i = 0; t->char_id && i < 0x110000 && !yes; i++) {
        yes = t->char_id[i] == id + 1;
    }
    return yes;
}

static void check_ids(const struct lm_tok *t, const struct tokens *k, int data)
{
    size_t len;
    for (size_t i = 0; i < k->n; i++) {
        MUST(lm_tok_text(t, k->ids[i], &len));
        MUST(!data || !lm_tok_is_special(t, k->ids[i]) || is_plain(t, k->ids[i]));
    }
}

static int is_utf8(const char *p, size_t n)
{
    uint32_t c = 0;
    for (size_t at = 0; at < n && c != LM_NO_CHAR;) {
        at += lm_utf8((const unsigned char *)p + at, n - at, &c);
    }
    return c != LM_NO_CHAR;
}

/* At once into a block of just its size; the caller frees it. */
static drh_str decode(const struct lm_tok *t, const struct tokens *k, unsigned flags)
{
    struct lm_decode_out out = {NULL, 0, 0};
    char                *p;
    lm_decode(t, k->ids, k->n, flags, &out);
    MUST((p = malloc(out.count + 1)));
    out.p = p;
    out.cap = out.count;
    out.count = 0;
    lm_decode(t, k->ids, k->n, flags, &out);
    MUST(out.count == out.cap);
    return (drh_str){p, out.count};
}

static void stream(const struct lm_tok *t, const struct tokens *k)
{
    char              b[256];
    struct lm_decoder d;
    lm_decode_init(&d, t, 0);
    for (size_t i = 0; i <= k->n; i++) {
        struct lm_decode_out out = {b, sizeof(b), 0};
        if (i < k->n) {
            lm_decode_push(&d, k->ids[i], &out);
        } else {
            lm_decode_end(&d, &out);
        }
        MUST(out.count > sizeof(b) || is_utf8(b, out.count));
    }
}

static void one_way(const struct lm_tok *t, drh_str text, size_t special_n, int same)
{
    struct tokens k;
    if (encode(t, text, special_n, &k)) {
        drh_str s = decode(t, &k, LM_DECODE_BYTES);
        check_ids(t, &k, special_n == 0);
        MUST(!same || (s.len == text.len && memcmp(s.ptr, text.ptr, s.len) == 0));
        free((void *)(uintptr_t)s.ptr);
        s = decode(t, &k, LM_DECODE_SKIP_SPECIAL);
        MUST(is_utf8(s.ptr, s.len));
        free((void *)(uintptr_t)s.ptr);
        stream(t, &k);
    }
    free(k.ids);
}

/* Each id stands for one text. */
static int ids_differ(const struct lm_tok *t)
{
    for (size_t i = 0; i <= t->word_mask; i++) {
        const struct lm_tok_word *w = &t->words[i];
        size_t                    n;
        const char               *p = w->id == LM_TOK_NONE ? NULL : lm_tok_text(t, w->id, &n);
        if (p && (n != w->len || memcmp(p, t->pool + w->off, n) != 0)) {
            return 0;
        }
    }
    for (size_t i = 0; i < t->n_added; i++) {
        const struct lm_tok_added *a = &t->added[i];
        size_t                     n;
        const char                *p = lm_tok_text(t, a->id, &n);
        if (a->lstrip || a->rstrip || n != a->len || memcmp(p, a->text, n) != 0) {
            return 0;
        }
    }
    return 1;
}

/* Nothing takes bytes away or adds some: no pre-tokenizer, no added token that takes spaces with
 * it, no id with two texts, no byte without a token. */
static int gives_back(const struct lm_tok *t)
{
    int same = t->byte_level && t->norm.n == 0 && ids_differ(t);
    for (size_t i = 0; i < t->pre.n; i++) {
        const struct lm_pre_step *s = &t->pre.step[i];
        same &= s->kind == LM_PRE_CUT || (s->kind == LM_PRE_SPLIT && s->behavior != LM_REMOVED);
    }
    for (size_t i = 0; i < 256; i++) {
        same &= t->byte_id[i] != LM_TOK_NONE;
    }
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lm_tok t;
    drh_error     e = DRH_ERROR_INIT;
    drh_status    st;
    size_t        n = 0;
    drh_str       text;
    int           same;
    while (n < size && (size - n < sizeof(line) - 1 || memcmp(data + n, line, sizeof(line) - 1))) {
        n++;
    }
    text.ptr = (const char *)data + (n < size ? n + sizeof(line) - 1 : size);
    text.len = (size_t)((const char *)data + size - text.ptr);
    if (n > MAX_JSON || text.len > MAX_TEXT) {
        return 0;
    }
    st = lm_tok_load(&t, data, n, "fuzz.json", &e);
    if (st != DRH_OK) {
        MUST(strstr(e.message, "fuzz.json"));
        return 0;
    }
    same = gives_back(&t);
    one_way(&t, text, 0, same);
    one_way(&t, text, text.len, same);
    one_way(&t, text, text.len / 2, same);
    lm_tok_free(&t);
    return 0;
}
