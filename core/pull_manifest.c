/* SPDX-License-Identifier: MIT
 * pull_manifest.c - ROOT/.cache/drhost/manifest.jsonl: one line that says what the source is, then
 * one for each file that was verified:
 *
 *   {"drhost":1,"request":"hf-mirror {...}","complete":true,"source":"...","endpoint":"...",...}
 *   {"path":"a/b.jsonl","size":17,"mtime_ns":1700000000000000000,"sha256":"..."}
 *
 * While a pull goes on lines are appended, behind a head that says that more is to come; at its end
 * the file is made new.  A later head counts. */
#include "err.h"
#include "hash.h"
#include "json.h"
#include "mem.h"
#include "outfile.h"
#include "pull.h"
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 1, KEY = 16, MAX_LINE = 64 << 20 }; /* a head's options may name many files */

const char *const about_names[ABOUT_KEYS] = {"endpoint", "type",    "repo", "revision",
                                             "commit",   "license", "page"};

static char *manifest_path(const char *root)
{
    return mem_printf("%s/.cache/drhost/manifest.jsonl", root);
}

/* ---- lines ---- */

static drh_status put_text(struct buf *b, const char *key, const char *text)
{
    drh_status st = buf_addf(b, ",\"%s\":", key);

    return st == DRH_OK ? json_quote(b, text, strlen(text)) : st;
}

static drh_status put_head(struct buf *b, const struct pull *l, bool complete)
{
    char      *request = mem_printf("%s %s", l->step->stage->desc.id, l->step->text);
    drh_status st = request ? buf_addf(b, "{\"drhost\":%d", VERSION) : DRH_E_NOMEM;

    st = st == DRH_OK ? put_text(b, "request", request) : st;
    st = st == DRH_OK ? buf_adds(b, complete ? ",\"complete\":true" : ",\"complete\":false") : st;
    st = st == DRH_OK ? put_text(b, "source", l->name) : st;
    for (int i = 0; st == DRH_OK && i < ABOUT_KEYS; i++) {
        st = l->about[i][0] ? put_text(b, about_names[i], l->about[i]) : DRH_OK;
    }
    mem_free(request);
    return st == DRH_OK ? buf_adds(b, "}\n") : st;
}

static drh_status put_file(struct buf *b, const struct listed *f)
{
    char       hex[65];
    drh_file   file;
    drh_status st = buf_adds(b, "{\"path\":");

    listed_file(f, hex, &file);
    st = st == DRH_OK ? json_quote(b, f->name, strlen(f->name)) : st;
    st = st == DRH_OK ? buf_addf(b, ",\"size\":%llu,\"mtime_ns\":%lld", (unsigned long long)f->size,
                                 (long long)f->mtime_ns)
                      : st;
    if (st == DRH_OK && f->hash != DRH_HASH_NONE) {
        st = put_text(b, f->hash == DRH_HASH_SHA256 ? "sha256" : "git_sha1", hex);
    }
    if (st == DRH_OK && (f->flags & DRH_FILE_ASIDE)) {
        st = buf_adds(b, ",\"aside\":true");
    }
    return st == DRH_OK ? buf_adds(b, "}\n") : st;
}

/* ---- reading ---- */

/* One line: a head, or a file. */
struct line {
    bool    is_head, complete, aside;
    int64_t version;                            /* of a head; -1: it is none */
    drh_str request, source, about[ABOUT_KEYS]; /* valid until the next line */
    drh_str path, sha256, git_sha1;
    int64_t size, mtime_ns;
};

static drh_str member_text(const drh_value *v, const char *key)
{
    drh_value m;
    drh_str   s = {NULL, 0};

    if (value_api.member(v, key, strlen(key), &m) == DRH_OK) {
        (void)value_api.str(&m, &s);
    }
    return s;
}

static int64_t member_int(const drh_value *v, const char *key)
{
    drh_value m;
    int64_t   n;

    return value_api.member(v, key, strlen(key), &m) == DRH_OK && value_api.i64(&m, &n) == DRH_OK
               ? n
               : -1;
}

static bool member_true(const drh_value *v, const char *key)
{
    drh_value m;
    int32_t   yes = 0;

    return value_api.member(v, key, strlen(key), &m) == DRH_OK &&
           value_api.boolean(&m, &yes) == DRH_OK && yes;
}

