/* SPDX-License-Identifier: MIT
 * test_recipe.c - recipes: what is read, what is refused and how it is said, ids, --set. */
#include "recipe.h"

#include "buf.h"
#include "err.h"
#include "schema.h"
#include "tree.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct recipe *parse(const char *text, const char *path)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;
    ck_assert_msg(recipe_parse(text, strlen(text), path, &r, &e) == DRH_OK, "%s", e.message);
    return r;
}

static void ck_options(const cJSON *t, const char *want)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    ck_assert_int_eq(tree_write(t, &b), DRH_OK);
    ck_assert_str_eq(b.ptr, want);
    buf_free(&b);
}

/* The recipe that the design shows. */
static const char full[] =
    "// all phases\n"
    "{ \"recipe\": 1, \"version\": \"v1\", \"data\": \"data\", \"seed\": 7,\n"
    "  \"services\":   { \"infer\": { \"use\": \"auto\", \"model\": \"models/gpt2\" } },\n"
    "  \"sources\":    [ { \"use\": \"hf-mirror\", \"repo\": \"openai/gsm8k\", \"domain\": "
    "\"Math\",\n"
    "                    \"dataset\": \"gsm8k\", \"include\": [\"*.jsonl\"] } ],\n"
    "  \"preprocess\": [ { \"use\": \"chat\", \"turns\": [1, 8] }, { \"use\": \"dedup\" } ],\n"
    "  \"synthesize\": [ { \"use\": \"magpie\", \"domain\": \"General\", \"dataset\": \"magpie\",\n"
    "                    \"count\": 1000 } ],\n"
    "  \"select\":     [ { \"use\": \"ifd\", \"below\": 1.0, \"top\": 0.2, \"per\": \"domain\" } "
    "],\n"
    "  \"convert\":    [ { \"use\": \"pretrain\" } ], }\n";

START_TEST(all_phases)
{
    struct recipe *r = parse(full, "some/where/r.json");
    struct step   *s;

    ck_assert_str_eq(r->path, "some/where/r.json");
    ck_assert_str_eq(r->dir, "some/where");
    ck_assert_str_eq(r->version, "v1");
    ck_assert_str_eq(r->data, "data");
    ck_assert_uint_eq(r->seed, 7);
    ck_assert_int_eq(r->part_records, 100000);
    ck_assert_double_eq(r->max_bad, 0.05);
    ck_assert(!r->compress);
    ck_assert_uint_eq(r->n_services, 1);
    ck_assert_str_eq(r->services[0].name, "infer");
    ck_assert_str_eq(r->services[0].use, "auto");
    ck_assert_str_eq(r->services[0].pointer, "/services/infer");
    ck_options(r->services[0].options, "{\"model\":\"models/gpt2\"}");
    ck_assert_uint_eq(r->n_steps, 6);
    s = recipe_step(r, "hf-mirror");
    ck_assert_ptr_eq(s, &r->steps[0]);
    ck_assert_str_eq(s->domain, "Math");
    ck_assert_str_eq(s->dataset, "gsm8k");
    ck_assert_str_eq(s->pointer, "/sources/0");
    ck_options(s->options, "{\"include\":[\"*.jsonl\"],\"repo\":\"openai/gsm8k\"}");
    ck_assert_str_eq(r->steps[2].pointer, "/preprocess/1");
    ck_assert_ptr_null(r->steps[2].domain);
    ck_options(recipe_step(r, "magpie")->options, "{\"count\":1000}");
    s = recipe_step(r, "ifd");
    ck_assert(s->has_below && s->has_top && !s->has_count && !s->has_above && !s->has_at_most);
    ck_assert_double_eq(s->below, 1.0);
    ck_assert_double_eq(s->top, 0.2);
    ck_assert_str_eq(s->per, "domain");
    ck_assert_int_eq(s->phase, PHASE_SELECT);
    ck_options(s->options, "{}");
    ck_assert_ptr_null(recipe_step(r, "none"));
    recipe_free(r);
}
END_TEST

