/* SPDX-License-Identifier: MIT
 * sink.c - see sink.h. */
#include "sink.h"

#include "err.h"
#include "hash.h"
#include "json.h"
#include "mem.h"

#include <stdbool.h>
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
        int c = s.ptr[i] | 0x20;
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
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
    f->state = LISTED_FAILED;
    f->status = (uint8_t)st;
    return st;
}

/* A refused name is kept for people: shortened, and without what would spoil a line. */
static void make_harmless(char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F) {
            name[i] = '?';
        }
    }
    if (!json_utf8_valid(name, len)) {
        for (size_t i = 0; i < len; i++) {
            name[i] = (unsigned char)name[i] >= 0x80 ? '?' : name[i];
        }
    }
}

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
        make_harmless(block, len);
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

void list_free(drh_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        mem_free(l->file[i].name);
        mem_free(l->file[i].why);
    }
    mem_free(l->file);
    memset(l, 0, sizeof(*l));
}
