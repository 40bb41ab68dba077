/* SPDX-License-Identifier: MIT
 * fuzz_probe.c - any bytes as a plugin file: refused with a reason and a remedy, or described by
 * stages that keep the grammar. */
#include "err.h"
#include "loader.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct probe out;
    drh_error           e = ERR_INIT;
    drh_status          st = probe_bytes(data, size, &out, &e);
    uint32_t            i;

    if (st != DRH_OK) {
        MUST(st == DRH_E_DATA || st == DRH_E_UNSUPPORTED || st == DRH_E_RANGE);
        MUST(e.message[0] && memchr(e.message, 0, sizeof(e.message)));
        return 0;
    }
    MUST(out.major == DRH_ABI_MAJOR && out.minor_need <= DRH_ABI_MINOR);
    MUST(out.n_stages >= 1 && out.n_stages <= NOTE_MAX_STAGES);
    for (i = 0; i < out.n_stages; i++) {
        const struct note_stage *s = &out.stages[i];
        MUST(kind_name(s->kind) != NULL);
        MUST(s->id[0] && strspn(s->id, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(s->id));
        MUST(s->version[0] && strlen(s->version) < sizeof(s->version));
        MUST(s->n_words <= NOTE_MAX_WORDS);
    }
    return 0;
}
