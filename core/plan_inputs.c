/* SPDX-License-Identifier: MIT
 * plan_inputs.c - the files that a step's options name: what is made depends on what they hold, so
 * their digest goes into fingerprints. */
#include "err.h"
#include "hash.h"
#include "plan.h"
#include "schema.h"

#include <string.h>
#include <sys/stat.h>

/* Folders and what is not there are the stage's own business. */
static drh_status add_file(struct sha256 *sum, const char *path, drh_error *e)
{
    uint8_t     digest[32];
    struct stat sb;
    drh_status  st;

    if (stat(path, &sb) != 0 || !S_ISREG(sb.st_mode)) {
        return DRH_OK;
    }
    st = sha256_file(path, digest, e);
    return st == DRH_OK ? sha256_add(sum, digest, sizeof(digest)) : st;
}

static drh_status add_option(struct sha256 *sum, const cJSON *value, drh_error *e)
{
    const cJSON *one;
    drh_status   st = DRH_OK;

    if (cJSON_IsString(value)) {
        return add_file(sum, value->valuestring, e);
    }
    cJSON_ArrayForEach(one, value)
    {
        st = st == DRH_OK && cJSON_IsString(one) ? add_file(sum, one->valuestring, e) : st;
    }
    return st;
}

drh_status plan_digest_inputs(struct plan_step *s, drh_error *e)
{
    struct sha256 *sum = sha256_new();
    cJSON         *schema = NULL;
    const cJSON   *p;
    uint8_t        all[32];
    drh_status     st =
        sum ? schema_parse(s->stage->desc.config_schema, &schema, e) : err_nomem(e, "a SHA-256");

    cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(schema, "properties"))
    {
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(p, "x-drh-path");
        if (st == DRH_OK && cJSON_IsString(path) && strcmp(path->valuestring, "in") == 0) {
            st = add_option(sum, cJSON_GetObjectItemCaseSensitive(s->options, p->string), e);
        }
    }
    st = st == DRH_OK ? sha256_end(sum, all) : st;
    if (st == DRH_OK) {
        hex_of(all, sizeof(all), s->inputs);
    }
    cJSON_Delete(schema);
    sha256_free(sum);
    return st;
}
