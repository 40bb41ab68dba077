/* SPDX-License-Identifier: MIT
 *
 * card_source.h - a source that has nothing but a card and a list of paths, for the test and the
 * fuzz target of plugins/card.
 */
#ifndef CARD_SOURCE_H
#define CARD_SOURCE_H

#include "card.h"
#include "hub_host.h"

static struct {
    drh_str     readme;        /* {NULL,0}: none */
    const char *paths;         /* a line each */
    drh_str     subset, split; /* when not {NULL,0}, instead of the options */
} source_has;

struct card_source {
    const drh_host   *host;
    const drh_config *config;
};

static drh_status source_create(const drh_host *h, const drh_config *c, void **self, drh_error *e)
{
    static struct card_source s;
    s = (struct card_source){h, c};
    *self = &s;
    return card_check(h, c, e);
}

static void source_destroy(void *self)
{
    (void)self;
}

static drh_str next_line(const char **p)
{
    drh_str line = {*p, strcspn(*p, "\n")};
    *p += line.len + (line.ptr[line.len] == '\n');
    return line;
}

static drh_status source_list(void *self, drh_list *l, drh_error *e)
{
    const struct card_source *s = self;
    struct card               c;
    const char               *p;
    drh_status                st = DRH_OK;
    card_open(&c, s->host, s->config);
    c.subset = source_has.subset.ptr ? source_has.subset : c.subset;
    c.split = source_has.split.ptr ? source_has.split : c.split;
    st = source_has.readme.ptr ? card_read(&c, source_has.readme, e) : st;
    for (p = source_has.paths; st == DRH_OK && *p;) {
        card_see(&c, next_line(&p));
    }
    st = st == DRH_OK ? card_choose(&c, e) : st;
    for (p = source_has.paths; st == DRH_OK && *p;) {
        drh_file f = {.struct_size = sizeof(f), .name = next_line(&p), .size = 1};
        if (card_wants(&c, f.name)) {
            (void)s->host->list_file(l, &f);
        }
    }
    card_close(&c);
    return st;
}

static const drh_life source_life = {
    .struct_size = sizeof(source_life), .create = source_create, .destroy = source_destroy};
static const drh_source_ops   source_ops = {.struct_size = sizeof(source_ops), .list = source_list};
static const drh_stage        source_stage = {.struct_size = sizeof(source_stage),
                                              .kind = DRH_KIND_SOURCE,
                                              .id = "card-source",
                                              .version = "1.0.0",
                                              .summary = "a card and paths",
                                              .config_schema =
                                                  "{\"type\":\"object\",\"properties\":{" CARD_SCHEMA "}}",
                                              .threading = DRH_SERIAL,
                                              .life = &source_life,
                                              .ops.source = &source_ops};
static const drh_stage *const source_stages[] = {&source_stage};
static const drh_entry        source_entry = {.struct_size = sizeof(source_entry),
                                              .abi_minor = DRH_ABI_MINOR,
                                              .n_stages = 1,
                                              .name = "card-source",
                                              .version = "1.0.0",
                                              .license = "MIT",
                                              .stages = source_stages};

#endif
