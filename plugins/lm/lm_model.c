/* SPDX-License-Identifier: MIT
 *
 * lm_model.c - see lm_model.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "lm_model.h"
#include "lm_json.h"

#include <drh/util.h>

#include <stdlib.h>
#include <unistd.h>

/* ---- weights ------------------------------------------------------------------------------- */

struct want { /* a tensor and where its address goes */
    char          name[64];
    uint32_t      ndim;
    uint64_t      shape[2];
    const float **out;
};

struct binder {
    struct lm_model *m;
    const char      *file;
    drh_error       *e;
    size_t           own_n; /* floats of `own` in use */
    int              fill;  /* 0: check and count, 1: convert */
};

static const struct lm_tensor *find(const struct lm_model *m, const char *name)
{
    char                    full[96];
    const struct lm_tensor *t = lm_tensors_find(&m->tensors, name);
    if (!t) {
        (void)snprintf(full, sizeof(full), "transformer.%s", name);
        t = lm_tensors_find(&m->tensors, full);
    }
    return t;
}

static drh_status check_shape(struct binder *b, const struct lm_tensor *t, const struct want *w)
{
    if (t->dtype == LM_OTHER) {
        return drh_fail(b->e, DRH_E_UNSUPPORTED,
                        "%s: tensor \"%s\": dtype %s is not supported; F32, F16 and BF16 are",
                        b->file, t->name, t->dtype_name);
    }
    if (t->ndim != w->ndim || t->shape[0] != w->shape[0] ||
        (w->ndim == 2 && t->shape[1] != w->shape[1])) {
        return drh_fail(
            b->e, DRH_E_DATA,
            "%s: tensor \"%s\": the shape is not [%llu%s%.0llu], which config.json asks "
            "for",
            b->file, t->name, (unsigned long long)w->shape[0], w->ndim == 2 ? ", " : "",
            (unsigned long long)w->shape[1]);
    }
    return DRH_OK;
}

static drh_status bind(struct binder *b, const struct want *w)
{
    const struct lm_tensor *t = find(b->m, w->name);
    drh_status              st;
    if (!t) {
        return drh_fail(b->e, DRH_E_DATA, "%s: the tensor \"%s\" is missing", b->file, w->name);
    }
    st = check_shape(b, t, w);
    if (st != DRH_OK) {
        return st;
    }
    if (t->dtype == LM_F32 && (uintptr_t)t->data % sizeof(float) == 0) {
        *w->out = (const float *)(const void *)t->data;
        return DRH_OK;
    }
    if (b->fill) {
        lm_tensor_to_f32(t, b->m->own + b->own_n);
        *w->out = b->m->own + b->own_n;
    }
    b->own_n += ((size_t)t->count + 15) / 16 * 16;
    return DRH_OK;
}

static drh_status bind_layer(struct binder *b, uint32_t i)
{
    const struct lm_config *c = &b->m->c;
    struct lm_layer        *l = &b->m->layer[i];
    const uint64_t          d = c->width, f = c->inner;
    const struct {
        const char   *name;
        uint64_t      rows, cols;
        const float **out;
    } parts[] = {{"ln_1.weight", d, 0, &l->ln1_w},
                 {"ln_1.bias", d, 0, &l->ln1_b},
                 {"attn.c_attn.weight", d, 3 * d, &l->qkv_w},
                 {"attn.c_attn.bias", 3 * d, 0, &l->qkv_b},
                 {"attn.c_proj.weight", d, d, &l->proj_w},
                 {"attn.c_proj.bias", d, 0, &l->proj_b},
                 {"ln_2.weight", d, 0, &l->ln2_w},
                 {"ln_2.bias", d, 0, &l->ln2_b},
                 {"mlp.c_fc.weight", d, f, &l->fc_w},
                 {"mlp.c_fc.bias", f, 0, &l->fc_b},
                 {"mlp.c_proj.weight", f, d, &l->out_w},
                 {"mlp.c_proj.bias", d, 0, &l->out_b}};
    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
        struct want w = {"", parts[k].cols ? 2 : 1, {parts[k].rows, parts[k].cols}, parts[k].out};
        drh_status  st;
        (void)snprintf(w.name, sizeof(w.name), "h.%lu.%s", (unsigned long)i, parts[k].name);
        st = bind(b, &w);
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

static drh_status bind_all(struct binder *b)
{
    struct lm_model        *m = b->m;
    const uint64_t          d = m->c.width;
    const struct want       top[] = {{"wte.weight", 2, {m->c.vocab, d}, &m->wte},
                                     {"ln_f.weight", 1, {d, 0}, &m->lnf_w},
                                     {"ln_f.bias", 1, {d, 0}, &m->lnf_b},
                                     {"lm_head.weight", 2, {m->c.vocab, d}, &m->head}};
    struct want             wpe = {"wpe.weight", 2, {0, d}, &m->wpe};
    const struct lm_tensor *t = find(m, wpe.name);
    drh_status              st;
    wpe.shape[0] = t && t->ndim == 2 && t->shape[0] > m->c.context ? t->shape[0] : m->c.context;
    b->own_n = 0;
    st = bind(b, &wpe);
    for (size_t i = 0; st == DRH_OK && i < (m->c.tied ? 3u : 4u); i++) {
        st = bind(b, &top[i]);
    }
    for (uint32_t i = 0; st == DRH_OK && i < m->c.layers; i++) {
        st = bind_layer(b, i);
    }
    if (m->c.tied) {
        m->head = m->wte;
    }
    return st;
}

static drh_status load_weights(struct lm_model *m, const char *dir, drh_error *e)
{
    static const char *const name = "model.safetensors";
    struct binder            b = {m, name, e, 0, 0};
    drh_status               st = lm_map_open(&m->weights, dir, name, e);
    if (st == DRH_OK) {
        st = lm_tensors_read(&m->tensors, m->weights.p, m->weights.n, name, e);
    }
    if (st != DRH_OK) {
        return st;
    }
    if (m->c.layers > m->tensors.n) { /* before room is made for them */
        return drh_fail(e, DRH_E_DATA, "%s: the tensor \"h.%lu.ln_1.weight\" is missing", name,
                        (unsigned long)m->c.layers - 1);
    }
    m->layer = calloc(m->c.layers, sizeof(*m->layer));
    if (!m->layer) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    st = bind_all(&b);
    if (st != DRH_OK || b.own_n == 0) {
        return st;
    }
    m->own = aligned_alloc(64, b.own_n * sizeof(float));
    if (!m->own) {
        return drh_fail(e, DRH_E_NOMEM, "%s: no memory for %zu MB of weights", name,
                        b.own_n * sizeof(float) >> 20);
    }
    b.fill = 1;
    return bind_all(&b);
}

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
    static const char *const files[] = {"model.safetensors", "tokenizer.json"};
    struct lm_model          m;
    drh_status               st;
    memset(&m, 0, sizeof(m));
    st = load_config(&m, dir, e);
    for (size_t i = 0; st == DRH_OK && i < 2; i++) {
        struct lm_map f;
        st = lm_map_open(&f, dir, files[i], e);
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
        st = load_weights(m, dir, e);
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
    lm_tensors_free(&m->tensors);
    lm_tok_free(&m->tok);
    lm_map_close(&m->weights);
    lm_map_close(&m->tok_json);
    lm_map_close(&m->config_json);
    memset(m, 0, sizeof(*m));
}
