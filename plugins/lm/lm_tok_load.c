/* SPDX-License-Identifier: MIT
 *
 * lm_tok_load.c - reads tokenizer.json: vocabulary, merges, added tokens.  Whatever would change
 * the tokens and is not done here is refused by name.  One thread, at load.
 */
#include "lm_json.h"
#include "lm_tok.h"

#include <drh/util.h>

#include <stdlib.h>

#define MAX_VOCAB ((size_t)1 << 24)

struct loader {
    struct lm_tok *t;
    const char    *file;
    drh_error     *e;
    int16_t        byte_of[512]; /* GPT-2's printable stand-in to its byte, or -1 */
    size_t         word_n, merge_n;
    char          *tmp; /* bytes of a token text */
    size_t         tmp_cap;
    char          *both; /* bytes of a merge's two sides */
    size_t         both_cap;
};

static drh_status bad_json(struct loader *l, const struct lm_json *j, const char *part)
{
    return drh_fail(l->e, DRH_E_DATA, "%s: %s, byte %zu of it: %s", l->file, part, lm_json_at(j),
                    j->err ? j->err : "broken JSON");
}

static drh_status unsupported(struct loader *l, const char *part, const char *what)
{
    return drh_fail(l->e, DRH_E_UNSUPPORTED,
                    "%s: %s: %s; infer-openblas knows the byte-level BPE of GPT-2", l->file, part,
                    what);
}

static drh_status no_memory(struct loader *l)
{
    return drh_fail(l->e, DRH_E_NOMEM, "%s: out of memory", l->file);
}

/* Bytes that print as themselves stand for themselves, the others for 256, 257 ... in order. */
static void fill_alphabet(struct loader *l)
{
    int16_t next = 256;
    for (size_t i = 0; i < 512; i++) {
        l->byte_of[i] = -1;
    }
    for (int16_t b = 0; b < 256; b++) {
        int self = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        l->byte_of[self ? b : next++] = b;
    }
}

/* Token text to bytes in l->tmp: 1, 0 when a character is no stand-in (the text is then copied as
 * it is), -1 out of memory. */
static int to_bytes(struct loader *l, struct lm_slice s, size_t *n)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t               o = 0;
    if (s.n + 1 > l->tmp_cap) {
        char *b = realloc(l->tmp, s.n + 256);
        if (!b) {
            return -1;
        }
        l->tmp = b;
        l->tmp_cap = s.n + 256;
    }
    for (size_t i = 0; i < s.n; i++) {
        uint32_t c = p[i];
        if (c >= 0xc2 && c < 0xc8 && i + 1 < s.n) {
            c = (c & 31u) << 6 | (p[++i] & 63u);
        }
        if (c >= 512 || l->byte_of[c] < 0) {
            memcpy(l->tmp, s.p, s.n);
            *n = s.n;
            return 0;
        }
        l->tmp[o++] = (char)l->byte_of[c];
    }
    *n = o;
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

static int grow_pool(struct lm_tok *t, size_t n)
{
    if (t->pool_n + n > t->pool_cap) {
        size_t cap = t->pool_cap * 2 + n + 4096;
        char  *p = realloc(t->pool, cap);
        if (!p) {
            return -1;
        }
        t->pool = p;
        t->pool_cap = cap;
    }
    return 0;
}

static int add_word(struct loader *l, const char *p, size_t n, uint32_t id)
{
    struct lm_tok *t = l->t;
    uint64_t       h = lm_tok_hash(p, n);
    size_t         s;
    if ((l->word_n + 1) * 2 > t->word_mask && grow_words(l)) {
        return -1;
    }
    if (t->pool_n + n > UINT32_MAX || grow_pool(t, n)) {
        return -1;
    }
    s = (size_t)h & t->word_mask;
    while (t->words[s].id != LM_TOK_NONE) {
        s = (s + 1) & t->word_mask;
    }
    memcpy(t->pool + t->pool_n, p, n);
    t->words[s].hash = h;
    t->words[s].off = (uint32_t)t->pool_n;
    t->words[s].len = (uint32_t)n;
    t->words[s].id = id;
    t->words[s].whole = 0;
    t->pool_n += n;
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
    for (size_t i = 0; i < old_n; i++) {
        if (old[i].key != UINT64_MAX) {
            m[lm_tok_merge_slot(t, old[i].key)] = old[i];
        }
    }
    free(old);
    return 0;
}