static void take_line(const drh_value *v, struct line *out)
{
    memset(out, 0, sizeof(*out));
    out->path = member_text(v, "path");
    out->is_head = !out->path.ptr;
    if (out->is_head) {
        out->version = member_int(v, "drhost");
        out->complete = out->version == VERSION && member_true(v, "complete");
        out->request = member_text(v, "request");
        out->source = member_text(v, "source");
        for (int i = 0; i < ABOUT_KEYS; i++) {
            out->about[i] = member_text(v, about_names[i]);
        }
        return;
    }
    out->size = member_int(v, "size");
    out->mtime_ns = member_int(v, "mtime_ns");
    out->sha256 = member_text(v, "sha256");
    out->git_sha1 = member_text(v, "git_sha1");
    out->aside = member_true(v, "aside");
}

/* fn for each good line; a broken one, the last of a killed pull, is passed over, and so are files
 * behind the head of another version, which may mean something else. */
static drh_status each_line(const char *root, drh_status (*fn)(void *ctx, const struct line *l),
                            void *ctx, drh_error *e)
{
    char      *path = manifest_path(root), *text = NULL;
    FILE      *in = path ? fopen(path, "re") : NULL;
    size_t     cap = 0;
    ssize_t    n;
    bool       foreign = false;
    drh_status st = path ? DRH_OK : err_nomem(e, "a path");

    if (path && !in && errno != ENOENT && errno != ENOTDIR) {
        st = err_errno(e, errno, "cannot read", path);
    }
    while (st == DRH_OK && in && (n = getline(&text, &cap, in)) > 0) {
        drh_error   ignored = ERR_INIT;
        drh_json   *doc;
        drh_value   root_value;
        struct line l;
        if (json_doc_open(NULL, text, (size_t)n, &doc, &root_value, &ignored) != DRH_OK) {
            continue;
        }
        take_line(&root_value, &l);
        foreign = l.is_head && l.version >= 0 ? l.version != VERSION : foreign;
        st = (l.is_head ? l.version >= 0 : !foreign) ? fn(ctx, &l) : DRH_OK;
        json_doc_close(doc);
    }
    if (st == DRH_E_NOMEM) {
        st = err_nomem(e, "the manifest of a download");
    }
    if (in) {
        (void)fclose(in);
    }
    free(text); /* getline's */
    mem_free(path);
    return st;
}

/* ---- what is verified ---- */

struct verified {
    uint8_t (*key)[KEY];
    size_t n, cap;
};

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, KEY);
}

static drh_status key_of(drh_str path, int64_t size, int64_t mtime_ns, uint32_t hash,
                         const uint8_t digest[32], uint8_t out[KEY])
{
    const int64_t numbers[3] = {size, mtime_ns, hash};
    const drh_str part[3] = {
        path, {(const char *)numbers, sizeof(numbers)}, {(const char *)digest, 32}};
    uint8_t    sum[32];
    drh_status st = sha256_parts(part, 3, sum);

    memcpy(out, sum, KEY);
    return st;
}

/* A digest as list_file() reads it: through a list of one. */
static void digest_of(const struct line *l, struct listed *out)
{
    struct drh_list one = {0};
    const drh_file  file = {.struct_size = sizeof(file),
                            .name = {"x", 1},
                            .sha256 = l->sha256,
                            .git_sha1 = l->git_sha1};

    memset(out, 0, sizeof(*out));
    if (list_file(&one, &file) == DRH_OK && one.file[0].state != LISTED_FAILED) {
        out->hash = one.file[0].hash;
        memcpy(out->digest, one.file[0].digest, sizeof(out->digest));
    }
    list_free(&one);
}

static drh_status add_verified(void *ctx, const struct line *l)
{
    struct verified *v = ctx;
    struct listed    f;

    if (l->is_head) {
        return DRH_OK;
    }
    if (v->n == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 64;
        void  *more = mem_resize(v->key, cap * KEY);
        if (!more) {
            return DRH_E_NOMEM;
        }
        v->key = more;
        v->cap = cap;
    }
    digest_of(l, &f);
    return key_of(l->path, l->size, l->mtime_ns, f.hash, f.digest, v->key[v->n++]);
}

drh_status manifest_read_verified(const char *root, struct verified **out, drh_error *e)
{
    struct verified *v = mem_alloc(1, sizeof(*v));
    drh_status       st;

    *out = v;
    if (!v) {
        return err_nomem(e, "the manifest of a download");
    }
    st = each_line(root, add_verified, v, e);
    if (v->n) {
        qsort(v->key, v->n, KEY, by_key);
    }
    return st;
}

