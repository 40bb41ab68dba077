/* SPDX-License-Identifier: MIT
 * sink.c - see sink.h. */
#include "sink.h"

#include "err.h"
#include "hash.h"
#include "json.h"
#include "mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_NAME = 1024 };

/* DRH_OK when bytes may go to that part. */
static drh_status open_part(drh_sink *s, uint32_t part)
{
    if (s->error.code != DRH_OK) {
        return s->error.code; /* bytes are missing: more of them would only hide it */
    }
    return part < s->n_parts
               ? DRH_OK
               : err_set(&s->error, DRH_E_ARG, "bytes for part %u of %u; parts count from 0", part,
                         s->n_parts);
}

drh_status sink_write(drh_sink *s, uint32_t part, const void *ptr, size_t len)
{
    drh_status st = open_part(s, part);

    if (st == DRH_OK) {
        st = s->error.code = outfile_write(s->part[part], ptr, len, &s->error);
    }
    return st;
}

drh_status sink_patch(drh_sink *s, uint32_t part, uint64_t offset, const void *ptr, size_t len)
{
    drh_status st = open_part(s, part);

    if (st == DRH_OK) {
        st = s->error.code = outfile_patch(s->part[part], offset, ptr, len, &s->error);
    }
    return st;
}

/* ---- names ---- */

static bool part_is(const char *p, size_t n, const char *what)
{
    return n == strlen(what) && strncasecmp(p, what, n) == 0;
}

/* Why a name may not become a file below a folder of ours, or NULL. */
static const char *unsafe(drh_str name)
{
    const char *p = name.ptr, *end = p + name.len;
    bool        cache = false;

    if (p[0] == '/') {
        return "it begins with a slash";
    }
    if (name.len > 1 && p[1] == ':' && ((p[0] | 0x20) >= 'a' && (p[0] | 0x20) <= 'z')) {
        return "it begins with a drive letter";
    }
    if (memchr(p, '\\', name.len)) {
        return "it has a backslash";
    }
    for (bool first = true; p <= end; first = false) {
        const char *slash = memchr(p, '/', (size_t)(end - p));
        size_t      n = (size_t)((slash ? slash : end) - p);
        if (n == 0) {
            return "it has an empty part";
        }
        if (part_is(p, n, ".") || part_is(p, n, "..")) {
            return "it has a part \".\" or \"..\"";
        }
        if (part_is(p, n, ".git")) {
            return "it lies in a .git folder";
        }
        if (cache && (part_is(p, n, "drhost") || part_is(p, n, "huggingface"))) {
            return "it lies where downloads keep their own notes";
        }
        cache = first && part_is(p, n, ".cache");
        p += n + 1;
    }
    return NULL;
}

static const char *bad_name(drh_str name)
{
    if (name.len == 0) {
        return "it is empty";
    }
    if (name.len > MAX_NAME) {
        return "it is longer than 1024 bytes";
    }
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7F) {
            return "it has a control character";
        }
    }
    return json_utf8_valid(name.ptr, name.len) ? unsafe(name) : "it is not UTF-8";
}

/* ---- digests ---- */

static bool unhex(drh_str s, uint8_t *out, size_t n)
{
    if (s.len != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.ptr[i], l = c | 0x20;
        int v = c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
        if (v < 0) {
            return false;
        }
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
    }
    return true;
}

/* False: there is a digest, and it is none. */
static bool take_digest(struct listed *f, const drh_file *file)
{
    if (file->sha256.len) {
        f->hash = DRH_HASH_SHA256;
        return unhex(file->sha256, f->digest, 32);
    }
    if (DRH_HAS(drh_file, file, git_sha1) && file->git_sha1.len) {
        f->hash = DRH_HASH_GIT_SHA1;
        return unhex(file->git_sha1, f->digest, 20);
    }
    return true;
}

void listed_file(const struct listed *f, char hex[65], drh_file *out)
{
    drh_str text = {hex, 0};

    hex_of(f->digest, f->hash == DRH_HASH_GIT_SHA1 ? 20 : 32, hex);
    text.len = strlen(hex);
    *out = (drh_file){.struct_size = sizeof(*out),
                      .flags = f->flags,
                      .name = drh_str_of(f->name),
                      .local = drh_str_of(f->local),
                      .size = f->size,
                      .key = {f->key, f->key_len}};
    if (f->hash == DRH_HASH_SHA256) {
        out->sha256 = text;
    } else if (f->hash == DRH_HASH_GIT_SHA1) {
        out->git_sha1 = text;
    }
}

/* ---- the list ---- */

drh_status listed_fail(struct listed *f, drh_status st, const char *why)
{
    mem_free(f->why);
    f->why = mem_dupz(why);
    if (f->why) {
        err_harmless(f->why, strlen(f->why)); /* it may hold words of a server */
    }
    f->state = LISTED_FAILED;
    f->status = (uint8_t)st;
    return st;
}

