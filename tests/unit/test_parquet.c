/* SPDX-License-Identifier: MIT
 *
 * test_parquet.c - the Parquet reader: encodings with the examples of the format's Encodings.md,
 * codecs, value forms, positions after every row, and what it does when memory runs out.  Whole
 * files of other writers are read by e2e/parquet.sh.
 */
#include "column.h"
#include "reader_host.h"
#include "run.h"
#include "../columns/text.h"

#include "mem.h"

#include <fcntl.h>
#include <unistd.h>

#define FILES DRH_SOURCE_DIR "/tests/data/parquet/"

extern const drh_entry drh_entry_v1;

/* ---- a host for the parts ---- */

static void *part_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        mem_free(old);
        return NULL;
    }
    return mem_resize(old, size);
}

static const drh_host part_host = {.struct_size = sizeof(part_host), .alloc = part_alloc};

static struct col_file part_file(void)
{
    return (struct col_file){.host = &part_host, .fd = -1, .limit = 1 << 20};
}

/* ---- Thrift ---- */

/* {1: 5, 2: "ab", 3: [1, 2], 4: {1: true}, 20: -3}, by the words of thrift-compact-protocol.md */
static const uint8_t thrift[] = {0x15, 0x0a, 0x18, 2,    'a',  'b',  0x19, 0x25, 2,
                                 4,    0x1c, 0x11, 0x00, 0x05, 0x28, 0x05, 0x00};

START_TEST(thrift_reads)
{
    struct pq_thrift t;
    struct pq_field  f = {0}, in = {0};
    drh_str          s;

    pq_thrift_open(&t, thrift, sizeof(thrift));
    ck_assert(pq_thrift_next(&t, &f) && f.id == 1);
    ck_assert_int_eq(pq_thrift_i32(&t, &f), 5);
    ck_assert(pq_thrift_next(&t, &f) && f.id == 2);
    s = pq_thrift_text(&t, &f);
    ck_assert(s.len == 2 && memcmp(s.ptr, "ab", 2) == 0);
    ck_assert(pq_thrift_next(&t, &f) && f.id == 3);
    ck_assert_uint_eq(pq_thrift_list(&t, &f, PQ_T_I32), 2);
    in.type = PQ_T_I32;
    ck_assert_int_eq(pq_thrift_i32(&t, &in), 1);
    ck_assert_int_eq(pq_thrift_i32(&t, &in), 2);
    ck_assert(pq_thrift_next(&t, &f) && f.id == 4);
    pq_thrift_struct(&t, &f);
    in.id = 0;
    ck_assert(pq_thrift_next(&t, &in) && in.id == 1 && pq_thrift_bool(&t, &in));
    ck_assert(!pq_thrift_next(&t, &in));
    ck_assert(pq_thrift_next(&t, &f) && f.id == 20);
    ck_assert_int_eq(pq_thrift_int(&t, &f), -3);
    ck_assert(!pq_thrift_next(&t, &f) && !t.bad && t.p == t.end);
}
END_TEST

START_TEST(thrift_cut_anywhere)
{
    for (size_t n = 0; n < sizeof(thrift); n++) {
        struct pq_thrift t;
        struct pq_field  f = {0};

        pq_thrift_open(&t, thrift, n);
        while (pq_thrift_next(&t, &f)) {
            pq_thrift_skip(&t, f.type);
        }
        ck_assert(t.bad && t.cut);
    }
}
END_TEST

START_TEST(thrift_nonsense)
{
    static const struct {
        const char *bytes;
        size_t      n;
    } bad[] = {
        {"\x1d\x00", 2},                                          /* no such type */
        {"\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* a number without end */
        {"\x18\x05\x61", 3},                                      /* a text longer than all */
        {"\x19\xf5\xff\xff\xff\xff\x0f", 7},                      /* a list longer than all */
    };
    uint8_t deep[200];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pq_thrift t;
        struct pq_field  f = {0};

        pq_thrift_open(&t, bad[i].bytes, bad[i].n);
        while (pq_thrift_next(&t, &f)) {
            pq_thrift_skip(&t, f.type);
        }
        ck_assert(t.bad);
    }
    memset(deep, 0x1c, sizeof(deep)); /* structs in structs */
    {
        struct pq_thrift t;
        struct pq_field  f = {0};

        pq_thrift_open(&t, deep, sizeof(deep));
        ck_assert(pq_thrift_next(&t, &f));
        pq_thrift_skip(&t, f.type);
        ck_assert(t.bad && !t.cut);
    }
}
END_TEST