#define SRC "\"sources\":[{\"use\":\"local\"}]"

static const struct {
    const char *text, *want;
} bad[] = {
    {"{\"recipe\":1,\"recipe\":1}", "r:1:13: "},
    {"{\n\"recipe\":1\n\"seed\":2}", "r:3:1: "},
    {"[]", "r: /: must be an object, is []"},
    {"{" SRC "}", "r: /: \"recipe\" is missing; it must be 1"},
    {"{\"recipe\":2," SRC "}", "r: /recipe: must be 1, is 2"},
    {"{\"recipe\":1}", "r: /sources: nothing to read; add \"sources\" or \"synthesize\""},
    {"{\"recipe\":1," SRC ",\"selct\":[]}",
     "r: /selct: unknown key \"selct\"; did you mean \"select\"?"},
    {"{\"recipe\":1," SRC ",\"seed\":-1}",
     "r: /seed: must be an integer from 0 on or a string, is -1"},
    {"{\"recipe\":1," SRC ",\"seed\":\"x\"}",
     "seed must be a whole number from 0 to 18446744073709551615"},
    {"{\"recipe\":1," SRC ",\"seed\":\"18446744073709551616\"}", "seed must be a whole number"},
    {"{\"recipe\":1," SRC ",\"version\":\"../x\"}",
     "r: /version: must be 1 to 64 of the characters"},
    {"{\"recipe\":1," SRC ",\"version\":\"\"}", "/version: must be a string of 1 to 64 characters"},
    {"{\"recipe\":1," SRC ",\"part_records\":0}",
     "/part_records: must be an integer from 1 to 100000000"},
    {"{\"recipe\":1," SRC ",\"max_bad\":-0.5}", "/max_bad: must be a number from 0 on, is -0.5"},
    {"{\"recipe\":1," SRC ",\"compress\":\"yes\"}", "/compress: must be true or false, is \"yes\""},
    {"{\"recipe\":1,\"sources\":[{}]}", "r: /sources/0: \"use\" is missing"},
    {"{\"recipe\":1,\"sources\":{\"use\":\"x\"}}", "r: /sources: must be a list"},
    {"{\"recipe\":1,\"sources\":[\"local\"]}", "r: /sources/0: must be an object"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"\"}]}",
     "/sources/0/use: must be a string that is not empty"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"domain\":\"a/b\"}]}",
     "r: /sources/0/domain: must not have a slash, since it names a folder; is \"a/b\""},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"domain\":\"..\"}]}",
     "/domain: must not begin with a dot"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"dataset\":\".git\"}]}",
     "/dataset: must not begin with a dot"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"dataset\":\"a\\nb\"}]}",
     "must not have a control character"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"dataset\":\""
     "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012"
     "3456789"
     "0\"}]}",
     "must not be longer than 100 bytes"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"id\":\"a b\"}]}",
     "r: /sources/0/id: must be 1 to 64"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"id\":\"services\"}]}", "\"services\" is taken"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"a\",\"id\":\"local\"}],"
     "\"preprocess\":[{\"use\":\"x\",\"id\":\"local\"}]}",
     "r: /preprocess/0/id: \"local\" is also the id of /sources/0; choose another"},
    {"{\"recipe\":1,\"sources\":[{\"use\":\"a\",\"dataset\":\"d\"},{\"use\":\"b\",\"dataset\":"
     "\"d\"}]}",
     "r: /sources/1: has the domain and dataset of /sources/0 (General/d)"},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"top\":0}]}",
     "/select/0/top: must be a number above 0 and up to 1, is 0"},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"top\":1.5}]}", "/select/0/top: must be"},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"count\":1.5}]}",
     "/select/0/count: must be an integer from 0 on, is 1.5"},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"per\":\"file\",\"top\":1}]}",
     "/select/0/per: must be \"domain\" or \"dataset\", is \"file\""},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"per\":\"domain\"}]}",
     "/select/0/per: needs \"top\" or \"count\""},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"top\":1,\"count\":2}]}",
     "/select/0: has both \"top\" and \"count\"; keep one"},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"below\":1,\"at_most\":2}]}", "keep one"},
    {"{\"recipe\":1," SRC ",\"select\":[{\"use\":\"i\",\"above\":1,\"at_least\":2}]}", "keep one"},
    {"{\"recipe\":1," SRC ",\"services\":{\"a b\":{}}}", "/services: name: must be 1 to 64"},
    {"{\"recipe\":1," SRC ",\"services\":{\"infer\":\"x\"}}", "/services/infer: must be an object"},
};

