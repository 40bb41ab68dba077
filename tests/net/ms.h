/* SPDX-License-Identifier: MIT
 * ms.h - between the files of ModelScope: ms.c (routes, envelope, who may what), ms_list.c,
 * ms_file.c. */
#ifndef NET_MS_H
#define NET_MS_H

#include "hub.h"

/* {"Code":200,"Data":DATA,...}; data is used up. */
void ms_data(struct call *c, struct sb *data);
void ms_error(struct call *c, int status, long long code, const char *message);
/* The commit of parameter Revision (master without), NULL: there is none; nothing answered. */
struct commit *ms_commit(struct call *c, const struct repo *r);

void ms_info(struct call *c, const struct repo *r);
void ms_revisions(struct call *c, const struct repo *r);
void ms_commits(struct call *c, const struct repo *r);
void ms_tree(struct call *c, const struct repo *r, bool paged);
void ms_oss_tree(struct call *c, const struct repo *r);
void ms_file(struct call *c, const struct repo *r, const char *revision, const char *path);

#endif