/* A refused name is kept for people: shortened, and without what would spoil a line. */
static drh_status copy_texts(struct listed *f, const drh_file *file, bool refused)
{
    drh_str key = {NULL, 0};
    size_t  len = file->name.len < MAX_NAME ? file->name.len : MAX_NAME;
    size_t  name = len + 1, local = file->local.ptr ? file->local.len + 1 : 0;
    char   *block;

    if (DRH_HAS(drh_file, file, key)) {
        key = file->key;
    }
    block = mem_alloc(1, name + local + key.len + 1); /* zeroed: each text ends */
    if (!block) {
        return DRH_E_NOMEM;
    }
    f->name = memcpy(block, len ? file->name.ptr : "", len);
    if (refused) {
        err_harmless(block, len);
    }
    if (local) {
        f->local = memcpy(block + name, file->local.ptr, file->local.len);
    }
    if (key.ptr) {
        f->key = block + name + local;
        f->key_len = (uint32_t)key.len;
        memcpy(block + name + local, key.ptr, key.len);
    }
    return DRH_OK;
}

drh_status list_file(drh_list *l, const drh_file *file)
{
    struct listed f = {.size = file->size};
    const char   *why;
    char          text[160];

    if (!DRH_HAS(drh_file, file, sha256)) {
        return DRH_E_ARG;
    }
    if (l->n == l->cap) {
        size_t         cap = l->cap ? l->cap + l->cap / 2 : 16;
        struct listed *more = mem_resize(l->file, cap * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        l->file = more;
        l->cap = cap;
    }
    f.flags = (uint8_t)file->flags;
    why = bad_name(file->name);
    if (why && file->local.ptr) {
        return DRH_E_ARG;
    }
    if (copy_texts(&f, file, why != NULL) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    if (why) {
        (void)snprintf(text, sizeof(text), "its name is refused: %s", why);
        (void)listed_fail(&f, DRH_E_DATA, text);
    } else if (!take_digest(&f, file)) {
        (void)listed_fail(&f, DRH_E_DATA, "the digest that the source lists for it is none");
    }
    l->file[l->n++] = f;
    return DRH_OK;
}

static void free_one(struct listed *f)
{
    mem_free(f->name);
    mem_free(f->why);
}

/* ---- the whole list ---- */

/* What is left of a refused name does not tell whether two were the same. */
static bool name_is_refused(const struct listed *f)
{
    return f->state == LISTED_FAILED && f->hash == DRH_HASH_NONE;
}

/* Sizes last, so that what is said of two that differ does not depend on their order. */
static int by_name(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int                  c = strcmp(x->name, y->name);

    c = c ? c : name_is_refused(x) - name_is_refused(y);
    return c ? c : (x->size > y->size) - (x->size < y->size);
}

static bool is_same_file(const struct listed *a, const struct listed *b)
{
    return strcmp(a->name, b->name) == 0 && !name_is_refused(a) && !name_is_refused(b);
}

/* "with 10 and 12 bytes"; false: they do not differ. */
static bool difference(const struct listed *a, const struct listed *b, char *out, size_t cap)
{
    const bool unknown = a->size == UINT64_MAX || b->size == UINT64_MAX;

    out[0] = '\0';
    if (a->size != b->size) {
        (void)snprintf(out, cap,
                       unknown ? "with %llu bytes and without a size" : "with %llu and %llu bytes",
                       (unsigned long long)a->size, (unsigned long long)b->size);
    } else if (a->hash != b->hash) {
        (void)snprintf(out, cap, "with digests of two kinds");
    } else if (a->state != b->state || memcmp(a->digest, b->digest, sizeof(a->digest)) != 0) {
        (void)snprintf(out, cap, "with two digests");
    } else if (strcmp(a->local ? a->local : "", b->local ? b->local : "") != 0) {
        (void)snprintf(out, cap, "from %.100s and %.100s", a->local ? a->local : "elsewhere",
                       b->local ? b->local : "elsewhere");
    } else if (a->flags != b->flags) {
        (void)snprintf(out, cap, "once as data and once set aside");
    } else if (a->key_len != b->key_len || !a->key != !b->key ||
               (a->key && memcmp(a->key, b->key, a->key_len) != 0)) {
        (void)snprintf(out, cap, "with two keys of its own"); /* which may be secret */
    }
    return out[0] != '\0';
}

drh_status list_settle(drh_list *l, drh_error *e)
{
    char   what[256];
    size_t n = 0;

    if (l->n == 0) {
        return DRH_OK;
    }
    qsort(l->file, l->n, sizeof(*l->file), by_name);
    for (size_t i = 1; i < l->n; i++) {
        const struct listed *a = &l->file[i - 1], *b = &l->file[i];
        if (is_same_file(a, b) && difference(a, b, what, sizeof(what))) {
            return err_set(e, DRH_E_DATA, "the file %.500s twice, %s", a->name, what);
        }
    }
    for (size_t i = 1; i < l->n; i++) {
        if (is_same_file(&l->file[n], &l->file[i])) {
            free_one(&l->file[i]);
        } else {
            l->file[++n] = l->file[i];
        }
    }
    l->n = n + 1;
    return DRH_OK;
}

void list_free(drh_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free_one(&l->file[i]);
    }
    mem_free(l->file);
    memset(l, 0, sizeof(*l));
}
