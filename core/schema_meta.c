/* SPDX-License-Identifier: MIT
 * schema_meta.c - checks a schema itself, and puts parts of it into words.  Called when a stage is
 * loaded, before any value is checked. [main] */
#include "err.h"
#include "schema_impl.h"
#include "tree.h"

#include <string.h>

static const struct {
    const char *word, *people;
    unsigned    bit;
} types[] = {
    {"integer", "an integer", TYPE_INT},
    {"number", "a number", TYPE_NUMBER},
    {"boolean", "true or false", TYPE_BOOL},
    {"string", "a string", TYPE_STRING},
    {"array", "a list", TYPE_ARRAY},
    {"object", "an object", TYPE_OBJECT},
    {"null", "null", TYPE_NULL},
};
enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

enum want {
    W_ANY,
    W_TEXT,
    W_TRUE,
    W_COUNT,
    W_NUMBER,
    W_SCHEMA,
    W_PROPS,
    W_NAMES,
    W_TYPE,
    W_ENUM,
    W_EXTRA,
    W_PATH
};

static const struct {
    const char *key;
    enum want   want;
} keywords[] = {
    {"type", W_TYPE},
    {"properties", W_PROPS},
    {"required", W_NAMES},
    {"additionalProperties", W_EXTRA},
    {"items", W_SCHEMA},
    {"minItems", W_COUNT},
    {"maxItems", W_COUNT},
    {"enum", W_ENUM},
    {"default", W_ANY},
    {"minimum", W_NUMBER},
    {"maximum", W_NUMBER},
    {"exclusiveMinimum", W_NUMBER},
    {"exclusiveMaximum", W_NUMBER},
    {"minLength", W_COUNT},
    {"maxLength", W_COUNT},
    {"x-drh-secret", W_TRUE},
    {"x-drh-path", W_PATH},
    {"x-drh-env", W_TEXT},
    {"description", W_TEXT},
    {"title", W_TEXT},
    {"$schema", W_TEXT},
    {"$id", W_TEXT},
    {"$comment", W_TEXT},
};
enum { N_KEYWORDS = sizeof(keywords) / sizeof(keywords[0]) };

const cJSON *schema_key(const cJSON *schema, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(schema, key);
}

unsigned schema_type_word(const char *word)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        if (strcmp(types[i].word, word) == 0) {
            return types[i].bit;
        }
    }
    return 0;
}

unsigned schema_types(const cJSON *schema)
{
    const cJSON *type = schema_key(schema, "type"), *one;
    unsigned     bits = 0;

    if (!type) {
        return 127;
    }
    if (cJSON_IsString(type)) {
        return schema_type_word(type->valuestring);
    }
    cJSON_ArrayForEach(one, type)
    {
        bits |= schema_type_word(one->valuestring);
    }
    return bits;
}

bool schema_is_secret(const cJSON *schema)
{
    return cJSON_IsTrue(schema_key(schema, "x-drh-secret"));
}

/* ---- words ---- */

static void add(char *out, size_t cap, const char *text)
{
    size_t n = strlen(out);
    (void)snprintf(out + n, cap - n, "%s", text);
}

static void add_number(char *out, size_t cap, const char *before, const cJSON *n)
{
    char brief[48];
    add(out, cap, before);
    add(out, cap, tree_brief(n, brief, sizeof(brief)));
}

void schema_range(const cJSON *schema, char *out, size_t cap)
{
    const cJSON *lo = schema_key(schema, "minimum"), *hi = schema_key(schema, "maximum");
    const cJSON *above = schema_key(schema, "exclusiveMinimum");
    const cJSON *below = schema_key(schema, "exclusiveMaximum");

    out[0] = 0;
    if (lo) {
        add_number(out, cap, "from ", lo);
    } else if (above) {
        add_number(out, cap, "above ", above);
    }
    if (hi) {
        add_number(out, cap, lo ? " to " : above ? " and up to " : "up to ", hi);
    } else if (below) {
        add_number(out, cap, lo || above ? " and below " : "below ", below);
    } else if (lo) {
        add(out, cap, " on");
    }
}

static void add_enum(const cJSON *list, char *out, size_t cap)
{
    const cJSON *one;
    char         brief[64];
    cJSON_ArrayForEach(one, list)
    {
        if (one != list->child) {
            add(out, cap, one->next ? ", " : " or ");
        }
        add(out, cap, tree_brief(one, brief, sizeof(brief)));
    }
}

