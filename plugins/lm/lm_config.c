/* SPDX-License-Identifier: MIT
 *
 * lm_config.c - see lm_config.h.  Names and defaults as the transformers library has them.
 */
#include "lm_config.h"
#include "lm_json.h"

#include <drh/util.h>

#define NOT_SAID UINT32_MAX

enum { LIBRARY_WINDOW = 4096, QWEN_WINDOW_LAYERS = 28, QWEN3_HEAD_DIM = 128 };

struct reader {
    struct lm_json    j;
    struct lm_config *c;
    const char       *file;
    drh_error        *e;
    uint32_t          n_ctx, max_window_layers;
    uint32_t          n_types; /* entries of layer_types */
    int               use_window, types, attention_bias;
};

static drh_status bad(struct reader *r, const char *key)
{
    return drh_fail(r->e, r->j.no_memory ? DRH_E_NOMEM : DRH_E_DATA, "%s: %s: %s", r->file, key,
                    r->j.err ? r->j.err : "not what such a model has there");
}

static drh_status unsupported(struct reader *r, const char *key, struct lm_slice value,
                              const char *known)
{
    return drh_fail(r->e, DRH_E_UNSUPPORTED, "%s: %s \"%.*s\" is not supported; %s", r->file, key,
                    value.n < 40 ? (int)value.n : 40, value.p, known);
}

/* ---- sizes and numbers --------------------------------------------------------------------- */

/* A whole number up to max, or null, which leaves *out as it is. */
static drh_status number(struct reader *r, const char *key, uint64_t max, uint32_t *out)
{
    uint64_t v = 0;
    if (lm_json_peek(&r->j) == 'n') {
        return lm_json_null(&r->j) ? bad(r, key) : DRH_OK;
    }
    if (lm_json_uint(&r->j, &v)) {
        return bad(r, key);
    }
    if (v > max) {
        return drh_fail(r->e, DRH_E_DATA, "%s: %s: %llu is too large", r->file, key,
                        (unsigned long long)v);
    }
    *out = (uint32_t)v;
    return DRH_OK;
}

static int read_id(struct lm_json *j, uint32_t *ids, uint32_t cap, uint32_t *n)
{
    uint64_t v;
    if (lm_json_uint(j, &v)) {
        return -1;
    }
    if (*n < cap && v < LM_NO_ID) {
        ids[(*n)++] = (uint32_t)v;
    }
    return 0;
}

int lm_read_ids(struct lm_json *j, uint32_t *ids, uint32_t cap, uint32_t *n)
{
    const int c = lm_json_peek(j);
    int       rc;
    *n = 0;
    if (c == 'n') {
        return lm_json_null(j);
    }
    if (c != '[') {
        return read_id(j, ids, cap, n);
    }
    rc = lm_json_enter(j, '[') ? -1 : 1;
    while (rc == 1 && (rc = lm_json_item(j)) == 1) {
        if (read_id(j, ids, cap, n)) {
            rc = -1;
        }
    }
    return rc;
}

static drh_status id_key(struct reader *r, const char *key, uint32_t *ids, uint32_t cap,
                         uint32_t *n)
{
    return lm_read_ids(&r->j, ids, cap, n) ? bad(r, key) : DRH_OK;
}

static drh_status real_key(struct reader *r, const char *key, double low, double high, double *out)
{
    double d;
    if (lm_json_peek(&r->j) == 'n') {
        return lm_json_null(&r->j) ? bad(r, key) : DRH_OK;
    }
    if (lm_json_number(&r->j, &d)) {
        return bad(r, key);
    }
    if (!(d >= low && d <= high)) {
        return drh_fail(r->e, DRH_E_DATA, "%s: %s: %g is not from %g to %g", r->file, key, d, low,
                        high);
    }
    *out = d;
    return DRH_OK;
}

