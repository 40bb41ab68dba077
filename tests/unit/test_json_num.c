/* SPDX-License-Identifier: MIT
 * test_json_num.c - numbers of JSON texts, read and written.  What is right is taken from other
 * implementations: Python's repr, the bit patterns of IEEE 754. */
#include "json.h"

#include "mem.h"
#include "run.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    drh_status  st;
    int64_t     v;
} ints[] = {
    {"0", DRH_OK, 0},
    {"-0", DRH_OK, 0},
    {"7", DRH_OK, 7},
    {"-1", DRH_OK, -1},
    {"9007199254740993", DRH_OK, 9007199254740993},
    {"9223372036854775807", DRH_OK, INT64_MAX},
    {"-9223372036854775808", DRH_OK, INT64_MIN},
    {"9223372036854775808", DRH_E_RANGE, 0},
    {"-9223372036854775809", DRH_E_RANGE, 0},
    {"18446744073709551616", DRH_E_RANGE, 0},
    {"99999999999999999999", DRH_E_RANGE, 0},
    {"10000000000000000000000000000000000000000", DRH_E_RANGE, 0},
    {"1.0", DRH_E_TYPE, 0},
    {"1e2", DRH_E_TYPE, 0},
    {"1E2", DRH_E_TYPE, 0},
    {"99999999999999999999.5", DRH_E_TYPE, 0},
    {"\"1\"", DRH_E_TYPE, 0},
    {"true", DRH_E_TYPE, 0},
    {"-", DRH_E_TYPE, 0},
    {"", DRH_E_TYPE, 0},
};

START_TEST(i64)
{
    int64_t v = 0;

    ck_assert_int_eq(json_i64(ints[_i].text, strlen(ints[_i].text), &v), ints[_i].st);
    ck_assert_int_eq(v, ints[_i].v);
}
END_TEST

START_TEST(i64_written)
{
    static const int64_t v[] = {0, 1, -1, 10, -10, 9007199254740993, INT64_MAX, INT64_MIN};
    char                 expected[32];
    struct buf           b;
    int64_t              back;

    snprintf(expected, sizeof(expected), "%lld", (long long)v[_i]);
    buf_init(&b, 100);
    ck_assert_int_eq(json_put_i64(&b, v[_i]), DRH_OK);
    ck_assert_str_eq(b.ptr, expected);
    ck_assert_int_eq(json_i64(b.ptr, b.len, &back), DRH_OK);
    ck_assert_int_eq(back, v[_i]);
    buf_free(&b);
}
END_TEST

