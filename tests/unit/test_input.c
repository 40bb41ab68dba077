/* SPDX-License-Identifier: MIT
 * test_input.c - files as record texts: forms, compression, positions, damage.  Every case runs
 * with reads of 1, 2, 3, 7 and 64 bytes and with the real size, so that each boundary falls
 * everywhere. A case is a file and the items it must give, written out by hand: "L|TEXT" a record
 * that starts in line L, "L!CODE" a refused one. */
#include "input.h"

#include "err.h"
#include "hash.h"
#include "input_impl.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

static const size_t chunks[] = {1, 2, 3, 7, 64, 256 << 10};
enum { N_CHUNKS = sizeof(chunks) / sizeof(chunks[0]), MOST_ITEMS = 40 };

static struct input_limits usual;
static char                path[64];

static void setup(void)
{
    int fd;

    usual = input_limits;
    snprintf(path, sizeof(path), "/tmp/drh_input_XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void teardown(void)
{
    input_limits = usual;
    unlink(path);
}

struct bytes {
    char  *p;
    size_t n;
};

static void put_file(const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static struct bytes plain(const char *p, size_t n)
{
    struct bytes b = {malloc(n + 1), n};

    memcpy(b.p, p, n);
    return b;
}

static struct bytes gz(const char *p, size_t n)
{
    struct bytes b = {malloc(n + 1000), 0};
    z_stream     z = {0};

    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)p;
    z.avail_in = (unsigned)n;
    z.next_out = (unsigned char *)b.p;
    z.avail_out = (unsigned)n + 1000;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    b.n = z.total_out;
    deflateEnd(&z);
    return b;
}

static struct bytes zst(const char *p, size_t n)
{
    size_t       cap = ZSTD_compressBound(n);
    struct bytes b = {malloc(cap), 0};

    b.n = ZSTD_compress(b.p, cap, p, n, 3);
    ck_assert(!ZSTD_isError(b.n));
    return b;
}

static struct bytes xz(const char *p, size_t n)
{
    struct bytes b = {malloc(n + 1000), 0};

    ck_assert_int_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, (const uint8_t *)p, n,
                                             (uint8_t *)b.p, &b.n, n + 1000),
                     LZMA_OK);
    return b;
}

static struct bytes join(struct bytes a, struct bytes b)
{
    a.p = realloc(a.p, a.n + b.n);
    memcpy(a.p + a.n, b.p, b.n);
    a.n += b.n;
    free(b.p);
    return a;
}

static void describe(const struct input_item *it, char *out, size_t cap)
{
    if (it->text) {
        snprintf(out, cap, "%d|%.*s", (int)it->line, (int)it->len, it->text);
    } else {
        ck_assert_ptr_nonnull(it->code);
        ck_assert_str_ne(it->message, "");
        snprintf(out, cap, "%d!%s", (int)it->line, it->code);
    }
}

/* Reads path from pos (NULL: the start) and compares with want[first ...]. */
static void expect_from(const char *const *want, size_t first, const struct input_pos *pos,
                        struct input_pos *tells)
{
    struct input     *in;
    struct input_item it;
    drh_error         e = ERR_INIT;
    drh_status        st;
    size_t            i = first;

    ck_assert_int_eq(input_open(&in, path, pos, &e), DRH_OK);
    while ((st = input_next(in, &it, &e)) == DRH_OK) {
        char got[400];

        describe(&it, got, sizeof(got));
        ck_assert_msg(want[i], "chunk %zu: item %zu too many: %s", input_limits.chunk, i, got);
        ck_assert_msg(strcmp(got, want[i]) == 0, "chunk %zu: item %zu is <%s>, not <%s>",
                      input_limits.chunk, i, got, want[i]);
        ck_assert_uint_eq(it.row, i);
        i++;
        if (tells) {
            input_tell(in, &tells[i]);
        }
    }
    ck_assert_int_eq(st, DRH_END);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_END);
    ck_assert_msg(!want[i], "chunk %zu: item %zu is missing: %s", input_limits.chunk, i, want[i]);
    input_close(in);
}

