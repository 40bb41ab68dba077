/* SPDX-License-Identifier: MIT
 *
 * test_lang.c - the stage lang: labelled texts, whose turns count, code, mixed and short texts,
 * what the options refuse, the words of a text; every allocation refused once.
 */
#include "mini_host.h"

#include "err.h"
#include "lang.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include "run.h"

extern const drh_entry drh_entry_v1;

#define TURN(who, text) "{\"from\":\"" who "\",\"value\":\"" text "\"}"
#define PAIR(q, a) "{\"conversations\":[" TURN("human", q) "," TURN("gpt", a) "]}"
#define TOLD(q, a, lang)                                                                           \
    "{\"conversations\":[" TURN("human", q) "," TURN("gpt", a) "],\"metadata\":{\"lang\":\"" lang  \
                                                               "\"}}"

#define EN                                                                                         \
    "The old bridge was closed for repairs, so we took the ferry across the river this morning, "  \
    "and when the rain stopped the children ran outside."
#define DE                                                                                         \
    "Die alte Br\u00fccke war wegen Bauarbeiten gesperrt, deshalb nahmen wir heute fr\u00fch die " \
    "F\u00e4hre, und als der Regen aufh\u00f6rte, liefen die Kinder hinaus."
#define ZH "\u65e7\u6865\u56e0\u4e3a\u7ef4\u4fee\u800c\u5173\u95ed"
#define JA "\u6a4b\u306f\u901a\u308c\u307e\u305b\u3093\u3067\u3057\u305f"

static const struct {
    const char *options, *in, *out;
} rows[] = {
    {"{}", PAIR("?", EN), TOLD("?", EN, "En")},
    {"{}", PAIR("?", DE), TOLD("?", DE, "De")},
    /* a guess that is there is written over */
    {"{}", TOLD("?", DE, "En"), TOLD("?", DE, "De")},
    /* mixed: the answer counts, whatever the question is in; of asks otherwise */
    {"{}", PAIR(ZH, EN), TOLD(ZH, EN, "En")},
    {"{}", PAIR(EN, ZH), TOLD(EN, ZH, "Zh")},
    {"{}", PAIR(EN, DE), TOLD(EN, DE, "De")},
    {"{\"of\":\"question\"}", PAIR(ZH, EN), TOLD(ZH, EN, "Zh")},
    {"{\"of\":\"question\"}", PAIR(EN, DE), TOLD(EN, DE, "En")},
    {"{\"of\":\"all\"}", PAIR("?", DE), TOLD("?", DE, "De")},
    /* a short sentence in another script than the question is still its own */
    {"{}", PAIR(ZH, "The bridge is closed this morning."),
     TOLD(ZH, "The bridge is closed this morning.", "En")},
    /* short: the question helps; too short altogether: nobody can tell */
    {"{}", PAIR(DE, "42"), TOLD(DE, "42", "De")},
    {"{}", PAIR(DE, "Mango, Kiwi"), TOLD(DE, "Mango, Kiwi", "De")},
    {"{}", PAIR(EN, "Amanda, James, John, Maria"), TOLD(EN, "Amanda, James, John, Maria", "En")},
    {"{}", PAIR("Hi", "Hello"), TOLD("Hi", "Hello", "Und")},
    {"{}", PAIR("?", "42"), TOLD("?", "42", "Und")},
    {"{}", PAIR("?", "\u03b1 = 2 \u03b2"), TOLD("?", "\u03b1 = 2 \u03b2", "Und")},
    {"{}", PAIR("?", "\u597d"), TOLD("?", "\u597d", "Zh")},
    {"{}", PAIR("?", JA), TOLD("?", JA, "Ja")},
    /* with one language of a script no model is asked, but the letters have to be there */
    {"{\"languages\":[\"fr\",\"zh\"]}", PAIR("?", EN), TOLD("?", EN, "Fr")},
    {"{\"languages\":[\"ru\",\"zh\"]}", PAIR("?", EN), TOLD("?", EN, "Und")},
    /* code is no language, and does not count where there is some */
    {"{}", PAIR("?", "```python\\nfor line in the_file:\\n    print(the line and the name)\\n```"),
     TOLD("?", "```python\\nfor line in the_file:\\n    print(the line and the name)\\n```",
          "Und")},
    {"{}", PAIR("?", ZH "\\n```\\nthe line and the name of the file are printed here\\n```\\n"),
     TOLD("?", ZH "\\n```\\nthe line and the name of the file are printed here\\n```\\n", "Zh")},
    /* keeping */
    {"{\"keep\":[\"de\",\"Zh\"]}", PAIR("?", DE), TOLD("?", DE, "De")},
    {"{\"keep\":[\"de\",\"zh\"]}", PAIR("?", EN), "drop:lang: En"},
    {"{\"keep\":[\"de\"]}", PAIR("Hi", "Hello"), "drop:lang: Und"},
    {"{\"keep\":[\"de\",\"und\"]}", PAIR("Hi", "Hello"), TOLD("Hi", "Hello", "Und")},
    /* what is no conversation */
    {"{}", "{\"a\":1}", "fail:no_conversation: put chat before this step"},
    {"{}", "{\"conversations\":[1]}", "fail:no_conversation: put chat before this step"},
    {"{}", "{\"conversations\":[],\"metadata\":1}", "fail:bad_metadata: metadata is no object"},
};

