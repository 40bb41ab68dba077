/* SPDX-License-Identifier: MIT
 * recipe_keys.c - the keys that belong to the host, where their values go, and what they must be
 * beyond what the published schema can say.  Called by recipe.c and recipe_set.c. [main] */
#include "err.h"
#include "mem.h"
#include "recipe_impl.h"
#include "schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const phase_names[PHASES] = {"sources", "preprocess", "synthesize", "select",
                                         "convert"};

#define R(name, type)                                                                              \
    {                                                                                              \
#name, type, offsetof(struct recipe, name), 0                                              \
    }
const struct host_key recipe_keys[] = {
    R(version, KEY_TEXT), R(data, KEY_TEXT),     R(seed, KEY_SEED),     R(part_records, KEY_I64),
    R(max_bad, KEY_F64),  R(compress, KEY_BOOL), {NULL, KEY_TEXT, 0, 0}};

#define S(name, type)                                                                              \
    {                                                                                              \
#name, type, offsetof(struct step, name), 0                                                \
    }
#define CUT(name, type)                                                                            \
    {                                                                                              \
#name, type, offsetof(struct step, name), offsetof(struct step, has_##name)                \
    }
const struct host_key step_keys[] = {
    S(use, KEY_TEXT),    S(id, KEY_TEXT),        S(domain, KEY_TEXT), S(dataset, KEY_TEXT),
    S(infer, KEY_TEXT),  S(reader, KEY_READER),  CUT(below, KEY_F64), CUT(at_most, KEY_F64),
    CUT(above, KEY_F64), CUT(at_least, KEY_F64), CUT(top, KEY_F64),   CUT(count, KEY_I64),
    S(per, KEY_TEXT),    {NULL, KEY_TEXT, 0, 0}};

const struct host_key *key_find(const struct host_key *keys, const char *name, size_t len)
{
    for (; keys->name; keys++) {
        if (strlen(keys->name) == len && memcmp(keys->name, name, len) == 0) {
            return keys;
        }
    }
    return NULL;
}

static drh_status seed_of(const cJSON *value, uint64_t *out, drh_error *e)
{
    unsigned long long v;
    char              *end;

    if (cJSON_IsNumber(value)) {
        *out = (uint64_t)value->valuedouble;
        return DRH_OK;
    }
    errno = 0;
    v = strtoull(value->valuestring, &end, 10);
    if (!isdigit((unsigned char)value->valuestring[0]) || *end || errno) {
        return err_set(e, DRH_E_CONFIG, "seed must be a whole number from 0 to %llu, is \"%.40s\"",
                       (unsigned long long)UINT64_MAX, value->valuestring);
    }
    *out = v;
    return DRH_OK;
}

static drh_status store_text(char **to, const cJSON *value, drh_error *e)
{
    char *copy = mem_dupz(value->valuestring);
    if (!copy) {
        return err_nomem(e, "the recipe");
    }
    mem_free(*to);
    *to = copy;
    return DRH_OK;
}

drh_status key_store(const struct host_key *k, void *to, const cJSON *value, drh_error *e)
{
    char *at = (char *)to + k->offset;

    if (k->has_offset) {
        const bool yes = true;
        memcpy((char *)to + k->has_offset, &yes, sizeof(yes));
    }
    if (k->type == KEY_TEXT) {
        return store_text((char **)(void *)at, value, e);
    }
    if (k->type == KEY_READER) {
        return reader_store((struct reader_decl **)(void *)at, ((struct step *)to)->pointer, value,
                            e);
    }
    if (k->type == KEY_SEED) {
        return seed_of(value, (uint64_t *)(void *)at, e);
    }
    if (k->type == KEY_F64) {
        memcpy(at, &value->valuedouble, sizeof(double));
    } else if (k->type == KEY_I64) {
        const int64_t v = (int64_t)value->valuedouble;
        memcpy(at, &v, sizeof(v));
    } else {
        const bool v = cJSON_IsTrue(value);
        memcpy(at, &v, sizeof(v));
    }
    return DRH_OK;
}