/* ---- runs ---- */

static void check_runs(struct pq_rle *r, const uint32_t *want, size_t n)
{
    uint32_t got[64];

    ck_assert_uint_eq(pq_rle_get(r, got, 64), n);
    ck_assert_int_eq(memcmp(got, want, n * sizeof(*want)), 0);
}

START_TEST(rle_examples)
{
    static const uint32_t one_to_seven[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint32_t mixed[] = {5, 5, 5, 0, 1, 2, 3, 4, 5, 6, 7};
    struct pq_rle         r;

    /* "the numbers 0 through 7 using bit width 3" */
    ck_assert(pq_rle_open(&r, (const uint8_t *)"\x03\x88\xc6\xfa", 4, 3));
    check_runs(&r, one_to_seven, 8);
    /* a run of three fives before it */
    ck_assert(pq_rle_open(&r, (const uint8_t *)"\x06\x05\x03\x88\xc6\xfa", 6, 3));
    check_runs(&r, mixed, 11);
    /* the deprecated order of bits */
    ck_assert(pq_rle_open_bits(&r, (const uint8_t *)"\x05\x39\x77", 3, 3));
    check_runs(&r, one_to_seven, 8);
    /* a batch that ends inside of a run goes on where it was */
    {
        uint32_t some[3];
        ck_assert(pq_rle_open(&r, (const uint8_t *)"\x03\x88\xc6\xfa", 4, 3));
        ck_assert_uint_eq(pq_rle_get(&r, some, 3), 3);
        check_runs(&r, one_to_seven + 3, 5);
    }
}
END_TEST

START_TEST(rle_counts_zeros)
{
    /* a run of three zeros, the numbers 0 to 7, a run of 2^20 zeros, one of two ones */
    static const uint8_t bytes[] = "\x06\x00\x03\x88\xc6\xfa\x80\x80\x80\x01\x00\x04\x01";
    static const struct {
        uint64_t n, zeros;
    } cases[] = {
        {0, 0}, {2, 2}, {3, 3}, {4, 4}, {11, 4}, {12, 5}, {11 + (1 << 20) + 2, 4 + (1 << 20)}};
    struct pq_rle r;
    uint64_t      got;
    uint32_t      some[5];

    ck_assert(pq_rle_open(&r, bytes, sizeof(bytes) - 1, 3));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert(pq_rle_zeros(&r, cases[i].n, &got));
        ck_assert_uint_eq(got, cases[i].zeros);
    }
    ck_assert(!pq_rle_zeros(&r, 11 + (1 << 20) + 3, &got)); /* one more than there are */
    ck_assert_uint_eq(pq_rle_get(&r, some, 5), 5);          /* it gives nothing away */
    ck_assert_uint_eq(some[4], 1);
    ck_assert(pq_rle_zeros(&r, 6, &got)); /* from inside the group on: 2 to 7 */
    ck_assert_uint_eq(got, 0);
}
END_TEST

START_TEST(rle_nonsense)
{
    static const struct {
        const char *bytes;
        size_t      n, values;
        uint32_t    width;
    } bad[] = {{"", 0, 0, 3},         {"\x80", 1, 0, 3},
               {"\x06", 1, 0, 3},     {"\xff\xff\xff\xff\xff", 5, 0, 3},
               {"\x03\x88", 2, 2, 3}, {"\x00\x00\x00\x00\x00\x00", 6, 0, 8}};
    struct pq_rle r;
    uint32_t      got[16];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert(pq_rle_open(&r, (const uint8_t *)bad[i].bytes, bad[i].n, bad[i].width));
        ck_assert_uint_eq(pq_rle_get(&r, got, 16), bad[i].values);
    }
    ck_assert(!pq_rle_open(&r, (const uint8_t *)"\x03", 1, 33));
}
END_TEST

/* ---- differences ---- */

