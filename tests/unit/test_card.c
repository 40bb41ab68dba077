/* SPDX-License-Identifier: MIT
 *
 * test_card.c - subsets and splits: configs of a card in all the forms that the hub's documentation
 * shows, words in paths where there is none, and what is asked for and not there.
 */
#include "card_source.h"
#include "run.h"

#include <drh/util.h>

static struct hub_host hub;

static void setup(void)
{
    bare_reset();
    memset(&source_has, 0, sizeof(source_has));
}

static drh_status list(const char *readme, const char *paths, const char *options)
{
    static const struct hub_answer none[] = {{0}};
    source_has.readme = readme ? drh_str_of(readme) : (drh_str){NULL, 0};
    source_has.paths = paths;
    return hub_new(&hub, &source_entry, options, none) == DRH_OK ? hub_list(&hub) : hub.e.code;
}

/* Listed are these, a line each. */
static void ck_files(const char *readme, const char *paths, const char *options, const char *want)
{
    char   got[4096] = "";
    size_t n = 0;
    ck_assert_msg(list(readme, paths, options) == DRH_OK, "%s: %s", options, hub.e.message);
    for (size_t i = 0; i < hub.list.n; i++) {
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s\n", hub.list.file[i].name);
    }
    ck_assert_msg(strcmp(got, want) == 0, "%s gives\n%s instead of\n%s", options, got, want);
    ck_assert(hub_free(&hub));
}

static void ck_none(const char *readme, const char *paths, const char *options, const char *says)
{
    const drh_status st = list(readme, paths, options);
    ck_assert_msg(st == DRH_E_CONFIG, "%s: %d", options, st);
    ck_assert_msg(strstr(hub.e.message, says) != NULL, "\"%s\" is not in: %s", says, hub.e.message);
    ck_assert(hub_free(&hub));
}

/* ---- patterns ------------------------------------------------------------------------------ */

