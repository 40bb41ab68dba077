/* SPDX-License-Identifier: MIT
 * schema.c - checks a value against a schema and makes it final: defaults, --set texts, paths,
 * secrets.  Called by recipe.c for the host's keys and at plan time for each stage's. [main] */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "schema_impl.h"
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KNOWN = 64 }; /* names that an unknown one is compared with */

void check_begin(struct check *c, const char *at, const char *base_dir, struct problems *all,
                 drh_error *e)
{
    memset(c, 0, sizeof(*c));
    c->base_dir = base_dir;
    c->all = all;
    c->e = e;
    (void)snprintf(c->at, sizeof(c->at), "%s", at);
    c->at_len = strlen(c->at);
}

drh_status check_end(const struct check *c)
{
    if (c->nomem) {
        return err_nomem(c->e, "a configuration");
    }
    return c->failed ? DRH_E_CONFIG : DRH_OK;
}

__attribute__((format(printf, 2, 3))) static void wrong(struct check *c, const char *fmt, ...)
{
    const char *at = c->at_len ? c->at : "/";
    char        text[384];
    va_list     ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    problems_add(c->all, "%s: %s", at, text);
    if (!c->failed && c->e) {
        (void)snprintf(c->e->field, sizeof(c->e->field), "%.63s", at);
        err_set(c->e, DRH_E_CONFIG, "%s: %s", at, text);
    }
    c->failed = true;
}

/* The pointer goes one key deeper; gives what pop() needs. */
static size_t push(struct check *c, const char *key)
{
    size_t before = c->at_len;
    char   quoted[80];
    size_t n = 0;

    for (; *key && n + 3 < sizeof(quoted); key++) {
        if (*key == '~' || *key == '/') {
            quoted[n++] = '~';
            quoted[n++] = *key == '~' ? '0' : '1';
        } else {
            quoted[n++] = *key;
        }
    }
    quoted[n] = 0;
    (void)snprintf(c->at + before, sizeof(c->at) - before, "/%s", quoted);
    c->at_len = strlen(c->at);
    return before;
}

static void pop(struct check *c, size_t before)
{
    c->at_len = before;
    c->at[before] = 0;
}

static void must_be(struct check *c, const cJSON *schema, const cJSON *value)
{
    char expected[256], brief[48];
    schema_expected(schema, expected, sizeof(expected));
    wrong(c, "must be %s, is %s", expected, tree_brief(value, brief, sizeof(brief)));
}

static unsigned type_of(const cJSON *value)
{
    switch (value->type & 0xFF) {
    case cJSON_Object:
        return TYPE_OBJECT;
    case cJSON_Array:
        return TYPE_ARRAY;
    case cJSON_String:
        return TYPE_STRING;
    case cJSON_Number:
        return tree_is_int(value) ? TYPE_INT | TYPE_NUMBER : TYPE_NUMBER;
    case cJSON_True:
    case cJSON_False:
        return TYPE_BOOL;
    default:
        return TYPE_NULL;
    }
}

static bool in_list(const cJSON *list, const cJSON *value)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list)
    {
        if (cJSON_Compare(one, value, 1)) {
            return true;
        }
    }
    return false;
}

static bool limit(const cJSON *schema, const char *key, double *out)
{
    const cJSON *v = schema_key(schema, key);
    if (v) {
        *out = v->valuedouble;
    }
    return v != NULL;
}

static bool number_fits(const cJSON *schema, double v)
{
    double bound;
    return !(limit(schema, "minimum", &bound) && v < bound) &&
           !(limit(schema, "maximum", &bound) && v > bound) &&
           !(limit(schema, "exclusiveMinimum", &bound) && v <= bound) &&
           !(limit(schema, "exclusiveMaximum", &bound) && v >= bound);
}

static bool count_fits(const cJSON *schema, const char *lo, const char *hi, size_t n)
{
    double bound;
    return !(limit(schema, lo, &bound) && (double)n < bound) &&
           !(limit(schema, hi, &bound) && (double)n > bound);
}

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        n += ((unsigned char)*s & 0xC0U) != 0x80U;
    }
    return n;
}

