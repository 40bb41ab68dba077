/* SPDX-License-Identifier: MIT
 * test_cli.c - the command line: every way to write an option, what goes with what, help. */
#include "cli.h"

#include "err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int run(const struct cli_options *o)
{
    return o->args.n > 100;
}

static int raw(int argc, char **argv)
{
    return argc + (argv != NULL);
}

static const struct command commands[] = {
    {"run", "RECIPE", "run a recipe", CMD_RUN, 1, 1, run, NULL},
    {"step", "", "single steps", CMD_STEP, 0, 1000, run, NULL},
    {"check", "RECIPE", "check a recipe", CMD_CHECK, 1, 1, run, NULL},
    {"why", "ID [RECIPE]", "say why", CMD_WHY, 1, 2, run, NULL},
    {"plugin", "list|show", "plugins", CMD_PLUGIN, 0, 1000, NULL, raw},
    {"help", "[COMMAND]", "help", CMD_HELP, 0, 1, run, NULL},
    {NULL, NULL, NULL, 0, 0, 0, NULL, NULL},
};

enum { MAX_WORDS = 32 };

/* Parses words separated by '|'. */
static drh_status parse(struct cli_options *o, const char *line, int *rest, drh_error *e)
{
    static char  text[512];
    static char *argv[MAX_WORDS];
    int          argc = 0;
    char        *p = text;

    (void)snprintf(text, sizeof(text), "drhost|%s", line);
    while (p) {
        argv[argc++] = p;
        p = strchr(p, '|');
        if (p) {
            *p++ = 0;
        }
    }
    return cli_parse(o, commands, line[0] ? argc : 1, argv, rest, e);
}

static const struct {
    const char *line, *want; /* want NULL: fine */
} lines[] = {
    {"run|r.json", NULL},
    {"run|r.json|-j4", NULL},
    {"run|-j|4|r.json", NULL},
    {"run|--jobs=4|r.json", NULL},
    {"-j4|run|r.json", NULL},
    {"run|-qv|r.json|--dry-run|--fresh|--resume=strict|--limit|0", NULL},
    {"--plugin|ifd.so|in.json|-o|out.jsonl", NULL},
    {"-p|a|-p|b:c|-", NULL},
    {"--plugin=ifd.so|run", NULL},
    {"--plugin=ifd.so|--|-x", NULL},
    {"why|ID", NULL},
    {"--help", NULL},
    {"run|--help", NULL},
    {"--version", NULL},
    {"", "say what to do: a command, or --plugin FILE"},
    {"-j4", "say what to do"},
    {"run", "write: drhost run RECIPE"},
    {"run|a|b", "drhost run: one argument too many: \"b\""},
    {"rnu|a", "unknown command \"rnu\"; did you mean run?"},
    {"zzzz", "unknown command \"zzzz\"; see drhost --help"},
    {"recipe.json", "no command given; write: drhost run recipe.json"},
    {"run|r|--job=4", "unknown option --job; did you mean --jobs?"},
    {"run|r|--zzz", "unknown option --zzz; see drhost --help"},
    {"run|r|-z", "unknown option -z"},
    {"run|r|-qz", "unknown option -z"},
    {"run|r|--jobs", "--jobs: needs N after it"},
    {"run|r|-j", "--jobs: needs N after it"},
    {"run|r|-j0", "--jobs: must be a whole number from 1 to 1024, is \"0\""},
    {"run|r|-j5000", "--jobs: must be a whole number from 1 to 1024"},
    {"run|r|-j4x", "--jobs: must be a whole number"},
    {"run|r|-j-4", "--jobs: must be a whole number"},
    {"run|r|--limit=99999999999999999999", "--limit: must be a whole number"},
    {"run|r|--dry-run=yes", "--dry-run: takes no value"},
    {"run|r|--resume=maybe", "--resume: must be strict or auto, is \"maybe\""},
    {"run|r|--model=", "--model: must not be empty"},
    {"run|r|-o|x", "drhost run takes no --output; see drhost run --help"},
    {"check|r|-j4", "drhost check takes no --jobs"},
    {"run|r|--plugin=x", NULL},
    {"why|r|--plugin=x", "drhost why takes no --plugin"},
    {"--plugin=x|--fresh", "--fresh does not go with --plugin"},
    {"run|r|--set", "--set: needs [ID.]KEY=VALUE after it"},
};