/* Shortest forms as Python's repr() gives them, with exponents the way JavaScript writes them. */
static const struct {
    uint64_t    bits;
    const char *text;
} doubles[] = {
    {0x3fb999999999999au, "0.1"},
    {0x3fe75c28f5c28f5cu, "0.73"},
    {0x3fd5555555555555u, "0.3333333333333333"},
    {0x3fe5555555555555u, "0.6666666666666666"},
    {0x444b1ae4d6e2ef50u, "1e+21"},
    {0x4480f0cf064dd592u, "1e+22"},
    {0x7e41eb2d66005835u, "1.5e+300"},
    {0x437b69b4ba630f35u, "123456789012345680"},
    {0x4340000000000000u, "9007199254740992"},
    {0x4340000000000000u, "9007199254740992"},
    {0x3ee4f8b588e368f1u, "0.00001"},
    {0x3eb0c6f7a0b5ed8du, "0.000001"},
    {0x3e7ad7f29abcaf48u, "1e-7"},
    {0x3e80c6f7a0b5ed8du, "1.25e-7"},
    {0x0000000000000001u, "5e-324"},
    {0x0000000000000002u, "1e-323"},
    {0x0010000000000000u, "2.2250738585072014e-308"},
    {0x000fffffffffffffu, "2.225073858507201e-308"},
    {0x7fefffffffffffffu, "1.7976931348623157e+308"},
    {0x3d30000000000000u, "5.684341886080802e-14"},
    {0x0010000000000000u, "2.2250738585072014e-308"},
    {0x4450000000000000u, "1.1805916207174113e+21"},
    {0x0170000000000000u, "9.332636185032189e-302"},
    {0x7e70000000000000u, "1.0715086071862673e+301"},
    {0x3eb0000000000000u, "9.5367431640625e-7"},
    {0x4023000000000000u, "9.5"},
    {0x4059000000000000u, "100"},
    {0x8000000000000000u, "-0"},
    {0xbff8000000000000u, "-1.5"},
    {0x4011666666666666u, "4.35"},
    {0x3fd3333333333333u, "0.3"},
    {0x3fd3333333333334u, "0.30000000000000004"},
    {0x0000000000002788u, "5e-320"},
    {0x44b52d02c7e14af6u, "1e+23"},
    {0x44b52d02c7e14af6u, "1e+23"},
    {0x4020d1eb851eb852u, "8.41"},
    {0x0000000000003039u, "6.099e-320"},
    {0x4341c37937e08000u, "10000000000000000"},
    {0x40fe240c9fbe76c9u, "123456.789"},
    {0x3fcfffffffffffffu, "0.24999999999999997"},
    {0x4580000000000000u, "6.189700196426902e+26"},
    {0x3e70000000000000u, "5.960464477539063e-8"},
    {0x4790000000000000u, "5.316911983139664e+36"},
    {0x20b0000000000000u, "3.054936363499605e-151"},
    {0xf2a74de452e6b438u, "-1.989032661366619e+244"},
    {0x6513270e269e0d37u, "7.761117632285041e+178"},
    {0x0c5c7fd0a6a3a450u, "3.980498358697587e-249"},
    {0xd23f0824128b2f33u, "-1.5432835417340557e+88"},
    {0x1818e811892f902bu, "1.3647584518757569e-192"},
    {0x9531985d5d9dc9f8u, "-1.3701135617873088e-206"},
    {0xe8e25d940ed90475u, "-1.7160537630466207e+197"},
    {0x36f675cc81e74ef5u, "6.294675241195386e-44"},
    {0x1600a35a099950d8u, "1.0613447212142254e-202"},
    {0x6b0d549b6f03675au, "4.708325160387546e+207"},
    {0x3d9c172411e20b8fu, "6.387016158513563e-12"},
    {0x8d116ece1738f7d9u, "-9.973130378568733e-246"},
    {0x0f21ddb66cad4a26u, "8.779753225680271e-236"},
    {0x90c192cfd3ac94afu, "-5.795503248498993e-228"},
    {0xf28c105d1fb17c23u, "-5.988180159386011e+243"},
    {0xa170b33839263059u, "-1.306052388527796e-147"},
    {0x953f48f1a09f76b5u, "-2.436117699484841e-206"},
    {0x0fd630f1f29d0da9u, "2.233386999150174e-232"},
    {0x95e60af593bd04cfu, "-3.51527970626667e-203"},
    {0x0cb1e29c658cda14u, "1.5987381841032883e-247"},
    {0x3898d190f9ebdaccu, "4.6678633181812096e-36"},
    {0x8e81973e0becd7b0u, "-8.441872792105456e-239"},
    {0x2217beaddbc496cbu, "1.9015657400796622e-144"},
    {0x6b4cb2424a23d596u, "7.370437700706684e+208"},
    {0x8a6a63ec24ede6a4u, "-1.7163996725272777e-258"},
    {0x922766581e27a1c0u, "-3.2367190832119987e-221"},
    {0x8f6d05584ef8aa38u, "-2.2818334634712625e-234"},
    {0xae97ba94d0eda82fu, "-3.0536383926309363e-84"},
    {0x1a61dbe22e44158bu, "1.3449551894627777e-181"},
    {0x923a736994e3bf91u, "-7.317495976062606e-221"},
    {0x301850c5a38fd547u, "5.249822308814304e-77"},
    {0x18f135d25f557203u, "1.5450754142984396e-188"},
    {0xb64ce4228c38fb29u, "-3.953625698224792e-47"},
    {0x907a70c31012f037u, "-2.72491267476498e-229"},
    {0x9e7769b10f4205b4u, "-6.505141861548772e-162"},
    {0x7f15052434b9b5dfu, "1.441484839555994e+304"},
    {0x401b374bb4a89a16u, "6.803999731817859"},
    {0x40111a8b92e2da53u, "4.275923056694029"},
    {0x400921bbeaa7f0d6u, "3.141471703767915"},
    {0x40176c274a9e0146u, "5.855618635076388"},
    {0x4012209ba6ced34eu, "4.531843763707753"},
    {0x4007fb3a647bf8d6u, "2.9976699686368233"},
    {0x401fc67225e619f8u, "7.943794815224912"},
    {0x401bf5b3f7e62e92u, "6.989944337295713"},
    {0x40038718b6d18c7eu, "2.440965107221529"},
    {0x4016fa194a8051a1u, "5.74423710258671"},
};