START_TEST(told)
{
    drh_error         e = ERR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, rows[_i].options, NULL, &e);
    const char       *got;

    ck_assert_msg(m != NULL, "%d: %s", _i, e.message);
    got = mini_run(m, rows[_i].in);
    ck_assert_msg(strcmp(got, rows[_i].out) == 0, "%d: %s\n  instead of %s", _i, got, rows[_i].out);
    mini_free(m);
}
END_TEST

static const struct {
    const char *options, *says;
} wrong[] = {
    {"{\"keep\":[\"english\"]}", "\"keep\": \"english\" is no language that can be told"},
    {"{\"languages\":[\"EN\"]}", "\"languages\": \"EN\" is no language"},
    {"{\"keep\":[\"cy\"]}", "\"keep\" has \"cy\", which is not among those told apart"},
    {"{\"languages\":[\"en\",\"fr\"],\"keep\":[\"de\"]}", "\"keep\" has \"de\""},
    {"{\"models\":\"/nowhere\"}", "/nowhere/en.lm is not there; install Debian's"},
    {"{\"models\":\"/dev/null\"}", "/dev/null/en.lm is not there; install Debian's"},
    {"{\"min_letters\":0}", "min_letters"},
    {"{\"margin\":0.5}", "margin"},
    {"{\"of\":\"system\"}", "of"},
};

START_TEST(refused)
{
    drh_error         e = ERR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, wrong[_i].options, NULL, &e);
    ck_assert_msg(m == NULL, "%d was accepted", _i);
    ck_assert_msg(strstr(e.message, wrong[_i].says) || strstr(e.field, wrong[_i].says), "%d: %s",
                  _i, e.message);
}
END_TEST

START_TEST(without_memory)
{
    mini_sweep(&drh_entry_v1, "{\"keep\":[\"de\"]}", NULL, PAIR("?", DE), TOLD("?", DE, "De"));
}
END_TEST

/* ---- the labelled texts -------------------------------------------------------------------- */

static bool is_told(struct mini_host *m, const char *code, const char *text)
{
    static char record[4096], want[32];
    drh_str     s = drh_str_of(code);

    (void)snprintf(record, sizeof(record), "%s%s%s",
                   "{\"conversations\":[{\"from\":\"gpt\",\"value\":\"", text, "\"}]}");
    (void)snprintf(want, sizeof(want), "\"lang\":\"%s\"", lang_table[lang_find(s)].written);
    return strstr(mini_run(m, record), want) != NULL;
}

