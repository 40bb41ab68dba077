/* SPDX-License-Identifier: MIT
 * cmd_check.c - `drhost check RECIPE`: every mistake that can be found before any download. [main]
 */
#include "cli.h"
#include "cmd.h"
#include "err.h"
#include "json.h"
#include "problems.h"

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

static int good(const struct cli_options *o, const struct recipe *r)
{
    size_t n_sources = 0, n_steps;

    for (size_t i = 0; i < r->n_steps; i++) {
        n_sources += r->steps[i].phase == PHASE_SOURCE;
    }
    n_steps = r->n_steps - n_sources;
    if (o->json) {
        (void)printf("{\"ok\":true,\"sources\":%zu,\"steps\":%zu}\n", n_sources, n_steps);
    } else {
        (void)printf("recipe is good: %zu source%s, %zu step%s\n", n_sources,
                     n_sources == 1 ? "" : "s", n_steps, n_steps == 1 ? "" : "s");
    }
    return cli_done(RC_OK);
}

int cmd_check(const struct cli_options *o)
{
    drh_error       e = ERR_INIT;
    struct problems all = {{NULL}, 0, 0};
    struct recipe  *r = NULL;
    drh_status      st = recipe_load_all(o->args.text[0], &r, &all, &e);
    int             rc;

    if (st == DRH_OK) {
        st = cli_apply(o, r, &e);
    }
    if (st == DRH_OK) {
        rc = good(o, r);
    } else if (all.n > 0) {
        rc = print_problems(o, &all);
    } else {
        rc = cli_fail(o, st == DRH_E_MISSING ? DRH_E_CONFIG : st, &e);
    }
    recipe_free(r);
    problems_free(&all);
    return rc;
}
