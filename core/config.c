/* SPDX-License-Identifier: MIT
 * config.c - a stage's final configuration behind drh_config: made by the plan, read by plugins.
 *
 * Getters and cursors read what never changes, so any thread may call them.  Secrets are resolved
 * here and kept in memory only; config_text() has their references. */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "outfile.h"
#include "record.h"
#include "schema.h"
#include "tree.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 16 << 20, MAX_SECRET = 64 << 10, MAX_KEY = 256 };

struct drh_config {
    cJSON          *tree;    /* secrets resolved */
    struct buf      given;   /* canonical, references */
    struct buf      final;   /* canonical, resolved; what cursors point into */
    struct decoded *decoded; /* the strings of final */
};

/* ---- making ---- */

/* A secret is a word: white space around it is what the editor or the shell has left.  False: it is
 * no line of text. */
static bool settle_secret(char *p, size_t *len)
{
    size_t from = strspn(p, " \t\r\n");

    while (*len > from && p[*len - 1] && strchr(" \t\r\n", p[*len - 1])) {
        --*len;
    }
    *len = *len > from ? *len - from : 0;
    memmove(p, p + from, *len);
    p[*len] = 0;
    return *len > 0 && !strpbrk(p, "\r\n") && json_utf8_valid(p, *len);
}

static drh_status read_env(const char *name, char **out, drh_error *e)
{
    const char *text = secure_getenv(name);
    size_t      len;

    if (!text || !text[0]) {
        return err_set(e, DRH_E_CONFIG, "environment variable %s is not set; set it to the secret",
                       name);
    }
    *out = mem_dupz(text);
    if (!*out) {
        return err_nomem(e, "a secret");
    }
    len = strlen(*out);
    if (!settle_secret(*out, &len)) {
        mem_free(*out);
        *out = NULL;
        return err_set(e, DRH_E_CONFIG, "environment variable %s must hold one line of text", name);
    }
    return DRH_OK;
}

static drh_status read_secret(const char *ref, char **out, drh_error *e)
{
    size_t     len = 0;
    drh_status st;

    if (strncmp(ref, "env:", 4) == 0) {
        return read_env(ref + 4, out, e);
    }
    if (strncmp(ref, "file:", 5) != 0) {
        return err_set(e, DRH_E_CONFIG, "a secret must be \"env:NAME\" or \"file:PATH\"");
    }
    st = read_file(ref + 5, MAX_SECRET, out, &len, e);
    if (st != DRH_OK) {
        return st == DRH_E_NOMEM ? st : DRH_E_CONFIG;
    }
    if (strlen(*out) != len || !settle_secret(*out, &len)) {
        mem_free(*out);
        *out = NULL;
        return err_set(e, DRH_E_CONFIG, "secret file %s must hold one line of text", ref + 5);
    }
    return DRH_OK;
}

/* Every {"$secret": ref} becomes a string: the reference itself, or what it stands for.  Depth is
 * bounded by that of configurations. */
static drh_status settle_secrets(cJSON *t, bool resolve, drh_error *e)
{
    cJSON     *kid, *next;
    drh_status st = DRH_OK;

    for (kid = t->child; kid && st == DRH_OK; kid = next) {
        const char *ref = tree_marker(kid, TREE_SECRET);
        char       *text = NULL;
        next = kid->next;
        if (!ref) {
            st = settle_secrets(kid, resolve, e);
            continue;
        }
        if (resolve) {
            st = read_secret(ref, &text, e);
            if (st != DRH_OK && kid->string) {
                err_prefix(e, "%s", kid->string);
            }
        }
        if (st == DRH_OK && tree_replace(t, kid, cJSON_CreateString(text ? text : ref)) != DRH_OK) {
            st = err_nomem(e, "a configuration");
        }
        if (text) {
            explicit_bzero(text, strlen(text));
        }
        mem_free(text);
    }
    return st;
}

static drh_status write_final(struct drh_config *c, const cJSON *value, bool resolve,
                              struct buf *out, drh_error *e)
{
    drh_status st;

    cJSON_Delete(c->tree);
    c->tree = cJSON_Duplicate(value, 1);
    if (!c->tree) {
        return err_nomem(e, "a configuration");
    }
    st = settle_secrets(c->tree, resolve, e);
    if (st == DRH_OK && tree_write(c->tree, out) != DRH_OK) {
        st = err_nomem(e, "a configuration");
    }
    return st;
}

drh_status config_new(const cJSON *value, struct drh_config **out, drh_error *e)
{
    struct drh_config *c = mem_alloc(1, sizeof(*c));
    drh_status         st;

    *out = NULL;
    if (!c) {
        return err_nomem(e, "a configuration");
    }
    buf_init(&c->given, MAX_TEXT);
    buf_init(&c->final, MAX_TEXT);
    st = write_final(c, value, false, &c->given, e);
    st = st == DRH_OK ? write_final(c, value, true, &c->final, e) : st;
    if (st == DRH_OK) {
        c->decoded = value_decode(c->final.ptr, c->final.len);
        st = c->decoded ? DRH_OK : err_nomem(e, "a configuration");
    }
    if (st != DRH_OK) {
        config_free(c);
        return st;
    }
    *out = c;
    return DRH_OK;
}

static void forget(cJSON *t)
{
    for (cJSON *kid = t->child; kid; kid = kid->next) {
        if (cJSON_IsString(kid)) {
            explicit_bzero(kid->valuestring, strlen(kid->valuestring));
        }
        forget(kid);
    }
}

