/* SPDX-License-Identifier: MIT
 * sink.c - see sink.h. */
#include "sink.h"

#include "err.h"
#include "mem.h"

#include <stdbool.h>
#include <string.h>

drh_status sink_write(drh_sink *s, uint32_t part, const void *ptr, size_t len)
{
    drh_status st;

    if (part >= s->n_parts) {
        return DRH_E_ARG;
    }
    st = outfile_write(s->part[part], ptr, len, &s->error);
    return st;
}

/* A relative path that stays inside its folder. */
static bool name_is_safe(drh_str name)
{
    size_t from = 0;

    if (name.len == 0 || name.len > 1024 || name.ptr[0] == '/') {
        return false;
    }
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && (unsigned char)name.ptr[i] < 0x20) {
            return false;
        }
        if (i == name.len || name.ptr[i] == '/') {
            size_t n = i - from;
            if (n == 0 || (n == 1 && name.ptr[from] == '.') ||
                (n == 2 && memcmp(name.ptr + from, "..", 2) == 0)) {
                return false;
            }
            from = i + 1;
        }
    }
    return true;
}

drh_status list_file(drh_list *l, const drh_file *file)
{
    struct listed f = {.size = file->size};

    if (!DRH_HAS(drh_file, file, sha256) || !name_is_safe(file->name)) {
        return DRH_E_ARG;
    }
    if (l->n == l->cap) {
        size_t         cap = l->cap ? l->cap * 2 : 16;
        struct listed *more = mem_resize(l->file, cap * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        l->file = more;
        l->cap = cap;
    }
    f.name = mem_dup(file->name.ptr, file->name.len);
    f.local = file->local.ptr ? mem_dup(file->local.ptr, file->local.len) : NULL;
    f.sha256 = file->sha256.ptr ? mem_dup(file->sha256.ptr, file->sha256.len) : NULL;
    l->file[l->n++] = f;
    if (!f.name || (file->local.ptr && !f.local) || (file->sha256.ptr && !f.sha256)) {
        return DRH_E_NOMEM;
    }
    return DRH_OK;
}

void list_free(drh_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        mem_free(l->file[i].name);
        mem_free(l->file[i].local);
        mem_free(l->file[i].sha256);
    }
    mem_free(l->file);
    memset(l, 0, sizeof(*l));
}
