/* SPDX-License-Identifier: MIT
 * exchange.c - see net.h: one request and its answer, by libcurl. */
#include "head.h"
#include "net_impl.h"

#include <ctype.h>
#include <drh/hub.h>
#include <stdlib.h>

enum { MAX_HEAD = 256 << 10, MAX_HEADERS = 1000, BUFFER = 256 << 10, SMALL_BUFFER = 32 << 10 };

/* ---- the head of an answer ---- */

static void forget_head(struct exchange *x)
{
    x->answer = (drh_http_answer){.struct_size = sizeof(x->answer), .url = drh_str_of(x->url)};
    x->len_text = 0;
}

static bool keep_text(struct exchange *x, const char *p, size_t n)
{
    const drh_host *h = x->net->host;

    if (x->cap_text - x->len_text <= n) {
        size_t cap = (x->len_text + n + 1) * 2;
        char  *more = cap <= 2 * MAX_HEAD ? h->alloc(h, x->text, cap) : NULL;
        if (!more) {
            return false;
        }
        x->text = more;
        x->cap_text = cap;
    }
    if (n) {
        memcpy(x->text + x->len_text, p, n);
    }
    x->len_text += n;
    x->text[x->len_text++] = '\0';
    return x->len_text <= MAX_HEAD;
}

static bool keep_header(struct exchange *x, const char *p, size_t n)
{
    const drh_host *h = x->net->host;
    const char     *colon = memchr(p, ':', n);
    size_t          k = x->answer.n_headers, name = colon ? (size_t)(colon - p) : 0;

    if (name == 0) {
        return true; /* no header; not for us to judge */
    }
    if (k == x->cap_headers) {
        size_t           cap = k ? k * 2 : 32;
        drh_http_header *more =
            cap <= 2 * MAX_HEADERS ? h->alloc(h, x->header, cap * sizeof(*more)) : NULL;
        size_t *at = more ? h->alloc(h, x->at, cap * 2 * sizeof(*at)) : NULL;
        x->header = more ? more : x->header;
        x->at = at ? at : x->at;
        if (!at) {
            return false;
        }
        x->cap_headers = cap;
    }
    x->at[2 * k] = x->len_text;
    if (!keep_text(x, p, name)) {
        return false;
    }
    for (char *c = x->text + x->at[2 * k]; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    for (p += name + 1, n -= name + 1; n && (*p == ' ' || *p == '\t'); p++, n--) {
    }
    while (n && isspace((unsigned char)p[n - 1])) {
        n--;
    }
    x->at[2 * k + 1] = x->len_text;
    x->answer.n_headers = k + 1;
    return keep_text(x, p, n);
}

/* Offsets become pointers once the text has stopped moving. */
static void settle_head(struct exchange *x)
{
    for (size_t i = 0; i < x->answer.n_headers; i++) {
        x->header[i].name = drh_str_of(x->text + x->at[2 * i]);
        x->header[i].value = drh_str_of(x->text + x->at[2 * i + 1]);
    }
    x->answer.headers = x->header;
    x->has_head = true;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;
    size_t           len = size * n;
    long             status = 0;

    x->last = net_now();
    if (x->has_head) {
        return len; /* a trailer */
    }
    if (len > 5 && strncasecmp(p, "HTTP/", 5) == 0) {
        forget_head(x);
        return len;
    }
    if (len > 0 && p[0] != '\r' && p[0] != '\n') {
        return keep_header(x, p, len) ? len : 0;
    }
    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) { /* "100 Continue"; the answer is yet to come */
        return len;
    }
    x->answer.status = (uint32_t)status;
    settle_head(x);
    return x->on_head(x) ? len : 0;
}

static size_t on_write(char *p, size_t size, size_t n, void *arg)
{
    struct exchange *x = arg;

    x->last = net_now();
    return x->on_body(x, p, size * n) ? size * n : 0;
}

/* ---- life ---- */

static bool is_open(const struct exchange *x)
{
    return x->prev != NULL;
}

void exchange_close(struct exchange *x)
{
    (void)curl_multi_remove_handle(x->net->multi, x->easy);
    *x->prev = x->next;
    if (x->next) {
        x->next->prev = x->prev;
    }
    x->prev = NULL;
    x->next = NULL;
}

static void log_end(const struct exchange *x)
{
    char       plain[300];
    curl_off_t bytes = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    drh_logf(x->net->host, DRH_LOG_DEBUG, "%s %s%s%s: %u, %lld bytes%s%s",
             x->method ? x->method : "GET", url_plain(x->url, plain, sizeof(plain)),
             x->range[0] ? " bytes " : "", x->range, x->answer.status, (long long)bytes,
             x->code ? ", " : "", x->code ? curl_easy_strerror(x->code) : "");
}

