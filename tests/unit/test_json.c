/* SPDX-License-Identifier: MIT
 * test_json.c - the scanner against RFC 8259 and our limits.  Which texts are right is taken from
 * the RFC's grammar; numbers are those of other implementations (Python's repr, the bit patterns of
 * IEEE 754); a handful of texts goes through cJSON too. */
#include "json.h"

#include "mem.h"
#include "run.h"

#include <cjson/cJSON.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct arena   *arena;
static struct json_err err;

static void setup(void)
{
    arena = arena_new();
    memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
    arena_free(arena);
}

/* In a block of its own size, so that a read past the end is seen. */
static drh_status scan_n(const char *text, size_t len)
{
    char      *exact = mem_resize(NULL, len ? len : 1);
    uint32_t   type;
    drh_status st;

    memcpy(exact, text, len);
    st = json_scan(exact, len, arena, NULL, NULL, &type, &err);
    mem_free(exact);
    return st;
}

static const char *const good[] = {
    "{}",
    "[]",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "10",
    "1.0",
    "1.50",
    "0.1",
    "1e5",
    "1E5",
    "1e+5",
    "1e-5",
    "0e0",
    "-0.0e-0",
    "1E400",
    "123456789012345678901234567890",
    "\"\"",
    "\" \"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\"",
    "\"\\uABCD\\uabcd\"",
    "\"\\ud83d\\ude00\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"\x7f\"",
    "\"\xc2\x80\"",
    "\"\xdf\xbf\"",
    "\"\xe0\xa0\x80\"",
    "\"\xed\x9f\xbf\"",
    "\"\xee\x80\x80\"",
    "\"\xef\xbf\xbf\"",
    "\"\xef\xbb\xbf\"",
    "\"\xf0\x90\x80\x80\"",
    "\"\xf4\x8f\xbf\xbf\"",
    " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n",
    "{\"a\":1}",
    "{ \"a\" : { \"a\" : [ { \"a\" : 1 } ] } , \"b\" : 1 }",
    "{\"\":0}",
    "{\"a\":1,\"A\":2,\"a \":3}",
    "[[],{},[[]],\"\",0,null]",
    "[{\"a\":1},{\"a\":1}]",
    "{\"a\":{\"b\":1},\"b\":{\"b\":1}}",
};

START_TEST(accepts)
{
    ck_assert_msg(scan_n(good[_i], strlen(good[_i])) == DRH_OK, "%s: %s", good[_i], err.message);
}
END_TEST

#define BAD(text, code, at)                                                                        \
    {                                                                                              \
        text, sizeof(text) - 1, code, at                                                           \
    }
