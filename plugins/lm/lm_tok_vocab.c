/* SPDX-License-Identifier: MIT
 *
 * lm_tok_vocab.c - reads the model of tokenizer.json: vocabulary and merges into hash tables.
 */
#include "lm_tok_load.h"

#include <drh/util.h>

#include <stdlib.h>

/* Token text to bytes in l->tmp: 1, 0 when it is not spelled in the stand-ins of a byte-level
 * vocabulary (then it is copied as it is), -1 out of memory. */
static int to_bytes(struct loader *l, struct lm_slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    l->tmp.n = 0;
    if (lm_text_put(&l->tmp, s.p, s.n)) {
        return -1;
    }
    if (!l->t->byte_level) {
        return 1;
    }
    l->tmp.n = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint32_t c = p[i];
        if (c >= 0xc2 && c < 0xc8 && i + 1 < s.n && lm_utf8_more(p[i + 1])) {
            c = (c & 31u) << 6 | (p[++i] & 63u);
        } else if (c >= 0x80) {
            c = 511; /* no stand-in */
        }
        if (l->byte_of[c] < 0) {
            if (s.n) {
                memcpy(l->tmp.p, s.p, s.n);
            }
            l->tmp.n = s.n;
            return 0;
        }
        l->tmp.p[l->tmp.n++] = (char)l->byte_of[c];
    }
    return 1;
}

/* ---- the two hash tables ------------------------------------------------------------------- */

static int grow_words(struct loader *l)
{
    struct lm_tok      *t = l->t;
    size_t              cap = t->words ? (t->word_mask + 1) * 2 : 1024;
    struct lm_tok_word *old = t->words, *w = malloc(cap * sizeof(*w));
    if (!w) {
        return -1;
    }
    for (size_t i = 0; i < cap; i++) {
        w[i].id = LM_TOK_NONE;
    }
    for (size_t i = 0; old && i <= t->word_mask; i++) {
        size_t s = (size_t)old[i].hash & (cap - 1);
        if (old[i].id == LM_TOK_NONE) {
            continue;
        }
        while (w[s].id != LM_TOK_NONE) {
            s = (s + 1) & (cap - 1);
        }
        w[s] = old[i];
    }
    free(old);
    t->words = w;
    t->word_mask = cap - 1;
    return 0;
}

int lm_load_pool(struct lm_tok *t, const char *p, size_t n, uint32_t *off)
{
    if (n > t->pool_cap - t->pool_n) {
        size_t cap = t->pool_cap * 2 + n + 4096;
        char  *b = realloc(t->pool, cap);
        if (!b) {
            return -1;
        }
        t->pool = b;
        t->pool_cap = cap;
    }
    if (t->pool_n + n > UINT32_MAX) {
        return -1;
    }
    *off = (uint32_t)t->pool_n;
    if (n) {
        memcpy(t->pool + t->pool_n, p, n);
    }
    t->pool_n += n;
    return 0;
}

static int add_word(struct loader *l, const char *p, size_t n, uint32_t id, int alien)
{
    struct lm_tok     *t = l->t;
    struct lm_tok_word w = {lm_tok_hash(p, n), 0, (uint32_t)n, id, 0, (uint8_t)alien};
    size_t             s;
    if ((l->word_n + 1) * 2 > t->word_mask && grow_words(l)) {
        return -1;
    }
    if (lm_load_pool(t, p, n, &w.off)) {
        return -1;
    }
    s = (size_t)w.hash & t->word_mask;
    while (t->words[s].id != LM_TOK_NONE) {
        s = (s + 1) & t->word_mask;
    }
    t->words[s] = w;
    t->longest_word = n > t->longest_word ? n : t->longest_word;
    l->word_n++;
    return 0;
}