void exchange_finish(struct exchange *x, CURLcode code)
{
    struct net *n = x->net;

    x->code = code;
    exchange_close(x);
    log_end(x);
    limit_answer(&n->limits, x->gate, x->has_head ? x->answer.status : 0, &x->answer, x->started,
                 net_now());
    if (!x->has_head) {
        forget_head(x); /* half a head is none */
    }
    x->on_done(x);
}

static uint32_t stall_ms(const struct exchange *x)
{
    return x->stall_ms ? x->stall_ms : x->net->o.stall_ms;
}

/* Since when nothing has come; a connection that is still being made has a limit of its own. */
static double quiet_since(const struct exchange *x, double now)
{
    curl_off_t sent = 0; /* microseconds from the start to when the request could be sent */

    if (x->last > 0) {
        return x->last;
    }
    (void)curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
    return sent > 0 ? x->started + (double)sent / 1e6 : now;
}

void exchange_end_stalled(struct net *n, double now)
{
    for (struct exchange *x = n->open; x;) {
        if (now > quiet_since(x, now) + stall_ms(x) / 1000.0) {
            exchange_finish(x, CURLE_OPERATION_TIMEDOUT);
            x = n->open; /* on_done may have started and stopped others */
        } else {
            x = x->next;
        }
    }
}

void exchange_stop(struct exchange *x)
{
    if (is_open(x)) {
        exchange_close(x);
        limit_lost(x->gate);
    }
}

void exchange_free(struct exchange *x)
{
    const drh_host *h = x->net ? x->net->host : NULL;

    if (!h) {
        return; /* never started */
    }
    exchange_stop(x);
    curl_easy_cleanup(x->easy);
    (void)h->alloc(h, x->own_url, 0);
    (void)h->alloc(h, x->header, 0);
    (void)h->alloc(h, x->at, 0);
    (void)h->alloc(h, x->text, 0);
    memset(x, 0, sizeof(*x));
}

/* ---- starting ---- */

/* What names a proxy for such addresses; libcurl looks at the variables in this order. */
static const char *proxy_of(const struct net *n, const struct origin *o)
{
    static const char *const names[][4] = {
        {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"},
        {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}};
    const bool tls = strcmp(o->scheme, "https") == 0;

    if (n->o.proxy.ptr) {
        return "the option proxy of services.http";
    }
    for (size_t i = 0; i < 4; i++) {
        const char *v = secure_getenv(names[tls][i]);
        if (v && v[0]) {
            return names[tls][i];
        }
    }
    return NULL;
}

static void set_tls_and_proxy(const struct net *n, CURL *c, const struct origin *o)
{
    const char *upper = secure_getenv("HTTP_PROXY");

    if (n->o.ca_file.ptr) {
        (void)curl_easy_setopt(c, CURLOPT_CAINFO, n->o.ca_file.ptr);
    }
    if (n->o.proxy.ptr) {
        (void)curl_easy_setopt(c, CURLOPT_PROXY, n->o.proxy.ptr);
    } else if (upper && upper[0] && !secure_getenv("http_proxy") &&
               strcmp(o->scheme, "http") == 0) {
        /* libcurl knows the lower-case name only; NO_PROXY counts in any case */
        (void)curl_easy_setopt(c, CURLOPT_PROXY, upper);
    }
    (void)curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static void set_times(const struct net *n, CURL *c, const struct exchange *x)
{
    uint32_t stall = stall_ms(x);

    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)n->o.connect_ms);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)(x->least_rate ? x->least_rate : 1));
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)((stall + 999) / 1000));
    (void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_request(CURL *c, const struct exchange *x, const struct origin *o)
{
    /* Without TLS there is no HTTP/2 to wait for, and it is known only once an answer has come. */
    const bool may_share = !x->http1 && strcmp(o->scheme, "https") == 0;

    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
                           (long)(x->http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    (void)curl_easy_setopt(c, CURLOPT_PIPEWAIT, may_share ? 1L : 0L);
    (void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, x->fresh ? 1L : 0L);
    (void)curl_easy_setopt(c, CURLOPT_IGNORE_CONTENT_LENGTH, x->any_length ? 1L : 0L);
    (void)curl_easy_setopt(c, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    if (x->compressed) {
        (void)curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    }
    if (x->body.ptr) {
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.len);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->body.ptr);
    }
    if (x->method && strcmp(x->method, "HEAD") == 0) {
        (void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    } else if (x->method && strcmp(x->method, x->body.ptr ? "POST" : "GET") != 0) {
        (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
    }
    if (x->range[0]) {
        (void)curl_easy_setopt(c, CURLOPT_RANGE, x->range);
    }
}

static drh_status copy_url(struct exchange *x, drh_error *e)
{
    const drh_host *h = x->net->host;
    size_t          n = strlen(x->url) + 1;
    char           *copy = h->alloc(h, NULL, n);

    if (!copy) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a URL");
    }
    memcpy(copy, x->url, n);
    (void)h->alloc(h, x->own_url, 0);
    x->url = x->own_url = copy;
    return DRH_OK;
}

drh_status exchange_start(struct net *n, struct exchange *x, drh_error *e)
{
    struct origin o;
    drh_status    st = url_origin(x->url, &o, e);

    x->net = n;
    st = st == DRH_OK ? copy_url(x, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    x->easy = x->easy ? x->easy : curl_easy_init();
    if (!x->easy) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for libcurl");
    }
    curl_easy_reset(x->easy);
    forget_head(x);
    x->has_head = false;
    x->error[0] = '\0';
    x->started = net_now();
    x->last = 0;
    x->gate = limit_gate(&n->limits, &o, x->http1 ? GATE_FILES : GATE_CALLS);
    x->proxy = proxy_of(n, &o);
    set_tls_and_proxy(n, x->easy, &o);
    set_times(n, x->easy, x);
    set_request(x->easy, x, &o);
    (void)curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
    if (n->o.user_agent.ptr) {
        (void)curl_easy_setopt(x->easy, CURLOPT_USERAGENT, n->o.user_agent.ptr);
    }
    (void)curl_easy_setopt(x->easy, CURLOPT_BUFFERSIZE, (long)(x->http1 ? BUFFER : SMALL_BUFFER));
    (void)curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->error);
    (void)curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_write);
    (void)curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
    (void)curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
    if (curl_easy_setopt(x->easy, CURLOPT_URL, x->url) != CURLE_OK ||
        curl_multi_add_handle(n->multi, x->easy) != CURLM_OK) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a request");
    }
    limit_sent(x->gate, x->started);
    x->next = n->open;
    x->prev = &n->open;
    if (x->next) {
        x->next->prev = &x->next;
    }
    n->open = x;
    return DRH_OK;
}

