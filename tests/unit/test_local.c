/* SPDX-License-Identifier: MIT
 * test_local.c - the `local` source: which files a path names, what they are called, in which
 * order. Its code is linked in and talks to a small host made here; options come from the core. */
#include "err.h"
#include "mem.h"
#include "record.h"
#include "run.h"
#include "schema.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char     dir[64];
static int      blocks;  /* allocations of the plugin that are open */
static int      allowed; /* allocations until they fail; -1: all succeed */
static int32_t  is_cancelled;
static char     listed[4096]; /* "name=path\n" with `dir` taken off the path */
static uint64_t bytes;

static void *host_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size && allowed == 0) {
        return NULL;
    }
    allowed -= size && allowed > 0;
    blocks += (size && !old) - (!size && old);
    return mem_resize(old, size);
}

static int32_t host_cancelled(const drh_host *h)
{
    (void)h;
    return is_cancelled;
}

static drh_status host_list(drh_list *l, const drh_file *file)
{
    size_t n = strlen(listed);

    (void)l;
    ck_assert_uint_ge(file->struct_size, sizeof(*file));
    ck_assert_int_eq(strncmp(file->local.ptr, dir, strlen(dir)), 0);
    snprintf(listed + n, sizeof(listed) - n, "%s=%s\n", file->name.ptr,
             file->local.ptr + strlen(dir) + 1);
    bytes += file->size;
    return DRH_OK;
}

static const drh_host host = {.struct_size = sizeof(host),
                              .alloc = host_alloc,
                              .cancelled = host_cancelled,
                              .values = &value_api,
                              .config = &config_api,
                              .list_file = host_list};

static void touch(const char *name)
{
    char  p[256];
    char *slash;
    int   fd;

    snprintf(p, sizeof(p), "%s/%s", dir, name);
    for (slash = p + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(p, 0777);
        *slash = '/';
    }
    fd = open(p, O_CREAT | O_WRONLY, 0666);
    ck_assert_int_eq(write(fd, "12345", 5), 5);
    close(fd);
}

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/drh_local_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    blocks = 0;
    allowed = -1;
    is_cancelled = 0;
}

static void remove_tree(const char *top)
{
    DIR           *d = opendir(top);
    struct dirent *x;

    while (d && (x = readdir(d))) {
        char p[512];

        if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0) {
            snprintf(p, sizeof(p), "%s/%s", top, x->d_name);
            if (unlink(p) != 0) {
                remove_tree(p);
            }
        }
    }
    if (d) {
        closedir(d);
    }
    rmdir(top);
}

static void teardown(void)
{
    remove_tree(dir);
}

/* @ stands for the folder. */
static void expand(const char *from, char *to, size_t cap)
{
    size_t n = 0;

    for (; *from; from++) {
        n += (size_t)snprintf(to + n, cap - n, "%s", *from == '@' ? dir : (char[]){*from, 0});
    }
}

/* Lists with these options.  The error is left in `e`. */
static drh_status run(const char *options, drh_error *e)
{
    const drh_stage   *stage = drh_entry_v1.stages[0];
    char               text[1024];
    cJSON             *schema = NULL, *value;
    struct drh_config *c;
    void              *self;
    drh_status         st;

    listed[0] = '\0';
    bytes = 0;
    expand(options, text, sizeof(text));
    value = cJSON_Parse(text);
    ck_assert_ptr_nonnull(value);
    ck_assert_msg(schema_parse(stage->config_schema, &schema, e) == DRH_OK, "%s", e->message);
    st = schema_apply(schema, value, "", NULL, NULL, e);
    if (st == DRH_OK) {
        ck_assert_int_eq(config_new(value, &c, e), DRH_OK);
        st = stage->life->create(&host, c, &self, e);
        if (st == DRH_OK) {
            st = stage->ops.source->list(self, NULL, e);
            stage->life->destroy(self);
        }
        config_free(c);
    }
    cJSON_Delete(schema);
    cJSON_Delete(value);
    ck_assert_int_eq(blocks, 0);
    return st;
}

static void ck_listed(const char *options, const char *want)
{
    drh_error e = ERR_INIT;

    ck_assert_msg(run(options, &e) == DRH_OK, "%s", e.message);
    ck_assert_str_eq(listed, want);
}

static void ck_refused(const char *options, drh_status st, const char *part)
{
    drh_error e = ERR_INIT;

    ck_assert_int_eq(run(options, &e), st);
    ck_assert_msg(strstr(e.message, part) != NULL, "\"%s\" is not in: %s", part, e.message);
}

START_TEST(one_file)
{
    touch("b.json");
    ck_listed("{\"path\":\"@/b.json\"}", "b.json=b.json\n");
    ck_assert_uint_eq(bytes, 5);
    ck_listed("{\"path\":[\"@/b.json\"]}", "b.json=b.json\n");
}
END_TEST

START_TEST(folder)
{
    touch("d/b.json");
    touch("d/a/z.json");
    touch("d/a-b.json");
    touch("d/B.json");
    touch("d/.hidden");
    touch("d/.git/x");
    ck_listed("{\"path\":\"@/d\"}",
              "B.json=d/B.json\na-b.json=d/a-b.json\na/z.json=d/a/z.json\nb.json=d/b.json\n");
    ck_listed("{\"path\":\"@/d/\"}",
              "B.json=d/B.json\na-b.json=d/a-b.json\na/z.json=d/a/z.json\nb.json=d/b.json\n");
}
END_TEST

