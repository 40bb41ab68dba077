/* SPDX-License-Identifier: MIT
 *
 * test_infer_files.c - model files as an enemy would write them: safetensors headers, config.json,
 * folders with parts missing.  Each is refused with a message that names the place.
 */
#define _POSIX_C_SOURCE 200809L
#include "infer_help.h"
#include "lm_math.h"
#include "lm_model.h"

#include <check.h>
#include <drh/util.h>
#include <math.h>
#include <stdlib.h>

#define TINY DRH_SOURCE_DIR "/examples/models/tiny-gpt2"

/* ---- safetensors --------------------------------------------------------------------------- */

#define T(name, shape, from, to)                                                                   \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static const struct {
    const char *header;
    size_t      data; /* bytes behind it */
    const char *says; /* NULL: fine */
} headers[] = {
    {"{" T("a", "[2,2]", "0", "16") "," T("b", "[1]", "16", "20") "}", 20, NULL},
    {"{" T("b", "[1]", "16", "20") "," T("a", "[2,2]", "0", "16") "}  \n", 20, NULL},
    {"{\"__metadata__\":{\"format\":\"pt\"}," T("a", "[]", "0", "4") "}", 4, NULL},
    {"{" T("a", "[0,7]", "0", "0") "," T("b", "[1]", "0", "4") "}", 4, NULL},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,2],\"dtype\":\"BF16\"}}", 2, NULL},
    {"", 0, "header"},
    {"[]", 0, "header"},
    {"{}", 0, "no tensors"},
    {"{" T("a", "[1]", "0", "4"), 4, "header"},
    {"{" T("a", "[1]", "0", "4") "}}", 4, "header"},
    {"{" T("a", "[1]", "0", "4") ",}", 4, "header"},
    {"{" T("a", "[1]", "0", "8") "}", 4, "\"a\": bytes"},
    {"{" T("a", "[1]", "4", "0") "}", 4, "\"a\": bytes"},
    {"{" T("a", "[2]", "0", "4") "}", 4, "\"a\": the shape asks"},
    {"{" T("a", "[1]", "0", "4") "," T("b", "[1]", "2", "6") "}", 6, "\"b\": overlaps"},
    {"{" T("a", "[1]", "0", "4") "," T("b", "[1]", "0", "4") "}", 4, "overlaps"},
    {"{" T("a", "[1]", "0", "4") "," T("b", "[1]", "8", "12") "}", 12, "\"b\": a gap"},
    {"{" T("a", "[1]", "4", "8") "}", 8, "\"a\": a gap"},
    {"{" T("a", "[1]", "0", "4") "}", 9, "\"a\": 5 bytes"},
    {"{" T("a", "[1]", "0", "4") "," T("a", "[1]", "4", "8") "}", 8, "\"a\": the name"},
    {"{" T("a", "[4294967296,4294967296,4294967296]", "0", "4") "}", 4, "\"a\": the shape is too"},
    {"{" T("a", "[4611686018427387905]", "0", "4") "}", 4, "\"a\": the shape is too"},
    {"{" T("a", "[18446744073709551616]", "0", "4") "}", 4, "\"a\": shape"},
    {"{" T("a", "[-1]", "0", "4") "}", 4, "\"a\": shape"},
    {"{" T("a", "[1.0]", "0", "4") "}", 4, "\"a\": shape"},
    {"{" T("a", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, "\"a\": more than 8"},
    {"{" T("a", "[1]", "0", "18446744073709551615") "}", 4, "\"a\": bytes"},
    {"{" T("a", "[1]", "18446744073709551612", "18446744073709551615") "}", 4, "\"a\": bytes"},
    {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\": unknown dtype"},
    {"{\"a\":{\"dtype\":\"\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\": unknown dtype"},
    {"{\"a\":{\"dtype\":\"F32F32F32F32F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "\"a\": unknown dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"a\": dtype, shape or"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "\"a\": an entry"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
     "\"a\": an entry"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "\"a\": data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4,
     "\"a\": data_offsets"},
    {"{\"a\":7}", 4, "header"},
    {"{\"__metadata__\":{\"a\":[[[[[[\"}", 4, "header"},
    {"{\"a\\ud800\":{}}", 4, "header"},
    {"{\"\\q\":{}}", 4, "header"},
};

