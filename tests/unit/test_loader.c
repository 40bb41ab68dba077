/* SPDX-License-Identifier: MIT
 * test_loader.c - names, folders, loading, copied tables.  The plugins are tests/zoo/good.so (one
 * stage, "zoo") and the ones of tests/sdk (old_plugin: nine stages; score_length; hello_filter),
 * copied into folders of the test's own.  Broken plugins: tests/zoo/test_zoo.c. */
#include "loader.h"

#include "err.h"
#include "field.h"
#include "mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZOO DRH_BUILD_DIR "/tests/zoo/"
#define SDK DRH_BUILD_DIR "/tests/sdk/"

static char           root[64], one[80], two[80];
static struct loader *loader;
static drh_error      error = ERR_INIT;

static void copy(const char *from, const char *folder, const char *name)
{
    char   path[256], block[4096];
    FILE  *in = fopen(from, "rb"), *out;
    size_t n;

    ck_assert_msg(in != NULL, "no %s", from);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    while ((n = fread(block, 1, sizeof(block), in)) > 0) {
        ck_assert_uint_eq(fwrite(block, 1, n, out), n);
    }
    (void)fclose(in);
    ck_assert_int_eq(fclose(out), 0);
}

static void setup(void)
{
    (void)snprintf(root, sizeof(root), "/tmp/drh_loader_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    (void)snprintf(one, sizeof(one), "%s/one", root);
    (void)snprintf(two, sizeof(two), "%s/two", root);
    ck_assert_int_eq(mkdir(one, 0700), 0);
    ck_assert_int_eq(mkdir(two, 0700), 0);
    ck_assert_int_eq(chdir(root), 0);
    ck_assert_int_eq(setenv("XDG_DATA_HOME", root, 1), 0);
    ck_assert_int_eq(unsetenv("DRHOST_PLUGIN_PATH"), 0);
}

static void teardown(void)
{
    char  command[128];
    FILE *p;

    loader_free(loader);
    field_free_all();
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
    p = popen(command, "r");
    ck_assert_int_eq(pclose(p), 0);
}

static void start(size_t n, const char *a, const char *b)
{
    const char *path[2] = {a, b};

    ck_assert_msg(loader_new(&loader, path, n, &error) == DRH_OK, "%s", error.message);
}

static const struct plugin *load(const char *name)
{
    const struct plugin *p;

    ck_assert_msg(loader_open(loader, name, &p, &error) == DRH_OK, "%s", error.message);
    return p;
}

static void refused(drh_status st, drh_status want, const char *words)
{
    ck_assert_int_eq(st, want);
    ck_assert_msg(strstr(error.message, words) != NULL, "no \"%s\" in: %s", words, error.message);
}

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);

    return n >= k && strcmp(s + n - k, tail) == 0;
}

START_TEST(folders_in_order)
{
    const char *const *f;
    char               user[128];
    size_t             n;

    (void)snprintf(user, sizeof(user), "%s/drhost", root);
    ck_assert_int_eq(mkdir(user, 0700), 0);
    (void)snprintf(user, sizeof(user), "%s/drhost/plugins", root);
    ck_assert_int_eq(mkdir(user, 0700), 0);
    ck_assert_int_eq(setenv("DRHOST_PLUGIN_PATH", two, 1), 0);
    start(1, one, NULL);
    n = loader_folders(loader, &f);
    ck_assert_uint_ge(n, 3);
    ck_assert(ends(f[0], "/one"));
    ck_assert(ends(f[1], "/two"));
    ck_assert(ends(f[2], "/drhost/plugins"));
}
END_TEST

/* Nothing in the variable may mean the current folder. */
START_TEST(path_variable)
{
    const char *const *f;
    char               list[256];
    size_t             i, n;

    (void)snprintf(list, sizeof(list), ":.:one::%s:/nowhere:%s:", two, two);
    ck_assert_int_eq(setenv("DRHOST_PLUGIN_PATH", list, 1), 0);
    start(0, NULL, NULL);
    n = loader_folders(loader, &f);
    ck_assert_uint_ge(n, 1);
    ck_assert(ends(f[0], "/two"));
    for (i = 0; i < n; i++) {
        ck_assert(!ends(f[i], root) && !ends(f[i], "/one"));
        ck_assert(i == 0 || !ends(f[i], "/two"));
    }
}
END_TEST