static const struct {
    const char *text;
    size_t      len;
    const char *code;
    size_t      at;
} bad[] = {
    BAD("", "bad_json", 0),
    BAD("  ", "bad_json", 2),
    BAD("[", "bad_json", 1),
    BAD("{", "bad_json", 1),
    BAD("]", "bad_json", 0),
    BAD("[1", "bad_json", 2),
    BAD("[1,", "bad_json", 3),
    BAD("[1,]", "bad_json", 3),
    BAD("[,1]", "bad_json", 1),
    BAD("[1 2]", "bad_json", 3),
    BAD("[1}", "bad_json", 2),
    BAD("{\"a\":1]", "bad_json", 6),
    BAD("{\"a\"}", "bad_json", 4),
    BAD("{\"a\":}", "bad_json", 5),
    BAD("{\"a\" 1}", "bad_json", 5),
    BAD("{\"a\":1,}", "bad_json", 7),
    BAD("{,}", "bad_json", 1),
    BAD("{1:2}", "bad_json", 1),
    BAD("{a:1}", "bad_json", 1),
    BAD("{'a':1}", "bad_json", 1),
    BAD("{\"a\":1,,\"b\":2}", "bad_json", 7),
    BAD("1 2", "bad_json", 2),
    BAD("{}{}", "bad_json", 2),
    BAD("nul", "bad_json", 0),
    BAD("nulL", "bad_json", 0),
    BAD("True", "bad_json", 0),
    BAD("NaN", "bad_json", 0),
    BAD("Infinity", "bad_json", 0),
    BAD("-Infinity", "bad_json", 1),
    BAD("nullx", "bad_json", 4),
    BAD("+1", "bad_json", 0),
    BAD("-", "bad_json", 1),
    BAD("01", "bad_json", 0),
    BAD("-01", "bad_json", 1),
    BAD("1.", "bad_json", 2),
    BAD("1.e5", "bad_json", 2),
    BAD(".5", "bad_json", 0),
    BAD("1e", "bad_json", 2),
    BAD("1e+", "bad_json", 3),
    BAD("1e5.5", "bad_json", 3),
    BAD("0x10", "bad_json", 1),
    BAD("1_000", "bad_json", 1),
    BAD("\"", "bad_json", 0),
    BAD("[\"abc", "bad_json", 1),
    BAD("\"\\", "bad_json", 0),
    BAD("\"\\\"", "bad_json", 0),
    BAD("\"\\x41\"", "bad_json", 1),
    BAD("\"\\u12\"", "bad_json", 1),
    BAD("\"\\u12G4\"", "bad_json", 1),
    BAD("\"\\u", "bad_json", 1),
    BAD("\"\\U0041\"", "bad_json", 1),
    BAD("/* c */1", "bad_json", 0),
    BAD("[1]//", "bad_json", 3),
    BAD("\xef\xbb\xbf{}", "bad_json", 0),
    BAD("[\xe4\xb8\xad]", "bad_json", 1),
    BAD("\x0b[]", "raw_control", 0),
    BAD("[]\0", "raw_control", 2),
    BAD("\"a\tb\"", "raw_control", 2),
    BAD("\"a\nb\"", "raw_control", 2),
    BAD("\"a\0b\"", "raw_control", 2),
    BAD("\"0123456789abcdef\x1f\"", "raw_control", 17),
    BAD("{\"a\r\":1}", "raw_control", 3),
    BAD("\"\\ud800\"", "lone_surrogate", 1),
    BAD("\"\\udc00\"", "lone_surrogate", 1),
    BAD("\"\\udbff\\ud800\"", "lone_surrogate", 1),
    BAD("\"\\ud800x\"", "lone_surrogate", 1),
    BAD("\"\\ud800\\n\"", "lone_surrogate", 1),
    BAD("\"\\ud83d\\ude00\\ude00\"", "lone_surrogate", 13),
    BAD("{\"\\ud800\":1}", "lone_surrogate", 2),
    BAD("\"\x80\"", "bad_utf8", 1),
    BAD("\"\xbf\"", "bad_utf8", 1),
    BAD("\"\xc0\xaf\"", "bad_utf8", 1),
    BAD("\"\xc1\xbf\"", "bad_utf8", 1),
    BAD("\"\xc3\"", "bad_utf8", 1),
    BAD("\"\xc3", "bad_utf8", 1),
    BAD("\"\xe0\x80\x80\"", "bad_utf8", 1),
    BAD("\"\xe0\x9f\xbf\"", "bad_utf8", 1),
    BAD("\"\xed\xa0\x80\"", "bad_utf8", 1),
    BAD("\"\xed\xbf\xbf\"", "bad_utf8", 1),
    BAD("\"\xe4\xb8\"", "bad_utf8", 1),
    BAD("\"\xe4\xb8\xadx\xe4\xb8", "bad_utf8", 5),
    BAD("\"\xe4\xb8\xad\xe4\xb8\xad\xe4\x28\xad\"", "bad_utf8", 7),
    BAD("\"\xf0\x80\x80\x80\"", "bad_utf8", 1),
    BAD("\"\xf0\x8f\xbf\xbf\"", "bad_utf8", 1),
    BAD("\"\xf4\x90\x80\x80\"", "bad_utf8", 1),
    BAD("\"\xf5\x80\x80\x80\"", "bad_utf8", 1),
    BAD("\"\xff\"", "bad_utf8", 1),
    BAD("[\xff]", "bad_utf8", 1),
    BAD("{\"\xff\":1}", "bad_utf8", 2),
    BAD("{\"a\":1,\"a\":1}", "duplicate_key", 7),
    BAD("{\"a\":1,\"b\":2,\"a\":3}", "duplicate_key", 13),
    BAD("{\"a\":1,\"\\u0061\":2}", "duplicate_key", 7),
    BAD("{\"\\/\":1,\"/\":2}", "duplicate_key", 8),
    BAD("{\"\\u4e2d\":1,\"\xe4\xb8\xad\":2}", "duplicate_key", 12),
    BAD("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", "duplicate_key", 18),
    BAD("{\"\":1,\"\":2}", "duplicate_key", 6),
    BAD("[{\"x\":{\"a\":1,\"b\":{\"c\":1,\"c\":2}}}]", "duplicate_key", 24),
    BAD("{\"a\":{\"b\":1},\"a\":2}", "duplicate_key", 13),
};

