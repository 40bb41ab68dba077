/* SPDX-License-Identifier: MIT
 *
 * test_http_place.c - plugins/http/place.c: nothing is written outside of a folder, whatever lies
 * in the way and whatever names say.
 */
#include "bare_host.h"
#include "place.h"
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char      top[BARE_PATH]; /* holds root, and what lies outside of it */
static char      root_path[BARE_PATH + 8];
static int       root, parts;
static drh_error e;

static void setup(void)
{
    bare_reset();
    bare_folder(top);
    snprintf(root_path, sizeof(root_path), "%s/root", top);
    bare_write(top, "root/.parts/one.part", "part");
    bare_write(top, "outside/secret", "untouched");
    root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    parts = openat(root, ".parts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(parts, 0);
    e = (drh_error)DRH_ERROR_INIT;
}

static int n_entries(const char *path)
{
    DIR *d = opendir(path);
    int  n = 0;

    ck_assert_ptr_nonnull(d);
    while (readdir(d)) {
        n++;
    }
    closedir(d);
    return n - 2;
}

static void teardown(void)
{
    char path[BARE_PATH + 16];

    ck_assert_str_eq(bare_read(top, "outside/secret"), "untouched");
    snprintf(path, sizeof(path), "%s/outside", top);
    ck_assert_int_eq(n_entries(path), 1);
    ck_assert_int_eq(n_entries(top), 2);
    close(parts);
    close(root);
    bare_remove(top);
}

static void link_to(const char *to, const char *name)
{
    ck_assert_int_eq(symlinkat(to, root, name), 0);
}

static drh_status put(const char *name, const char *text)
{
    return place_put(root, name, drh_str_of(text), &e);
}

static drh_status commit(const char *name)
{
    bare_write(root_path, ".parts/one.part", "part");
    return place_commit(root, name, parts, "one.part", &e);
}

static drh_status open_for_reading(const char *name)
{
    int        fd = 77;
    drh_status st = place_open(root, name, &fd, &e);

    if (st == DRH_OK && fd < 0) {
        return DRH_E_MISSING;
    }
    ck_assert((st == DRH_OK) == (fd >= 0));
    if (fd >= 0) {
        close(fd);
    }
    return st;
}

static void ck_said(const char *part)
{
    ck_assert_msg(strstr(e.message, part) != NULL, "\"%s\" is not in: %s", part, e.message);
}

/* ---- what is as it should be ---- */

START_TEST(a_file_gets_its_name)
{
    struct stat sb;

    ck_assert_int_eq(commit("a/b/c.txt"), DRH_OK);
    ck_assert_str_eq(bare_read(root_path, "a/b/c.txt"), "part");
    ck_assert_int_ne(fstatat(parts, "one.part", &sb, 0), 0);
    bare_write(root_path, "d.txt", "old");
    ck_assert_int_eq(commit("d.txt"), DRH_OK); /* an ordinary file is replaced */
    ck_assert_str_eq(bare_read(root_path, "d.txt"), "part");
    ck_assert_int_eq(place_commit(root, "x", parts, "gone.part", &e), DRH_E_IO);
}
END_TEST

START_TEST(a_small_file)
{
    ck_assert_int_eq(put("n/o/te.txt", "one"), DRH_OK);
    ck_assert_str_eq(bare_read(root_path, "n/o/te.txt"), "one");
    ck_assert_int_eq(put("n/o/te.txt", ""), DRH_OK);
    ck_assert_str_eq(bare_read(root_path, "n/o/te.txt"), "");
}
END_TEST

START_TEST(reading)
{
    bare_write(root_path, "a/b", "x");
    ck_assert_int_eq(open_for_reading("a/b"), DRH_OK);
    ck_assert_int_eq(open_for_reading("a/c"), DRH_E_MISSING);
    ck_assert_int_eq(open_for_reading("c/b"), DRH_E_MISSING);
    ck_assert_int_eq(open_for_reading("c"), DRH_E_MISSING);
}
END_TEST

START_TEST(folders)
{
    const char *last;
    int         fd;

    ck_assert_int_eq(place_folder(root, "x/y/z", false, &fd, &last, &e), DRH_E_MISSING);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(place_folder(root, "x/y/z", true, &fd, &last, &e), DRH_OK);
    ck_assert_str_eq(last, "z");
    close(fd);
    ck_assert_int_eq(place_folder(root, "x/y/z", false, &fd, &last, &e), DRH_OK);
    close(fd);
    ck_assert_int_eq(place_folder(root, "z", false, &fd, &last, &e), DRH_OK);
    ck_assert_str_eq(last, "z");
    ck_assert_int_ne(fd, root);
    close(fd);
    ck_assert_int_eq(faccessat(root, "z", F_OK, 0), -1); /* the last part is the caller's */
}
END_TEST

/* ---- what is in the way ---- */

START_TEST(a_link_where_a_folder_should_be)
{
    link_to("../outside", "dir");
    link_to(".", "self");
    link_to("nowhere", "dangling");
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"dir/secret", "self/x", "dangling/x"};
        ck_assert_int_eq(commit(names[i]), DRH_E_IO);
        ck_said("symbolic link");
        ck_assert_int_eq(put(names[i], "evil"), DRH_E_IO);
        ck_said("symbolic link");
        ck_assert_int_eq(open_for_reading(names[i]), DRH_E_IO);
        ck_said("symbolic link");
    }
    ck_assert_int_eq(faccessat(root, "nowhere", F_OK, 0), -1);
}
END_TEST