START_TEST(wrong_plugin_path)
{
    const char *path = "/nowhere/at/all";

    refused(loader_new(&loader, &path, 1, &error), DRH_E_CONFIG, "/nowhere/at/all: find: ");
    ck_assert_ptr_null(loader);
}
END_TEST

START_TEST(bare_names)
{
    const struct plugin *p;

    copy(ZOO "good.so", two, "good.so");
    start(2, one, two);
    p = load("good");
    ck_assert(ends(p->path, "/two/good.so"));
    ck_assert_ptr_eq(p, load("good.so"));
    refused(loader_open(loader, "", &p, &error), DRH_E_MISSING, "empty name");
    ck_assert_ptr_null(p);
    refused(loader_open(loader, "goo", &p, &error), DRH_E_MISSING, one);
}
END_TEST

/* A file in the current folder is never taken by its bare name; the message says how to. */
START_TEST(never_the_current_folder)
{
    const struct plugin *p;
    const struct stage  *s;

    copy(ZOO "good.so", root, "zoo.so");
    start(1, one, NULL);
    refused(loader_open(loader, "zoo.so", &p, &error), DRH_E_MISSING, "write ./zoo.so");
    refused(loader_open(loader, "zoo", &p, &error), DRH_E_MISSING, "write ./zoo.so");
    refused(loader_stage(loader, 0, "zoo", &s, &error), DRH_E_MISSING, "write ./zoo.so");
    p = load("./zoo.so");
    ck_assert(ends(p->path, "/zoo.so"));
    ck_assert(p->path[0] == '/');
    refused(loader_open(loader, "other.so", &p, &error), DRH_E_MISSING, "--plugin-path");
}
END_TEST

START_TEST(first_folder_wins)
{
    const struct found_plugin *f;
    const struct stage        *s;
    size_t                     n;

    copy(ZOO "good.so", one, "b.so");
    copy(ZOO "newer_tail.so", two, "a.so"); /* the same id, "zoo" */
    start(2, one, two);
    ck_assert_int_eq(loader_files(loader, &f, &n, &error), DRH_OK);
    ck_assert_uint_ge(n, 2);
    ck_assert(ends(f[0].path, "/one/b.so") && ends(f[1].path, "/two/a.so"));
    ck_assert_int_eq(loader_stage(loader, DRH_KIND_PREPROCESSOR, "zoo", &s, &error), DRH_OK);
    ck_assert(ends(s->plugin->path, "/one/b.so"));
}
END_TEST

START_TEST(loaded_comes_first)
{
    const struct stage  *s;
    const struct plugin *p;

    copy(ZOO "good.so", one, "good.so");
    start(1, one, NULL);
    p = load(ZOO "newer_tail.so");
    ck_assert_int_eq(loader_stage(loader, 0, "zoo", &s, &error), DRH_OK);
    ck_assert_ptr_eq(s->plugin, p);
}
END_TEST

START_TEST(loading_twice)
{
    const struct plugin *p;
    char                 other[128];

    copy(SDK "old_plugin.so", one, "old.so");
    start(1, one, NULL);
    p = load("old");
    (void)snprintf(other, sizeof(other), "%s/soft.so", two);
    ck_assert_int_eq(symlink("../one/old.so", other), 0);
    ck_assert_ptr_eq(p, load(other));
    (void)snprintf(other, sizeof(other), "%s/hard.so", two);
    ck_assert_int_eq(link("one/old.so", other), 0);
    ck_assert_ptr_eq(p, load(other));
}
END_TEST

