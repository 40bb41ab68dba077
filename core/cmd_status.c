/* SPDX-License-Identifier: MIT
 * cmd_status.c - `drhost status [RECIPE|DATA]`: what is going on, from the files alone. [main] */
#include "cmd.h"
#include "err.h"
#include "manifest.h"
#include "mem.h"
#include "state.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct seen {
    char     segment[96];
    uint64_t tasks, in, out;
};

static struct {
    struct seen seg[64];
    size_t      n;
    size_t      root; /* length of the tasks folder's path */
} all;                /* nftw has no context argument */

static uint64_t number_of(const cJSON *m, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(m, key);

    return cJSON_IsNumber(v) && v->valuedouble >= 0 ? (uint64_t)v->valuedouble : 0;
}

static int on_manifest(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    const char  *rest = path + all.root;
    size_t       len = strcspn(rest, "/"), i;
    cJSON       *m;
    struct seen *s;

    (void)sb;
    (void)where;
    if (type != FTW_F || !(m = json_file(path))) {
        return 0;
    }
    for (i = 0; i < all.n && !(strlen(all.seg[i].segment) == len &&
                               memcmp(all.seg[i].segment, rest, len) == 0);) {
        i++;
    }
    if (i < sizeof(all.seg) / sizeof(all.seg[0]) && len < sizeof(s->segment)) {
        s = &all.seg[i];
        all.n = i == all.n ? all.n + 1 : all.n;
        memcpy(s->segment, rest, len);
        s->tasks++;
        s->in += number_of(m, "in");
        s->out += number_of(m, "out") + number_of(m, "records"); /* output files have the latter */
    }
    cJSON_Delete(m);
    return 0;
}

/* The holder of the lock, or "" when no run is going on. */
static void find_holder(const struct layout *l, char *holder, size_t size)
{
    char   *path = layout_state(l, "lock");
    int     fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n;

    holder[0] = '\0';
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) {
        n = read(fd, holder, size - 1);
        holder[n > 0 ? n : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    mem_free(path);
}

static void print_text(const struct layout *l, const char *holder, const cJSON *report)
{
    const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(report, "state"));

    (void)printf("version %s in %s: ", l->version, l->data);
    if (holder[0]) {
        (void)printf("running (%s)\n", holder);
    } else {
        (void)printf("%s\n", state ? state : "not finished; run the recipe again to go on");
    }
    for (size_t i = 0; i < all.n; i++) {
        const struct seen *s = &all.seg[i];
        (void)printf("  %-28s %6llu tasks done, %10llu records in, %10llu out\n", s->segment,
                     (unsigned long long)s->tasks, (unsigned long long)s->in,
                     (unsigned long long)s->out);
    }
}

static void print_json(const struct layout *l, const char *holder, const cJSON *report)
{
    cJSON       *j = cJSON_CreateObject();
    cJSON       *list;
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(report, "state");
    char        *text;

    (void)cJSON_AddStringToObject(j, "data", l->data);
    (void)cJSON_AddStringToObject(j, "version", l->version);
    (void)cJSON_AddBoolToObject(j, "running", holder[0] != '\0');
    (void)cJSON_AddStringToObject(j, "holder", holder);
    (void)cJSON_AddStringToObject(j, "state",
                                  cJSON_IsString(state) ? state->valuestring : "unfinished");
    list = cJSON_AddArrayToObject(j, "segments");
    for (size_t i = 0; i < all.n; i++) {
        cJSON *s = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, s)) {
            cJSON_Delete(s);
            break;
        }
        (void)cJSON_AddStringToObject(s, "segment", all.seg[i].segment);
        (void)cJSON_AddNumberToObject(s, "tasks", (double)all.seg[i].tasks);
        (void)cJSON_AddNumberToObject(s, "in", (double)all.seg[i].in);
        (void)cJSON_AddNumberToObject(s, "out", (double)all.seg[i].out);
    }
    text = cJSON_PrintUnformatted(j);
    (void)printf("%s\n", text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(j);
}

int cmd_status(const struct cli_options *o)
{
    struct layout l;
    char         *text[2], *tasks = NULL, *path = NULL, holder[256];
    cJSON        *report = NULL;
    drh_error     e = ERR_INIT;
    drh_status    st = state_find(o, 0, &l, text, &e);
    int           rc = RC_OK;

    if (st != DRH_OK) {
        rc = cli_fail(o, st, &e);
    } else {
        find_holder(&l, holder, sizeof(holder));
        tasks = layout_state(&l, "tasks/");
        path = layout_state(&l, "report.json");
        report = path ? json_file(path) : NULL;
        all.n = 0;
        all.root = tasks ? strlen(tasks) : 0;
        if (tasks) {
            tasks[all.root - 1] = '\0';
            (void)nftw(tasks, on_manifest, 16, FTW_PHYS);
        }
        (o->json ? print_json : print_text)(&l, holder, report);
    }
    cJSON_Delete(report);
    mem_free(tasks);
    mem_free(path);
    mem_free(text[0]);
    mem_free(text[1]);
    return cli_done(rc);
}
