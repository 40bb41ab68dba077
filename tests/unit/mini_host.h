/* SPDX-License-Identifier: MIT
 *
 * mini_host.h - the least of a host that a stage needs, for tests of bundled plugins: core's
 * record, value and configuration tables, one worker, and a fake "drh.infer/1" whose tokens are
 * bytes and whose log-probabilities are a table of the test.  Aborts the test when anything is
 * refused that a host would not refuse.  One thread.
 */
#ifndef MINI_HOST_H
#define MINI_HOST_H

#include "record.h"

#include <drh/infer.h>

enum { MINI_TOKENS = 64, MINI_REQUESTS = 8 };

/* A request as the stage made it. */
struct mini_request {
    uint64_t tag;
    uint32_t flags, max_total, n_messages;
    char     prompt[1024];
    char     target[256];
};

/* The fake model.  Tokens are bytes; a chat message costs its bytes. */
struct mini_infer {
    double     nll_cond[MINI_TOKENS], nll_alone[MINI_TOKENS]; /* by index in the answer */
    uint32_t   context;                                       /* tokens; 0: 1024 */
    bool       no_count;                                      /* count() is unsupported */
    bool       no_bos;
    bool       backwards; /* the last request is answered first */
    drh_status status;    /* of every answer */
    drh_status submitted; /* what submit() answers */

    struct mini_request request[MINI_REQUESTS]; /* of the last record */
    size_t              n_requests;
};

struct mini_host;

/* Makes an instance of the entry's first stage with options as JSON text; NULL with *e filled when
 * the options or create() are refused. */
struct mini_host *mini_new(const drh_entry *entry, const char *options, struct mini_infer *infer,
                           drh_error *e);
void              mini_free(struct mini_host *m);
void  mini_origin(struct mini_host *m, const char *file, const char *domain, const char *dataset,
                  const char *source);
void *mini_self(struct mini_host *m);
/* What the stage logged so far, at level info and above, a line each. */
const char *mini_logged(struct mini_host *m);
/* Runs one record, line 3 of its file, through the stage.  The record that comes out as one line,
 * or "drop:REASON: DETAIL", "fail:REASON: DETAIL", "open", "error:CODE: TEXT".  Valid until the
 * next call. */
const char *mini_run(struct mini_host *m, const char *json);

/* Runs the record once for each allocation of the stage, from create() on, and lets that one fail;
 * then without a failure.  Each time either an error says that there is no memory, or the outcome
 * is `want`. */
void mini_sweep(const drh_entry *entry, const char *options, struct mini_infer *infer,
                const char *json, const char *want);

#endif
