/* SPDX-License-Identifier: MIT
 *
 * lm_model.c - see lm_model.h.
 */
#include "lm_model.h"

#include <drh/util.h>

#include <stdlib.h>

/* ---- tokenizer ----------------------------------------------------------------------------- */

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
    lm_find_special(m, dir);
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

drh_status lm_model_chat(struct lm_model *m, const char *dir, const char *name, drh_error *e)
{
    return lm_chat_open(&m->chat, &m->tok, m->named, dir, name, e);
}

drh_status lm_model_each(struct lm_model *m, drh_status (*each)(void *ctx, struct lm_group *g),
                         void            *ctx)
{
    drh_status st = DRH_OK;
    for (uint32_t i = 0; st == DRH_OK && i < m->c.layers; i++) {
        struct lm_layer *l = &m->layer[i];
        st = each(ctx, &l->qkv);
        st = st == DRH_OK ? each(ctx, &l->out) : st;
        st = st == DRH_OK ? each(ctx, &l->up) : st;
        st = st == DRH_OK ? each(ctx, &l->down) : st;
    }
    for (size_t i = 0; st == DRH_OK && i < m->n_tiles; i++) {
        st = each(ctx, &m->tile[i]);
    }
    return st;
}

void lm_model_free(struct lm_model *m)
{
    lm_chat_free(&m->chat);
    free(m->own);
    free(m->tile);
    free(m->layer);
    free(m->inv_freq);
    lm_shards_close(&m->weights);
    lm_tok_free(&m->tok);
    lm_map_close(&m->tok_json);
    lm_map_close(&m->config_json);
    memset(m, 0, sizeof(*m));
}