START_TEST(include_exclude)
{
    touch("d/a.json");
    touch("d/a.txt");
    touch("d/old/a.json");
    touch("d/old/x/b.json");
    ck_listed("{\"path\":\"@/d\",\"include\":[\"*.json\"]}",
              "a.json=d/a.json\nold/a.json=d/old/a.json\nold/x/b.json=d/old/x/b.json\n");
    ck_listed("{\"path\":\"@/d\",\"include\":[\"*.json\"],\"exclude\":[\"old/*\"]}",
              "a.json=d/a.json\n");
    ck_listed("{\"path\":\"@/d\",\"exclude\":[\"a.*\"]}", "old/x/b.json=d/old/x/b.json\n");
    ck_listed("{\"path\":\"@/d/a.txt\",\"include\":[\"*.json\"]}", "a.txt=d/a.txt\n");
    ck_refused("{\"path\":\"@/d\",\"include\":[\"*.csv\"]}", DRH_E_MISSING, "include");
}
END_TEST

START_TEST(patterns)
{
    touch("m1/x_10.json");
    touch("m1/x_9.json");
    touch("m2/x_1.json");
    touch("m2/y.json");
    touch("m2/deep/z");
    touch("odd[1].json");
    ck_listed("{\"path\":\"@/m1/*.json\"}", "x_10.json=m1/x_10.json\nx_9.json=m1/x_9.json\n");
    ck_listed("{\"path\":\"@/m?/x_*.json\"}",
              "m1/x_10.json=m1/x_10.json\nm1/x_9.json=m1/x_9.json\nm2/x_1.json=m2/x_1.json\n");
    ck_listed("{\"path\":\"@/m[2]\"}",
              "m2/deep/z=m2/deep/z\nm2/x_1.json=m2/x_1.json\nm2/y.json=m2/y.json\n");
    ck_listed("{\"path\":\"@/odd[1].json\"}", "odd[1].json=odd[1].json\n");
}
END_TEST

START_TEST(links)
{
    char at[128], to[128];

    touch("d/a.json");
    touch("e/b.json");
    snprintf(at, sizeof(at), "%s/d/link.json", dir);
    snprintf(to, sizeof(to), "%s/e/b.json", dir);
    ck_assert_int_eq(symlink(to, at), 0);
    snprintf(at, sizeof(at), "%s/d/round", dir);
    ck_assert_int_eq(symlink(dir, at), 0);
    snprintf(at, sizeof(at), "%s/d/gone.json", dir);
    ck_assert_int_eq(symlink("nowhere", at), 0);
    snprintf(at, sizeof(at), "%s/d/pipe", dir);
    ck_assert_int_eq(mkfifo(at, 0666), 0);
    ck_listed("{\"path\":\"@/d\"}", "a.json=d/a.json\nlink.json=d/link.json\n");
    snprintf(at, sizeof(at), "%s/f", dir);
    ck_assert_int_eq(symlink("e", at), 0);
    ck_listed("{\"path\":\"@/f\"}", "b.json=f/b.json\n");
    ck_refused("{\"path\":\"@/d/pipe\"}", DRH_E_CONFIG, "neither");
}
END_TEST

START_TEST(equal_names)
{
    char want[512];

    touch("a/train.json");
    touch("b/train.json");
    touch("c.json");
    ck_listed("{\"path\":[\"@/a\",\"@/a/train.json\"]}", "train.json=a/train.json\n");
    snprintf(want, sizeof(want), "%s/a/train.json=a/train.json\n%s/b/train.json=b/train.json\n",
             dir + 1, dir + 1);
    ck_listed("{\"path\":[\"@/b/train.json\",\"@/a\"]}", want);
}
END_TEST

START_TEST(nothing_there)
{
    touch("d/a.json");
    ck_refused("{\"path\":\"@/none.json\"}", DRH_E_MISSING, "none.json");
    ck_refused("{\"path\":\"@/none.json\"}", DRH_E_MISSING, "the recipe's folder");
    ck_refused("{\"path\":\"@/*.csv\"}", DRH_E_MISSING, "*.csv");
    ck_refused("{\"path\":[\"@/d\",\"@/none\"]}", DRH_E_MISSING, "none");
    ck_refused("{\"path\":\"@/d/a.json/x\"}", DRH_E_MISSING, "a.json/x");
    ck_refused("{}", DRH_E_CONFIG, "path");
    ck_refused("{\"path\":\"@\",\"includ\":[]}", DRH_E_CONFIG, "include");
    is_cancelled = 1;
    ck_refused("{\"path\":\"@/d\"}", DRH_E_CANCELLED, "stopped");
}
END_TEST

/* Each allocation fails once; nothing leaks, nothing breaks. */
START_TEST(out_of_memory)
{
    drh_status st;
    int        i;

    touch("a/x.json");
    touch("a/b/x.json");
    touch("b/x.json");
    for (i = 0, st = DRH_E_NOMEM; st == DRH_E_NOMEM; i++) {
        drh_error e = ERR_INIT;

        ck_assert_int_lt(i, 500);
        allowed = i;
        st = run("{\"path\":[\"@/a\",\"@/*/x.json\"],\"include\":[\"*.json\"]}", &e);
    }
    ck_assert_int_eq(st, DRH_OK);
    ck_assert_int_gt(i, 20);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("local");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, one_file);
    tcase_add_test(t, folder);
    tcase_add_test(t, include_exclude);
    tcase_add_test(t, patterns);
    tcase_add_test(t, links);
    tcase_add_test(t, equal_names);
    tcase_add_test(t, nothing_there);
    tcase_add_test(t, out_of_memory);
    return run_case("local", t);
}
