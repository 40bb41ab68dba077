/* SPDX-License-Identifier: MIT
 * cmd_check.c - `drhost check RECIPE`: every mistake that can be found before any download. [main]
 */
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "log.h"
#include "json.h"
#include "loader.h"
#include "plan.h"
#include "problems.h"
#include "source.h"

#include <string.h>

static void print_json(const char *path, const struct problems *p)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    (void)buf_adds(&b, "{\"ok\":false,\"recipe\":");
    (void)json_quote(&b, path, strlen(path));
    (void)buf_adds(&b, ",\"problems\":[");
    for (size_t i = 0; i < p->n; i++) {
        (void)buf_adds(&b, i ? "," : "");
        (void)json_quote(&b, p->text[i], strlen(p->text[i]));
    }
    (void)printf("%s]}\n", b.ptr ? b.ptr : "");
    buf_free(&b);
}

static int print_problems(const struct cli_options *o, const struct problems *p)
{
    const char *path = o->args.text[0];

    for (size_t i = 0; i < p->n; i++) {
        (void)fprintf(stderr, "%s: %s\n", path, p->text[i]);
    }
    if (p->left_out) {
        (void)fprintf(stderr, "%s: and %zu more\n", path, p->left_out);
    }
    if (o->json) {
        print_json(path, p);
    }
    return cli_done(RC_USAGE);
}

struct counts_of_steps {
    size_t sources, steps;
};

static struct counts_of_steps count_steps(const struct recipe *r)
{
    struct counts_of_steps n = {0, 0};
    for (size_t i = 0; i < r->n_steps; i++) {
        n.sources += r->steps[i].phase == PHASE_SOURCE && r->steps[i].alternative_of == 0;
        n.steps += r->steps[i].phase != PHASE_SOURCE;
    }
    return n;
}

static int good(const struct cli_options *o, const struct counts_of_steps *n)
{
    if (o->json) {
        (void)printf("{\"ok\":true,\"sources\":%zu,\"steps\":%zu}\n", n->sources, n->steps);
    } else {
        (void)printf("recipe is good: %zu source%s, %zu step%s\n", n->sources,
                     n->sources == 1 ? "" : "s", n->steps, n->steps == 1 ? "" : "s");
    }
    return cli_done(RC_OK);
}

/* Notes what the plan found wrong unless it is noted already. */
static void note_once(struct problems *all, const drh_error *e)
{
    for (size_t i = 0; i < all->n; i++) {
        if (strstr(all->text[i], e->message) || strstr(e->message, all->text[i])) {
            return;
        }
    }
    problems_add(all, "%s", e->message);
}

/* Every stage is found and loaded, every option judged, local sources have their files. */
static drh_status check_plan(const struct cli_options *o, struct recipe *r, struct problems *all,
                             drh_error *e)
{
    struct loader *l;
    struct plan   *p = NULL;
    drh_status     st = loader_new(&l, o->plugin_path.text, o->plugin_path.n, e);

    if (st != DRH_OK) {
        recipe_free(r);
        return st;
    }
    for (size_t i = 0; st == DRH_OK && i < o->plugin.n; i++) {
        const struct plugin *one;
        st = loader_open(l, o->plugin.text[i], &one, e);
    }
    if (st != DRH_OK) {
        recipe_free(r);
        loader_free(l);
        return st == DRH_E_NOMEM ? st : DRH_E_CONFIG;
    }
    st = plan_make(&p, r, l, 1, all, e);
    if (st != DRH_OK && st != DRH_E_NOMEM) {
        note_once(all, e);
    }
    for (size_t i = 0; st == DRH_OK && i < p->n_steps; i++) {
        struct plan_step *s = &p->step[i];
        if (s->step->phase == PHASE_SOURCE) {
            st = source_check(p, s, e);
            if (st != DRH_OK && st != DRH_E_NOMEM) {
                err_prefix(e, "%s", s->step->pointer);
                note_once(all, e);
                st = DRH_E_CONFIG;
            }
        }
    }
    plan_free(p);
    loader_free(l);
    return st;
}

int cmd_check(const struct cli_options *o)
{
    drh_error              e = ERR_INIT;
    struct problems        all = {{NULL}, 0, 0};
    struct counts_of_steps n = {0, 0};
    struct recipe         *r = NULL;
    drh_status             st = recipe_load_all(o->args.text[0], &r, &all, &e);
    int                    rc;

    if (o->verbose) {
        log_set_level(DRH_LOG_DEBUG);
    }
    if (st == DRH_OK) {
        st = cli_apply(o, r, &e);
    }
    if (st == DRH_OK) {
        n = count_steps(r);
        st = check_plan(o, r, &all, &e);
        r = NULL;
    }
    if (st == DRH_OK) {
        rc = good(o, &n);
    } else if (st == DRH_E_NOMEM) {
        rc = cli_fail(o, err_nomem(&e, "the check"), &e);
    } else if (all.n > 0) {
        rc = print_problems(o, &all);
    } else {
        rc = cli_fail(o, st == DRH_E_MISSING ? DRH_E_CONFIG : st, &e);
    }
    recipe_free(r);
    problems_free(&all);
    return rc;
}