START_TEST(patterns)
{
    static const struct {
        const char *pattern, *path;
        int         fits;
    } cases[] = {
        {"data.jsonl", "data.jsonl", 1},
        {"data.jsonl", "data.json", 0},
        {"./data/a.csv", "data/a.csv", 1},
        {"data", "data/a/b.csv", 1},
        {"data/", "data/a/b.csv", 1},
        {"data", "database.csv", 0},
        {".", "any/thing", 1},
        {"data/*.csv", "data/a.csv", 1},
        {"data/*.csv", "data/a/b.csv", 0},
        {"data/*", "data/a/b.csv", 0},
        {"data/*", "data/", 1},
        {"*/train-*", "en/train-0", 1},
        {"*/train-*", "en/x/train-0", 0},
        {"**/train-*", "train-0", 1},
        {"**/train-*", "a/b/train-0", 1},
        {"**/train-*", "a/retrain-0", 0},
        {"**/train-*", "train-a/b", 0},
        {"data/**", "data/a/b.csv", 1},
        {"data/**", "dat", 0},
        {"data/**/x-*/*.csv", "data/a/x-1/b/x-2/c.csv", 1},
        {"data/**/x-*/*.csv", "data/x-2/c.csv", 1},
        {"data/**/x-*/*.csv", "data/a/x-1/b/c.csv", 0},
        {"**", "a/b/c", 1},
        {"*", "a/b", 0},
        {"a?c", "abc", 1},
        {"a?c", "a/c", 0},
        {"part-[0-9][0-9].csv", "part-07.csv", 1},
        {"part-[0-9][0-9].csv", "part-x7.csv", 0},
        {"a[!b]c", "a/c", 0},
        {"a[", "a[", 1},
        {"*a*b*c*d*e*f*g*h*i*j*k", "aaaaaaaaaaaaaaaabbbbbbbbbbbbcccccccccccccddddddddddddeeee", 0},
        {"**a**a**a**a**a**b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
        {"*b/*c", "ab/xc", 1},
        {"*b/*c", "ab/xb/c", 0},
        {"**/b/*c", "x/b/y/b/zc", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(card_match(drh_str_of(cases[i].pattern), drh_str_of(cases[i].path)) ==
                          cases[i].fits,
                      "%s and %s", cases[i].pattern, cases[i].path);
    }
}
END_TEST

/* ---- configs ------------------------------------------------------------------------------- */

#define PATHS                                                                                      \
    "README.md\ndata/en/train.jsonl\ndata/en/test.jsonl\ndata/de/train.jsonl\nextra/a.csv\n"       \
    "extra/b.csv\n"

START_TEST(configs_with_entries)
{
    static const char card[] = "---\nlicense: mit\nconfigs:\n"
                               "- config_name: en\n  default: true\n  data_files:\n"
                               "  - split: train\n    path: data/en/train.jsonl\n"
                               "  - split: test\n    path:\n    - \"data/en/te*\"\n"
                               "- config_name: de\n  data_files:\n"
                               "  - split: train\n    path: \"data/de/*\"\n"
                               "- config_name: 2024\n  data_files: extra/*.csv\n"
                               "---\n# Title\n---\nnot: this\n";
    ck_files(card, PATHS, "{}", PATHS);
    ck_files(card, PATHS, "{\"subset\":\"en\"}", "data/en/train.jsonl\ndata/en/test.jsonl\n");
    ck_files(card, PATHS, "{\"subset\":\"en\",\"split\":\"test\"}", "data/en/test.jsonl\n");
    ck_files(card, PATHS, "{\"split\":\"train\"}", "data/en/train.jsonl\n");
    ck_files(card, PATHS, "{\"subset\":\"de\",\"split\":\"train\"}", "data/de/train.jsonl\n");
    ck_files(card, PATHS, "{\"subset\":\"2024\",\"split\":\"train\"}",
             "extra/a.csv\nextra/b.csv\n");
    ck_none(card, PATHS, "{\"subset\":\"fr\"}",
            "subset: there is no \"fr\"; the data set has en, de, 2024");
    ck_none(card, PATHS, "{\"subset\":\"de\",\"split\":\"test\"}",
            "split: there is no \"test\"; the data set has train");
    ck_none(card, PATHS, "{\"split\":\"dev\"}",
            "split: there is no \"dev\"; the data set has train, test");
    ck_none(card, PATHS, "{\"split\":\"train[:10%]\"}", "a part of a split cannot be taken");
}
END_TEST

/* A text, a list, an object; data_dir with and without data_files; no name. */
START_TEST(configs_in_other_forms)
{
    static const char card[] = "\xef\xbb\xbf---\r\nconfigs:\r\n"
                               "- {config_name: a, data_files: [extra/a.csv, extra/b.csv]}\r\n"
                               "- {config_name: b, data_files: {train: extra/a.csv, "
                               "held_out: [extra/b.csv]}}\r\n"
                               "- {config_name: c, data_dir: ./data/en/}\r\n"
                               "- {config_name: d, data_dir: data, data_files: '*/train.jsonl'}\r\n"
                               "- {features: []}\r\n--- \r\n";
    ck_files(card, PATHS, "{\"subset\":\"a\",\"split\":\"train\"}", "extra/a.csv\nextra/b.csv\n");
    ck_files(card, PATHS, "{\"subset\":\"b\"}", "extra/a.csv\nextra/b.csv\n");
    ck_files(card, PATHS, "{\"subset\":\"b\",\"split\":\"held_out\"}", "extra/b.csv\n");
    ck_files(card, PATHS, "{\"subset\":\"c\"}", "data/en/train.jsonl\ndata/en/test.jsonl\n");
    ck_files(card, PATHS, "{\"subset\":\"c\",\"split\":\"testing\"}", "data/en/test.jsonl\n");
    ck_files(card, PATHS, "{\"subset\":\"d\"}", "data/en/train.jsonl\ndata/de/train.jsonl\n");
    ck_files(card, PATHS, "{\"split\":\"test\"}", "data/en/test.jsonl\n"); /* the one without */
    ck_none(card, PATHS, "{\"subset\":\"c\",\"split\":\"dev\"}", "the data set has train, test");
}
END_TEST

START_TEST(which_subset)
{
    static const char card[] = "---\nconfigs:\n- config_name: en\n  data_files: data/en/*\n"
                               "- config_name: de\n  data_files: data/de/*\n---\n";
    static const char alone[] = "---\nconfigs:\n- config_name: en\n  data_files: data/en/*\n---\n";
    static const char dir[] = "---\nconfigs:\n- config_name: en\n  data_dir: nowhere\n---\n";
    ck_none(card, PATHS, "{\"split\":\"train\"}",
            "split: of which subset? The data set has en, de; give one as \"subset\"");
    ck_files(alone, PATHS, "{\"split\":\"train\"}", "data/en/train.jsonl\ndata/en/test.jsonl\n");
    ck_none(dir, PATHS, "{\"subset\":\"en\"}", "no file with records is in nowhere/");
}
END_TEST

/* Many splits, more than a message has room for. */
START_TEST(many_splits)
{
    static char card[8192], paths[4096];
    size_t      n = (size_t)snprintf(card, sizeof(card), "---\nconfigs:\n- data_files:\n"), k = 0;
    for (int i = 0; i < 100; i++) {
        n += (size_t)snprintf(card + n, sizeof(card) - n, "  - {split: part%d, path: p/%d.csv}\n",
                              i, i);
        k += (size_t)snprintf(paths + k, sizeof(paths) - k, "p/%d.csv\n", i);
    }
    (void)snprintf(card + n, sizeof(card) - n, "---\n");
    ck_files(card, paths, "{\"split\":\"part99\"}", "p/99.csv\n");
    ck_none(card, paths, "{\"split\":\"part100\"}", "part0, part1, part2");
    ck_none(card, paths, "{\"split\":\"part100\"}", ", ...");
}
END_TEST

START_TEST(broken_cards)
{
    /* Each line ten times the one before, by aliases. */
    static const char bomb[] =
        "---\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
        "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
        "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
        "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nconfigs: [*g,*g,*g,*g,*g,*g,*g,*g]\n---\n";
    static const char *const cards[] = {
        "---\nconfigs: [\n---\n", "---\nconfigs:\n\t- a\n---\n",
        "---\na: &a [x]\nconfigs: *b\n---\n", bomb,
        "---\nconfigs: [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]\n---\n"};
    static const char *const silent[] = {"",
                                         "# no front matter\n",
                                         "---\nconfigs:\n- a: never ends",
                                         "---\nconfigs: all\n---\n",
                                         "---\nconfigs: []\n---\n",
                                         "---\n- configs\n---\n",
                                         "----\nconfigs: [\n----x\n"};
    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        ck_files(cards[i], PATHS, "{\"split\":\"test\"}", "data/en/test.jsonl\n");
        ck_assert_ptr_nonnull(strstr(bare_log(), "README.md: its front matter cannot be read, "));
        bare_reset();
    }
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        ck_files(silent[i], PATHS, "{\"split\":\"test\"}", "data/en/test.jsonl\n");
        ck_assert_str_eq(bare_log(), "");
    }
}
END_TEST