START_TEST(words)
{
    struct cli_options o;
    drh_error          e = ERR_INIT;
    int                rest = 0;
    drh_status         st = parse(&o, lines[_i].line, &rest, &e);

    if (lines[_i].want) {
        ck_assert_int_eq(st, DRH_E_CONFIG);
        ck_assert_msg(strstr(e.message, lines[_i].want) != NULL, "%s", e.message);
    } else {
        ck_assert_msg(st == DRH_OK, "%s", e.message);
    }
    cli_free(&o);
}
END_TEST

START_TEST(values)
{
    struct cli_options o;
    drh_error          e = ERR_INIT;
    int                rest = 0;

    ck_assert_int_eq(parse(&o,
                           "run|-s|a=1|r.json|--set=b=2|-j8|-n|5|--seed|9|-md|--backend=x|-vP|p1|"
                           "--plugin-path|p2",
                           &rest, &e),
                     DRH_OK);
    ck_assert_str_eq(o.command->name, "run");
    ck_assert_uint_eq(o.args.n, 1);
    ck_assert_str_eq(o.args.text[0], "r.json");
    ck_assert_uint_eq(o.set.n, 2);
    ck_assert_str_eq(o.set.text[0], "a=1");
    ck_assert_str_eq(o.set.text[1], "b=2");
    ck_assert_int_eq(o.jobs, 8);
    ck_assert_int_eq(o.limit, 5);
    ck_assert_str_eq(o.seed, "9");
    ck_assert_str_eq(o.model, "d");
    ck_assert_str_eq(o.backend, "x");
    ck_assert(o.verbose && !o.quiet && !o.json && !o.resume_strict);
    ck_assert_uint_eq(o.plugin_path.n, 2);
    ck_assert_str_eq(o.plugin_path.text[0], "p1");
    cli_free(&o);

    ck_assert_int_eq(parse(&o, "run|r", &rest, &e), DRH_OK);
    ck_assert_int_eq(o.jobs, 0);
    ck_assert_int_eq(o.limit, -1);
    ck_assert_ptr_null(o.model);
    cli_free(&o);
}
END_TEST

START_TEST(single_steps)
{
    struct cli_options o;
    drh_error          e = ERR_INIT;
    int                rest = 0;

    ck_assert_int_eq(parse(&o, "-p|ifd.so|check|-|--|-o", &rest, &e), DRH_OK);
    ck_assert_uint_eq(o.command->bit, CMD_STEP);
    ck_assert_uint_eq(o.args.n, 3);
    ck_assert_str_eq(o.args.text[0], "check");
    ck_assert_str_eq(o.args.text[1], "-");
    ck_assert_str_eq(o.args.text[2], "-o");
    ck_assert_ptr_null(o.output);
    cli_free(&o);
    /* "step" is no word to call it by */
    ck_assert_int_eq(parse(&o, "step|x", &rest, &e), DRH_E_CONFIG);
    cli_free(&o);
}
END_TEST

START_TEST(raw_commands)
{
    struct cli_options o;
    drh_error          e = ERR_INIT;
    int                rest = 0;

    ck_assert_int_eq(parse(&o, "-q|plugin|show|--not-ours", &rest, &e), DRH_OK);
    ck_assert_str_eq(o.command->name, "plugin");
    ck_assert_int_eq(rest, 2);
    cli_free(&o);
}
END_TEST

