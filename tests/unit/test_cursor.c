/* SPDX-License-Identifier: MIT
 * test_cursor.c - the cursor's quick ways against a model: texts of any spacing, keys and strings
 * of any length, made together with the tree that they stand for; cursors that go through them in
 * any order, several at once; and values that are built into another record after they were read,
 * or without.  Each text lies in a block of its own size, so that a read past its end is seen. */
#include "field.h"
#include "hash.h"
#include "mem.h"
#include "record.h"

#include "run.h"

#include <drh/util.h>

#include <stdio.h>
#include <string.h>

enum { NODES = 400, TEXT = 1 << 16, CURSORS = 5, STEPS = 400 };

struct node {
    uint32_t type;
    int      parent, first, next; /* -1: none */
    size_t   from, to;            /* in the text */
    size_t   key, key_len;        /* decoded, in `words` */
    size_t   str, str_len;        /* the same of a string */
};

static struct arena *arena;
static struct node   node[NODES];
static int           n_nodes;
static char          made[TEXT], words[TEXT];
static size_t        n_made, n_words;
static uint64_t      seed, drawn;

static uint64_t draw(uint64_t below)
{
    return mix64(seed, drawn++) % below;
}

static void put(const char *p)
{
    size_t n = strlen(p);

    ck_assert_uint_lt(n_made + n, TEXT);
    memcpy(made + n_made, p, n);
    n_made += n;
}

/* How much white space is between tokens: none, one space after ':' and ',', anything. */
static void put_space(int spacing, bool after)
{
    static const char *const any[] = {"", " ", "  ", "\n", "\t ", "\r\n  "};

    if (spacing == 1 && after) {
        put(" ");
    } else if (spacing == 2) {
        put(any[draw(6)]);
    }
}