/* At every chunk size, and again from every position told on the way. */
static void expect_file(const char *const *want)
{
    size_t c, i;

    for (c = 0; c < N_CHUNKS; c++) {
        struct input_pos tells[MOST_ITEMS] = {{0}};

        input_limits.chunk = chunks[c];
        expect_from(want, 0, NULL, tells);
        for (i = 0; i == 0 || want[i - 1]; i++) {
            expect_from(want, i, &tells[i], NULL);
        }
    }
}

/* The same items from the text plain, in gzip (one member, two), in zstd (one frame, two)
 * and in xz (one stream, two). */
static void expect(const char *text, size_t n, const char *const *want)
{
    struct bytes all[7];
    size_t       half = n / 2;
    int          i;

    all[0] = plain(text, n);
    all[1] = gz(text, n);
    all[2] = join(gz(text, half), gz(text + half, n - half));
    all[3] = zst(text, n);
    all[4] = join(zst(text, half), zst(text + half, n - half));
    all[5] = xz(text, n);
    all[6] = join(xz(text, half), xz(text + half, n - half));
    for (i = 0; i < 7; i++) {
        put_file(all[i].p, all[i].n);
        expect_file(want);
        free(all[i].p);
    }
}

#define EXPECT(text, ...)                                                                          \
    do {                                                                                           \
        const char *const want_[] = {__VA_ARGS__, NULL};                                           \
        expect(text, sizeof(text) - 1, want_);                                                     \
    } while (0)

#define BOM "\xef\xbb\xbf"

START_TEST(lines)
{
    EXPECT("{\"a\":1}\n{\"a\":2}\n", "1|{\"a\":1}", "2|{\"a\":2}");
    EXPECT("{\"a\":1}\n{\"a\":2}", "1|{\"a\":1}", "2|{\"a\":2}");
    EXPECT("{\"a\":1}\r\n{\"a\":2}\r\n", "1|{\"a\":1}", "2|{\"a\":2}");
    EXPECT("{\"a\":1}\r\n{\"a\":2}\r", "1|{\"a\":1}", "2|{\"a\":2}");
    EXPECT(BOM "{\"a\":1}\r\n{\"a\":2}", "1|{\"a\":1}", "2|{\"a\":2}");
    EXPECT("\n  \n{\"a\":1}\n \t\r\n\r\n\n{\"a\":2}\n\n", "3|{\"a\":1}", "7|{\"a\":2}");
    EXPECT("  {\"a\":1}  \n  {\"a\":2}\n", "1|{\"a\":1}  ", "2|  {\"a\":2}");
    EXPECT("{\"a\":1}\r\r\n", "1|{\"a\":1}\r");
    EXPECT("7\n\"x\"\nnull\n", "1|7", "2|\"x\"", "3|null");
}
END_TEST

START_TEST(broken_first_line_stays_lines)
{
    EXPECT("{\"a\":\n{\"a\":2}\n", "1|{\"a\":", "2|{\"a\":2}");
    EXPECT("{\"a\": \"x\n{\"a\":2}\n", "1|{\"a\": \"x", "2|{\"a\":2}");
    EXPECT("garbage\n{\"a\":2}\n", "1|garbage", "2|{\"a\":2}");
    EXPECT("{\"a\":1,\"a\":1}\n{\"a\":2}\n", "1|{\"a\":1,\"a\":1}", "2|{\"a\":2}");
    EXPECT("{\"a\":1}{\"b\":2}\n{\"a\":2}\n", "1|{\"a\":1}{\"b\":2}", "2|{\"a\":2}");
    EXPECT("{\"a\":1}}\n{\"a\":2}\n", "1|{\"a\":1}}", "2|{\"a\":2}");
    EXPECT("{\n{\"a\":2}\n{\"a\":3}\n", "1|{", "2|{\"a\":2}", "3|{\"a\":3}");
}
END_TEST

START_TEST(empty)
{
    static const char *const texts[] = {"", "\n", BOM, BOM "\r\n  \n", "   "};
    static const char *const none[] = {NULL};
    size_t                   i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect(texts[i], strlen(texts[i]), none);
    }
}
END_TEST

