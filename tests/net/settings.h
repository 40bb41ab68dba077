/* SPDX-License-Identifier: MIT
 * settings.h - what can be set by the specification, on the command line and by ctl while the hubs
 * run.  README.md says what each does.  [any] */
#ifndef NET_SETTINGS_H
#define NET_SETTINGS_H

#include "util.h"

#include <stdatomic.h>

enum setting {
    HF_DIRECT,
    HF_LINKED,
    HF_SLASH,
    HF_GZIP,
    HF_LINK_ORIGIN,
    HF_COMMIT_HEADER,
    HF_REFERER,
    HF_AWAY,
    HF_HTML_429,
    HF_PAGE,
    HF_JUNK_ETAG,
    HF_NO_LENGTH,
    HF_NO_RANGE,
    HF_RANGE_200,
    HF_NO_REDIRECT,
    HF_TREE_SLASH,
    HF_NO_ROOT_TREE,
    HF_BARE,
    MS_MISSING,
    MS_OPEN,
    MS_PAGE,
    MS_DENIED,
    MS_BARE_LIST,
    MS_INLINE_206,
    SIGN_SECONDS,
    SIGN_USES,
    RATE_API_Q,
    RATE_API_W,
    RATE_RESOLVERS_Q,
    RATE_RESOLVERS_W,
    RATE_PAGES_Q,
    RATE_PAGES_W,
    RATE_AFTER,
    RATE_MS_Q,
    RATE_MS_W,
    NET_IDLE,
    SETTINGS
};

enum { DIRECT_PRIVATE, DIRECT_ALWAYS, DIRECT_NEVER };             /* HF_DIRECT */
enum { LINK_OWN, LINK_HUGGINGFACE };                              /* HF_LINK_ORIGIN */
enum { OPEN_WHOLE, OPEN_LYING };                                  /* MS_OPEN */
enum { AFTER_NONE, AFTER_SECONDS, AFTER_DATE, AFTER_GARBAGE };    /* RATE_AFTER */
enum { PROFILE_HF, PROFILE_MIRROR, PROFILE_OLAH, PROFILE_NGINX }; /* what hf.profile presets */

struct settings {
    atomic_llong value[SETTINGS];
};

void      settings_reset(struct settings *s);
long long setting(struct settings *s, enum setting which);
/* "hf.profile" sets several.  false: no such name, or no such value. */
bool settings_put(struct settings *s, const char *name, const char *value);
void settings_list(struct settings *s, struct sb *out); /* as JSON */

#endif
