/* SPDX-License-Identifier: MIT
 * recipe_reader.c - readers as a recipe, --plugin and --set name them. [main] */
#include "err.h"
#include "mem.h"
#include "recipe_impl.h"
#include "schema_impl.h"

#include <string.h>

void reader_decl_free(struct reader_decl *d)
{
    mem_free(d->use);
    cJSON_Delete(d->options);
}

drh_status reader_store(struct reader_decl **to, const char *step, const cJSON *value, drh_error *e)
{
    const cJSON        *use = cJSON_IsObject(value) ? schema_key(value, "use") : value;
    struct reader_decl *d = mem_alloc(1, sizeof(*d));

    if (!d) {
        return err_nomem(e, "the recipe");
    }
    d->use = mem_dupz(use->valuestring);
    d->options = cJSON_IsObject(value) ? cJSON_Duplicate(value, 1) : cJSON_CreateObject();
    if (!d->use || !d->options) {
        reader_decl_free(d);
        mem_free(d);
        return err_nomem(e, "the recipe");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(d->options, "use");
    (void)snprintf(d->pointer, sizeof(d->pointer), "%.63s/reader", step);
    if (*to) {
        reader_decl_free(*to);
        mem_free(*to);
    }
    *to = d;
    return DRH_OK;
}

drh_status reader_option(struct step *s, const char *key, const char *text, drh_error *e)
{
    if (!s->reader) {
        return err_set(e, DRH_E_CONFIG,
                       "%s/reader: none is named, so whose option is \"%s\"? --set %s.reader=NAME "
                       "names one",
                       s->pointer, key, s->id);
    }
    return note_option(s->reader->options, s->reader->pointer, key, text, e);
}

drh_status recipe_add_reader(struct recipe *r, const char *use, const char *id, drh_error *e)
{
    struct reader_decl *more = mem_resize(r->readers, (r->n_readers + 1) * sizeof(*more));
    struct reader_decl *d;

    if (!more) {
        return err_nomem(e, "the recipe");
    }
    r->readers = more;
    d = &more[r->n_readers++];
    memset(d, 0, sizeof(*d));
    d->use = mem_dupz(use);
    d->options = cJSON_CreateObject();
    (void)snprintf(d->id, sizeof(d->id), "%s", id);
    (void)snprintf(d->pointer, sizeof(d->pointer), "/%s", d->id);
    return d->use && d->options ? DRH_OK : err_nomem(e, "the recipe");
}

struct reader_decl *reader_of(const struct recipe *r, const char *left, const char **key)
{
    for (size_t i = 0; i < r->n_readers; i++) {
        size_t n = strlen(r->readers[i].id);

        if (strncmp(left, r->readers[i].id, n) == 0 && left[n] == '.') {
            *key = left + n + 1;
            return &r->readers[i];
        }
    }
    return NULL;
}