/* ---- paths --------------------------------------------------------------------------------- */

START_TEST(words_in_names)
{
    static const char paths[] = "README.md\ngsm8k_train.jsonl\nTRAIN.jsonl\nsub/my-test.json\n"
                                "sub/eval1.json\nrestrain.json\ntrainset.json\ndev/train.json\n"
                                "train\n";
    ck_files(NULL, paths, "{\"split\":\"train\"}", "gsm8k_train.jsonl\ndev/train.json\n");
    ck_files(NULL, paths, "{\"split\":\"test\"}", "sub/my-test.json\nsub/eval1.json\n");
    ck_none(NULL, paths, "{\"split\":\"validation\"}",
            "split: there is no \"validation\"; the data set has train, test");
}
END_TEST

START_TEST(words_in_folders)
{
    static const char paths[] = "train/a.json\ndev_v2/a.json\nmy-test/deep/a.json\nother/a.json\n"
                                "trainer/a.json\nretrain/a.json\n";
    ck_files(NULL, paths, "{\"split\":\"train\"}", "train/a.json\n");
    ck_files(NULL, paths, "{\"split\":\"validation\"}", "dev_v2/a.json\n");
    ck_files(NULL, paths, "{\"split\":\"test\"}", "my-test/deep/a.json\n");
}
END_TEST