START_TEST(refused)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;

    ck_assert_int_eq(recipe_parse(bad[_i].text, strlen(bad[_i].text), "r", &r, &e), DRH_E_CONFIG);
    ck_assert_ptr_null(r);
    ck_assert_msg(strstr(e.message, bad[_i].want) != NULL, "%s", e.message);
}
END_TEST

START_TEST(every_mistake)
{
    static const char text[] =
        "{\"recipe\":1,\"sources\":[{\"use\":\"x\",\"id\":\"x\",\"domain\":\"a/b\"},"
        "{\"use\":\"y\",\"id\":\"x\",\"dataset\":\"q\"}],\"version\":\"/\"}";
    struct problems all = {{NULL}, 0, 0};
    drh_error       e = ERR_INIT;
    struct recipe  *r = NULL;

    ck_assert_int_eq(recipe_parse_all(text, sizeof(text) - 1, "r", &r, &all, &e), DRH_E_CONFIG);
    ck_assert_uint_eq(all.n, 3);
    ck_assert_ptr_nonnull(strstr(all.text[0], "/version: "));
    ck_assert_ptr_nonnull(strstr(all.text[1], "/sources/0/domain: "));
    ck_assert_ptr_nonnull(strstr(all.text[2], "/sources/1/id: \"x\" is also"));
    ck_assert_ptr_nonnull(strstr(e.message, "r: /version: "));
    problems_free(&all);
}
END_TEST

START_TEST(ids)
{
    struct recipe *r = parse("{\"recipe\":1,\"sources\":[{\"use\":\"a\",\"id\":\"chat\"}],"
                             "\"preprocess\":[{\"use\":\"chat\"},{\"use\":\"./p/chat.so\"},"
                             "{\"use\":\"f.so:my.stage\"},{\"use\":\"/x/\xC3\xA9 b.so\"}]}",
                             "r.json");
    ck_assert_ptr_null(r->dir);
    ck_assert_str_eq(r->steps[0].dataset, "chat");
    ck_assert_str_eq(r->steps[0].domain, "General");
    ck_assert_str_eq(r->steps[1].id, "chat-2");
    ck_assert_str_eq(r->steps[2].id, "chat-3");
    ck_assert_str_eq(r->steps[2].use, "./p/chat.so");
    ck_assert_str_eq(r->steps[3].id, "my.stage");
    ck_assert_str_eq(r->steps[4].id, "___b");
    recipe_free(r);
    /* a name that was written wins over one that was not */
    r = parse("{\"recipe\":1,\"sources\":[{\"use\":\"x\"}],\"preprocess\":[{\"use\":\"y\",\"id\":"
              "\"x\"}]}",
              "r.json");
    ck_assert_str_eq(r->steps[0].id, "x-2");
    ck_assert_str_eq(r->steps[1].id, "x");
    recipe_free(r);
}
END_TEST

START_TEST(numbers)
{
    struct recipe *r =
        parse("{\"recipe\":1," SRC ",\"seed\":\"18446744073709551615\",\"max_bad\":20,"
              "\"compress\":true,\"part_records\":5}",
              NULL);
    ck_assert(r->seed == UINT64_MAX);
    ck_assert_double_eq(r->max_bad, 20.0);
    ck_assert(r->compress);
    ck_assert_int_eq(r->part_records, 5);
    ck_assert_ptr_null(r->path);
    recipe_free(r);
}
END_TEST