/* The keys of sizes, under the names of both families; 1: it was one. */
static int size_key(struct reader *r, const char *key, drh_status *st)
{
    struct lm_config *c = r->c;
    const struct {
        const char *key;
        uint32_t   *out;
        uint64_t    max;
    } keys[] = {{"n_embd", &c->width, 1u << 16},
                {"hidden_size", &c->width, 1u << 16},
                {"n_layer", &c->layers, LM_MAX_LAYERS},
                {"num_hidden_layers", &c->layers, LM_MAX_LAYERS},
                {"n_head", &c->heads, 1u << 12},
                {"num_attention_heads", &c->heads, 1u << 12},
                {"num_key_value_heads", &c->kv_heads, 1u << 12},
                {"head_dim", &c->head_dim, 1u << 12},
                {"vocab_size", &c->vocab, 1u << 24},
                {"n_inner", &c->inner, 1u << 20},
                {"intermediate_size", &c->inner, 1u << 20},
                {"n_positions", &c->context, 1u << 24},
                {"max_position_embeddings", &c->context, 1u << 24},
                {"n_ctx", &r->n_ctx, 1u << 24},
                {"sliding_window", &c->window, 1u << 24},
                {"max_window_layers", &r->max_window_layers, 1u << 12}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i].key, key) == 0) {
            if (keys[i].out == &c->window && lm_json_peek(&r->j) == 'n') {
                c->window = 0; /* said to be none; without the key it is the library's */
            }
            *st = number(r, key, keys[i].max, keys[i].out);
            return 1;
        }
    }
    return 0;
}

/* ---- flags --------------------------------------------------------------------------------- */

static int flag_key(struct reader *r, const char *key, drh_status *st)
{
    struct lm_config *c = r->c;
    const struct {
        const char *key;
        int        *out;
        int         want; /* -1: either; else the only value that is done here */
    } keys[] = {{"tie_word_embeddings", &c->tied, -1}, {"attention_bias", &r->attention_bias, -1},
                {"mlp_bias", &c->mlp_bias, -1},        {"use_sliding_window", &r->use_window, -1},
                {"scale_attn_weights", NULL, 1},       {"scale_attn_by_inverse_layer_idx", NULL, 0},
                {"add_cross_attention", NULL, 0}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        int v;
        if (strcmp(keys[i].key, key) != 0) {
            continue;
        }
        *st = lm_json_bool(&r->j, &v) ? bad(r, key) : DRH_OK;
        if (*st == DRH_OK && keys[i].want >= 0 && v != keys[i].want) {
            *st = drh_fail(r->e, DRH_E_UNSUPPORTED, "%s: %s is %s, which is not supported", r->file,
                           key, v ? "true" : "false");
        }
        if (*st == DRH_OK && keys[i].out) {
            *keys[i].out = v;
        }
        return 1;
    }
    return 0;
}

/* ---- words --------------------------------------------------------------------------------- */

static drh_status activation(struct reader *r, const char *key)
{
    static const struct {
        const char *name;
        enum lm_act act;
    } acts[] = {{"gelu_new", LM_GELU_TANH}, {"gelu_pytorch_tanh", LM_GELU_TANH},
                {"gelu", LM_GELU_ERF},      {"relu", LM_RELU},
                {"silu", LM_SILU},          {"swish", LM_SILU}};
    struct lm_slice s;
    if (lm_json_string(&r->j, &s)) {
        return bad(r, key);
    }
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (lm_slice_eq(s, acts[i].name)) {
            r->c->act = acts[i].act;
            return DRH_OK;
        }
    }
    return unsupported(r, key, s, "gelu_new, gelu, relu and silu are");
}

static drh_status model_type(struct reader *r)
{
    static const char *const known[] = {"gpt2", "llama", "mistral", "qwen2", "qwen3"};
    struct lm_slice          s;
    if (lm_json_string(&r->j, &s)) {
        return bad(r, "model_type");
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (lm_slice_eq(s, known[i])) {
            (void)snprintf(r->c->arch, sizeof(r->c->arch), "%s", known[i]);
            r->c->family = i == 0 ? LM_FAMILY_GPT2 : LM_FAMILY_LLAMA;
            return DRH_OK;
        }
    }
    return unsupported(r, "model_type", s, "gpt2, llama, mistral, qwen2 and qwen3 are");
}

