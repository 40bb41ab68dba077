/* SPDX-License-Identifier: MIT
 * hf.h - between the files of the Hugging Face hub: hf.c (routes, who may what), hf_info.c,
 * hf_tree.c, hf_resolve.c. */
#ifndef NET_HF_H
#define NET_HF_H

#include "hub.h"

/* Answers with an error in the form of the route (JSON below /api/, else text). */
void hf_error(struct call *c, int status, const char *code, const char *message);
PRINTF_LIKE(4, 5)
void hf_errorf(struct call *c, int status, const char *code, const char *fmt, ...);
/* The commit, with its header field; NULL: answered. */
struct commit *hf_commit(struct call *c, const struct repo *r, const char *revision);
/* Segments from `i` on, joined by '/'; empty ones at the end left out.  The caller's. */
char *hf_path(const struct call *c, size_t i);

void hf_info(struct call *c, const struct repo *r, const struct commit *commit);
void hf_refs(struct call *c, const struct repo *r);
void hf_commits(struct call *c, const struct repo *r, const struct commit *commit);
void hf_whoami(struct call *c);
void hf_xet_token(struct call *c, const struct commit *commit);
void hf_viewer(struct call *c); /* /parquet, /is-valid, /splits, /size of the dataset viewer */
void hf_tree(struct call *c, const struct commit *commit, const char *folder);
void hf_paths_info(struct call *c, const struct commit *commit);
void hf_resolve(struct call *c, const struct repo *r, const struct commit *commit,
                const char *path);
void hf_resolve_cache(struct call *c, const struct commit *commit, const char *path);

/* gzip where the client takes it. */
void hf_json(struct call *c, struct sb *body);

#endif
