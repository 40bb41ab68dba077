/* SPDX-License-Identifier: MIT
 * err.c - see err.h. */
#include "err.h"

#include "json.h"

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

/* Length of the UTF-8 character at p; 0: it is none, or a control character. */
static size_t shown(const char *p, size_t left)
{
    unsigned char c = (unsigned char)p[0];
    size_t        n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    if (c < 0x20 || c == 0x7F || n > left || !json_utf8_valid(p, n)) {
        return 0;
    }
    return c == 0xC2 && (unsigned char)p[1] < 0xA0 ? 0 : n; /* U+0080 to U+009F */
}

void err_harmless(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = shown(text + i, len - i);
        if (n == 0) {
            text[i] = strchr("\t\n\r", text[i]) && text[i] ? ' ' : '?';
            n = 1;
        }
        i += n;
    }
}

const char *err_name(drh_status st)
{
    static const char *const names[] = {"argument",  "config", "data",        "missing",  "type",
                                        "range",     "io",     "network",     "auth",     "timeout",
                                        "cancelled", "nomem",  "unsupported", "internal", "budget"};
    if (st >= DRH_E_ARG && st <= DRH_E_BUDGET) {
        return names[st - DRH_E_ARG];
    }
    return st == DRH_OK ? "ok" : "unknown";
}
