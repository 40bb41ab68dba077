/* SPDX-License-Identifier: MIT
 *
 * perf_model.c - see perf_model.h.
 */
#define _POSIX_C_SOURCE 200809L
#include "perf_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

drh_status perf_model_load(struct lm_model *m, const char *dir, drh_error *e)
{
    drh_status st = lm_map_open(&m->config_json, dir, "config.json", e);
    if (st == DRH_OK) {
        st = lm_config_read(&m->c, m->config_json.p, m->config_json.n, "config.json", e);
    }
    st = st == DRH_OK ? lm_shards_open(&m->weights, dir, e) : st;
    return st == DRH_OK ? lm_bind(m, e) : st;
}

static void unlink_in(const char *dir, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)unlink(path);
}

drh_status perf_model_make(struct lm_model *m, const struct model_shape *s, const char *dtype,
                           drh_error *e)
{
    const struct model_files f = {.dtype = dtype};
    const char              *tmp = getenv("TMPDIR");
    struct model_random      r;
    char                     dir[4000];
    drh_status               st = DRH_E_IO;
    (void)snprintf(dir, sizeof(dir), "%s/drh-perf-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir) || model_random_make(&r, s)) {
        return st;
    }
    if (model_write(&r, dir, &f) == 0) {
        model_random_free(&r);
        st = perf_model_load(m, dir, e);
    }
    unlink_in(dir, "model.safetensors");
    unlink_in(dir, "config.json");
    (void)rmdir(dir);
    return st;
}