START_TEST(refuses)
{
    ck_assert_int_eq(scan_n(bad[_i].text, bad[_i].len), DRH_E_DATA);
    ck_assert_str_eq(err.code, bad[_i].code);
    ck_assert_msg(err.offset == bad[_i].at, "offset %zu, not %zu: %s", err.offset, bad[_i].at,
                  err.message);
    ck_assert_int_ne(err.message[0], 0);
}
END_TEST

/* Every byte that may stop the fast search for the end of a run, at every place in it. */
START_TEST(every_place_in_a_block)
{
    static const struct {
        const char *byte, *code;
    } stops[] = {{"\x1f", "raw_control"},
                 {"\x80", "bad_utf8"},
                 {"\\q", "bad_json"},
                 {"\xe4\xb8\xad", NULL},
                 {"\\n", NULL},
                 {"\xc3\xa9", NULL},
                 {"~", NULL},
                 {" ", NULL},
                 {"!", NULL}};
    char   text[128];
    size_t i;
    int    before;

    for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        for (before = 0; before < 50; before++) {
            int        n = snprintf(text, sizeof(text), "\"%.*s%s%.*s\"", before,
                                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", stops[i].byte,
                                    50 - before, "01234567890123456789012345678901234567890123456789");
            drh_status st = scan_n(text, (size_t)n);
            ck_assert_int_eq(st, stops[i].code ? DRH_E_DATA : DRH_OK);
            if (stops[i].code) {
                ck_assert_str_eq(err.code, stops[i].code);
                ck_assert_uint_eq(err.offset, (size_t)before + 1);
            }
        }
    }
}
END_TEST

/* The table of RFC 3629, all two- and three-byte heads; json_utf8_valid() and the scanner agree. */
START_TEST(utf8_table)
{
    unsigned a, b, tail;

    for (a = 0x80; a < 0x100; a++) {
        for (b = 0; b < 0x100; b++) {
            for (tail = 0; tail < 3; tail++) {
                char text[8] = {'"', (char)a, (char)b, (char)0x80, (char)0x80};
                bool ok = false, two = a >= 0xc2 && a <= 0xdf, cont = b >= 0x80 && b <= 0xbf;
                text[3 + tail] = '"';
                if (b < 0x20 || b == '"' || b == '\\') {
                    continue;
                }
                if (tail == 0) {
                    ok = two && cont;
                } else if (tail == 1) {
                    ok = a >= 0xe0 && a <= 0xef && cont && !(a == 0xe0 && b < 0xa0) &&
                         !(a == 0xed && b > 0x9f);
                } else {
                    ok = a >= 0xf0 && a <= 0xf4 && cont && !(a == 0xf0 && b < 0x90) &&
                         !(a == 0xf4 && b > 0x8f);
                }
                if ((scan_n(text, 4 + tail) == DRH_OK) != ok ||
                    json_utf8_valid(text + 1, 2 + tail) != ok) {
                    ck_abort_msg("%02x %02x %u", a, b, tail);
                }
            }
        }
    }
}
END_TEST

static char *nested(int depth, char open, char close, size_t *len)
{
    char *p = mem_alloc((size_t)depth * 5 + 1, 1), *q = p;
    int   i;

    for (i = 0; i < depth; i++) {
        *q++ = open;
        if (open == '{' && i + 1 < depth) {
            memcpy(q, "\"\":", 3);
            q += 3;
        }
    }
    for (i = 0; i < depth; i++) {
        *q++ = close;
    }
    *len = (size_t)(q - p);
    return p;
}

START_TEST(depth)
{
    static const char kinds[][2] = {{'[', ']'}, {'{', '}'}};
    size_t            len;
    char             *p = nested(512, kinds[_i][0], kinds[_i][1], &len);

    ck_assert_int_eq(scan_n(p, len), DRH_OK);
    ck_assert_uint_eq(json_depth(p, len), 512);
    mem_free(p);
    p = nested(513, kinds[_i][0], kinds[_i][1], &len);
    ck_assert_int_eq(scan_n(p, len), DRH_E_DATA);
    ck_assert_str_eq(err.code, "too_deep");
    ck_assert_uint_eq(err.offset, _i ? 512 * 4 : 512);
    mem_free(p);
    p = nested(100000, kinds[_i][0], kinds[_i][1], &len);
    ck_assert_int_eq(scan_n(p, len), DRH_E_DATA);
    mem_free(p);
}
END_TEST