/* ---- strings with a meaning ---- */

static void make_secret(struct check *c, cJSON *value, cJSON *parent)
{
    const char *ref = value->valuestring;
    bool        env = strncmp(ref, "env:", 4) == 0, file = strncmp(ref, "file:", 5) == 0;

    if ((env && ref[4]) || (file && ref[5])) {
        c->nomem |= tree_replace(parent, value, tree_mark(TREE_SECRET, ref)) != DRH_OK;
        return;
    }
    /* the value itself must not get into a log */
    wrong(c, "a secret is not written into a recipe; use a reference: \"env:NAME\" or "
             "\"file:PATH\"");
}

static void resolve_path(struct check *c, cJSON *value)
{
    char *full;
    if (!c->base_dir || value->valuestring[0] == '/' || value->valuestring[0] == 0) {
        return;
    }
    full = mem_printf("%s/%s", c->base_dir, value->valuestring);
    c->nomem |= !full || !cJSON_SetValuestring(value, full);
    mem_free(full);
}

static void check_string(struct check *c, const cJSON *schema, cJSON *value, cJSON *parent)
{
    const cJSON *path = schema_key(schema, "x-drh-path");

    if (!count_fits(schema, "minLength", "maxLength", characters(value->valuestring))) {
        must_be(c, schema, value);
    } else if (schema_is_secret(schema) && parent) {
        make_secret(c, value, parent);
    } else if (path && strcmp(path->valuestring, "in") == 0) {
        resolve_path(c, value);
    }
}

/* ---- arrays and objects ---- */

static void check_array(struct check *c, const cJSON *schema, cJSON *value)
{
    const cJSON *items = schema_key(schema, "items");
    bool         paths = schema_key(schema, "x-drh-path") != NULL;
    cJSON       *one = value->child, *next;
    char         number[24];
    size_t       i = 0;

    if (!count_fits(schema, "minItems", "maxItems", (size_t)cJSON_GetArraySize(value))) {
        must_be(c, schema, value);
    }
    for (; one; one = next, i++) {
        size_t before;
        next = one->next;
        (void)snprintf(number, sizeof(number), "%zu", i);
        before = push(c, number);
        if (items) {
            check_value(c, items, one, value);
        }
        if (paths && cJSON_IsString(one) && !(items && schema_key(items, "x-drh-path")) &&
            strcmp(schema_key(schema, "x-drh-path")->valuestring, "in") == 0) {
            resolve_path(c, one);
        }
        pop(c, before);
    }
}