/* ---- vocabulary ---------------------------------------------------------------------------- */

static drh_status add_vocab(struct loader *l, struct lm_slice key, uint64_t id)
{
    const struct lm_tok_word *w;
    size_t                    n;
    int                       rc = to_bytes(l, key, &n);
    if (rc < 0) {
        return no_memory(l);
    }
    if (id >= LM_TOK_NONE >> 1 || l->word_n >= MAX_VOCAB) {
        return drh_fail(l->e, DRH_E_DATA, "%s: model.vocab: id %llu is too large", l->file,
                        (unsigned long long)id);
    }
    w = lm_tok_find_word(l->t, l->tmp, n);
    if (w) {
        return drh_fail(l->e, DRH_E_DATA,
                        "%s: model.vocab: the ids %lu and %llu have the same text", l->file,
                        (unsigned long)w->id, (unsigned long long)id);
    }
    if (add_word(l, l->tmp, n, (uint32_t)id)) {
        return no_memory(l);
    }
    if (rc == 1 && n == 1) {
        l->t->byte_id[(unsigned char)l->tmp[0]] = (uint32_t)id;
    }
    l->t->max_id = (uint32_t)id > l->t->max_id ? (uint32_t)id : l->t->max_id;
    l->t->n_vocab++;
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
            st = lm_json_uint(&j, &id) ? bad_json(l, &j, "model.vocab") : add_vocab(l, key, id);
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = bad_json(l, &j, "model.vocab");
    }
    lm_json_free(&j);
    for (unsigned b = 0; st == DRH_OK && b < 256; b++) {
        if (l->t->byte_id[b] == LM_TOK_NONE) {
            st = drh_fail(
                l->e, DRH_E_UNSUPPORTED,
                "%s: model.vocab has no token for the byte 0x%02x, so it is not byte-level",
                l->file, b);
        }
    }
    return st;
}

/* ---- merges -------------------------------------------------------------------------------- */