START_TEST(key_length)
{
    char *p = mem_alloc(JSON_MAX_KEY + 10, 1);

    memset(p, 'k', JSON_MAX_KEY + 8);
    memcpy(p, "{\"", 2);
    memcpy(p + 2 + JSON_MAX_KEY, "\":1}", 4);
    ck_assert_int_eq(scan_n(p, JSON_MAX_KEY + 6), DRH_OK);
    p[2 + JSON_MAX_KEY] = 'k';
    memcpy(p + 3 + JSON_MAX_KEY, "\":1}", 4);
    ck_assert_int_eq(scan_n(p, JSON_MAX_KEY + 7), DRH_E_DATA);
    ck_assert_str_eq(err.code, "key_too_long");
    ck_assert_uint_eq(err.offset, 1);
    mem_free(p);
}
END_TEST

/* n keys "k0".."k(n-1)" at two levels; `twice` >= 0: the last key once more under that number. */
static void many_keys(struct buf *b, int n, int twice)
{
    int i;

    buf_init(b, 1u << 30);
    ck_assert_int_eq(buf_adds(b, "{\"outer\":{"), DRH_OK);
    for (i = 0; i < n; i++) {
        (void)buf_addf(b, "\"k%d\":{\"k%d\":%d},", i, i, i);
    }
    ck_assert_int_eq(buf_addf(b, "\"k%d\":0},\"k0\":1}", twice < 0 ? n : twice), DRH_OK);
}

START_TEST(duplicates_in_large_objects)
{
    static const int sizes[] = {14, 15, 16, 17, 18, 63, 64, 65, 127, 128, 129, 1000, 100000};
    int              n = sizes[_i];
    struct buf       b;

    many_keys(&b, n, -1);
    ck_assert_int_eq(scan_n(b.ptr, b.len), DRH_OK);
    buf_free(&b);
    many_keys(&b, n, 0);
    ck_assert_int_eq(scan_n(b.ptr, b.len), DRH_E_DATA);
    ck_assert_str_eq(err.code, "duplicate_key");
    buf_free(&b);
    many_keys(&b, n, n - 1);
    ck_assert_int_eq(scan_n(b.ptr, b.len), DRH_E_DATA);
    buf_free(&b);
}
END_TEST

/* Large objects inside large objects: keys of one must leave before those around it are asked. */
START_TEST(large_objects_nested)
{
    struct buf b;
    int        i, level;

    buf_init(&b, 1u << 30);
    for (level = 0; level < 40; level++) {
        ck_assert_int_eq(buf_adds(&b, "{"), DRH_OK);
        for (i = 0; i < 30; i++) {
            ck_assert_int_eq(buf_addf(&b, "\"key%d\":%d,", i, i), DRH_OK);
        }
        ck_assert_int_eq(buf_adds(&b, "\"in\":"), DRH_OK);
    }
    ck_assert_int_eq(buf_adds(&b, "0"), DRH_OK);
    for (level = 0; level < 40; level++) {
        for (i = 30; i < 60; i++) {
            ck_assert_int_eq(buf_addf(&b, ",\"key%d\":%d", i, i), DRH_OK);
        }
        ck_assert_int_eq(buf_adds(&b, "}"), DRH_OK);
    }
    ck_assert_int_eq(scan_n(b.ptr, b.len), DRH_OK);
    memcpy(strstr(b.ptr, "key59"), "key37", 5);
    ck_assert_int_eq(scan_n(b.ptr, b.len), DRH_E_DATA);
    ck_assert_str_eq(err.code, "duplicate_key");
    buf_free(&b);
}
END_TEST

/* ---- members ---- */

struct seen {
    struct buf text;
    int        stop_at, n;
};

static drh_status see(void *ctx, const struct json_member *m)
{
    struct seen *s = ctx;

    if (s->n++ == s->stop_at) {
        return DRH_E_CANCELLED;
    }
    return buf_addf(&s->text, "[%.*s|%d|%.*s|%u%s%s]", (int)m->key_len, m->key, m->key_escaped,
                    (int)m->val_len, m->val, m->type, m->multiline ? "|lines" : "",
                    m->val_escaped ? "|esc" : "");
}

