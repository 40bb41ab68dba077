/* SPDX-License-Identifier: MIT
 *
 * infer_help.h - for the tests of infer-openblas: a small host, the service as an instance, and
 * GPT-2 written down plainly in double precision.
 */
#ifndef INFER_HELP_H
#define INFER_HELP_H

#include "../perf/gpt2_random.h"

#include <drh/infer.h>

struct lab { /* the service, alive */
    drh_host                  host;
    const char               *model;
    int64_t                   pack_tokens;
    int32_t                   cancelled;
    void                     *self, *worker;
    const drh_infer_provider *p;
    drh_error                 e;
};

drh_status lab_open(struct lab *l, const char *model);
void       lab_close(struct lab *l);

/* Scores n requests in one pack; res and err are arrays of n. */
drh_status lab_run(struct lab *l, void *worker, const drh_infer_req *req, size_t n,
                   drh_infer_res *res, drh_error *err);

drh_infer_req lab_req(const char *prompt, const char *target, uint32_t flags, uint32_t max_total);

/* Log-probabilities of ids[1..n) given what is before each, into out[0..n-1). */
void plain_gpt2(const struct gpt2_random *r, const uint32_t *ids, size_t n, double *out);

/* A fresh folder under the test's own; removed by lab_remove. */
void lab_folder(char *path, size_t size);
void lab_remove(const char *path);

/* Whole file, 0-terminated, malloc'ed. */
char *lab_read(const char *path, size_t *n);

#endif /* INFER_HELP_H */
