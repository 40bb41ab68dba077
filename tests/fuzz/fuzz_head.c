/* SPDX-License-Identifier: MIT
 * fuzz_head.c - what answers say in their heads.  The first byte chooses who reads the rest; see
 * `readers` at the end. */
#include "bare_host.h"
#include "head.h"
#include "limit.h"
#include "must.h"

/* Textually, since the head of an answer is read by callbacks of libcurl that nobody else sees. */
#include "exchange.c"

#include <math.h>

static bool is_part_of(drh_str part, drh_str whole)
{
    return part.ptr >= whole.ptr && part.len <= whole.len &&
           (size_t)(part.ptr - whole.ptr) <= whole.len - part.len;
}

/* ---- values ---- */

static void content_range(drh_str v)
{
    struct content_range r;
    char                 text[100];
    struct content_range again;

    if (!head_content_range(v, &r)) {
        return;
    }
    MUST(r.has_range || r.has_total);
    MUST(!r.has_range || r.from <= r.to);
    MUST(!r.has_range || !r.has_total || r.to < r.total);
    if (r.has_range && r.has_total) {
        (void)snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)r.from,
                       (unsigned long long)r.to, (unsigned long long)r.total);
        MUST(head_content_range(drh_str_of(text), &again));
        MUST(again.from == r.from && again.to == r.to && again.total == r.total);
    }
}

static void number(drh_str v)
{
    uint64_t n;
    char     text[32];

    if (head_u64(v, &n)) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
        MUST(memmem(v.ptr, v.len, text, strlen(text)) != NULL);
    }
}

static void retry_after(drh_str v)
{
    static const int64_t now[] = {0, 1700000000, INT64_MAX};
    uint32_t             ms;

    for (size_t i = 0; i < sizeof(now) / sizeof(now[0]); i++) {
        ms = UINT32_MAX;
        MUST(!head_retry_after(v, now[i], &ms) || ms <= HEAD_MAX_WAIT_MS);
    }
}

static void rate_limit(drh_str v)
{
    struct rate r;

    MUST(!head_rate_limit(v, &r) || r.reset_s <= HEAD_MAX_WAIT_MS / 1000);
}

static void next_link(drh_str v)
{
    drh_str next = drh_hub_next(v);

    MUST(!next.ptr || (is_part_of(next, v) && !memchr(next.ptr, '>', next.len)));
    MUST(!next.ptr || (next.ptr > v.ptr && next.ptr[-1] == '<'));
}

/* ---- the whole head ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void check_headers(const drh_http_answer *a)
{
    MUST(a->n_headers <= 2 * MAX_HEADERS);
    for (size_t i = 0; i < a->n_headers; i++) {
        drh_str name = a->headers[i].name, value = a->headers[i].value;
        MUST(name.ptr[name.len] == '\0' && value.ptr[value.len] == '\0');
        MUST(!memchr(name.ptr, ':', name.len));
        for (size_t k = 0; k < name.len; k++) {
            MUST(!(name.ptr[k] >= 'A' && name.ptr[k] <= 'Z'));
        }
        MUST(value.len == 0 || !(value.ptr[0] == ' ' || value.ptr[0] == '\t'));
        MUST(drh_hub_header(a, name.ptr).ptr != NULL);
    }
}

/* Lines as libcurl hands them over; one of "HTTP/..." begins a new head. */
static void block(drh_str v)
{
    struct net      n = {.host = &bare_host};
    struct exchange x = {.net = &n, .url = "http://host/"};
    bool            ok = true;

    forget_head(&x);
    while (ok && v.len) {
        drh_str rest, line = drh_str_cut(v, '\n', &rest);
        line.len += line.len < v.len; /* with its end */
        if (!is_blank(line.ptr[0])) {
            ok = on_header((char *)(uintptr_t)line.ptr, 1, line.len, &x) == line.len;
        }
        v = rest;
    }
    MUST(x.len_text <= 2 * MAX_HEAD);
    if (ok) {
        settle_head(&x);
        check_headers(&x.answer);
    }
    (void)bare_host.alloc(&bare_host, x.header, 0);
    (void)bare_host.alloc(&bare_host, x.at, 0);
    (void)bare_host.alloc(&bare_host, x.text, 0);
}

/* Answers of one origin, a line each: "429 Retry-After" or "200 RateLimit"; the clock goes on by a
 * second a line. */
static void limits(drh_str v)
{
    static struct limits l;
    const struct origin  o = {"https", "host", 443};
    struct gate         *g;
    double               now = 100;

    memset(&l, 0, sizeof(l));
    l.base = 1;
    l.cap = 60;
    l.random = 7;
    g = limit_gate(&l, &o, GATE_CALLS);
    for (; v.len; now++) {
        drh_str         line = drh_str_cut(v, '\n', &v);
        bool            refused = drh_str_starts(line, "429 ");
        drh_http_header h = {drh_str_of(refused ? "retry-after" : "ratelimit"),
                             drh_str_from(line, 4)};
        drh_http_answer a = {.struct_size = sizeof(a), .headers = &h, .n_headers = 1};
        if (limit_wait(g, now) == 0) {
            limit_sent(g, now);
        }
        limit_answer(&l, g, refused ? 429 : line.len > 4 ? 200 : 0, &a, now - 0.5, now);
        MUST(g->window >= 1);
        MUST(limit_wait(g, now) >= 0 && limit_wait(g, now) <= HEAD_MAX_WAIT_MS / 1000.0 + 2);
        MUST(limit_gate(&l, &o, GATE_CALLS) == g && l.n == 1);
    }
}