static double of_bits(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof(d));
    return d;
}

static uint64_t bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static bool is_json(const char *text, size_t len)
{
    struct arena   *a = arena_new();
    struct json_err err;
    uint32_t        type;
    drh_status      st = json_scan(text, len, a, NULL, NULL, &type, &err);

    arena_free(a);
    return st == DRH_OK;
}

START_TEST(f64)
{
    struct buf b;
    double     d = 0;

    buf_init(&b, 100);
    ck_assert_int_eq(json_put_f64(&b, of_bits(doubles[_i].bits)), DRH_OK);
    ck_assert_str_eq(b.ptr, doubles[_i].text);
    ck_assert_int_eq(json_f64(b.ptr, b.len, &d), DRH_OK);
    ck_assert_uint_eq(bits_of(d), doubles[_i].bits);
    ck_assert(is_json(b.ptr, b.len));
    buf_free(&b);
}
END_TEST

/* Up to 15 digits come back as they were written; the C library reads them. */
START_TEST(f64_few_digits)
{
    uint64_t state = 11;
    for (int i = 0; i < 200000; i++) {
        char       text[64], digits[24];
        struct buf b;
        int        n, k;
        state = state * 6364136223846793005u + 1442695040888963407u;
        n = 1 + (int)(state >> 40) % 15;
        (void)snprintf(digits, sizeof(digits), "%015llu",
                       (unsigned long long)(state >> 14) % 999999999999999u);
        digits[n] = '\0';
        k = (int)(state >> 56) % (n + 6); /* digits behind the point */
        if (digits[n - 1] == '0' || digits[0] == '0' || k == 0 || k - n > 5) {
            continue;
        }
        if (k < n) {
            (void)snprintf(text, sizeof(text), "%.*s.%s", n - k, digits, digits + n - k);
        } else {
            (void)snprintf(text, sizeof(text), "0.%.*s%s", k - n, "00000", digits);
        }
        buf_init(&b, 100);
        ck_assert_int_eq(json_put_f64(&b, strtod(text, NULL)), DRH_OK);
        ck_assert_str_eq(b.ptr, text);
        buf_free(&b);
    }
}
END_TEST

/* Reading: what a short form does not show. */
static const struct {
    const char *text;
    uint64_t    bits;
} reads[] = {
    {"1.0", 0x3ff0000000000000u},
    {"1000000e-6", 0x3ff0000000000000u},
    {"0.00000000000000000000001e23", 0x3ff0000000000000u},
    {"0e99999999999999999999", 0},
    {"-0.0", 0x8000000000000000u},
    {"1e-400", 0},
    {"-1e-400", 0x8000000000000000u},
    {"2.4703282292062327e-324", 0},
    {"2.4703282292062328e-324", 1},
    {"9007199254740993", 0x4340000000000000u}, /* a tie: to even */
    {"9007199254740993.0000001", 0x4340000000000001u},
    {"9007199254740995", 0x4340000000000002u},
    {"2.2250738585072011e-308", 0x000fffffffffffffu}, /* the one that hung PHP and Java */
    {"1.7976931348623158e308", 0x7fefffffffffffffu},
    {"100000000000000000000000e-22", 0x4024000000000000u},
    {"8.5e+0", 0x4021000000000000u},
};

