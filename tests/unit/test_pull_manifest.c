/* SPDX-License-Identifier: MIT
 * test_pull_manifest.c - what a download notes in its folder, and what is read of it later: whole,
 * torn, of another version, of a pull that was killed. */
#include "bare_host.h"
#include "err.h"
#include "mem.h"
#include "pull.h"
#include "run.h"

#include <stdio.h>
#include <string.h>

#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define GIT "77ebc6577e3fc2c38b5bc7f233510fafba6822ac"
#define MANIFEST ".cache/drhost/manifest.jsonl"
#define HEAD                                                                                       \
    "{\"drhost\":1,\"request\":\"hub {}\",\"complete\":true,\"source\":\"hub:o/n\","               \
    "\"license\":\"mit\"}\n"
#define COUNTED(request, n)                                                                        \
    "{\"drhost\":1,\"request\":\"" request "\",\"complete\":true,\"files\":" #n                    \
    ",\"source\":\"hub:o/n\",\"license\":\"mit\"}\n"
#define FILE_A "{\"path\":\"a\",\"size\":1,\"mtime_ns\":5,\"sha256\":\"" SHA256 "\"}\n"
#define FILE_B "{\"path\":\"b\",\"size\":2,\"mtime_ns\":6,\"git_sha1\":\"" GIT "\"}\n"
#define FILE_C "{\"path\":\"c\",\"size\":3,\"mtime_ns\":7}\n"

static char             folder[BARE_PATH];
static struct stage     stage = {.desc.id = "hub"};
static char             options[] = "{}";
static struct plan_step step = {.stage = &stage, .text = options};
static struct pull      l;
static drh_error        e;

static void setup(void)
{
    bare_folder(folder);
    bare_write(folder, ".cache/drhost/lock", "");
    e = (drh_error)ERR_INIT;
    l = (struct pull){.step = &step, .lock = -1};
    step.text = options;
}

static void teardown(void)
{
    pull_free(&l);
    bare_remove(folder);
}

/* A pull whose files are all there. */
static void make_pull(void)
{
    static const drh_file files[] = {
        {.struct_size = sizeof(drh_file), .name = {"a", 1}, .size = 1, .sha256 = {SHA256, 64}},
        {.struct_size = sizeof(drh_file), .name = {"b", 1}, .size = 2, .git_sha1 = {GIT, 40}},
        {.struct_size = sizeof(drh_file),
         .name = {"x/\"\xe5\xa5\xbd\".md", 10},
         .flags = DRH_FILE_ASIDE,
         .size = (uint64_t)1 << 40},
    };

    l.name = mem_dupz("hub:o/n@1234567");
    l.root = mem_dupz(folder);
    for (int i = 0; i < ABOUT_KEYS; i++) {
        l.about[i] = mem_dupz(about_names[i]);
    }
    for (int i = 0; i < ROWS(files); i++) {
        ck_assert_int_eq(list_file(&l.list, &files[i]), DRH_OK);
        l.list.file[i].state = i % 2 ? LISTED_BROUGHT : LISTED_THERE;
        l.list.file[i].mtime_ns = 1700000000000000000 + i;
    }
}

static void ck_as_list(drh_status st, size_t n)
{
    drh_status got = manifest_as_list(&l, folder, &e);

    ck_assert_msg(got == st, "%d: %s", got, e.message);
    ck_assert_uint_eq(l.list.n, n);
}

/* "a" of FILE_A and "b" of FILE_B: verified? */
static void ck_verified(bool a, bool b)
{
    struct drh_list  list = {0};
    struct verified *v = NULL;
    drh_file         f = {.struct_size = sizeof(f), .name = {"a", 1}, .size = 1};

    f.sha256 = drh_str_of(SHA256);
    ck_assert_int_eq(list_file(&list, &f), DRH_OK);
    f = (drh_file){.struct_size = sizeof(f), .name = {"b", 1}, .size = 2};
    f.git_sha1 = drh_str_of(GIT);
    ck_assert_int_eq(list_file(&list, &f), DRH_OK);
    ck_assert_int_eq(manifest_read_verified(folder, &v, &e), DRH_OK);
    ck_assert_int_eq(verified_has(v, &list.file[0], 5), a);
    ck_assert_int_eq(verified_has(v, &list.file[1], 6), b);
    verified_free(v);
    list_free(&list);
}

/* ---- there and back ---- */

START_TEST(a_round_trip)
{
    struct verified *v;
    struct pull      again = {.step = &step, .lock = -1};

    make_pull();
    ck_assert_int_eq(manifest_finish(&l, true, &e), DRH_OK);
    ck_assert_int_eq(manifest_as_list(&again, folder, &e), DRH_OK);
    ck_assert_str_eq(again.name, l.name);
    for (int i = 0; i < ABOUT_KEYS; i++) {
        ck_assert_str_eq(again.about[i], about_names[i]);
    }
    ck_assert_int_eq(manifest_read_verified(folder, &v, &e), DRH_OK);
    ck_assert_uint_eq(again.list.n, l.list.n);
    for (size_t i = 0; i < l.list.n; i++) {
        const struct listed *a = &l.list.file[i], *b = &again.list.file[i];
        ck_assert_str_eq(a->name, b->name);
        ck_assert_uint_eq(a->size, b->size);
        ck_assert_int_eq(a->hash, b->hash);
        ck_assert_mem_eq(a->digest, b->digest, sizeof(a->digest));
        ck_assert_int_eq(a->flags, b->flags);
        ck_assert_int_eq(b->state, LISTED);
        ck_assert(verified_has(v, a, a->mtime_ns));
        ck_assert(!verified_has(v, a, a->mtime_ns + 1));
    }
    verified_free(v);
    pull_free(&again);
}
END_TEST