START_TEST(members)
{
    static const char text[] =
        " {\"a\" : 1 ,\n\"b\\n\":[ 2,{\"x\":\"\\n\"}],\"c\":{\n},\"d\":\"\\t\" "
        "\n,\"e\":true,\"f\":null,\"g\":\"s\"} ";
    struct seen s = {.stop_at = -1};
    uint32_t    type;

    buf_init(&s.text, 10000);
    ck_assert_int_eq(json_scan(text, sizeof(text) - 1, arena, see, &s, &type, &err), DRH_OK);
    ck_assert_uint_eq(type, DRH_T_OBJECT);
    ck_assert_str_eq(s.text.ptr, "[a|0|1|3][b\\n|1|[ 2,{\"x\":\"\\n\"}]|5][c|0|{\n}|6|lines]"
                                 "[d|0|\"\\t\"|4|esc][e|0|true|2][f|0|null|1][g|0|\"s\"|4]");
    buf_free(&s.text);
}
END_TEST

START_TEST(members_of_the_outermost_only)
{
    struct seen s = {.stop_at = -1};
    uint32_t    type;

    buf_init(&s.text, 10000);
    ck_assert_int_eq(json_scan("[{\"a\":1}]", 9, arena, see, &s, &type, &err), DRH_OK);
    ck_assert_uint_eq(type, DRH_T_ARRAY);
    ck_assert_int_eq(s.n, 0);
    ck_assert_int_eq(json_scan("{}", 2, arena, see, &s, &type, &err), DRH_OK);
    ck_assert_int_eq(s.n, 0);
}
END_TEST

START_TEST(callback_can_stop)
{
    struct seen s = {.stop_at = 1};

    buf_init(&s.text, 10000);
    ck_assert_int_eq(json_scan("{\"a\":1,\"b\":2,\"c\":3}", 19, arena, see, &s, NULL, NULL),
                     DRH_E_CANCELLED);
    ck_assert_int_eq(s.n, 2);
    buf_free(&s.text);
}
END_TEST

START_TEST(no_error_wanted)
{
    ck_assert_int_eq(json_scan("[1,", 3, arena, NULL, NULL, NULL, NULL), DRH_E_DATA);
    ck_assert_int_eq(json_scan(NULL, 0, arena, NULL, NULL, NULL, NULL), DRH_E_DATA);
}
END_TEST

START_TEST(out_of_memory)
{
    struct buf b;

    many_keys(&b, 3000, -1);
    (void)setenv("DRHOST_FAULT", _i ? "alloc:3" : "alloc:1", 1);
    mem_fault_from_env();
    ck_assert_int_eq(json_scan(b.ptr, b.len, arena, NULL, NULL, NULL, &err), DRH_E_NOMEM);
    arena_reset(arena);
    ck_assert_int_eq(json_scan(b.ptr, b.len, arena, NULL, NULL, NULL, &err), DRH_OK);
    buf_free(&b);
}
END_TEST

/* ---- against cJSON ---- */

/* The same tree?  Strings and keys decoded by us, numbers as doubles. */
static void same_tree(const char *p, const char *end, const cJSON *c)
{
    struct json_walk w;
    const cJSON     *child = c->child;
    const char      *q = json_skip(p, end);
    char             text[512];
    double           d;

    switch (json_type(p)) {
    case DRH_T_STRING:
        text[json_unescape(p + 1, (size_t)(q - p) - 2, text)] = '\0';
        ck_assert(cJSON_IsString(c));
        ck_assert_str_eq(text, c->valuestring);
        return;
    case DRH_T_NUMBER:
        ck_assert(cJSON_IsNumber(c));
        ck_assert_int_eq(json_f64(p, (size_t)(q - p), &d), DRH_OK);
        ck_assert(d == c->valuedouble);
        return;
    case DRH_T_NULL:
        ck_assert(cJSON_IsNull(c));
        return;
    case DRH_T_BOOL:
        ck_assert(cJSON_IsBool(c));
        ck_assert_int_eq(*p == 't', cJSON_IsTrue(c));
        return;
    default:
        break;
    }
    ck_assert_int_eq(*p == '{', cJSON_IsObject(c));
    for (json_walk_open(&w, p, q); json_walk_next(&w); child = child->next) {
        ck_assert_ptr_nonnull(child);
        if (w.object) {
            text[json_unescape(w.key, w.key_len, text)] = '\0';
            ck_assert_str_eq(text, child->string);
        }
        same_tree(w.val, q, child);
    }
    ck_assert_ptr_null(child);
}

