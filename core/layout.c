/* SPDX-License-Identifier: MIT
 * layout.c - see layout.h. */
#include "layout.h"

#include "mem.h"

#include <stdio.h>

char *layout_state(const struct layout *l, const char *name)
{
    return mem_printf("%s/.drhost/%s/%s", l->data, l->version, name);
}

static char *state_of(const struct layout *l, const char *kind, const struct task_name *t,
                      const char *suffix)
{
    return mem_printf("%s/.drhost/%s/%s/%s/%s/%s/part-%03zu%s", l->data, l->version, kind,
                      t->segment, t->domain, t->dataset, t->part, suffix);
}

char *layout_interim(const struct layout *l, const struct task_name *t)
{
    return mem_printf("%s/interim/%s/%s/%s/part-%03zu.jsonl%s", l->data, l->version, t->domain,
                      t->dataset, t->part, l->zst ? ".zst" : "");
}

char *layout_work(const struct layout *l, const struct task_name *t, const char *suffix)
{
    return state_of(l, "work", t, suffix);
}

char *layout_manifest(const struct layout *l, const struct task_name *t)
{
    return state_of(l, "tasks", t, ".json");
}

char *layout_rejected(const struct layout *l, const struct task_name *t)
{
    return state_of(l, "rejected", t, ".jsonl");
}

char *layout_journal(const struct layout *l, const struct task_name *t, const char *fingerprint)
{
    char suffix[32];

    (void)snprintf(suffix, sizeof(suffix), "-%.16s.jnl", fingerprint);
    return state_of(l, "journal", t, suffix);
}

char *layout_processed(const struct layout *l, const char *domain, const char *suffix)
{
    return mem_printf("%s/processed/%s/%s%s", l->data, l->version, domain, suffix);
}
