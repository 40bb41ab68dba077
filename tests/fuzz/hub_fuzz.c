/* SPDX-License-Identifier: MIT
 * hub_fuzz.c - see hub_fuzz.h. */
#include "hub_fuzz.h"

#include "hub_host.h"
#include "json.h"

#include <drh/hub.h>
#include <string.h>

enum { MOST_ANSWERS = 60 };

struct answers {
    struct hub_answer row[MOST_ANSWERS + 1];
    size_t            n;
};

/* ---- the input ---- */

/* Cuts *s at the next line "%%", in place. */
static char *section(char **s, char *end, size_t *n)
{
    char *begin = *s, *p = begin;

    while (p < end) {
        char *newline = memchr(p, '\n', (size_t)(end - p));
        char *next = newline ? newline + 1 : end;
        if (next - p >= 2 && p[0] == '%' && p[1] == '%') {
            *n = (size_t)(p - begin);
            *p = '\0';
            *s = next;
            return begin;
        }
        p = next;
    }
    *n = (size_t)(end - begin);
    *s = end;
    return begin;
}

/* "STATUS\nHEADERS\n\nBODY". */
static void read_answer(char *p, size_t n, struct hub_answer *out)
{
    char *end = p + n, *body, *line;
    long  status = strtol(p, &line, 10);

    out->status = status >= 100 && status < 600 ? (uint32_t)status : 200;
    if (status == 0 && line < end && *line == '-') {
        long st = strtol(line + 1, NULL, 10);
        out->st = st >= DRH_E_ARG && st <= DRH_E_INTERNAL ? (drh_status)st : DRH_E_NETWORK;
        return;
    }
    line = memchr(p, '\n', n);
    if (!line) {
        out->body = "";
        return;
    }
    body = memmem(line, (size_t)(end - line), "\n\n", 2);
    out->headers = line + 1;
    if (body) {
        out->body = body + 2;
        out->n_body = (size_t)(end - out->body);
        body[body == line ? 0 : 1] = '\0';
        out->headers = body == line ? NULL : line + 1;
    } else {
        out->body = "";
    }
}

static void read_answers(char *s, char *end, struct answers *a)
{
    memset(a, 0, sizeof(*a));
    while (s < end && a->n < MOST_ANSWERS) {
        size_t n;
        char  *p = section(&s, end, &n);
        read_answer(p, n, &a->row[a->n++]);
    }
}

/* ---- what has to hold ---- */

static bool is_text(drh_str s)
{
    return s.len == 0 || json_utf8_valid(s.ptr, s.len);
}

/* By itself, not by the code that refuses names. */
static void check_name(const char *name)
{
    drh_str rest = drh_str_of(name);

    MUST(rest.len > 0 && rest.len <= 1024 && is_text(rest));
    MUST(!strchr(name, '\\') && !drh_str_ends(rest, "/"));
    for (const char *p = name; *p; p++) {
        MUST((unsigned char)*p >= 0x20 && *p != 0x7F);
    }
    while (rest.len) {
        drh_str part = drh_str_cut(rest, '/', &rest);
        MUST(part.len > 0 && !drh_str_eq(part, ".") && !drh_str_eq(part, ".."));
        MUST(part.len != 4 || strncasecmp(part.ptr, ".git", 4) != 0);
    }
    MUST(strncasecmp(name, ".cache/drhost/", 14) != 0);
}

static void check_request(struct hub_host *h, const struct listed *f, const char *origin)
{
    const drh_source_ops *ops = h->stage->ops.source;
    drh_http_req          req = {.struct_size = sizeof(req)};
    drh_error             e = DRH_ERROR_INIT;
    drh_str               path, text;
    drh_file              file;
    char                  hex[65];

    listed_file(f, hex, &file);
    MUST(ops->request(h->self, &file, &req, &e) == DRH_OK);
    MUST(strlen(req.url.ptr) == req.url.len);
    if (f->key && drh_str_starts(file.key, "http")) {
        MUST(req.n_credentials == 0); /* the store's own address */
        return;
    }
    MUST(drh_str_starts(req.url, origin) && req.url.ptr[strlen(origin)] == '/');
    for (size_t i = 0; i < req.url.len; i++) {
        MUST(req.url.ptr[i] > ' ' && req.url.ptr[i] < 0x7F && req.url.ptr[i] != '#');
    }
    for (uint32_t k = 0;
         ops->note && k < 10 && ops->note(h->self, &file, k, &path, &text) == DRH_OK; k++) {
        MUST(drh_str_starts(path, ".cache/") && is_text(path));
        MUST(memmem(path.ptr, path.len, f->name, strlen(f->name)) != NULL);
    }
}

static void check_list(struct hub_host *h, const char *origin)
{
    MUST(h->list.n > 0);
    for (size_t i = 0; i < h->list.n; i++) {
        const struct listed *f = &h->list.file[i];
        MUST(!f->local);
        if (f->state == LISTED_FAILED) {
            MUST(f->why && f->why[0] && is_text(drh_str_of(f->name)));
        } else {
            MUST(f->state == LISTED && !f->why);
            check_name(f->name);
            check_request(h, f, origin);
        }
    }
}

static void check_about(struct hub_host *h)
{
    const drh_source_ops *ops = h->stage->ops.source;
    drh_source_about      a = {.struct_size = sizeof(a)};
    drh_str               name = ops->provenance(h->self);

    MUST(name.len > 0 && is_text(name));
    MUST(ops->about(h->self, &a) == DRH_OK);
    MUST(is_text(a.endpoint) && is_text(a.type) && is_text(a.repo) && is_text(a.revision));
    MUST(is_text(a.commit) && is_text(a.license) && is_text(a.page));
    MUST(a.commit.len <= 40);
}

static void judge(struct hub_host *h, const struct answers *a)
{
    const drh_source_ops *ops = h->stage->ops.source;
    const drh_file        f = {.struct_size = sizeof(f), .name = {"a/b.json", 8}};

    for (size_t i = 0; i < a->n; i++) {
        const struct hub_answer *r = &a->row[i];
        drh_http_answer          x = {.struct_size = sizeof(x), .status = r->status};
        drh_error                e = DRH_ERROR_INIT;
        x.url = drh_str_of("https://cdn.example/x");
        x.body.ptr = r->body ? r->body : "";
        x.body.len = r->n_body;
        MUST(ops->judge(h->self, &f, &x, &e) == DRH_OK || e.message[0]);
    }
}

void hub_fuzz(const uint8_t *data, size_t size, const drh_entry *entry, const char *const *options,
              size_t n_options, const char *origin)
{
    static struct hub_host h;
    struct answers         a;
    size_t                 n;
    char                  *text = malloc(size + 1), *s = text, *first;
    drh_status             st;

    MUST(text != NULL);
    if (size) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    first = section(&s, text + size, &n);
    read_answers(s, text + size, &a);
    bare_reset();
    MUST(hub_new(&h, entry, options[(unsigned)atoi(first) % n_options], a.row) == DRH_OK);
    h.origin = origin;
    st = hub_list(&h);
    if (st == DRH_OK) {
        check_list(&h, origin);
        check_about(&h);
    } else {
        MUST(st >= DRH_E_ARG && h.e.message[0]);
    }
    judge(&h, &a);
    MUST(hub_free(&h));
    free(text);
}
