/* SPDX-License-Identifier: MIT
 * fuzz_model.c - any bytes as a model folder: config.json, the headers of two weight files and
 * their index, apart by a line "----"; data of the right length are put behind a header.  What
 * loads is scored once, so that a place outside a file would be touched. */
#include "lm_engine.h"

#include <drh/util.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { MAX_DATA = 1 << 20, MAX_WORK = 1 << 22 };

static char dir[64];

static void clean(void)
{
    static const char *const files[] = {"config.json", "a.safetensors", "b.safetensors",
                                        "model.safetensors", "model.safetensors.index.json"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
}

static void leave(void)
{
    clean();
    (void)rmdir(dir);
}

static void enter(void)
{
    if (!dir[0]) {
        (void)snprintf(dir, sizeof(dir), "%s/drh-fuzz-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        MUST(mkdtemp(dir));
        (void)atexit(leave);
    }
    clean();
}

/* The part up to the next line "----". */
static drh_str part(const uint8_t **p, size_t *n)
{
    static const char line[] = "\n----\n";
    const size_t      len = sizeof(line) - 1;
    drh_str           s = {(const char *)*p, *n};
    for (size_t i = 0; i + len <= *n; i++) {
        if (memcmp(*p + i, line, len) == 0) {
            s.len = i;
            *p += i + len;
            *n -= i + len;
            return s;
        }
    }
    *p += *n;
    *n = 0;
    return s;
}

static FILE *create(const char *name)
{
    char  path[128];
    FILE *f;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    MUST(f);
    return f;
}

static void write_text(const char *name, drh_str s)
{
    FILE *f = create(name);
    MUST(fwrite(s.ptr, 1, s.len, f) == s.len && fclose(f) == 0);
}

/* The largest number behind "data_offsets":[, as most headers mean the length of the data. */
static size_t data_length(drh_str s)
{
    static const char key[] = "offsets\":[";
    size_t            most = 0;
    for (size_t i = 0; i + sizeof(key) - 1 <= s.len; i++) {
        if (memcmp(s.ptr + i, key, sizeof(key) - 1) == 0) {
            size_t v = 0;
            for (i += sizeof(key) - 1; i < s.len && s.ptr[i] != ']'; i++) {
                const unsigned d = (unsigned char)s.ptr[i] - (unsigned)'0';
                v = d < 10 ? v * 10 + d : 0;
                most = v > most && v <= MAX_DATA ? v : most;
            }
        }
    }
    return most;
}

/* A part that begins with '!' is the file as it is, its length and all. */
static void write_weights(const char *name, drh_str s)
{
    FILE    *f;
    uint64_t len = s.len;
    if (s.len && s.ptr[0] == '!') {
        write_text(name, (drh_str){s.ptr + 1, s.len - 1});
        return;
    }
    f = create(name);
    MUST(fwrite(&len, 8, 1, f) == 1 && fwrite(s.ptr, 1, s.len, f) == s.len);
    MUST(fflush(f) == 0);
    MUST(ftruncate(fileno(f), (off_t)(8 + s.len + data_length(s))) == 0); /* zeros */
    MUST(fclose(f) == 0);
}

static void gemm(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    (void)ctx;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float v = beta != 0 ? c[i * ldc + j] : 0;
            for (size_t x = 0; x < k; x++) {
                v += a[i * lda + x] * (b_rows ? b[j * ldb + x] : b[x * ldb + j]);
            }
            c[i * ldc + j] = v;
        }
    }
}

static void score(const struct lm_model *m)
{
    const struct lm_math *math = lm_math_best();
    struct lm_engine      en = {.m = m, .math = math, .mm = {.gemm = gemm}};
    struct lm_scratch     s;
    uint32_t              ids[5];
    float                 out[4];
    struct lm_seq         seq = {ids, m->c.context < 4 ? m->c.context + 1 : 5, 1, out, 0};
    for (uint32_t i = 0; i < 5; i++) {
        ids[i] = i & 1 ? m->c.vocab - 1 : i % m->c.vocab;
    }
    memset(&s, 0, sizeof(s));
    MUST(lm_engine_score(&en, &s, &seq, 1) == DRH_OK);
    lm_scratch_free(&s);
}

/* What a pass would take; weights of size 0 and the like do not load. */
static int is_small(const struct lm_model *m)
{
    const uint64_t d = m->c.width, a = lm_qkv_width(&m->c) + lm_attention_width(&m->c);
    return d * m->c.vocab < MAX_WORK && m->c.layers * d * (a + 3 * (uint64_t)m->c.inner) < MAX_WORK;
}

static void load(void)
{
    struct lm_model m;
    drh_error       e = DRH_ERROR_INIT;
    drh_status      st;
    memset(&m, 0, sizeof(m));
    st = lm_map_open(&m.config_json, dir, "config.json", &e);
    if (st == DRH_OK) {
        st = lm_config_read(&m.c, m.config_json.p, m.config_json.n, "config.json", &e);
    }
    st = st == DRH_OK ? lm_shards_open(&m.weights, dir, &e) : st;
    st = st == DRH_OK ? lm_bind(&m, &e) : st;
    MUST(st == DRH_OK || e.message[0]);
    if (st == DRH_OK && is_small(&m)) {
        score(&m);
    }
    lm_model_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drh_str p[4];
    for (size_t i = 0; i < 4; i++) {
        p[i] = part(&data, &size);
    }
    enter();
    write_text("config.json", p[0]);
    if (p[2].len || p[3].len) {
        write_weights("a.safetensors", p[1]);
        write_weights("b.safetensors", p[2]);
        write_text("model.safetensors.index.json", p[3]);
    } else {
        write_weights("model.safetensors", p[1]);
    }
    load();
    return 0;
}
