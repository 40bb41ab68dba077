/* SPDX-License-Identifier: MIT
 * test_report.c - a report as text, line by line; reports with parts missing or of wrong types. */
#include "report.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char whole[] =
    "{\"drhost\":\"0.1.0\",\"recipe\":\"r.json\",\"version\":\"v1\",\"data\":\"out\","
    "\"state\":\"too_many_bad\",\"message\":\"6 of 100 records of Math/gsm are bad\","
    "\"started\":\"2026-01-31T12:00:00Z\",\"seconds\":1.25,\"peak_memory_mib\":80.4,\"workers\":2,"
    "\"services\":[{\"id\":\"drh.infer/1\",\"use\":\"infer-x\",\"model\":\"m\"}],"
    "\"sources\":[{\"domain\":\"Math\",\"dataset\":\"gsm\",\"source\":\"local\",\"files\":1,"
    "\"bytes\":1500000,\"read\":100,\"failed\":6}],"
    "\"steps\":[{\"segment\":\"preprocess\",\"step\":\"chat\",\"in\":100,\"added\":3,\"out\":97,"
    "\"dropped\":4,\"failed\":2,\"seconds\":0.5,\"tasks\":3,\"skipped\":1,"
    "\"reasons\":{\"dropped\":{\"too_long\":4},\"failed\":{\"no_turns\":2}}}],"
    "\"balanced\":true,"
    "\"scores\":[{\"step\":\"ifd\",\"field\":\"/metadata/"
    "ifd\",\"groups\":[{\"group\":\"Math\",\"n\":4,"
    "\"scored\":3,\"passed\":2,\"kept\":1,\"cut\":0.8125,\"mean\":0.5,\"sd\":null,\"min\":0.25,"
    "\"q1\":0.25,\"median\":0.5,\"q3\":0.75,\"max\":0.75,"
    "\"histogram\":{\"lo\":0,\"hi\":1,\"counts\":[0,50,100,1]},"
    "\"examples\":[{\"score\":0.75,\"rank\":\"best\",\"id\":\"abc\",\"record\":{\"conversations\":["
    "{\"from\":\"human\",\"value\":\"two\\nlines\"},{\"from\":\"gpt\",\"value\":\"yes\"},"
    "{\"from\":\"human\",\"value\":\"third\"}]}},"
    "{\"score\":0.25,\"rank\":\"worst\",\"id\":\"\",\"record\":{\"b\":1,\"a\":\"x\"}}]}]}],"
    "\"outputs\":[{\"path\":\"out/Math.jsonl\",\"domain\":\"Math\",\"records\":1,\"bytes\":999,"
    "\"sha256\":\"0123456789abcdef0123\"}]}";

/* Every line here must be in the text, in this order. */
static const char *const lines[] = {
    "r.json, version v1: too_many_bad in 1.2 s\n",
    "  6 of 100 records of Math/gsm are bad\n",
    "  started 2026-01-31T12:00:00Z, 2 workers, peak memory 80 MiB, drhost 0.1.0\n",
    "  drh.infer/1    infer-x            m\n",
    "  Math/gsm                                  1     1.5 MB        100        6\n",
    "  preprocess: 3 tasks in 0.5 s, 200 records/s; 1 done before and not run again\n",
    "    chat                          100          3         97          4          2\n",
    "      dropped 4: too_long\n",
    "      failed 2: no_turns\n",
    "  Every record is accounted for.\n",
    "Scores of ifd (/metadata/ifd)\n",
    "  Math: 4 records, 3 scored, 2 within the bounds, 1 kept, cut at 0.8125\n",
    "    mean 0.5 sd - min 0.25 q1 0.25 median 0.5 q3 0.75 max 0.75\n",
    "             0 |                                                   0\n",
    "          0.25 |#########################                          50\n",
    "           0.5 |################################################## 100\n",
    "          0.75 |#                                                  1\n",
    "    best           0.75      abc\n",
    "      Q: two lines\n",
    "      A: yes\n",
    "    worst          0.25      \n",
    "      {\"a\":\"x\",\"b\":1}\n",
    "  out/Math.jsonl\n",
    "    1 records, 999 B, sha256 0123456789abcdef\n",
};

static char *text_of(const char *json, struct buf *b)
{
    cJSON *t = cJSON_Parse(json);
    ck_assert_ptr_nonnull(t);
    buf_init(b, 1 << 20);
    ck_assert_int_eq(report_text(t, b), DRH_OK);
    cJSON_Delete(t);
    return b->ptr;
}

START_TEST(all_parts)
{
    struct buf  b;
    const char *at = text_of(whole, &b);

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *found = strstr(at, lines[i]);
        ck_assert_msg(found != NULL, "not there, or not in order: %s\n%s", lines[i], b.ptr);
        at = found + strlen(lines[i]);
    }
    ck_assert_ptr_null(strstr(b.ptr, "third"));
    buf_free(&b);
}
END_TEST

START_TEST(unbalanced_is_said)
{
    struct buf  b;
    const char *text = text_of("{\"balanced\":false}", &b);
    ck_assert_ptr_nonnull(strstr(text, "NOT BALANCED"));
    ck_assert_ptr_null(strstr(text, "accounted"));
    buf_free(&b);
}
END_TEST

START_TEST(anything_goes)
{
    static const char *const odd[] = {
        "{}",
        "[]",
        "3",
        "{\"steps\":[1,\"x\",null],\"sources\":3,\"scores\":{\"a\":1},\"outputs\":[[]]}",
        "{\"scores\":[{\"groups\":[{\"histogram\":{\"lo\":\"a\",\"hi\":1,\"counts\":[1]}},"
        "{\"histogram\":{\"lo\":0,\"hi\":1,\"counts\":[\"x\",-5,1e300]}},7]}]}",
        "{\"scores\":[{\"groups\":[{\"examples\":[{\"record\":{\"conversations\":[1,{}]}},"
        "{\"record\":[]},1]}]}]}",
        "{\"steps\":[{\"reasons\":{\"dropped\":[1,2],\"failed\":\"x\"},\"in\":-5,\"seconds\":1e-"
        "300}]}",
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct buf b;
        ck_assert_ptr_nonnull(text_of(odd[i], &b));
        buf_free(&b);
    }
}
END_TEST

START_TEST(long_texts_are_cut)
{
    char        json[1200] = "{\"scores\":[{\"groups\":[{\"examples\":[{\"record\":{\"a\":\"";
    struct buf  b;
    const char *text, *line;

    for (int i = 0; i < 200; i++) {
        (void)strncat(json, "\xC3\xA9", sizeof(json) - strlen(json) - 1);
    }
    (void)strncat(json, "\"}}]}]}]}", sizeof(json) - strlen(json) - 1);
    text = text_of(json, &b);
    line = strstr(text, "      {\"a\":\"");
    ck_assert_ptr_nonnull(line);
    /* an even number of bytes: no character was cut in half */
    ck_assert_ptr_nonnull(strstr(line, "\xC3\xA9...\n"));
    ck_assert_uint_le(strcspn(line, "\n"), 100);
    buf_free(&b);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("report");
    TCase   *t = tcase_create("report");
    SRunner *r;
    int      failed;

    tcase_add_test(t, all_parts);
    tcase_add_test(t, unbalanced_is_said);
    tcase_add_test(t, anything_goes);
    tcase_add_test(t, long_texts_are_cut);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
