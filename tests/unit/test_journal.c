/* SPDX-License-Identifier: MIT
 * test_journal.c - what was appended is found again: by key and digest, after a close, a torn tail,
 * a flipped bit; and not under another fingerprint. */
#include "journal.h"

#include "err.h"
#include "run.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 700 }; /* beyond the first sizes of list and index */

static char      dir[] = "/tmp/drhost-journal-XXXXXX", path[64];
static drh_error e = ERR_INIT;

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/j", dir);
}

static void teardown(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
}

static struct journal *open_as(const char *fingerprint)
{
    struct journal *j;
    ck_assert_msg(journal_open(&j, path, fingerprint, &e) == DRH_OK, "%s", e.message);
    return j;
}

static struct journal_key key_of(unsigned i)
{
    struct journal_key k = {.uid = i / 4, .ordinal = i % 2, .attempt = i / 2 % 2};
    memset(k.digest, (int)(i % 251), sizeof(k.digest));
    return k;
}

static void append(struct journal *j, unsigned i)
{
    struct journal_key k = key_of(i);
    char               text[32];
    float              v[3] = {-(float)i, -0.5F, -1e-30F};
    drh_infer_res      r = {.struct_size = sizeof(r),
                            .n_values = i % 4,
                            .values = v,
                            .finish = DRH_INFER_STOP,
                            .n_prompt_tokens = i,
                            .n_target_tokens = i + 1,
                            .first_value = i % 2};

    r.text.len = (size_t)snprintf(text, sizeof(text), "text%c %u", '\0', i);
    r.text.ptr = text;
    ck_assert_int_eq(journal_append(j, &k, &r, &e), DRH_OK);
}

static bool holds(const struct journal *j, unsigned i)
{
    struct journal_key   k = key_of(i);
    const drh_infer_res *r = journal_find(j, &k);
    char                 text[32];
    size_t               n = (size_t)snprintf(text, sizeof(text), "text%c %u", '\0', i);

    if (!r) {
        return false;
    }
    ck_assert_int_eq(r->status, DRH_OK);
    ck_assert_uint_eq(r->text.len, n);
    ck_assert_mem_eq(r->text.ptr, text, n);
    ck_assert_uint_eq(r->n_values, i % 4);
    if (i % 4) {
        ck_assert(r->values[0] == -(float)i);
    }
    if (i % 4 == 3) {
        ck_assert(r->values[2] == -1e-30F);
    }
    ck_assert_uint_eq(r->finish, DRH_INFER_STOP);
    ck_assert_uint_eq(r->n_prompt_tokens, i);
    ck_assert_uint_eq(r->n_target_tokens, i + 1);
    ck_assert_uint_eq(r->first_value, i % 2);
    ck_assert_ptr_null(r->error);
    return true;
}

static unsigned how_many(const struct journal *j)
{
    unsigned n = 0;
    for (unsigned i = 0; i < N; i++) {
        n += holds(j, i);
    }
    return n;
}

static off_t written(unsigned n)
{
    struct stat     sb;
    struct journal *j = open_as("f1");

    for (unsigned i = 0; i < n; i++) {
        append(j, i);
    }
    journal_close(j);
    ck_assert_int_eq(stat(path, &sb), 0);
    return sb.st_size;
}

START_TEST(found_again)
{
    struct journal *j;

    (void)written(N);
    j = open_as("f1");
    ck_assert_uint_eq(how_many(j), N);
    journal_close(j);
    j = open_as("f2");
    ck_assert_uint_eq(how_many(j), 0);
    journal_close(j);
    j = open_as("f1"); /* and it is gone for good */
    ck_assert_uint_eq(how_many(j), 0);
    journal_close(j);
}
END_TEST

START_TEST(other_keys)
{
    struct journal_key k;
    struct journal    *j;

    (void)written(10);
    j = open_as("f1");
    k = key_of(7);
    ck_assert_ptr_nonnull(journal_find(j, &k));
    k.digest[15] ^= 1;
    ck_assert_ptr_null(journal_find(j, &k));
    k = key_of(7);
    k.uid ^= 1ull << 63;
    ck_assert_ptr_null(journal_find(j, &k));
    k = key_of(7);
    k.attempt += 2;
    ck_assert_ptr_null(journal_find(j, &k));
    k = key_of(7);
    k.ordinal += 2;
    ck_assert_ptr_null(journal_find(j, &k));
    ck_assert_ptr_null(journal_find(NULL, &k));
    journal_close(j);
    journal_close(NULL);
}
END_TEST

