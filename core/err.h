/* SPDX-License-Identifier: MIT
 * err.h - filling the drh_error that a caller handed in.  Messages are for people: what is wrong,
 * where, what to do; one line, no trailing period. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <drh/util.h>

#define ERR_INIT DRH_ERROR_INIT

/* Fills e (may be NULL), returns code. */
#define err_set drh_fail
/* DRH_E_NOMEM with `what` could not be allocated. */
drh_status err_nomem(drh_error *e, const char *what);
/* Puts "prefix: " before the message that is there. */
__attribute__((format(printf, 2, 3))) void err_prefix(drh_error *e, const char *fmt, ...);
/* DRH_E_IO or a closer code for errno `en`, message "WHAT PATH: strerror". */
drh_status err_errno(drh_error *e, int en, const char *what, const char *path);
/* Makes a text that somebody else wrote one line that a terminal can show: control characters and
 * broken UTF-8 become '?', the spaces among them ' '. */
void        err_harmless(char *text, size_t len);
const char *err_name(drh_status st); /* "DRH_E_DATA" -> "data"; for --json and logs */

#endif
