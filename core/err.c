/* SPDX-License-Identifier: MIT
 * err.c - see err.h. */
#include "err.h"

#include <errno.h>

drh_status err_nomem(drh_error *e, const char *what)
{
    return err_set(e, DRH_E_NOMEM, "out of memory for %s", what);
}

void err_prefix(drh_error *e, const char *fmt, ...)
{
    char    old[sizeof(e->message)];
    va_list ap;
    size_t  n;

    if (!e) {
        return;
    }
    memcpy(old, e->message, sizeof(old));
    va_start(ap, fmt);
    (void)vsnprintf(e->message, sizeof(e->message), fmt, ap);
    va_end(ap);
    n = strlen(e->message);
    (void)snprintf(e->message + n, sizeof(e->message) - n, ": %s", old);
}

drh_status err_errno(drh_error *e, int en, const char *what, const char *path)
{
    char        text[128];
    const char *why = strerror_r(en, text, sizeof(text));
    drh_status  st = DRH_E_IO;

    if (en == ENOMEM) {
        st = DRH_E_NOMEM;
    } else if (en == ENOENT || en == ENOTDIR) {
        st = DRH_E_MISSING;
    } else if (en == EACCES || en == EPERM) {
        st = DRH_E_AUTH;
    }
    return err_set(e, st, "%s %s: %s", what, path, why);
}

const char *err_name(drh_status st)
{
    static const char *const names[] = {"argument",  "config", "data",        "missing", "type",
                                        "range",     "io",     "network",     "auth",    "timeout",
                                        "cancelled", "nomem",  "unsupported", "internal"};
    if (st >= DRH_E_ARG && st <= DRH_E_INTERNAL) {
        return names[st - DRH_E_ARG];
    }
    return st == DRH_OK ? "ok" : "unknown";
}