START_TEST(shards)
{
    static const char paths[] = "data/train_sft-00000-of-00002.parquet\n"
                                "data/train_sft-00001-of-00002.parquet\n"
                                "data/test_gen-00000-of-00001-a30.parquet\n"
                                "data/train_x-0-of-1.parquet\ndata/gen-00000-xx-00001.parquet\n"
                                "other/train-00000-of-00001.parquet\n";
    ck_files(NULL, paths, "{\"split\":\"train_sft\"}",
             "data/train_sft-00000-of-00002.parquet\ndata/train_sft-00001-of-00002.parquet\n");
    ck_files(NULL, paths, "{\"split\":\"test_gen\"}", "data/test_gen-00000-of-00001-a30.parquet\n");
    ck_none(NULL, paths, "{\"split\":\"train\"}", "the data set has train_sft, test_gen");
}
END_TEST

START_TEST(all_is_train)
{
    static const char paths[] = "a.json\nmore/b_gen.json\npicture.png\n";
    ck_files(NULL, paths, "{\"split\":\"train\"}", "a.json\nmore/b_gen.json\n");
    ck_files(NULL, paths, "{\"split\":\"gen\"}", "more/b_gen.json\n"); /* a word of its own */
    ck_none(NULL, paths, "{\"split\":\"test\"}", "the data set has train only");
    ck_none(NULL, paths, "{\"split\":\"sft\"}", "the data set has train only");
}
END_TEST

START_TEST(subset_as_folder)
{
    static const char paths[] = "main/train.json\nmain/test.json\ndata/socratic/train.json\n"
                                "socratic.json\n";
    ck_files("# no configs\n", paths, "{\"subset\":\"main\"}", "main/train.json\nmain/test.json\n");
    ck_files(NULL, paths, "{\"subset\":\"socratic\",\"split\":\"train\"}",
             "data/socratic/train.json\n");
    ck_files(NULL, paths, "{\"subset\":\"default\",\"split\":\"test\"}", "main/test.json\n");
    ck_none(NULL, paths, "{\"subset\":\"other\"}",
            "subset: there is no \"other\": the data set's card names no subsets, and its folders "
            "are main, data");
}
END_TEST

/* Every allocation fails once. */
START_TEST(memory_runs_out)
{
    static const char card[] = "---\nconfigs:\n- config_name: en\n  data_dir: data/en\n---\n";
    for (int n = 0;; n++) {
        drh_status st;
        bare_reset();
        bare_allowed = n;
        st = list(card, PATHS, "{\"subset\":\"en\",\"split\":\"test\"}");
        bare_allowed = -1;
        ck_assert(hub_free(&hub));
        if (st == DRH_OK) {
            ck_assert_int_gt(n, 3);
            break;
        }
        ck_assert_int_eq(st, DRH_E_NOMEM);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("card");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, patterns);
    tcase_add_test(t, configs_with_entries);
    tcase_add_test(t, configs_in_other_forms);
    tcase_add_test(t, which_subset);
    tcase_add_test(t, many_splits);
    tcase_add_test(t, broken_cards);
    tcase_add_test(t, words_in_names);
    tcase_add_test(t, words_in_folders);
    tcase_add_test(t, shards);
    tcase_add_test(t, all_is_train);
    tcase_add_test(t, subset_as_folder);
    tcase_add_test(t, memory_runs_out);
    return run_case("card", t);
}
