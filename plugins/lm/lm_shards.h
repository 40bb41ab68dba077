/* SPDX-License-Identifier: MIT
 *
 * lm_shards.h - the weights of a model folder: model.safetensors, or the files that
 * model.safetensors.index.json names.  Mapped for reading; one thread opens, all may read.
 */
#ifndef LM_SHARDS_H
#define LM_SHARDS_H

#include "lm_file.h"
#include "lm_tensors.h"

struct lm_shard {
    char             *name; /* within the folder */
    struct lm_map     map;
    struct lm_tensors tensors;
};

struct lm_place {
    const struct lm_tensor *t;
    const struct lm_shard  *shard;
};

struct lm_shards {
    struct lm_shard *s; /* sorted by name */
    size_t           n;
    struct lm_place *place; /* all tensors, sorted by name; no name twice */
    size_t           n_places;
};

/* Are there weights in the folder?  Reads no tensor. */
drh_status lm_shards_probe(const char *dir, drh_error *e);
/* On failure nothing is left to free. */
drh_status lm_shards_open(struct lm_shards *all, const char *dir, drh_error *e);
void       lm_shards_close(struct lm_shards *all);

/* *shard is where it lies. */
const struct lm_tensor *lm_shards_find(const struct lm_shards *all, const char *name,
                                       const struct lm_shard **shard);
/* For messages: the only file's name, or the index's. */
const char *lm_shards_name(const struct lm_shards *all);
size_t      lm_shards_tensors(const struct lm_shards *all);

#endif /* LM_SHARDS_H */
