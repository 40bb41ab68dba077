/* SPDX-License-Identifier: MIT
 *
 * infer_help.h - for the tests of the bundled backends: a small host, the service as an instance,
 * and folders with random models.
 */
#ifndef INFER_HELP_H
#define INFER_HELP_H

#include "../perf/model_random.h"

#include <drh/infer.h>

struct lab { /* the service, alive */
    drh_host                  host;
    const char               *model;
    const char               *chat;      /* option chat, or NULL */
    const char               *precision; /* option, or NULL */
    int64_t                   pack_tokens;
    int32_t                   cancelled;
    void                     *self, *worker;
    const drh_infer_provider *p;
    drh_error                 e;
};

drh_status lab_open(struct lab *l, const char *model);
/* With options, or NULL. */
drh_status lab_open_with(struct lab *l, const char *model, const char *chat, const char *precision);
void       lab_close(struct lab *l);

/* Scores n requests in one pack; res and err are arrays of n. */
drh_status lab_run(struct lab *l, void *worker, const drh_infer_req *req, size_t n,
                   drh_infer_res *res, drh_error *err);

drh_infer_req lab_req(const char *prompt, const char *target, uint32_t flags, uint32_t max_total);

/* A fresh folder under the test's own; removed by lab_remove. */
void lab_folder(char *path, size_t size);
void lab_remove(const char *path);
/* Such a folder with a model, and the bundled tokenizer: a vocabulary of at least 4096. */
void lab_random(char *dir, size_t size, const struct model_shape *s, const struct model_files *f,
                struct model_random *r);

/* Whole file, 0-terminated, malloc'ed. */
char *lab_read(const char *path, size_t *n);

#endif /* INFER_HELP_H */
