/* SPDX-License-Identifier: MIT
 * report.h - what a run did, as JSON (DATA/.drhost/VERSION/report.json, written by run.c) and as
 * text.
 *
 * {
 *  "drhost": "0.1.0", "recipe": "quickstart.json", "version": "v0", "data": "examples/out",
 *  "state": "complete" | "stopped" | "failed" | "too_many_bad" | "short",
 *  "message": "...",                       not there when complete
 *  "started": "2026-01-31T12:00:00Z", "seconds": 1.5, "peak_memory_mib": 80, "workers": 2,
 *  "services": [{"id": "drh.infer/1", "use": "infer-openblas", "model": "...", "identity": "..."}],
 *  "sources": [{"domain", "dataset", "source", "files": 1, "readers": ["csv"], "bytes": 1000,
 *              "read": 300, "failed": 0,
 *              "endpoint", "type", "repo", "revision", "commit", "license", "page"}],
 *             readers: not there when the host reads all files; the last seven of hubs only;
 *             sources.json has each file with its digest
 *  "steps": [{"segment": "preprocess", "step": "chat", "in": 300, "added": 0, "out": 298,
 *             "dropped": 2, "failed": 0, "seconds": 0.1, "tasks": 3, "skipped": 0,
 *             "reasons": {"dropped": {"turns_out_of_range": 2}, "failed": {}}}, ...],
 *             seconds, tasks and skipped are the segment's
 *  "balanced": true,
 *  "scores": [{"step": "ifd", "field": "/metadata/ifd", "groups": [
 *      {"group": "Math", "n": 300, "scored": 298, "passed": 290, "kept": 58, "cut": 0.81,
 *       "mean", "sd", "min", "q1", "median", "q3", "max",
 *       "histogram": {"lo": 0.2, "hi": 1.1, "counts": [20 numbers]},
 *       "examples": [{"score": 0.95, "rank": "best", "id": "...", "record": {...}}, ...5]}]}],
 *             numbers that there are none of are null
 *  "outputs": [{"path": "...", "domain": "Math", "records": 58, "bytes": 1000, "sha256": "..."}]
 *             one for each file: of a converter that writes several, each with all its records
 * } */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "buf.h"

#include <cjson/cJSON.h>
#include <drh/plugin.h>

/* The report as people read it: what went in and out of each step, why records are missing, the
 * scores with a histogram and examples, the outputs.  Plain text, at most 100 columns. */
drh_status report_text(const cJSON *report, struct buf *out);

#endif
