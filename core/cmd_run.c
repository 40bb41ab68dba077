/* SPDX-License-Identifier: MIT
 * cmd_run.c - `drhost run RECIPE`. [main] */
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "field.h"
#include "log.h"
#include "readers.h"
#include "run.h"

#include <stdio.h>
#include <unistd.h>

uint32_t cmd_workers(const struct cli_options *o)
{
    long n = o->jobs > 0 ? (long)o->jobs : sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : (n > 256 ? 256 : (uint32_t)n);
}

void cmd_loudness(const struct cli_options *o)
{
    log_set_level(o->quiet ? DRH_LOG_WARN : (o->verbose ? DRH_LOG_DEBUG : DRH_LOG_INFO));
    progress_enable(!o->quiet && !o->no_progress);
}

static void print_plan(const struct plan *p)
{
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct plan_step *s = &p->step[i];
        (void)printf("%-20s %-16s %s %s  %s\n", s->step->pointer, s->step->id, s->stage->desc.id,
                     s->stage->desc.version, s->text);
        if (s->reader) {
            (void)printf("%-20s %-16s %s %s  %s\n", s->step->reader->pointer, "",
                         s->reader->stage->desc.id, s->reader->stage->desc.version,
                         s->reader->text);
        }
    }
    for (size_t i = 0; i < p->n_services; i++) {
        (void)printf("%-20s %-16s %s %s\n", "services", p->service[i].name,
                     p->service[i].stage->desc.id, p->service[i].stage->desc.version);
    }
}

static int run_plan(const struct cli_options *o, struct plan *p, drh_error *e)
{
    struct run_options ro = {.workers = cmd_workers(o),
                             .limit = o->limit > 0 ? (uint64_t)o->limit : 0,
                             .fresh = o->fresh,
                             .strict = o->resume_strict};
    int                rc;

    if (o->dry_run) {
        print_plan(p);
        return cli_done(RC_OK);
    }
    run_cancel_setup();
    rc = run_recipe(p, &ro, e);
    if (rc == RC_OK && !o->quiet) {
        (void)fprintf(stderr,
                      "drhost: done; results in %s/processed/%s, report: drhost report %s\n",
                      p->recipe->data, p->recipe->version, o->args.text[0]);
    } else if (rc == RC_STOPPED) {
        (void)fprintf(stderr, "drhost: stopped%s%s; the same command goes on from here\n",
                      e->code == DRH_E_BUDGET ? ": " : "",
                      e->code == DRH_E_BUDGET ? e->message : "");
    }
    if (o->json) {
        (void)printf("{\"ok\":%s,\"code\":%d,\"report\":\"%s/.drhost/%s/report.json\"}\n",
                     rc ? "false" : "true", rc, p->recipe->data, p->recipe->version);
    }
    return rc;
}

int cmd_run(const struct cli_options *o)
{
    struct recipe *r = NULL;
    struct loader *l = NULL;
    struct plan   *p = NULL;
    drh_error      e = ERR_INIT;
    drh_status     st;
    int            rc;

    cmd_loudness(o);
    st = recipe_load(o->args.text[0], &r, &e);
    st = st == DRH_OK ? cli_apply(o, r, &e) : st;
    st = st == DRH_OK ? loader_new(&l, o->plugin_path.text, o->plugin_path.n, &e) : st;
    for (size_t i = 0; st == DRH_OK && i < o->plugin.n; i++) {
        const struct plugin *one;
        st = loader_open(l, o->plugin.text[i], &one, &e);
    }
    if (st != DRH_OK) {
        recipe_free(r);
        rc = cli_fail(o, st == DRH_E_NOMEM ? st : DRH_E_CONFIG, &e);
    } else if ((st = plan_make(&p, r, l, cmd_workers(o), NULL, &e)) != DRH_OK) {
        err_prefix(&e, "%s", o->args.text[0]);
        rc = cli_fail(o, st == DRH_E_NOMEM ? st : DRH_E_CONFIG, &e);
    } else {
        rc = run_plan(o, p, &e);
        if (rc != RC_OK && rc != RC_STOPPED) {
            log_put(DRH_LOG_ERROR, "%s", e.message);
        }
    }
    plan_free(p);
    loader_free(l);
    field_free_all();
    return cli_done(rc);
}