START_TEST(f64_read)
{
    double d = 0;

    ck_assert_int_eq(json_f64(reads[_i].text, strlen(reads[_i].text), &d), DRH_OK);
    ck_assert_uint_eq(bits_of(d), reads[_i].bits);
}
END_TEST

START_TEST(f64_refused)
{
    static const char *const big[] = {"1E400", "-1e309", "1.7976931348623159e308",
                                      "1e99999999999999999999"};
    struct buf               b;
    double                   d = 5;
    size_t                   i;

    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(json_f64(big[i], strlen(big[i]), &d), DRH_E_RANGE);
    }
    ck_assert_int_eq(json_f64("true", 4, &d), DRH_E_TYPE);
    ck_assert_int_eq(json_f64("\"1\"", 3, &d), DRH_E_TYPE);
    ck_assert(d == 5);
    buf_init(&b, 100);
    ck_assert_int_eq(json_put_f64(&b, NAN), DRH_E_RANGE);
    ck_assert_int_eq(json_put_f64(&b, INFINITY), DRH_E_RANGE);
    ck_assert_int_eq(json_put_f64(&b, -INFINITY), DRH_E_RANGE);
    ck_assert_uint_eq(b.len, 0);
    buf_free(&b);
}
END_TEST

/* Halfway between two doubles takes up to 767 digits to tell: the C library is the witness. */
START_TEST(f64_long)
{
    char   text[2000];
    double d = 0;
    int    i, n = snprintf(text, sizeof(text), "%.1100f", 0x1.8p-1000);

    ck_assert_int_eq(json_f64(text, (size_t)n, &d), DRH_OK);
    ck_assert(d == 0x1.8p-1000);
    /* exactly between 1 and the next double, then a 1 far behind */
    n = snprintf(text, sizeof(text), "%.53f", 1.0);
    memcpy(text, "1.00000000000000011102230246251565404236316680908203125", 55);
    for (i = 55; i < 1500; i++) {
        text[i] = '0';
    }
    ck_assert_int_eq(json_f64(text, 1500, &d), DRH_OK);
    ck_assert(d == 1.0);
    text[1400] = '1';
    ck_assert_int_eq(json_f64(text, 1500, &d), DRH_OK);
    ck_assert(d == nextafter(1.0, 2.0));
    memset(text, '9', 400);
    ck_assert_int_eq(json_f64(text, 400, &d), DRH_E_RANGE);
    ck_assert_int_eq(json_f64(text, 300, &d), DRH_OK);
    ck_assert(d == 1e300);
    ck_assert_int_eq(json_i64(text, 400, &(int64_t){0}), DRH_E_RANGE);
}
END_TEST

/* The decimal comma of a locale must not show.  Skipped where the system has no such locale. */
START_TEST(f64_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"};
    struct buf               b;
    double                   d = 0;
    size_t                   i;

    for (i = 0; i < 3 && !setlocale(LC_ALL, names[i]); i++) {
    }
    buf_init(&b, 100);
    ck_assert_int_eq(json_put_f64(&b, 1.0 / 3), DRH_OK);
    ck_assert_str_eq(b.ptr, "0.3333333333333333");
    ck_assert_int_eq(json_f64("0.3333333333333333", 18, &d), DRH_OK);
    ck_assert(d == 1.0 / 3);
    buf_free(&b);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("json_num");

    tcase_add_loop_test(t, i64, 0, ROWS(ints));
    tcase_add_loop_test(t, i64_written, 0, 8);
    tcase_add_loop_test(t, f64, 0, ROWS(doubles));
    tcase_add_test(t, f64_few_digits);
    tcase_add_loop_test(t, f64_read, 0, ROWS(reads));
    tcase_add_test(t, f64_refused);
    tcase_add_test(t, f64_long);
    tcase_add_test(t, f64_locale);
    return run_case("json_num", t);
}
