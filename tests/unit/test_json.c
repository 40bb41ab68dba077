/* SPDX-License-Identifier: MIT
 * test_json.c - the scanner against RFC 8259 and our limits.  Which texts are right is taken from
 * the RFC's grammar; a handful of texts goes through cJSON too.  Numbers: test_json_num.c. */
#include "json.h"

#include "mem.h"
#include "run.h"

#include <cjson/cJSON.h>
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

/* What is nearly JSON and what is made of it; NULL: nothing to mend. */
static const struct {
    const char *text, *mended;
} nearly[] = {
    {"NaN", "null"},
    {"[NaN]", "[null]"},
    {"{\"a\":NaN,\"b\": -Infinity , \"c\":Infinity}", "{\"a\":null,\"b\": null , \"c\":null}"},
    {"[NaN,NaN,NaN]", "[null,null,null]"},
    {"{\"NaN\":\"NaN,]\",\"x\":\"a\\\"NaN,}\",}", "{\"NaN\":\"NaN,]\",\"x\":\"a\\\"NaN,}\"}"},
    {"[1,]", "[1]"},
    {"[[1,],\n{\"a\":{},\t}, ]", "[[1],\n{\"a\":{}\t} ]"},
    {"[NaN,]", "[null]"},
    {"[1,,]", NULL},
    {"[,]", NULL},
    {"{,}", NULL},
    {"[1,2", NULL},
    {"{\"a\":,}", NULL},
    {"[NaNs, nan, -NaN, Infinit, InfinityX, aNaN, 1NaN]", NULL},
    {"{NaN:1}", NULL},
    {"\"NaN", NULL},
    {"\"\\", NULL},
    {"", NULL},
};

START_TEST(mends)
{
    struct arena *a = arena_new();
    const char   *p = nearly[_i].text;
    size_t        n = strlen(p);
    drh_status    st = json_mend(a, &p, &n);

    ck_assert_int_eq(st, nearly[_i].mended ? DRH_OK : DRH_E_DATA);
    if (nearly[_i].mended) {
        ck_assert_uint_eq(n, strlen(nearly[_i].mended));
        ck_assert_mem_eq(p, nearly[_i].mended, n);
    }
    arena_free(a);
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
    tcase_add_loop_test(t, mends, 0, ROWS(nearly));
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
    tcase_add_loop_test(t, minify, 0, ROWS(minified));
    tcase_add_loop_test(t, quote, 0, ROWS(quoted));
    tcase_add_test(t, quote_refuses);
    tcase_add_loop_test(t, key_is, 0, ROWS(keys));
    tcase_add_test(t, skip);
    return run_case("json", t);
}
