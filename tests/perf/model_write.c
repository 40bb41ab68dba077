/* SPDX-License-Identifier: MIT
 *
 * model_write.c - see model_random.h: a random model as a folder.
 */
#include "model_random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- formats of numbers -------------------------------------------------------------------- */

/* Single to half, to nearest even; no NaN and nothing out of range comes here. */
static uint16_t to_half(float v)
{
    uint32_t u, sign, mant;
    int      exp;
    memcpy(&u, &v, 4);
    sign = u >> 16 & 0x8000;
    exp = (int)(u >> 23 & 255) - 127 + 15;
    mant = (u & 0x7fffff) | 0x800000;
    if (exp < -10) {
        return (uint16_t)sign;
    }
    if (exp <= 0) { /* subnormal */
        int      shift = 14 - exp;
        uint32_t h = mant >> shift, rest = mant & ((1u << shift) - 1), half = 1u << (shift - 1);
        h += rest > half || (rest == half && (h & 1));
        return (uint16_t)(sign | h);
    }
    mant = (uint32_t)exp << 10 | (mant >> 13 & 0x3ff);
    u &= 0x1fff;
    mant += u > 0x1000 || (u == 0x1000 && (mant & 1));
    return (uint16_t)(sign | mant);
}

static uint16_t to_bf16(float v)
{
    uint32_t u;
    memcpy(&u, &v, 4);
    u += 0x7fff + (u >> 16 & 1);
    return (uint16_t)(u >> 16);
}

/* Of numbers below 1024. */
static float half_value(uint16_t h)
{
    const int exp = h >> 10 & 31;
    float     v = (float)(h & 1023) + (exp ? 1024.0f : 0.0f);
    for (int i = exp ? exp : 1; i < 25; i++) {
        v /= 2;
    }
    return h & 0x8000 ? -v : v;
}

static float bf16_value(uint16_t h)
{
    const uint32_t u = (uint32_t)h << 16;
    float          v;
    memcpy(&v, &u, 4);
    return v;
}

void model_round(struct model_random *r, const char *dtype)
{
    for (size_t i = 0; i < r->n && strcmp(dtype, "F32") != 0; i++) {
        float *v = r->t[i].data;
        for (size_t k = 0; k < model_tensor_count(&r->t[i]); k++) {
            v[k] = dtype[0] == 'B' ? bf16_value(to_bf16(v[k])) : half_value(to_half(v[k]));
        }
    }
}

/* ---- safetensors --------------------------------------------------------------------------- */

static const char *prefix_of(const struct model_random *r, const struct model_files *f,
                             const struct model_tensor *t)
{
    if (f->bare || strncmp(t->name, "lm_head.", 8) == 0) {
        return "";
    }
    return model_is_gpt2(&r->s) ? "transformer." : "model.";
}

/* Tensors go round, so that what belongs together is torn apart. */
static int is_here(const struct model_files *f, size_t i, uint32_t shard)
{
    return f->shards == 0 || i % f->shards == shard;
}

static void shard_name(char *out, size_t size, const struct model_files *f, uint32_t shard)
{
    if (f->shards == 0) {
        (void)snprintf(out, size, "model.safetensors");
    } else {
        (void)snprintf(out, size, "model-%05lu-of-%05lu.safetensors", (unsigned long)shard + 1,
                       (unsigned long)f->shards);
    }
}

static FILE *open_in(const char *dir, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return fopen(path, "wb");
}

static int write_data(FILE *f, const struct model_tensor *t, const char *dtype)
{
    const size_t n = model_tensor_count(t);
    uint16_t     h[1024];
    if (strcmp(dtype, "F32") == 0) {
        return fwrite(t->data, sizeof(float), n, f) == n ? 0 : -1;
    }
    for (size_t i = 0; i < n; i += 1024) {
        const size_t m = n - i < 1024 ? n - i : 1024;
        for (size_t k = 0; k < m; k++) {
            h[k] = dtype[0] == 'B' ? to_bf16(t->data[i + k]) : to_half(t->data[i + k]);
        }
        if (fwrite(h, 2, m, f) != m) {
            return -1;
        }
    }
    return 0;
}

