/* SPDX-License-Identifier: MIT
 *
 * dnn_cpu.c - what this machine can do, and OpenMP held to one thread.
 */
#include "dnn.h"

#include <drh/util.h>

#include <oneapi/dnnl/dnnl_debug.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- the CPU ------------------------------------------------------------------------------- */

static const struct {
    dnnl_cpu_isa_t isa;
    const char    *name;
} kernels[] = {{dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
               {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
               {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
               {dnnl_cpu_isa_avx512_core, "avx512_core"},
               {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
               {dnnl_cpu_isa_avx2, "avx2"},
               {dnnl_cpu_isa_avx, "avx"},
               {dnnl_cpu_isa_sse41, "sse41"}};

/* An instruction set is the bits of all that it includes. */
static int has(dnnl_cpu_isa_t isa)
{
#if defined(__x86_64__)
    return (dnnl_get_effective_cpu_isa() & isa) == isa;
#else
    (void)isa;
    return 0;
#endif
}

static const char *kernel(void)
{
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        if (has(kernels[i].isa)) {
            return kernels[i].name;
        }
    }
    return "generic";
}

void dnn_describe(char *out, size_t size)
{
    const dnnl_version_t *v = dnnl_version();
    (void)snprintf(out, size, "onednn-%d.%d.%d/%s", v->major, v->minor, v->patch, kernel());
}

static int32_t fit(int32_t score, const char *what, drh_error *e)
{
    (void)drh_fail(e, DRH_OK, "%s", what);
    return score;
}

/* OpenBLAS says 50 to this: both are equally fast, within a tenth, and it is everywhere. */
static int32_t fit_f32(int amx, drh_error *e)
{
    return fit(40,
               amx                                  ? "f32; bf16 would be several times faster "
                                                      "here (AMX): --precision bf16"
               : has(dnnl_cpu_isa_avx512_core_bf16) ? "f32; bf16 would be about twice as fast "
                                                      "here (AVX512_BF16): --precision bf16"
                                                    : "f32",
               e);
}

static int32_t fit_bf16(int amx, drh_error *e)
{
    if (!has(dnnl_cpu_isa_avx512_core_bf16)) {
        (void)drh_fail(e, DRH_E_UNSUPPORTED,
                       "precision bf16 needs a CPU with AVX512_BF16 or AMX, oneDNN has %s here; it "
                       "would be slower than f32, so take precision f32",
                       kernel());
        return 0;
    }
    return fit(amx ? 80 : 60, amx ? "bf16 (AMX)" : "bf16 (AVX512_BF16)", e);
}

static int32_t fit_int8(int amx, drh_error *e)
{
    if (!has(dnnl_cpu_isa_avx512_core_vnni)) {
        (void)drh_fail(e, DRH_E_UNSUPPORTED,
                       "precision int8 needs a CPU with AVX512_VNNI, oneDNN has %s here; take "
                       "precision f32",
                       kernel());
        return 0;
    }
    return fit(amx ? 80 : 60, amx ? "int8 (AMX)" : "int8 (AVX512_VNNI)", e);
}

int32_t dnn_fitness(const char *precision, drh_error *e)
{
    const unsigned threads = dnnl_version()->cpu_runtime;
    const int      amx = has(dnnl_cpu_isa_avx512_core_amx);
    if (threads != DNNL_RUNTIME_OMP && threads != DNNL_RUNTIME_SEQ) {
        (void)drh_fail(e, DRH_E_UNSUPPORTED,
                       "this libdnnl has threads of its own that cannot be held to one; install "
                       "Debian's, which uses OpenMP");
        return 0;
    }
    return strcmp(precision, "bf16") == 0   ? fit_bf16(amx, e)
           : strcmp(precision, "int8") == 0 ? fit_int8(amx, e)
                                            : fit_f32(amx, e);
}

/* ---- threads ------------------------------------------------------------------------------- */

/* libgomp's, which libdnnl is linked with; the header with them comes with gcc only. */
int  omp_get_max_threads(void);
void omp_set_num_threads(int n);

/* A matter of the calling thread.  With one thread oneDNN enters no parallel region, so there is no
 * pool of threads that could spin against the host's. */
void dnn_one_thread(void)
{
    omp_set_num_threads(1);
}

int dnn_hold_threads(void)
{
    const int kept = omp_get_max_threads();
    omp_set_num_threads(1);
    return kept;
}

void dnn_give_threads(int kept)
{
    omp_set_num_threads(kept);
}

/* ---- errors and numbers -------------------------------------------------------------------- */

drh_status dnn_fail(drh_error *e, dnnl_status_t st, const char *what)
{
    return drh_fail(e, st == dnnl_out_of_memory ? DRH_E_NOMEM : DRH_E_UNSUPPORTED,
                    "%s: oneDNN says %s", what, dnnl_status2str(st));
}

#if defined(__x86_64__)

#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

/* To the nearest, ties to even; NaN stays NaN. */
BF16 static void row_to_bf16(const float *x, size_t k, uint16_t *out)
{
    size_t i = 0;
    for (; i + 32 <= k; i += 32) {
        const __m512bh v = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
        memcpy(out + i, &v, sizeof(v));
    }
    for (; i < k; i += 16) {
        const __mmask16 m = (__mmask16)(k - i < 16 ? (1u << (k - i)) - 1 : 0xffff);
        const __m256bh  v = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, x + i));
        __m256i         bits;
        memcpy(&bits, &v, sizeof(bits));
        _mm256_mask_storeu_epi16(out + i, m, bits);
    }
}

void dnn_to_bf16(const float *x, size_t ldx, size_t rows, size_t k, uint16_t *out)
{
    for (size_t r = 0; r < rows; r++) {
        row_to_bf16(x + r * ldx, k, out + r * k);
    }
}

#else

void dnn_to_bf16(const float *x, size_t ldx, size_t rows, size_t k, uint16_t *out)
{
    (void)x, (void)ldx, (void)rows, (void)k, (void)out; /* not offered */
}

#endif
