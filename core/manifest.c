/* SPDX-License-Identifier: MIT
 * manifest.c - see manifest.h. */
#include "manifest.h"

#include "err.h"
#include "hash.h"
#include "mem.h"
#include "outfile.h"

#include <string.h>
#include <sys/stat.h>

enum { MANIFEST_MAX = 64 << 20 };

drh_status manifest_fingerprint(const cJSON *basis, char hex[65], drh_error *e)
{
    char      *text = cJSON_PrintUnformatted(basis);
    uint8_t    digest[32];
    drh_status st = text ? sha256_of(text, strlen(text), digest) : DRH_E_NOMEM;

    cJSON_free(text);
    if (st != DRH_OK) {
        return err_nomem(e, "a fingerprint");
    }
    hex_of(digest, sizeof(digest), hex);
    return DRH_OK;
}

cJSON *json_file(const char *path)
{
    char     *text = NULL;
    size_t    len = 0;
    drh_error e = ERR_INIT;
    cJSON    *j = NULL;

    if (read_file(path, MANIFEST_MAX, &text, &len, &e) == DRH_OK) {
        j = cJSON_ParseWithLength(text, len);
    }
    mem_free(text);
    return j;
}

static void mtime_text(const struct stat *st, char *out, size_t n)
{
    (void)snprintf(out, n, "%lld.%09ld", (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* Unchanged size and time are believed; another time asks the digest. */
static bool intact(const cJSON *out)
{
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(out, "path"));
    const char *mtime = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(out, "mtime"));
    const char *sha = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(out, "sha256"));
    double      size = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(out, "size"));
    struct stat st;
    char        now[48], hex[65];
    uint8_t     digest[32];
    drh_error   e = ERR_INIT;

    if (!path || !mtime || !sha || stat(path, &st) != 0 || (double)st.st_size != size) {
        return false;
    }
    mtime_text(&st, now, sizeof(now));
    if (strcmp(now, mtime) == 0) {
        return true;
    }
    if (sha256_file(path, digest, &e) != DRH_OK) {
        return false;
    }
    hex_of(digest, sizeof(digest), hex);
    return strcmp(hex, sha) == 0;
}

/* Adds the names of the members that differ to `why`: "seed", "ifd.version". */
static void say_members(const cJSON *old, const cJSON *now, const char *of, struct buf *why)
{
    const cJSON *m;

    cJSON_ArrayForEach(m, now)
    {
        if (!cJSON_Compare(m, cJSON_GetObjectItemCaseSensitive(old, m->string), true)) {
            (void)buf_addf(why, "%s%s%s%s", why->len ? ", " : "", of, *of ? "." : "", m->string);
        }
    }
}

/* Options are kept as text. */
static void say_options(const cJSON *old, const cJSON *now, const char *id, struct buf *why)
{
    const char *a = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(old, "options"));
    const char *b = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(now, "options"));
    cJSON      *was = cJSON_Parse(a ? a : ""), *is = cJSON_Parse(b ? b : "");
    size_t      before = why->len;

    if (a && b && strcmp(a, b) != 0) {
        say_members(was, is, id, why);
        if (why->len == before) { /* one was taken away */
            say_members(is, was, id, why);
        }
    }
    cJSON_Delete(was);
    cJSON_Delete(is);
}

static void say_steps(const cJSON *old, const cJSON *now, struct buf *why)
{
    int n = cJSON_GetArraySize(now);

    if (cJSON_GetArraySize(old) != n) {
        (void)buf_addf(why, "%snumber of steps", why->len ? ", " : "");
        return;
    }
    for (int i = 0; i < n; i++) {
        cJSON      *a = cJSON_Duplicate(cJSON_GetArrayItem(old, i), true);
        cJSON      *b = cJSON_Duplicate(cJSON_GetArrayItem(now, i), true);
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(b, "id"));

        say_options(a, b, id ? id : "", why);
        cJSON_DeleteItemFromObjectCaseSensitive(a, "options");
        cJSON_DeleteItemFromObjectCaseSensitive(b, "options");
        say_members(a, b, id ? id : "", why);
        cJSON_Delete(a);
        cJSON_Delete(b);
    }
}

