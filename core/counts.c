/* SPDX-License-Identifier: MIT
 * counts.c - see counts.h. */
#include "counts.h"

#include "mem.h"

#include <stdio.h>
#include <string.h>

enum { MAX_REASONS = 256 }; /* a stage with a reason a record must not fill the memory */

void counts_free(struct counts *c)
{
    mem_free(c->reason);
    memset(c, 0, sizeof(*c));
}

drh_status counts_reason(struct counts *c, const char *reason, bool failed, uint64_t n)
{
    struct reason_count *r = NULL;

    *(failed ? &c->failed : &c->dropped) += n;
    for (size_t i = 0; i < c->n_reasons && !r; i++) {
        if (c->reason[i].failed == failed && strcmp(c->reason[i].reason, reason) == 0) {
            r = &c->reason[i];
        }
    }
    if (!r && c->n_reasons >= MAX_REASONS && strcmp(reason, "other") != 0) {
        *(failed ? &c->failed : &c->dropped) -= n;
        return counts_reason(c, "other", failed, n);
    }
    if (!r) {
        if (c->n_reasons == c->cap_reasons) {
            size_t               cap = c->cap_reasons ? c->cap_reasons * 2 : 8;
            struct reason_count *more = mem_resize(c->reason, cap * sizeof(*more));
            if (!more) {
                return DRH_E_NOMEM;
            }
            c->reason = more;
            c->cap_reasons = cap;
        }
        r = &c->reason[c->n_reasons++];
        memset(r, 0, sizeof(*r));
        (void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
        r->failed = failed;
    }
    r->n += n;
    return DRH_OK;
}

drh_status counts_add(struct counts *into, const struct counts *from)
{
    into->in += from->in;
    into->added += from->added;
    into->out += from->out;
    into->mended += from->mended;
    for (size_t i = 0; i < from->n_reasons; i++) {
        const struct reason_count *r = &from->reason[i];
        drh_status                 st = counts_reason(into, r->reason, r->failed, r->n);
        if (st != DRH_OK) {
            return st;
        }
    }
    return DRH_OK;
}

bool counts_damaged(const struct counts *c)
{
    static const char *const words[] = {"truncated", "bad_compression", "damaged_file"};

    for (size_t i = 0; i < c->n_reasons; i++) {
        for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            if (strcmp(c->reason[i].reason, words[k]) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool counts_balance(const struct counts *c)
{
    return c->in + c->added == c->out + c->dropped + c->failed;
}

cJSON *counts_json(const struct counts *c)
{
    cJSON *j = cJSON_CreateObject();
    cJSON *reasons = cJSON_AddObjectToObject(j, "reasons");
    cJSON *kind[2] = {cJSON_AddObjectToObject(reasons, "dropped"),
                      cJSON_AddObjectToObject(reasons, "failed")};
    bool   ok = kind[0] && kind[1] && cJSON_AddNumberToObject(j, "in", (double)c->in) &&
              cJSON_AddNumberToObject(j, "added", (double)c->added) &&
              cJSON_AddNumberToObject(j, "out", (double)c->out) &&
              cJSON_AddNumberToObject(j, "dropped", (double)c->dropped) &&
              cJSON_AddNumberToObject(j, "failed", (double)c->failed);

    ok = ok && (!c->mended || cJSON_AddNumberToObject(j, "mended", (double)c->mended));
    for (size_t i = 0; ok && i < c->n_reasons; i++) {
        ok = cJSON_AddNumberToObject(kind[c->reason[i].failed], c->reason[i].reason,
                                     (double)c->reason[i].n) != NULL;
    }
    if (!ok) {
        cJSON_Delete(j);
        return NULL;
    }
    return j;
}

static uint64_t number(const cJSON *j, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(j, key);
    return cJSON_IsNumber(v) && v->valuedouble >= 0 ? (uint64_t)v->valuedouble : 0;
}

drh_status counts_from_json(struct counts *c, const cJSON *j)
{
    const cJSON *reasons = cJSON_GetObjectItemCaseSensitive(j, "reasons");
    const cJSON *r;

    memset(c, 0, sizeof(*c));
    c->in = number(j, "in");
    c->added = number(j, "added");
    c->out = number(j, "out");
    c->mended = number(j, "mended");
    for (int failed = 0; failed < 2; failed++) {
        cJSON_ArrayForEach(r,
                           cJSON_GetObjectItemCaseSensitive(reasons, failed ? "failed" : "dropped"))
        {
            if (counts_reason(c, r->string, failed != 0, (uint64_t)r->valuedouble) != DRH_OK) {
                counts_free(c);
                return DRH_E_NOMEM;
            }
        }
    }
    return DRH_OK;
}