/* Of the 29 texts of four sentences each has to be right; of the sentences nine in ten. */
START_TEST(labelled)
{
    FILE             *f = fopen(DRH_SOURCE_DIR "/tests/data/lang/samples.tsv", "r");
    drh_error         e = ERR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{}", NULL, &e);
    char              line[1024], all[4096] = "";
    int               n = 0, right = 0;

    ck_assert(f && m);
    while (fgets(line, sizeof(line), f)) {
        char *tab = strchr(line, '\t');
        if (line[0] == '#') {
            continue;
        }
        ck_assert(tab && strlen(line) < sizeof(all) / 4);
        *tab = 0;
        tab[strcspn(tab + 1, "\n") + 1] = 0;
        right += is_told(m, line, tab + 1);
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", tab + 1);
        if (++n % 4 == 0) {
            ck_assert_msg(is_told(m, line, all), "%s: %s", line, all);
            all[0] = 0;
        }
    }
    (void)fclose(f);
    mini_free(m);
    ck_assert_int_eq(n, 116);
    ck_assert_int_ge(right, 105);
}
END_TEST

/* ---- words --------------------------------------------------------------------------------- */

static const struct {
    const char *text, *words;
} samples[] = {
    {"Don't stop, \u00c9T\u00c9!", "don't stop \u00e9t\u00e9 "},
    {"L\u2019eau 'x' 12 a1b", "l'eau x a b "},
    {"one `two three` four ` five", "one four five "},
    {"see https://example.org/a/path?x=1 and www.example.org too", "see and too "},
    {"f(x) the_name \\alpha <b>bold</b> @home end", "x bold end "},
    {"a\n```c\nint main\n```\nb\n~~~\nx\n```\ny\n~~~\nc", "a b c "},
    {"a\n  ````\nx\n```\ny\n````\nb\n```\nnever closed", "a b "},
    {"\u4f60\u597d, world", "\u4f60\u597d world "},
    {"", ""},
    {"'", ""},
};

START_TEST(sampled)
{
    char               text[128];
    struct lang_sample s = {.text = text, .cap = sizeof(text) - 1};

    lang_sample_clear(&s);
    lang_sample_add(&s, drh_str_of(samples[_i].text));
    text[s.len] = 0;
    ck_assert_str_eq(text, samples[_i].words);
}
END_TEST

START_TEST(bounded)
{
    static char        many[200000];
    char               text[65];
    struct lang_sample s = {.text = text, .cap = sizeof(text) - 1};

    memset(many, 'a', sizeof(many)); /* one word that is too long for any sample */
    lang_sample_clear(&s);
    lang_sample_add(&s, (drh_str){many, sizeof(many)});
    ck_assert_uint_eq(s.len, 0);
    memset(many, '1', sizeof(many)); /* nothing in it: not all of it is looked at */
    lang_sample_add(&s, (drh_str){many, sizeof(many)});
    ck_assert_uint_eq(s.seen, 8 * s.cap);
    lang_sample_clear(&s);
    lang_sample_add(&s, drh_str_of("\u043c\u0438\u0440 peace mir \u043c\u0438\u0440"));
    ck_assert_uint_eq(lang_sample_script(&s), SCRIPT_LATIN); /* eight letters against six */
    lang_sample_only(&s, SCRIPT_CYRILLIC);
    ck_assert_str_eq(text, "\u043c\u0438\u0440 \u043c\u0438\u0440 ");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("lang");
    tcase_add_loop_test(t, told, 0, ROWS(rows));
    tcase_add_loop_test(t, refused, 0, ROWS(wrong));
    tcase_add_loop_test(t, sampled, 0, ROWS(samples));
    tcase_add_test(t, bounded);
    tcase_add_test(t, labelled);
    tcase_add_test(t, without_memory);
    return run_case("lang", t);
}