static int grow_merges(struct loader *l)
{
    struct lm_tok       *t = l->t;
    size_t               old_n = t->merges ? t->merge_mask + 1 : 0, cap = old_n ? old_n * 2 : 1024;
    struct lm_tok_merge *old = t->merges, *m = malloc(cap * sizeof(*m));
    if (!m) {
        return -1;
    }
    for (size_t i = 0; i < cap; i++) {
        m[i].key = UINT64_MAX;
    }
    t->merges = m;
    t->merge_mask = cap - 1;
    t->merge_shift = old_n ? t->merge_shift - 1 : 64 - 10;
    for (size_t i = 0; i < old_n; i++) {
        if (old[i].key != UINT64_MAX) {
            m[lm_tok_merge_slot(t, old[i].key)] = old[i];
        }
    }
    free(old);
    return 0;
}

int lm_load_init_tables(struct loader *l)
{
    l->t->maybe = calloc((size_t)1 << (LM_TOK_MAYBE_BITS - 6), sizeof(*l->t->maybe));
    return !l->t->maybe || grow_words(l) || grow_merges(l) ? -1 : 0;
}

/* ---- vocabulary ---------------------------------------------------------------------------- */

static void note_symbol(struct loader *l, uint32_t id)
{
    struct lm_tok *t = l->t;
    uint32_t       c;
    if (t->byte_level && l->tmp.n == 1) {
        t->byte_id[(unsigned char)l->tmp.p[0]] = id;
    } else if (!t->byte_level && l->tmp.n > 0 && l->tmp.n <= 4 &&
               lm_utf8((const unsigned char *)l->tmp.p, l->tmp.n, &c) == l->tmp.n &&
               c != LM_NO_CHAR) {
        t->char_id[c] = id + 1;
    }
}

static drh_status add_vocab(struct loader *l, struct lm_slice key, uint64_t id)
{
    const struct lm_tok_word *w;
    int                       rc = to_bytes(l, key);
    if (rc < 0) {
        return lm_load_no_memory(l);
    }
    if (id >= LM_TOK_IDS) {
        return drh_fail(l->e, DRH_E_DATA, "%s: model.vocab: id %llu is too large", l->file,
                        (unsigned long long)id);
    }
    w = lm_tok_find(l->t, l->tmp.p ? l->tmp.p : "", l->tmp.n, !rc);
    if (w) {
        return drh_fail(l->e, DRH_E_DATA,
                        "%s: model.vocab: the ids %lu and %llu have the same text", l->file,
                        (unsigned long)w->id, (unsigned long long)id);
    }
    if (add_word(l, l->tmp.p ? l->tmp.p : "", l->tmp.n, (uint32_t)id, !rc)) {
        return lm_load_no_memory(l);
    }
    if (rc == 1) {
        note_symbol(l, (uint32_t)id);
    }
    l->t->max_id = (uint32_t)id > l->t->max_id ? (uint32_t)id : l->t->max_id;
    l->t->n_vocab++;
    return DRH_OK;
}

/* Bytes that are in no UTF-8 may be missing: other text never has them. */
static drh_status check_bytes(struct loader *l)
{
    for (unsigned b = 0; b < 256; b++) {
        int no_utf8 = b == 0xc0 || b == 0xc1 || b > 0xf4;
        if (l->t->byte_id[b] == LM_TOK_NONE && !no_utf8) {
            return drh_fail(
                l->e, DRH_E_UNSUPPORTED,
                "%s: model.vocab has no token for the byte 0x%02x, so it is not byte-level",
                l->file, b);
        }
    }
    return DRH_OK;
}