static drh_status rope_type(struct reader *r)
{
    static const struct {
        const char  *name;
        enum lm_rope rope;
    } types[] = {
        {"default", LM_ROPE_PLAIN}, {"linear", LM_ROPE_LINEAR}, {"llama3", LM_ROPE_LLAMA3}};
    struct lm_slice s;
    if (lm_json_string(&r->j, &s)) {
        return bad(r, "rope_scaling.rope_type");
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (lm_slice_eq(s, types[i].name)) {
            r->c->rope = types[i].rope;
            return DRH_OK;
        }
    }
    return unsupported(r, "rope_scaling.rope_type", s, "default, linear and llama3 are");
}

static drh_status rope_member(struct reader *r, struct lm_slice k)
{
    struct lm_config *c = r->c;
    double            whole;
    const struct {
        const char *key;
        double     *out;
        double      low, high;
    } keys[] = {{"partial_rotary_factor", &whole, 1, 1},
                {"factor", &c->rope_factor, 1, 1e6},
                {"low_freq_factor", &c->rope_low, 1e-3, 1e6},
                {"high_freq_factor", &c->rope_high, 1e-3, 1e6},
                {"original_max_position_embeddings", &c->rope_context, 1, 1e9},
                {"rope_theta", &c->rope_theta, 1, 1e12}};
    if (lm_slice_eq(k, "rope_type") || lm_slice_eq(k, "type")) {
        return rope_type(r);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (lm_slice_eq(k, keys[i].key)) {
            return real_key(r, keys[i].key, keys[i].low, keys[i].high, keys[i].out);
        }
    }
    return lm_json_skip(&r->j, NULL) ? bad(r, "rope_scaling") : DRH_OK;
}

/* "rope_scaling", or "rope_parameters" as newer files call it. */
static drh_status rope_scaling(struct reader *r)
{
    struct lm_slice k;
    drh_status      st = DRH_OK;
    int             rc = 0;
    if (lm_json_peek(&r->j) == 'n') {
        return lm_json_null(&r->j) ? bad(r, "rope_scaling") : DRH_OK;
    }
    if (lm_json_enter(&r->j, '{')) {
        return bad(r, "rope_scaling");
    }
    while (st == DRH_OK && (rc = lm_json_key(&r->j, &k)) == 1) {
        st = rope_member(r, k);
    }
    return st == DRH_OK && rc < 0 ? bad(r, "rope_scaling") : st;
}

static drh_status layer_types(struct reader *r)
{
    struct lm_slice s;
    int             rc;
    if (lm_json_peek(&r->j) == 'n') {
        return lm_json_null(&r->j) ? bad(r, "layer_types") : DRH_OK;
    }
    if (lm_json_enter(&r->j, '[')) {
        return bad(r, "layer_types");
    }
    r->types = 1;
    while ((rc = lm_json_item(&r->j)) == 1) {
        if (r->n_types == LM_MAX_LAYERS || lm_json_string(&r->j, &s)) {
            return bad(r, "layer_types");
        }
        if (lm_slice_eq(s, "sliding_attention")) {
            r->c->sliding[r->n_types / 64] |= (uint64_t)1 << r->n_types % 64;
        } else if (!lm_slice_eq(s, "full_attention")) {
            return unsupported(r, "layer_types", s, "full_attention and sliding_attention are");
        }
        r->n_types++;
    }
    return rc < 0 ? bad(r, "layer_types") : DRH_OK;
}

/* A key whose presence means another computation. */
static drh_status must_be_absent(struct reader *r, const char *key)
{
    if (lm_json_peek(&r->j) == 'n') {
        return lm_json_null(&r->j) ? bad(r, key) : DRH_OK;
    }
    return drh_fail(r->e, DRH_E_UNSUPPORTED,
                    "%s: %s is set, which is not supported; use the model's unquantised weights",
                    r->file, key);
}

