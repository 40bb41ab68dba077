/* SPDX-License-Identifier: MIT
 * ms_repo.c - what people write for a repository: "owner/name", "owner/name@revision",
 * "https://modelscope.cn/datasets/owner/name", ".../resolve/master/path",
 * ".../file/view/master/path". */
#include "ms.h"

enum { MAX_ID_PART = 128 };

static int is_name(drh_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              strchr("-_.", c)) ||
            c == '\0' || (i && c == '.' && s.ptr[i - 1] == '.')) {
            return 0;
        }
    }
    return s.len > 0 && s.len <= MAX_ID_PART && s.ptr[0] != '.';
}

static drh_status bad_id(drh_str text, drh_error *e)
{
    return drh_fail(e, DRH_E_CONFIG,
                    "repo: \"%.*s\" is no repository; write OWNER/NAME or the address of its page",
                    (int)(text.len < 150 ? text.len : 150), text.ptr);
}

static void take_type(drh_str *rest, struct ms_repo *out)
{
    if (drh_str_starts(*rest, "datasets/")) {
        out->type = drh_str_of("dataset");
        *rest = drh_str_from(*rest, strlen("datasets/"));
    } else if (drh_str_starts(*rest, "models/")) {
        out->type = drh_str_of("model");
        *rest = drh_str_from(*rest, strlen("models/"));
    }
}

static drh_status take_id(drh_str text, drh_str *rest, struct ms_repo *out, drh_error *e)
{
    const char *from = rest->ptr;
    drh_str     owner = drh_str_cut(*rest, '/', rest);
    drh_str     name = drh_str_cut(*rest, '/', rest);

    name = drh_str_cut(name, '@', &out->revision);
    if (!is_name(owner) || !is_name(name)) {
        return bad_id(text, e);
    }
    out->id.ptr = from;
    out->id.len = (size_t)(name.ptr + name.len - from);
    return DRH_OK;
}

/* Behind an id in a page's address. */
static void take_view(drh_str rest, struct ms_repo *out)
{
    static const char *const views[] = {"resolve/", "file/view/", "tree/", NULL};

    for (size_t i = 0; views[i]; i++) {
        if (drh_str_starts(rest, views[i])) {
            rest = drh_str_from(rest, strlen(views[i]));
            out->revision = drh_str_cut(rest, '/', &out->path);
            return;
        }
    }
    /* "summary", "files", "quickstart": the whole */
}

/* A query that names a part of the repository would be left out in silence. */
static drh_status check_query(drh_str text, drh_error *e)
{
    const char *query = strchr(text.ptr, '?');

    for (const char *p = query; p; p = strchr(p + 1, '&')) {
        if (strncasecmp(p + 1, "path=", 5) == 0 || strncasecmp(p + 1, "filepath=", 9) == 0) {
            return drh_fail(e, DRH_E_CONFIG,
                            "repo: the path behind '?' is not read; give the address without it, "
                            "and the path as include (DIR/) or files");
        }
    }
    return DRH_OK;
}

drh_status ms_repo_parse(drh_str text, struct ms_repo *out, drh_error *e)
{
    drh_str    rest = text;
    drh_status st;

    memset(out, 0, sizeof(*out));
    if (text.len == 0 || memchr(text.ptr, 0, text.len)) {
        return bad_id(text, e);
    }
    if (drh_hub_has_password(text)) {
        return drh_fail(e, DRH_E_CONFIG,
                        "repo: the address has a name and a password in it, which would be written "
                        "to files; leave them out, and give the token as \"token\"");
    }
    if (!drh_str_starts(text, "https://") && !drh_str_starts(text, "http://")) {
        take_type(&rest, out);
        st = take_id(text, &rest, out, e);
        return st == DRH_OK && (rest.len || drh_str_ends(text, "/")) ? bad_id(text, e) : st;
    }
    rest = drh_str_from(text, (size_t)(strstr(text.ptr, "://") + 3 - text.ptr));
    rest.len = strcspn(rest.ptr, "?#");
    out->endpoint.ptr = text.ptr;
    out->endpoint.len = (size_t)(rest.ptr - text.ptr) + drh_str_cut(rest, '/', &rest).len;
    take_type(&rest, out);
    if (!out->type.ptr) {
        out->type = drh_str_of("model");
    }
    st = drh_str_starts(rest, "api/") ? bad_id(text, e) : take_id(text, &rest, out, e);
    if (st == DRH_OK) {
        take_view(rest, out);
        st = check_query(text, e);
    }
    return st;
}
