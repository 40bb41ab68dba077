/* SPDX-License-Identifier: MIT
 * fuzz_card.c - any card and any paths: a line with the subset, one with the split, paths, a line
 * "%%", the README. */
#include "card_source.h"
#include "must.h"

#include <drh/util.h>

static drh_str take_line(drh_str *rest)
{
    drh_str line = drh_str_cut(*rest, '\n', rest);
    return line.len ? line : (drh_str){NULL, 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hub_answer none[] = {{0}};
    static struct hub_host         hub;
    char                          *text = malloc(size + 1), *end;
    drh_str                        rest = {text, size};
    drh_status                     st;
    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    bare_reset();
    source_has.subset = take_line(&rest);
    source_has.split = take_line(&rest);
    source_has.paths = rest.len ? rest.ptr : "";
    end = rest.len ? memmem(rest.ptr, rest.len, "\n%%\n", 4) : NULL;
    source_has.readme = (drh_str){NULL, 0};
    if (end) {
        *end = '\0';
        source_has.readme = drh_str_from(rest, (size_t)(end - rest.ptr) + 4);
    }
    st = hub_new(&hub, &source_entry, "{}", none);
    MUST(st == DRH_OK);
    st = hub_list(&hub);
    MUST(st == DRH_OK || st == DRH_E_CONFIG);
    MUST(st == DRH_OK || hub.e.message[0]);
    MUST(hub_free(&hub));
    free(text);
    return 0;
}
