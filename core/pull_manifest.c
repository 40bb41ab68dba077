/* SPDX-License-Identifier: MIT
 * pull_manifest.c - ROOT/.cache/drhost/manifest.jsonl.  A section for each request that filled the
 * folder, the newest last: a head that says what the source is, then a line for each file that was
 * verified:
 *
 *   {"drhost":1,"request":"hf-mirror {...}","complete":true,"files":1,"source":"...",...}
 *   {"path":"a/b.jsonl","size":17,"mtime_ns":1700000000000000000,"sha256":"..."}
 *
 * While a pull goes on lines are appended behind a head that is not complete; at its end the file
 * is made new, with those lines of other requests whose files are as they were.  A section with
 * another number of lines than its head says is not complete. */
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
#include <sys/stat.h>
#include <unistd.h>

/* A head's options may name many files.  ANY: of a key that stands for every digest.  SECTIONS:
 * most that are kept. */
enum { VERSION = 1, KEY = 16, MAX_LINE = 64 << 20, ANY = 255, SECTIONS = 16 };

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

static char *request_of(const struct pull *l)
{
    return mem_printf("%s %s", l->step->stage->desc.id, l->step->text);
}

static drh_status put_head(struct buf *b, const struct pull *l, bool complete)
{
    char      *request = request_of(l);
    drh_status st = request ? buf_addf(b, "{\"drhost\":%d", VERSION) : DRH_E_NOMEM;

    st = st == DRH_OK ? put_text(b, "request", request) : st;
    st = st == DRH_OK
             ? buf_addf(b, ",\"complete\":%s,\"files\":%zu", complete ? "true" : "false", l->list.n)
             : st;
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
    drh_str text; /* all of it, with its end */
    bool    is_head, complete, aside;
    int64_t version;                            /* of a head; -1: it is none */
    int64_t files;                              /* lines that follow, by a head */
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
        out->files = member_int(v, "files");
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
        l.text = (drh_str){text, (size_t)n};
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

static uint8_t *new_key(struct verified *v)
{
    if (v->n == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 64;
        void  *more = mem_resize(v->key, cap * KEY);
        if (!more) {
            return NULL;
        }
        v->key = more;
        v->cap = cap;
    }
    return v->key[v->n++];
}

/* A key of what it is, and one that only says that it was verified. */
static drh_status add_verified(void *ctx, const struct line *l)
{
    static const uint8_t any[32];
    struct verified     *v = ctx;
    struct listed        f;
    uint8_t             *key;
    drh_status           st;

    if (l->is_head) {
        return DRH_OK;
    }
    digest_of(l, &f);
    key = new_key(v);
    st = key ? key_of(l->path, l->size, l->mtime_ns, f.hash, f.digest, key) : DRH_E_NOMEM;
    key = st == DRH_OK ? new_key(v) : NULL;
    return key ? key_of(l->path, l->size, l->mtime_ns, ANY, any, key) : DRH_E_NOMEM;
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

static bool has(const struct verified *v, const char *name, uint64_t size, int64_t mtime_ns,
                uint32_t hash, const uint8_t digest[32])
{
    uint8_t key[KEY];

    return v->n && key_of(drh_str_of(name), (int64_t)size, mtime_ns, hash, digest, key) == DRH_OK &&
           bsearch(key, v->key, v->n, KEY, by_key) != NULL;
}

bool verified_has(const struct verified *v, const struct listed *f, int64_t mtime_ns)
{
    return has(v, f->name, f->size, mtime_ns, f->hash, f->digest);
}

bool verified_somehow(const struct verified *v, const char *name, uint64_t size, int64_t mtime_ns)
{
    static const uint8_t any[32];

    return has(v, name, size, mtime_ns, ANY, any);
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
    bool         ours;     /* the section that is being read */
    bool         complete; /* by the head of the last one that was */
    int64_t      files, lines;
};

static drh_status keep(char **to, drh_str s)
{
    mem_free(*to);
    *to = mem_dup(s.ptr ? s.ptr : "", s.len);
    return *to ? DRH_OK : DRH_E_NOMEM;
}

static drh_status begin_section(struct listing *x, const struct line *head)
{
    struct pull *l = x->l;
    drh_status   st;

    x->ours = drh_str_eq(head->request, x->request);
    if (!x->ours) {
        return DRH_OK;
    }
    list_free(&l->list);
    x->complete = head->complete;
    x->files = head->files;
    x->lines = 0;
    st = keep(&l->name, head->source);
    for (int i = 0; st == DRH_OK && i < ABOUT_KEYS; i++) {
        st = keep(&l->about[i], head->about[i]);
    }
    return st;
}

static drh_status add_listed(void *ctx, const struct line *line)
{
    struct listing *x = ctx;

    if (line->is_head) {
        return begin_section(x, line);
    }
    if (!x->ours) {
        return DRH_OK;
    }
    x->lines++;
    return list_file(&x->l->list,
                     &(drh_file){.struct_size = sizeof(drh_file),
                                 .flags = line->aside ? DRH_FILE_ASIDE : 0,
                                 .name = line->path,
                                 .size = line->size < 0 ? UINT64_MAX : (uint64_t)line->size,
                                 .sha256 = line->sha256,
                                 .git_sha1 = line->git_sha1});
}

drh_status manifest_as_list(struct pull *l, const char *root, drh_error *e)
{
    struct listing x = {.l = l, .request = request_of(l)};
    drh_status     st;

    if (!x.request) {
        return err_nomem(e, "the manifest of a download");
    }
    list_free(&l->list);
    st = each_line(root, add_listed, &x, e);
    mem_free(x.request);
    if (st == DRH_OK && (!x.complete || x.lines == 0 || (x.files >= 0 && x.lines != x.files) ||
                         list_settle(&l->list, NULL) != DRH_OK)) {
        st = DRH_E_MISSING;
    }
    if (st != DRH_OK) {
        list_free(&l->list);
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
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
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

/* Of other requests, what is still here as it was verified goes into the new manifest, line by
 * line as it is. */
struct carry {
    const struct pull *l;
    struct outfile    *out;
    char              *request;
    struct buf         head; /* of the section that is being read; empty: written */
    bool               ours, begun;
    unsigned           others, skip;
    drh_error         *e;
};

static bool same_request(const struct carry *c, const struct line *head)
{
    return drh_str_eq(head->request, c->request);
}

static drh_status count_section(void *ctx, const struct line *line)
{
    struct carry *c = ctx;

    c->others += line->is_head && !same_request(c, line);
    return DRH_OK;
}

static bool as_it_was(const struct carry *c, const struct line *line)
{
    char       *path = mem_printf("%s/%.*s", c->l->root, (int)line->path.len, line->path.ptr);
    struct stat sb;
    bool same = path && lstat(path, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_size == line->size &&
                (int64_t)sb.st_mtim.tv_sec * 1000000000 + sb.st_mtim.tv_nsec == line->mtime_ns;

    mem_free(path);
    return same;
}

/* The last line of a manifest may have no end. */
static drh_status put_line(const struct carry *c, drh_str s)
{
    drh_status st = outfile_write(c->out, s.ptr, s.len, c->e);

    return st == DRH_OK && s.len && s.ptr[s.len - 1] != '\n' ? outfile_write(c->out, "\n", 1, c->e)
                                                             : st;
}

static drh_status carry_line(void *ctx, const struct line *line)
{
    struct carry *c = ctx;
    drh_status    st = DRH_OK;

    if (line->is_head) {
        c->begun = true;
        c->ours = same_request(c, line) || line->files < 0 || c->skip > 0;
        c->skip -= !same_request(c, line) && c->skip > 0;
        buf_reset(&c->head);
        return c->ours ? DRH_OK : buf_add(&c->head, line->text.ptr, line->text.len);
    }
    if (!c->begun || c->ours || !as_it_was(c, line)) {
        return DRH_OK;
    }
    if (c->head.len) {
        st = put_line(c, (drh_str){c->head.ptr, c->head.len});
        buf_reset(&c->head);
    }
    return st == DRH_OK ? put_line(c, line->text) : st;
}

static drh_status carry_others(const struct pull *l, struct outfile *out, drh_error *e)
{
    struct carry c = {.l = l, .out = out, .request = request_of(l), .e = e};
    drh_status   st = c.request ? DRH_OK : err_nomem(e, "the manifest of a download");

    buf_init(&c.head, MAX_LINE);
    st = st == DRH_OK ? each_line(l->root, count_section, &c, e) : st;
    c.skip = c.others >= SECTIONS ? c.others - (SECTIONS - 1) : 0;
    st = st == DRH_OK ? each_line(l->root, carry_line, &c, e) : st;
    buf_free(&c.head);
    mem_free(c.request);
    return st;
}

static drh_status put_section(const struct pull *l, bool complete, struct outfile *out,
                              drh_error *e)
{
    struct buf b;
    drh_status st = DRH_OK;

    buf_init(&b, MAX_LINE);
    if (put_head(&b, l, complete) != DRH_OK) {
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
    buf_free(&b);
    return st;
}

drh_status manifest_finish(const struct pull *l, bool complete, drh_error *e)
{
    char           *path = manifest_path(l->root);
    struct outfile *out = NULL;
    drh_status      st = path ? outfile_open(&out, path, 0, e) : err_nomem(e, "a path");

    st = st == DRH_OK ? carry_others(l, out, e) : st;
    st = st == DRH_OK ? put_section(l, complete, out, e) : st;
    if (st == DRH_OK) {
        st = outfile_commit(out, NULL, NULL, e);
    } else {
        outfile_abort(out);
    }
    mem_free(path);
    return st;
}
