/* SPDX-License-Identifier: MIT
 *
 * lm_model.c - see lm_model.h.
 */
#include "lm_model.h"
#include "lm_json.h"

#include <drh/util.h>

#include <stdlib.h>

/* ---- tokenizer ----------------------------------------------------------------------------- */

/* Reads bos_token and eos_token: a text, or an object with "content". */
static void named_tokens(struct lm_model *m, const struct lm_map *f, uint32_t id[2])
{
    struct lm_json  j;
    struct lm_slice key, s;
    lm_json_init(&j, f->p, f->n);
    if (!lm_json_enter(&j, '{')) {
        while (lm_json_key(&j, &key) == 1) {
            int which = lm_slice_eq(key, "bos_token") ? 0 : lm_slice_eq(key, "eos_token") ? 1 : -1;
            int c = lm_json_peek(&j);
            if (which >= 0 && c == '"') {
                if (!lm_json_string(&j, &s)) {
                    id[which] = lm_tok_id(&m->tok, s.p, s.n);
                }
            } else if (which >= 0 && c == '{' && !lm_json_enter(&j, '{')) {
                while (lm_json_key(&j, &key) == 1) {
                    if (!lm_slice_eq(key, "content")) {
                        (void)lm_json_skip(&j, NULL);
                    } else if (!lm_json_string(&j, &s)) {
                        id[which] = lm_tok_id(&m->tok, s.p, s.n);
                    }
                }
            } else {
                (void)lm_json_skip(&j, NULL);
            }
        }
    }
    lm_json_free(&j);
}

/* The context token: the tokenizer's bos, config.json's, <|endoftext|>, then eos in that order. */
static void find_bos(struct lm_model *m, const char *dir)
{
    uint32_t      id[2] = {LM_TOK_NONE, LM_TOK_NONE}, order[5];
    struct lm_map f;
    if (lm_map_open(&f, dir, "tokenizer_config.json", NULL) == DRH_OK) {
        named_tokens(m, &f, id);
        lm_map_close(&f);
    }
    order[0] = id[0];
    order[1] = m->c.bos;
    order[2] = lm_tok_id(&m->tok, DRH_LIT("<|endoftext|>"));
    order[3] = id[1];
    order[4] = m->c.eos;
    m->bos = LM_TOK_NONE;
    for (size_t i = 0; i < 5 && m->bos == LM_TOK_NONE; i++) {
        if (order[i] < m->c.vocab) {
            m->bos = order[i];
        }
    }
}

static drh_status load_tokenizer(struct lm_model *m, const char *dir, drh_error *e)
{
    static const char *const name = "tokenizer.json";
    drh_status               st = lm_map_open(&m->tok_json, dir, name, e);
    if (st == DRH_OK) {
        st = lm_tok_load(&m->tok, m->tok_json.p, m->tok_json.n, name, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (m->tok.max_id >= m->c.vocab) {
        return drh_fail(e, DRH_E_DATA,
                        "tokenizer.json has the id %lu, config.json a vocab_size of %lu: they "
                        "belong to different models",
                        (unsigned long)m->tok.max_id, (unsigned long)m->c.vocab);
    }
    find_bos(m, dir);
    return DRH_OK;
}

/* ---- the folder ---------------------------------------------------------------------------- */

static drh_status load_config(struct lm_model *m, const char *dir, drh_error *e)
{
    drh_status st = lm_map_open(&m->config_json, dir, "config.json", e);
    return st != DRH_OK
               ? st
               : lm_config_read(&m->c, m->config_json.p, m->config_json.n, "config.json", e);
}

drh_status lm_model_probe(const char *dir, drh_error *e)
{
    struct lm_model m;
    struct lm_map   f;
    drh_status      st;
    memset(&m, 0, sizeof(m));
    st = load_config(&m, dir, e);
    st = st == DRH_OK ? lm_shards_probe(dir, e) : st;
    if (st == DRH_OK) {
        st = lm_map_open(&f, dir, "tokenizer.json", e);
        lm_map_close(&f);
    }
    lm_model_free(&m);
    return st;
}

drh_status lm_model_load(struct lm_model *m, const char *dir, drh_error *e)
{
    drh_status st;
    memset(m, 0, sizeof(*m));
    st = load_config(m, dir, e);
    if (st == DRH_OK) {
        st = load_tokenizer(m, dir, e);
    }
    if (st == DRH_OK) {
        st = lm_shards_open(&m->weights, dir, e);
    }
    if (st == DRH_OK) {
        st = lm_bind(m, e);
    }
    if (st != DRH_OK) {
        lm_model_free(m);
    }
    return st;
}

void lm_model_free(struct lm_model *m)
{
    free(m->own);
    free(m->layer);
    free(m->inv_freq);
    lm_shards_close(&m->weights);
    lm_tok_free(&m->tok);
    lm_map_close(&m->tok_json);
    lm_map_close(&m->config_json);
    memset(m, 0, sizeof(*m));
}