START_TEST(on_a_recipe)
{
    static const char text[] =
        "{\"recipe\":1,\"sources\":[{\"use\":\"local\"}],\"select\":[{\"use\":\"ifd\"}]}";
    struct cli_options o;
    drh_error          e = ERR_INIT;
    struct recipe     *r = NULL;
    int                rest = 0;

    ck_assert_int_eq(recipe_parse(text, sizeof(text) - 1, "r.json", &r, &e), DRH_OK);
    ck_assert_int_eq(parse(&o,
                           "run|r|--seed=5|--max-bad=7|--data=/d|--model=m|--backend=b|"
                           "--precision=bf16|-s|ifd.top=0.5|-s|ifd.top=0.25|-s|seed=6",
                           &rest, &e),
                     DRH_OK);
    ck_assert_msg(cli_apply(&o, r, &e) == DRH_OK, "%s", e.message);
    ck_assert_uint_eq(r->seed, 6);
    ck_assert_double_eq(r->max_bad, 7.0);
    ck_assert_str_eq(r->data, "/d");
    ck_assert_double_eq(recipe_step(r, "ifd")->top, 0.25);
    ck_assert_uint_eq(r->n_services, 1);
    ck_assert_str_eq(r->services[0].name, "infer");
    ck_assert_str_eq(r->services[0].use, "b");
    ck_assert_int_eq(cJSON_GetArraySize(r->services[0].options), 2);
    cli_free(&o);
    ck_assert_int_eq(parse(&o, "run|r|--seed=x", &rest, &e), DRH_OK);
    ck_assert_int_eq(cli_apply(&o, r, &e), DRH_E_CONFIG);
    cli_free(&o);
    recipe_free(r);
}
END_TEST

static void ck_width(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        ck_assert_msg(n <= 80, "%.*s", (int)n, text);
        ck_assert_msg(n == 0 || text[n - 1] != ' ', "%.*s", (int)n, text);
        text += n + (text[n] != 0);
    }
}

START_TEST(help)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    ck_assert_int_eq(cli_help(commands, NULL, &b), DRH_OK);
    ck_assert_ptr_nonnull(strstr(b.ptr, "\n  run RECIPE"));
    ck_assert_ptr_nonnull(strstr(b.ptr, "\n  -j, --jobs N  "));
    ck_assert_ptr_nonnull(strstr(b.ptr, "\n      --fresh  "));
    ck_assert_ptr_null(strstr(b.ptr, "\n  step"));
    ck_width(b.ptr);
    buf_reset(&b);
    ck_assert_int_eq(cli_help(commands, cli_command(commands, "check"), &b), DRH_OK);
    ck_assert_ptr_nonnull(strstr(b.ptr, "usage: drhost check RECIPE [OPTION...]"));
    ck_assert_ptr_nonnull(strstr(b.ptr, "--set"));
    ck_assert_ptr_null(strstr(b.ptr, "--jobs"));
    ck_width(b.ptr);
    buf_free(&b);
}
END_TEST

START_TEST(codes)
{
    ck_assert_int_eq(cli_code(DRH_OK), 0);
    ck_assert_int_eq(cli_code(DRH_E_CONFIG), 2);
    ck_assert_int_eq(cli_code(DRH_E_CANCELLED), 4);
    ck_assert_int_eq(cli_code(DRH_E_NETWORK), 75);
    ck_assert_int_eq(cli_code(DRH_E_TIMEOUT), 75);
    ck_assert_int_eq(cli_code(DRH_E_IO), 1);
    ck_assert_int_eq(cli_code(DRH_E_NOMEM), 1);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("cli");
    TCase   *t = tcase_create("cli");
    SRunner *r;
    int      failed;

    tcase_add_loop_test(t, words, 0, sizeof(lines) / sizeof(lines[0]));
    tcase_add_test(t, values);
    tcase_add_test(t, single_steps);
    tcase_add_test(t, raw_commands);
    tcase_add_test(t, on_a_recipe);
    tcase_add_test(t, help);
    tcase_add_test(t, codes);
    tcase_set_timeout(t, 30);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