static void check_delta(const char *bytes, size_t n, const int64_t *want, size_t n_want)
{
    struct pq_delta d;
    int64_t         v;

    ck_assert(pq_delta_open(&d, (const uint8_t *)bytes, n));
    ck_assert_ptr_eq(pq_delta_end(&d), bytes + n);
    for (size_t i = 0; i < n_want; i++) {
        ck_assert(pq_delta_next(&d, &v));
        ck_assert_int_eq(v, want[i]);
    }
    ck_assert(!pq_delta_next(&d, &v));
}

/* The two examples of the format, miniblocks of 8 values. */
START_TEST(delta_examples)
{
    static const int64_t first[] = {1, 2, 3, 4, 5}, second[] = {7, 5, 3, 1, 2, 3, 4, 5};

    check_delta("\x08\x01\x05\x02\x02\x00", 6, first, 5);
    check_delta("\x08\x01\x08\x0e\x03\x02\xc0\x3f", 8, second, 8);
}
END_TEST

START_TEST(delta_nonsense)
{
    static const struct {
        const char *bytes;
        size_t      n;
    } bad[] = {{"", 0},
               {"\x08\x00\x05\x02", 4},                 /* no miniblocks */
               {"\x09\x01\x05\x02", 4},                 /* of 9 values */
               {"\x08\x01\x05\x02", 4},                 /* no block */
               {"\x08\x01\x05\x02\x02\x41", 6},         /* of 65 bits */
               {"\x08\x01\x05\x02\x02\x40\x01\x02", 8}, /* too short */
               {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 11}};
    struct pq_delta d;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert(!pq_delta_open(&d, (const uint8_t *)bad[i].bytes, bad[i].n) ||
                  pq_delta_end(&d) == NULL);
    }
}
END_TEST

/* ---- values ---- */

static void check_values(enum pq_physical physical, uint32_t width, int32_t encoding,
                         const char *bytes, size_t n, const char *const *want)
{
    struct col_file  f = part_file();
    struct pq_values v = {.file = &f};
    struct pq_type   type = {.physical = physical, .show.width = width};
    struct col_value got;
    drh_error        e = DRH_ERROR_INIT;

    ck_assert_int_eq(pq_values_open(&v, &type, encoding, NULL, (const uint8_t *)bytes, n, &e),
                     DRH_OK);
    for (; *want; want++) {
        ck_assert_int_eq(pq_values_next(&v, &got, &e), DRH_OK);
        ck_assert_uint_eq(got.n, width ? width : strlen(*want));
        ck_assert_int_eq(memcmp(got.p, *want, got.n), 0);
    }
    ck_assert_int_eq(pq_values_next(&v, &got, &e), DRH_E_DATA);
    pq_values_free(&v);
    ck_assert_uint_eq(f.used, 0);
}

/* Lengths and prefixes are written as miniblocks of 8 values, by hand. */
START_TEST(values_examples)
{
    /* 5, 5, 6, 6: differences 0, 1, 0 of one bit */
    check_values(PQ_BYTE_ARRAY, 0, PQ_DELTA_LENGTH_BYTE_ARRAY,
                 "\x08\x01\x04\x0a\x00\x01\x02HelloWorldFoobarABCDEF", 29,
                 (const char *const[]){"Hello", "World", "Foobar", "ABCDEF", NULL});
    /* 0, 2, 0, 3: from -2 on 4, 0, 5 of three bits; 4, 2, 6, 5: from -2 on 0, 6, 1 */
    check_values(PQ_BYTE_ARRAY, 0, PQ_DELTA_BYTE_ARRAY,
                 "\x08\x01\x04\x00\x03\x03\x44\x01\x00\x08\x01\x04\x08\x03\x03\x70\x00\x00"
                 "axislebabbleyhood",
                 35, (const char *const[]){"axis", "axle", "babble", "babyhood", NULL});
    check_values(
        PQ_FLOAT, 4, PQ_BYTE_STREAM_SPLIT, "\xaa\x00\xa3\xbb\x11\xb4\xcc\x22\xc5\xdd\x33\xd6", 12,
        (const char *const[]){"\xaa\xbb\xcc\xdd", "\x00\x11\x22\x33", "\xa3\xb4\xc5\xd6", NULL});
    check_values(PQ_BYTE_ARRAY, 0, PQ_PLAIN, "\x02\0\0\0ab\0\0\0\0\x01\0\0\0c", 15,
                 (const char *const[]){"ab", "", "c", NULL});
    check_values(PQ_INT32, 4, PQ_PLAIN, "\x01\x02\x03\x04\x05\x06\x07\x08", 8,
                 (const char *const[]){"\x01\x02\x03\x04", "\x05\x06\x07\x08", NULL});
    check_values(PQ_INT32, 4, PQ_DELTA_BINARY_PACKED, "\x08\x01\x02\x02\x02\x00", 6,
                 (const char *const[]){"\x01\0\0\0", "\x02\0\0\0", NULL});
}
END_TEST