/* ---- --set ---- */

static const struct {
    const char *set, *want; /* want NULL: fine */
} sets[] = {
    {"seed=18446744073709551615", NULL},
    {"seed=-1", "--set seed=-1: "},
    {"max_bad=3", NULL},
    {"version=v2", NULL},
    {"version=a/b", "/version: must be"},
    {"ifd.top=0.5", NULL},
    {"ifd.top=2", "--set ifd.top=2: /select/0/top: must be a number above 0 and up to 1, is 2"},
    {"ifd.count=3", NULL},
    {"ifd.preset=same_tokens", NULL},
    {"ifd.per=dataset", NULL},
    {"ifd.id=x", "the id of a step cannot be set"},
    {"hf-mirror.domain=a/b", "/sources/0/domain: must not have a slash"},
    {"idf.top=0.5", "no step has the id \"idf\"; did you mean \"ifd\"?"},
    {"whatever.top=0.5", "no step has the id \"whatever\"; steps are: hf-mirror, chat"},
    {"top=0.5", "which step is it for? Write ID.top=...; steps are: hf-mirror, chat"},
    {"services.infer.model=x", NULL},
    {"services.infer.use=infer-cuda", NULL},
    {"services.http.token=env:X", NULL},
    {"services.infer", "write [ID.]KEY=VALUE"},
    {"services.infer=x", "write services.NAME.KEY=VALUE"},
    {"services..x=1", "write services.NAME.KEY=VALUE"},
    {"service.infer.x=1", "did you mean \"services\"?"},
    {"ifd", "write [ID.]KEY=VALUE"},
    {"=x", "write [ID.]KEY=VALUE"},
    {"ifd.=x", "is no option name"},
    {"ifd.a..b=x", "is no option name"},
    {"ifd.$set=x", "is no option name"},
    {"ifd.a=\xff", "must be UTF-8"},
};

START_TEST(set)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = parse(full, "r.json");
    drh_status     st = recipe_set(r, sets[_i].set, &e);

    if (sets[_i].want) {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_msg(strstr(e.message, sets[_i].want) != NULL, "%s", e.message);
    } else {
        ck_assert_msg(st == DRH_OK, "%s", e.message);
    }
    recipe_free(r);
}
END_TEST

static void must_set(struct recipe *r, const char *text)
{
    drh_error e = ERR_INIT;
    ck_assert_msg(recipe_set(r, text, &e) == DRH_OK, "%s", e.message);
}

START_TEST(set_values)
{
    struct recipe *r = parse(full, "x/r.json");
    struct step   *s = recipe_step(r, "ifd");

    must_set(r, "seed=18446744073709551615");
    ck_assert(r->seed == UINT64_MAX);
    must_set(r, "ifd.count=3");
    ck_assert(s->has_count && !s->has_top && s->count == 3);
    must_set(r, "ifd.top=0.5");
    ck_assert(s->has_top && !s->has_count && s->top == 0.5);
    must_set(r, "ifd.text=a=b");
    must_set(r, "ifd.in.deep=4");
    must_set(r, "ifd.in.deep=5");
    ck_options(s->options, "{\"in\":{\"deep\":{\"$set\":\"5\"}},\"text\":{\"$set\":\"a=b\"}}");
    must_set(r, "services.infer.model=other");
    must_set(r, "services.infer.use=infer-cuda");
    ck_assert_str_eq(r->services[0].use, "infer-cuda");
    ck_options(r->services[0].options, "{\"model\":{\"$set\":\"other\"}}");
    must_set(r, "services.http.retries=2");
    ck_assert_uint_eq(r->n_services, 2);
    ck_assert_str_eq(r->services[1].use, "auto");
    /* the command line's paths start at the current folder, not at the recipe's */
    must_set(r, "services.infer.use=./my.so");
    ck_assert_int_eq(r->services[0].use[0], '/');
    recipe_free(r);
}
END_TEST

