/* SPDX-License-Identifier: MIT
 * fuzz_recipe.c - any bytes as a recipe.  A recipe that is accepted is changed by --set, its
 * options are judged by a schema made of one half of the input, and made into a configuration. */
#include "err.h"
#include "mem.h"
#include "recipe.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_step(const struct recipe *r, const struct step *s, const cJSON *schema)
{
    drh_error          e = ERR_INIT;
    struct drh_config *c = NULL;

    if (recipe_options(r, s, s->pointer, s->options, schema, NULL, &e) == DRH_OK &&
        config_new(s->options, &c, &e) == DRH_OK) {
        drh_value v;
        if (!config_text(c) || config_api.get_value(c, "", &v) != DRH_OK) {
            abort();
        }
        config_free(c);
    }
}

static void use_recipe(struct recipe *r, const char *assignment)
{
    static const char any[] = "{\"type\":\"object\",\"additionalProperties\":true}";
    drh_error         e = ERR_INIT;
    cJSON            *schema = NULL;

    (void)recipe_set(r, assignment, &e);
    if (schema_parse(any, &schema, &e) != DRH_OK) {
        abort();
    }
    for (size_t i = 0; i < r->n_steps; i++) {
        if (!r->steps[i].id || !r->steps[i].use || recipe_step(r, r->steps[i].id) == NULL) {
            abort();
        }
        use_step(r, &r->steps[i], schema);
    }
    cJSON_Delete(schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drh_error      e = ERR_INIT;
    struct recipe *r = NULL;
    char          *text = mem_dup((const char *)data, size);
    cJSON         *schema = NULL;

    if (!text) {
        return 0;
    }
    if (recipe_parse(text, size, "fuzz/recipe.json", &r, &e) == DRH_OK) {
        use_recipe(r, text);
    } else if (!e.message[0]) {
        abort();
    }
    recipe_free(r);
    r = NULL;
    if (schema_parse(text, &schema, &e) == DRH_OK) {
        struct buf b;
        buf_init(&b, 1 << 20);
        (void)schema_help(schema, &b);
        buf_free(&b);
    }
    cJSON_Delete(schema);
    if (recipe_empty(&r, &e) == DRH_OK) {
        (void)recipe_set(r, text, &e);
    }
    recipe_free(r);
    mem_free(text);
    return 0;
}
