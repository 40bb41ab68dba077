/* SPDX-License-Identifier: MIT
 * spec_files.c - the "files" of a specification. */
#include "spec_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARED_FROM = 1 << 20
}; /* the digest of the same content is computed once from this size on */

static struct content *made(struct world *w, uint64_t seed, uint64_t size)
{
    for (size_t i = 0; i < w->n_contents && size >= SHARED_FROM; i++) {
        struct content *c = w->contents[i];

        if (c->kind == CONTENT_MADE && c->seed == seed && c->size == size) {
            return c;
        }
    }
    return world_content(w, content_made(seed, size));
}

static struct content *on_disk(const struct reading *in, const char *name)
{
    char           *path = *name == '/' ? xdup(name) : xprintf("%s/%s", in->folder, name);
    struct content *c = content_file(path);

    free(path);
    return world_content(in->w, c);
}

static struct content *content_of(const struct reading *in, const cJSON *o, uint64_t add,
                                  const char *path)
{
    const char     *text = spec_text(o, "text", NULL), *b64 = spec_text(o, "base64", NULL);
    const char     *name = spec_text(o, "file", NULL);
    struct content *c;
    char           *data;
    size_t          n;

    if ((text != NULL) + (b64 != NULL) + (name != NULL) + (spec_get(o, "size") != NULL) != 1) {
        die("file %s: give one of text, base64, file, size", path);
    }
    if (text) {
        return world_content(in->w, content_text(text, strlen(text)));
    }
    if (name) {
        return on_disk(in, name);
    }
    if (!b64) {
        return made(in->w, spec_number(o, "seed", 1) + add, spec_number(o, "size", 0));
    }
    n = base64_data(b64, &data);
    if (n == (size_t)-1) {
        die("file %s: broken base64", path);
    }
    c = world_content(in->w, content_text(data, n));
    free(data);
    return c;
}

static enum file_kind kind_of(const char *word, const char *path)
{
    static const char *const words[] = {"git", "lfs", "xet"};

    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum file_kind)i;
        }
    }
    die("file %s: kind is git, lfs or xet, not %s", path, word);
}

static void listed_of(struct file *f, const cJSON *o)
{
    const char *sha, *type;

    if (!o) {
        return;
    }
    spec_keys(o, " size sha256 times type ", f->path);
    f->listed_size = spec_number(o, "size", f->listed_size);
    f->times = (unsigned)spec_number(o, "times", 1);
    sha = spec_text(o, "sha256", NULL);
    type = spec_text(o, "type", NULL);
    f->listed_sha = sha ? xdup(sha) : NULL;
    f->type = type ? xdup(type) : NULL;
}

static void digest_of(char *to, size_t size, const char *hex, const char *path)
{
    if (strlen(hex) != size - 1 || strspn(hex, "0123456789abcdef") != size - 1) {
        die("file %s: %s is no digest of %zu hex digits", path, hex, size - 1);
    }
    memcpy(to, hex, size);
}

static void one_file(const struct reading *in, struct commit *c, const cJSON *o, const char *path,
                     uint64_t add)
{
    struct content *bytes = content_of(in, o, add, path);
    struct file    *f = world_file(in->w, c->repo, path, bytes);
    const char     *shown = spec_text(o, "path_json", NULL);
    const char     *mode = spec_text(o, "mode", "100644");
    const char     *sha = spec_text(o, "sha256", NULL), *git = spec_text(o, "git", NULL);
    const char     *revision = spec_text(o, "revision", NULL);

    f->kind = kind_of(spec_text(o, "kind", "git"), path);
    f->mode = (unsigned)strtoul(mode, NULL, 8);
    f->shown = shown ? xdup(shown) : NULL;
    f->oss = spec_bool(o, "oss");
    listed_of(f, spec_get(o, "listed"));
    if (sha) {
        digest_of(bytes->sha256, sizeof(bytes->sha256), sha, path);
    }
    if (git) {
        digest_of(bytes->git, sizeof(bytes->git), git, path);
    }
    if (revision) {
        digest_of(f->revision, sizeof(f->revision), revision, path);
    }
    bytes->want_git = bytes->want_git || (f->kind == FILE_GIT && c->repo->hub == HUB_HF);
    commit_add(c, f);
}

/* "part-###": the number in place of the signs, with leading zeros. */
static char *numbered(const char *path, uint64_t i)
{
    const char *from = strchr(path, '#');
    size_t      n = from ? strspn(from, "#") : 0;

    if (!n) {
        die("file %s: count wants a place for the number, like ####", path);
    }
    return xprintf("%.*s%0*llu%s", (int)(from - path), path, (int)n, (unsigned long long)i,
                   from + n);
}

void spec_files(const struct reading *in, struct commit *c, const cJSON *files)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, files)
    {
        const char *path = spec_text(o, "path", NULL);
        uint64_t    count = spec_number(o, "count", 0);

        if (!path || !*path) {
            die("a file without path");
        }
        spec_keys(o,
                  " path path_json text base64 file size seed kind mode sha256 git listed revision "
                  "oss count ",
                  path);
        for (uint64_t i = 0; i < count; i++) {
            char *name = numbered(path, i);

            one_file(in, c, o, name, i);
            free(name);
        }
        if (!spec_get(o, "count")) {
            one_file(in, c, o, path, 0);
        }
    }
}