static drh_status read_vocab(struct loader *l, struct lm_slice raw)
{
    struct lm_json  j;
    struct lm_slice key;
    uint64_t        id;
    drh_status      st = DRH_OK;
    int             rc = -1;
    lm_json_init(&j, raw.p, raw.n);
    if (!lm_json_enter(&j, '{')) {
        while (st == DRH_OK && (rc = lm_json_key(&j, &key)) == 1) {
            /* The key may lie in the reader's buffer; a number does not touch it. */
            st = lm_json_uint(&j, &id) ? lm_load_bad_json(l, &j, "model.vocab")
                                       : add_vocab(l, key, id);
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = lm_load_bad_json(l, &j, "model.vocab");
    }
    lm_json_free(&j);
    return st == DRH_OK && l->t->byte_level ? check_bytes(l) : st;
}

/* ---- merges -------------------------------------------------------------------------------- */

/* Appends a side of a merge as bytes to l->both: its id, LM_TOK_NONE when it is no token. */
static drh_status merge_side(struct loader *l, struct lm_slice s, uint32_t *id)
{
    const struct lm_tok_word *w;
    int                       rc = to_bytes(l, s);
    *id = LM_TOK_NONE;
    if (rc < 0 || lm_text_put(&l->both, l->tmp.p, l->tmp.n)) {
        return lm_load_no_memory(l);
    }
    w = rc == 1 && l->tmp.n ? lm_tok_find(l->t, l->tmp.p, l->tmp.n, 0) : NULL;
    if (w) {
        *id = w->id;
    }
    return DRH_OK;
}

static drh_status add_merge(struct loader *l, uint32_t rank, struct lm_slice left,
                            struct lm_slice right)
{
    struct lm_tok            *t = l->t;
    const struct lm_tok_word *w = NULL;
    uint32_t                  a, b = LM_TOK_NONE;
    size_t                    s, left_n;
    drh_status                st;
    l->both.n = 0;
    st = merge_side(l, left, &a);
    left_n = l->both.n;
    if (st == DRH_OK) {
        st = merge_side(l, right, &b);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (a != LM_TOK_NONE && b != LM_TOK_NONE) {
        w = lm_tok_find(t, l->both.p, l->both.n, 0);
    }
    if (!w) {
        return drh_fail(l->e, DRH_E_DATA,
                        "%s: model.merges[%lu]: one of the two tokens or their union is not in the "
                        "vocabulary",
                        l->file, (unsigned long)rank);
    }
    if ((l->merge_n + 1) * 2 > t->merge_mask && grow_merges(l)) {
        return lm_load_no_memory(l);
    }
    s = lm_tok_merge_slot(t, (uint64_t)a << 32 | b);
    l->merge_n += t->merges[s].key == UINT64_MAX;
    t->merges[s].key = (uint64_t)a << 32 | b;
    t->merges[s].rank = rank;
    t->merges[s].id = w->id;
    lm_bpe_note_merge(t, t->merges[s].key);
    lm_bpe_note_join(t, l->both.p, left_n, l->both.p + left_n, l->both.n - left_n);
    return DRH_OK;
}

/* The two sides of "a b". */
static int split_merge(struct lm_slice s, struct lm_slice *left, struct lm_slice *right)
{
    const char *sp = s.n ? memchr(s.p, ' ', s.n) : NULL;
    if (!sp) {
        return -1;
    }
    left->p = s.p;
    left->n = (size_t)(sp - s.p);
    right->p = sp + 1;
    right->n = s.n - left->n - 1;
    return memchr(right->p, ' ', right->n) ? -1 : 0;
}

/* ["a", "b"]; the first is copied, since the second may use the reader's buffer. */
static drh_status pair_merge(struct loader *l, struct lm_json *j, struct lm_slice *left,
                             struct lm_slice *right)
{
    l->keep.n = 0;
    if (lm_json_enter(j, '[') || lm_json_item(j) != 1 || lm_json_string(j, left)) {
        return DRH_E_DATA;
    }
    if (lm_text_put(&l->keep, left->p, left->n)) {
        return DRH_E_NOMEM;
    }
    left->p = l->keep.p ? l->keep.p : "";
    return lm_json_item(j) != 1 || lm_json_string(j, right) ? DRH_E_DATA : DRH_OK;
}

static drh_status bad_merge(struct loader *l, const struct lm_json *j, drh_status st, uint32_t rank)
{
    if (j->no_memory || st == DRH_E_NOMEM) {
        return lm_load_no_memory(l);
    }
    return drh_fail(l->e, DRH_E_DATA, "%s: model.merges[%lu] is not a pair of tokens", l->file,
                    (unsigned long)rank);
}

static drh_status read_merge(struct loader *l, struct lm_json *j, uint32_t rank)
{
    struct lm_slice s, left, right;
    const int       array = lm_json_peek(j) == '[';
    drh_status      st = DRH_OK;
    if (array) {
        st = pair_merge(l, j, &left, &right);
    } else if (lm_json_string(j, &s) || split_merge(s, &left, &right)) {
        st = DRH_E_DATA;
    }
    if (st != DRH_OK) {
        return bad_merge(l, j, st, rank);
    }
    st = add_merge(l, rank, left, right);
    if (st == DRH_OK && array && lm_json_item(j) != 0) {
        return bad_merge(l, j, DRH_E_DATA, rank);
    }
    j->first = 0;
    return st;
}

static drh_status read_merges(struct loader *l, struct lm_slice raw)
{
    struct lm_json j;
    drh_status     st = DRH_OK;
    uint32_t       rank = 0;
    int            rc = -1;
    lm_json_init(&j, raw.p, raw.n);
    if (!lm_json_enter(&j, '[')) {
        while (st == DRH_OK && (rc = lm_json_item(&j)) == 1) {
            st = rank == LM_TOK_IDS ? lm_load_no_memory(l) : read_merge(l, &j, rank++);
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = lm_load_bad_json(l, &j, "model.merges");
    }
    lm_json_free(&j);
    return st;
}

/* ---- the model ----------------------------------------------------------------------------- */

enum { VOCAB, MERGES, DROPOUT, PREFIX, SUFFIX, UNK, FALLBACK, FUSE, IGNORE, N };

static drh_status check_options(struct loader *l, const struct part *p)
{
    for (size_t i = DROPOUT; i <= SUFFIX; i++) {
        const char *off = i == DROPOUT ? "0.0" : "\"\"";
        if (!lm_load_is_null(p[i].raw) && !lm_slice_eq(p[i].raw, off)) {
            char part[64];
            (void)snprintf(part, sizeof(part), "model.%s", p[i].name);
            return lm_load_unsupported(l, part, "is set");
        }
    }
    if (!p[VOCAB].raw.n || !p[MERGES].raw.n) {
        return lm_load_unsupported(l, "model", "vocab or merges is missing");
    }
    return DRH_OK;
}

static drh_status read_unk(struct loader *l, struct lm_slice raw)
{
    const struct lm_tok_word *w;
    char                     *text;
    size_t                    n;
    drh_status                st;
    if (lm_load_is_null(raw)) {
        return DRH_OK;
    }
    st = lm_load_string(l, raw, "model.unk_token", &text, &n);
    if (st != DRH_OK) {
        return st;
    }
    if (to_bytes(l, (struct lm_slice){text, n}) < 0) {
        free(text);
        return lm_load_no_memory(l);
    }
    w = l->tmp.p ? lm_tok_find(l->t, l->tmp.p, l->tmp.n, 0) : NULL;
    w = w ? w : lm_tok_find(l->t, text, n, 1);
    if (w) {
        l->t->unk = w->id;
    } else if (n) {
        st = lm_load_bad(l, "model.unk_token", "is not in the vocabulary");
    }
    free(text);
    return st;
}

static void find_byte_tokens(struct lm_tok *t)
{
    for (unsigned b = 0; b < 256; b++) {
        char                      name[8];
        const struct lm_tok_word *w;
        (void)snprintf(name, sizeof(name), "<0x%02X>", b);
        w = lm_tok_find(t, name, 6, 0);
        t->byte_id[b] = w ? w->id : LM_TOK_NONE;
    }
}

/* Notes which vocabulary entries BPE gives back as one token: most words need no more. */
static void mark_whole(struct lm_tok *t)
{
    for (size_t i = 0; i <= t->word_mask; i++) {
        struct lm_tok_word *w = &t->words[i];
        uint32_t            id = LM_TOK_NONE;
        struct lm_tok_out   out = {&id, 1, 0};
        if (w->id == LM_TOK_NONE || w->len == 0 || w->len > 64 || w->alien) {
            continue;
        }
        w->whole =
            !lm_bpe_merge(t, t->pool + w->off, w->len, &out) && out.count == 1 && id == w->id;
    }
}

static int alloc_chars(struct lm_tok *t)
{
    if (!t->byte_level && !(t->char_id = calloc(0x110000, sizeof(*t->char_id)))) {
        return -1;
    }
    t->joins = calloc((size_t)1 << (LM_TOK_JOIN_BITS - 6), sizeof(*t->joins));
    t->loose = calloc((size_t)1 << (16 - 6), sizeof(*t->loose));
    return t->joins && t->loose ? 0 : -1;
}

drh_status lm_load_check_model(struct loader *l, struct lm_slice raw)
{
    struct lm_json  j;
    struct lm_slice key, type = {NULL, 0};
    drh_status      st = DRH_OK;
    if (lm_load_is_null(raw)) {
        return lm_load_unsupported(l, "model", "is missing");
    }
    lm_json_init(&j, raw.p, raw.n);
    if (!lm_json_enter(&j, '{')) {
        while (!type.n && lm_json_key(&j, &key) == 1) { /* the first member, mostly */
            const int here = lm_slice_eq(key, "type");
            if (lm_json_skip(&j, here ? &type : NULL)) {
                break;
            }
        }
    }
    if (j.err) {
        st = lm_load_bad_json(l, &j, "model");
    } else if (type.n && !lm_slice_eq(type, "\"BPE\"")) {
        st = drh_fail(l->e, DRH_E_UNSUPPORTED, "%s: model.type %.*s is not supported: only BPE is",
                      l->file, (int)(type.n < 60 ? type.n : 60), type.p);
    }
    lm_json_free(&j);
    return st;
}

drh_status lm_load_model(struct loader *l, struct lm_slice raw)
{
    struct part p[N] = {{"vocab", {NULL, 0}},
                        {"merges", {NULL, 0}},
                        {"dropout", {NULL, 0}},
                        {"continuing_subword_prefix", {NULL, 0}},
                        {"end_of_word_suffix", {NULL, 0}},
                        {"unk_token", {NULL, 0}},
                        {"byte_fallback", {NULL, 0}},
                        {"fuse_unk", {NULL, 0}},
                        {"ignore_merges", {NULL, 0}}};
    int         fallback = 0;
    drh_status  st = lm_load_parts(l, raw, p, N, "model");
    if (st == DRH_OK) {
        st = check_options(l, p);
    }
    if (st == DRH_OK) {
        st = lm_load_bool(l, p[FALLBACK].raw, "model.byte_fallback", 0, &fallback);
    }
    if (st == DRH_OK) {
        st = lm_load_bool(l, p[FUSE].raw, "model.fuse_unk", 0, &l->t->fuse_unk);
    }
    if (st == DRH_OK) {
        st = lm_load_bool(l, p[IGNORE].raw, "model.ignore_merges", 0, &l->t->ignore_merges);
    }
    if (st == DRH_OK) {
        st = alloc_chars(l->t) ? lm_load_no_memory(l) : read_vocab(l, p[VOCAB].raw);
    }
    if (st == DRH_OK) {
        st = read_merges(l, p[MERGES].raw);
    }
    if (st == DRH_OK) {
        st = read_unk(l, p[UNK].raw);
    }
    if (st == DRH_OK && fallback && !l->t->byte_level) {
        find_byte_tokens(l->t);
    }
    if (st == DRH_OK) {
        mark_whole(l->t);
    }
    return st;
}
