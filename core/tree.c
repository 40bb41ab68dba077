/* SPDX-License-Identifier: MIT
 * tree.c - see tree.h. */
#include "tree.h"

#include "err.h"
#include "json.h"
#include "mem.h"
#include "recipe.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cJSON cuts numbers at 63 characters. */
enum { MAX_NUMBER = 60 };

static void *hook_alloc(size_t n)
{
    return mem_alloc(1, n);
}

void tree_use_mem(void)
{
    cJSON_Hooks hooks = {hook_alloc, mem_free};
    cJSON_InitHooks(&hooks);
}

static drh_status fail_at(const char *text, size_t at, const char *name, const char *what,
                          drh_error *e)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xC0U) != 0x80U) {
            column++;
        }
    }
    return err_set(e, DRH_E_CONFIG, "%s:%zu:%zu: %s", name, line, column, what);
}

/* The last byte of the string or number that begins at text[i]; *what gets what cJSON would not
 * stand in it. */
static size_t scan_string(const char *text, size_t i, const char **what)
{
    for (i++; text[i] != '"'; i++) {
        if (text[i] == '\\') {
            if (strncmp(text + i, "\\u0000", 6) == 0) {
                *what = "a text here cannot hold \\u0000";
            }
            i++;
        }
    }
    return i;
}

static size_t scan_number(const char *text, size_t len, size_t i, const char **what)
{
    size_t from = i;
    double number;

    while (i + 1 < len && text[i + 1] && strchr("0123456789+-.eE", text[i + 1])) {
        i++;
    }
    if (i - from >= MAX_NUMBER) {
        *what = "number is too long";
    } else if (json_f64(text + from, i + 1 - from, &number) != DRH_OK || !isfinite(number)) {
        *what = "number is too big";
    }
    return i;
}