/* What the descriptors of 1.0/old_plugin.c say, in the host's own structs. */
START_TEST(tables_are_copied)
{
    const struct plugin *p;
    const struct stage  *s;
    size_t               i;

    start(0, NULL, NULL);
    p = load(SDK "old_plugin.so");
    ck_assert_uint_eq(p->n_stages, 9);
    for (i = 0; i < 9; i++) {
        ck_assert_ptr_eq(p->stages[i].plugin, p);
        ck_assert(p->stages[i].life.create && p->stages[i].life.destroy);
        ck_assert(!p->stages[i].life.open_worker && !p->stages[i].life.cancel);
    }
    ck_assert(!p->stages[0].has_map && p->stages[0].ops.source.list);
    ck_assert(!p->stages[0].ops.source.fetch);
    ck_assert(p->stages[1].ops.reader.tell != NULL);
    ck_assert(p->stages[2].has_map && p->stages[2].map.process && !p->stages[2].map.start);
    ck_assert_uint_eq(p->stages[2].desc.flags, DRH_GIVES_CANONICAL);
    ck_assert(p->stages[3].map.apply && p->stages[3].desc.scope == DRH_SCOPE_DATASET);
    ck_assert(p->stages[4].map.start && p->stages[4].map.resume && !p->stages[4].map.process);
    ck_assert_str_eq(p->stages[4].desc.needs[0], "drh.infer/1");
    s = &p->stages[5];
    ck_assert(s->has_map && s->map.resume && s->ops.selector.ranking);
    ck_assert(p->stages[6].has_map && p->stages[6].map.process);
    s = &p->stages[7];
    ck_assert(!s->has_map && s->ops.converter.write);
    ck_assert_str_eq(s->ops.converter.suffixes[1], ".idx");
    ck_assert_str_eq(p->stages[8].ops.service.ids[1], "com.example.old/1");
    ck_assert_uint_eq(p->stages[8].desc.threading, DRH_PINNED);
}
END_TEST

START_TEST(stages_by_kind)
{
    const struct stage *s;

    copy(SDK "old_plugin.so", one, "old.so");
    start(1, one, NULL);
    ck_assert_int_eq(loader_stage(loader, DRH_KIND_SELECTOR, "old-select", &s, &error), DRH_OK);
    ck_assert_str_eq(s->desc.id, "old-select");
    refused(loader_stage(loader, DRH_KIND_READER, "old-select", &s, &error), DRH_E_MISSING,
            "no such reader");
    ck_assert_ptr_null(s);
    refused(loader_stage(loader, 0, "old-selekt", &s, &error), DRH_E_MISSING,
            "did you mean \"old-select\"?");
    refused(loader_stage(loader, 0, "quite-different", &s, &error), DRH_E_MISSING, "plugin list");
}
END_TEST

/* Looking for one stage loads the file that has it and no other. */
START_TEST(loads_only_what_is_asked_for)
{
    const struct stage *s;
    char                maps[512];
    bool                good = false, other = false;
    FILE               *f;

    copy(SDK "score_length.so", one, "score_length.so");
    copy(SDK "hello_filter.so", one, "hello_filter.so");
    start(1, one, NULL);
    ck_assert_int_eq(loader_stage(loader, 0, "score_length", &s, &error), DRH_OK);
    f = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(maps, sizeof(maps), f)) {
        good |= strstr(maps, "/one/score_length.so") != NULL;
        other |= strstr(maps, "/one/hello_filter.so") != NULL;
    }
    (void)fclose(f);
    ck_assert(good && !other);
}
END_TEST

START_TEST(foreign_files_are_skipped)
{
    const struct found_plugin *f;
    const struct stage        *s;
    char                       path[128];
    size_t                     i, n, skipped = 0;
    FILE                      *text;

    copy(ZOO "good.so", one, "z.so");
    copy(ZOO "wrong_major.so", one, "a.so");
    copy(ZOO "good.so", one, "notes.txt");
    copy(ZOO "good.so", one, ".hidden.so");
    (void)snprintf(path, sizeof(path), "%s/text.so", one);
    text = fopen(path, "w");
    (void)fputs("no plugin", text);
    (void)fclose(text);
    (void)snprintf(path, sizeof(path), "%s/pipe.so", one);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    start(1, one, NULL);
    ck_assert_int_eq(loader_files(loader, &f, &n, &error), DRH_OK);
    ck_assert_uint_ge(n, 4);
    for (i = 0; i < 4; i++) {
        ck_assert(f[i].why ? f[i].n_stages == 0 : f[i].n_stages == 1);
        skipped += f[i].why != NULL;
    }
    ck_assert_uint_eq(skipped, 3);
    ck_assert(ends(f[0].path, "/a.so") && strstr(f[0].why, "plugin ABI 2"));
    ck_assert(ends(f[1].path, "/pipe.so") && strstr(f[1].why, "a pipe"));
    ck_assert_int_eq(loader_stage(loader, 0, "zoo", &s, &error), DRH_OK);
}
END_TEST