START_TEST(single_steps)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;
    struct step   *s;

    ck_assert_int_eq(recipe_empty(&r, &e), DRH_OK);
    ck_assert_str_eq(r->version, "v0");
    ck_assert_ptr_null(r->path);
    ck_assert_int_eq(recipe_add(r, PHASE_SELECT, "./ifd.so", &s, &e), DRH_OK);
    ck_assert_str_eq(s->id, "ifd");
    ck_assert_str_eq(s->use, "./ifd.so");
    ck_assert_ptr_null(s->domain);
    must_set(r, "top=0.5");
    must_set(r, "preset=cherry");
    ck_assert(recipe_step(r, "ifd")->has_top);
    ck_options(recipe_step(r, "ifd")->options, "{\"preset\":{\"$set\":\"cherry\"}}");
    ck_assert_int_eq(recipe_add(r, PHASE_SELECT, "ifd", &s, &e), DRH_OK);
    ck_assert_str_eq(s->id, "ifd-2");
    ck_assert_str_eq(s->pointer, "/select/1");
    ck_assert_int_eq(recipe_set(r, "top=0.5", &e), DRH_E_CONFIG);
    ck_assert_int_eq(recipe_add(r, PHASE_SELECT, "", &s, &e), DRH_E_CONFIG);
    ck_assert_uint_eq(r->n_steps, 2);
    recipe_free(r);
}
END_TEST

/* ---- readers ---- */

#define READER(value)                                                                              \
    "{\"recipe\":1,\"sources\":[{\"use\":\"local\",\"id\":\"s\",\"reader\":" value                 \
    ",\"path\":\"x\"}]}"

START_TEST(readers)
{
    struct recipe      *r = parse(READER("\"csv\""), "x/r.json");
    struct reader_decl *d = r->steps[0].reader;
    drh_error           e = ERR_INIT;

    ck_assert_str_eq(d->use, "csv");
    ck_assert_str_eq(d->pointer, "/sources/0/reader");
    ck_options(d->options, "{}");
    ck_options(r->steps[0].options, "{\"path\":\"x\"}");
    must_set(r, "s.reader.delimiter=;");
    ck_options(d->options, "{\"delimiter\":{\"$set\":\";\"}}");
    must_set(r, "s.reader=./tsv.so"); /* another one begins without options */
    d = r->steps[0].reader;
    ck_assert_int_eq(d->use[0], '/');
    ck_options(d->options, "{}");
    must_set(r, "s.reader={\"use\":\"xlsx\",\"sheet\":2}");
    d = r->steps[0].reader;
    ck_assert_str_eq(d->use, "xlsx");
    ck_options(d->options, "{\"sheet\":2}");
    ck_assert_int_eq(recipe_set(r, "s.reader.=1", &e), DRH_E_CONFIG);
    ck_assert_int_eq(recipe_set(r, "s.reader={}", &e), DRH_E_CONFIG);
    ck_assert_int_eq(recipe_set(r, "s.reader=", &e), DRH_E_CONFIG);
    recipe_free(r);

    r = parse(READER("{\"delimiter\":\";\",\"use\":\"./csv.so:csv\"}"), "x/r.json");
    ck_assert_str_eq(r->steps[0].reader->use, "./csv.so:csv");
    ck_options(r->steps[0].reader->options, "{\"delimiter\":\";\"}");
    recipe_free(r);

    r = parse("{\"recipe\":1,\"sources\":[{\"use\":\"local\"}]}", NULL);
    ck_assert_ptr_null(r->steps[0].reader); /* by content; then the options are nobody's */
    ck_assert_int_eq(recipe_set(r, "local.reader.delimiter=;", &e), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "--set local.reader=NAME"));
    recipe_free(r);
}
END_TEST