/* A block of exactly this size, so that a byte too far is seen. */
static uint8_t *file_of(const char *header, size_t data, size_t *n)
{
    size_t   len = strlen(header);
    uint8_t *p = calloc(1, 8 + len + data);
    for (size_t i = 0; i < 8; i++) {
        p[i] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    memcpy(p + 8, header, len);
    *n = 8 + len + data;
    return p;
}

START_TEST(safetensors_headers)
{
    struct lm_tensors ts;
    drh_error         e = DRH_ERROR_INIT;
    size_t            n;
    uint8_t          *p = file_of(headers[_i].header, headers[_i].data, &n);
    drh_status        st = lm_tensors_read(&ts, p, n, "model.safetensors", &e);
    if (headers[_i].says) {
        ck_assert_msg(st == DRH_E_DATA, "%s: %d", headers[_i].header, st);
        ck_assert_msg(strstr(e.message, headers[_i].says) && strstr(e.message, "model.safetensors"),
                      "%s: %s", headers[_i].header, e.message);
    } else {
        ck_assert_msg(st == DRH_OK, "%s: %s", headers[_i].header, e.message);
        ck_assert_ptr_nonnull(lm_tensors_find(&ts, "a"));
        ck_assert_ptr_null(lm_tensors_find(&ts, "c"));
        lm_tensors_free(&ts);
    }
    free(p);
}
END_TEST

START_TEST(safetensors_lengths)
{
    const uint64_t lengths[] = {0, 1, 92, 1u << 20, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct lm_tensors ts;
        drh_error         e = DRH_ERROR_INIT;
        size_t            n;
        uint8_t          *p = file_of("{" T("a", "[1]", "0", "4") "}", 4, &n);
        memcpy(p, &lengths[i], 8);
        ck_assert_int_eq(lm_tensors_read(&ts, p, n, "f", &e), DRH_E_DATA);
        free(p);
    }
}
END_TEST

/* The real header cut at every length, and with every byte changed. */
START_TEST(safetensors_cut_and_changed)
{
    size_t                  n, whole;
    char                   *real = lab_read(TINY "/model.safetensors", &n);
    struct lm_tensors       ts;
    const struct lm_tensor *t;
    ck_assert_int_eq(lm_tensors_read(&ts, (uint8_t *)real, n, "f", NULL), DRH_OK);
    whole = ts.header;
    t = lm_tensors_find(&ts, "transformer.wte.weight");
    ck_assert_ptr_nonnull(t);
    ck_assert_uint_eq(t->count, 4096 * 192);
    lm_tensors_free(&ts);
    for (size_t cut = 0; cut < whole + 100; cut += 13) {
        uint8_t *p = malloc(cut ? cut : 1);
        memcpy(p, real, cut);
        ck_assert_int_ne(lm_tensors_read(&ts, p, cut, "f", NULL), DRH_OK);
        free(p);
    }
    for (size_t i = 0; i < whole; i += 3) {
        const char was = real[i];
        real[i] = (char)(was ^ (1 << i % 7));
        if (lm_tensors_read(&ts, (uint8_t *)real, n, "f", NULL) == DRH_OK) {
            for (size_t k = 0; k < ts.n; k++) { /* a changed name may pass; never a place outside */
                ck_assert(ts.t[k].data + (ts.t[k].end - ts.t[k].begin) <= (uint8_t *)real + n);
            }
            lm_tensors_free(&ts);
        }
        real[i] = was;
    }
    free(real);
}
END_TEST

/* Every half and its neighbours, by the definition of the format. */
START_TEST(halves)
{
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t   u = (uint16_t)h;
        const int        exp = (int)(h >> 10 & 31), mant = (int)(h & 1023);
        struct lm_tensor t;
        float            got;
        double           want = exp ? ldexp(1024 + mant, exp - 25) : ldexp(mant, -24);
        memset(&t, 0, sizeof(t));
        t.dtype = LM_F16;
        t.count = 1;
        t.data = (const uint8_t *)&u;
        lm_tensor_to_f32(&t, &got);
        want = h & 0x8000 ? -want : want;
        if (exp == 31) {
            ck_assert(mant ? isnan(got) : isinf(got) && (got < 0) == (h >> 15));
        } else {
            ck_assert_double_eq((double)got, want);
        }
    }
}
END_TEST

