/* SPDX-License-Identifier: MIT
 *
 * lm_tok_load.c - reads tokenizer.json: the whole, and helpers for its parts.  Whatever would
 * change the tokens and is not done here is refused by name.
 */
#include "lm_tok_load.h"

#include <drh/util.h>

#include <stdlib.h>

drh_status lm_load_bad_json(struct loader *l, const struct lm_json *j, const char *where)
{
    if (j->no_memory) {
        return lm_load_no_memory(l);
    }
    return drh_fail(l->e, DRH_E_DATA, "%s: %s, byte %zu of it: %s", l->file, where, lm_json_at(j),
                    j->err ? j->err : "broken JSON");
}

drh_status lm_load_unsupported(struct loader *l, const char *where, const char *what)
{
    return drh_fail(l->e, DRH_E_UNSUPPORTED, "%s: %s: %s", l->file, where, what);
}

drh_status lm_load_bad(struct loader *l, const char *where, const char *what)
{
    return drh_fail(l->e, DRH_E_DATA, "%s: %s: %s", l->file, where, what);
}

drh_status lm_load_no_memory(struct loader *l)
{
    return drh_fail(l->e, DRH_E_NOMEM, "%s: out of memory", l->file);
}

drh_status lm_load_parts(struct loader *l, struct lm_slice obj, struct part *parts, size_t n_parts,
                         const char *where)
{
    struct lm_json  j;
    struct lm_slice key, raw;
    int             rc = -1;
    drh_status      st = DRH_OK;
    lm_json_init(&j, obj.p, obj.n);
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
        st = lm_load_bad_json(l, &j, where);
    }
    lm_json_free(&j);
    return st;
}

int lm_load_is_null(struct lm_slice s)
{
    return s.n == 0 || lm_slice_eq(s, "null");
}

drh_status lm_load_bool(struct loader *l, struct lm_slice raw, const char *where, int otherwise,
                        int *out)
{
    *out = otherwise;
    if (lm_load_is_null(raw)) {
        return DRH_OK;
    }
    *out = lm_slice_eq(raw, "true");
    return *out || lm_slice_eq(raw, "false") ? DRH_OK
                                             : lm_load_bad(l, where, "neither true nor false");
}

drh_status lm_load_string(struct loader *l, struct lm_slice raw, const char *where, char **out,
                          size_t *n)
{
    struct lm_json  j;
    struct lm_slice s;
    drh_status      st = DRH_OK;
    *out = NULL;
    *n = 0;
    lm_json_init(&j, raw.p, raw.n);
    if (lm_json_string(&j, &s)) {
        st = lm_load_bad_json(l, &j, where);
    } else if (!(*out = malloc(s.n + 1))) {
        st = lm_load_no_memory(l);
    } else {
        memcpy(*out, s.p, s.n);
        (*out)[s.n] = 0;
        *n = s.n;
    }
    lm_json_free(&j);
    return st;
}

drh_status lm_load_array(struct loader *l, struct lm_slice raw, const char *where, size_t most,
                         lm_load_item fn, int depth)
{
    struct lm_json  j;
    struct lm_slice item;
    drh_status      st = DRH_OK;
    int             rc = -1;
    lm_json_init(&j, raw.p, raw.n);
    if (depth > LM_TOK_NEST) {
        return lm_load_unsupported(l, where, "nested too deep");
    }
    if (!lm_json_enter(&j, '[')) {
        while (st == DRH_OK && (rc = lm_json_item(&j)) == 1) {
            if (lm_json_skip(&j, &item)) {
                rc = -1;
                break;
            }
            st = most-- == 0 ? lm_load_unsupported(l, where, "too many of them")
                             : fn(l, item, depth);
        }
    }
    if (st == DRH_OK && rc < 0) {
        st = lm_load_bad_json(l, &j, where);
    }
    lm_json_free(&j);
    return st;
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

/* The pre-tokenizer says how the vocabulary is spelled, and the normalizer what added tokens are
 * looked for, so that order is not the file's. */
static drh_status read_file(struct loader *l, struct lm_slice all)
{
    enum { NORMALIZER, PRE, POST, DECODER, MODEL, ADDED, N };
    struct part p[N] = {{"normalizer", {NULL, 0}},     {"pre_tokenizer", {NULL, 0}},
                        {"post_processor", {NULL, 0}}, {"decoder", {NULL, 0}},
                        {"model", {NULL, 0}},          {"added_tokens", {NULL, 0}}};
    drh_status  st = lm_load_parts(l, all, p, N, "tokenizer");
    if (st == DRH_OK) {
        st = lm_load_check_model(l, p[MODEL].raw);
    }
    if (st == DRH_OK) {
        st = lm_load_normalizer(l, p[NORMALIZER].raw);
    }
    if (st == DRH_OK) {
        st = lm_load_pre(l, p[PRE].raw);
    }
    if (st == DRH_OK) {
        st = lm_load_post(l, p[POST].raw);
    }
    if (st == DRH_OK) {
        st = lm_load_decoder(l, p[DECODER].raw);
    }
    if (st == DRH_OK) {
        st = lm_load_model(l, p[MODEL].raw);
    }
    if (st == DRH_OK) {
        st = lm_load_added(l, p[ADDED].raw);
    }
    return st == DRH_OK ? lm_load_texts(l) : st;
}

drh_status lm_tok_load(struct lm_tok *t, const uint8_t *json, size_t n, const char *file,
                       drh_error *e)
{
    struct loader   l;
    struct lm_slice all = {(const char *)json, n};
    drh_status      st;
    memset(t, 0, sizeof(*t));
    memset(&l, 0, sizeof(l));
    memset(t->byte_id, 0xff, sizeof(t->byte_id));
    t->unk = LM_TOK_NONE;
    l.t = t;
    l.file = file;
    l.e = e;
    fill_alphabet(&l);
    if (lm_load_init_tables(&l) || lm_uni_init(&t->uni)) {
        st = lm_load_no_memory(&l);
    } else {
        st = read_file(&l, all);
    }
    lm_text_free(&l.tmp);
    lm_text_free(&l.both);
    lm_text_free(&l.keep);
    lm_norm_free(&l.replace);
    if (st != DRH_OK) {
        lm_tok_free(t);
    }
    return st;
}

void lm_tok_free(struct lm_tok *t)
{
    for (size_t i = 0; i < t->n_added; i++) {
        if (t->added[i].key != t->added[i].text) {
            free(t->added[i].key);
        }
        free(t->added[i].text);
    }
    free(t->added);
    free(t->raw.by_key);
    free(t->normalized.by_key);
    free(t->texts);
    free(t->merges);
    free(t->maybe);
    free(t->words);
    free(t->pool);
    free(t->char_id);
    free(t->joins);
    free(t->loose);
    lm_norm_free(&t->norm);
    lm_pre_free(&t->pre);
    lm_uni_free(&t->uni);
    memset(t, 0, sizeof(*t));
}
