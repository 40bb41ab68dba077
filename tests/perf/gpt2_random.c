/* SPDX-License-Identifier: MIT
 *
 * gpt2_random.c - see gpt2_random.h.
 */
#include "gpt2_random.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_u64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Nearly normal: the sum of twelve uniform numbers, so no libm result goes into a file. */
static double next_normal(uint64_t *state)
{
    double s = -6.0;
    for (int i = 0; i < 3; i++) {
        uint64_t u = next_u64(state);
        for (int k = 0; k < 4; k++) {
            s += (double)(u >> (16 * k) & 0xffff) / 65536.0;
        }
    }
    return s;
}

static void fill(const struct gpt2_shape *s, struct gpt2_tensor *t, uint64_t *state)
{
    const size_t n = (size_t)t->shape[0] * (t->ndim == 2 ? t->shape[1] : 1);
    const int    one = strstr(t->name, "ln_") && strstr(t->name, ".weight");
    for (size_t i = 0; i < n; i++) {
        double v = next_normal(state) * s->sigma;
        if (s->coarse) {
            v = nearbyint(v * 1024) / 1024;
            v = v > 0.12 ? 0.12 : v < -0.12 ? -0.12 : v;
            v = nearbyint(v * 1024) / 1024;
            v = one ? nearbyint((1 + v) * 128) / 128 : v;
        } else {
            v += one;
        }
        t->data[i] = (float)v;
    }
}

static int add(struct gpt2_random *r, uint64_t *state, const char *name, uint32_t rows,
               uint32_t cols)
{
    struct gpt2_tensor *t = realloc(r->t, (r->n + 1) * sizeof(*t));
    if (!t) {
        return -1;
    }
    r->t = t;
    t += r->n;
    memset(t, 0, sizeof(*t));
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    t->ndim = cols ? 2 : 1;
    t->shape[0] = rows;
    t->shape[1] = cols;
    t->data = malloc((size_t)rows * (cols ? cols : 1) * sizeof(float));
    if (!t->data) {
        return -1;
    }
    r->n++;
    fill(&r->s, t, state);
    return 0;
}

static int add_layer(struct gpt2_random *r, uint64_t *state, uint32_t i)
{
    const uint32_t d = r->s.width, f = r->s.inner;
    const struct {
        const char *name;
        uint32_t    rows, cols;
    } parts[] = {{"ln_1.weight", d, 0},
                 {"ln_1.bias", d, 0},
                 {"attn.c_attn.weight", d, 3 * d},
                 {"attn.c_attn.bias", 3 * d, 0},
                 {"attn.c_proj.weight", d, d},
                 {"attn.c_proj.bias", d, 0},
                 {"ln_2.weight", d, 0},
                 {"ln_2.bias", d, 0},
                 {"mlp.c_fc.weight", d, f},
                 {"mlp.c_fc.bias", f, 0},
                 {"mlp.c_proj.weight", f, d},
                 {"mlp.c_proj.bias", d, 0}};
    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "h.%lu.%s", (unsigned long)i, parts[k].name);
        if (add(r, state, name, parts[k].rows, parts[k].cols)) {
            return -1;
        }
    }
    return 0;
}

int gpt2_random_make(struct gpt2_random *r, const struct gpt2_shape *s)
{
    uint64_t state = s->seed;
    int      rc;
    memset(r, 0, sizeof(*r));
    r->s = *s;
    rc = add(r, &state, "wte.weight", s->vocab, s->width) ||
         add(r, &state, "wpe.weight", s->context, s->width);
    for (uint32_t i = 0; !rc && i < s->layers; i++) {
        rc = add_layer(r, &state, i);
    }
    rc = rc || add(r, &state, "ln_f.weight", s->width, 0) ||
         add(r, &state, "ln_f.bias", s->width, 0);
    if (rc) {
        gpt2_random_free(r);
    }
    return rc ? -1 : 0;
}

void gpt2_random_free(struct gpt2_random *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->t[i].data);
    }
    free(r->t);
    memset(r, 0, sizeof(*r));
}

const float *gpt2_random_find(const struct gpt2_random *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->t[i].name, name) == 0) {
            return r->t[i].data;
        }
    }
    return NULL;
}

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

static int write_data(FILE *f, const struct gpt2_tensor *t, const char *dtype)
{
    const size_t n = (size_t)t->shape[0] * (t->ndim == 2 ? t->shape[1] : 1);
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

static int write_header(FILE *f, const struct gpt2_random *r, const char *dtype, const char *prefix)
{
    const unsigned size = strcmp(dtype, "F32") == 0 ? 4 : 2;
    size_t         cap = r->n * 256 + 64, n = 0;
    uint64_t       at = 0, len;
    char          *text = malloc(cap);
    int            rc;
    if (!text) {
        return -1;
    }
    n += (size_t)snprintf(text, cap, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < r->n; i++) {
        const struct gpt2_tensor *t = &r->t[i];
        uint64_t bytes = (uint64_t)t->shape[0] * (t->ndim == 2 ? t->shape[1] : 1) * size;
        char     dims[32];
        (void)snprintf(dims, sizeof(dims), t->ndim == 2 ? "%u,%u" : "%u", t->shape[0], t->shape[1]);
        n += (size_t)snprintf(
            text + n, cap - n,
            ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}", prefix,
            t->name, dtype, dims, (unsigned long long)at, (unsigned long long)(at + bytes));
        at += bytes;
    }
    text[n++] = '}';
    while (n % 8) {
        text[n++] = ' ';
    }
    len = n;
    rc = fwrite(&len, 8, 1, f) == 1 && fwrite(text, 1, n, f) == n ? 0 : -1;
    free(text);
    return rc;
}

static int write_config(const struct gpt2_random *r, const char *dir)
{
    char  path[4096];
    FILE *f;
    int   rc;
    (void)snprintf(path, sizeof(path), "%s/config.json", dir);
    f = fopen(path, "w");
    if (!f) {
        return -1;
    }
    rc = fprintf(f,
                 "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],"
                 "\"n_embd\":%u,\"n_layer\":%u,\"n_head\":%u,\"n_inner\":%u,\"n_positions\":%u,"
                 "\"n_ctx\":%u,\"vocab_size\":%u,\"activation_function\":\"%s\","
                 "\"layer_norm_epsilon\":1e-05,\"bos_token_id\":%u,\"eos_token_id\":%u}\n",
                 r->s.width, r->s.layers, r->s.heads, r->s.inner, r->s.context, r->s.context,
                 r->s.vocab, r->s.act, r->s.vocab - 1, r->s.vocab - 1) < 0;
    return fclose(f) || rc ? -1 : 0;
}

int gpt2_random_write(const struct gpt2_random *r, const char *dir, const char *dtype,
                      const char *prefix)
{
    char  path[4096];
    FILE *f;
    int   rc;
    (void)snprintf(path, sizeof(path), "%s/model.safetensors", dir);
    f = fopen(path, "wb");
    if (!f) {
        return -1;
    }
    rc = write_header(f, r, dtype, prefix);
    for (size_t i = 0; !rc && i < r->n; i++) {
        rc = write_data(f, &r->t[i], dtype);
    }
    if (fclose(f)) {
        rc = -1;
    }
    return rc ? rc : write_config(r, dir);
}

int gpt2_copy(const char *from_dir, const char *to_dir, const char *name)
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