static void add_count(const cJSON *schema, const char *lo_key, const char *hi_key, const char *unit,
                      char *out, size_t cap)
{
    const cJSON *lo = schema_key(schema, lo_key), *hi = schema_key(schema, hi_key);
    if (!lo && !hi) {
        return;
    }
    if (lo && !hi && lo->valuedouble == 1.0) {
        add(out, cap, " that is not empty");
        return;
    }
    if (lo && hi && cJSON_Compare(lo, hi, 1)) {
        add_number(out, cap, " of ", lo);
    } else if (lo && hi) {
        add_number(out, cap, " of ", lo);
        add_number(out, cap, " to ", hi);
    } else {
        add_number(out, cap, lo ? " of at least " : " of at most ", lo ? lo : hi);
    }
    add(out, cap, unit);
}

void schema_expected(const cJSON *schema, char *out, size_t cap)
{
    const cJSON *list = schema_key(schema, "enum");
    unsigned     bits = schema_types(schema);
    char         range[160];

    out[0] = 0;
    if (list) {
        add_enum(list, out, cap);
        return;
    }
    schema_range(schema, range, sizeof(range));
    for (size_t i = 0; i < N_TYPES; i++) {
        if ((bits & types[i].bit) == 0) {
            continue;
        }
        add(out, cap, out[0] ? " or " : "");
        add(out, cap, types[i].people);
        if (types[i].bit == TYPE_STRING) {
            add_count(schema, "minLength", "maxLength", " characters", out, cap);
        } else if (types[i].bit == TYPE_ARRAY) {
            add_count(schema, "minItems", "maxItems", " items", out, cap);
        } else if ((types[i].bit & (TYPE_INT | TYPE_NUMBER)) && range[0]) {
            add(out, cap, " ");
            add(out, cap, range);
        }
    }
}

/* ---- the schema of schemas ---- */

static bool names_ok(const cJSON *list)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, list)
    {
        if (!cJSON_IsString(one)) {
            return false;
        }
    }
    return cJSON_IsArray(list);
}

static bool type_ok(const cJSON *v)
{
    const cJSON *one;
    if (cJSON_IsString(v)) {
        return schema_type_word(v->valuestring) != 0;
    }
    if (!names_ok(v) || !v->child) {
        return false;
    }
    cJSON_ArrayForEach(one, v)
    {
        if (schema_type_word(one->valuestring) == 0) {
            return false;
        }
    }
    return true;
}

/* NULL when fine, else what it must be. */
static const char *keyword_wants(enum want want, const cJSON *v)
{
    switch (want) {
    case W_TEXT:
        return cJSON_IsString(v) ? NULL : "a string";
    case W_TRUE:
        return cJSON_IsTrue(v) ? NULL : "true";
    case W_COUNT:
        return tree_is_int(v) && v->valuedouble >= 0 ? NULL : "a count";
    case W_NUMBER:
        return cJSON_IsNumber(v) ? NULL : "a number";
    case W_SCHEMA:
    case W_PROPS:
        return cJSON_IsObject(v) ? NULL : "an object";
    case W_NAMES:
        return names_ok(v) ? NULL : "a list of names";
    case W_TYPE:
        return type_ok(v) ? NULL
                          : "string, integer, number, boolean, array, object, null or a list of "
                            "these";
    case W_ENUM:
        return cJSON_IsArray(v) && v->child ? NULL : "a list of values";
    case W_EXTRA:
        return cJSON_IsBool(v) || cJSON_IsObject(v) ? NULL : "true, false or a schema";
    case W_PATH:
        return cJSON_IsString(v) &&
                       (strcmp(v->valuestring, "in") == 0 || strcmp(v->valuestring, "out") == 0)
                   ? NULL
                   : "\"in\" or \"out\"";
    case W_ANY:
    default:
        return NULL;
    }
}

static drh_status check_schema(cJSON *schema, const char *at, bool outermost, drh_error *e);