START_TEST(values_dictionary)
{
    struct col_file      f = part_file();
    struct pq_dictionary d = {0};
    struct pq_values     v = {.file = &f};
    struct pq_type       type = {.physical = PQ_BYTE_ARRAY};
    struct col_value     got;
    drh_error            e = DRH_ERROR_INIT;

    ck_assert_int_eq(col_reserve(&f, &d.bytes, 11, &e), DRH_OK);
    memcpy(d.bytes.p, "\x02\0\0\0ab\x01\0\0\0c", 11);
    ck_assert_int_eq(pq_dictionary_open(&f, &d, &type, 2, 11, &e), DRH_OK);
    /* two bits: a run of two ones, then a two, which is not there */
    ck_assert_int_eq(pq_values_open(&v, &type, PQ_PLAIN_DICTIONARY, &d,
                                    (const uint8_t *)"\x02\x04\x01\x02\x02", 5, &e),
                     DRH_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pq_values_next(&v, &got, &e), DRH_OK);
        ck_assert(got.n == 1 && *got.p == 'c');
    }
    ck_assert_int_eq(pq_values_next(&v, &got, &e), DRH_E_DATA);
    ck_assert_ptr_nonnull(strstr(e.message, "entry 2 of a dictionary of 2"));
    ck_assert_int_eq(pq_dictionary_open(&f, &d, &type, 3, 11, &e), DRH_E_DATA);
    pq_dictionary_free(&f, &d);
    pq_values_free(&v);
    ck_assert_uint_eq(f.used, 0);
}
END_TEST

START_TEST(values_refused)
{
    static const struct {
        enum pq_physical physical;
        int32_t          encoding;
    } no[] = {{PQ_BOOLEAN, PQ_RLE_DICTIONARY},
              {PQ_INT32, PQ_RLE},
              {PQ_FLOAT, PQ_DELTA_BINARY_PACKED},
              {PQ_FIXED, PQ_DELTA_LENGTH_BYTE_ARRAY},
              {PQ_INT64, PQ_DELTA_BYTE_ARRAY},
              {PQ_BYTE_ARRAY, PQ_BYTE_STREAM_SPLIT},
              {PQ_BOOLEAN, PQ_BIT_PACKED},
              {PQ_INT64, 77},
              {PQ_INT64, PQ_RLE_DICTIONARY /* and there is none */}};
    struct col_file  f = part_file();
    struct pq_values v = {.file = &f};

    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        struct pq_type type = {.physical = no[i].physical, .show.width = 8};
        drh_error      e = DRH_ERROR_INIT;

        ck_assert_int_eq(pq_values_open(&v, &type, no[i].encoding, NULL,
                                        (const uint8_t *)"\x01\x02\x03\x04\x05\x06\x07\x08", 8, &e),
                         DRH_E_DATA);
        ck_assert_str_ne(e.message, "");
    }
}
END_TEST

/* ---- compressions ---- */

#define PLAIN "one two one two one two one two"
#define LZ4                                                                                        \
    "\x8eone two \x08\x00\x50"                                                                     \
    "e two"

/* As pyarrow.Codec writes it; LZ4 of old are Hadoop's blocks, or one without sizes. */
static const struct {
    uint32_t    codec;
    const char *bytes;
    size_t      n;
} packed[] = {
    {PQ_SNAPPY, "\x1f\x1cone two \x5a\x08\x00", 13},
    {PQ_GZIP,
     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\x4b\x55\x28\x29\xcf\x57\xc8\xc7\x4e\x03\x00"
     "\x47\x80"
     "\x66\xe6\x1f\x00\x00\x00",
     31},
    {PQ_BROTLI, "\x1b\x1e\x00\x00\x04\x1c\x72\xa4\x77\x49\xbb\xb4\x15\xfc\x84\x23\x36\xec\x02", 19},
    {PQ_ZSTD, "\x28\xb5\x2f\xfd\x20\x1f\x75\x00\x00\x40one two \x01\x00\xab\x0b\x17", 23},
    {PQ_LZ4_RAW, LZ4, 17},
    {PQ_LZ4, LZ4, 17},
    {PQ_LZ4, "\0\0\0\x1f\0\0\0\x11" LZ4, 25},
};

