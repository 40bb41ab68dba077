/* SPDX-License-Identifier: MIT
 * below.h - files below a folder, reached part by part without following a link, so that nothing is
 * written outside of it whatever names say and whatever lies in the way. [any] */
#ifndef CORE_BELOW_H
#define CORE_BELOW_H

#include <drh/plugin.h>

#include <stdbool.h>

/* An open descriptor of the folder, for the caller.  The folder itself may be reached by links: it
 * is the user's word. */
drh_status below_root(const char *root, int *fd, drh_error *e);
/* The folder in which `name` lies, an open descriptor for the caller, and name's last part. Missing
 * folders are made when `make` is set, else DRH_E_MISSING.  DRH_E_IO names what is in the way;
 * DRH_E_ARG: a name with "..", "." or an empty part. */
drh_status below_folder(int root, const char *name, bool make, int *folder, const char **last,
                        drh_error *e);
/* An ordinary file, opened with `flags` (O_RDWR | O_CREAT ...).  DRH_E_MISSING: there is none. */
drh_status below_open(int root, const char *name, int flags, int *fd, drh_error *e);
/* Gives from/part its final name below root; folders are made, an ordinary file is replaced. */
drh_status below_commit(int root, const char *name, int from, const char *part, drh_error *e);

#endif