/* Appends a side of a merge as bytes to l->both: its id, LM_TOK_NONE when it is no token. */
static drh_status merge_side(struct loader *l, struct lm_slice s, size_t *both_n, uint32_t *id)
{
    const struct lm_tok_word *w;
    size_t                    n;
    int                       rc = to_bytes(l, s, &n);
    *id = LM_TOK_NONE;
    if (rc < 0) {
        return no_memory(l);
    }
    if (*both_n + n > l->both_cap) {
        char *b = realloc(l->both, *both_n + n + 256);
        if (!b) {
            return no_memory(l);
        }
        l->both = b;
        l->both_cap = *both_n + n + 256;
    }
    memcpy(l->both + *both_n, l->tmp, n);
    *both_n += n;
    w = rc == 1 ? lm_tok_find_word(l->t, l->tmp, n) : NULL;
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
    size_t                    n = 0, s;
    drh_status                st = merge_side(l, left, &n, &a);
    if (st == DRH_OK) {
        st = merge_side(l, right, &n, &b);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (a != LM_TOK_NONE && b != LM_TOK_NONE) {
        w = lm_tok_find_word(t, l->both, n);
    }
    if (!w) {
        return drh_fail(l->e, DRH_E_DATA,
                        "%s: model.merges[%lu]: one of the two tokens or their union is not in the "
                        "vocabulary",
                        l->file, (unsigned long)rank);
    }
    if ((l->merge_n + 1) * 2 > t->merge_mask && grow_merges(l)) {
        return no_memory(l);
    }
    s = lm_tok_merge_slot(t, (uint64_t)a << 32 | b);
    l->merge_n += t->merges[s].key == UINT64_MAX;
    t->merges[s].key = (uint64_t)a << 32 | b;
    t->merges[s].rank = rank;
    t->merges[s].id = w->id;
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
    return 0;
}

/* ["a", "b"]; the first is copied to `keep`, since the second may use the reader's buffer. */
static int pair_merge(struct lm_json *j, char *keep, size_t cap, struct lm_slice *left,
                      struct lm_slice *right)
{
    if (lm_json_enter(j, '[') || lm_json_item(j) != 1 || lm_json_string(j, left) || left->n > cap) {
        return -1;
    }
    memcpy(keep, left->p, left->n);
    left->p = keep;
    return lm_json_item(j) != 1 || lm_json_string(j, right) ? -1 : 0;
}

static drh_status read_merge(struct loader *l, struct lm_json *j, uint32_t rank)
{
    struct lm_slice s, left, right;
    char            keep[2048];
    drh_status      st;
    int             array = lm_json_peek(j) == '[';
    int             rc = array ? pair_merge(j, keep, sizeof(keep), &left, &right)
                               : lm_json_string(j, &s) || split_merge(s, &left, &right);
    if (rc) {
        return drh_fail(l->e, DRH_E_DATA, "%s: model.merges[%lu] is not a pair of tokens", l->file,
                        (unsigned long)rank);
    }
    st = add_merge(l, rank, left, right);
    if (st == DRH_OK && array && lm_json_item(j) != 0) {
        return drh_fail(l->e, DRH_E_DATA, "%s: model.merges[%lu] is not a pair of tokens", l->file,
                        (unsigned long)rank);
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
            st = rank == MAX_VOCAB ? no_memory(l) : read_merge(l, &j, rank++);
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = bad_json(l, &j, "model.merges");
    }
    lm_json_free(&j);
    return st;
}

/* ---- the other parts ----------------------------------------------------------------------- */

static int is_null(struct lm_slice s)
{
    return s.n == 0 || lm_slice_eq(s, "null");
}

/* Text of the string member `key` of the object `raw` equals `want`. */
static int member_is(struct lm_slice raw, const char *key, const char *want)
{
    struct lm_json  j;
    struct lm_slice k, v;
    int             hit = 0;
    lm_json_init(&j, raw.p, raw.n);
    if (!lm_json_enter(&j, '{')) {
        while (lm_json_key(&j, &k) == 1) {
            int mine = lm_slice_eq(k, key);
            if (lm_json_skip(&j, &v)) {
                break;
            }
            if (mine) {
                hit = lm_slice_eq(v, want);
            }
        }
    }
    lm_json_free(&j);
    return hit;
}

static int member_there(struct lm_slice raw, const char *key)
{
    struct lm_json  j;
    struct lm_slice k;
    int             hit = 0;
    lm_json_init(&j, raw.p, raw.n);
    if (!lm_json_enter(&j, '{')) {
        while (!hit && lm_json_key(&j, &k) == 1) {
            hit = lm_slice_eq(k, key);
            if (lm_json_skip(&j, NULL)) {
                break;
            }
        }
    }
    lm_json_free(&j);
    return hit;
}

static drh_status check_pre_tokenizer(struct loader *l, struct lm_slice raw)
{
    if (!member_is(raw, "type", "\"ByteLevel\"")) {
        return unsupported(l, "pre_tokenizer", "not of the type ByteLevel");
    }
    if (!member_is(raw, "add_prefix_space", "false")) {
        return unsupported(l, "pre_tokenizer", "add_prefix_space is not false");
    }
    if (member_there(raw, "use_regex") && !member_is(raw, "use_regex", "true")) {
        return unsupported(l, "pre_tokenizer", "use_regex is not true");
    }
    return DRH_OK;
}

struct part {
    const char     *name;
    struct lm_slice raw;
};

/* Notes the text of the named members of an object; the others are passed over. */
static drh_status find_parts(struct loader *l, const void *p, size_t n, struct part *parts,
                             size_t n_parts, const char *where)
{
    struct lm_json  j;
    struct lm_slice key, raw;
    int             rc = -1;
    drh_status      st = DRH_OK;
    lm_json_init(&j, p, n);
    if (!lm_json_enter(&j, '{')) {
        while ((rc = lm_json_key(&j, &key)) == 1) {
            size_t i = 0;
            while (i < n_parts && !lm_slice_eq(key, parts[i].name)) {
                i++;
            }
            if (lm_json_skip(&j, &raw)) {
                rc = -1;
                break;
            }
            if (i < n_parts) {
                parts[i].raw = raw;
            }
        }
    }
    if (rc < 0 || lm_json_end(&j)) {
        st = bad_json(l, &j, where);
    }
    lm_json_free(&j);
    return st;
}

static drh_status read_model(struct loader *l, struct lm_slice raw)
{
    enum { TYPE, VOCAB, MERGES, DROPOUT, PREFIX, SUFFIX, FALLBACK, IGNORE, N };
    struct part p[N] = {{"type", {NULL, 0}},
                        {"vocab", {NULL, 0}},
                        {"merges", {NULL, 0}},
                        {"dropout", {NULL, 0}},
                        {"continuing_subword_prefix", {NULL, 0}},
                        {"end_of_word_suffix", {NULL, 0}},
                        {"byte_fallback", {NULL, 0}},
                        {"ignore_merges", {NULL, 0}}};
    drh_status  st = find_parts(l, raw.p, raw.n, p, N, "model");
    if (st != DRH_OK) {
        return st;
    }
    if (p[TYPE].raw.n && !lm_slice_eq(p[TYPE].raw, "\"BPE\"")) {
        return unsupported(l, "model.type", "not BPE");
    }
    for (size_t i = DROPOUT; i < N; i++) {
        const char *off = i == DROPOUT ? "0.0" : i <= SUFFIX ? "\"\"" : "false";
        if (!is_null(p[i].raw) && !lm_slice_eq(p[i].raw, off)) {
            char part[64];
            (void)snprintf(part, sizeof(part), "model.%s", p[i].name);
            return unsupported(l, part, "is set");
        }
    }
    if (!p[VOCAB].raw.n || !p[MERGES].raw.n) {
        return unsupported(l, "model", "vocab or merges is missing");
    }
    st = read_vocab(l, p[VOCAB].raw);
    return st != DRH_OK ? st : read_merges(l, p[MERGES].raw);
}

static drh_status add_added(struct loader *l, struct lm_tok_added *a, const char *text, size_t n)
{
    struct lm_tok *t = l->t;
    a->text = malloc(n + 1);
    if (!a->text) {
        return no_memory(l);
    }
    memcpy(a->text, text, n);
    a->text[n] = 0;
    a->len = n;
    t->n_added++;
    t->added_first[(unsigned char)text[0]] = 1;
    t->added_plain |= !a->special;
    t->max_id = a->id > t->max_id ? a->id : t->max_id;
    return DRH_OK;
}

static drh_status read_added_one(struct loader *l, struct lm_slice raw)
{
    enum { ID, CONTENT, SPECIAL, SINGLE, LSTRIP, RSTRIP, N };
    struct part p[N] = {{"id", {NULL, 0}},          {"content", {NULL, 0}}, {"special", {NULL, 0}},
                        {"single_word", {NULL, 0}}, {"lstrip", {NULL, 0}},  {"rstrip", {NULL, 0}}};
    struct lm_json      j;
    struct lm_slice     s;
    struct lm_tok_added a = {NULL, 0, 0, 0}, *all;
    uint64_t            id = 0;
    drh_status          st = find_parts(l, raw.p, raw.n, p, N, "added_tokens");
    if (st != DRH_OK) {
        return st;
    }
    for (size_t i = SINGLE; i < N; i++) {
        if (lm_slice_eq(p[i].raw, "true")) {
            return unsupported(l, "added_tokens", "single_word, lstrip or rstrip is set");
        }
    }
    lm_json_init(&j, p[ID].raw.p, p[ID].raw.n);
    if (lm_json_uint(&j, &id) || id >= LM_TOK_NONE >> 1) {
        return drh_fail(l->e, DRH_E_DATA, "%s: added_tokens: an id is missing or too large",
                        l->file);
    }
    a.id = (uint32_t)id;
    a.special = lm_slice_eq(p[SPECIAL].raw, "true");
    all = realloc(l->t->added, (l->t->n_added + 1) * sizeof(*all));
    if (!all) {
        return no_memory(l);
    }
    l->t->added = all;
    lm_json_init(&j, p[CONTENT].raw.p, p[CONTENT].raw.n);
    if (lm_json_string(&j, &s) || s.n == 0) {
        st = drh_fail(l->e, DRH_E_DATA, "%s: added_tokens: a content is missing", l->file);
    } else {
        st = add_added(l, &a, s.p, s.n);
    }
    if (st == DRH_OK) {
        all[l->t->n_added - 1] = a;
    }
    lm_json_free(&j);
    return st;
}

static drh_status read_added(struct loader *l, struct lm_slice raw)
{
    struct lm_json  j;
    struct lm_slice item;
    drh_status      st = DRH_OK;
    int             rc = -1;
    if (is_null(raw)) {
        return DRH_OK;
    }
    lm_json_init(&j, raw.p, raw.n);
    if (!lm_json_enter(&j, '[')) {
        while (st == DRH_OK && (rc = lm_json_item(&j)) == 1) {
            st = lm_json_skip(&j, &item) || l->t->n_added >= 65536 ? bad_json(l, &j, "added_tokens")
                                                                   : read_added_one(l, item);
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = bad_json(l, &j, "added_tokens");
    }
    lm_json_free(&j);
    return st;
}

static drh_status read_file(struct loader *l, const uint8_t *json, size_t n)
{
    enum { NORMALIZER, PRE, POST, MODEL, ADDED, N };
    struct part p[N] = {{"normalizer", {NULL, 0}},
                        {"pre_tokenizer", {NULL, 0}},
                        {"post_processor", {NULL, 0}},
                        {"model", {NULL, 0}},
                        {"added_tokens", {NULL, 0}}};
    drh_status  st = find_parts(l, json, n, p, N, "tokenizer");
    if (st != DRH_OK) {
        return st;
    }
    if (!is_null(p[NORMALIZER].raw)) {
        return unsupported(l, "normalizer", "is set");
    }
    if (!is_null(p[POST].raw) && !member_is(p[POST].raw, "type", "\"ByteLevel\"")) {
        return unsupported(l, "post_processor", "not of the type ByteLevel");
    }
    st = check_pre_tokenizer(l, p[PRE].raw);
    if (st == DRH_OK) {
        st = is_null(p[MODEL].raw) ? unsupported(l, "model", "is missing")
                                   : read_model(l, p[MODEL].raw);
    }
    return st != DRH_OK ? st : read_added(l, p[ADDED].raw);
}

/* Notes which vocabulary entries BPE gives back as one token: most words need no more. */
static void mark_whole(struct lm_tok *t)
{
    for (size_t i = 0; i <= t->word_mask; i++) {
        struct lm_tok_word *w = &t->words[i];
        uint32_t            id = LM_TOK_NONE;
        struct lm_tok_out   out = {&id, 1, 0};
        if (w->id == LM_TOK_NONE || w->len == 0 || w->len > 64) {
            continue;
        }
        w->whole =
            !lm_tok_word_encode(t, t->pool + w->off, w->len, &out) && out.count == 1 && id == w->id;
    }
}

drh_status lm_tok_load(struct lm_tok *t, const uint8_t *json, size_t n, const char *file,
                       drh_error *e)
{
    struct loader l;
    drh_status    st;
    memset(t, 0, sizeof(*t));
    memset(&l, 0, sizeof(l));
    memset(t->byte_id, 0xff, sizeof(t->byte_id));
    l.t = t;
    l.file = file;
    l.e = e;
    fill_alphabet(&l);
    if (grow_words(&l) || grow_merges(&l) || lm_split_init(&t->split)) {
        st = no_memory(&l);
    } else {
        st = read_file(&l, json, n);
    }
    free(l.tmp);
    free(l.both);
    if (st != DRH_OK) {
        lm_tok_free(t);
        return st;
    }
    mark_whole(t);
    return DRH_OK;
}

void lm_tok_free(struct lm_tok *t)
{
    for (size_t i = 0; i < t->n_added; i++) {
        free(t->added[i].text);
    }
    free(t->added);
    free(t->merges);
    free(t->words);
    free(t->pool);
    lm_split_free(&t->split);
    memset(t, 0, sizeof(*t));
}
