/* SPDX-License-Identifier: MIT
 *
 * test_tags.c - tags out of what models say.  Each row was written by hand, after what models do;
 * what stays as it is was checked with another JSON reader.
 */
#include "bare_host.h"
#include "record.h"
#include "run.h"
#include "tags.h"

static drh_host host;

static void setup(void)
{
    bare_reset();
    host = bare_host;
    host.values = &value_api;
    host.json_open = json_doc_open;
    host.json_close = json_doc_close;
}

static void teardown(void)
{
    ck_assert_int_eq(bare_blocks, 0);
}

/* ---- objects -------------------------------------------------------------------------------- */

static const struct {
    const char *said, *json; /* NULL: there is no whole object */
} mended[] = {
    /* good JSON stays as it is */
    {"{\"a\": \"b\"}", "{\"a\": \"b\"}"},
    {"{}", "{}"},
    {"{\"a\":[1,-2.5,true,false,null,\"x\"],\"b\":{\"c\":\"\\u00e9\\n\\\"\\\\\"}}",
     "{\"a\":[1,-2.5,true,false,null,\"x\"],\"b\":{\"c\":\"\\u00e9\\n\\\"\\\\\"}}"},
    {"{\"a\":\"1, 2: {3}\"}", "{\"a\":\"1, 2: {3}\"}"},
    {"{\"a\":\"猫 ❤\"}", "{\"a\":\"猫 ❤\"}"},
    /* what is around it */
    {"Sure! Here you are:\n```json\n{\"a\": 1}\n```\nAnything else?", "{\"a\": 1}"},
    {"{\"a\": 1} {\"b\": 2}", "{\"a\": 1}"},
    /* behind a brace that the model was given: M-6 */
    {" \"difficulty\": \"easy\"}", "{\"difficulty\": \"easy\"}"},
    {"\n\"a\": 1\n}\n", "{\"a\": 1\n}"},
    /* quotes */
    {"{'a': 'b'}", "{\"a\": \"b\"}"},
    {"{'a': 'it's here', 'b': 'x'}", "{\"a\": \"it's here\", \"b\": \"x\"}"},
    {"{'a': 'it\\'s'}", "{\"a\": \"it's\"}"},
    {"{“a”: “b”}", "{\"a\": \"b\"}"},
    {"{\"a\": \"the \"best\" one\", \"b\": 1}", "{\"a\": \"the \\\"best\\\" one\", \"b\": 1}"},
    {"{\"a\": \"say \"hi\", then go\", \"b\": 1}",
     "{\"a\": \"say \\\"hi\\\", then go\", \"b\": 1}"},
    {"{\"a\": \"x\", b: \"y\"}", "{\"a\": \"x\", \"b\": \"y\"}"},
    /* lines in strings, backslashes that escape nothing */
    {"{\"a\": \"one\ntwo\tthree\"}", "{\"a\": \"one\\ntwo\\tthree\"}"},
    {"{\"a\": \"\\frac{1}{2} \\alpha \\u12\"}", "{\"a\": \"\\frac{1}{2} \\\\alpha \\\\u12\"}"},
    /* commas */
    {"{\"a\": 1,}", "{\"a\": 1 }"},
    {"{\"a\": [1, 2, ], }", "{\"a\": [1, 2  ]  }"},
    {"{\"a\": \"x\"\n\"b\": \"y\"}", "{\"a\": \"x\"\n,\"b\": \"y\"}"},
    /* words */
    {"{difficulty: very easy, n: 3}", "{\"difficulty\": \"very easy\", \"n\": 3}"},
    {"{\"a\": True, \"b\": None, \"c\": 007}", "{\"a\": true, \"b\": null, \"c\": \"007\"}"},
    {"{\"a\": [Math, Coding & Debugging]}", "{\"a\": [\"Math\", \"Coding & Debugging\"]}"},
    /* none, or not whole: M-6 */
    {"", NULL},
    {"easy", NULL},
    {"{\"difficulty\": \"easy\"", NULL},
    {"{\"difficulty\": \"ea", NULL},
    {"\"difficulty\": \"easy\"", NULL},
    {"{", NULL},
    {"{[{[", NULL},
};

START_TEST(objects)
{
    drh_text  to = {.host = &host};
    const int is = tags_mend(drh_str_of(mended[_i].said), &to);
    ck_assert_msg(is == (mended[_i].json != NULL), "%s: %d", mended[_i].said, is);
    if (is) {
        drh_json *doc = NULL;
        drh_value root;
        drh_error e = DRH_ERROR_INIT;
        ck_assert_str_eq(to.ptr, mended[_i].json);
        ck_assert_msg(host.json_open(&host, to.ptr, to.len, &doc, &root, &e) == DRH_OK, "%s: %s",
                      to.ptr, e.message);
        host.json_close(doc);
    }
    drh_text_free(&to);
}
END_TEST