START_TEST(two_digests_of_one_record) /* neither answers for the other */
{
    struct journal    *j = open_as("f1");
    struct journal_key a = key_of(1), b = a;
    drh_infer_res      r = {.struct_size = sizeof(r), .text = {"a", 1}};

    b.digest[0] ^= 0x80;
    ck_assert_int_eq(journal_append(j, &a, &r, &e), DRH_OK);
    r.text.ptr = "b";
    ck_assert_int_eq(journal_append(j, &b, &r, &e), DRH_OK);
    r.text.ptr = "c"; /* the same again: the later one counts */
    ck_assert_int_eq(journal_append(j, &b, &r, &e), DRH_OK);
    journal_close(j);
    j = open_as("f1");
    ck_assert_int_eq(journal_find(j, &a)->text.ptr[0], 'a');
    ck_assert_int_eq(journal_find(j, &b)->text.ptr[0], 'c');
    journal_close(j);
}
END_TEST

START_TEST(failures_with_their_text)
{
    struct journal      *j = open_as("f1");
    struct journal_key   k = key_of(3);
    drh_error            why = ERR_INIT;
    drh_infer_res        r = {.struct_size = sizeof(r), .status = DRH_E_RANGE, .error = &why};
    const drh_infer_res *back;

    memset(why.message, 'x', sizeof(why.message) - 1); /* as long as it gets */
    why.message[sizeof(why.message) - 1] = '\0';
    ck_assert_int_eq(journal_append(j, &k, &r, &e), DRH_OK);
    journal_close(j);
    j = open_as("f1");
    back = journal_find(j, &k);
    ck_assert_ptr_nonnull(back);
    ck_assert_int_eq(back->status, DRH_E_RANGE);
    ck_assert_int_eq(back->error->code, DRH_E_RANGE);
    ck_assert_str_eq(back->error->message, why.message);
    journal_close(j);
}
END_TEST

START_TEST(every_cut) /* a kill or a power cut at any byte leaves the entries before it */
{
    off_t           size = written(4), at[5];
    struct journal *j;
    unsigned        n = 0, before = 0;

    (void)unlink(path);
    for (unsigned i = 0; i < 5; i++) {
        at[i] = written(0); /* opens what is there */
        j = open_as("f1");
        if (i < 4) {
            append(j, i);
        }
        journal_close(j);
    }
    ck_assert_int_eq(at[4], size);
    for (off_t cut = size; cut >= 0; cut--) {
        ck_assert_int_eq(truncate(path, cut), 0);
        j = open_as("f1");
        for (n = 0; n < 4 && cut >= at[n + 1]; n++) {
        }
        ck_assert_msg(how_many(j) == n, "%u entries of %u at %ld", how_many(j), n, (long)cut);
        append(j, 600); /* and it goes on */
        journal_close(j);
        j = open_as("f1");
        ck_assert(holds(j, 600));
        before = how_many(j);
        ck_assert_uint_eq(before, n + 1);
        journal_close(j);
        (void)unlink(path);
        (void)written(4);
    }
}
END_TEST

START_TEST(flipped_bits_and_rubbish)
{
    struct journal *j;
    uint8_t         b;
    off_t           size = written(3);

    for (off_t at = 0; at < size; at++) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pread(fd, &b, 1, at), 1);
        b ^= 0x10;
        ck_assert_int_eq(pwrite(fd, &b, 1, at), 1);
        (void)close(fd);
        j = open_as("f1");
        ck_assert_uint_lt(how_many(j), 3); /* the entry and what follows it is gone, no more */
        journal_close(j);
        (void)unlink(path);
        (void)written(3);
    }
    {
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 12), 12);
        (void)close(fd);
    }
    j = open_as("f1");
    ck_assert_uint_eq(how_many(j), 3);
    append(j, 5);
    journal_close(j);
    j = open_as("f1");
    ck_assert_uint_eq(how_many(j), 4);
    ck_assert_int_eq(journal_sync(j, &e), DRH_OK);
    journal_close(j);
}
END_TEST

START_TEST(cannot_be_opened)
{
    struct journal *j;

    ck_assert_int_ne(journal_open(&j, "/proc/nothing/j", "f", &e), DRH_OK);
    ck_assert_ptr_null(j);
    ck_assert_ptr_nonnull(strstr(e.message, "/proc/nothing/j"));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("journal");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, found_again);
    tcase_add_test(t, other_keys);
    tcase_add_test(t, two_digests_of_one_record);
    tcase_add_test(t, failures_with_their_text);
    tcase_add_test(t, every_cut);
    tcase_add_test(t, flipped_bits_and_rubbish);
    tcase_add_test(t, cannot_be_opened);
    return run_case("journal", t);
}
