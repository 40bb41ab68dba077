/* SPDX-License-Identifier: MIT
 * recipe_impl.h - what the files of the recipe module share. [main] */
#ifndef CORE_RECIPE_IMPL_H
#define CORE_RECIPE_IMPL_H

#include "recipe.h"

enum { RECIPE_MAX_PART = 100, RECIPE_MAX_ID = 64 };

/* sdk/recipe.schema.json as it is published; 0-terminated. */
extern const char recipe_schema_text[];

/* A host key of a recipe or a step, and where its value goes. */
enum key_type { KEY_TEXT, KEY_F64, KEY_I64, KEY_SEED, KEY_BOOL, KEY_READER };
struct host_key {
    const char   *name;
    enum key_type type;
    size_t        offset, has_offset; /* has_offset 0: none */
};
extern const char *const     phase_names[PHASES]; /* as in the recipe: "sources" ... */
extern const struct host_key recipe_keys[];       /* of struct recipe; ends with name NULL */
extern const struct host_key step_keys[];         /* of struct step; ends with name NULL */

/* Puts a value that the schema has accepted into *to, a struct recipe or step. */
drh_status key_store(const struct host_key *k, void *to, const cJSON *value, drh_error *e);
const struct host_key *key_find(const struct host_key *keys, const char *name, size_t len);

drh_status   recipe_schema(cJSON **schema, drh_error *e);           /* the caller deletes it */
const cJSON *recipe_step_schema(const cJSON *schema, enum phase p); /* of one entry */
/* DRH_E_CONFIG when text cannot be a folder of that name. */
drh_status part_ok(const char *text, drh_error *e);
drh_status id_ok(const char *text, drh_error *e);
/* The values of a step or recipe against each other and against the rest of the recipe. */
drh_status recipe_check_step(const struct recipe *r, const struct step *s, drh_error *e);
drh_status recipe_check_host(const struct recipe *r, drh_error *e);
/* recipe_reader.c: a reader from the value of "reader", which the schema has accepted; what was
 * there is freed. */
drh_status reader_store(struct reader_decl **to, const char *step, const cJSON *value,
                        drh_error *e);
void       reader_decl_free(struct reader_decl *d); /* its texts */
/* --set ID.reader.KEY=VALUE */
drh_status reader_option(struct step *s, const char *key, const char *text, drh_error *e);
/* The reader of single steps that `left`, "ID.KEY", is for, or NULL; *key is then KEY. */
struct reader_decl *reader_of(const struct recipe *r, const char *left, const char **key);
/* Notes {"$set": text} at key "a.b" of the options (recipe_set.c). */
drh_status note_option(cJSON *options, const char *at, const char *key, const char *text,
                       drh_error *e);
/* A relative path in *use starts at the current folder, not at the recipe's. */
drh_status from_here(const struct recipe *r, char **use, drh_error *e);
/* recipe.c: an entry of a phase, its alternatives and what follows it, appended; `props` are the
 * host's keys, taken out of the entry.  Names that it does not have are given by the second. */
drh_status recipe_read_step(struct recipe *r, const cJSON *props, enum phase phase, cJSON *entry,
                            drh_error *e);
drh_status recipe_default_names(const struct recipe *r, struct step *s, drh_error *e);
void       recipe_free_step(struct step *s); /* what it owns */
/* Appends a service with no options. */
drh_status recipe_add_service(struct recipe *r, const char *name, const char *use,
                              struct service_decl **s, drh_error *e);

#endif
