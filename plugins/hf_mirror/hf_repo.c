/* SPDX-License-Identifier: MIT
 * hf_repo.c - what people write for a repository: "openai/gsm8k", "gpt2", "org/name@revision",
 * "hf://datasets/org/name@revision/path", "https://host/datasets/org/name/tree/revision/path". */
#include "hf.h"

enum { MAX_ID_PART = 96 };

static int is_name(drh_str s)
{
    size_t i;

    for (i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_' || c == '.')) {
            return 0;
        }
        if (i && (c == '.' || c == '-') && s.ptr[i - 1] == c) { /* ".." and "--" */
            return 0;
        }
    }
    return s.len > 0 && s.len <= MAX_ID_PART && s.ptr[0] != '.' && s.ptr[0] != '-' &&
           !drh_str_ends(s, ".") && !drh_str_ends(s, "-") && !drh_str_ends(s, ".git");
}

static drh_status bad_id(drh_str text, drh_error *e)
{
    return drh_fail(
        e, DRH_E_CONFIG,
        "repo: \"%.*s\" is no repository; write OWNER/NAME, hf://datasets/OWNER/NAME or "
        "the address of its page",
        (int)(text.len < 150 ? text.len : 150), text.ptr);
}

/* "datasets/", "models/" in front of an id.  Spaces hold programs. */
static drh_status take_type(drh_str *rest, struct hf_repo *out, drh_error *e)
{
    if (drh_str_starts(*rest, "spaces/")) {
        return drh_fail(e, DRH_E_CONFIG, "repo: a space holds no data set");
    }
    if (drh_str_starts(*rest, "datasets/")) {
        out->type = drh_str_of("dataset");
        *rest = drh_str_from(*rest, strlen("datasets/"));
    } else if (drh_str_starts(*rest, "models/")) {
        out->type = drh_str_of("model");
        *rest = drh_str_from(*rest, strlen("models/"));
    }
    return DRH_OK;
}

/* "refs" of "refs/convert/parquet", "refs/pr/1": all three parts are the revision. */
static drh_str take_revision(drh_str first, drh_str *rest)
{
    drh_str kind, behind;

    if (drh_str_eq(first, "refs")) {
        kind = drh_str_cut(*rest, '/', &behind);
        if (behind.len && (drh_str_eq(kind, "convert") || drh_str_eq(kind, "pr"))) {
            behind = drh_str_cut(behind, '/', rest);
            first.len = (size_t)(behind.ptr + behind.len - first.ptr);
        }
    }
    return first;
}

/* The first one or two parts of *rest, as `parts` says, up to '@'; what follows stays in *rest. */
static drh_status take_id(drh_str text, drh_str *rest, int parts, struct hf_repo *out, drh_error *e)
{
    const char *from = rest->ptr;
    drh_str     first = drh_str_cut(*rest, '/', rest), second;

    out->id = drh_str_cut(first, '@', &out->revision);
    if (out->revision.len == 0 && parts == 2 && rest->len) {
        second = drh_str_cut(*rest, '/', rest);
        second = drh_str_cut(second, '@', &out->revision);
        if (!is_name(out->id) || !is_name(second)) {
            return bad_id(text, e);
        }
        out->id.ptr = from;
        out->id.len = (size_t)(second.ptr + second.len - from);
    } else if (!is_name(out->id)) {
        return bad_id(text, e);
    }
    out->revision = out->revision.len ? take_revision(out->revision, rest) : (drh_str){NULL, 0};
    return DRH_OK;
}

/* A word that stands behind an id in a page's address. */
static int is_view(drh_str s)
{
    static const char *const words[] = {"tree",    "blob",   "resolve", "raw",
                                        "blame",   "edit",   "commit",  "discussions",
                                        "commits", "viewer", NULL};
    size_t                   i;

    for (i = 0; words[i]; i++) {
        if (drh_str_eq(s, words[i])) {
            return 1;
        }
    }
    return 0;
}

/* Behind an id in a page's address: "/tree/REV/PATH", "/blob/REV/PATH", "/resolve/REV/PATH". */
static drh_status take_view(drh_str text, drh_str rest, struct hf_repo *out, drh_error *e)
{
    drh_str view = drh_str_cut(rest, '/', &rest);

    if (view.len == 0 || drh_str_eq(view, "viewer") || drh_str_eq(view, "discussions") ||
        drh_str_eq(view, "commits")) {
        return DRH_OK;
    }
    if (!is_view(view)) {
        return bad_id(text, e);
    }
    out->revision = drh_str_cut(rest, '/', &rest);
    if (out->revision.len == 0) {
        return bad_id(text, e);
    }
    out->revision = take_revision(out->revision, &rest);
    if (drh_str_eq(view, "commit")) {
        return DRH_OK; /* all of it as it was then */
    }
    out->path = rest.len ? rest : (drh_str){NULL, 0};
    return DRH_OK;
}

/* Old ids have no owner: "gpt2/tree/main" is one part and its view; "org/tree" are two parts. */
static int parts_of(drh_str rest)
{
    drh_str second;

    (void)drh_str_cut(rest, '/', &second);
    return is_view(drh_str_cut(second, '/', &second)) && second.len ? 1 : 2;
}

static drh_status parse_page(drh_str text, struct hf_repo *out, drh_error *e)
{
    const char *host = strstr(text.ptr, "://") + 3;
    drh_str     rest = {host, (size_t)(text.ptr + text.len - host)};
    drh_status  st;

    rest.len = strcspn(host, "?#");
    out->endpoint.ptr = text.ptr;
    out->endpoint.len = (size_t)(host - text.ptr) + drh_str_cut(rest, '/', &rest).len;
    st = take_type(&rest, out, e);
    if (st == DRH_OK && !out->type.ptr) { /* a page without a word in front is a model's */
        out->type = drh_str_of("model");
    }
    st = st == DRH_OK ? take_id(text, &rest, parts_of(rest), out, e) : st;
    return st == DRH_OK ? take_view(text, rest, out, e) : st;
}

drh_status hf_repo_parse(drh_str text, struct hf_repo *out, drh_error *e)
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
    if (drh_str_starts(text, "https://") || drh_str_starts(text, "http://")) {
        return parse_page(text, out, e);
    }
    if (drh_str_starts(text, "hf://")) {
        rest = drh_str_from(text, strlen("hf://"));
        st = take_type(&rest, out, e);
        if (st == DRH_OK && !out->type.ptr) {
            out->type = drh_str_of("model");
        }
        st = st == DRH_OK ? take_id(text, &rest, 2, out, e) : st;
        out->path = rest.len ? rest : (drh_str){NULL, 0};
        return st;
    }
    st = take_type(&rest, out, e);
    st = st == DRH_OK ? take_id(text, &rest, 2, out, e) : st;
    return st == DRH_OK && (rest.len || drh_str_ends(text, "/")) ? bad_id(text, e) : st;
}