/* What of the basis differs, for people.  Short of memory it says less. */
static void say_changed(const cJSON *old, const cJSON *now, struct buf *why)
{
    const cJSON *m, *was;

    cJSON_ArrayForEach(m, now)
    {
        was = cJSON_GetObjectItemCaseSensitive(old, m->string);
        if (cJSON_Compare(m, was, true)) {
            continue;
        }
        if (strcmp(m->string, "steps") == 0 || strcmp(m->string, "readers") == 0) {
            say_steps(was, m, why);
        } else {
            (void)buf_addf(why, "%s%s", why->len ? ", " : "", m->string);
        }
    }
}

drh_status manifest_check(const char *path, const cJSON *basis, cJSON **m,
                          enum manifest_state *state, struct buf *why, drh_error *e)
{
    char         hex[65];
    const char  *old;
    const cJSON *out;
    drh_status   st = manifest_fingerprint(basis, hex, e);

    *state = MANIFEST_NONE;
    *m = NULL;
    if (st != DRH_OK) {
        return st;
    }
    *m = json_file(path);
    if (!*m) {
        return DRH_OK;
    }
    old = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(*m, "fingerprint"));
    if (!old || strcmp(old, hex) != 0) {
        *state = MANIFEST_CHANGED;
        say_changed(cJSON_GetObjectItemCaseSensitive(*m, "basis"), basis, why);
        return DRH_OK;
    }
    *state = MANIFEST_FITS;
    cJSON_ArrayForEach(out, cJSON_GetObjectItemCaseSensitive(*m, "outputs"))
    {
        if (!intact(out)) {
            const char *p = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(out, "path"));
            *state = MANIFEST_DAMAGED;
            (void)buf_addf(why, "%s is gone or was changed", p ? p : "an output");
            break;
        }
    }
    return DRH_OK;
}

static bool add_output(cJSON *list, const struct manifest_output *o)
{
    cJSON      *j = cJSON_CreateObject();
    struct stat st;
    char        hex[65], mtime[48];

    if (!cJSON_AddItemToArray(list, j)) {
        cJSON_Delete(j);
        return false;
    }
    if (stat(o->path, &st) != 0) {
        return false;
    }
    hex_of(o->sha256, sizeof(o->sha256), hex);
    mtime_text(&st, mtime, sizeof(mtime));
    return cJSON_AddStringToObject(j, "path", o->path) &&
           cJSON_AddNumberToObject(j, "size", (double)st.st_size) &&
           cJSON_AddStringToObject(j, "mtime", mtime) && cJSON_AddStringToObject(j, "sha256", hex);
}

drh_status manifest_write(const char *path, const cJSON *basis, const struct manifest_output *out,
                          size_t n, cJSON *more, drh_error *e)
{
    char       hex[65];
    char      *text = NULL;
    cJSON     *list = more ? cJSON_AddArrayToObject(more, "outputs") : NULL;
    cJSON     *copy = cJSON_Duplicate(basis, true);
    drh_status st = list && copy ? manifest_fingerprint(basis, hex, e) : DRH_E_NOMEM;

    if (st == DRH_OK && !(cJSON_AddStringToObject(more, "fingerprint", hex) &&
                          cJSON_AddItemToObject(more, "basis", copy))) {
        st = DRH_E_NOMEM;
    } else {
        copy = st == DRH_OK ? NULL : copy;
    }
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = add_output(list, &out[i]) ? DRH_OK : DRH_E_NOMEM;
    }
    if (st == DRH_OK) {
        text = cJSON_Print(more);
        st = text ? outfile_put(path, text, strlen(text), e) : DRH_E_NOMEM;
    }
    if (st == DRH_E_NOMEM) {
        (void)err_nomem(e, "a manifest");
    }
    cJSON_free(text);
    cJSON_Delete(copy);
    cJSON_Delete(more);
    return st;
}