static drh_status unpack_to(size_t i, size_t n, size_t n_out)
{
    struct col_file  f = part_file();
    struct pq_unpack u = {0};
    uint8_t         *in = malloc(n ? n : 1), *out = malloc(n_out); /* no byte more */
    drh_status       st;

    ck_assert(in && out);
    memcpy(in, packed[i].bytes, n);
    st = pq_decompress(&u, packed[i].codec, in, n, out, n_out);
    ck_assert(st != DRH_OK || memcmp(out, PLAIN, n_out) == 0);
    pq_unpack_free(&f, &u);
    free(in);
    free(out);
    return st;
}

START_TEST(codecs)
{
    size_t n = strlen(PLAIN);

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        ck_assert_int_eq(unpack_to(i, packed[i].n, n), DRH_OK);
        ck_assert_int_eq(unpack_to(i, packed[i].n, n - 1), DRH_E_DATA); /* more than the page */
        ck_assert_int_eq(unpack_to(i, packed[i].n, n + 1), DRH_E_DATA); /* less */
        for (size_t k = 0; k < packed[i].n; k++) {
            ck_assert_int_eq(unpack_to(i, k, n), DRH_E_DATA); /* cut */
        }
    }
    ck_assert_ptr_nonnull(pq_codec_refused(PQ_LZO));
    ck_assert_ptr_nonnull(pq_codec_refused(8));
    ck_assert_ptr_null(pq_codec_refused(PQ_LZ4_RAW));
}
END_TEST

/* ---- forms ---- */

static const char *form(char *end, char *text)
{
    *end = '\0';
    return text;
}

START_TEST(forms_of_dates)
{
    char t[128];

    ck_assert_str_eq(form(col_put_date(t, 0), t), "1970-01-01");
    ck_assert_str_eq(form(col_put_date(t, 19782), t), "2024-02-29");
    ck_assert_str_eq(form(col_put_date(t, -719162), t), "0001-01-01");
    ck_assert_str_eq(form(col_put_date(t, -719528), t), "0000-01-01");
    ck_assert_str_eq(form(col_put_date(t, -719529), t), "-0001-12-31");
    ck_assert_str_eq(form(col_put_date(t, 2932896), t), "9999-12-31");
    ck_assert_str_eq(form(col_put_date(t, 2932897), t), "+10000-01-01");
    ck_assert_str_eq(form(col_put_date(t, INT32_MAX), t), "+5881580-07-11");
    ck_assert_str_eq(form(col_put_date(t, INT32_MIN), t), "-5877641-06-23");
    ck_assert_str_eq(form(col_put_time(t, 45000250, 1000), t), "12:30:00.250000");
    ck_assert_str_eq(form(col_put_time(t, 1, 1000000000), t), "00:00:00.000000001");
    ck_assert_str_eq(form(col_put_timestamp(t, -1, 1000, true), t),
                     "1969-12-31T23:59:59.999000+00:00");
    ck_assert_str_eq(form(col_put_timestamp(t, INT64_MAX, 1000000000, false), t),
                     "2262-04-11T23:47:16.854775807");
    ck_assert_str_eq(form(col_put_timestamp(t, INT64_MIN, 1000, false), t),
                     "-292275055-05-16T16:47:04.192000");
    /* twelve hours into Julian day 2440589 */
    ck_assert_str_eq(form(col_put_int96(t, (const uint8_t *)"\x00\x80\xa7\x48\x4a\x27\x00\x00"
                                                            "\x8d\x3d\x25\x00"),
                          t),
                     "1970-01-02T12:00:00");
    ck_assert_str_eq(
        form(col_put_interval(t, (const uint8_t *)"\x0e\0\0\0\x03\0\0\0\xbc\x0b\0\0"), t),
        "P14M3DT3.004S");
}
END_TEST

