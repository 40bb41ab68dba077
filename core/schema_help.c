/* SPDX-License-Identifier: MIT
 * schema_help.c - a schema as people read it: `drhost plugin show` and --help of a step. [main] */
#include "mem.h"
#include "schema_impl.h"
#include "tree.h"

#include <string.h>

enum { WIDTH = 78, INDENT = 6 };

struct help {
    struct buf *out;
    drh_status  st;
};

static void put(struct help *h, const char *text)
{
    if (h->st == DRH_OK) {
        h->st = buf_adds(h->out, text);
    }
}

/* Words of `text`, broken at WIDTH. */
static void paragraph(struct help *h, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " \n");
        if (n > 0 && column > 0 && column + 1 + n > WIDTH) {
            put(h, "\n");
            column = 0;
        }
        if (n > 0) {
            put(h, column ? " " : "      ");
            if (h->st == DRH_OK) {
                h->st = buf_add(h->out, text, n);
            }
            column += (column ? 1 : INDENT) + n;
        }
        text += n + (text[n] != 0);
    }
    if (column) {
        put(h, "\n");
    }
}

static void one_option(struct help *h, const cJSON *schema, const char *name, bool required)
{
    const cJSON *def = schema_key(schema, "default"), *env = schema_key(schema, "x-drh-env");
    const cJSON *text = schema_key(schema, "description");
    char         words[256], brief[80];

    put(h, "  ");
    put(h, name);
    put(h, " (");
    schema_expected(schema, words, sizeof(words));
    put(h, words);
    if (def) {
        put(h, "; default ");
        put(h, tree_brief(def, brief, sizeof(brief)));
    }
    if (env) {
        put(h, "; from the environment: ");
        put(h, env->valuestring);
    }
    put(h, schema_is_secret(schema) ? "; a reference, env:NAME or file:PATH" : "");
    put(h, required ? "; required)\n" : ")\n");
    if (text) {
        paragraph(h, text->valuestring);
    }
}

static bool is_required(const cJSON *schema, const char *name)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, schema_key(schema, "required"))
    {
        if (strcmp(one->valuestring, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Depth is that of the schema, at most TREE_MAX_DEPTH. */
static void options(struct help *h, const cJSON *schema, const char *prefix)
{
    const cJSON *prop;
    cJSON_ArrayForEach(prop, schema_key(schema, "properties"))
    {
        char *name = mem_printf("%s%s", prefix, prop->string);
        char *deeper = mem_printf("%s%s.", prefix, prop->string);
        if (!name || !deeper) {
            h->st = DRH_E_NOMEM;
        } else {
            one_option(h, prop, name, is_required(schema, prop->string));
            options(h, prop, deeper);
        }
        mem_free(name);
        mem_free(deeper);
    }
}

drh_status schema_help(const cJSON *schema, struct buf *out)
{
    struct help h = {out, DRH_OK};
    options(&h, schema, "");
    return h.st;
}