START_TEST(array)
{
    EXPECT("[{\"a\":1},{\"a\":2}]", "1|{\"a\":1}", "1|{\"a\":2}");
    EXPECT("[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": \"]},{\\\"\\\\\"\n  }\n]\n",
           "2|{\n    \"a\": 1\n  }", "5|{\n    \"a\": \"]},{\\\"\\\\\"\n  }");
    EXPECT(BOM " \r\n[\r\n{\"a\":1}\r\n,\r\n{\"a\":2}\r\n]\r\n", "3|{\"a\":1}", "5|{\"a\":2}");
    EXPECT("[1, \"a,]\\\"\" ,null,[ [2],[] ],-1.5e3 ,{}]", "1|1", "1|\"a,]\\\"\"", "1|null",
           "1|[ [2],[] ]", "1|-1.5e3", "1|{}");
    EXPECT("[x y]", "1|x", "1!broken_array", "1|y");
}
END_TEST

START_TEST(empty_array)
{
    static const char *const none[] = {NULL};

    expect("[]", 2, none);
    expect(BOM " [ \n ] \n", 9, none);
}
END_TEST

START_TEST(broken_arrays)
{
    /* commas */
    EXPECT("[{\"a\":1} {\"a\":2}]", "1|{\"a\":1}", "1!broken_array", "1|{\"a\":2}");
    EXPECT("[{\"a\":1},\n]", "1|{\"a\":1}");
    EXPECT("[,]", "1!broken_array");
    EXPECT("[,{\"a\":1},,\n,{\"a\":2},,]", "1!broken_array", "1|{\"a\":1}", "1!broken_array",
           "2|{\"a\":2}", "2!broken_array");
    /* brackets that are too many */
    EXPECT("[{\"a\":1}},{\"a\":2}]", "1|{\"a\":1}", "1!broken_array", "1|{\"a\":2}");
    EXPECT("[{\"a\":[1]]},{\"a\":2}]", "1|{\"a\":[1]]}", "1|{\"a\":2}");
    /* too few, of the other kind: costs itself only */
    EXPECT("[{\"a\":[1},{\"a\":2}]", "1|{\"a\":[1}", "1|{\"a\":2}");
    /* a lost quote: the newline ends the string */
    EXPECT("[\n{\"a\":\"x}\n},\n{\"a\":2}\n]", "2|{\"a\":\"x}\n}", "4|{\"a\":2}");
    EXPECT("[\n\"x\\\n,\n{\"a\":2}\n]", "2|\"x\\", "4|{\"a\":2}");
    /* never balanced */
    EXPECT("[\n{\"a\":1},\n{\"a\":{\"b\":2},\n{\"a\":3}\n]", "2|{\"a\":1}", "3!broken_array");
    /* the end */
    EXPECT("[{\"a\":1},{\"a\":2}", "1|{\"a\":1}", "1|{\"a\":2}", "1!truncated");
    EXPECT("[{\"a\":1},\n\n", "1|{\"a\":1}", "3!truncated");
    EXPECT("[", "1!truncated");
    EXPECT("[{\"a\":1},tru", "1|{\"a\":1}", "1!truncated");
    EXPECT("[{\"a\":1},\"x", "1|{\"a\":1}", "1!truncated");
    EXPECT("[{\"a\":1}]\n[2]", "1|{\"a\":1}", "2!broken_array");
    EXPECT("[{\"a\":1},]\nx", "1|{\"a\":1}", "2!broken_array");
}
END_TEST