static size_t header_text(char *text, size_t cap, const struct model_random *r,
                          const struct model_files *f, uint32_t shard)
{
    const unsigned size = strcmp(f->dtype, "F32") == 0 ? 4 : 2;
    uint64_t       at = 0;
    size_t         n = (size_t)snprintf(text, cap, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < r->n; i++) {
        const struct model_tensor *t = &r->t[i];
        const uint64_t             bytes = model_tensor_count(t) * size;
        char                       dims[32];
        if (!is_here(f, i, shard)) {
            continue;
        }
        (void)snprintf(dims, sizeof(dims), t->ndim == 2 ? "%u,%u" : "%u", t->shape[0], t->shape[1]);
        n += (size_t)snprintf(
            text + n, cap - n,
            ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}",
            prefix_of(r, f, t), t->name, f->dtype, dims, (unsigned long long)at,
            (unsigned long long)(at + bytes));
        at += bytes;
    }
    text[n++] = '}';
    while (f->odd ? n % 2 == 0 : n % 8 != 0) {
        text[n++] = ' ';
    }
    return n;
}

static int write_header(FILE *out, const struct model_random *r, const struct model_files *f,
                        uint32_t shard)
{
    const size_t cap = r->n * 256 + 64;
    uint64_t     len;
    char        *text = malloc(cap);
    int          rc;
    if (!text) {
        return -1;
    }
    len = header_text(text, cap, r, f, shard);
    rc = fwrite(&len, 8, 1, out) == 1 && fwrite(text, 1, len, out) == len ? 0 : -1;
    free(text);
    return rc;
}

static int write_shard(const struct model_random *r, const char *dir, const struct model_files *f,
                       uint32_t shard)
{
    char  name[64];
    FILE *out;
    int   rc;
    shard_name(name, sizeof(name), f, shard);
    out = open_in(dir, name);
    if (!out) {
        return -1;
    }
    rc = write_header(out, r, f, shard);
    for (size_t i = 0; !rc && i < r->n; i++) {
        rc = is_here(f, i, shard) ? write_data(out, &r->t[i], f->dtype) : 0;
    }
    return fclose(out) ? -1 : rc;
}

static int write_index(const struct model_random *r, const char *dir, const struct model_files *f)
{
    FILE *out = open_in(dir, "model.safetensors.index.json");
    int   rc = 0;
    if (!out) {
        return -1;
    }
    rc |= fprintf(out, "{\"metadata\":{\"total_size\":1},\"weight_map\":{") < 0;
    for (size_t i = 0; i < r->n; i++) {
        char name[64];
        shard_name(name, sizeof(name), f, (uint32_t)(i % f->shards));
        rc |= fprintf(out, "%s\n  \"%s%s\": \"%s\"", i ? "," : "", prefix_of(r, f, &r->t[i]),
                      r->t[i].name, name) < 0;
    }
    rc |= fprintf(out, "\n}}\n") < 0;
    return fclose(out) || rc ? -1 : 0;
}

/* ---- config.json --------------------------------------------------------------------------- */

static int gpt2_config(FILE *f, const struct model_shape *s)
{
    return fprintf(f,
                   "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],"
                   "\"n_embd\":%u,\"n_layer\":%u,\"n_head\":%u,\"n_inner\":%u,\"n_positions\":%u,"
                   "\"n_ctx\":%u,\"vocab_size\":%u,\"activation_function\":\"%s\",%s"
                   "\"layer_norm_epsilon\":1e-05,\"bos_token_id\":%u,\"eos_token_id\":%u}\n",
                   s->width, s->layers, s->heads, s->inner, s->context, s->context, s->vocab,
                   s->act, s->untied ? "\"tie_word_embeddings\":false," : "", s->vocab - 1,
                   s->vocab - 1) < 0;
}

static int rope_config(FILE *f, const struct model_shape *s)
{
    int rc = 0;
    if (!s->parameters) {
        rc |= fprintf(f, "\"rope_theta\":%.17g,", s->theta) < 0;
    }
    if (!s->rope && !s->parameters) {
        return rc;
    }
    rc |= fprintf(f, "\"%s\":{\"rope_type\":\"%s\"",
                  s->parameters ? "rope_parameters" : "rope_scaling",
                  s->rope ? s->rope : "default") < 0;
    if (s->parameters) {
        rc |= fprintf(f, ",\"rope_theta\":%.17g", s->theta) < 0;
    }
    if (s->rope) {
        rc |= fprintf(f, ",\"factor\":%.17g", s->factor) < 0;
    }
    if (s->rope && strcmp(s->rope, "llama3") == 0) {
        rc |= fprintf(f,
                      ",\"low_freq_factor\":%.17g,\"high_freq_factor\":%.17g,"
                      "\"original_max_position_embeddings\":%u",
                      s->low, s->high, s->rope_context) < 0;
    }
    return rc | (fprintf(f, "},") < 0);
}