START_TEST(forms_of_numbers)
{
    char          t[400];
    const uint8_t min64[8] = {0x80};
    uint8_t       most[64];

    ck_assert_str_eq(form(col_put_uint(t, UINT64_MAX), t), "18446744073709551615");
    ck_assert_str_eq(form(col_put_decimal(t, (const uint8_t *)"", 0, 2), t), "0.00");
    ck_assert_str_eq(form(col_put_decimal(t, (const uint8_t *)"\x00\x7b", 2, 2), t), "1.23");
    ck_assert_str_eq(form(col_put_decimal(t, (const uint8_t *)"\xff", 1, 3), t), "-0.001");
    ck_assert_str_eq(form(col_put_decimal(t, (const uint8_t *)"\x64", 1, 2), t), "1.00");
    ck_assert_str_eq(form(col_put_decimal(t, (const uint8_t *)"\x64", 1, 0), t), "100");
    ck_assert_str_eq(form(col_put_decimal(t, min64, 8, 0), t), "-9223372036854775808");
    memset(most, 0xff, sizeof(most));
    most[0] = 0x7f; /* 2 to the power of 511, less 1 */
    ck_assert_str_eq(
        form(col_put_decimal(t, most, 64, 0), t),
        "670390396497129854978701249910292306373968291029619668886178072186088201503677348840093714"
        "9083451713845015929093243025426876941405973284973216824503042047");
    memset(most, 0, sizeof(most));
    most[0] = 0x80;
    ck_assert_str_eq(
        form(col_put_decimal(t, most, 64, 0), t),
        "-67039039649712985497870124991029230637396829102961966888617807218608820150367734884009371"
        "49083451713845015929093243025426876941405973284973216824503042048");
    ck_assert_uint_le(strlen(t) + 1, col_decimal_size(64, 0));
}
END_TEST

START_TEST(forms_of_bytes)
{
    static const char *const base64[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
    char t[64];

    for (size_t i = 0; i < sizeof(base64) / sizeof(base64[0]); i++) { /* RFC 4648, and one more */
        ck_assert_str_eq(
            form(col_put_base64(t, (const uint8_t *)base64[i][0], strlen(base64[i][0])), t),
            base64[i][1]);
    }
    ck_assert(col_utf8("\0a\xc3\xbc\xe2\x82\xac\xf0\x9f\x99\x82\x7f", 12));
    ck_assert(!col_is_text("a\0", 2) && !col_is_text("\x7f", 1) &&
              col_is_text("\t\r\n\xc3\xbc", 5));
    ck_assert(!col_utf8("\xc0\x80", 2) && !col_utf8("\xed\xa0\x80", 3) && !col_utf8("\xc3", 1));
    ck_assert(!col_utf8("\xf4\x90\x80\x80", 4) && !col_utf8("\xe0\x9f\xbf", 3) &&
              !col_utf8("\x80", 1));
}
END_TEST

/* ---- whole files ---- */

enum { MOST = 2000 };

static struct reader_host *host_of(const char *options)
{
    drh_error           e = DRH_ERROR_INIT;
    struct reader_host *h = reader_new(&drh_entry_v1, options, &e);

    ck_assert_msg(h != NULL, "%s", e.message);
    return h;
}

/* Opened at the position after any row, the rest is the same, and the position, too. */
static void check_positions(const char *path, size_t step)
{
    static char        *row[MOST], *at[MOST + 1];
    struct reader_host *h = host_of("{}");
    drh_error           e = DRH_ERROR_INIT;
    drh_status          st = reader_open(h, path, NULL, &e);
    const char         *text;
    size_t              n = 0;

    ck_assert_int_eq(st, DRH_OK);
    at[0] = strdup(reader_tell(h));
    while ((text = reader_next(h, &st, &e)) != NULL && n < MOST) {
        row[n++] = strdup(text);
        at[n] = strdup(reader_tell(h));
    }
    ck_assert_int_eq(st, DRH_END);
    for (size_t i = 0; i <= n; i += step) {
        ck_assert_int_eq(reader_open(h, path, at[i], &e), DRH_OK);
        ck_assert_str_eq(reader_tell(h), at[i]);
        for (size_t k = i; k < n && k < i + 3; k++) {
            text = reader_next(h, &st, &e);
            ck_assert_msg(text && strcmp(text, row[k]) == 0, "row %zu from %s", k, at[i]);
            ck_assert_str_eq(reader_tell(h), at[k + 1]);
        }
    }
    ck_assert_int_eq(reader_open(h, path, "99:0", &e), DRH_E_ARG);
    ck_assert_int_eq(reader_open(h, path, "0:99999", &e), DRH_E_ARG);
    ck_assert_int_eq(reader_open(h, path, "x", &e), DRH_E_ARG);
    for (size_t i = 0; i <= n; i++) {
        free(at[i]);
        if (i < n) {
            free(row[i]);
        }
    }
    reader_free(h);
    ck_assert_uint_eq(reader_blocks, 0);
}

START_TEST(positions)
{
    check_positions(FILES "many.arrow.parquet", 13);
    check_positions(FILES "many.arrow-v2.parquet", 17);
    check_positions(FILES "many.rs.parquet", 101);
    check_positions(FILES "encoded.arrow-split.parquet", 7);
    check_positions(FILES "encoded.rs-delta.parquet", 7);
    check_positions(FILES "chats.arrow-plain.parquet", 1);
    check_positions(FILES "chats.duckdb-v2.parquet", 1);
    check_positions(FILES "empty.arrow.parquet", 1);
}
END_TEST

/* All rows, or why there are no more. */
static char *read_all(struct reader_host *h, const char *path)
{
    static char text[1 << 16];
    drh_error   e = DRH_ERROR_INIT;
    drh_status  st = reader_open(h, path, NULL, &e);
    const char *row;
    size_t      n = 0;

    while (st == DRH_OK && (row = reader_next(h, &st, &e)) != NULL) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", row);
        ck_assert_uint_lt(n, sizeof(text));
    }
    if (st != DRH_END) {
        (void)snprintf(text + n, sizeof(text) - n, "error %d: %s", st, e.message);
    }
    reader_close(h);
    return text;
}