struct seen {
    char   text[1024];
    size_t n;
};

static drh_status see(void *ctx, const char *path, const struct note_stage *s)
{
    struct seen *seen = ctx;

    seen->n += (size_t)snprintf(seen->text + seen->n, sizeof(seen->text) - seen->n, "%s:%s ",
                                strrchr(path, '/') + 1, s->id);
    return strcmp(s->id, "stop") == 0 ? DRH_END : DRH_OK;
}

START_TEST(notes_once_each)
{
    struct seen seen = {"", 0};

    copy(ZOO "good.so", one, "good.so");
    copy(SDK "hello_filter.so", one, "hello.so");
    copy(ZOO "good.so", two, "again.so");
    start(2, one, two);
    ck_assert_int_eq(loader_each_note(loader, see, &seen, &error), DRH_OK);
    ck_assert_int_eq(strncmp(seen.text, "good.so:zoo hello.so:hello_filter ", 34), 0);
    ck_assert_ptr_null(strstr(seen.text, "again.so"));
    /* Loaded ones come first, and hide what the folders have under the same name. */
    (void)load(SDK "score_length.so");
    (void)load(ZOO "newer_tail.so");
    memset(&seen, 0, sizeof(seen));
    ck_assert_int_eq(loader_each_note(loader, see, &seen, &error), DRH_OK);
    ck_assert_int_eq(strncmp(seen.text, "score_length.so:score_length newer_tail.so:zoo ", 46), 0);
    ck_assert_ptr_null(strstr(seen.text, "good.so"));
}
END_TEST

/* Every allocation fails once: an error, no crash, no leak, and the next try works. */
START_TEST(out_of_memory)
{
    const struct stage *s = NULL;
    const char         *path = one;
    char                fault[32];
    drh_status          st;

    copy(SDK "old_plugin.so", one, "old.so");
    copy(ZOO "good.so", one, "zoo.so");
    (void)snprintf(fault, sizeof(fault), "alloc:%d", _i + 1);
    ck_assert_int_eq(setenv("DRHOST_FAULT", fault, 1), 0);
    mem_fault_from_env();
    st = loader_new(&loader, &path, 1, &error);
    if (st == DRH_OK) {
        st = loader_stage(loader, 0, "old-select", &s, &error);
    }
    ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "%d %s", st, error.message);
    ck_assert(st == DRH_OK || strstr(error.message, "memory") ||
              strstr(error.message, "init: no field; ")); /* old_plugin's own words */
    if (st != DRH_OK && !loader) {
        ck_assert_int_eq(loader_new(&loader, &path, 1, &error), DRH_OK);
    }
    ck_assert_msg(loader_stage(loader, 0, "old-select", &s, &error) == DRH_OK, "%s", error.message);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("loader");
    TCase   *t = tcase_create("loader");
    SRunner *r = srunner_create(s);
    int      failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, folders_in_order);
    tcase_add_test(t, path_variable);
    tcase_add_test(t, wrong_plugin_path);
    tcase_add_test(t, bare_names);
    tcase_add_test(t, never_the_current_folder);
    tcase_add_test(t, first_folder_wins);
    tcase_add_test(t, loaded_comes_first);
    tcase_add_test(t, loading_twice);
    tcase_add_test(t, tables_are_copied);
    tcase_add_test(t, stages_by_kind);
    tcase_add_test(t, loads_only_what_is_asked_for);
    tcase_add_test(t, foreign_files_are_skipped);
    tcase_add_test(t, notes_once_each);
    tcase_add_loop_test(t, out_of_memory, 0, 40);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