static int window_config(FILE *f, const struct model_shape *s)
{
    const int qwen = strncmp(s->arch, "qwen", 4) == 0;
    int       rc = 0;
    if (strcmp(s->arch, "llama") == 0) {
        return 0;
    }
    if (s->window) {
        rc |= fprintf(f, "\"sliding_window\":%u,", s->window) < 0;
    } else {
        rc |= fprintf(f, "\"sliding_window\":null,") < 0;
    }
    if (qwen) {
        rc |= fprintf(f, "\"use_sliding_window\":%s,\"max_window_layers\":%u,",
                      s->window ? "true" : "false", s->slides_from) < 0;
    }
    for (uint32_t i = 0; s->types && i < s->layers; i++) {
        rc |= fprintf(f, "%s\"%s_attention\"%s", i ? "," : "\"layer_types\":[",
                      s->types[i] == 's' ? "sliding" : "full", i + 1 < s->layers ? "" : "],") < 0;
    }
    return rc;
}

static int llama_config(FILE *f, const struct model_shape *s)
{
    int rc = fprintf(f,
                     "{\"model_type\":\"%s\",\"hidden_size\":%u,\"num_hidden_layers\":%u,"
                     "\"num_attention_heads\":%u,\"num_key_value_heads\":%u,"
                     "\"intermediate_size\":%u,\"max_position_embeddings\":%u,\"vocab_size\":%u,",
                     s->arch, s->width, s->layers, s->heads, s->kv_heads, s->inner, s->context,
                     s->vocab) < 0;
    if (s->head_dim * s->heads != s->width || strcmp(s->arch, "qwen3") == 0) {
        rc |= fprintf(f, "\"head_dim\":%u,", s->head_dim) < 0;
    }
    rc |= rope_config(f, s) | window_config(f, s);
    rc |= fprintf(f,
                  "\"tie_word_embeddings\":%s,\"attention_bias\":%s,\"mlp_bias\":%s,"
                  "\"hidden_act\":\"silu\",\"rms_norm_eps\":1e-05,"
                  "\"bos_token_id\":%u,\"eos_token_id\":%u}\n",
                  s->untied ? "false" : "true", s->attention_bias ? "true" : "false",
                  s->mlp_bias ? "true" : "false", s->vocab - 1, s->vocab - 1) < 0;
    return rc;
}

int model_write_config(const struct model_random *r, const char *dir)
{
    FILE *f = open_in(dir, "config.json");
    int   rc;
    if (!f) {
        return -1;
    }
    rc = (model_is_gpt2(&r->s) ? gpt2_config : llama_config)(f, &r->s);
    return fclose(f) || rc ? -1 : 0;
}

/* ---- folders ------------------------------------------------------------------------------- */

int model_write(const struct model_random *r, const char *dir, const struct model_files *f)
{
    int rc = 0;
    for (uint32_t i = 0; !rc && i < (f->shards ? f->shards : 1); i++) {
        rc = write_shard(r, dir, f, i);
    }
    rc = !rc && f->shards ? write_index(r, dir, f) : rc;
    return rc ? rc : model_write_config(r, dir);
}

int model_copy(const char *from_dir, const char *to_dir, const char *name)
{
    char   path[4096], buf[65536];
    FILE  *in, *out;
    size_t n;
    int    rc = 0;
    (void)snprintf(path, sizeof(path), "%s/%s", from_dir, name);
    in = fopen(path, "rb");
    if (!in) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", to_dir, name);
    out = fopen(path, "wb");
    if (!out) {
        (void)fclose(in);
        return -1;
    }
    while ((n = fread(buf, 1, sizeof(buf), in)) > 0) {
        if (fwrite(buf, 1, n, out) != n) {
            rc = -1;
            break;
        }
    }
    rc = ferror(in) ? -1 : rc;
    (void)fclose(in);
    return fclose(out) ? -1 : rc;
}
