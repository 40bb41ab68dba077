/* SPDX-License-Identifier: MIT
 * place.h - files below a folder, reached part by part without following a link, so that nothing is
 * written outside of it whatever names say and whatever lies in the way. [any] */
#ifndef HTTP_PLACE_H
#define HTTP_PLACE_H

#include <drh/util.h>

#include <stdbool.h>
#include <sys/types.h>

/* The folder in which `name` lies, an open descriptor for the caller, and name's last part. Missing
 * folders are made when `make` is set, else DRH_E_MISSING.  DRH_E_IO names what is in the way;
 * DRH_E_ARG: a name with "..", "." or an empty part. */
drh_status place_folder(int root, const char *name, bool make, int *folder, const char **last,
                        drh_error *e);
/* An ordinary file of that name for reading: *fd -1 when there is none; DRH_E_IO when something
 * else has the name. */
drh_status place_open(int root, const char *name, int *fd, drh_error *e);
/* Gives from/part its final name below root; folders are made, an ordinary file is replaced. */
drh_status place_commit(int root, const char *name, int from, const char *part, drh_error *e);
/* A small file with that content, made new, at once. */
drh_status place_put(int root, const char *name, drh_str text, drh_error *e);
/* DRH_E_IO and what errno means, with a remedy for the usual ones. */
drh_status place_error(drh_error *e, int number, const char *doing, const char *name);

#endif
