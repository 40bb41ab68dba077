/* SPDX-License-Identifier: MIT
 * async.h - drives a record-driven step: starts records, carries their requests to the backend and
 * the answers back, commits in input order.
 *
 * Records go in windows of consecutive records.  A backend with run(): a window's requests, in
 * record order, are cut into packs by token budget; answers are given back in the same order, so
 * the next wave's requests come in an order, hence in packs, that depend on nothing but the window.
 * A backend with submit(): requests go one by one, answers come in any order, and only the commit
 * is ordered.
 *
 * The thread that calls async_run makes every call into the stage; run() is called by a pool. */
#ifndef CORE_ASYNC_H
#define CORE_ASYNC_H

#include "shard.h"

#include <drh/infer.h>

enum { ASYNC_WINDOW = 1024, ASYNC_SMALL_WINDOW = 64, ASYNC_BYTES = 4 << 20 };

/* Runs shard `s`, whose chain has its record-driven step at `at`. */
drh_status async_run(struct shard *s, size_t at, drh_error *e);
/* drh_infer.submit, while the step's instance is being driven. */
drh_status async_submit(struct instance *in, drh_record *r, const drh_infer_req *req, uint64_t tag,
                        drh_error *e);
/* drh_infer_host.complete. [any] */
void async_complete(drh_infer_call *call, const drh_infer_res *res);

#endif
