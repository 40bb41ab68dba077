/* SPDX-License-Identifier: MIT
 *
 * lm_config.c - config.json of a GPT-2 model.  What would change the numbers and is not done here
 * is refused by name.  One thread, at load.
 */
#include "lm_json.h"
#include "lm_model.h"

#include <drh/util.h>

struct reader {
    struct lm_json    j;
    struct lm_config *c;
    const char       *file;
    drh_error        *e;
    int               gpt2, act;
    uint64_t          n_positions, n_ctx;
};

static drh_status bad(struct reader *r, const char *key)
{
    return drh_fail(r->e, DRH_E_DATA, "%s: %s: %s", r->file, key,
                    r->j.err ? r->j.err : "not what GPT-2 has there");
}

/* A whole number, or null for 0. */
static drh_status number(struct reader *r, const char *key, uint64_t max, uint64_t *out)
{
    *out = 0;
    if (lm_json_peek(&r->j) == 'n') {
        return lm_json_null(&r->j) ? bad(r, key) : DRH_OK;
    }
    if (lm_json_uint(&r->j, out)) {
        return bad(r, key);
    }
    if (*out > max) {
        return drh_fail(r->e, DRH_E_DATA, "%s: %s: %llu is too large", r->file, key,
                        (unsigned long long)*out);
    }
    return DRH_OK;
}

static drh_status size_key(struct reader *r, const char *key, int *known)
{
    struct {
        const char *key;
        uint32_t   *out;
        uint64_t    max;
    } keys[] = {{"n_embd", &r->c->width, 1u << 16},    {"n_layer", &r->c->layers, 1u << 12},
                {"n_head", &r->c->heads, 1u << 12},    {"vocab_size", &r->c->vocab, 1u << 24},
                {"n_inner", &r->c->inner, 1u << 20},   {"bos_token_id", &r->c->bos, 1u << 30},
                {"eos_token_id", &r->c->eos, 1u << 30}};
    *known = 1;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        uint64_t   v;
        drh_status st;
        if (strcmp(keys[i].key, key) != 0) {
            continue;
        }
        if (i >= 5 && lm_json_peek(&r->j) == 'n') {
            return lm_json_null(&r->j) ? bad(r, key) : DRH_OK;
        }
        st = number(r, key, keys[i].max, &v);
        *keys[i].out = (uint32_t)v;
        return st;
    }
    if (strcmp(key, "n_positions") == 0) {
        return number(r, key, 1u << 24, &r->n_positions);
    }
    if (strcmp(key, "n_ctx") == 0) {
        return number(r, key, 1u << 24, &r->n_ctx);
    }
    *known = 0;
    return DRH_OK;
}

static drh_status flag(struct reader *r, const char *key, int want)
{
    int v;
    if (lm_json_bool(&r->j, &v)) {
        return bad(r, key);
    }
    if (v != want) {
        return drh_fail(r->e, DRH_E_UNSUPPORTED, "%s: %s is %s, which infer-openblas does not do",
                        r->file, key, v ? "true" : "false");
    }
    return DRH_OK;
}

static drh_status activation(struct reader *r)
{
    static const struct {
        const char *name;
        uint32_t    act;
    } acts[] = {{"gelu_new", LM_GELU_TANH},
                {"gelu_pytorch_tanh", LM_GELU_TANH},
                {"gelu", LM_GELU_ERF},
                {"relu", LM_RELU}};
    struct lm_slice s;
    if (lm_json_string(&r->j, &s)) {
        return bad(r, "activation_function");
    }
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (lm_slice_eq(s, acts[i].name)) {
            r->c->act = acts[i].act;
            return DRH_OK;
        }
    }
    return drh_fail(r->e, DRH_E_UNSUPPORTED,
                    "%s: activation_function \"%.*s\" is not known; gelu_new, gelu and relu are",
                    r->file, s.n < 40 ? (int)s.n : 40, s.p);
}

