/* SPDX-License-Identifier: MIT
 *
 * bare_host.c - see bare_host.h.
 */
#include "bare_host.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int bare_blocks, bare_allowed = -1, bare_cancelled;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char            said[1 << 16], copy[1 << 16];
static size_t          n_said;

static void *bare_alloc(const drh_host *h, void *old, size_t size)
{
    (void)h;
    if (size == 0) {
        (void)__atomic_sub_fetch(&bare_blocks, old != NULL, __ATOMIC_RELAXED);
        free(old);
        return NULL;
    }
    if (__atomic_load_n(&bare_allowed, __ATOMIC_RELAXED) >= 0 &&
        __atomic_fetch_sub(&bare_allowed, 1, __ATOMIC_RELAXED) <= 0) {
        __atomic_store_n(&bare_allowed, 0, __ATOMIC_RELAXED);
        return NULL;
    }
    (void)__atomic_add_fetch(&bare_blocks, old == NULL, __ATOMIC_RELAXED);
    return realloc(old, size);
}

static void bare_put(const drh_host *h, uint32_t level, const char *msg, size_t len)
{
    (void)h;
    pthread_mutex_lock(&lock);
    if (n_said + len + 16 < sizeof(said)) {
        n_said += (size_t)snprintf(said + n_said, sizeof(said) - n_said, "%u %.*s\n", level,
                                   (int)len, msg);
    }
    pthread_mutex_unlock(&lock);
}

const char *bare_log(void)
{
    pthread_mutex_lock(&lock);
    memcpy(copy, said, n_said);
    copy[n_said] = '\0';
    pthread_mutex_unlock(&lock);
    return copy;
}

static int32_t bare_is_cancelled(const drh_host *h)
{
    (void)h;
    return __atomic_load_n(&bare_cancelled, __ATOMIC_RELAXED);
}

static void bare_progress(const drh_host *h, uint64_t done, uint64_t total, const char *what)
{
    (void)h, (void)done, (void)total, (void)what;
}

drh_host bare_host = {.struct_size = sizeof(drh_host),
                      .name = "bare",
                      .version = "0",
                      .step = "bare",
                      .max_workers = 1,
                      .thread_quota = 2,
                      .log = bare_put,
                      .cancelled = bare_is_cancelled,
                      .progress = bare_progress,
                      .alloc = bare_alloc};

void bare_reset(void)
{
    bare_blocks = 0;
    bare_allowed = -1;
    bare_cancelled = 0;
    n_said = 0;
}

/* ---- folders ---- */

static void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}

void bare_folder(char path[BARE_PATH])
{
    snprintf(path, BARE_PATH, "/tmp/drh_bare_XXXXXX");
    must(mkdtemp(path) != NULL, path);
}

void bare_remove(const char *path)
{
    DIR           *d = opendir(path);
    struct dirent *x;

    while (d && (x = readdir(d)) != NULL) {
        if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0) {
            char       *p = NULL;
            struct stat sb;
            must(asprintf(&p, "%s/%s", path, x->d_name) > 0, "asprintf");
            if (lstat(p, &sb) == 0 && S_ISDIR(sb.st_mode)) {
                (void)chmod(p, 0700);
                bare_remove(p);
            } else {
                (void)unlink(p);
            }
            free(p);
        }
    }
    if (d) {
        closedir(d);
    }
    (void)rmdir(path);
}

void bare_write(const char *folder, const char *name, const char *text)
{
    char *p = NULL, *slash;
    FILE *f;

    must(asprintf(&p, "%s/%s", folder, name) > 0, "asprintf");
    for (slash = p + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(p, 0777);
        *slash = '/';
    }
    f = fopen(p, "we");
    must(f != NULL, p);
    must(fputs(text, f) >= 0 && fclose(f) == 0, p);
    free(p);
}

const char *bare_read(const char *folder, const char *name)
{
    static char text[1 << 16];
    char       *p = NULL;
    FILE       *f;
    size_t      n = 0;

    must(asprintf(&p, "%s/%s", folder, name) > 0, "asprintf");
    f = fopen(p, "re");
    free(p);
    if (f) {
        n = fread(text, 1, sizeof(text) - 1, f);
        fclose(f);
    }
    text[n] = '\0';
    return f ? text : NULL;
}