/* ---- what went wrong ---- */

/* What names the proxy that could not be reached; NULL: it was no proxy.  NO_PROXY is libcurl's to
 * judge, so this is told by whom it says that it went to. */
static const char *dead_proxy(const struct exchange *x, const char *why)
{
    char          own[300];
    struct origin o;

    if (x->code != CURLE_COULDNT_CONNECT || !x->proxy || !strstr(why, "connect to ") ||
        url_origin(x->url, &o, NULL) != DRH_OK) {
        return NULL;
    }
    (void)snprintf(own, sizeof(own), " %s port %u ", o.host, o.port);
    return strstr(why, own) ? NULL : x->proxy;
}

drh_status exchange_failure(const struct exchange *x, drh_error *e)
{
    char        plain[160];
    const char *why = x->error[0] ? x->error : curl_easy_strerror(x->code);
    const char *dead = dead_proxy(x, why);
    uint32_t    stall = stall_ms(x);
    drh_status  st = DRH_E_NETWORK;

    (void)url_plain(x->url, plain, sizeof(plain));
    switch ((int)x->code) {
    case CURLE_OPERATION_TIMEDOUT:
        if (strstr(why, "too slow")) {
            (void)drh_fail(e, DRH_E_TIMEOUT, "%s: next to nothing came for %.3g s", plain,
                           stall / 1000.0);
        } else if (x->last > 0 || x->error[0] == '\0') {
            (void)drh_fail(e, DRH_E_TIMEOUT, "%s: nothing came for %.3g s", plain, stall / 1000.0);
        } else {
            (void)drh_fail(e, DRH_E_TIMEOUT, "%s: %s", plain, why);
        }
        st = DRH_E_TIMEOUT;
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        (void)drh_fail(e, st, "%s: %s; is the network up, is the name right?", plain, why);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        (void)drh_fail(e, DRH_E_AUTH,
                       "%s: its certificate is not trusted: %s; name your own authority with "
                       "SSL_CERT_FILE or ca_file",
                       plain, why);
        return DRH_E_AUTH; /* the same the next time */
    case CURLE_OUT_OF_MEMORY:
        return drh_fail(e, DRH_E_NOMEM, "out of memory for %s", plain);
    default:
        (void)drh_fail(e, st, "%s: %s%s%s", plain, why, dead ? "; that is the proxy of " : "",
                       dead ? dead : "");
    }
    if (e) {
        e->flags |= DRH_ERR_RETRYABLE;
    }
    return st;
}