/* ---- config.json --------------------------------------------------------------------------- */

#define GOOD "\"n_embd\":64,\"n_layer\":2,\"n_head\":4,\"n_positions\":32,\"vocab_size\":100"

#define LLAMA                                                                                      \
    "\"hidden_size\":64,\"num_hidden_layers\":2,\"num_attention_heads\":4,\"vocab_size\":100,"     \
    "\"max_position_embeddings\":32,\"intermediate_size\":256,\"rms_norm_eps\":1e-5"

static const struct {
    const char *json;
    drh_status  status;
    const char *says;
} configs[] = {
    {"{\"model_type\":\"gpt2\"," GOOD "}", DRH_OK, ""},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"n_inner\":null,\"x\":[1,{}]}", DRH_OK, ""},
    {"{\"model_type\":\"mamba\"," GOOD "}", DRH_E_UNSUPPORTED, "mamba"},
    {"{\"model_type\":\"qwen2\"," GOOD "}", DRH_E_DATA, "intermediate_size"},
    {"{" GOOD "}", DRH_E_UNSUPPORTED, "model_type"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"activation_function\":\"silu\"}", DRH_E_UNSUPPORTED,
     "silu"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"activation_function\":\"mish\"}", DRH_E_UNSUPPORTED,
     "mish"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"scale_attn_weights\":false}", DRH_E_UNSUPPORTED,
     "scale_attn_weights"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"scale_attn_by_inverse_layer_idx\":true}",
     DRH_E_UNSUPPORTED, "scale_attn_by_inverse_layer_idx"},
    {"{\"model_type\":\"gpt2\",\"n_embd\":64}", DRH_E_DATA, "n_layer"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"n_head\":5}", DRH_E_DATA, "n_head"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"n_head\":0}", DRH_E_DATA, "n_head"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"n_embd\":4294967360}", DRH_E_DATA, "n_embd"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"n_layer\":\"2\"}", DRH_E_DATA, "n_layer"},
    {"{\"model_type\":\"gpt2\"," GOOD ",\"layer_norm_epsilon\":-1}", DRH_E_DATA,
     "layer_norm_epsilon"},
    {"{\"model_type\":\"gpt2\"," GOOD, DRH_E_DATA, "config.json"},
    {"{\"model_type\":\"qwen2\"," LLAMA "}", DRH_OK, ""},
    {"{\"model_type\":\"llama\"," LLAMA ",\"rope_scaling\":null,\"sliding_window\":null}", DRH_OK,
     ""},
    {"{\"model_type\":\"llama\"," LLAMA ",\"eos_token_id\":[1,2],\"rope_parameters\":"
     "{\"rope_type\":\"default\",\"rope_theta\":5e5}}",
     DRH_OK, ""},
    {"{\"model_type\":\"llama\"," LLAMA ",\"rope_scaling\":{\"rope_type\":\"yarn\"}}",
     DRH_E_UNSUPPORTED, "yarn"},
    {"{\"model_type\":\"llama\"," LLAMA ",\"rope_scaling\":{\"factor\":0}}", DRH_E_DATA, "factor"},
    {"{\"model_type\":\"llama\"," LLAMA ",\"rope_parameters\":{\"partial_rotary_factor\":0.5}}",
     DRH_E_DATA, "partial_rotary_factor"},
    {"{\"model_type\":\"llama\"," LLAMA ",\"quantization_config\":{\"bits\":4}}", DRH_E_UNSUPPORTED,
     "quantization_config"},
    {"{\"model_type\":\"qwen3\"," LLAMA ",\"head_dim\":15}", DRH_E_DATA, "head_dim"},
    {"{\"model_type\":\"qwen3\"," LLAMA ",\"num_key_value_heads\":3}", DRH_E_DATA,
     "num_key_value_heads"},
    {"{\"model_type\":\"qwen3\"," LLAMA ",\"layer_types\":[\"full_attention\"]}", DRH_E_DATA,
     "layer_types"},
    {"{\"model_type\":\"mistral\"," LLAMA ",\"hidden_act\":\"gelu\"}", DRH_E_UNSUPPORTED, "silu"},
    {"", DRH_E_DATA, "config.json"},
};