START_TEST(values)
{
    EXPECT("{\n  \"a\": 1\n}\n", "1|{\n  \"a\": 1\n}");
    EXPECT("\n{\n\"a\":1\n}{\"b\":\n2}\n\n{\"c\":3} 4\n\"x\" 5", "2|{\n\"a\":1\n}", "4|{\"b\":\n2}",
           "7|{\"c\":3}", "7|4", "8|\"x\"", "8|5");
    EXPECT(BOM "{\r\n\"a\":\"}\"\r\n}\r\n{\"b\":2}\r\n", "1|{\r\n\"a\":\"}\"\r\n}", "4|{\"b\":2}");
    EXPECT("{\n\"a\":1\n},\n{\"b\":2}\n", "1|{\n\"a\":1\n}", "3!broken_values", "4|{\"b\":2}");
    EXPECT("{\n\"a\":1\n}\n{\"b\":2\n", "1|{\n\"a\":1\n}", "4!broken_values");
    EXPECT("{\n\"a\":1\n}\n]]", "1|{\n\"a\":1\n}", "4!broken_values");
}
END_TEST

START_TEST(raw_nul_and_any_bytes_pass)
{
    struct input     *in;
    struct input_item it;
    drh_error         e = ERR_INIT;

    put_file("{\"a\":\"\0\xff\"}\n\0\n1\n", 15);
    ck_assert_int_eq(input_open(&in, path, NULL, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_uint_eq(it.len, 10);
    ck_assert_mem_eq(it.text, "{\"a\":\"\0\xff\"}", 10);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_uint_eq(it.len, 1);
    ck_assert_int_eq(it.text[0], 0);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_END);
    input_close(in);
}
END_TEST

START_TEST(too_long)
{
    input_limits.max_record = 20;
    EXPECT("{\"a\":1}\n{\"a\":\"01234567890123456789012345\"}\n{\"a\":2}\n", "1|{\"a\":1}",
           "2!line_too_long", "3|{\"a\":2}");
    EXPECT("{\"a\":\"01234567890123456789012345\"}", "1!line_too_long");
    EXPECT("{\"a\":\"012345678901\"}\n{\"a\":\"0123456789012\"}", "1|{\"a\":\"012345678901\"}",
           "2!line_too_long");
    EXPECT("[{\"a\":\"01234567890123456\n}\n},\n{\"a\":2}]", "1!element_too_long", "3!broken_array",
           "4|{\"a\":2}");
    EXPECT(
        "[\"012345678901234567890123\", 2, 012345678901234567890123, {\"a\":{ \"01234567890123\n",
        "1!element_too_long", "1|2", "1!element_too_long", "1!broken_array");
    EXPECT("{\n}\n{\"a\":\n\"01234567890123456\"}\n3", "1|{\n}", "3!element_too_long", "5|3");
}
END_TEST

/* A record of more than 64 MiB costs no more memory than the limit says; here with small numbers.
 */
static void long_record(char first, const char *tail, const char *code)
{
    size_t            n = 8 << 20;
    char             *p = malloc(n + 8);
    struct input     *in;
    struct input_item it;
    struct input_pos  pos;
    drh_error         e = ERR_INIT;

    memset(p, 'x', n);
    p[0] = first;
    p[1] = '"';
    memcpy(p + n, tail, strlen(tail));
    put_file(p, n + strlen(tail));
    free(p);
    input_limits.chunk = 4 << 10;
    input_limits.max_record = 64 << 10;
    input_limits.sniff = 16 << 10;
    ck_assert_int_eq(input_open(&in, path, NULL, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_str_eq(it.code, code);
    ck_assert_uint_le(input_held(in), (64 << 10) + 3 * (4 << 10));
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_uint_eq(it.line, 2);
    ck_assert_uint_eq(it.len, 1);
    input_tell(in, &pos);
    ck_assert_uint_eq(pos.offset, n + (first == '[' ? 4 : 2));
    ck_assert_int_eq(input_next(in, &it, &e), DRH_END);
    input_close(in);
}

START_TEST(long_record_in_bounded_memory)
{
    long_record('{', "\n7", "line_too_long");
    long_record('[', "\",\n7]", "element_too_long");
}
END_TEST

START_TEST(very_deep)
{
    enum { DEPTH = 10000 };
    char             *p = malloc(2 * DEPTH + 10);
    size_t            n = 0;
    struct input     *in;
    struct input_item it;
    drh_error         e = ERR_INIT;

    p[n++] = '[';
    memset(p + n, '[', DEPTH);
    memset(p + n + DEPTH, ']', DEPTH);
    n += 2 * DEPTH;
    memcpy(p + n, ",1]", 3);
    put_file(p, n + 3);
    free(p);
    ck_assert_int_eq(input_open(&in, path, NULL, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_uint_eq(it.len, 2 * DEPTH);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_uint_eq(it.len, 1);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_END);
    input_close(in);
}
END_TEST

/* ---- damage of compressed data ------------------------------------------------------------- */

/* 30 records; cut anywhere but between two parts, what comes out is a beginning of them and then
 * one item. */
static size_t cut_everywhere(struct bytes a, struct bytes more, const char *const *want)
{
    size_t       between = a.n;
    size_t       cut, most = 0;
    struct bytes b = join(a, more);

    for (cut = 20; cut < b.n; cut++) {
        struct input     *in;
        struct input_item it;
        drh_error         e = ERR_INIT;
        size_t            n = 0;
        char              got[400] = "";

        if (cut == between) {
            continue;
        }
        put_file(b.p, cut);
        ck_assert_int_eq(input_open(&in, path, NULL, &e), DRH_OK);
        while (input_next(in, &it, &e) == DRH_OK) {
            describe(&it, got, sizeof(got));
            if (!it.text) {
                break;
            }
            ck_assert_str_eq(got, want[n]);
            n++;
        }
        ck_assert_msg(!it.text, "cut at %zu of %zu: no item tells", cut, b.n);
        ck_assert_str_eq(it.code, "truncated");
        ck_assert_uint_eq(it.line, n + 1);
        ck_assert_int_eq(input_next(in, &it, &e), DRH_END);
        input_close(in);
        most = n > most ? n : most;
    }
    free(b.p);
    return most;
}

START_TEST(cut_compressed)
{
    char        text[30 * 40];
    char        lines_of[30][48];
    const char *want[32] = {NULL};
    size_t      n = 0;
    int         i;

    for (i = 0; i < 30; i++) {
        char line[40];

        snprintf(line, sizeof(line), "{\"a\":%d}", i * 7919);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", line);
        snprintf(lines_of[i], sizeof(lines_of[i]), "%d|%s", i + 1, line);
        want[i] = lines_of[i];
    }
    want[30] = "31|7";
    input_limits.chunk = 64;
    ck_assert_uint_eq(cut_everywhere(gz(text, n), gz("7\n", 2), want), 31);
    ck_assert_uint_eq(cut_everywhere(zst(text, n), zst("7\n", 2), want), 30);
    ck_assert_uint_eq(cut_everywhere(xz(text, n), xz("7\n", 2), want), 31);
}
END_TEST

#define WANT(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

START_TEST(damaged_compressed)
{
    struct bytes b = join(gz("1\n2\n", 4), plain("garbage", 7));

    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2", "3!bad_compression"));
    memset(b.p + b.n - 7, 0, 7); /* padding */
    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2"));
    b.p[b.n - 7 - 8] ^= 1; /* the member's CRC */
    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2", "3!bad_compression"));
    free(b.p);

    b = join(zst("1\n2\n", 4), plain("garbage", 7));
    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2", "3!bad_compression"));
    free(b.p);

    b = join(xz("1\n2\n", 4), plain("garbage of any kind", 19));
    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2", "3!bad_compression"));
    b.n -= 19;
    b.p[b.n - 20] ^= 1; /* its index */
    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2", "3!bad_compression"));
    free(b.p);

    b = join(plain("\x50\x2a\x4d\x18\x03\0\0\0abc", 11), zst("[1,\n2]", 6)); /* skippable frame */
    put_file(b.p, b.n);
    expect_file(WANT("1|1", "2|2"));
    free(b.p);
}
END_TEST

/* ---- the rest of the interface ------------------------------------------------------------- */

START_TEST(files_that_cannot_be_read)
{
    struct input     *in;
    struct input_item it;
    drh_error         e = ERR_INIT;

    ck_assert_int_eq(input_open(&in, "/nonexistent/x.json", NULL, &e), DRH_E_MISSING);
    ck_assert_ptr_null(in);
    ck_assert_ptr_nonnull(strstr(e.message, "/nonexistent/x.json"));
    ck_assert_int_eq(input_open(&in, "/tmp", NULL, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "folder"));
    input_close(in);
    input_close(NULL);
}
END_TEST

static void digest_is(const char *text, size_t n)
{
    struct input     *in;
    struct input_item it;
    struct input_pos  pos;
    drh_error         e = ERR_INIT;
    uint8_t           want[32], got[32];

    put_file(text, n);
    ck_assert_int_eq(sha256_of(text, n, want), DRH_OK);
    ck_assert_int_eq(input_open(&in, path, NULL, &e), DRH_OK);
    input_want_digest(in);
    ck_assert_int_eq(input_digest(in, got), DRH_E_MISSING);
    while (input_next(in, &it, &e) == DRH_OK) {
        input_tell(in, &pos);
    }
    ck_assert_int_eq(input_digest(in, got), DRH_OK);
    ck_assert_mem_eq(got, want, 32);
    ck_assert_uint_eq(input_read(in), n);
    input_close(in);
}

START_TEST(digest_of_the_raw_bytes)
{
    struct bytes b = gz("1\n2\n", 4);
    size_t       c;

    for (c = 0; c < N_CHUNKS; c++) {
        input_limits.chunk = chunks[c];
        digest_is("1\n2\n3", 5);
        digest_is("[1,2] and more that is not read as records", 42);
        digest_is("[{\"a\":1} ", 9);
        digest_is("[]", 2);
        digest_is("", 0);
        digest_is(b.p, b.n);
    }
    free(b.p);
}
END_TEST

START_TEST(no_digest_from_the_middle)
{
    struct input     *in;
    struct input_item it;
    struct input_pos  pos;
    drh_error         e = ERR_INIT;
    uint8_t           got[32];

    put_file("1\n2\n", 4);
    ck_assert_int_eq(input_open(&in, path, NULL, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    input_tell(in, &pos);
    input_close(in);
    ck_assert_int_eq(input_open(&in, path, &pos, &e), DRH_OK);
    input_want_digest(in);
    while (input_next(in, &it, &e) == DRH_OK) {
    }
    ck_assert_int_eq(input_digest(in, got), DRH_E_MISSING);
    input_close(in);
    pos.form = 99;
    ck_assert_int_eq(input_open(&in, path, &pos, &e), DRH_E_UNSUPPORTED);
}
END_TEST

START_TEST(standard_input)
{
    struct input     *in;
    struct input_item it;
    struct input_pos  pos;
    drh_error         e = ERR_INIT;
    int               pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq(write(pipes[1], "{\"a\":1}\n2", 9), 9);
    close(pipes[0]);
    close(pipes[1]);
    ck_assert_int_eq(input_open(&in, "-", NULL, &e), DRH_OK);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    ck_assert_uint_eq(it.len, 7);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_OK);
    input_tell(in, &pos);
    ck_assert_int_eq(input_next(in, &it, &e), DRH_END);
    input_close(in);
    ck_assert_int_eq(input_open(&in, "-", &pos, &e), DRH_E_IO);
}
END_TEST

int main(void)
{
    Suite   *s = suite_create("input");
    TCase   *t = tcase_create("input");
    SRunner *r;
    int      failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, lines);
    tcase_add_test(t, broken_first_line_stays_lines);
    tcase_add_test(t, empty);
    tcase_add_test(t, array);
    tcase_add_test(t, empty_array);
    tcase_add_test(t, broken_arrays);
    tcase_add_test(t, values);
    tcase_add_test(t, raw_nul_and_any_bytes_pass);
    tcase_add_test(t, too_long);
    tcase_add_test(t, long_record_in_bounded_memory);
    tcase_add_test(t, very_deep);
    tcase_add_test(t, cut_compressed);
    tcase_add_test(t, damaged_compressed);
    tcase_add_test(t, files_that_cannot_be_read);
    tcase_add_test(t, digest_of_the_raw_bytes);
    tcase_add_test(t, no_digest_from_the_middle);
    tcase_add_test(t, standard_input);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