/* Whatever bytes come: an end, and nothing outside the text is read (the sanitizers look). */
START_TEST(any_bytes)
{
    static const char bytes[] = "{}[]:,\"'\\ \nab1u\xe2\x80\x9c\0x";
    for (uint64_t seed = 0; seed < 20000; seed++) {
        char         text[24];
        const size_t n = (size_t)(synth_nth(seed, 0) % sizeof(text));
        char        *copy = malloc(n + 1); /* its end is the block's */
        drh_text     to = {.host = &host};
        for (size_t i = 0; i < n; i++) {
            text[i] = bytes[synth_nth(seed, i + 1) % (sizeof(bytes) - 1)];
        }
        memcpy(copy, text, n);
        (void)tags_mend((drh_str){copy, n}, &to);
        drh_text_free(&to);
        free(copy);
    }
    /* as deep as it likes */
    {
        static char deep[5000];
        drh_text    to = {.host = &host};
        memset(deep, '[', sizeof(deep) - 1);
        deep[0] = '{';
        ck_assert(!tags_mend(drh_str_of(deep), &to));
        drh_text_free(&to);
    }
}
END_TEST

/* ---- labels --------------------------------------------------------------------------------- */

static const struct {
    enum tag    kind;
    const char *said;
    int         read, label;
} replies[] = {
    {TAG_DIFFICULTY, " \"difficulty\": \"easy\"}", 1, 1}, /* M-6 */
    {TAG_DIFFICULTY, "\"difficulty\": \"easy\"", 0, -1},
    {TAG_DIFFICULTY, "{\"difficulty\": \"trivial\"}", 1, -1},
    {TAG_DIFFICULTY, "{\"difficulty\": \"Very Hard\"}", 1, 4},
    {TAG_DIFFICULTY, "{\"difficulty\": \"very_easy\"}", 1, 0},
    {TAG_DIFFICULTY, "{\"difficulty\": \" medium \"}", 1, 2},
    {TAG_DIFFICULTY, "{\"difficulty\": 3}", 0, -1},
    {TAG_DIFFICULTY, "{\"difficulty\": \"very easy | easy\"}", 1, -1},
    {TAG_DIFFICULTY, "{\"quality\": \"easy\"}", 0, -1},
    {TAG_DIFFICULTY, "It is easy.", 0, -1},
    {TAG_DIFFICULTY, "", 0, -1},
    /* the object may stand behind another one, or in it */
    {TAG_DIFFICULTY, "The set {1, 2} is small: {\"difficulty\": \"hard\"}", 1, 3},
    {TAG_DIFFICULTY, "{\"result\": {\"difficulty\": \"hard\"}}", 1, 3},
    {TAG_DIFFICULTY, "\"{x}\" is asked.\n{'intent': 'x', 'difficulty': 'hard'}", 1, 3},
    {TAG_QUALITY,
     "```json\n{\n  \"explanation\": \"It's \"clear\".\",\n  \"input_quality\": "
     "\"good\",\n}\n```",
     1, 3},
    {TAG_QUALITY, "{\"explanation\": \"cut in the mid", 0, -1},
    {TAG_CATEGORY, "{\"primary_tag\": \"Coding and debugging\", \"other_tags\": []}", 1, 4},
    {TAG_CATEGORY, "{\"primary_tag\": \"Other\"}", 1, 11}, /* the authors' list loses it */
    {TAG_CATEGORY, "{\"primary_tag\": \"others\"}", 1, 11},
    {TAG_CATEGORY, "{\"primary_tag\": \"Maths\"}", 1, 5},
    {TAG_CATEGORY, "{\"primary_tag\": \"Information-seeking\"}", 1, 0},
    {TAG_CATEGORY, "{\"primary_tag\": \"Cooking\"}", 1, -1},
};

START_TEST(labels)
{
    struct tag_reply r;
    const int        read =
        tag_read(&host, &tag_kinds[replies[_i].kind], drh_str_of(replies[_i].said), &r);
    ck_assert_msg(read == replies[_i].read && r.label == replies[_i].label, "%s: %d, label %d",
                  replies[_i].said, read, r.label);
    tag_reply_free(&host, &r);
}
END_TEST

START_TEST(texts_beside)
{
    struct tag_reply r;
    drh_str          s;
    ck_assert_int_eq(tag_read(&host, &tag_kinds[TAG_DIFFICULTY],
                              drh_str_of("{'intent': 'The user's wish', 'knowledge': 'Roses\nand "
                                         "soil', 'difficulty': 'easy'}"),
                              &r),
                     1);
    s = drh_hub_text(&host, &r.root, "intent");
    ck_assert(drh_str_eq(s, "The user's wish"));
    s = drh_hub_text(&host, &r.root, "knowledge");
    ck_assert(drh_str_eq(s, "Roses\nand soil"));
    tag_reply_free(&host, &r);
}
END_TEST

START_TEST(no_memory)
{
    int read = -1;
    for (int n = 0; read < 0 && n < 50; n++) {
        struct tag_reply r;
        bare_allowed = n;
        read = tag_read(&host, &tag_kinds[TAG_DIFFICULTY],
                        drh_str_of("{1} {\"difficulty\": \"easy\"}"), &r);
        bare_allowed = -1;
        tag_reply_free(&host, &r);
        ck_assert_int_eq(bare_blocks, 0);
    }
    ck_assert_int_eq(read, 1);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("tags");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, objects, 0, ROWS(mended));
    tcase_add_test(t, any_bytes);
    tcase_add_loop_test(t, labels, 0, ROWS(replies));
    tcase_add_test(t, texts_beside);
    tcase_add_test(t, no_memory);
    return run_case("tags", t);
}