static drh_status check_properties(const cJSON *props, const char *at, drh_error *e)
{
    cJSON *sub;
    char   deeper[256];
    cJSON_ArrayForEach(sub, props)
    {
        drh_status st;
        (void)snprintf(deeper, sizeof(deeper), "%s/properties/%s", at, sub->string);
        if (sub->string[0] == 0 || strcmp(sub->string, TREE_SET) == 0 ||
            strcmp(sub->string, TREE_SECRET) == 0) {
            return err_set(e, DRH_E_CONFIG, "schema%s: a name must not be empty, $set or $secret",
                           deeper);
        }
        st = check_schema(sub, deeper, false, e);
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

static drh_status check_keyword(cJSON *v, const char *at, drh_error *e)
{
    const char *known[N_KEYWORDS] = {NULL}, *wants, *near;
    char        deeper[256];
    size_t      i;

    for (i = 0; i < N_KEYWORDS && strcmp(keywords[i].key, v->string) != 0; i++) {
        known[i] = keywords[i].key;
    }
    if (i == N_KEYWORDS) {
        near = nearest(v->string, known, N_KEYWORDS);
        return err_set(e, DRH_E_CONFIG, "schema%s: \"%s\" is not in the supported subset%s%s%s", at,
                       v->string, near ? "; did you mean \"" : "", near ? near : "",
                       near ? "\"?" : "");
    }
    (void)snprintf(deeper, sizeof(deeper), "%s/%s", at, v->string);
    wants = keyword_wants(keywords[i].want, v);
    if (wants) {
        return err_set(e, DRH_E_CONFIG, "schema%s: must be %s", deeper, wants);
    }
    if (keywords[i].want == W_PROPS) {
        return check_properties(v, at, e);
    }
    if (keywords[i].want == W_SCHEMA || (keywords[i].want == W_EXTRA && cJSON_IsObject(v))) {
        return check_schema(v, deeper, false, e);
    }
    return DRH_OK;
}

static drh_status check_required(const cJSON *schema, const char *at, drh_error *e)
{
    const cJSON *props = schema_key(schema, "properties"), *name;
    cJSON_ArrayForEach(name, schema_key(schema, "required"))
    {
        if (!props || !schema_key(props, name->valuestring)) {
            return err_set(e, DRH_E_CONFIG, "schema%s/required: \"%s\" is not among the properties",
                           at, name->valuestring);
        }
    }
    return DRH_OK;
}

static drh_status check_default(const cJSON *schema, const char *at, drh_error *e)
{
    struct check c;
    cJSON       *copy, *box;

    if (!schema_key(schema, "default")) {
        return DRH_OK;
    }
    copy = cJSON_Duplicate(schema_key(schema, "default"), 1);
    box = cJSON_CreateArray(); /* a parent, so that the value can be replaced */
    if (!copy || !box) {
        cJSON_Delete(copy);
        cJSON_Delete(box);
        return err_nomem(e, "schema");
    }
    cJSON_AddItemToArray(box, copy);
    check_begin(&c, "/default", NULL, NULL, e);
    check_value(&c, schema, copy, box);
    cJSON_Delete(box);
    if (check_end(&c) != DRH_OK) {
        err_prefix(e, "schema%s", at);
    }
    return check_end(&c);
}

/* Objects get their additionalProperties spelled out. */
static drh_status close_object(cJSON *schema, bool outermost, drh_error *e)
{
    if ((schema_types(schema) & TYPE_OBJECT) == 0 || schema_key(schema, "additionalProperties") ||
        !schema_key(schema, "type")) {
        return DRH_OK;
    }
    if (!outermost && !schema_key(schema, "properties")) {
        return DRH_OK;
    }
    return cJSON_AddFalseToObject(schema, "additionalProperties") ? DRH_OK : err_nomem(e, "schema");
}

static drh_status check_schema(cJSON *schema, const char *at, bool outermost, drh_error *e)
{
    cJSON     *v;
    drh_status st;

    if (!cJSON_IsObject(schema)) {
        return err_set(e, DRH_E_CONFIG, "schema%s: must be an object", at);
    }
    cJSON_ArrayForEach(v, schema)
    {
        st = check_keyword(v, at, e);
        if (st != DRH_OK) {
            return st;
        }
    }
    if (outermost && schema_types(schema) != TYPE_OBJECT) {
        return err_set(e, DRH_E_CONFIG, "schema: must have \"type\": \"object\"");
    }
    if (schema_is_secret(schema) && schema_types(schema) != TYPE_STRING) {
        return err_set(e, DRH_E_CONFIG, "schema%s: a secret must be of type string", at);
    }
    st = check_required(schema, at, e);
    st = st == DRH_OK ? close_object(schema, outermost, e) : st;
    return st == DRH_OK ? check_default(schema, at, e) : st;
}

drh_status schema_parse(const char *text, cJSON **schema, drh_error *e)
{
    drh_status st;

    if (!text) {
        text = "{\"type\":\"object\"}";
    }
    st = tree_parse(text, strlen(text), "schema", schema, e);
    if (st != DRH_OK) {
        return st;
    }
    st = check_schema(*schema, "", true, e);
    if (st != DRH_OK) {
        cJSON_Delete(*schema);
        *schema = NULL;
    }
    return st;
}