void config_free(struct drh_config *c)
{
    if (!c) {
        return;
    }
    if (c->tree) {
        forget(c->tree);
        cJSON_Delete(c->tree);
    }
    if (c->final.ptr) {
        explicit_bzero(c->final.ptr, c->final.len);
    }
    buf_free(&c->final);
    buf_free(&c->given);
    mem_free(c->decoded);
    mem_free(c);
}

const char *config_text(const struct drh_config *c)
{
    return c->given.ptr;
}

/* ---- reading ---- */

/* The next part of a JSON pointer, unescaped.  False: broken, or longer than any key. */
static bool next_part(const char **pointer, char *out)
{
    const char *p = *pointer + 1;
    size_t      n = 0;
    for (; *p && *p != '/'; p++) {
        char ch = *p;
        if (ch == '~') {
            p++;
            if (*p != '0' && *p != '1') {
                return false;
            }
            ch = *p == '0' ? '~' : '/';
        }
        if (n + 1 >= MAX_KEY) {
            return false;
        }
        out[n++] = ch;
    }
    out[n] = 0;
    *pointer = p;
    return true;
}

/* The index that a pointer's part means, or -1. */
static int index_of(const char *part)
{
    char *end;
    long  v;
    if (part[0] < '0' || part[0] > '9' || (part[0] == '0' && part[1])) {
        return -1;
    }
    v = strtol(part, &end, 10);
    return *end == 0 && v < 1000000 ? (int)v : -1;
}

static drh_status find(const struct drh_config *c, const char *pointer, const cJSON **out)
{
    const cJSON *at = c->tree;
    char         part[MAX_KEY];

    while (*pointer && at) {
        if (*pointer != '/' || !next_part(&pointer, part)) {
            return DRH_E_ARG;
        }
        if (cJSON_IsArray(at)) {
            int i = index_of(part);
            at = i < 0 ? NULL : cJSON_GetArrayItem(at, i);
        } else {
            at = cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, part) : NULL;
        }
    }
    *out = at;
    return at && !cJSON_IsNull(at) ? DRH_OK : DRH_E_MISSING;
}

static drh_status get_str(const drh_config *c, const char *pointer, drh_str *out)
{
    const cJSON *v;
    drh_status   st = find(c, pointer, &v);
    if (st != DRH_OK) {
        return st;
    }
    if (!cJSON_IsString(v)) {
        return DRH_E_TYPE;
    }
    *out = drh_str_of(v->valuestring);
    return DRH_OK;
}

static drh_status get_i64(const drh_config *c, const char *pointer, int64_t *out)
{
    const cJSON *v;
    drh_status   st = find(c, pointer, &v);
    if (st != DRH_OK) {
        return st;
    }
    if (!tree_is_int(v)) {
        return DRH_E_TYPE;
    }
    *out = (int64_t)v->valuedouble;
    return DRH_OK;
}

static drh_status get_f64(const drh_config *c, const char *pointer, double *out)
{
    const cJSON *v;
    drh_status   st = find(c, pointer, &v);
    if (st != DRH_OK) {
        return st;
    }
    if (!cJSON_IsNumber(v)) {
        return DRH_E_TYPE;
    }
    *out = v->valuedouble;
    return DRH_OK;
}

static drh_status get_bool(const drh_config *c, const char *pointer, int32_t *out)
{
    const cJSON *v;
    drh_status   st = find(c, pointer, &v);
    if (st != DRH_OK) {
        return st;
    }
    if (!cJSON_IsBool(v)) {
        return DRH_E_TYPE;
    }
    *out = cJSON_IsTrue(v);
    return DRH_OK;
}

/* The value of a member in canonical text, p behind its '{'; NULL: not there. */
static const char *text_member(const char *p, const char *end, const char *key)
{
    char name[MAX_KEY * 6];
    while (*p == '"') {
        const char *value = json_skip(p, end);
        size_t      n = (size_t)(value - p) - 2;
        bool        same = false;
        if (n < sizeof(name)) {
            n = json_unescape(p + 1, n, name);
            same = n == strlen(key) && memcmp(name, key, n) == 0;
        }
        if (same) {
            return value + 1;
        }
        p = json_skip(value + 1, end);
        p += *p == ',';
    }
    return NULL;
}

static const char *text_item(const char *p, const char *end, int index)
{
    for (; index > 0 && *p != ']'; index--) {
        p = json_skip(p, end);
        p += *p == ',';
    }
    return *p == ']' || index < 0 ? NULL : p;
}

static drh_status get_value(const drh_config *c, const char *pointer, drh_value *out)
{
    const char  *p = c->final.ptr, *end = p + c->final.len;
    const cJSON *v;
    char         part[MAX_KEY];
    drh_status   st = find(c, pointer, &v);

    if (st != DRH_OK) {
        return st;
    }
    while (*pointer && p && next_part(&pointer, part)) {
        p = *p == '[' ? text_item(p + 1, end, index_of(part)) : text_member(p + 1, end, part);
    }
    if (!p) {
        return DRH_E_INTERNAL;
    }
    value_at_decoded(out, c->decoded, p, (size_t)(json_skip(p, end) - p));
    return DRH_OK;
}

const drh_config_api config_api = {
    (uint32_t)sizeof(drh_config_api), 0, get_str, get_i64, get_f64, get_bool, get_value};