START_TEST(a_link_deep_down)
{
    ck_assert_int_eq(mkdirat(root, "a", 0777), 0);
    link_to("../../outside", "a/b");
    ck_assert_int_eq(commit("a/b/c/d"), DRH_E_IO);
    ck_said("\"b\" on its way is a symbolic link");
    ck_assert_int_eq(put("a/b/new", "evil"), DRH_E_IO);
}
END_TEST

START_TEST(a_link_with_the_name_of_a_file)
{
    struct stat sb;

    link_to("../outside/secret", "file");
    link_to("../outside/new", "dangling");
    ck_assert_int_eq(commit("file"), DRH_E_IO);
    ck_said("symbolic link");
    ck_assert_int_eq(commit("dangling"), DRH_E_IO);
    ck_assert_int_eq(open_for_reading("file"), DRH_E_IO);
    ck_said("symbolic link");
    ck_assert_int_eq(open_for_reading("dangling"), DRH_E_IO);
    if (put("file", "note") == DRH_OK) { /* the link may be replaced, not followed */
        ck_assert_int_eq(fstatat(root, "file", &sb, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert(S_ISREG(sb.st_mode));
    }
}
END_TEST

START_TEST(a_folder_with_the_name_of_a_file)
{
    ck_assert_int_eq(mkdirat(root, "name", 0777), 0);
    ck_assert_int_eq(commit("name"), DRH_E_IO);
    ck_said("a folder");
    ck_assert_int_eq(put("name", "x"), DRH_E_IO);
    ck_assert_int_eq(n_entries(root_path), 2); /* no temporary file stays behind */
    ck_assert_int_eq(open_for_reading("name"), DRH_E_IO);
    ck_said("a folder");
}
END_TEST

START_TEST(a_file_with_the_name_of_a_folder)
{
    bare_write(root_path, "name", "x");
    ck_assert_int_eq(commit("name/x"), DRH_E_IO);
    ck_said("\"name\" on its way is a file");
    ck_assert_int_eq(put("name/x", "x"), DRH_E_IO);
    ck_assert_int_eq(open_for_reading("name/x"), DRH_E_IO);
    ck_assert_str_eq(bare_read(root_path, "name"), "x");
}
END_TEST

/* Nobody waits for its other end. */
START_TEST(a_pipe)
{
    ck_assert_int_eq(mkfifoat(root, "pipe", 0666), 0);
    ck_assert_int_eq(open_for_reading("pipe"), DRH_E_IO);
    ck_said("no ordinary file");
    ck_assert_int_eq(commit("pipe"), DRH_E_IO);
    ck_assert_int_eq(commit("pipe/x"), DRH_E_IO);
}
END_TEST

/* ---- names ---- */

static const char *const climbing[] = {"../x",  "a/../../x", "..",           "a/..",  "./x",
                                       "a/./x", ".",         "/x",           "a//x",  "a/",
                                       "",      "/",         "../outside/x", "a/../x"};

START_TEST(names_that_lead_elsewhere)
{
    ck_assert_int_eq(mkdirat(root, "a", 0777), 0);
    ck_assert_int_ne(commit(climbing[_i]), DRH_OK);
    ck_assert_int_ne(put(climbing[_i], "evil"), DRH_OK);
    ck_assert_int_ne(open_for_reading(climbing[_i]), DRH_OK);
    ck_assert_int_eq(n_entries(root_path), 2);
}
END_TEST

START_TEST(names_with_dots_that_lead_nowhere)
{
    ck_assert_int_eq(put("..x/...", "a"), DRH_OK);
    ck_assert_str_eq(bare_read(root_path, "..x/..."), "a");
    ck_assert_int_eq(put(".x/x..", "b"), DRH_OK);
    ck_assert_str_eq(bare_read(root_path, ".x/x.."), "b");
}
END_TEST

START_TEST(long_names)
{
    char name[NAME_MAX + 40];

    memset(name, 'n', sizeof(name));
    name[NAME_MAX] = '\0';
    ck_assert_int_eq(commit(name), DRH_OK);
    ck_assert_int_eq(put(name, "x"), DRH_OK);
    ck_assert_int_eq(open_for_reading(name), DRH_OK);
    name[NAME_MAX] = 'n';
    name[NAME_MAX + 1] = '\0';
    ck_assert_int_eq(commit(name), DRH_E_IO);
    ck_said("no room for such a name");
    ck_assert_int_eq(put(name, "x"), DRH_E_IO);
    memcpy(name + NAME_MAX + 1, "/x", 3); /* as a folder */
    ck_assert_int_eq(commit(name), DRH_E_IO);
    ck_said("no room for such a name");
    memcpy(name + NAME_MAX, "/x", 3);
    unlinkat(root, name, 0);
    ck_assert_int_eq(unlinkat(root, name, 0), -1);
    name[NAME_MAX] = '\0';
    ck_assert_int_eq(unlinkat(root, name, 0), 0);
    name[NAME_MAX] = '/';
    ck_assert_int_eq(commit(name), DRH_OK); /* the longest that there can be */
}
END_TEST

/* ---- a disk that says no ---- */

START_TEST(put_is_all_or_nothing)
{
    struct rlimit old, r;
    drh_status    st;

    ck_assert_int_eq(put("note", "old text"), DRH_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    r = (struct rlimit){3, old.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
    errno = 0;
    st = put("note", "new text"); /* 3 bytes of it can be written */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(st, DRH_E_IO);
    ck_said("limit of the shell");
    ck_assert_str_eq(bare_read(root_path, "note"), "old text");
    ck_assert_int_eq(n_entries(root_path), 2);
}
END_TEST

START_TEST(a_folder_that_may_not_be_written_to)
{
    ck_assert_int_eq(mkdirat(root, "ro", 0777), 0);
    ck_assert_int_eq(fchmodat(root, "ro", 0555, 0), 0);
    ck_assert_int_eq(chmod(top, 0755), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(seteuid(65534), 0); /* root may do anything */
    }
    ck_assert_int_eq(place_commit(root, "ro/x", parts, "one.part", &e), DRH_E_IO);
    ck_said("that you may write to");
    ck_assert_int_eq(put("ro/x", "x"), DRH_E_IO);
    ck_said("that you may write to");
    ck_assert_int_eq(put("ro/new/x", "x"), DRH_E_IO);
    ck_said("that you may write to");
    if (getuid() == 0) {
        ck_assert_int_eq(seteuid(0), 0);
    }
}
END_TEST

START_TEST(errors_with_a_remedy)
{
    static const struct {
        int         number;
        const char *remedy;
    } rows[] = {{ENOSPC, "free some space"},   {EDQUOT, "free some space"},
                {EFBIG, "limit of the shell"}, {EROFS, "may write to"},
                {EACCES, "may write to"},      {EPERM, "may write to"},
                {ENAMETOOLONG, "such a name"}, {EIO, "error"}};

    for (int i = 0; i < ROWS(rows); i++) {
        ck_assert_int_eq(place_error(&e, rows[i].number, "write", "a/b"), DRH_E_IO);
        ck_said("cannot write a/b: ");
        ck_said(rows[i].remedy);
    }
    ck_assert_int_eq(place_error(NULL, EIO, "write", "a/b"), DRH_E_IO);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_place");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_file_gets_its_name);
    tcase_add_test(t, a_small_file);
    tcase_add_test(t, reading);
    tcase_add_test(t, folders);
    tcase_add_test(t, a_link_where_a_folder_should_be);
    tcase_add_test(t, a_link_deep_down);
    tcase_add_test(t, a_link_with_the_name_of_a_file);
    tcase_add_test(t, a_folder_with_the_name_of_a_file);
    tcase_add_test(t, a_file_with_the_name_of_a_folder);
    tcase_add_test(t, a_pipe);
    tcase_add_loop_test(t, names_that_lead_elsewhere, 0, ROWS(climbing));
    tcase_add_test(t, names_with_dots_that_lead_nowhere);
    tcase_add_test(t, long_names);
    tcase_add_test(t, put_is_all_or_nothing);
    tcase_add_test(t, a_folder_that_may_not_be_written_to);
    tcase_add_test(t, errors_with_a_remedy);
    return run_case("http_place", t);
}
