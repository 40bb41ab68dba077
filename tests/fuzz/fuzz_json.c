/* SPDX-License-Identifier: MIT
 * fuzz_json.c - any bytes through the scanner; what it accepts through everything that builds on
 * "accepted": skipping, minifying, cursors, changing and writing a record. */
#include "err.h"
#include "field.h"
#include "mem.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static drh_status count_member(void *ctx, const struct json_member *m)
{
    MUST(m->key[-1] == '"' && m->key[m->key_len] == '"');
    MUST(json_skip(m->val, m->val + m->val_len) == m->val + m->val_len);
    MUST(json_type(m->val) == m->type);
    ++*(size_t *)ctx;
    return DRH_OK;
}

static drh_status rescan(struct arena *a, const char *p, size_t len)
{
    struct json_err e;
    uint32_t        type;

    return json_scan(p, len, a, NULL, NULL, &type, &e);
}

/* Every scalar of the tree, by a stack of cursors. */
static void walk(drh_value root)
{
    drh_value stack[64], v;
    size_t    n = 0, steps = 0;
    drh_str   s;
    double    d;
    int64_t   i;

    stack[n++] = root;
    while (n && steps++ < 4096) {
        v = stack[n - 1];
        (void)value_api.str(&v, &s);
        (void)value_api.key(&v, &s);
        (void)value_api.i64(&v, &i);
        (void)value_api.f64(&v, &d);
        s = value_api.json(&v);
        MUST(json_skip(s.ptr, s.ptr + s.len) == s.ptr + s.len);
        if (value_api.next(&stack[n - 1]) != DRH_OK) {
            n--;
        }
        if (n < 64 && value_api.child(&v, &stack[n]) == DRH_OK) {
            MUST(value_api.count(&v) > 0);
            n++;
        }
    }
}

static void minify(struct arena *a, const char *p, size_t len)
{
    struct buf once, twice;

    buf_init(&once, SIZE_MAX / 2);
    buf_init(&twice, SIZE_MAX / 2);
    MUST(json_minify(&once, p, len) == DRH_OK);
    MUST(rescan(a, once.ptr, once.len) == DRH_OK);
    MUST(json_minify(&twice, once.ptr, once.len) == DRH_OK);
    MUST(twice.len == once.len && memcmp(once.ptr, twice.ptr, once.len) == 0);
    buf_free(&once);
    buf_free(&twice);
}

static void change(struct arena *a, const char *p, size_t len)
{
    static const char *const names[] = {"a", "/a/b", "/metadata/ifd", "/", "/a/b/c/d", "k\n"};
    struct drh_record        r;
    struct buf               out;
    struct json_err          e;
    size_t                   i;

    memset(&r, 0, sizeof(r));
    r.arena = a;
    MUST(record_parse(&r, p, len, &e) == DRH_OK);
    buf_init(&out, SIZE_MAX / 2);
    for (i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        drh_field  f = field_intern(names[i / 2], strlen(names[i / 2]));
        drh_status st;
        drh_str    s;
        st = i % 2 ? record_api.unset(&r, f) : record_api.set_str(&r, f, "\"\x01\xc3\xa9", 4);
        MUST(st == DRH_OK || st == DRH_E_TYPE || st == DRH_E_DATA);
        st = record_api.get_str(&r, f, &s);
        MUST(i % 2 == 0 || st != DRH_OK);
        if (i % 2 == 0) {
            st = record_api.set_f64(&r, f, 0.1);
        }
        buf_reset(&out);
        MUST(record_write(&r, &out) == DRH_OK);
        MUST(rescan(a, out.ptr, out.len) == DRH_OK);
        MUST(memchr(out.ptr, '\n', out.len) == NULL);
    }
    buf_free(&out);
}

/* An answer of a server: accepted when a record would be, read the same way. */
static void open_doc(const char *p, size_t len, drh_status want)
{
    drh_error e = ERR_INIT;
    drh_json *doc;
    drh_value root;

    MUST(json_doc_open(NULL, p, len, &doc, &root, &e) == want);
    MUST((doc != NULL) == (want == DRH_OK));
    if (want == DRH_OK) {
        drh_str s = value_api.json(&root);
        MUST(s.ptr == json_space(p, p + len) && json_space(s.ptr + s.len, p + len) == p + len);
        walk(root);
    } else {
        MUST(e.message[0]);
    }
    json_doc_close(doc);
}

/* What is accepted after it was mended has no more to mend. */
static void mend(struct arena *a, const char *p, size_t len)
{
    drh_status st = json_mend(a, &p, &len);

    MUST(st == DRH_OK || st == DRH_E_DATA);
    if (st == DRH_OK && rescan(a, p, len) == DRH_OK) {
        MUST(json_mend(a, &p, &len) == DRH_E_DATA);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena   *a = arena_new();
    const char     *p = (const char *)data, *end = p + size;
    struct json_err e;
    size_t          members = 0;
    uint32_t        type;
    drh_value       root;

    drh_status st;

    MUST(a != NULL);
    memset(&e, 0, sizeof(e));
    st = json_scan(p, size, a, count_member, &members, &type, &e);
    open_doc(p, size, st);
    if (st == DRH_OK) {
        MUST(json_utf8_valid(p, size));
        p = json_space(p, end);
        MUST(json_space(json_skip(p, end), end) == end);
        value_at(&root, a, p, (size_t)(json_skip(p, end) - p));
        MUST(value_api.type(&root) == type);
        MUST(type != DRH_T_OBJECT || value_api.count(&root) == members);
        walk(root);
        minify(a, p, (size_t)(end - p));
        if (type == DRH_T_OBJECT) {
            change(a, p, (size_t)(end - p));
        }
    } else {
        MUST(e.code != NULL && e.offset <= size && e.message[0] != '\0');
        mend(a, p, size);
    }
    arena_free(a);
    return 0;
}