static drh_status other_key(struct reader *r, const char *key)
{
    double     d = 1;
    drh_status st;
    if (strcmp(key, "model_type") == 0) {
        return model_type(r);
    }
    if (strcmp(key, "activation_function") == 0 || strcmp(key, "hidden_act") == 0) {
        return activation(r, key);
    }
    if (strcmp(key, "layer_norm_epsilon") == 0 || strcmp(key, "rms_norm_eps") == 0) {
        st = real_key(r, key, 0, 1, &d);
        r->c->eps = (float)d;
        return st;
    }
    if (strcmp(key, "rope_theta") == 0) {
        return real_key(r, key, 1, 1e12, &r->c->rope_theta);
    }
    if (strcmp(key, "partial_rotary_factor") == 0) {
        return real_key(r, key, 1, 1, &d);
    }
    if (strcmp(key, "rope_scaling") == 0 || strcmp(key, "rope_parameters") == 0) {
        return rope_scaling(r);
    }
    if (strcmp(key, "layer_types") == 0) {
        return layer_types(r);
    }
    if (strcmp(key, "bos_token_id") == 0) {
        uint32_t n;
        return id_key(r, key, &r->c->bos, 1, &n);
    }
    if (strcmp(key, "eos_token_id") == 0) {
        return id_key(r, key, r->c->eos, LM_MAX_EOS, &r->c->n_eos);
    }
    if (strcmp(key, "quantization_config") == 0) {
        return must_be_absent(r, key);
    }
    return lm_json_skip(&r->j, NULL) ? bad(r, key) : DRH_OK;
}

/* ---- the file ------------------------------------------------------------------------------ */

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
        (void)snprintf(key, sizeof(key), "%.*s", k.n < 63 ? (int)k.n : 63, k.p);
        if (!size_key(r, key, &st) && !flag_key(r, key, &st)) {
            st = other_key(r, key);
        }
    }
    if (st != DRH_OK) {
        return st;
    }
    return rc < 0 || lm_json_end(&r->j) ? bad(r, "the file") : DRH_OK;
}

/* What the libraries assume for keys that are not there. */
static void defaults(struct lm_config *c, struct reader *r)
{
    c->bos = LM_NO_ID;
    c->window = NOT_SAID;
    c->eps = -1;
    c->tied = -1;
    c->rope_theta = 10000;
    c->rope_factor = c->rope_low = 1;
    c->rope_high = 4;
    r->max_window_layers = QWEN_WINDOW_LAYERS;
    r->use_window = -1;
}

static void fill_gpt2(struct lm_config *c, const struct reader *r)
{
    c->act = c->act ? c->act : LM_GELU_TANH;
    c->eps = c->eps < 0 ? 1e-5f : c->eps;
    c->tied = c->tied < 0 ? 1 : c->tied;
    c->context = c->context ? c->context : r->n_ctx;
    c->context = r->n_ctx && r->n_ctx < c->context ? r->n_ctx : c->context;
    c->inner = c->inner ? c->inner : 4 * c->width;
    c->kv_heads = c->heads;
    c->head_dim = c->heads ? c->width / c->heads : 0;
    c->qkv_bias = c->out_bias = c->mlp_bias = 1;
    c->window = 0;
}

/* Which layers slide: layer_types; else all of Mistral's, and Qwen's from max_window_layers on. */
static void fill_window(struct lm_config *c, const struct reader *r)
{
    const int qwen = strncmp(c->arch, "qwen", 4) == 0;
    if (strcmp(c->arch, "llama") == 0 || (qwen && r->use_window != 1)) {
        c->window = 0;
    }
    c->window = c->window == NOT_SAID ? LIBRARY_WINDOW : c->window;
    for (uint32_t i = 0; !r->types && i < c->layers; i++) {
        if (!qwen || i >= r->max_window_layers) {
            c->sliding[i / 64] |= (uint64_t)1 << i % 64;
        }
    }
}

static void fill_llama(struct lm_config *c, const struct reader *r)
{
    const int qwen2 = strcmp(c->arch, "qwen2") == 0, mistral = strcmp(c->arch, "mistral") == 0;
    c->act = c->act ? c->act : LM_SILU;
    c->eps = c->eps < 0 ? 1e-6f : c->eps;
    c->tied = c->tied < 0 ? 0 : c->tied;
    c->kv_heads = c->kv_heads ? c->kv_heads : c->heads;
    c->qk_norm = strcmp(c->arch, "qwen3") == 0;
    if (!c->head_dim) {
        c->head_dim = c->qk_norm ? QWEN3_HEAD_DIM : c->heads ? c->width / c->heads : 0;
    }
    c->qkv_bias = qwen2 || (!mistral && r->attention_bias);
    c->out_bias = !qwen2 && !mistral && r->attention_bias;
    c->mlp_bias = strcmp(c->arch, "llama") == 0 && c->mlp_bias;
    c->rope_context = c->rope_context > 0 ? c->rope_context : c->context;
    fill_window(c, r);
}