static const char *const trees[] = {
    "{\"conversations\":[{\"from\":\"human\",\"value\":\"2+2?\\n\\\"x\\\"\"},{\"from\":\"gpt\","
    "\"value\":\"4 \\u4e2d\\ud83d\\ude00\"}],\"system\":\"\",\"metadata\":{\"ifd\":0.73,\"n\":-12,"
    "\"ppl\":[9.1,6.7],\"ok\":true,\"no\":null}}",
    " [ 1 , -0.5e-3 , 1e22 , 123456789.123456789 , 5e-324 , [ ] , { } , [ [ [ 0 ] ] ] ] ",
    "{\"\\u0061\\\\\":{\"\\t\":[],\"\":{}},\"b\":[{\"a\":[{\"a\":[{}]}]},false]}",
    "\"\\b\\f\\n\\r\\t\\/\\u00e9\\u07ff\\u0800\\uffff\\udbff\\udfff\"",
    "[0.1,0.2,0.30000000000000004,1.7976931348623157e308,2.2250738585072014e-308,"
    "9007199254740993,8.98846567431158e307,3.14159265358979323846264338327950288]",
};

START_TEST(as_cjson)
{
    const char *text = trees[_i], *end = text + strlen(text);
    cJSON      *c = cJSON_Parse(text);

    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(scan_n(text, strlen(text)), DRH_OK);
    same_tree(json_space(text, end), end, c);
    cJSON_Delete(c);
}
END_TEST

/* ---- numbers ---- */

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