/* What cJSON would not stand, in a text that is strict JSON. */
static const char *too_much(const char *text, size_t len, size_t *at)
{
    const char *what = NULL;
    unsigned    depth = 0;

    for (size_t i = 0; i < len && !what; i++) {
        char c = text[i];
        *at = i;
        if (c == '"') {
            i = scan_string(text, i, &what);
        } else if (c == '-' || isdigit((unsigned char)c)) {
            i = scan_number(text, len, i, &what);
        } else if (c == '[' || c == '{') {
            what = ++depth > TREE_MAX_DEPTH ? "nested too deep (more than 32 levels)" : NULL;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return what;
}

static drh_status parse_checked(const char *text, size_t len, const char *name, cJSON **tree,
                                drh_error *e)
{
    struct arena   *a = arena_new();
    struct json_err je;
    drh_status      st;
    uint32_t        type;
    size_t          at = 0;
    const char     *what;

    if (!a) {
        return err_nomem(e, name);
    }
    memset(&je, 0, sizeof(je));
    st = json_scan(text, len, a, NULL, NULL, &type, &je);
    arena_free(a);
    if (st == DRH_E_DATA) {
        return fail_at(text, je.offset < len ? je.offset : len, name, je.message, e);
    }
    if (st != DRH_OK) {
        return err_nomem(e, name);
    }
    what = too_much(text, len, &at);
    if (what) {
        return fail_at(text, at, name, what, e);
    }
    *tree = cJSON_ParseWithLength(text, len);
    return *tree ? DRH_OK : err_nomem(e, name);
}

drh_status tree_parse(const char *text, size_t len, const char *name, cJSON **tree, drh_error *e)
{
    char      *copy;
    drh_status st;

    *tree = NULL;
    if (len > TREE_MAX_TEXT) {
        return err_set(e, DRH_E_CONFIG, "%s: longer than 16 MiB", name);
    }
    copy = mem_dup(text, len);
    if (!copy) {
        return err_nomem(e, name);
    }
    if (len >= 3 && memcmp(copy, "\xEF\xBB\xBF", 3) == 0) {
        memset(copy, ' ', 3);
    }
    st = jsonc_strip(copy, len, e);
    if (st != DRH_OK) {
        err_prefix(e, "%s", name);
        st = DRH_E_CONFIG;
    } else {
        st = parse_checked(copy, len, name, tree, e);
    }
    mem_free(copy);
    return st;
}

bool tree_is_int(const cJSON *t)
{
    return cJSON_IsNumber(t) && fabs(t->valuedouble) <= TREE_MAX_INT &&
           floor(t->valuedouble) == t->valuedouble;
}

static int by_key(const void *a, const void *b)
{
    const cJSON *const *x = a;
    const cJSON *const *y = b;
    return strcmp((*x)->string, (*y)->string);
}

static drh_status write_object(const cJSON *t, struct buf *out)
{
    size_t        n = (size_t)cJSON_GetArraySize(t), i = 0;
    const cJSON **kids = mem_alloc(n ? n : 1, sizeof(const cJSON *));
    const cJSON  *kid;
    drh_status    st;

    if (!kids) {
        return DRH_E_NOMEM;
    }
    cJSON_ArrayForEach(kid, t)
    {
        kids[i++] = kid;
    }
    qsort(kids, n, sizeof(const cJSON *), by_key);
    st = buf_addc(out, '{');
    for (i = 0; i < n && st == DRH_OK; i++) {
        st = i ? buf_addc(out, ',') : DRH_OK;
        st = st == DRH_OK ? json_quote(out, kids[i]->string, strlen(kids[i]->string)) : st;
        st = st == DRH_OK ? buf_addc(out, ':') : st;
        st = st == DRH_OK ? tree_write(kids[i], out) : st;
    }
    mem_free(kids);
    return st == DRH_OK ? buf_addc(out, '}') : st;
}

static drh_status write_array(const cJSON *t, struct buf *out)
{
    const cJSON *kid;
    drh_status   st = buf_addc(out, '[');

    cJSON_ArrayForEach(kid, t)
    {
        if (st == DRH_OK && kid != t->child) {
            st = buf_addc(out, ',');
        }
        st = st == DRH_OK ? tree_write(kid, out) : st;
    }
    return st == DRH_OK ? buf_addc(out, ']') : st;
}

drh_status tree_write(const cJSON *t, struct buf *out)
{
    switch (t->type & 0xFF) {
    case cJSON_Object:
        return write_object(t, out);
    case cJSON_Array:
        return write_array(t, out);
    case cJSON_String:
        return json_quote(out, t->valuestring, strlen(t->valuestring));
    case cJSON_Number:
        return tree_is_int(t) ? json_put_i64(out, (int64_t)t->valuedouble)
                              : json_put_f64(out, t->valuedouble);
    case cJSON_True:
        return buf_adds(out, "true");
    case cJSON_False:
        return buf_adds(out, "false");
    default:
        return buf_adds(out, "null");
    }
}

const char *tree_brief(const cJSON *t, char *out, size_t cap)
{
    struct buf b;
    buf_init(&b, TREE_MAX_TEXT);
    if (tree_write(t, &b) != DRH_OK || !b.ptr) {
        (void)snprintf(out, cap, "?");
    } else if (b.len < cap) {
        memcpy(out, b.ptr, b.len + 1);
    } else {
        size_t n = cap - 4;
        while (n > 0 && ((unsigned char)b.ptr[n] & 0xC0U) == 0x80U) {
            n--;
        }
        memcpy(out, b.ptr, n);
        memcpy(out + n, "...", 4);
    }
    buf_free(&b);
    return out;
}

drh_status tree_replace(cJSON *parent, cJSON *child, cJSON *repl)
{
    if (!repl) {
        return DRH_E_NOMEM;
    }
    if (child->string) {
        size_t n = strlen(child->string) + 1;
        char  *key = cJSON_malloc(n);
        if (!key) {
            cJSON_Delete(repl);
            return DRH_E_NOMEM;
        }
        memcpy(key, child->string, n);
        if (repl->string) {
            cJSON_free(repl->string);
        }
        repl->string = key;
    }
    cJSON_ReplaceItemViaPointer(parent, child, repl);
    return DRH_OK;
}

const char *tree_marker(const cJSON *t, const char *key)
{
    const cJSON *kid = cJSON_IsObject(t) ? t->child : NULL;
    if (!kid || kid->next || !cJSON_IsString(kid) || strcmp(kid->string, key) != 0) {
        return NULL;
    }
    return kid->valuestring;
}

cJSON *tree_mark(const char *key, const char *text)
{
    cJSON *t = cJSON_CreateObject();
    if (t && !cJSON_AddStringToObject(t, key, text)) {
        cJSON_Delete(t);
        t = NULL;
    }
    return t;
}