bool verified_has(const struct verified *v, const struct listed *f, int64_t mtime_ns)
{
    uint8_t key[KEY];

    return v->n &&
           key_of(drh_str_of(f->name), (int64_t)f->size, mtime_ns, f->hash, f->digest, key) ==
               DRH_OK &&
           bsearch(key, v->key, v->n, KEY, by_key) != NULL;
}

void verified_free(struct verified *v)
{
    if (v) {
        mem_free(v->key);
        mem_free(v);
    }
}

/* ---- as a list ---- */

struct listing {
    struct pull *l;
    char        *request;
    bool         complete; /* by the last head */
};

static drh_status keep(char **to, drh_str s)
{
    mem_free(*to);
    *to = mem_dup(s.ptr ? s.ptr : "", s.len);
    return *to ? DRH_OK : DRH_E_NOMEM;
}

static drh_status add_listed(void *ctx, const struct line *line)
{
    struct listing *x = ctx;
    struct pull    *l = x->l;
    drh_status      st = DRH_OK;

    if (line->is_head) {
        x->complete = line->complete && drh_str_eq(line->request, x->request);
        st = keep(&l->name, line->source);
        for (int i = 0; st == DRH_OK && i < ABOUT_KEYS; i++) {
            st = keep(&l->about[i], line->about[i]);
        }
        return st;
    }
    return list_file(&l->list,
                     &(drh_file){.struct_size = sizeof(drh_file),
                                 .flags = line->aside ? DRH_FILE_ASIDE : 0,
                                 .name = line->path,
                                 .size = line->size < 0 ? UINT64_MAX : (uint64_t)line->size,
                                 .sha256 = line->sha256,
                                 .git_sha1 = line->git_sha1});
}

drh_status manifest_as_list(struct pull *l, const char *root, drh_error *e)
{
    struct listing x = {.l = l,
                        .request = mem_printf("%s %s", l->step->stage->desc.id, l->step->text)};
    drh_status     st;

    if (!x.request) {
        return err_nomem(e, "the manifest of a download");
    }
    list_free(&l->list);
    st = each_line(root, add_listed, &x, e);
    mem_free(x.request);
    if (st == DRH_OK && (!x.complete || l->list.n == 0 || list_settle(&l->list, NULL) != DRH_OK)) {
        list_free(&l->list); /* also when a later pull has begun to bring other files */
        st = DRH_E_MISSING;
    }
    return st;
}

/* ---- writing ---- */

/* The last line of a pull that was killed may have no end. */
static drh_status put_begin(struct buf *b, const struct pull *l)
{
    return buf_adds(b, "\n") == DRH_OK ? put_head(b, l, false) : DRH_E_NOMEM;
}

drh_status manifest_append(struct pull *l, const struct listed *f, drh_error *e)
{
    char      *path = manifest_path(l->root);
    struct buf b;
    int        fd = -1;
    drh_status st = path ? DRH_OK : err_nomem(e, "a path");

    buf_init(&b, MAX_LINE);
    if (st == DRH_OK && ((!l->noted && put_begin(&b, l) != DRH_OK) || put_file(&b, f) != DRH_OK)) {
        st = err_nomem(e, "the manifest of a download");
    }
    if (st == DRH_OK) {
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0 || write(fd, b.ptr, b.len) != (ssize_t)b.len) {
            st = err_errno(e, errno, "cannot write", path);
        }
    }
    l->noted = l->noted || st == DRH_OK;
    if (fd >= 0) {
        (void)close(fd);
    }
    buf_free(&b);
    mem_free(path);
    return st;
}

drh_status manifest_finish(const struct pull *l, bool complete, drh_error *e)
{
    char           *path = manifest_path(l->root);
    struct outfile *out = NULL;
    struct buf      b;
    drh_status      st = path ? outfile_open(&out, path, 0, e) : err_nomem(e, "a path");

    buf_init(&b, MAX_LINE);
    if (st == DRH_OK && put_head(&b, l, complete) != DRH_OK) {
        st = err_nomem(e, "the manifest of a download");
    }
    for (size_t i = 0; st == DRH_OK && i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        st = outfile_write(out, b.ptr, b.len, e);
        buf_reset(&b);
        if (st == DRH_OK && (f->state == LISTED_THERE || f->state == LISTED_BROUGHT) &&
            put_file(&b, f) != DRH_OK) {
            st = err_nomem(e, "the manifest of a download");
        }
    }
    st = st == DRH_OK && b.len ? outfile_write(out, b.ptr, b.len, e) : st;
    if (st == DRH_OK) {
        st = outfile_commit(out, NULL, NULL, e);
    } else {
        outfile_abort(out);
    }
    buf_free(&b);
    mem_free(path);
    return st;
}