/* A string of about `most` bytes in quotes; what it means goes to `words`. */
static void put_string(size_t most, size_t *at, size_t *len)
{
    static const char *const part[][2] = {{"a", "a"},
                                          {"b", "b"},
                                          {"xyz", "xyz"},
                                          {"\\n", "\n"},
                                          {"\\\"", "\""},
                                          {"\\\\", "\\"},
                                          {"\xc3\xa9", "\xc3\xa9"},
                                          {"\\u00e9", "\xc3\xa9"},
                                          {"\\/", "/"},
                                          {",", ","},
                                          {"}", "}"},
                                          {"]", "]"},
                                          {"{\\\"k\\\":1}", "{\"k\":1}"},
                                          {":", ":"},
                                          {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
                                          {"0123456789abcdef", "0123456789abcdef"}};
    size_t                   end = n_made + 1 + draw(most + 1), kinds = draw(2) ? 3 : 16;

    *at = n_words;
    put("\"");
    while (n_made < end) {
        uint64_t i = draw(kinds);
        put(part[i][0]);
        memcpy(words + n_words, part[i][1], strlen(part[i][1]));
        n_words += strlen(part[i][1]);
    }
    put("\"");
    *len = n_words - *at;
    words[n_words++] = '\0';
}

static bool key_taken(int object, int self)
{
    for (int i = node[object].first; i >= 0; i = node[i].next) {
        if (i != self && node[i].key_len == node[self].key_len &&
            memcmp(words + node[i].key, words + node[self].key, node[i].key_len) == 0) {
            return true;
        }
    }
    return false;
}

static int make(int parent, int depth, int spacing);

static void make_children(int self, int depth, int spacing)
{
    bool     object = node[self].type == DRH_T_OBJECT;
    uint64_t n = draw(5);
    int      last = -1;

    put(object ? "{" : "[");
    put_space(spacing, false);
    for (uint64_t i = 0; i < n && n_nodes < NODES - 8; i++) {
        int c;
        if (i) {
            put(",");
            put_space(spacing, true);
        }
        c = make(self, depth + 1, spacing);
        *(last < 0 ? &node[self].first : &node[last].next) = c;
        last = c;
        put_space(spacing, false);
    }
    put(object ? "}" : "]");
}

/* A value, with its key when the parent is an object. */
static int make(int parent, int depth, int spacing)
{
    static const char *const scalar[] = {"1", "-2.50e3", "true", "false", "null"};
    static const uint32_t type[] = {DRH_T_NUMBER, DRH_T_NUMBER, DRH_T_BOOL, DRH_T_BOOL, DRH_T_NULL};
    int                   self = n_nodes++;
    uint64_t              kind = depth == 0 ? 9 : draw(depth > 4 ? 8 : 11);
    struct node          *x = &node[self];

    *x = (struct node){.parent = parent, .first = -1, .next = -1};
    if (parent >= 0 && node[parent].type == DRH_T_OBJECT) {
        size_t from = n_made;
        do {
            n_made = from;
            put_string(draw(4) ? 6 : 40, &x->key, &x->key_len);
        } while (key_taken(parent, self));
        put_space(spacing, false);
        put(":");
        put_space(spacing, true);
    }
    x->from = n_made;
    if (kind < 3) {
        uint64_t i = draw(5);
        x->type = type[i];
        put(scalar[i]);
    } else if (kind < 8) {
        x->type = DRH_T_STRING;
        put_string(draw(3) ? 20 : 200, &x->str, &x->str_len);
    } else {
        x->type = kind == 8 ? DRH_T_ARRAY : DRH_T_OBJECT;
        make_children(self, depth, spacing);
    }
    x->to = n_made;
    return self;
}

static void make_text(uint64_t from)
{
    seed = from;
    drawn = 0;
    n_nodes = 0;
    n_made = n_words = 0;
    (void)make(-1, 0, (int)(from % 3));
}

static void setup(void)
{
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(arena);
    field_free_all();
}

/* ---- reading ---- */

static void ck_text(drh_str s, size_t at, size_t len)
{
    ck_assert_uint_eq(s.len, len);
    ck_assert_mem_eq(s.ptr, words + at, len + 1);
}

/* The value as it is under the cursor. */
static void ck_value(const drh_value *v, const char *text, const struct node *x)
{
    drh_str    s;
    drh_status st;
    size_t     n = 0;

    ck_assert_uint_eq(value_api.type(v), x->type);
    switch (draw(4)) {
    case 0:
        s = value_api.json(v);
        ck_assert_uint_eq(s.len, x->to - x->from);
        ck_assert_mem_eq(s.ptr, text + x->from, s.len);
        break;
    case 1:
        st = value_api.key(v, &s);
        if (x->parent >= 0 && node[x->parent].type == DRH_T_OBJECT) {
            ck_assert_int_eq(st, DRH_OK);
            ck_text(s, x->key, x->key_len);
        } else {
            ck_assert_int_eq(st, DRH_E_TYPE);
        }
        break;
    case 2:
        for (int i = x->first; i >= 0; i = node[i].next) {
            n++;
        }
        ck_assert_uint_eq(value_api.count(v), n);
        break;
    default:
        st = value_api.str(v, &s);
        ck_assert_int_eq(st, x->type == DRH_T_STRING ? DRH_OK : DRH_E_TYPE);
        if (st == DRH_OK) {
            ck_text(s, x->str, x->str_len);
        }
    }
}

/* Into the container under *v, at one of its members or its first child. */
static int go_down(drh_value *v, int at)
{
    const struct node *x = &node[at];
    drh_status         st;
    uint64_t           skip = draw(4);
    int                to = x->first;

    if (x->type == DRH_T_OBJECT && draw(3)) {
        while (to >= 0 && skip-- > 0 && node[to].next >= 0) {
            to = node[to].next;
        }
        if (to < 0 || draw(6) == 0) {
            ck_assert_int_eq(value_api.member(v, DRH_LIT("not there"), v), DRH_E_MISSING);
            return at;
        }
        st = value_api.member(v, words + node[to].key, node[to].key_len, v);
    } else {
        st = value_api.child(v, v);
        if (to < 0) {
            ck_assert_int_eq(st, x->type < DRH_T_ARRAY ? DRH_E_TYPE : DRH_END);
            return at;
        }
    }
    ck_assert_int_eq(st, DRH_OK);
    return to;
}

static void go_anywhere(const drh_value *root, const char *text)
{
    drh_value v[CURSORS];
    int       at[CURSORS];

    for (int i = 0; i < CURSORS; i++) {
        v[i] = *root;
        at[i] = 0;
    }
    for (int step = 0; step < STEPS; step++) {
        uint64_t i = draw(CURSORS);
        ck_value(&v[i], text, &node[at[i]]);
        if (draw(2)) {
            at[i] = go_down(&v[i], at[i]);
        } else {
            drh_status st = value_api.next(&v[i]);
            ck_assert_int_eq(st, node[at[i]].next >= 0 ? DRH_OK : DRH_END);
            at[i] = st == DRH_OK ? node[at[i]].next : at[i];
        }
        if (draw(20) == 0) { /* another one's place, or from the start */
            uint64_t from = draw(CURSORS + 1);
            v[i] = from < CURSORS ? v[from] : *root;
            at[i] = from < CURSORS ? at[from] : 0;
        }
    }
}

START_TEST(any_order)
{
    for (uint64_t s = 0; s < 60; s++) {
        struct decoded *d;
        drh_value       root;
        uint32_t        type;
        char           *text;

        make_text((uint64_t)_i * 1000 + s);
        text = mem_dup(made, n_made);
        text = mem_resize(text, n_made);
        arena_reset(arena);
        ck_assert_int_eq(json_scan(text, n_made, arena, NULL, NULL, &type, NULL), DRH_OK);
        value_at(&root, arena, text, n_made);
        go_anywhere(&root, text);
        d = value_decode(text, n_made); /* without notes */
        value_at_decoded(&root, d, text, n_made);
        go_anywhere(&root, text);
        mem_free(d);
        mem_free(text);
    }
}
END_TEST

/* ---- building ---- */

/* All of the value, by cursor alone. */
static void ck_tree(const drh_value *v, int at)
{
    const struct node *x = &node[at];
    drh_value          c;
    drh_str            s;
    drh_status         st = value_api.child(v, &c);

    ck_assert_uint_eq(value_api.type(v), x->type);
    if (x->type == DRH_T_STRING && draw(4)) {
        ck_assert_int_eq(value_api.str(v, &s), DRH_OK);
        ck_text(s, x->str, x->str_len);
    }
    for (int i = x->first; i >= 0; i = node[i].next) {
        ck_assert_int_eq(st, DRH_OK);
        ck_tree(&c, i);
        st = value_api.next(&c);
    }
    ck_assert_int_eq(st, x->type < DRH_T_ARRAY ? DRH_E_TYPE : DRH_END);
}

/* Reads some of the strings below `at`, then puts the children into an array of its own. */
static int build_from(drh_record *r, drh_field f, const drh_value *v, int at, int *order)
{
    drh_value  c;
    drh_str    s;
    drh_status st = value_api.child(v, &c);
    int        n = 0;

    for (int i = node[at].first; i >= 0; i = node[i].next, st = value_api.next(&c)) {
        if (node[i].type == DRH_T_STRING && draw(3)) {
            ck_assert_int_eq(value_api.str(&c, &s), DRH_OK);
        }
    }
    ck_assert_int_eq(st, DRH_END);
    ck_assert_int_eq(record_api.open(r, f, DRH_T_ARRAY), DRH_OK);
    st = value_api.child(v, &c);
    for (int i = node[at].first; i >= 0; i = node[i].next, st = value_api.next(&c)) {
        for (uint64_t times = draw(3); times > 0; times--) {
            order[n++] = i;
            ck_assert_int_eq(record_api.put_value(r, &c), DRH_OK);
            if (draw(3) == 0) {
                order[n++] = -1;
                ck_assert_int_eq(record_api.put_str(r, DRH_LIT("between \"them\"")), DRH_OK);
            }
        }
    }
    ck_assert_int_eq(record_api.close(r), DRH_OK);
    return n;
}

/* The array that was built, and the same from its text alone. */
static void ck_built(drh_record *r, drh_field f, const int *order, int n)
{
    drh_value v, c;
    drh_str   s;

    for (int round = 0; round < 3; round++) {
        drh_status st;
        ck_assert_int_eq(record_api.get_value(r, f, &v), DRH_OK);
        if (round == 2) {
            s = value_api.json(&v);
            value_at(&v, arena, s.ptr, s.len);
        }
        st = value_api.child(&v, &c);
        for (int i = 0; i < n; i++) {
            ck_assert_int_eq(st, DRH_OK);
            if (order[i] >= 0) {
                ck_tree(&c, order[i]);
            } else {
                ck_assert_int_eq(value_api.str(&c, &s), DRH_OK);
                ck_assert_str_eq(s.ptr, "between \"them\"");
            }
            st = value_api.next(&c);
        }
        ck_assert_int_eq(st, DRH_END);
    }
}

START_TEST(read_then_built)
{
    drh_field f = field_intern("built", 5), g = field_intern("again", 5);
    drh_field first = field_intern("/built/0", 8);

    for (uint64_t s = 0; s < 60; s++) {
        int               order[100], more[100], n, m;
        struct drh_record r = {.arena = arena};
        drh_value         v;
        drh_str           text;
        char             *block;

        make_text((uint64_t)_i * 1000 + s);
        block = mem_dup(made, n_made);
        block = mem_resize(block, n_made);
        arena_reset(arena);
        ck_assert_int_eq(record_parse(&r, block, n_made, NULL), DRH_OK);
        ck_assert_int_eq(record_api.get_value(&r, DRH_FIELD_NONE, &v), DRH_OK);
        n = build_from(&r, f, &v, 0, order);
        m = build_from(&r, g, &v, 0, more);
        ck_built(&r, f, order, n);
        ck_built(&r, g, more, m);
        ck_built(&r, f, order, n);
        /* as a part of something larger; and no longer what it was */
        ck_assert_int_eq(record_api.get_value(&r, f, &v), DRH_OK);
        text = value_api.json(&v);
        ck_assert_int_eq(record_api.open(&r, g, DRH_T_ARRAY), DRH_OK);
        ck_assert_int_eq(record_api.put_value(&r, &v), DRH_OK);
        ck_assert_int_eq(record_api.close(&r), DRH_OK);
        ck_assert_int_eq(record_api.get_value(&r, g, &v), DRH_OK);
        ck_assert_uint_eq(value_api.json(&v).len, text.len + 2);
        ck_assert_mem_eq(value_api.json(&v).ptr + 1, text.ptr, text.len);
        ck_assert_int_ne(record_api.set_str(&r, first, DRH_LIT("new")), DRH_OK); /* an array */
        ck_assert_int_eq(record_api.set_json(&r, f, DRH_LIT("[\"new\", \"x\"]")), DRH_OK);
        ck_assert_int_eq(record_api.get_str(&r, first, &text), DRH_OK);
        ck_assert_str_eq(text.ptr, "new");
        mem_free(block);
    }
}
END_TEST

/* ---- keys ---- */

static drh_status scan_block(const char *text, size_t len)
{
    struct json_err   je;
    struct drh_record r = {.arena = arena};
    char             *block = mem_resize(NULL, len ? len : 1);
    drh_status        st;

    memcpy(block, text, len);
    st = record_parse(&r, block, len, &je);
    if (st != DRH_OK) {
        ck_assert_int_eq(st, DRH_E_DATA);
        ck_assert_uint_le(je.offset, len);
    }
    mem_free(block);
    return st;
}

/* Two keys of any length that differ in one byte or in none: told apart in compact text, in loose
 * text and by the builder. */
START_TEST(keys_told_apart)
{
    static const char *const form[][3] = {{"{\"", "\":\"1\",\"", "\":\"2\"}"},
                                          {"{\"", "\": \"1\", \"", "\": \"2\"}"},
                                          {"{ \"", "\" :1,\n\"", "\":2 }"},
                                          {"[{\"", "\":[],\"", "\":\"\"}]"}};
    char                     a[32], b[32], text[128];
    size_t                   len = (size_t)_i, other, at;

    memcpy(a, "abcdefghijklmnopqrstuvwxyz", len);
    a[len] = '\0';
    for (other = 0; other <= 20; other++) {
        for (at = 0; at <= other; at++) {
            struct drh_record *r = record_new(arena);
            bool               same;

            memcpy(b, "abcdefghijklmnopqrstuvwxyz", other);
            b[other] = '\0';
            b[at] = at < other ? '~' : '\0';
            same = strcmp(a, b) == 0;
            for (size_t i = 0; i < 4; i++) {
                uint32_t type;
                int n = snprintf(text, sizeof(text), "%s%s%s%s%s", form[i][0], a, form[i][1], b,
                                 form[i][2]);
                drh_status st = json_scan(text, (size_t)n, arena, NULL, NULL, &type, NULL);
                ck_assert_int_eq(st, same ? DRH_E_DATA : DRH_OK);
            }
            ck_assert_int_eq(record_api.open(r, DRH_FIELD_NONE, DRH_T_OBJECT), DRH_OK);
            ck_assert_int_eq(record_api.put_key(r, a, len), DRH_OK);
            ck_assert_int_eq(record_api.put_null(r), DRH_OK);
            ck_assert_int_eq(record_api.put_key(r, b, other), same ? DRH_E_DATA : DRH_OK);
            (void)record_api.put_null(r);
            ck_assert_int_eq(record_api.close(r), same ? DRH_E_DATA : DRH_OK);
        }
    }
    arena_reset(arena);
}
END_TEST

/* Every beginning of a text is refused, and so is every byte that does not belong. */
START_TEST(parts_of_a_text)
{
    static const char text[] =
        "{\"id\":\"17\",\"conversations\": [{\"from\": \"human\", \"value\": \"a \\\"b\\\" "
        "\xc3\xa9\"},"
        "{\"from\":\"gpt\",\"value\":\"\"}], \"a key that is longer\":\"v\",\"\":\"\",\"n\":1,"
        "\"k\\u0065y\":\"w\",\"\xe4\xb8\xad\":\"x\"}";
    const size_t len = sizeof(text) - 1;
    char         other[sizeof(text)];

    ck_assert_int_eq(scan_block(text, len), DRH_OK);
    for (size_t n = 0; n < len; n++) {
        ck_assert_int_eq(scan_block(text, n), DRH_E_DATA);
        memcpy(other, text, len);
        other[n] = '\x01';
        ck_assert_int_eq(scan_block(other, len), DRH_E_DATA);
        other[n] = '\xff';
        ck_assert_int_eq(scan_block(other, len), DRH_E_DATA);
        arena_reset(arena);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("cursor");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, any_order, 0, 12);
    tcase_add_loop_test(t, read_then_built, 0, 12);
    tcase_add_loop_test(t, keys_told_apart, 0, 21);
    tcase_add_test(t, parts_of_a_text);
    return run_case("cursor", t);
}
