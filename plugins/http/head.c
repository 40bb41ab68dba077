/* SPDX-License-Identifier: MIT
 * head.c - see head.h. */
#include "head.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The digits at *at; moves behind them.  False: none, or too many. */
static bool take_u64(const char **at, const char *end, uint64_t *out)
{
    const char *p = *at;
    uint64_t    v = 0;

    for (; p < end && is_digit(*p); p++) {
        uint64_t d = (uint64_t)(*p - '0');
        if (v > (UINT64_MAX - d) / 10) {
            return false;
        }
        v = v * 10 + d;
    }
    if (p == *at) {
        return false;
    }
    *at = p;
    *out = v;
    return true;
}

static drh_str trimmed(drh_str v)
{
    while (v.len && is_space(v.ptr[0])) {
        v.ptr++;
        v.len--;
    }
    while (v.len && is_space(v.ptr[v.len - 1])) {
        v.len--;
    }
    return v;
}

bool head_u64(drh_str v, uint64_t *out)
{
    drh_str     t = trimmed(v);
    const char *p = t.ptr;

    return t.len && take_u64(&p, t.ptr + t.len, out) && p == t.ptr + t.len;
}

bool head_content_range(drh_str v, struct content_range *out)
{
    drh_str     t = trimmed(v);
    const char *p = t.ptr, *end = t.ptr + t.len;

    memset(out, 0, sizeof(*out));
    if (t.len < 6 || strncasecmp(p, "bytes", 5) != 0 || !(is_space(p[5]) || p[5] == '=')) {
        return false;
    }
    for (p += 6; p < end && is_space(*p); p++) {
    }
    if (p < end && *p == '*') {
        p++;
    } else {
        if (!take_u64(&p, end, &out->from) || p == end || *p++ != '-' ||
            !take_u64(&p, end, &out->to) || out->to < out->from) {
            return false;
        }
        out->has_range = true;
    }
    if (p == end || *p++ != '/') {
        return false;
    }
    if (p < end && *p == '*') {
        p++;
    } else if (!(out->has_total = take_u64(&p, end, &out->total))) {
        return false;
    }
    return p == end && (out->has_range || out->has_total) &&
           !(out->has_range && out->has_total && out->to >= out->total);
}

bool head_retry_after(drh_str v, int64_t now, uint32_t *ms)
{
    drh_str     t = trimmed(v);
    const char *p = t.ptr, *end = t.ptr + t.len;
    uint64_t    s = 0;
    char        date[64];
    time_t      at;

    if (take_u64(&p, end, &s)) {
        uint32_t fraction = 0, scale = 100;
        if (p < end && *p == '.') {
            for (p++; p < end && is_digit(*p); p++, scale /= 10) {
                fraction += (uint32_t)(*p - '0') * scale;
            }
        }
        if (p != end) {
            return false;
        }
        *ms = s >= HEAD_MAX_WAIT_MS / 1000 ? HEAD_MAX_WAIT_MS : (uint32_t)s * 1000 + fraction;
        return true;
    }
    if (t.len == 0 || t.len >= sizeof(date)) {
        return false;
    }
    (void)snprintf(date, sizeof(date), "%.*s", (int)t.len, t.ptr);
    at = curl_getdate(date, NULL);
    if (at < 0) {
        return false;
    }
    s = (int64_t)at > now ? (uint64_t)((int64_t)at - now) : 0;
    *ms = s >= HEAD_MAX_WAIT_MS / 1000 ? HEAD_MAX_WAIT_MS : (uint32_t)s * 1000;
    return true;
}

/* One "key=value" or name between ';' and ','.  A quoted name may hold both. */
static drh_str next_item(const char **at, const char *end, char *stop)
{
    const char *p = *at;
    bool        quoted = false;
    drh_str     item;

    for (; p < end && (quoted || (*p != ';' && *p != ',')); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '\\' && quoted && p + 1 < end) {
            p++;
        }
    }
    item.ptr = *at;
    item.len = (size_t)(p - *at);
    *stop = p < end ? *p : '\0';
    *at = p < end ? p + 1 : end;
    return trimmed(item);
}

static bool named(drh_str item, const char *key, uint64_t *out)
{
    size_t  n = strlen(key);
    drh_str v = {item.ptr + n + 1, 0};

    if (item.len <= n + 1 || strncasecmp(item.ptr, key, n) != 0 || item.ptr[n] != '=') {
        return false;
    }
    v.len = item.len - n - 1;
    return head_u64(v, out);
}

struct policy {
    bool     has_left;
    uint64_t left, reset;
};

static void keep_smallest(const struct policy *p, struct rate *out, bool *found)
{
    uint64_t reset = p->reset > HEAD_MAX_WAIT_MS / 1000 ? HEAD_MAX_WAIT_MS / 1000 : p->reset;

    if (p->has_left &&
        (!*found || p->left < out->left || (p->left == out->left && reset > out->reset_s))) {
        *found = true;
        out->left = p->left;
        out->reset_s = (uint32_t)reset;
    }
}

bool head_rate_limit(drh_str v, struct rate *out)
{
    const char   *p = v.ptr, *end = v.ptr + v.len;
    struct policy one = {false, 0, 0}, all = {false, 0, 0};
    bool          found = false;
    char          stop = ',';

    memset(out, 0, sizeof(*out));
    while (p < end) {
        drh_str  item = next_item(&p, end, &stop);
        uint64_t n;
        if (named(item, "r", &n)) {
            one.has_left = true;
            one.left = n;
        } else if (named(item, "t", &n)) {
            one.reset = n;
        } else if (named(item, "remaining", &n)) {
            all.has_left = true;
            all.left = n;
        } else if (named(item, "reset", &n)) {
            all.reset = n;
        }
        if (stop != ';') {
            keep_smallest(&one, out, &found);
            memset(&one, 0, sizeof(one));
        }
    }
    keep_smallest(&all, out, &found);
    return found;
}