static const struct {
    const char *value, *want;
} bad_readers[] = {{"1", "/sources/0/reader: must be"},
                   {"\"\"", "/sources/0/reader: must be"},
                   {"[\"csv\"]", "/sources/0/reader: must be"},
                   {"{}", "/sources/0/reader"},
                   {"{\"use\":1}", "/sources/0/reader/use: must be"},
                   {"{\"use\":\"\"}", "/sources/0/reader/use: must be"}};

START_TEST(wrong_readers)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;
    char           text[256];

    (void)snprintf(text, sizeof(text), READER("%s"), bad_readers[_i].value);
    ck_assert_int_eq(recipe_parse(text, strlen(text), "r.json", &r, &e), DRH_E_CONFIG);
    ck_assert_msg(strstr(e.message, bad_readers[_i].want) != NULL, "%s", e.message);
}
END_TEST

START_TEST(readers_of_single_steps)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;
    struct step   *s;

    ck_assert_int_eq(recipe_empty(&r, &e), DRH_OK);
    ck_assert_int_eq(recipe_add_reader(r, "/p/csv.so:csv", "csv", &e), DRH_OK);
    ck_assert_int_eq(recipe_add_reader(r, "/p/csv.so:tsv", "tsv", &e), DRH_OK);
    ck_assert_int_eq(recipe_set(r, "delimiter=;", &e), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "csv, tsv"));
    ck_assert_int_eq(recipe_add(r, PHASE_PREPROCESS, "chat", &s, &e), DRH_OK);
    must_set(r, "tsv.delimiter=;");
    must_set(r, "turns=[1,2]"); /* the one step's */
    ck_options(r->readers[0].options, "{}");
    ck_options(r->readers[1].options, "{\"delimiter\":{\"$set\":\";\"}}");
    recipe_free(r);
}
END_TEST

/* A stage's unknown key may have been meant for the host. */
START_TEST(options_know_the_hosts_keys)
{
    drh_error      e = ERR_INIT;
    struct recipe *r =
        parse("{\"recipe\":1," SRC ",\"select\":[{\"use\":\"ifd\",\"tpo\":0.2}]}", "r.json");
    struct step *s = recipe_step(r, "ifd");
    cJSON       *schema = NULL;

    ck_assert_int_eq(
        schema_parse("{\"type\":\"object\",\"properties\":{\"preset\":{}}}", &schema, &e), DRH_OK);
    ck_assert_int_eq(recipe_options(r, s, s->pointer, s->options, schema, NULL, &e), DRH_E_CONFIG);
    ck_assert_str_eq(e.message, "/select/0/tpo: unknown key \"tpo\"; did you mean \"top\"?");
    cJSON_Delete(schema);
    recipe_free(r);
}
END_TEST

START_TEST(files)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;

    ck_assert_int_eq(recipe_load("/nonexistent/r.json", &r, &e), DRH_E_MISSING);
    ck_assert_ptr_null(r);
    ck_assert_ptr_nonnull(strstr(e.message, "/nonexistent/r.json"));
    ck_assert_msg(recipe_load(DRH_SOURCE_DIR "/tests/fuzz/corpus/recipe/full.json", &r, &e) ==
                      DRH_OK,
                  "%s", e.message);
    ck_assert_str_eq(r->dir, DRH_SOURCE_DIR "/tests/fuzz/corpus/recipe");
    recipe_free(r);
}
END_TEST

