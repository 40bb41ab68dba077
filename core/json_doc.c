/* SPDX-License-Identifier: MIT
 * json_doc.c - host->json_open: a JSON text that is no record, an answer of a server, behind
 * cursors. One thread at a time a text. */
#include "err.h"
#include "json.h"
#include "mem.h"
#include "record.h"

struct drh_json {
    struct arena *arena; /* strings that were asked for */
};

drh_status json_doc_open(const drh_host *h, const char *text, size_t len, drh_json **doc,
                         drh_value *root, drh_error *e)
{
    struct drh_json *d = mem_alloc(1, sizeof(*d));
    struct json_err  why = {0};
    const char      *end = text + len;
    uint32_t         type;
    drh_status       st;

    (void)h;
    *doc = NULL;
    if (!d || !(d->arena = arena_new())) {
        mem_free(d);
        return err_nomem(e, "a JSON text");
    }
    st = json_scan(text, len, d->arena, NULL, NULL, &type, &why);
    if (st != DRH_OK) {
        json_doc_close(d);
        return st == DRH_E_DATA ? err_set(e, st, "not JSON: byte %zu: %s", why.offset, why.message)
                                : err_nomem(e, "a JSON text");
    }
    arena_reset(d->arena);
    text = json_space(text, end);
    value_at(root, d->arena, text, (size_t)(json_skip(text, end) - text));
    *doc = d;
    return DRH_OK;
}

void json_doc_close(drh_json *d)
{
    if (d) {
        arena_free(d->arena);
        mem_free(d);
    }
}
