/* SPDX-License-Identifier: MIT
 * http.c - requests; see http.h. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *request_field(const struct request *q, const char *name)
{
    for (size_t i = 0; i < q->n_fields; i++) {
        if (strcasecmp(q->fields[i].name, name) == 0) {
            return q->fields[i].value;
        }
    }
    return NULL;
}

/* METHOD SP TARGET SP HTTP/1.x */
static bool parse_line(struct request *q, char *line)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version || version == target + 1 || !starts_with(version + 1, "HTTP/1.")) {
        return false;
    }
    *target++ = '\0';
    *version++ = '\0';
    q->method = line;
    q->target = target;
    q->http10 = strcmp(version, "HTTP/1.0") == 0;
    q->head = strcmp(line, "HEAD") == 0;
    return true;
}

static bool parse_fields(struct request *q, char *p)
{
    while (*p) {
        char *end = strstr(p, "\r\n"), *colon;

        if (!end) {
            return false;
        }
        *end = '\0';
        colon = strchr(p, ':');
        if (!colon || colon == p) {
            return false;
        }
        *colon++ = '\0';
        colon += strspn(colon, " \t");
        for (char *last = colon + strlen(colon); last > colon && strchr(" \t", last[-1]);) {
            *--last = '\0';
        }
        q->fields = xgrow(q->fields, q->n_fields + 1, sizeof(*q->fields));
        q->fields[q->n_fields++] = (struct field){p, colon};
        p = end + 2;
    }
    return true;
}

/* "bytes=a-b", "bytes=a-", "bytes=-n"; anything else is as if there were none, as RFC 9110 has it.
 */
static void parse_range(struct request *q)
{
    const char *v = request_field(q, "Range");
    char       *end;

    if (!v || strncasecmp(v, "bytes=", 6) != 0 || strchr(v, ',')) {
        return;
    }
    v += 6;
    q->suffix = *v == '-';
    if (q->suffix) {
        v++;
    }
    q->from = strtoull(v, &end, 10);
    if (end == v || (!q->suffix && *end != '-')) {
        q->suffix = false;
        return;
    }
    q->to = ENDLESS;
    if (!q->suffix && end[1]) {
        v = end + 1;
        q->to = strtoull(v, &end, 10);
    } else if (!q->suffix) {
        end++;
    }
    q->ranged = *end == '\0' && (q->suffix || q->to >= q->from);
    q->suffix = q->suffix && q->ranged;
}

static bool parse_path(struct request *q)
{
    const char *mark = strchr(q->target, '?');
    char       *p;

    q->path = mark ? xdupn(q->target, (size_t)(mark - q->target)) : xdup(q->target);
    q->query = mark ? mark + 1 : "";
    if (*q->path != '/') {
        return false;
    }
    q->segments = xdup(q->path + 1);
    for (p = q->segments; q->n_seg < SEGMENTS;) {
        char *slash = strchr(p, '/');

        q->seg[q->n_seg++] = p;
        if (slash) {
            *slash = '\0';
        }
        if (unquote(p, false) == (size_t)-1) {
            return false;
        }
        if (!slash) {
            return true;
        }
        p = slash + 1;
    }
    return false;
}

bool request_parse(struct request *q, char *raw, size_t n, int *status)
{
    char *line;

    memset(q, 0, sizeof(*q));
    q->raw = raw;
    q->raw_n = n;
    q->method = q->target = q->query = "";
    q->path = xdup("");
    *status = 400;
    if (strlen(raw) != n || n < 4) {
        return false;
    }
    q->cut = xdupn(raw, n - 2); /* without the empty line */
    line = strstr(q->cut, "\r\n");
    *line = '\0';
    if (!parse_line(q, q->cut) || !parse_fields(q, line + 2)) {
        return false;
    }
    free(q->path);
    if (!parse_path(q)) {
        return false;
    }
    parse_range(q);
    return true;
}

bool request_retarget(struct request *q, const char *target)
{
    free(q->path);
    free(q->segments);
    q->segments = NULL;
    q->n_seg = 0;
    q->target = target;
    return parse_path(q);
}

void request_free(struct request *q)
{
    free(q->raw);
    free(q->cut);
    free(q->path);
    free(q->segments);
    free(q->fields);
    free(q->body);
}

char *param(const char *query, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = query; *p;) {
        size_t k = strcspn(p, "&");

        if (strncmp(p, name, n) == 0 && (k == n || p[n] == '=')) {
            char *value = k == n ? xdup("") : xdupn(p + n + 1, k - n - 1);

            if (unquote(value, true) == (size_t)-1) {
                *value = '\0';
            }
            return value;
        }
        p += k + (p[k] == '&');
    }
    return NULL;
}

long param_number(const char *query, const char *name, long otherwise)
{
    char *value = param(query, name), *end;
    long  v = value ? strtol(value, &end, 10) : otherwise;

    if (value && (!*value || *end)) {
        v = otherwise;
    }
    free(value);
    return v;
}

bool request_accepts_gzip(const struct request *q)
{
    const char *v = request_field(q, "Accept-Encoding");

    return v && strstr(v, "gzip") && !strstr(v, "gzip;q=0");
}
