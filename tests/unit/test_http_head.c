/* SPDX-License-Identifier: MIT
 *
 * test_http_head.c - plugins/http/head.c: answer headers that decide something, by RFC 9110 and the
 * drafts of RateLimit; digest.c: the digests that hubs list.
 */
#include "bare_host.h"
#include "digest.h"
#include "head.h"
#include "run.h"

#include <drh/util.h>
#include <stdlib.h>

/* A copy without an end, so that a read behind it is seen. */
static drh_str bare_copy(const char *text)
{
    size_t n = strlen(text);
    char  *p = malloc(n ? n : 1);

    memcpy(p, text, n);
    return (drh_str){p, n};
}

static void drop(drh_str s)
{
    free((void *)(uintptr_t)s.ptr);
}

/* ---- Content-Range ---- */

#define MOST UINT64_MAX

/* kind: "rt" range and total, "r" the range alone, "t" the total alone, NULL: refused */
static const struct {
    const char *value, *kind;
    uint64_t    from, to, total;
} ranges[] = {
    {"bytes 42-1233/1234", "rt", 42, 1233, 1234}, /* RFC 9110, 14.4 */
    {"bytes 42-1233/*", "r", 42, 1233, 0},
    {"bytes */1234", "t", 0, 0, 1234},
    {"bytes 0-99/659", "rt", 0, 99, 659}, /* as recorded */
    {"bytes 0-1023/675509688", "rt", 0, 1023, 675509688},
    {"bytes 0-0/1", "rt", 0, 0, 1},
    {"bytes */0", "t", 0, 0, 0},
    {"BYTES 0-99/659", "rt", 0, 99, 659}, /* names of units have no case */
    {" bytes 0-99/659\t", "rt", 0, 99, 659},
    {"bytes   0-99/659", "rt", 0, 99, 659},
    {"bytes=0-99/659", "rt", 0, 99, 659}, /* seen in the wild */
    {"bytes 007-008/0009", "rt", 7, 8, 9},
    {"bytes 0-18446744073709551614/18446744073709551615", "rt", 0, MOST - 1, MOST},
    {"bytes 18446744073709551614-18446744073709551614/*", "r", MOST - 1, MOST - 1, 0},
    {"bytes */18446744073709551615", "t", 0, 0, MOST},
    {"bytes 0-18446744073709551616/*", NULL, 0, 0, 0},
    {"bytes 18446744073709551616-1/*", NULL, 0, 0, 0},
    {"bytes 0-1/18446744073709551616", NULL, 0, 0, 0},
    {"bytes */99999999999999999999999", NULL, 0, 0, 0},
    {"bytes 99-0/659", NULL, 0, 0, 0},
    {"bytes 0-99/99", NULL, 0, 0, 0},
    {"bytes 0-99/0", NULL, 0, 0, 0},
    {"bytes */*", NULL, 0, 0, 0},
    {"bytes 0-99", NULL, 0, 0, 0},
    {"bytes 0-99/", NULL, 0, 0, 0},
    {"bytes 0-/659", NULL, 0, 0, 0},
    {"bytes -99/659", NULL, 0, 0, 0},
    {"bytes 99/659", NULL, 0, 0, 0},
    {"bytes /659", NULL, 0, 0, 0},
    {"bytes *", NULL, 0, 0, 0},
    {"bytes **/5", NULL, 0, 0, 0},
    {"bytes *-5/9", NULL, 0, 0, 0},
    {"bytes 0-99/659x", NULL, 0, 0, 0},
    {"bytes 0-99/659, bytes 0-99/659", NULL, 0, 0, 0},
    {"bytes 0-9,20-29/659", NULL, 0, 0, 0},
    {"bytes 0 - 99/659", NULL, 0, 0, 0},
    {"bytes 0-99 /659", NULL, 0, 0, 0},
    {"bytes 0-99/ 659", NULL, 0, 0, 0},
    {"bytes +0-99/659", NULL, 0, 0, 0},
    {"bytes 0-+99/659", NULL, 0, 0, 0},
    {"bytes 0--99/659", NULL, 0, 0, 0},
    {"bytes 0x0-0x9/659", NULL, 0, 0, 0},
    {"bytes 0-9.0/659", NULL, 0, 0, 0},
    {"bytes0-99/659", NULL, 0, 0, 0},
    {"bytes:0-99/659", NULL, 0, 0, 0},
    {"octets 0-99/659", NULL, 0, 0, 0},
    {"0-99/659", NULL, 0, 0, 0},
    {"bytes", NULL, 0, 0, 0},
    {"bytes ", NULL, 0, 0, 0},
    {"bytes=", NULL, 0, 0, 0},
    {"", NULL, 0, 0, 0},
    {" ", NULL, 0, 0, 0},
};

START_TEST(content_ranges)
{
    drh_str              v = bare_copy(ranges[_i].value);
    struct content_range r;
    bool                 ok = head_content_range(v, &r);

    ck_assert_msg(ok == (ranges[_i].kind != NULL), "\"%s\": %d", ranges[_i].value, ok);
    if (ok) {
        ck_assert_int_eq(r.has_range, strchr(ranges[_i].kind, 'r') != NULL);
        ck_assert_int_eq(r.has_total, strchr(ranges[_i].kind, 't') != NULL);
        ck_assert_uint_eq(r.from, ranges[_i].from);
        ck_assert_uint_eq(r.to, ranges[_i].to);
        ck_assert_uint_eq(r.total, ranges[_i].total);
    }
    drop(v);
}
END_TEST

