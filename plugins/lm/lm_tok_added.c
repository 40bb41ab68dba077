/* SPDX-License-Identifier: MIT
 *
 * lm_tok_added.c - reads the added_tokens and the post_processor of tokenizer.json, and makes the
 * table of what each id stands for.
 */
#include "lm_tok_load.h"

#include <drh/util.h>

#include <stdlib.h>

enum { MAX_ADDED = 65536 };

/* ---- added tokens -------------------------------------------------------------------------- */

enum { ID, CONTENT, SPECIAL, NORMALIZED, SINGLE, LSTRIP, RSTRIP, N_ADDED };

/* What is looked for: the text, or its normalized form when it is looked for behind the
 * normalizer. */
static drh_status make_key(struct loader *l, struct lm_tok_added *a)
{
    struct lm_text  buf[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    struct lm_slice s;
    drh_status      st = DRH_OK;
    a->key = a->text;
    a->key_len = a->len;
    if (!a->normalized) {
        return DRH_OK;
    }
    if (lm_norm_run(&l->t->norm, &l->t->uni, a->text, a->len, buf, &s)) {
        st = lm_load_no_memory(l);
    } else if (s.p != a->text) {
        char *key = malloc(s.n + 1);
        if (key) {
            memcpy(key, s.p, s.n);
            key[s.n] = 0;
            a->key = key;
            a->key_len = s.n;
        } else {
            st = lm_load_no_memory(l);
        }
    }
    lm_text_free(&buf[0]);
    lm_text_free(&buf[1]);
    return st;
}

static drh_status read_flags(struct loader *l, const struct part *p, struct lm_tok_added *a)
{
    int *const flags[] = {&a->special, &a->normalized, &a->single_word, &a->lstrip, &a->rstrip};
    drh_status st = DRH_OK;
    for (size_t i = 0; i < 5 && st == DRH_OK; i++) {
        char where[40];
        (void)snprintf(where, sizeof(where), "added_tokens.%s", p[SPECIAL + i].name);
        st = lm_load_bool(l, p[SPECIAL + i].raw, where, 0, flags[i]);
    }
    return st;
}

static drh_status room_for_one(struct loader *l)
{
    struct lm_tok *t = l->t;
    size_t         n = t->n_added;
    if ((n & (n + 1)) == 0) { /* 0, 1, 3, 7 ...: full */
        struct lm_tok_added *all = realloc(t->added, (n * 2 + 1) * sizeof(*all));
        if (!all) {
            return lm_load_no_memory(l);
        }
        t->added = all;
    }
    memset(&t->added[n], 0, sizeof(*t->added));
    return DRH_OK;
}

static drh_status read_added_one(struct loader *l, struct lm_slice raw, int depth)
{
    struct part          p[N_ADDED] = {{"id", {NULL, 0}},          {"content", {NULL, 0}},
                                       {"special", {NULL, 0}},     {"normalized", {NULL, 0}},
                                       {"single_word", {NULL, 0}}, {"lstrip", {NULL, 0}},
                                       {"rstrip", {NULL, 0}}};
    struct lm_json       j;
    struct lm_tok_added *a;
    uint64_t             id = 0;
    drh_status           st = lm_load_parts(l, raw, p, N_ADDED, "added_tokens");
    (void)depth;
    if (st == DRH_OK) {
        st = room_for_one(l);
    }
    if (st != DRH_OK) {
        return st;
    }
    a = &l->t->added[l->t->n_added];
    lm_json_init(&j, p[ID].raw.p, p[ID].raw.n);
    if (lm_json_uint(&j, &id) || id >= LM_TOK_IDS) {
        return lm_load_bad(l, "added_tokens", "an id is missing or too large");
    }
    a->id = (uint32_t)id;
    st = lm_load_string(l, p[CONTENT].raw, "added_tokens.content", &a->text, &a->len);
    if (st != DRH_OK) {
        return st;
    }
    if (a->len == 0) { /* the original leaves it out, too */
        free(a->text);
        return DRH_OK;
    }
    l->t->n_added++;
    l->t->max_id = a->id > l->t->max_id ? a->id : l->t->max_id;
    st = read_flags(l, p, a);
    return st == DRH_OK ? make_key(l, a) : st;
}

/* By key; of the same keys the last in the file comes first. */
static int by_key(const void *x, const void *y)
{
    const struct lm_tok_added *a = *(struct lm_tok_added *const *)x;
    const struct lm_tok_added *b = *(struct lm_tok_added *const *)y;
    size_t                     n = a->key_len < b->key_len ? a->key_len : b->key_len;
    int                        c = memcmp(a->key, b->key, n);
    if (c) {
        return c;
    }
    if (a->key_len != b->key_len) {
        return a->key_len < b->key_len ? -1 : 1;
    }
    return a > b ? -1 : a < b;
}

static int same_key(const struct lm_tok_added *a, const struct lm_tok_added *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static drh_status make_set(struct loader *l, struct lm_tok_set *s, int normalized)
{
    struct lm_tok *t = l->t;
    size_t         n = 0;
    s->by_key = malloc((t->n_added + 1) * sizeof(*s->by_key));
    if (!s->by_key) {
        return lm_load_no_memory(l);
    }
    for (size_t i = 0; i < t->n_added; i++) {
        if (t->added[i].normalized == normalized && t->added[i].key_len) {
            s->by_key[n++] = &t->added[i];
        }
    }
    qsort(s->by_key, n, sizeof(*s->by_key), by_key);
    for (size_t i = 0; i < n; i++) {
        struct lm_tok_added *a = s->by_key[i];
        if (s->n && same_key(s->by_key[s->n - 1], a)) {
            continue;
        }
        s->by_key[s->n++] = a;
        s->first[(unsigned char)a->key[0]] = 1;
        s->plain |= !a->special;
    }
    return DRH_OK;
}

drh_status lm_load_added(struct loader *l, struct lm_slice raw)
{
    drh_status st = lm_load_is_null(raw)
                        ? DRH_OK
                        : lm_load_array(l, raw, "added_tokens", MAX_ADDED, read_added_one, 0);
    if (st == DRH_OK) {
        st = make_set(l, &l->t->raw, 0);
    }
    return st == DRH_OK ? make_set(l, &l->t->normalized, 1) : st;
}

/* ---- what ids stand for -------------------------------------------------------------------- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* <0x41> is the byte 0x41, where the decoder says so. */
static void note_byte(struct lm_tok_text *x, const char *p, size_t n)
{
    if (n == 6 && memcmp(p, "<0x", 3) == 0 && p[5] == '>' && hex(p[3]) >= 0 && hex(p[4]) >= 0) {
        x->flags |= LM_TOK_BYTE;
        x->byte = (uint8_t)(hex(p[3]) << 4 | hex(p[4]));
    }
}

/* What the decoder makes of the bytes that were just noted as those of the id. */
static drh_status set_out(struct loader *l, struct lm_text buf[2], struct lm_tok_text *x)
{
    struct lm_tok  *t = l->t;
    const char     *p = t->pool ? t->pool + x->out_off : "";
    const size_t    len = x->out_len;
    struct lm_slice s;
    if (lm_norm_run(&l->replace, &t->uni, p, len, buf, &s)) {
        return lm_load_no_memory(l);
    }
    if (t->decoder.byte_fallback) {
        note_byte(x, s.p, s.n);
    }
    if (s.p != p) {
        x->out_len = (uint32_t)s.n;
        if (lm_load_pool(t, s.p, s.n, &x->out_off)) {
            return lm_load_no_memory(l);
        }
    }
    return DRH_OK;
}

static drh_status word_text(struct loader *l, struct lm_text buf[2], const struct lm_tok_word *w)
{
    struct lm_tok_text *x = &l->t->texts[w->id];
    x->off = x->out_off = w->off;
    x->len = x->out_len = w->len;
    x->flags = LM_TOK_USED;
    return set_out(l, buf, x);
}

/* The decoder gets the normalized form of one that is found in normalized text. */
static drh_status added_text(struct loader *l, struct lm_text buf[2], const struct lm_tok_added *a)
{
    struct lm_tok_text *x = &l->t->texts[a->id];
    x->flags = (uint8_t)(LM_TOK_USED | LM_TOK_ADDED | (a->special ? LM_TOK_SPECIAL : 0));
    x->len = x->out_len = (uint32_t)a->key_len;
    if (lm_load_pool(l->t, a->key, a->key_len, &x->off)) {
        return lm_load_no_memory(l);
    }
    x->out_off = x->off;
    return set_out(l, buf, x);
}

/* With ignore_merges a word is looked up before BPE: not so for control tokens, which no text
 * holds.  (What merges come to is text, whatever a file calls it.) */
static void hide_special(struct lm_tok *t)
{
    for (size_t i = 0; i <= t->word_mask; i++) {
        struct lm_tok_word *w = &t->words[i];
        if (w->id != LM_TOK_NONE && !w->whole && lm_tok_is_special(t, w->id)) {
            w->alien = 1;
        }
    }
}

drh_status lm_load_texts(struct loader *l)
{
    struct lm_tok *t = l->t;
    struct lm_text buf[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
    drh_status     st = DRH_OK;
    t->texts = calloc((size_t)t->max_id + 1, sizeof(*t->texts));
    if (!t->texts) {
        return lm_load_no_memory(l);
    }
    for (size_t i = 0; i <= t->word_mask && st == DRH_OK; i++) {
        if (t->words[i].id != LM_TOK_NONE) {
            st = word_text(l, buf, &t->words[i]);
        }
    }
    for (size_t i = 0; i < t->n_added && st == DRH_OK; i++) {
        st = added_text(l, buf, &t->added[i]);
    }
    if (st == DRH_OK) {
        hide_special(t);
    }
    lm_text_free(&buf[0]);
    lm_text_free(&buf[1]);
    return st;
}

/* ---- post_processor ------------------------------------------------------------------------ */

/* special_tokens of the TemplateProcessing that is being read: the field is read before `single`,
 * wherever it stands. */
static drh_status find_ids(struct loader *l, struct lm_slice specials, const char *name,
                           struct lm_slice *ids)
{
    struct part p[1] = {{name, {NULL, 0}}}, q[1] = {{"ids", {NULL, 0}}};
    drh_status  st = lm_load_parts(l, specials, p, 1, "post_processor.special_tokens");
    if (st == DRH_OK && !p[0].raw.n) {
        st = lm_load_bad(l, "post_processor.single", "a token that special_tokens has not");
    }
    if (st == DRH_OK) {
        st = lm_load_parts(l, p[0].raw, q, 1, "post_processor.special_tokens");
    }
    *ids = q[0].raw;
    return st;
}

static drh_status add_post(struct loader *l, struct lm_slice ids, int last)
{
    struct lm_tok *t = l->t;
    uint32_t      *to = last ? t->post_last : t->post_first;
    size_t        *n = last ? &t->n_post_last : &t->n_post_first;
    struct lm_json j;
    uint64_t       id;
    int            rc = -1;
    lm_json_init(&j, ids.p, ids.n);
    if (!lm_json_enter(&j, '[')) {
        while ((rc = lm_json_item(&j)) == 1) {
            if (lm_json_uint(&j, &id) || id >= LM_TOK_IDS) {
                return lm_load_bad(l, "post_processor.special_tokens", "an id is none");
            }
            if (*n == LM_TOK_POST_MAX) {
                return lm_load_unsupported(l, "post_processor", "too many tokens");
            }
            to[(*n)++] = (uint32_t)id;
        }
    }
    return rc < 0 ? lm_load_bad_json(l, &j, "post_processor.special_tokens") : DRH_OK;
}

/* One item of `single`: a special token, or the text. */
static drh_status read_template_item(struct loader *l, struct lm_slice raw, int depth)
{
    enum { SPECIAL_TOKEN, SEQUENCE, N };
    struct part     p[N] = {{"SpecialToken", {NULL, 0}}, {"Sequence", {NULL, 0}}};
    struct part     q[1] = {{"id", {NULL, 0}}};
    struct lm_slice ids;
    char           *name = NULL;
    size_t          n = 0;
    drh_status      st = lm_load_parts(l, raw, p, N, "post_processor.single");
    (void)depth;
    if (st == DRH_OK && p[SEQUENCE].raw.n) {
        l->post_seen++;
        return l->post_seen > 1 ? lm_load_unsupported(l, "post_processor.single", "two texts")
                                : DRH_OK;
    }
    if (st == DRH_OK) {
        st = lm_load_parts(l, p[SPECIAL_TOKEN].raw, q, 1, "post_processor.single");
    }
    if (st == DRH_OK) {
        st = lm_load_string(l, q[0].raw, "post_processor.single", &name, &n);
    }
    if (st == DRH_OK) {
        st = find_ids(l, l->post_specials, name, &ids);
    }
    if (st == DRH_OK) {
        st = add_post(l, ids, l->post_seen > 0);
    }
    free(name);
    return st;
}

static drh_status read_post(struct loader *l, struct lm_slice raw, int depth)
{
    enum { TYPE, SINGLE_TEXT, SPECIALS, MEMBERS, N };
    struct part p[N] = {{"type", {NULL, 0}},
                        {"single", {NULL, 0}},
                        {"special_tokens", {NULL, 0}},
                        {"processors", {NULL, 0}}};
    drh_status  st = lm_load_parts(l, raw, p, N, "post_processor");
    if (st != DRH_OK || lm_slice_eq(p[TYPE].raw, "\"ByteLevel\"")) {
        return st; /* that one only changes offsets */
    }
    if (lm_slice_eq(p[TYPE].raw, "\"Sequence\"")) {
        return lm_load_array(l, p[MEMBERS].raw, "post_processor.processors", 16, read_post,
                             depth + 1);
    }
    if (!lm_slice_eq(p[TYPE].raw, "\"TemplateProcessing\"")) {
        return lm_load_unsupported(l, "post_processor",
                                   "not of the type ByteLevel or TemplateProcessing");
    }
    if (l->post_seen) {
        return lm_load_unsupported(l, "post_processor", "two TemplateProcessing");
    }
    l->post_specials = p[SPECIALS].raw;
    st = lm_load_array(l, p[SINGLE_TEXT].raw, "post_processor.single", 64, read_template_item, 0);
    if (st == DRH_OK && !l->post_seen) {
        st = lm_load_unsupported(l, "post_processor.single", "no text");
    }
    return st;
}

drh_status lm_load_post(struct loader *l, struct lm_slice raw)
{
    return lm_load_is_null(raw) ? DRH_OK : read_post(l, raw, 0);
}