START_TEST(configurations)
{
    struct lm_config c;
    drh_error        e = DRH_ERROR_INIT;
    drh_status st = lm_config_read(&c, (const uint8_t *)configs[_i].json, strlen(configs[_i].json),
                                   "config.json", &e);
    ck_assert_msg(st == configs[_i].status, "%s: %d %s", configs[_i].json, st, e.message);
    if (st == DRH_OK) {
        ck_assert_uint_eq(c.inner, 256);
        ck_assert_uint_eq(c.context, 32);
        ck_assert_float_eq(c.eps, 1e-5f);
    } else {
        ck_assert_msg(strstr(e.message, configs[_i].says), "%s", e.message);
    }
}
END_TEST

/* What the library fills in where a file says nothing. */
START_TEST(defaults)
{
    static const char qwen3[] =
        "{\"model_type\":\"qwen3\"," LLAMA ",\"use_sliding_window\":true,\"num_hidden_layers\":30}",
                      mistral[] = "{\"model_type\":\"mistral\"," LLAMA "}",
                      qwen2[] = "{\"model_type\":\"qwen2\"," LLAMA ",\"sliding_window\":9}";
    struct lm_config c;
    drh_error        e = DRH_ERROR_INIT;
    ck_assert_int_eq(lm_config_read(&c, (const uint8_t *)qwen3, sizeof(qwen3) - 1, "f", &e),
                     DRH_OK);
    ck_assert_uint_eq(c.head_dim, 128);
    ck_assert_uint_eq(c.window, 4096);
    ck_assert_int_eq(lm_layer_slides(&c, 27), 0);
    ck_assert_int_eq(lm_layer_slides(&c, 28), 1);
    ck_assert_int_eq(c.tied, 0);
    ck_assert_double_eq(c.rope_theta, 10000);
    ck_assert_int_eq(lm_config_read(&c, (const uint8_t *)mistral, sizeof(mistral) - 1, "f", &e),
                     DRH_OK);
    ck_assert_uint_eq(c.head_dim, 16);
    ck_assert_uint_eq(c.kv_heads, 4);
    ck_assert_uint_eq(c.window, 4096);
    ck_assert_int_eq(lm_layer_slides(&c, 0), 1);
    ck_assert_int_eq(lm_config_read(&c, (const uint8_t *)qwen2, sizeof(qwen2) - 1, "f", &e),
                     DRH_OK);
    ck_assert_uint_eq(c.window, 0); /* without use_sliding_window */
    ck_assert_int_eq(c.qkv_bias, 1);
    ck_assert_int_eq(c.out_bias, 0);
}
END_TEST

/* ---- folders ------------------------------------------------------------------------------- */

static const struct model_shape small = {.arch = "gpt2",
                                         .width = 32,
                                         .layers = 2,
                                         .heads = 2,
                                         .inner = 64,
                                         .context = 16,
                                         .vocab = 4096,
                                         .act = "gelu_new",
                                         .seed = 1,
                                         .sigma = 0.02};