/* ---- numbers ---- */

static const struct {
    const char *text;
    bool        ok;
    uint64_t    n;
} numbers[] = {
    {"0", true, 0},
    {"  12\t", true, 12},
    {"0009", true, 9},
    {"18446744073709551615", true, MOST},
    {"18446744073709551616", false, 0},
    {"28446744073709551615", false, 0},
    {"99999999999999999999999999", false, 0},
    {"", false, 0},
    {" ", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {"1 2", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"0x10", false, 0},
    {"\xef\xbc\x91", false, 0}, /* a digit elsewhere */
};

START_TEST(whole_numbers)
{
    drh_str  v = bare_copy(numbers[_i].text);
    uint64_t n = 77;

    ck_assert_msg(head_u64(v, &n) == numbers[_i].ok, "\"%s\"", numbers[_i].text);
    ck_assert(!numbers[_i].ok || n == numbers[_i].n);
    drop(v);
}
END_TEST

/* ---- Retry-After ---- */

enum { NOW = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110, 5.6.7 */

/* ms: -1: refused */
static const struct {
    const char *value;
    int64_t     ms;
} waits[] = {
    {"0", 0},
    {"1", 1000},
    {"120", 120000}, /* RFC 9110, 10.2.3 */
    {" 7 ", 7000},
    {"1.5", 1500},
    {"0.25", 250},
    {"0.0001", 0},
    {"2.", 2000},
    {"1.23456789", 1234},
    {"899", 899000},
    {"900", 900000},
    {"901", 900000},
    {"899.999", 899999},
    {"86400", 900000},
    {"4294968", 900000}, /* more milliseconds than 32 bits have */
    {"18446744073709551615", 900000},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0}, /* now */
    {"Sun, 06 Nov 1994 08:49:38 GMT", 1000},
    {"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
    {"Sunday, 06-Nov-94 08:50:37 GMT", 60000}, /* the two older forms */
    {"Sun Nov  6 08:50:37 1994", 60000},
    {"Sun, 06 Nov 1994 08:49:36 GMT", 0},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Fri, 31 Dec 1999 23:59:59 GMT", 900000},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 900000},
    {"", -1},
    {" ", -1},
    {"soon", -1},
    {"-5", -1},
    {"+5", -1},
    {"5s", -1},
    {"5 s", -1},
    {"1,5", -1},
    {"1.5.5", -1},
    {".5", -1},
    {"1e3", -1},
    {"NaN", -1},
    {"inf", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT and a good deal of text behind it, longer than any date", -1},
};

START_TEST(retry_after)
{
    drh_str  v = bare_copy(waits[_i].value);
    uint32_t ms = 77;
    bool     ok = head_retry_after(v, NOW, &ms);

    ck_assert_msg(ok == (waits[_i].ms >= 0), "\"%s\": %d, %u ms", waits[_i].value, ok, ms);
    ck_assert_msg(!ok || ms == waits[_i].ms, "\"%s\": %u ms", waits[_i].value, ms);
    drop(v);
}
END_TEST

/* More digits than a number has: as long as can be, or not understood. */
START_TEST(retry_after_for_ever)
{
    uint32_t ms = 77;

    ck_assert(!head_retry_after(drh_str_of("99999999999999999999999"), NOW, &ms) ||
              ms == HEAD_MAX_WAIT_MS);
}
END_TEST

/* ---- RateLimit ---- */

/* left: -1: no number in it */
static const struct {
    const char *value;
    int64_t     left;
    uint32_t    reset;
} rates[] = {
    {"\"resolvers\";r=4992;t=9", 4992, 9}, /* as recorded */
    {"\"api\";r=485;t=163", 485, 163},
    {"\"api|pages|resolvers\";r=12;t=7", 12, 7},
    {"\"api\";r=0;t=1", 0, 1},
    {"\"api\";t=163;r=485", 485, 163},
    {"\"api\" ; r=485 ; t=163", 485, 163},
    {"\"api\";r=485", 485, 0},
    {"\"api\";r=485;t=163, \"pages\";r=99;t=5", 99, 5},
    {"\"pages\";r=99;t=5, \"api\";r=485;t=163", 99, 5},
    {"\"pages\";r=99;t=5,\"api\";r=7;t=163,\"x\";r=8;t=1", 7, 163},
    {"\"a\";r=0;t=5, \"b\";r=0;t=60", 0, 60}, /* both have to pass */
    {"\"b\";r=0;t=60, \"a\";r=0;t=5", 0, 60},
    {"\"a\";t=5, \"b\";r=3;t=60", 3, 60},
    {"\"a;r=0, b\";r=5;t=1", 5, 1},
    {"\"a\\\";r=0;t=9\";r=5;t=1", 5, 1},
    {"\"a\\\\\";r=5;t=1", 5, 1},
    {"default;r=50;t=30;pk=:sdfjLJUOUH==:", 50, 30},
    {"\"a\";r=5;t=99999", 5, 900},
    {"\"a\";r=18446744073709551615;t=1", INT64_MAX, 1},
    {"limit=100, remaining=50, reset=5", 50, 5}, /* drafts up to 06 */
    {"remaining=50,reset=5,limit=100", 50, 5},
    {"limit=100, remaining=0, reset=3600", 0, 900},
    {"Limit=10, Remaining=5, Reset=2", 5, 2},
    {"remaining=1", 1, 0},
    {"limit=100;w=60, remaining=9, reset=4", 9, 4},
    {"limit=100, reset=5", -1, 0},
    {"\"api\";q=500;w=300", -1, 0},
    {"\"api\"", -1, 0},
    {"\"r=5;t=1\"", -1, 0},
    {"\"a\";r=-1;t=1", -1, 0},
    {"\"a\";r=x;t=1", -1, 0},
    {"\"a\";r=;t=1", -1, 0},
    {"\"a\";r;t=1", -1, 0},
    {"\"a\";r=18446744073709551616;t=1", -1, 0},
    {"\"a\";xr=5;t=1", -1, 0},
    {"\"a\";r=1 2;t=1", -1, 0},
    {"\"a", -1, 0},
    {"\"a\\", -1, 0},
    {";;;,,,;", -1, 0},
    {"=", -1, 0},
    {"", -1, 0},
};

START_TEST(rate_limits)
{
    drh_str     v = bare_copy(rates[_i].value);
    struct rate r;
    bool        ok = head_rate_limit(v, &r);

    ck_assert_msg(ok == (rates[_i].left >= 0), "%s: %d", rates[_i].value, ok);
    if (ok && rates[_i].left != INT64_MAX) {
        ck_assert_msg(r.left == (uint64_t)rates[_i].left && r.reset_s == rates[_i].reset,
                      "%s: %llu, %u", rates[_i].value, (unsigned long long)r.left, r.reset_s);
    }
    drop(v);
}
END_TEST

/* ---- digests ---- */

static const struct {
    uint32_t    kind;
    const char *text, *hex;
} digests[] = {
    /* by git hash-object and by the hub's own clients */
    {DRH_HASH_GIT_SHA1, "Hello, World!", "b45ef6fec89518d314f546fd6c3025367b721684"},
    {DRH_HASH_GIT_SHA1, "# hi\n", "77ebc6577e3fc2c38b5bc7f233510fafba6822ac"},
    {DRH_HASH_GIT_SHA1, "", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
    /* FIPS 180-4 */
    {DRH_HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {DRH_HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {DRH_HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {DRH_HASH_NONE, "anything", ""},
};

START_TEST(digests_of_texts)
{
    struct digest d = {0};
    const char   *text = digests[_i].text;
    uint8_t       sum[32];
    char          hex[DIGEST_HEX];

    for (size_t cut = 0; cut <= strlen(text); cut++) { /* in two parts; the context is used again */
        ck_assert(digest_start(&d, digests[_i].kind, strlen(text)));
        ck_assert(digest_add(&d, text, cut));
        ck_assert(digest_add(&d, text + cut, strlen(text) - cut));
        ck_assert(digest_end(&d, sum));
        digest_hex(sum, digest_size(digests[_i].kind), hex);
        ck_assert_str_eq(hex, digests[_i].hex);
    }
    digest_free(&d);
    digest_free(&d);
}
END_TEST

/* sha256sum of a million times "a", FIPS 180-4; what was left unfinished does not count. */
START_TEST(a_digest_starts_over)
{
    static char   a[1000];
    struct digest d = {0};
    uint8_t       sum[32];
    char          hex[DIGEST_HEX];

    memset(a, 'a', sizeof(a));
    ck_assert(digest_start(&d, DRH_HASH_GIT_SHA1, 5));
    ck_assert(digest_add(&d, "left", 4));
    ck_assert(digest_start(&d, DRH_HASH_SHA256, 1000000));
    for (int i = 0; i < 1000; i++) {
        ck_assert(digest_add(&d, a, sizeof(a)));
    }
    ck_assert(digest_end(&d, sum));
    digest_hex(sum, 32, hex);
    ck_assert_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    digest_free(&d);
    ck_assert_uint_eq(digest_size(DRH_HASH_GIT_SHA1), 20);
    ck_assert_uint_eq(digest_size(DRH_HASH_SHA256), 32);
    ck_assert_uint_eq(digest_size(DRH_HASH_NONE), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("http_head");

    tcase_add_loop_test(t, content_ranges, 0, ROWS(ranges));
    tcase_add_loop_test(t, whole_numbers, 0, ROWS(numbers));
    tcase_add_loop_test(t, retry_after, 0, ROWS(waits));
    tcase_add_test(t, retry_after_for_ever);
    tcase_add_loop_test(t, rate_limits, 0, ROWS(rates));
    tcase_add_loop_test(t, digests_of_texts, 0, ROWS(digests));
    tcase_add_test(t, a_digest_starts_over);
    return run_case("http_head", t);
}
