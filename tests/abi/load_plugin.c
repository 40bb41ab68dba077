/* SPDX-License-Identifier: MIT
 * load_plugin.c - loads one plugin as the host does and says what it is.  Used by the ABI guards.
 */
#include "err.h"
#include "loader.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    drh_error            e = ERR_INIT;
    struct loader       *l = NULL;
    const struct plugin *p;
    drh_status           st;

    if (argc != 2) {
        (void)fputs("usage: load_plugin FILE\n", stderr);
        return 2;
    }
    st = loader_new(&l, NULL, 0, &e);
    if (st == DRH_OK) {
        st = loader_open(l, argv[1], &p, &e);
    }
    if (st == DRH_OK) {
        (void)printf("%s %s: %zu stages\n", p->entry->name, p->entry->version, p->n_stages);
    } else {
        (void)fprintf(stderr, "%s\n", e.message);
    }
    loader_free(l);
    return st == DRH_OK ? 0 : 1;
}