START_TEST(another_size_or_digest_is_not_verified)
{
    struct verified *v;
    struct listed    f;

    make_pull();
    ck_assert_int_eq(manifest_finish(&l, true, &e), DRH_OK);
    ck_assert_int_eq(manifest_read_verified(folder, &v, &e), DRH_OK);
    f = l.list.file[0];
    ck_assert(verified_has(v, &f, f.mtime_ns));
    f.size++;
    ck_assert(!verified_has(v, &f, f.mtime_ns));
    f = l.list.file[0];
    f.digest[31] ^= 1;
    ck_assert(!verified_has(v, &f, f.mtime_ns));
    f = l.list.file[0];
    f.hash = DRH_HASH_NONE;
    ck_assert(!verified_has(v, &f, f.mtime_ns));
    f = l.list.file[0];
    f.name = l.list.file[1].name;
    ck_assert(!verified_has(v, &f, f.mtime_ns));
    verified_free(v);
}
END_TEST

START_TEST(failed_files_are_not_noted)
{
    make_pull();
    (void)listed_fail(&l.list.file[1], DRH_E_NETWORK, "gone");
    l.counts.failed = 1;
    ck_assert_int_eq(manifest_finish(&l, false, &e), DRH_OK);
    ck_assert_ptr_null(strstr(bare_read(folder, MANIFEST), "\"b\""));
    ck_assert_ptr_nonnull(strstr(bare_read(folder, MANIFEST), "\"complete\":false"));
    ck_as_list(DRH_E_MISSING, 0);
}
END_TEST

/* "drhost pull REPO FILE..." may name very many. */
START_TEST(long_options)
{
    enum { LONG = 200000 };
    char *text = mem_alloc(1, LONG + 1);

    memset(text, 'x', LONG);
    step.text = text;
    make_pull();
    ck_assert_msg(manifest_finish(&l, true, &e) == DRH_OK, "%s", e.message);
    ck_as_list(DRH_OK, 3);
    mem_free(text);
}
END_TEST

/* ---- as it may be found ---- */

/* n: files that the list has, 0: nothing can be had from it; a, b: are they verified? */
static const struct {
    const char *text;
    size_t      n;
    bool        a, b;
} found[] = {
    {HEAD FILE_A FILE_B, 2, true, true},
    {FILE_A HEAD FILE_B, 1, true, true}, /* each head begins anew */
    {HEAD FILE_B FILE_A, 2, true, true},
    {HEAD "{\"path\":\"a\",\"si\n" FILE_B, 1, false, true},
    {HEAD FILE_A "{\"path\":\"b\",\"size\":2,\"mt", 1, true, false},
    {HEAD "\n\n[]\n7\nnull\n\"x\"\n" FILE_A, 1, true, false},
    {HEAD FILE_A FILE_A, 1, true, false},                                         /* noted again */
    {HEAD FILE_A "{\"path\":\"a\",\"size\":7,\"mtime_ns\":5}\n", 0, true, false}, /* another one */
    {"", 0, false, false},
    {"\xff\xfe\n", 0, false, false},
    {HEAD, 0, false, false},
    {FILE_A, 0, true, false},
    {"{\"drhost\":1,\"request\":\"hub {}\",\"complete\":false}\n" FILE_A, 0, true, false},
    {HEAD FILE_A "{\"drhost\":1,\"request\":\"hub {}\",\"complete\":false}\n", 0, true, false},
    {"{\"drhost\":1,\"request\":\"hub {}\",\"complete\":false}\n" HEAD FILE_A, 1, true, false},
    {"{\"drhost\":1,\"request\":\"hub {\\\"x\\\":1}\",\"complete\":true}\n" FILE_A, 0, true, false},
    {"{\"drhost\":1,\"request\":\"hub {}\",\"complete\":\"true\"}\n" FILE_A, 0, true, false},
    {"{\"drhost\":1,\"request\":[],\"complete\":true}\n" FILE_A, 0, true, false},
    /* other versions: what a line means there is not known */
    {"{\"drhost\":2,\"request\":\"hub {}\",\"complete\":true}\n" FILE_A, 0, false, false},
    {"{\"drhost\":0,\"request\":\"hub {}\",\"complete\":true}\n" FILE_A, 0, false, false},
    {FILE_B "{\"drhost\":2}\n" FILE_A, 0, false, true},
    {"{\"drhost\":2}\n" FILE_B HEAD FILE_A, 1, true, false},
    {HEAD FILE_A "{\"drhost\":2}\n" FILE_B, 1, true, false}, /* of another request */
    {FILE_A "{\"drhost\":2,\"request\":\"hub {}\",\"complete\":true}\n", 0, true, false},
    {HEAD "{\"tool\":\"other\"}\n" FILE_A, 1, true, false},
    {"{\"request\":\"hub {}\",\"complete\":true}\n" FILE_A, 0, true, false},
    /* sections of other requests, and how many lines they have */
    {COUNTED("hub {}", 2) FILE_A FILE_B COUNTED("other", 1) FILE_C, 2, true, true},
    {COUNTED("other", 1) FILE_C COUNTED("hub {}", 2) FILE_A FILE_B, 2, true, true},
    {COUNTED("hub {}", 2) FILE_A COUNTED("other", 1) FILE_B, 0, true, true},
    {COUNTED("hub {}", 0), 0, false, false},
};

