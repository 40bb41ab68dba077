/* SPDX-License-Identifier: MIT
 * run_sources.c - sources.json of a run, its provenance:
 *
 * [{"domain", "dataset", "source", "endpoint", "type", "repo", "revision", "commit", "license",
 * "page", "files": [{"path", "size", "sha256" or "git_sha1", "aside": true}]}]
 *
 * A file that is aside was brought and not read. [main] */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "outfile.h"
#include "run.h"

#include <string.h>

struct writer {
    struct outfile *out;
    struct buf      b;
};

static drh_status put_text(struct buf *b, const char *key, const char *text)
{
    drh_status st = buf_addf(b, ",\"%s\":", key);

    return st == DRH_OK ? json_quote(b, text, strlen(text)) : st;
}

/* The digest of a local file is in the cache that made the fingerprints. */
static const char *cached(const struct run *r, const char *path)
{
    const cJSON *pair = path ? cJSON_GetObjectItemCaseSensitive(r->cache, path) : NULL;

    return cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1));
}

static drh_status put_file(const struct run *r, const struct listed *f, struct buf *b)
{
    char        hex[65];
    drh_file    file;
    const char *sha256 = cached(r, f->local);
    drh_status  st = buf_adds(b, "{\"path\":");

    listed_file(f, hex, &file);
    st = st == DRH_OK ? json_quote(b, f->name, strlen(f->name)) : st;
    st = st == DRH_OK ? buf_addf(b, ",\"size\":%llu", (unsigned long long)f->size) : st;
    if (st == DRH_OK && (sha256 || f->hash == DRH_HASH_SHA256)) {
        st = put_text(b, "sha256", sha256 ? sha256 : hex);
    } else if (st == DRH_OK && f->hash == DRH_HASH_GIT_SHA1) {
        st = put_text(b, "git_sha1", hex);
    }
    if (st == DRH_OK && (f->flags & DRH_FILE_ASIDE)) {
        st = buf_adds(b, ",\"aside\":true");
    }
    return st == DRH_OK ? buf_addc(b, '}') : st;
}

static drh_status put_dataset(const struct run *r, const struct dataset *d, struct writer *w,
                              drh_error *e)
{
    drh_status st = buf_adds(&w->b, "{\"domain\":");

    st = st == DRH_OK ? json_quote(&w->b, d->domain, strlen(d->domain)) : st;
    st = st == DRH_OK ? put_text(&w->b, "dataset", d->name) : st;
    st = st == DRH_OK ? put_text(&w->b, "source", d->source) : st;
    for (int k = 0; st == DRH_OK && k < ABOUT_KEYS; k++) {
        const char *text = d->pull.about[k];
        st = text && text[0] ? put_text(&w->b, about_names[k], text) : DRH_OK;
    }
    st = st == DRH_OK ? buf_adds(&w->b, ",\"files\":[\n") : st;
    for (size_t i = 0; st == DRH_OK && i < d->pull.list.n; i++) {
        st = i ? buf_adds(&w->b, ",\n") : DRH_OK;
        st = st == DRH_OK ? put_file(r, &d->pull.list.file[i], &w->b) : st;
        if (st == DRH_OK && w->b.len > (1 << 16)) {
            st = outfile_write(w->out, w->b.ptr, w->b.len, e);
            buf_reset(&w->b);
            if (st != DRH_OK) {
                return st;
            }
        }
    }
    st = st == DRH_OK ? buf_adds(&w->b, "]}") : st;
    return st == DRH_OK ? DRH_OK : err_nomem(e, "sources.json");
}

drh_status run_sources(const struct run *r, drh_error *e)
{
    char         *path = layout_state(&r->l, "sources.json");
    struct writer w = {.out = NULL};
    drh_status    st = path ? outfile_open(&w.out, path, 0, e) : err_nomem(e, "a path");

    buf_init(&w.b, 1 << 20);
    st = st == DRH_OK ? buf_adds(&w.b, "[") : st;
    for (size_t i = 0; st == DRH_OK && i < r->sets.n; i++) {
        st = i && buf_adds(&w.b, ",\n") != DRH_OK ? err_nomem(e, "sources.json") : DRH_OK;
        st = st == DRH_OK ? put_dataset(r, &r->sets.ds[i], &w, e) : st;
    }
    if (st == DRH_OK && buf_adds(&w.b, "]\n") != DRH_OK) {
        st = err_nomem(e, "sources.json");
    }
    st = st == DRH_OK ? outfile_write(w.out, w.b.ptr, w.b.len, e) : st;
    if (st == DRH_OK) {
        st = outfile_commit(w.out, NULL, NULL, e);
    } else {
        outfile_abort(w.out);
    }
    buf_free(&w.b);
    mem_free(path);
    return st;
}