START_TEST(f64)
{
    struct buf b;
    double     d = 0;

    buf_init(&b, 100);
    ck_assert_int_eq(json_put_f64(&b, of_bits(doubles[_i].bits)), DRH_OK);
    ck_assert_str_eq(b.ptr, doubles[_i].text);
    ck_assert_int_eq(json_f64(b.ptr, b.len, &d), DRH_OK);
    ck_assert_uint_eq(bits_of(d), doubles[_i].bits);
    ck_assert_int_eq(scan_n(b.ptr, b.len), DRH_OK);
    buf_free(&b);
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

/* ---- text ---- */

static const struct {
    const char *text, *out;
} minified[] = {
    {" { \"a\" : [ 1 , 2 ] ,\n\t\"b c\" : \" x \\\" y \" }\r\n",
     "{\"a\":[1,2],\"b c\":\" x \\\" y \"}"},
    {"[]", "[]"},
    {" 1 ", "1"},
    {" \" \" ", "\" \""},
    {"[ \"\\\\\" , \" \" ]", "[\"\\\\\",\" \"]"},
    {"{\n}", "{}"},
};

START_TEST(minify)
{
    struct buf b;

    buf_init(&b, 1000);
    ck_assert_int_eq(buf_adds(&b, ">"), DRH_OK);
    ck_assert_int_eq(json_minify(&b, minified[_i].text, strlen(minified[_i].text)), DRH_OK);
    ck_assert_str_eq(b.ptr + 1, minified[_i].out);
    buf_free(&b);
}
END_TEST

#define QUOTED(in, out)                                                                            \
    {                                                                                              \
        in, sizeof(in) - 1, out                                                                    \
    }
static const struct {
    const char *in;
    size_t      len;
    const char *out;
} quoted[] = {
    QUOTED("", "\"\""),
    QUOTED("plain /", "\"plain /\""),
    QUOTED("\"\\", "\"\\\"\\\\\""),
    QUOTED("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""),
    QUOTED("a\0b", "\"a\\u0000b\""),
    QUOTED("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""),
    QUOTED("\xe4\xb8\xad\n\xf0\x9f\x98\x80", "\"\xe4\xb8\xad\\n\xf0\x9f\x98\x80\""),
    QUOTED("0123456789abcdef\n0123456789abcdef0123456789abcdef\"",
           "\"0123456789abcdef\\n0123456789abcdef0123456789abcdef\\\"\""),
};

START_TEST(quote)
{
    struct buf b;
    char       back[100];
    size_t     n;

    buf_init(&b, 1000);
    ck_assert_int_eq(json_quote(&b, quoted[_i].in, quoted[_i].len), DRH_OK);
    ck_assert_str_eq(b.ptr, quoted[_i].out);
    n = json_unescape(b.ptr + 1, b.len - 2, back);
    ck_assert_uint_eq(n, quoted[_i].len);
    ck_assert_mem_eq(back, quoted[_i].in, n);
    buf_free(&b);
}
END_TEST

START_TEST(quote_refuses)
{
    struct buf b;

    buf_init(&b, 8);
    ck_assert_int_eq(buf_adds(&b, "x"), DRH_OK);
    ck_assert_int_eq(json_quote(&b, "a\xff", 2), DRH_E_DATA);
    ck_assert_int_eq(json_quote(&b, "\xed\xa0\x80", 3), DRH_E_DATA);
    ck_assert_int_eq(json_quote(&b, "123456", 6), DRH_E_RANGE);
    ck_assert_str_eq(b.ptr, "x");
    ck_assert_int_eq(json_quote(&b, "12345", 5), DRH_OK);
    ck_assert_str_eq(b.ptr, "x\"12345\"");
    ck_assert_int_eq(json_quote(&b, NULL, 0), DRH_E_RANGE);
    buf_free(&b);
}
END_TEST

static const struct {
    const char *key, *want;
    bool        same;
} keys[] = {
    {"a", "a", true},
    {"a", "b", false},
    {"a", "ab", false},
    {"\\u0061", "a", true},
    {"\\u0061b", "ab", true},
    {"a\\u0062", "a", false},
    {"\\n", "\n", true},
    {"\\\"x", "\"x", true},
    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80", true},
    {"\\ud83d\\ude00", "\xf0\x9f\x98\x81", false},
    {"\\ud7ff", "\xed\x9f\xbf", true},
    {"\\u4e2d", "\xe4\xb8", false},
};

START_TEST(key_is)
{
    const char *k = keys[_i].key, *w = keys[_i].want;

    ck_assert(json_key_is(k, strlen(k), json_has_escape(k, strlen(k)), w, strlen(w)) ==
              keys[_i].same);
}
END_TEST

START_TEST(skip)
{
    static const char text[] = "[\"a]\\\"\",{\"x\":\"}\"}] ,1";
    const char       *end = text + sizeof(text) - 1;

    ck_assert_ptr_eq(json_skip(text, end), strchr(text, ' '));
    ck_assert_ptr_eq(json_skip(end - 1, end), end);
    ck_assert_ptr_eq(json_skip(text + 1, end), strchr(text, ','));
    ck_assert_uint_eq(json_depth(text, sizeof(text) - 1), 2);
    ck_assert_uint_eq(json_depth("\"[[\"", 4), 0);
    ck_assert_uint_eq(json_type(" "), DRH_T_NONE);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("json");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, accepts, 0, ROWS(good));
    tcase_add_loop_test(t, refuses, 0, ROWS(bad));
    tcase_add_test(t, every_place_in_a_block);
    tcase_add_test(t, utf8_table);
    tcase_add_loop_test(t, depth, 0, 2);
    tcase_add_test(t, key_length);
    tcase_add_loop_test(t, duplicates_in_large_objects, 0, 13);
    tcase_add_test(t, large_objects_nested);
    tcase_add_test(t, members);
    tcase_add_test(t, members_of_the_outermost_only);
    tcase_add_test(t, callback_can_stop);
    tcase_add_test(t, no_error_wanted);
    tcase_add_loop_test(t, out_of_memory, 0, 2);
    tcase_add_loop_test(t, as_cjson, 0, ROWS(trees));
    tcase_add_loop_test(t, i64, 0, ROWS(ints));
    tcase_add_loop_test(t, i64_written, 0, 8);
    tcase_add_loop_test(t, f64, 0, ROWS(doubles));
    tcase_add_loop_test(t, f64_read, 0, ROWS(reads));
    tcase_add_test(t, f64_refused);
    tcase_add_test(t, f64_long);
    tcase_add_test(t, f64_locale);
    tcase_add_loop_test(t, minify, 0, ROWS(minified));
    tcase_add_loop_test(t, quote, 0, ROWS(quoted));
    tcase_add_test(t, quote_refuses);
    tcase_add_loop_test(t, key_is, 0, ROWS(keys));
    tcase_add_test(t, skip);
    return run_case("json", t);
}
