/* SPDX-License-Identifier: MIT
 * cmd_report.c - `drhost report RECIPE`: what the last run of a recipe did, as text or JSON.
 * [main] */
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "layout.h"
#include "mem.h"
#include "outfile.h"
#include "report.h"

#include <string.h>

enum { MAX_REPORT = 16 << 20 };

/* The path of the report of the recipe's last run, for mem_free(). */
static drh_status report_path(const struct cli_options *o, char **path, drh_error *e)
{
    struct recipe *r = NULL;
    struct layout  l = {NULL, NULL, false};
    drh_status     st = recipe_load(o->args.text[0], &r, e);

    if (st == DRH_E_MISSING) {
        st = DRH_E_CONFIG;
    }
    st = st == DRH_OK ? cli_apply(o, r, e) : st;
    if (st == DRH_OK) {
        l.data = r->data;
        l.version = r->version;
        *path = layout_state(&l, "report.json");
        st = *path ? DRH_OK : err_nomem(e, "a path");
    }
    recipe_free(r);
    return st;
}

/* The file as run.c wrote it; for mem_free(). */
static drh_status read_report(const struct cli_options *o, char **text, size_t *len, drh_error *e)
{
    char      *path = NULL;
    drh_status st = report_path(o, &path, e);

    st = st == DRH_OK ? read_file(path, MAX_REPORT, text, len, e) : st;
    if (st == DRH_E_MISSING) {
        st = err_set(e, DRH_E_MISSING, "%s: no report yet; run the recipe first: drhost run %s",
                     path, o->args.text[0]);
    }
    mem_free(path);
    return st;
}

/* Its records may hold anything, so this is not tree_parse(). */
static drh_status as_text(const char *text, size_t len, struct buf *b, drh_error *e)
{
    cJSON     *report = cJSON_ParseWithLength(text, len);
    drh_status st;

    if (!cJSON_IsObject(report)) {
        cJSON_Delete(report);
        return err_set(e, DRH_E_DATA, "report.json is damaged; run the recipe again");
    }
    st = report_text(report, b);
    cJSON_Delete(report);
    return st == DRH_OK ? st : err_nomem(e, "the report");
}

static drh_status write_report(const struct cli_options *o, const char *text, drh_error *e)
{
    if (o->output && strcmp(o->output, "-") != 0) {
        return outfile_put(o->output, text, strlen(text), e);
    }
    (void)fputs(text, stdout);
    return DRH_OK;
}

int cmd_report(const struct cli_options *o)
{
    drh_error  e = ERR_INIT;
    struct buf b;
    char      *text = NULL;
    size_t     len = 0;
    drh_status st = read_report(o, &text, &len, &e);

    buf_init(&b, 4 * MAX_REPORT);
    if (st == DRH_OK && !o->json) {
        st = as_text(text, len, &b, &e);
    }
    if (st == DRH_OK) {
        st = write_report(o, o->json ? text : b.ptr, &e);
    }
    buf_free(&b);
    mem_free(text);
    return st == DRH_OK ? cli_done(RC_OK) : cli_fail(o, st, &e);
}
