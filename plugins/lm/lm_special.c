/* SPDX-License-Identifier: MIT
 *
 * lm_special.c - the tokens with a role: what a text begins with, what ends an answer.  Taken from
 * tokenizer_config.json, config.json and generation_config.json, which all may say something.
 */
#include "lm_json.h"
#include "lm_model.h"

#include <drh/util.h>

/* A token by its text: a string, or an object with "content". */
static void token_member(struct lm_json *j, const struct lm_tok *t, uint32_t *id)
{
    struct lm_slice key, s;
    const int       c = lm_json_peek(j);
    if (c == '"') {
        if (!lm_json_string(j, &s)) {
            *id = lm_tok_id(t, s.p, s.n);
        }
    } else if (c == '{' && !lm_json_enter(j, '{')) {
        while (lm_json_key(j, &key) == 1) {
            if (!lm_slice_eq(key, "content")) {
                (void)lm_json_skip(j, NULL);
            } else if (!lm_json_string(j, &s)) {
                *id = lm_tok_id(t, s.p, s.n);
            }
        }
    } else {
        (void)lm_json_skip(j, NULL);
    }
}

static struct lm_chat_names read_named(const struct lm_model *m, const char *dir)
{
    struct lm_chat_names out = {LM_TOK_NONE, LM_TOK_NONE};
    struct lm_json       j;
    struct lm_slice      key;
    struct lm_map        f;
    if (lm_map_open(&f, dir, "tokenizer_config.json", NULL) != DRH_OK) {
        return out;
    }
    lm_json_init(&j, f.p, f.n);
    if (!lm_json_enter(&j, '{')) {
        while (lm_json_key(&j, &key) == 1) {
            if (lm_slice_eq(key, "bos_token")) {
                token_member(&j, &m->tok, &out.bos);
            } else if (lm_slice_eq(key, "eos_token")) {
                token_member(&j, &m->tok, &out.eos);
            } else {
                (void)lm_json_skip(&j, NULL);
            }
        }
    }
    lm_json_free(&j);
    lm_map_close(&f);
    return out;
}

static void add_stop(struct lm_model *m, uint32_t id)
{
    for (size_t i = 0; i < m->n_stop; i++) {
        if (m->stop[i] == id) {
            return;
        }
    }
    if (id < m->c.vocab && m->n_stop < LM_MAX_STOPS) {
        m->stop[m->n_stop++] = id;
    }
}

static void stops_of_generation(struct lm_model *m, const char *dir)
{
    struct lm_json  j;
    struct lm_slice key;
    struct lm_map   f;
    uint32_t        ids[LM_MAX_EOS], n = 0;
    if (lm_map_open(&f, dir, "generation_config.json", NULL) != DRH_OK) {
        return;
    }
    lm_json_init(&j, f.p, f.n);
    if (!lm_json_enter(&j, '{')) {
        while (lm_json_key(&j, &key) == 1) {
            if (!lm_slice_eq(key, "eos_token_id")) {
                (void)lm_json_skip(&j, NULL);
            } else if (lm_read_ids(&j, ids, LM_MAX_EOS, &n)) {
                n = 0;
            }
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        add_stop(m, ids[i]);
    }
    lm_json_free(&j);
    lm_map_close(&f);
}

void lm_find_special(struct lm_model *m, const char *dir)
{
    const struct lm_chat_names named = read_named(m, dir);
    const uint32_t             endoftext = lm_tok_id(&m->tok, DRH_LIT("<|endoftext|>"));
    const uint32_t             order[] = {named.bos, m->c.bos, endoftext, named.eos,
                              m->c.n_eos ? m->c.eos[0] : LM_TOK_NONE};
    m->named = named;
    m->bos = LM_TOK_NONE;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && m->bos == LM_TOK_NONE; i++) {
        if (order[i] < m->c.vocab) {
            m->bos = order[i];
        }
    }
    stops_of_generation(m, dir);
    for (uint32_t i = 0; i < m->c.n_eos; i++) {
        add_stop(m, m->c.eos[i]);
    }
    add_stop(m, named.eos);
}