drh_status part_ok(const char *text, drh_error *e)
{
    const char *why = NULL;

    if (text[0] == 0) {
        why = "must not be empty";
    } else if (text[0] == '.') {
        why = "must not begin with a dot";
    } else if (strchr(text, '/')) {
        why = "must not have a slash";
    } else if (strlen(text) > RECIPE_MAX_PART) {
        why = "must not be longer than 100 bytes";
    }
    for (const char *p = text; *p && !why; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            why = "must not have a control character";
        }
    }
    return why ? err_set(e, DRH_E_CONFIG, "%s, since it names a folder; is \"%.60s\"", why, text)
               : DRH_OK;
}

drh_status id_ok(const char *text, drh_error *e)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    if (n == 0 || text[n] || n > RECIPE_MAX_ID || text[0] == '.') {
        return err_set(e, DRH_E_CONFIG,
                       "must be 1 to 64 of the characters A-Z a-z 0-9 . _ - and not begin with a "
                       "dot; is \"%.70s\"",
                       text);
    }
    return DRH_OK;
}

drh_status recipe_check_host(const struct recipe *r, drh_error *e)
{
    drh_status st = id_ok(r->version, e);
    if (st != DRH_OK) {
        err_prefix(e, "/version");
    }
    return st;
}

static drh_status check_cut(const struct step *s, drh_error *e)
{
    const char *one = NULL, *other = NULL;

    if (s->has_below && s->has_at_most) {
        one = "below";
        other = "at_most";
    } else if (s->has_above && s->has_at_least) {
        one = "above";
        other = "at_least";
    } else if (s->has_top && s->has_count) {
        one = "top";
        other = "count";
    }
    if (one) {
        return err_set(e, DRH_E_CONFIG, "%s: has both \"%s\" and \"%s\"; keep one", s->pointer, one,
                       other);
    }
    return DRH_OK;
}

drh_status recipe_check_per(const struct step *s, drh_error *e)
{
    if (s->per && !s->has_top && !s->has_count) {
        return err_set(e, DRH_E_CONFIG, "%s/per: needs \"top\" or \"count\"", s->pointer);
    }
    return DRH_OK;
}

static drh_status check_folder(const struct step *s, const char *key, const char *text,
                               drh_error *e)
{
    drh_status st = text ? part_ok(text, e) : DRH_OK;
    if (st != DRH_OK) {
        err_prefix(e, "%s/%s", s->pointer, key);
    }
    return st;
}

static drh_status check_id(const struct recipe *r, const struct step *s, drh_error *e)
{
    drh_status st = id_ok(s->id, e);

    if (st != DRH_OK) {
        err_prefix(e, "%s/id", s->pointer);
        return st;
    }
    if (strcmp(s->id, "services") == 0) {
        return err_set(e, DRH_E_CONFIG, "%s/id: \"services\" is taken; choose another", s->pointer);
    }
    for (const struct step *o = r->steps; o < s; o++) {
        if (strcmp(o->id, s->id) == 0) {
            return err_set(e, DRH_E_CONFIG, "%s/id: \"%s\" is also the id of %s; choose another",
                           s->pointer, s->id, o->pointer);
        }
    }
    return DRH_OK;
}

/* Two sources that fill one folder would mix their parts. */
static drh_status check_dataset(const struct recipe *r, const struct step *s, drh_error *e)
{
    for (const struct step *o = r->steps; s->dataset && o < s; o++) {
        if (o->dataset && strcmp(o->dataset, s->dataset) == 0 &&
            strcmp(o->domain, s->domain) == 0) {
            return err_set(e, DRH_E_CONFIG,
                           "%s: has the domain and dataset of %s (%s/%s); give one of them another "
                           "\"dataset\"",
                           s->pointer, o->pointer, s->domain, s->dataset);
        }
    }
    return DRH_OK;
}

drh_status recipe_check_step(const struct recipe *r, const struct step *s, drh_error *e)
{
    drh_status st = check_id(r, s, e);
    st = st == DRH_OK ? check_folder(s, "domain", s->domain, e) : st;
    st = st == DRH_OK ? check_folder(s, "dataset", s->dataset, e) : st;
    st = st == DRH_OK ? check_dataset(r, s, e) : st;
    return st == DRH_OK ? check_cut(s, e) : st;
}