static int32_t probe(const char *dir, drh_error *e)
{
    struct lab l;
    int32_t    score;
    /* probe() needs the configuration only. */
    if (lab_open(&l, dir) == DRH_OK) {
        lab_close(&l);
    }
    score = drh_entry_v1.stages[0]->ops.service->probe(&l.host,
                                                       (const drh_config *)(const void *)&l, e);
    return score;
}

START_TEST(folders)
{
    struct model_random r;
    struct lab          l;
    drh_error           e = DRH_ERROR_INIT;
    char                dir[256];
    ck_assert_int_eq(probe(TINY, &e), 50);
    ck_assert_int_eq(probe(TINY "/nowhere", &e), 0);
    ck_assert_ptr_nonnull(strstr(e.message, "config.json"));
    ck_assert_int_eq(lab_open(&l, ""), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(l.e.message, "model"));
    lab_folder(dir, sizeof(dir));
    ck_assert_int_eq(model_random_make(&r, &small), 0);
    ck_assert_int_eq(model_write(&r, dir, &(struct model_files){.dtype = "F16", .bare = 1}), 0);
    ck_assert_int_eq(probe(dir, &e), 0);
    ck_assert_ptr_nonnull(strstr(e.message, "tokenizer.json"));
    ck_assert_int_eq(lab_open(&l, dir), DRH_E_MISSING);
    ck_assert_int_eq(model_copy(TINY, dir, "tokenizer.json"), 0);
    ck_assert_int_eq(lab_open(&l, dir), DRH_OK);
    lab_close(&l);
    model_random_free(&r);
    lab_remove(dir);
}
END_TEST

/* A header that is sound but belongs to another model. */
START_TEST(weights_of_another_model)
{
    static const char *const says[] = {"h.1.attn.c_attn.weight", "wte.weight", "vocab_size",
                                       "ln_f.bias", "h.2.ln_1.weight"};
    struct model_random      r;
    struct model_shape       s = small;
    struct lab               l;
    char                     dir[256];
    lab_folder(dir, sizeof(dir));
    s.vocab = _i == 2 ? 4000 : 4096;
    ck_assert_int_eq(model_random_make(&r, &s), 0);
    for (size_t i = 0; i < r.n; i++) {
        if (_i == 0 && strcmp(r.t[i].name, says[0]) == 0) {
            r.t[i].shape[0] = 96;
            r.t[i].shape[1] = 32;
        } else if (_i == 1 && strcmp(r.t[i].name, says[1]) == 0) {
            r.t[i].shape[0] = 4095;
        } else if (_i == 3 && strcmp(r.t[i].name, says[3]) == 0) {
            memcpy(r.t[i].name, "ln_f.else", 10);
        }
    }
    r.s.layers = _i == 4 ? 3 : 2;
    ck_assert_int_eq(model_write(&r, dir, &(struct model_files){.dtype = "F32"}), 0);
    ck_assert_int_eq(model_copy(TINY, dir, "tokenizer.json"), 0);
    ck_assert_int_eq(lab_open(&l, dir), DRH_E_DATA);
    ck_assert_msg(strstr(l.e.message, says[_i]), "%s", l.e.message);
    model_random_free(&r);
    lab_remove(dir);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("infer_files");
    TCase   *t = tcase_create("files");
    SRunner *r;
    int      failed;
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, safetensors_headers, 0, (int)(sizeof(headers) / sizeof(headers[0])));
    tcase_add_test(t, safetensors_lengths);
    tcase_add_test(t, safetensors_cut_and_changed);
    tcase_add_test(t, halves);
    tcase_add_loop_test(t, configurations, 0, (int)(sizeof(configs) / sizeof(configs[0])));
    tcase_add_test(t, defaults);
    tcase_add_test(t, folders);
    tcase_add_loop_test(t, weights_of_another_model, 0, 5);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