START_TEST(as_it_is_found)
{
    bare_write(folder, MANIFEST, found[_i].text);
    ck_as_list(found[_i].n ? DRH_OK : DRH_E_MISSING, found[_i].n);
    ck_verified(found[_i].a, found[_i].b);
    if (found[_i].n) {
        ck_assert_str_eq(l.name, "hub:o/n");
        ck_assert_str_eq(l.about[ABOUT_LICENSE], "mit");
        ck_assert_str_eq(l.about[ABOUT_COMMIT], "");
    }
}
END_TEST

START_TEST(there_is_none)
{
    ck_as_list(DRH_E_MISSING, 0);
    ck_verified(false, false);
    ck_assert_int_eq(manifest_as_list(&l, "/dev/null/at/all", &e), DRH_E_MISSING);
}
END_TEST

static const char *const sizes[] = {"-1", "1.5", "1e3", "\"5\"", "null", "18446744073709551615"};

START_TEST(a_size_that_is_none)
{
    char text[1000];

    (void)snprintf(text, sizeof(text), HEAD "{\"path\":\"a\",\"size\":%s}\n", sizes[_i]);
    bare_write(folder, MANIFEST, text);
    ck_as_list(DRH_OK, 1);
    ck_assert(l.list.file[0].size == UINT64_MAX);
}
END_TEST

/* Somebody else may have written it: names are judged as a hub's are. */
START_TEST(names_in_it_are_refused)
{
    bare_write(folder, MANIFEST,
               HEAD "{\"path\":\"../x\",\"size\":1}\n{\"path\":\"b\\u0000\",\"size\":1}\n" FILE_A);
    ck_as_list(DRH_OK, 3);
    ck_assert_int_eq(l.list.file[0].state, LISTED_FAILED);
    ck_assert_int_eq(l.list.file[1].state, LISTED);
    ck_assert_int_eq(l.list.file[2].state, LISTED_FAILED);
}
END_TEST

/* ---- a pull that is killed ---- */

START_TEST(appended_by_a_killed_pull)
{
    make_pull();
    ck_assert_int_eq(manifest_append(&l, &l.list.file[0], &e), DRH_OK);
    ck_assert_int_eq(manifest_append(&l, &l.list.file[1], &e), DRH_OK);
    l.list.file[0].mtime_ns = 5;
    ck_assert_int_eq(manifest_append(&l, &l.list.file[0], &e), DRH_OK);
    ck_verified(true, false);
    ck_assert_ptr_null(strstr(strstr(bare_read(folder, MANIFEST), "drhost") + 1, "drhost"));
    ck_as_list(DRH_E_MISSING, 0);
}
END_TEST

/* It has begun to change a folder that was complete, behind a line that was torn. */
START_TEST(killed_in_a_complete_folder)
{
    make_pull();
    bare_write(folder, MANIFEST, HEAD FILE_A "{\"path\":\"b\",");
    ck_assert_int_eq(manifest_append(&l, &l.list.file[2], &e), DRH_OK);
    ck_verified(true, false);
    ck_as_list(DRH_E_MISSING, 0);
}
END_TEST

START_TEST(it_cannot_be_written)
{
    make_pull();
    mem_free(l.root);
    l.root = mem_dupz("/dev/null/at/all");
    ck_assert_int_ne(manifest_append(&l, &l.list.file[0], &e), DRH_OK);
    ck_assert_ptr_nonnull(strstr(e.message, "/dev/null/at/all"));
    ck_assert(!l.noted);
    ck_assert_int_ne(manifest_finish(&l, true, &e), DRH_OK);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("manifest");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_round_trip);
    tcase_add_test(t, another_size_or_digest_is_not_verified);
    tcase_add_test(t, failed_files_are_not_noted);
    tcase_add_test(t, long_options);
    tcase_add_loop_test(t, as_it_is_found, 0, ROWS(found));
    tcase_add_test(t, there_is_none);
    tcase_add_loop_test(t, a_size_that_is_none, 0, ROWS(sizes));
    tcase_add_test(t, names_in_it_are_refused);
    tcase_add_test(t, appended_by_a_killed_pull);
    tcase_add_test(t, killed_in_a_complete_folder);
    tcase_add_test(t, it_cannot_be_written);
    return run_case("pull_manifest", t);
}