static void unknown_key(struct check *c, const cJSON *props, const cJSON *kid, bool outermost)
{
    const char  *known[MAX_KNOWN] = {NULL}, *near;
    size_t       n = 0, before;
    const cJSON *p;

    cJSON_ArrayForEach(p, props)
    {
        if (n < MAX_KNOWN) {
            known[n++] = p->string;
        }
    }
    for (size_t i = 0; outermost && c->also && c->also[i] && n < MAX_KNOWN; i++) {
        known[n++] = c->also[i];
    }
    near = nearest(kid->string, known, n);
    before = push(c, kid->string);
    if (near) {
        wrong(c, "unknown key \"%.60s\"; did you mean \"%s\"?", kid->string, near);
    } else if (n == 0) {
        wrong(c, "unknown key \"%.60s\"; there are no options here", kid->string);
    } else {
        char   list[200] = "";
        size_t used = 0;
        for (size_t i = 0; i < n && used + strlen(known[i]) + 8 < sizeof(list); i++) {
            used +=
                (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", known[i]);
        }
        wrong(c, "unknown key \"%.60s\"; known are: %s", kid->string, list);
    }
    pop(c, before);
}

/* The default of an absent member, or NULL: x-drh-env, then default, then {} when that can be
 * filled with defaults. */
static cJSON *default_of(struct check *c, const cJSON *schema)
{
    const cJSON *env = schema_key(schema, "x-drh-env"), *def = schema_key(schema, "default");
    const char  *text = env ? secure_getenv(env->valuestring) : NULL;
    cJSON       *made = NULL;

    if (text && text[0]) {
        char ref[256];
        if (schema_is_secret(schema)) {
            (void)snprintf(ref, sizeof(ref), "env:%s", env->valuestring);
            text = ref;
        }
        made = tree_mark(TREE_SET, text);
    } else if (def) {
        made = cJSON_Duplicate(def, 1);
    } else if (schema_types(schema) == TYPE_OBJECT && schema_key(schema, "properties") &&
               !schema_key(schema, "required")) {
        made = cJSON_CreateObject();
    } else {
        return NULL;
    }
    c->nomem |= !made;
    return made;
}

static void fill_in(struct check *c, const cJSON *schema, cJSON *value)
{
    const cJSON *prop;
    cJSON_ArrayForEach(prop, schema_key(schema, "properties"))
    {
        cJSON *have = cJSON_GetObjectItemCaseSensitive(value, prop->string), *made;
        if (have && cJSON_IsNull(have) && (schema_types(prop) & TYPE_NULL) == 0) {
            cJSON_Delete(cJSON_DetachItemViaPointer(value, have));
            have = NULL;
        }
        made = have ? NULL : default_of(c, prop);
        if (made && !cJSON_AddItemToObject(value, prop->string, made)) {
            cJSON_Delete(made);
            c->nomem = true;
        }
    }
}

static void check_required(struct check *c, const cJSON *schema, const cJSON *value)
{
    const cJSON *name;
    cJSON_ArrayForEach(name, schema_key(schema, "required"))
    {
        if (!schema_key(value, name->valuestring)) {
            char         expected[200] = "a value";
            const cJSON *prop = schema_key(schema_key(schema, "properties"), name->valuestring);
            schema_expected(prop, expected, sizeof(expected));
            wrong(c, "\"%s\" is missing; it must be %s", name->valuestring, expected);
        }
    }
}

static void check_object(struct check *c, const cJSON *schema, cJSON *value, const cJSON *parent)
{
    const cJSON *props = schema_key(schema, "properties");
    const cJSON *extra = schema_key(schema, "additionalProperties");
    cJSON       *kid, *next;

    fill_in(c, schema, value);
    check_required(c, schema, value);
    for (kid = value->child; kid && !c->nomem; kid = next) {
        const cJSON *sub = props ? schema_key(props, kid->string) : NULL;
        size_t       before;
        next = kid->next;
        if (!sub && cJSON_IsFalse(extra)) {
            unknown_key(c, props, kid, parent == NULL);
            continue;
        }
        sub = sub ? sub : cJSON_IsObject(extra) ? extra : NULL;
        if (sub) {
            before = push(c, kid->string);
            check_value(c, sub, kid, value);
            pop(c, before);
        }
    }
}

/* ---- one value ---- */

/* What --set noted as text becomes a value; its paths start at the current folder. */
static void check_set(struct check *c, const cJSON *schema, const char *text, cJSON *value,
                      cJSON *parent)
{
    drh_error   e = ERR_INIT;
    const char *base_dir = c->base_dir;
    cJSON      *typed = schema_value_of(schema, text, "", &e);

    if (!typed) {
        c->nomem |= e.code == DRH_E_NOMEM;
        wrong(c, "%s", e.message);
        return;
    }
    if (tree_replace(parent, value, typed) != DRH_OK) {
        c->nomem = true;
        return;
    }
    c->base_dir = NULL;
    check_value(c, schema, typed, parent);
    c->base_dir = base_dir;
}

void check_value(struct check *c, const cJSON *schema, cJSON *value, cJSON *parent)
{
    const cJSON *list = schema_key(schema, "enum");
    const char  *set = parent ? tree_marker(value, TREE_SET) : NULL;
    unsigned     type;

    if (set) {
        check_set(c, schema, set, value, parent);
        return;
    }
    if (schema_is_secret(schema) && tree_marker(value, TREE_SECRET)) {
        return;
    }
    type = type_of(value);
    if ((schema_types(schema) & type) == 0 || (list && !in_list(list, value))) {
        if (schema_is_secret(schema)) {
            wrong(c, "must be a reference to a secret: \"env:NAME\" or \"file:PATH\"");
        } else {
            must_be(c, schema, value);
        }
    } else if (type & TYPE_NUMBER) {
        if (!number_fits(schema, value->valuedouble)) {
            must_be(c, schema, value);
        }
    } else if (type == TYPE_STRING) {
        check_string(c, schema, value, parent);
    } else if (type == TYPE_ARRAY) {
        check_array(c, schema, value);
    } else if (type == TYPE_OBJECT) {
        check_object(c, schema, value, parent);
    }
}

drh_status schema_apply(const cJSON *schema, cJSON *value, const char *at, const char *base_dir,
                        struct problems *all, drh_error *e)
{
    struct check c;
    check_begin(&c, at, base_dir, all, e);
    check_value(&c, schema, value, NULL);
    return check_end(&c);
}

/* ---- --set ---- */

/* *out NULL: the text is no JSON value of these types. */
static drh_status parse_text(const char *text, unsigned types, cJSON **out)
{
    drh_status st = tree_parse(text, strlen(text), "value", out, NULL);

    if (st == DRH_OK && ((type_of(*out) & types) == 0 || cJSON_IsString(*out))) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return st == DRH_E_NOMEM ? st : DRH_OK;
}

cJSON *schema_value_of(const cJSON *schema, const char *text, const char *at, drh_error *e)
{
    unsigned    types = schema_types(schema);
    const char *colon = at[0] ? ": " : "";
    char        expected[256];
    cJSON      *v = NULL;
    drh_status  st = DRH_OK;

    if (!json_utf8_valid(text, strlen(text))) {
        err_set(e, DRH_E_CONFIG, "%s%smust be UTF-8 text", at, colon);
        return NULL;
    }
    if (types != TYPE_STRING) {
        st = parse_text(text, types, &v);
    }
    if (st == DRH_OK && !v && (types & TYPE_STRING)) {
        v = cJSON_CreateString(text);
        st = v ? DRH_OK : DRH_E_NOMEM;
    }
    if (st != DRH_OK) {
        err_nomem(e, "a value");
    } else if (!v) {
        schema_expected(schema, expected, sizeof(expected));
        err_set(e, DRH_E_CONFIG, "%s%smust be %s%s, is \"%.60s\"", at, colon, expected,
                types & (TYPE_ARRAY | TYPE_OBJECT) ? " written as JSON" : "", text);
    }
    return v;
}

drh_status schema_set(const cJSON *schema, cJSON *object, const char *key, const char *value,
                      const char *at, drh_error *e)
{
    const cJSON *props = schema_key(schema, "properties");
    const cJSON *sub = props ? schema_key(props, key) : NULL;
    struct check c;
    char         deeper[300];
    cJSON       *made;

    if (!sub) {
        cJSON kid;
        memset(&kid, 0, sizeof(kid));
        made = cJSON_CreateString(key); /* a key to show; cJSON keeps keys as char * */
        if (!made) {
            return err_nomem(e, "a value");
        }
        kid.string = made->valuestring;
        check_begin(&c, at, NULL, NULL, e);
        unknown_key(&c, props, &kid, true);
        cJSON_Delete(made);
        return check_end(&c);
    }
    (void)snprintf(deeper, sizeof(deeper), "%s/%s", at, key);
    made = schema_value_of(sub, value, deeper, e);
    if (made && schema_key(sub, "x-drh-path")) {
        /* stays text, so that schema_apply() does not put the recipe's folder before it */
        cJSON_Delete(made);
        made = tree_mark(TREE_SET, value);
    }
    if (!made) {
        return e && e->code ? e->code : DRH_E_CONFIG;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    if (!cJSON_AddItemToObject(object, key, made)) {
        cJSON_Delete(made);
        return err_nomem(e, "a value");
    }
    return DRH_OK;
}