/* ---- addresses ---- */

static void check_url(const char *url)
{
    struct origin o;
    char          plain[200];
    drh_error     e = DRH_ERROR_INIT;
    drh_status    st = url_origin(url, &o, &e);

    MUST(st == DRH_OK || (st == DRH_E_ARG && e.message[0]));
    if (st == DRH_OK) {
        MUST(strcmp(o.scheme, "http") == 0 || strcmp(o.scheme, "https") == 0);
        MUST(o.host[0] && origin_same(&o, &o));
    }
    MUST(url_plain(url, plain, sizeof(plain)) == plain);
    MUST(!strpbrk(plain, "?#") && strlen(plain) < sizeof(plain));
}

static char *text_of(drh_str v)
{
    char *text = malloc(v.len + 1);

    MUST(text != NULL);
    memcpy(text, v.ptr, v.len);
    text[v.len] = '\0';
    return text;
}

static void url(drh_str v)
{
    char *text = text_of(v);

    check_url(text);
    free(text);
}

/* A part of a path that is "..", as it stands or encoded. */
static bool climbs_out(const char *text)
{
    drh_str path = drh_str_of(strstr(text, "://") + 3), part;

    path.len = strcspn(path.ptr, "?#");
    while (path.len) {
        char     plain[2];
        size_t   n = 0, i;
        drh_text t = {.host = &bare_host};
        part = drh_str_cut(path, '/', &path);
        drh_text_unquote(&t, part);
        for (i = 0; i < t.len && i < 2; i++) {
            plain[n++] = t.ptr[i];
        }
        i = t.len;
        drh_text_free(&t);
        if (i == 2 && plain[0] == '.' && plain[1] == '.') {
            return true;
        }
    }
    return false;
}

static void redirect(drh_str v)
{
    static const char *const bases[] = {"https://hub.example/a/b?c=d", "http://127.0.0.1:8080",
                                        "https://[::1]:444/datasets/o/n/resolve/main/x.json"};

    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        char      *out = NULL;
        drh_error  e = DRH_ERROR_INIT;
        drh_status st = url_redirect(&bare_host, bases[i], v, &out, &e);
        if (st == DRH_OK) {
            struct origin o;
            MUST(out && url_origin(out, &o, &e) == DRH_OK);
            MUST(i == 1 || strcmp(o.scheme, "https") == 0);
            MUST(!climbs_out(out));
            check_url(out);
        } else {
            MUST(!out && st == DRH_E_NETWORK && e.message[0]);
        }
        (void)bare_host.alloc(&bare_host, out, 0);
    }
}

/* "PATTERN\nPATH". */
static void glob(drh_str v)
{
    drh_str path, pattern = drh_str_cut(v, '\n', &path);

    (void)drh_hub_match(pattern, path);
    (void)drh_hub_aside(path);
    MUST(drh_hub_match(drh_str_of("*"), path));
    if (!pattern.len || memchr(pattern.ptr, '[', pattern.len)) {
        return;
    }
    MUST(drh_hub_match(pattern, pattern) || drh_str_ends(pattern, "/"));
}

static void quoting(drh_str v)
{
    drh_text once = {.host = &bare_host}, back = {.host = &bare_host};

    drh_text_quote(&once, v, "/");
    MUST(!once.failed);
    for (size_t i = 0; i < once.len; i++) {
        MUST(once.ptr[i] > ' ' && once.ptr[i] < 0x7F && !strchr("?#&=+\"<>\\", once.ptr[i]));
    }
    drh_text_unquote(&back, drh_text_str(&once));
    MUST(back.len == v.len && (v.len == 0 || memcmp(back.ptr, v.ptr, v.len) == 0));
    drh_text_free(&once);
    drh_text_clear(&back);
    drh_text_unquote(&back, v);
    MUST(back.len <= v.len);
    drh_text_free(&back);
}

static const struct {
    char letter;
    void (*fn)(drh_str v);
} readers[] = {
    {'c', content_range}, {'n', number}, {'a', retry_after}, {'r', rate_limit},
    {'l', next_link},     {'b', block},  {'w', limits},      {'u', url},
    {'j', redirect},      {'g', glob},   {'q', quoting},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0) {
        return 0;
    }
    /* values of headers end with a zero; they are short of one byte more */
    text = text_of((drh_str){(const char *)data + 1, size - 1});
    bare_reset();
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (data[0] == (uint8_t)readers[i].letter) {
            readers[i].fn((drh_str){text, size - 1});
        }
    }
    MUST(bare_blocks == 0);
    free(text);
    return 0;
}