START_TEST(steps_of_a_source)
{
    struct recipe *r = parse("{\"recipe\":1,\"sources\":[{\"use\":\"local\",\"path\":\"a\","
                             "\"then\":[{\"use\":\"chat\"}],"
                             "\"or\":[{\"use\":\"far\"}]},{\"use\":\"local\",\"path\":\"b\"}],"
                             "\"preprocess\":[{\"use\":\"chat\"}]}",
                             NULL);

    ck_assert_uint_eq(r->n_steps, 5);
    ck_options(r->steps[0].options, "{\"path\":\"a\"}");
    ck_assert_str_eq(r->steps[1].pointer, "/sources/0/or/0");
    ck_assert_str_eq(r->steps[2].pointer, "/sources/0/then/0");
    ck_assert_int_eq(r->steps[2].phase, PHASE_PREPROCESS);
    ck_assert_uint_eq(r->steps[2].follows, 1);
    ck_assert_ptr_null(r->steps[2].dataset);
    ck_assert_str_eq(r->steps[2].id, "chat-2"); /* the phase's keeps its name */
    ck_assert_str_eq(r->steps[3].pointer, "/sources/1");
    ck_assert_str_eq(r->steps[4].pointer, "/preprocess/0");
    ck_assert_str_eq(r->steps[4].id, "chat");
    recipe_free(r);
}
END_TEST

START_TEST(models_and_what_follows)
{
    struct recipe *r = parse(
        "{\"recipe\":1,\"services\":{\"writer\":{\"use\":\"infer-openai\"}},"
        "\"synthesize\":[{\"use\":\"magpie\",\"count\":3,\"then\":["
        "{\"use\":\"answers\",\"infer\":\"writer\",\"top_p\":0.9},{\"use\":\"chat\"}]},"
        "{\"use\":\"personas\",\"infer\":\"infer\"}],"
        "\"preprocess\":[{\"use\":\"chat\"}],\"select\":[{\"use\":\"ifd\",\"infer\":\"writer\"}]}",
        NULL);
    drh_error e = ERR_INIT;

    ck_assert_uint_eq(r->n_steps, 6);
    ck_assert_str_eq(r->steps[0].pointer, "/preprocess/0");
    ck_assert_uint_eq(r->steps[0].follows, 0);
    ck_assert_str_eq(r->steps[1].id, "magpie");
    ck_options(r->steps[1].options, "{\"count\":3}"); /* then is the host's */
    ck_assert_ptr_null(r->steps[1].infer);
    ck_assert_str_eq(r->steps[2].pointer, "/synthesize/0/then/0");
    ck_assert_int_eq(r->steps[2].phase, PHASE_PREPROCESS);
    ck_assert_uint_eq(r->steps[2].follows, 2);
    ck_assert_str_eq(r->steps[2].infer, "writer");
    ck_options(r->steps[2].options, "{\"top_p\":0.9}");
    ck_assert_ptr_null(r->steps[2].dataset);
    ck_assert_str_eq(r->steps[3].pointer, "/synthesize/0/then/1");
    ck_assert_str_eq(r->steps[3].id, "chat-2");
    ck_assert_uint_eq(r->steps[3].follows, 2);
    ck_assert_str_eq(r->steps[4].pointer, "/synthesize/1");
    ck_assert_str_eq(r->steps[4].infer, "infer");
    ck_assert_str_eq(r->steps[5].infer, "writer");
    ck_assert_int_eq(recipe_set(r, "personas.infer=writer", &e), DRH_OK);
    ck_assert_str_eq(r->steps[4].infer, "writer");
    ck_assert_int_eq(recipe_set(r, "answers.top_p=1", &e), DRH_OK);
    recipe_free(r);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("recipe");
    TCase   *t = tcase_create("recipe");
    SRunner *r;
    int      failed;

    tcase_add_test(t, all_phases);
    tcase_add_test(t, steps_of_a_source);
    tcase_add_test(t, models_and_what_follows);
    tcase_add_loop_test(t, refused, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, every_mistake);
    tcase_add_test(t, ids);
    tcase_add_test(t, numbers);
    tcase_add_loop_test(t, set, 0, sizeof(sets) / sizeof(sets[0]));
    tcase_add_test(t, set_values);
    tcase_add_test(t, single_steps);
    tcase_add_test(t, readers);
    tcase_add_loop_test(t, wrong_readers, 0, sizeof(bad_readers) / sizeof(bad_readers[0]));
    tcase_add_test(t, readers_of_single_steps);
    tcase_add_test(t, options_know_the_hosts_keys);
    tcase_add_test(t, files);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