static drh_status model_type(struct reader *r)
{
    struct lm_slice s;
    if (lm_json_string(&r->j, &s)) {
        return bad(r, "model_type");
    }
    r->gpt2 = lm_slice_eq(s, "gpt2");
    return r->gpt2 ? DRH_OK
                   : drh_fail(r->e, DRH_E_UNSUPPORTED,
                              "%s: the architecture \"%.*s\" is not supported; infer-openblas runs "
                              "gpt2",
                              r->file, s.n < 40 ? (int)s.n : 40, s.p);
}

static drh_status other_key(struct reader *r, const char *key)
{
    double d;
    if (strcmp(key, "model_type") == 0) {
        return model_type(r);
    }
    if (strcmp(key, "activation_function") == 0) {
        return activation(r);
    }
    if (strcmp(key, "layer_norm_epsilon") == 0) {
        if (lm_json_number(&r->j, &d) || !(d >= 0 && d < 1)) {
            return bad(r, key);
        }
        r->c->eps = (float)d;
        return DRH_OK;
    }
    if (strcmp(key, "scale_attn_weights") == 0) {
        return flag(r, key, 1);
    }
    if (strcmp(key, "scale_attn_by_inverse_layer_idx") == 0 ||
        strcmp(key, "add_cross_attention") == 0) {
        return flag(r, key, 0);
    }
    if (strcmp(key, "tie_word_embeddings") == 0) {
        return lm_json_bool(&r->j, &r->c->tied) ? bad(r, key) : DRH_OK;
    }
    return lm_json_skip(&r->j, NULL) ? bad(r, key) : DRH_OK;
}

static drh_status read_keys(struct reader *r)
{
    struct lm_slice k;
    drh_status      st = DRH_OK;
    int             rc;
    if (lm_json_enter(&r->j, '{')) {
        return bad(r, "the file");
    }
    while (st == DRH_OK && (rc = lm_json_key(&r->j, &k)) == 1) {
        char key[64];
        int  known;
        (void)snprintf(key, sizeof(key), "%.*s", k.n < 63 ? (int)k.n : 63, k.p);
        st = size_key(r, key, &known);
        if (st == DRH_OK && !known) {
            st = other_key(r, key);
        }
    }
    if (st != DRH_OK) {
        return st;
    }
    return rc < 0 || lm_json_end(&r->j) ? bad(r, "the file") : DRH_OK;
}

static drh_status check(struct reader *r)
{
    struct lm_config *c = r->c;
    if (!r->gpt2) {
        return drh_fail(r->e, DRH_E_UNSUPPORTED, "%s: model_type is missing; \"gpt2\" is expected",
                        r->file);
    }
    if (c->width == 0 || c->layers == 0 || c->heads == 0 || c->vocab == 0 || c->context == 0) {
        return drh_fail(r->e, DRH_E_DATA,
                        "%s: n_embd, n_layer, n_head, n_positions and vocab_size must be there and "
                        "not 0",
                        r->file);
    }
    if (c->width % c->heads != 0) {
        return drh_fail(r->e, DRH_E_DATA, "%s: n_embd %lu is no multiple of n_head %lu", r->file,
                        (unsigned long)c->width, (unsigned long)c->heads);
    }
    return DRH_OK;
}

drh_status lm_config_read(struct lm_config *c, const uint8_t *json, size_t n, const char *file,
                          drh_error *e)
{
    struct reader r;
    drh_status    st;
    memset(c, 0, sizeof(*c));
    memset(&r, 0, sizeof(r));
    c->act = LM_GELU_TANH;
    c->eps = 1e-5f;
    c->tied = 1;
    c->bos = c->eos = LM_TOK_NONE;
    r.c = c;
    r.file = file;
    r.e = e;
    lm_json_init(&r.j, json, n);
    st = read_keys(&r);
    lm_json_free(&r.j);
    if (st != DRH_OK) {
        return st;
    }
    c->context = (uint32_t)(r.n_positions ? r.n_positions : r.n_ctx);
    if (r.n_ctx && r.n_ctx < c->context) {
        c->context = (uint32_t)r.n_ctx;
    }
    c->inner = c->inner ? c->inner : 4 * c->width;
    return check(&r);
}
