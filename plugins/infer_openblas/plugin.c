/* SPDX-License-Identifier: MIT
 *
 * plugin.c - service "infer-openblas": the engine of plugins/lm on OpenBLAS in f32.  OpenBLAS
 * itself is held to one thread; packs run side by side.
 */
#include "lm_service.h"

#include <drh/util.h>

#include <cblas.h>

DRH_PLUGIN_NOTE(0, "service infer-openblas 1.0.0 drh.infer/1\n");

static void gemm(void *ctx, int b_rows, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    (void)ctx;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, b_rows ? CblasTrans : CblasNoTrans, (blasint)m,
                (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, beta, c,
                (blasint)ldc);
}

/* The version is the second word of "OpenBLAS 0.3.21 ...". */
static void describe(char *out, size_t size)
{
    const char *p = strchr(openblas_get_config(), ' ');
    size_t      n = p ? strcspn(p + 1, " ") : 0;
    (void)snprintf(out, size, "openblas-%.*s/%s", (int)n, p ? p + 1 : "", openblas_get_corename());
}

/* What to tell an OpenBLAS that is older than this CPU and takes it for one without AVX2: several
 * times slower then.  NULL: nothing. */
static const char *better_kernels(void)
{
#if defined(__x86_64__)
    static const char *const old[] = {"Prescott", "Core2", "Nehalem", "Sandybridge"};
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
        if (strcmp(openblas_get_corename(), old[i]) == 0) {
            return __builtin_cpu_supports("avx512bw") ? "SkylakeX"
                   : __builtin_cpu_supports("avx2")   ? "Haswell"
                                                      : NULL;
        }
    }
#endif
    return NULL;
}

static int32_t fitness(const char *precision, drh_error *e)
{
    const char *better = better_kernels();
    (void)precision; /* the schema has only f32 */
    if (better) {
        (void)drh_fail(e, DRH_OK,
                       "f32; slow, as OpenBLAS takes this CPU for a %s: set OPENBLAS_CORETYPE=%s",
                       openblas_get_corename(), better);
        return 30;
    }
    (void)drh_fail(e, DRH_OK, "f32");
    return 50;
}

static const struct lm_backend backend = {
    .id = "infer-openblas", .describe = describe, .fitness = fitness, .matmul = {.gemm = gemm}};

static int32_t probe(const drh_host *h, const drh_config *c, drh_error *e)
{
    return lm_service_probe(&backend, h, c, e);
}

static drh_status create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    const char *better = better_kernels();
    if (better) {
        drh_logf(h, DRH_LOG_WARN,
                 "this OpenBLAS takes the CPU for a %s and is several times slower than it could "
                 "be: set OPENBLAS_CORETYPE=%s in the environment",
                 openblas_get_corename(), better);
    }
    openblas_set_num_threads(1);
    return lm_service_create(&backend, h, c, self, e);
}

static const char schema[] = LM_SERVICE_SCHEMA("\"f32\"");

static const char *const     ids[] = {DRH_INFER, NULL};
static const drh_service_ops ops = {sizeof(drh_service_ops), 0, ids, probe, lm_service_get};
static const drh_life        life = {
           sizeof(drh_life),        0,   create, lm_service_destroy, lm_service_open_worker,
           lm_service_close_worker, NULL};
static const drh_stage stage = {
    .struct_size = sizeof(drh_stage),
    .kind = DRH_KIND_SERVICE,
    .id = "infer-openblas",
    .version = "1.0.0",
    .summary = "Scores and writes text with a small language model on the CPU (OpenBLAS, f32)",
    .config_schema = schema,
    .threading = DRH_WORKERS,
    .scope = DRH_SCOPE_RECORD,
    .flags = DRH_DETERMINISTIC,
    .life = &life,
    .ops = {.service = &ops}};
static const drh_stage *const stages[] = {&stage};

const drh_entry drh_entry_v1 = {.struct_size = sizeof(drh_entry),
                                .abi_minor = DRH_ABI_MINOR,
                                .abi_minor_need = 0,
                                .n_stages = 1,
                                .name = "infer-openblas",
                                .version = "1.0.0",
                                .license = "MIT",
                                .stages = stages};
