/* SPDX-License-Identifier: MIT
 *
 * test_infer_broken.c - folders of the Llama family in which one thing is wrong: each is refused
 * with a message that names it.  safetensors headers and config.json alone: test_infer_files.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "model_help.h"

#include <check.h>
#include <drh/util.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG "config.json"
#define INDEX "model.safetensors.index.json"
#define ONE "model-00001-of-00002.safetensors"
#define TWO "model-00002-of-00002.safetensors"

static const struct model_shape shape = {.arch = "qwen2",
                                         .width = 40,
                                         .heads = 4,
                                         .kv_heads = 2,
                                         .inner = 54,
                                         .layers = 2,
                                         .context = 64,
                                         .vocab = 60,
                                         .sigma = 0.1,
                                         .untied = 1,
                                         .seed = 1};

struct edit {
    const char *file, *from, *to; /* from NULL: the whole file; to NULL: the file is removed */
};

static const struct {
    const char *what;
    struct edit edit[2];
    drh_status  status;
    const char *says;
} cases[] = {
    {"nothing", {{NULL, NULL, NULL}}, DRH_OK, ""},
    /* tensors */
    {"a tensor is missing",
     {{INDEX, "1.mlp.up_proj", "1.mlp.up_proje"}, {TWO, "1.mlp.up_proj", "1.mlp.up_proje"}},
     DRH_E_DATA,
     INDEX ": the tensor \"layers.1.mlp.up_proj.weight\" is missing"},
    {"a bias is missing",
     {{INDEX, "0.self_attn.k_proj.bias", "0.k_bias"}, {ONE, "0.self_attn.k_proj.bias", "0.k_bias"}},
     DRH_E_DATA,
     "\"layers.0.self_attn.k_proj.bias\" is missing"},
    {"no head, and not tied",
     {{INDEX, "lm_head.", "lm_foot."}, {ONE, "lm_head.", "lm_foot."}},
     DRH_E_DATA,
     "\"lm_head.weight\" is missing"},
    {"no norms of queries",
     {{CONFIG, "\"qwen2\"", "\"qwen3\",\"head_dim\":10"}},
     DRH_E_DATA,
     "\"layers.0.self_attn.q_norm.weight\" is missing"},
    {"more layers",
     {{CONFIG, "layers\":2", "layers\":3"}},
     DRH_E_DATA,
     "\"layers.2.input_layernorm.weight\" is missing"},
    {"a thousand layers",
     {{CONFIG, "layers\":2", "layers\":1000"}},
     DRH_E_DATA,
     "fewer tensors than config.json has layers"},
    {"another inner size",
     {{CONFIG, ":54", ":53"}},
     DRH_E_DATA,
     ONE ": tensor \"model.layers.0.mlp.gate_proj.weight\": the shape is not [53, 40]"},
    {"fewer heads of keys",
     {{CONFIG, "key_value_heads\":2", "key_value_heads\":1"}},
     DRH_E_DATA,
     TWO ": tensor \"model.layers.0.self_attn.k_proj.weight\": the shape is not [10, 40]"},
    {"other heads",
     {{CONFIG, "attention_heads\":4", "attention_heads\":4,\"head_dim\":8"}},
     DRH_E_DATA,
     ONE ": tensor \"model.layers.0.self_attn.q_proj.weight\": the shape is not [32, 40]"},
    {"another vocabulary",
     {{CONFIG, "vocab_size\":60", "vocab_size\":61"}},
     DRH_E_DATA,
     ONE ": tensor \"model.embed_tokens.weight\": the shape is not [61, 40]"},
    {"a bias with two dimensions",
     {{ONE, "\"shape\":[20]", "\"shape\":[20,1]"}},
     DRH_E_DATA,
     ONE ": tensor \"model.layers.0.self_attn.k_proj.bias\": the shape is not [20]"},
    {"a matrix with one dimension",
     {{TWO, "[20,40]", "[800]"}},
     DRH_E_DATA,
     TWO ": tensor \"model.layers.0.self_attn.k_proj.weight\": the shape is not [20, 40]"},
    {"another dtype",
     {{TWO, "\"F32\",\"shape\":[20,40]", "\"I32\",\"shape\":[20,40]"}},
     DRH_E_UNSUPPORTED,
     TWO ": tensor \"model.layers.0.self_attn.k_proj.weight\": dtype I32"},
    {"sizes that ask for more than there is",
     {{CONFIG, "hidden_size\":40", "hidden_size\":65536"}, {CONFIG, ":60", ":16777216"}},
     DRH_E_DATA,
     "\"model.embed_tokens.weight\": the shape is not [16777216, 65536]"},
    /* the index */
    {"a tensor that is not there",
     {{INDEX, "1.mlp.up_proj", "1.mlp.up_proje"}},
     DRH_E_DATA,
     INDEX ": the tensor \"model.layers.1.mlp.up_proje.weight\" is not in " TWO},
    {"a tensor in the other file",
     {{INDEX, "model.norm.weight\": \"model-00002", "model.norm.weight\": \"model-00001"}},
     DRH_E_DATA,
     "the tensor \"model.norm.weight\" is not in " ONE},
    {"a tensor in both files",
     {{INDEX, "model.norm.weight", "model.embed_tokens.weight"},
      {TWO, "model.norm.weight", "model.embed_tokens.weight"}},
     DRH_E_DATA,
     "tensor \"model.embed_tokens.weight\": it is in model-0000"},
    {"a file is missing", {{TWO, NULL, NULL}}, DRH_E_MISSING, TWO},
    {"a file is empty", {{TWO, NULL, ""}}, DRH_E_DATA, TWO},
    {"a path", {{INDEX, "\"model-00002", "\"../model-00002"}}, DRH_E_DATA, "\"../model-00002"},
    {"a path below", {{INDEX, "\"model-00002", "\"a/model-00002"}}, DRH_E_DATA, "\"a/model-00002"},
    {"a path from the root", {{INDEX, "\"model-00002", "\"/model-00002"}}, DRH_E_DATA, "\"/model"},
    {"a hidden file", {{INDEX, "\"model-00002", "\".model-00002"}}, DRH_E_DATA, "\".model-00002"},
    {"a NUL", {{INDEX, "\"model-00002", "\"model\\u0000-00002"}}, DRH_E_DATA, INDEX},
    {"no name", {{INDEX, "\"" TWO "\"", "\"\""}}, DRH_E_DATA, "weight_map: \"\""},
    {"a number for a file", {{INDEX, "\"" TWO "\"", "2"}}, DRH_E_DATA, INDEX ": byte"},
    {"broken JSON", {{INDEX, "\": \"model-00002", "\" \"model-00002"}}, DRH_E_DATA, INDEX ": byte"},
    {"not an object", {{INDEX, NULL, "[]"}}, DRH_E_DATA, INDEX ": byte"},
    {"an empty index", {{INDEX, NULL, ""}}, DRH_E_DATA, INDEX},
    {"an index cut off",
     {{INDEX, NULL, "{\"weight_map\":{\"a\":\"" ONE}},
     DRH_E_DATA,
     INDEX ": by"},
    {"no map", {{INDEX, "weight_map", "weight_mop"}}, DRH_E_DATA, "names no file"},
    {"a map that is a list", {{INDEX, NULL, "{\"weight_map\":[]}"}}, DRH_E_DATA, INDEX ": byte"},
    {"text behind it", {{INDEX, NULL, "{\"weight_map\":{}} x"}}, DRH_E_DATA, INDEX},
    {"no index", {{INDEX, NULL, NULL}}, DRH_E_MISSING, "model.safetensors"},
    /* what is not done here */
    {"quantised",
     {{CONFIG, "{", "{\"quantization_config\":{\"bits\":4},"}},
     DRH_E_UNSUPPORTED,
     "quantization_config"},
    {"unknown stretching",
     {{CONFIG, "{", "{\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4},"}},
     DRH_E_UNSUPPORTED,
     "\"yarn\""},
    {"unknown stretching, as older files have it",
     {{CONFIG, "{", "{\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":4},"}},
     DRH_E_UNSUPPORTED,
     "\"dynamic\""},
    {"a layer too few",
     {{CONFIG, "{", "{\"layer_types\":[\"full_attention\"],"}},
     DRH_E_DATA,
     "layer_types has 1 entries for 2 layers"},
    {"an unknown kind of layer",
     {{CONFIG, "{", "{\"layer_types\":[\"full_attention\",\"chunked_attention\"],"}},
     DRH_E_UNSUPPORTED,
     "\"chunked_attention\""},
    {"an unknown architecture", {{CONFIG, "qwen2", "mixtral"}}, DRH_E_UNSUPPORTED, "\"mixtral\""},
};

enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

static void path_of(char *out, size_t size, const char *dir, const char *name)
{
    (void)snprintf(out, size, "%s/%s", dir, name);
}

/* The length of a safetensors header, when it has become longer or shorter. */
static void fix_header(char *text, const char *file, long more)
{
    if (strstr(file, ".safetensors") && !strstr(file, ".json")) {
        uint64_t n;
        memcpy(&n, text, 8);
        n += (uint64_t)more;
        memcpy(text, &n, 8);
    }
}

/* Every `from` becomes `to`. */
static void replace(FILE *out, char *text, size_t n, const struct edit *x)
{
    const size_t from = strlen(x->from), to = strlen(x->to);
    long         times = 0;
    for (size_t i = 0; i + from <= n; i++) {
        times += memcmp(text + i, x->from, from) == 0;
    }
    ck_assert_msg(times > 0, "%s: no %s", x->file, x->from);
    fix_header(text, x->file, times * ((long)to - (long)from));
    for (size_t i = 0; i < n;) {
        if (i + from <= n && memcmp(text + i, x->from, from) == 0) {
            ck_assert_uint_eq(fwrite(x->to, 1, to, out), to);
            i += from;
        } else {
            ck_assert_int_ne(fputc((unsigned char)text[i++], out), EOF);
        }
    }
}

static void edit(const char *dir, const struct edit *x)
{
    char   path[512], *text;
    size_t n;
    FILE  *f;
    path_of(path, sizeof(path), dir, x->file);
    text = lab_read(path, &n);
    ck_assert_int_eq(unlink(path), 0);
    if (x->to) {
        f = fopen(path, "wb");
        ck_assert_ptr_nonnull(f);
        if (x->from) {
            replace(f, text, n, x);
        } else {
            (void)fputs(x->to, f);
        }
        ck_assert_int_eq(fclose(f), 0);
    }
    free(text);
}

START_TEST(one_thing_wrong)
{
    struct model_random r;
    struct lm_model     m;
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st;
    char                dir[256];
    lab_folder(dir, sizeof(dir));
    ck_assert_int_eq(model_random_make(&r, &shape), 0);
    ck_assert_int_eq(model_write(&r, dir, &(struct model_files){.dtype = "F32", .shards = 2}), 0);
    for (size_t i = 0; i < 2 && cases[_i].edit[i].file; i++) {
        edit(dir, &cases[_i].edit[i]);
    }
    st = bare_load(&m, dir, &e);
    ck_assert_msg(st == cases[_i].status && (st == DRH_OK || strstr(e.message, cases[_i].says)),
                  "%s: %d, %s", cases[_i].what, st, e.message);
    if (st == DRH_OK) {
        lm_model_free(&m);
    }
    model_random_free(&r);
    lab_remove(dir);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("infer_broken");
    TCase   *t = tcase_create("folders");
    SRunner *r;
    int      failed;
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, one_thing_wrong, 0, N_CASES);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
