/* SPDX-License-Identifier: MIT
 * cmd_why.c - `drhost why ID [RECIPE|DATA]`: why a record is missing, or where it went.  ID is a
 * record's metadata.id, or FILE:LINE of its raw row.  Goes through the rejects files and, when
 * nothing is there, through the outputs.  [main] */
#include "cmd.h"
#include "err.h"
#include "input.h"
#include "mem.h"
#include "state.h"

#include <cjson/cJSON.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *id;   /* NULL: by file and line */
    const char *file; /* its name or path */
    size_t      file_len;
    double      line;
    bool        json, outputs;
    bool        resolve; /* only learn the id of FILE:LINE */
    char        resolved[64];
    uint64_t    found;
} ask; /* nftw has no context argument */

static const char *text_of(const cJSON *o, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
    return s ? s : "";
}

/* Whether the path a ends with the path b: whole names only. */
static bool ends_with(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len >= b_len && memcmp(a + a_len - b_len, b, b_len) == 0 &&
           (a_len == b_len || a[a_len - b_len - 1] == '/');
}

/* A data set knows its files by their last names, people by their paths. */
static bool is_asked_file(const char *s, size_t n)
{
    return n > 0 &&
           (ends_with(s, n, ask.file, ask.file_len) || ends_with(ask.file, ask.file_len, s, n));
}

static void print_reject(const cJSON *j)
{
    const char *detail = text_of(j, "detail");
    double      line = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(j, "line"));

    (void)printf("%s %s at step %s: %s%s%s\n  %s/%s, %s:%.0f\n",
                 text_of(j, "id")[0] ? text_of(j, "id") : "-", text_of(j, "outcome"),
                 text_of(j, "step"), text_of(j, "reason"), detail[0] ? ": " : "", detail,
                 text_of(j, "domain"), text_of(j, "dataset"), text_of(j, "file"), line);
}

static void print_found(const cJSON *j, const char *path, uint64_t line)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(j, "metadata");

    (void)printf("%s is in the output: %s:%llu (from %s)\n", text_of(m, "id"), path,
                 (unsigned long long)line, text_of(m, "src"));
}

static bool is_asked_reject(const cJSON *j)
{
    const char *file = text_of(j, "file");

    if (ask.id) {
        return strcmp(text_of(j, "id"), ask.id) == 0;
    }
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(j, "line")) == ask.line &&
           is_asked_file(file, strlen(file));
}

static bool is_asked_output(const cJSON *j)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(j, "metadata");
    const char  *src = text_of(m, "src"), *colon = strrchr(src, ':');

    if (ask.id) {
        return strcmp(text_of(m, "id"), ask.id) == 0;
    }
    return colon && strtod(colon + 1, NULL) == ask.line &&
           is_asked_file(src, (size_t)(colon - src));
}

static int on_file(const char *path, const struct stat *sb, int type, struct FTW *where)
{
    struct input     *in = NULL;
    struct input_item item;
    drh_error         e = ERR_INIT;

    (void)sb;
    if (type != FTW_F || path[where->base] == '.' || input_open(&in, path, NULL, &e) != DRH_OK) {
        return 0;
    }
    while (input_next(in, &item, &e) == DRH_OK) {
        cJSON *j = NULL;

        /* a cheap look first: most lines are not the one */
        if (item.text && (!ask.id || memmem(item.text, item.len, ask.id, strlen(ask.id)))) {
            j = cJSON_ParseWithLength(item.text, item.len);
        }
        if (j && (ask.outputs ? is_asked_output(j) : is_asked_reject(j))) {
            ask.found++;
            if (ask.resolve) {
                (void)snprintf(ask.resolved, sizeof(ask.resolved), "%s",
                               text_of(cJSON_GetObjectItemCaseSensitive(j, "metadata"), "id"));
            } else if (ask.json) {
                (void)printf("%.*s\n", (int)item.len, item.text);
            } else if (ask.outputs) {
                print_found(j, path, item.line);
            } else {
                print_reject(j);
            }
        }
        cJSON_Delete(j);
    }
    input_close(in);
    return 0;
}

static void parse_question(const char *q)
{
    const char *colon = strrchr(q, ':');

    ask.id = q;
    if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
        ask.id = NULL;
        ask.file = q;
        ask.file_len = (size_t)(colon - q);
        ask.line = strtod(colon + 1, NULL);
    }
}

static void search(const char *folder, bool outputs)
{
    ask.outputs = outputs;
    (void)nftw(folder, on_file, 16, FTW_PHYS);
}

/* Later steps know a record by its id only: learns it from where the row went in. */
static void resolve_row(const char *interim)
{
    if (!ask.id) {
        ask.resolve = true;
        search(interim, true);
        ask.resolve = false;
        ask.id = ask.resolved[0] ? ask.resolved : NULL;
        ask.found = 0;
    }
}

int cmd_why(const struct cli_options *o)
{
    struct layout l;
    char         *text[2], *rejected = NULL, *processed = NULL, *interim = NULL;
    drh_error     e = ERR_INIT;
    drh_status    st = state_find(o, 1, &l, text, &e);
    int           rc = RC_OK;

    if (st == DRH_OK) {
        rejected = layout_state(&l, "rejected");
        processed = mem_printf("%s/processed/%s", l.data, l.version);
        interim = mem_printf("%s/interim/%s", l.data, l.version);
        st = rejected && processed && interim ? DRH_OK : err_nomem(&e, "a path");
    }
    if (st != DRH_OK) {
        rc = cli_fail(o, st, &e);
    } else {
        ask.json = o->json;
        ask.found = 0;
        parse_question(o->args.text[0]);
        resolve_row(interim);
        search(rejected, false);
        if (!ask.found) {
            search(processed, true);
        }
        if (!ask.found) {
            search(interim, true);
        }
        if (!ask.found) {
            (void)fprintf(stderr, "drhost: nothing is known of %s in version %s of %s\n",
                          o->args.text[0], l.version, l.data);
            rc = RC_FAILED;
        }
    }
    mem_free(rejected);
    mem_free(processed);
    mem_free(interim);
    mem_free(text[0]);
    mem_free(text[1]);
    return cli_done(rc);
}