static drh_status check_llama(struct reader *r)
{
    const struct lm_config *c = r->c;
    if (c->act != LM_SILU) {
        return drh_fail(r->e, DRH_E_UNSUPPORTED, "%s: hidden_act is not silu", r->file);
    }
    if (c->inner == 0) {
        return drh_fail(r->e, DRH_E_DATA, "%s: intermediate_size must be there and not 0", r->file);
    }
    if (c->head_dim == 0 || c->head_dim % 2) {
        return drh_fail(r->e, DRH_E_DATA, "%s: head_dim %lu is not even", r->file,
                        (unsigned long)c->head_dim);
    }
    if (c->heads % c->kv_heads) {
        return drh_fail(r->e, DRH_E_DATA,
                        "%s: num_attention_heads %lu is no multiple of num_key_value_heads %lu",
                        r->file, (unsigned long)c->heads, (unsigned long)c->kv_heads);
    }
    if (c->rope == LM_ROPE_LLAMA3 && !(c->rope_high > c->rope_low)) {
        return drh_fail(r->e, DRH_E_DATA,
                        "%s: rope_scaling: high_freq_factor is not above low_freq_factor", r->file);
    }
    if (r->types && r->n_types != c->layers) {
        return drh_fail(r->e, DRH_E_DATA, "%s: layer_types has %lu entries for %lu layers", r->file,
                        (unsigned long)r->n_types, (unsigned long)c->layers);
    }
    return DRH_OK;
}

static drh_status check(struct reader *r)
{
    struct lm_config *c = r->c;
    if (!c->family) {
        return drh_fail(r->e, DRH_E_UNSUPPORTED,
                        "%s: model_type is missing; gpt2, llama, mistral, qwen2 or qwen3 is "
                        "expected",
                        r->file);
    }
    if (c->width == 0 || c->layers == 0 || c->heads == 0 || c->vocab == 0 || c->context == 0) {
        return drh_fail(r->e, DRH_E_DATA,
                        c->family == LM_FAMILY_GPT2
                            ? "%s: n_embd, n_layer, n_head, n_positions and vocab_size must be "
                              "there and not 0"
                            : "%s: hidden_size, num_hidden_layers, num_attention_heads, "
                              "max_position_embeddings and vocab_size must be there and not 0",
                        r->file);
    }
    if (c->family == LM_FAMILY_LLAMA) {
        return check_llama(r);
    }
    if (c->width % c->heads != 0) {
        return drh_fail(r->e, DRH_E_DATA, "%s: n_embd %lu is no multiple of n_head %lu", r->file,
                        (unsigned long)c->width, (unsigned long)c->heads);
    }
    return c->act == LM_SILU ? drh_fail(r->e, DRH_E_UNSUPPORTED,
                                        "%s: activation_function silu in a GPT-2 model", r->file)
                             : DRH_OK;
}

drh_status lm_config_read(struct lm_config *c, const uint8_t *json, size_t n, const char *file,
                          drh_error *e)
{
    struct reader r;
    drh_status    st;
    memset(c, 0, sizeof(*c));
    memset(&r, 0, sizeof(r));
    r.c = c;
    r.file = file;
    r.e = e;
    defaults(c, &r);
    lm_json_init(&r.j, json, n);
    st = read_keys(&r);
    lm_json_free(&r.j);
    if (st != DRH_OK) {
        return st;
    }
    if (c->family == LM_FAMILY_GPT2) {
        fill_gpt2(c, &r);
    } else if (c->family == LM_FAMILY_LLAMA) {
        fill_llama(c, &r);
    }
    return check(&r);
}
