/* SPDX-License-Identifier: MIT
 *
 * model_help.c - see model_help.h.
 */
#include "model_help.h"

#include <cblas.h>
#include <check.h>
#include <string.h>

drh_status bare_load(struct lm_model *m, const char *dir, drh_error *e)
{
    drh_status st;
    memset(m, 0, sizeof(*m));
    st = lm_map_open(&m->config_json, dir, "config.json", e);
    if (st == DRH_OK) {
        st = lm_config_read(&m->c, m->config_json.p, m->config_json.n, "config.json", e);
    }
    st = st == DRH_OK ? lm_shards_open(&m->weights, dir, e) : st;
    st = st == DRH_OK ? lm_bind(m, e) : st;
    if (st != DRH_OK) {
        lm_model_free(m);
    }
    return st;
}

static void gemm(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    (void)ctx;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, b_rows ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, beta, c,
                (blasint)ldc);
}

drh_status bare_try(const struct lm_model *m, struct lm_seq *seq, size_t n)
{
    struct lm_engine  en;
    struct lm_scratch s;
    drh_status        st;
    openblas_set_num_threads(1);
    memset(&s, 0, sizeof(s));
    memset(&en, 0, sizeof(en));
    en.m = m;
    en.math = lm_math_best();
    en.mm.gemm = gemm;
    st = lm_engine_score(&en, &s, seq, n);
    lm_scratch_free(&s);
    return st;
}

void bare_score(const struct lm_model *m, struct lm_seq *seq, size_t n)
{
    ck_assert_int_eq(bare_try(m, seq, n), DRH_OK);
}
