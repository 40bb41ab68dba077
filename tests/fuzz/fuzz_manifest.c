/* SPDX-License-Identifier: MIT
 * fuzz_manifest.c - any bytes as the manifest of an earlier download: what it tells is a list like
 * any other, and comes back from a manifest that is made of it. */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "must.h"
#include "pull.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char old_root[] = "/tmp/drh_fuzz_XXXXXX", new_root[] = "/tmp/drh_fuzz_XXXXXX";

static void path_in(const char *root, const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", root, name);
}

static void make(char *root)
{
    char path[128];

    MUST(mkdtemp(root) != NULL);
    path_in(root, ".cache", path);
    MUST(mkdir(path, 0700) == 0);
    path_in(root, ".cache/drhost", path);
    MUST(mkdir(path, 0700) == 0);
}

static void take_away(void)
{
    static const char *const names[] = {".cache/drhost/manifest.jsonl", ".cache/drhost", ".cache",
                                        ""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        path_in(old_root, names[i], path);
        (void)remove(path);
        path_in(new_root, names[i], path);
        (void)remove(path);
    }
}

static void put(const uint8_t *data, size_t size)
{
    char  path[128];
    FILE *f;

    path_in(old_root, ".cache/drhost/manifest.jsonl", path);
    f = fopen(path, "we");
    MUST(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static void check_list(const struct pull *l)
{
    MUST(l->list.n > 0 && l->name && json_utf8_valid(l->name, strlen(l->name)));
    for (int i = 0; i < ABOUT_KEYS; i++) {
        MUST(l->about[i] && json_utf8_valid(l->about[i], strlen(l->about[i])));
    }
    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *f = &l->list.file[i];
        const int            c = i ? strcmp(l->list.file[i - 1].name, f->name) : -1;
        MUST(f->state == LISTED || f->state == LISTED_FAILED);
        MUST(c < 0 || (c == 0 && f->state == LISTED_FAILED));
        MUST(f->state == LISTED_FAILED || (f->name[0] != '/' && !strstr(f->name, "/../")));
    }
}

/* As if all had come just now; what cannot come goes. */
static void settle(struct pull *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->list.n; i++) {
        struct listed *f = &l->list.file[i];
        if (f->state == LISTED_FAILED) {
            mem_free(f->name);
            mem_free(f->why);
        } else {
            f->state = LISTED_THERE;
            f->mtime_ns = (int64_t)i;
            l->list.file[n++] = *f;
        }
    }
    l->list.n = n;
}

static void check_round_trip(struct pull *l)
{
    struct pull      again = {.step = l->step, .lock = -1};
    struct verified *v;
    drh_error        e = ERR_INIT;
    drh_status       st;

    settle(l);
    l->root = mem_dupz(new_root);
    MUST(manifest_finish(l, true, &e) == DRH_OK);
    st = manifest_as_list(&again, new_root, &e);
    MUST(st == (l->list.n ? DRH_OK : DRH_E_MISSING) && again.list.n == l->list.n);
    MUST(manifest_read_verified(new_root, &v, &e) == DRH_OK);
    for (size_t i = 0; i < l->list.n; i++) {
        const struct listed *a = &l->list.file[i], *b = &again.list.file[i];
        MUST(strcmp(a->name, b->name) == 0 && a->size == b->size && a->flags == b->flags);
        MUST(a->hash == b->hash && memcmp(a->digest, b->digest, 32) == 0);
        MUST(verified_has(v, a, a->mtime_ns) && !verified_has(v, a, a->mtime_ns + 1));
    }
    verified_free(v);
    pull_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage     stage = {.desc.id = "hf-mirror"};
    static char             text[] = "{\"repo\":\"o/n\"}";
    static struct plan_step step = {.stage = &stage, .text = text};
    struct pull             l = {.step = &step, .lock = -1};
    struct verified        *v;
    drh_error               e = ERR_INIT;
    drh_status              st;

    if (strstr(old_root, "XXXXXX")) {
        make(old_root);
        make(new_root);
        (void)atexit(take_away);
    }
    put(data, size);
    MUST(manifest_read_verified(old_root, &v, &e) == DRH_OK);
    verified_free(v);
    st = manifest_as_list(&l, old_root, &e);
    if (st == DRH_OK) {
        check_list(&l);
        check_round_trip(&l);
    } else {
        MUST(st == DRH_E_MISSING && l.list.n == 0);
    }
    pull_free(&l);
    return 0;
}