START_TEST(projection)
{
    static const char *const cases[][2] = {
        {"{\"columns\":[\"system\",\"id\"]}",
         "{\"id\":\"chat-0\",\"system\":\"You are\\na helpful\\tassistant.\"}\n"},
        {"{\"columns\":[\"conversations.value\",\"meta.deep.list\"]}",
         "{\"conversations\":[{\"value\":\"河\"}],\"meta\":null}\n"},
        {"{\"columns\":[\"meta\",\"id\"],\"without\":[\"meta.deep\",\"no.such\"]}",
         "{\"id\":\"chat-0\",\"meta\":null}\n{\"id\":\"chat-1\",\"meta\":{\"source\":\"books\","
         "\"n\":63}}\n"},
        {"{\"without\":[\"conversations\",\"system\",\"tags\",\"meta\",\"counts\"]}",
         "{\"id\":\"chat-0\",\"score\":26.75}\n"},
        {"{\"columns\":[\"chats\"]}",
         "error 17: there is no column \"chats\" in it; there are: id, "
         "conversations, system, score, tags, meta, counts"},
        {"{\"columns\":[\"counts.key\"]}", "error 17: there is no column \"counts.key\""},
        {"{\"columns\":[\"id\"],\"without\":[\"id\"]}", "error 17: no column is left"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reader_host *h = host_of(cases[i][0]);
        const char         *got = read_all(h, FILES "chats.arrow-zstd.parquet");

        ck_assert_msg(strncmp(got, cases[i][1], strlen(cases[i][1])) == 0, "%s: %.300s",
                      cases[i][0], got);
        reader_free(h);
    }
}
END_TEST

/* Each allocation fails once: an error says so, or all is well. */
static void sweep(const char *path, const char *want)
{
    size_t n;

    for (n = 1;; n++) {
        drh_error           e = DRH_ERROR_INIT;
        struct reader_host *h;
        const char         *got;
        bool                failed;

        reader_fail_at = n;
        h = reader_new(&drh_entry_v1, "{}", &e);
        if (!h) {
            ck_assert_int_eq(e.code, DRH_E_NOMEM);
            continue;
        }
        got = read_all(h, path);
        failed = reader_allocs >= n;
        ck_assert_msg(strcmp(got, want) == 0 || (failed && strstr(got, "error 27: ") != NULL),
                      "allocation %zu: %.300s", n, got);
        reader_free(h);
        ck_assert_uint_eq(reader_blocks, 0);
        if (!failed) {
            break;
        }
    }
    reader_fail_at = 0;
    ck_assert_uint_gt(n, 5);
}

START_TEST(out_of_memory)
{
    static const char *const files[] = {"chats.arrow-zstd.parquet", "types.arrow.parquet",
                                        "chats.rs-v2.parquet", "old-map.key-value.parquet"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct reader_host *h = host_of("{}");
        char                path[512], *want;

        (void)snprintf(path, sizeof(path), FILES "%s", files[i]);
        want = strdup(read_all(h, path));
        reader_free(h);
        ck_assert_ptr_null(strstr(want, "error "));
        sweep(path, want);
        free(want);
    }
}
END_TEST

/* ---- damage ---- */

static char *load(const char *path, size_t *n)
{
    char *p = malloc(1 << 20);
    FILE *f = fopen(path, "rbe");

    ck_assert(p != NULL && f != NULL);
    *n = fread(p, 1, 1 << 20, f);
    (void)fclose(f);
    return p;
}

static void save(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wbe");

    ck_assert(f != NULL && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* Cut after any byte: no row, and a reason.  One bit turned anywhere where a checksum or the footer
 * sees it: never another row. */
START_TEST(damage)
{
    char                path[] = "/tmp/drh_parquet_XXXXXX";
    int                 fd = mkstemp(path);
    struct reader_host *h = host_of("{}");
    size_t              n;
    char               *file = load(FILES "bad.checksum.parquet", &n), *want;

    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    want = strdup(read_all(h, FILES "bad.checksum.parquet"));
    for (size_t k = 0; k < n; k += 7) {
        save(path, file, k);
        ck_assert_int_eq(strncmp(read_all(h, path), "error 18: ", 10), 0);
    }
    for (size_t k = 4; k < n - 4; k += 11) {
        const char *got;

        file[k] ^= 0x10;
        save(path, file, n);
        got = read_all(h, path);
        if (strstr(got, "wrong checksum")) {
            const char *rows = strstr(got, "error ");
            ck_assert_int_eq(strncmp(got, want, (size_t)(rows - got)), 0);
        }
        file[k] ^= 0x10;
    }
    /* the first page of the first column */
    file[60] ^= 1;
    save(path, file, n);
    ck_assert_ptr_nonnull(strstr(read_all(h, path), "row group 0, column id: "));
    reader_free(h);
    (void)unlink(path);
    free(file);
    free(want);
}
END_TEST

START_TEST(limits)
{
    struct col_file  f = part_file();
    struct col_block a = {0}, b = {0};
    drh_error        e = DRH_ERROR_INIT;

    ck_assert_int_eq(col_reserve(&f, &a, 900 << 10, &e), DRH_OK);
    ck_assert_int_eq(col_reserve(&f, &b, 200 << 10, &e), DRH_E_RANGE);
    ck_assert_ptr_nonnull(strstr(e.message, "memory"));
    ck_assert_ptr_nonnull(strstr(e.message, "columns"));
    ck_assert_int_eq(col_reserve(&f, &a, SIZE_MAX, &e), DRH_E_RANGE);
    ck_assert_int_eq(col_reserve(&f, &a, 1 << 20, &e), DRH_OK); /* all of it */
    col_release(&f, &a);
    ck_assert_uint_eq(f.used, 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("parquet");

    tcase_add_test(t, thrift_reads);
    tcase_add_test(t, thrift_cut_anywhere);
    tcase_add_test(t, thrift_nonsense);
    tcase_add_test(t, rle_examples);
    tcase_add_test(t, rle_counts_zeros);
    tcase_add_test(t, rle_nonsense);
    tcase_add_test(t, delta_examples);
    tcase_add_test(t, delta_nonsense);
    tcase_add_test(t, values_examples);
    tcase_add_test(t, values_dictionary);
    tcase_add_test(t, values_refused);
    tcase_add_test(t, codecs);
    tcase_add_test(t, forms_of_dates);
    tcase_add_test(t, forms_of_numbers);
    tcase_add_test(t, forms_of_bytes);
    tcase_add_test(t, positions);
    tcase_add_test(t, projection);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, damage);
    tcase_add_test(t, limits);
    return run_case("parquet", t);
}
