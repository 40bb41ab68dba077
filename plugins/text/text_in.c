/* SPDX-License-Identifier: MIT
 * text_in.c - see text_in.h. */
#include "text_in.h"

#include <stdlib.h>
#include <strings.h>

enum { FIRST_CAP = 256 << 10, LONGEST_CAP = TEXT_MAX_ROW + FIRST_CAP };

/* Room for half a window at least behind what is held. */
static drh_status make_room(struct text_in *in, drh_error *e)
{
    const size_t held = text_in_held(in);
    size_t       cap = in->cap ? in->cap * 2 : FIRST_CAP;
    char        *more;

    if (in->at) {
        memmove(in->buf, in->buf + in->at, held);
        in->at = 0;
        in->len = held;
    }
    if (in->cap && held <= in->cap / 2) {
        return DRH_OK;
    }
    if (held >= TEXT_MAX_ROW) {
        return drh_fail(e, DRH_E_RANGE, "longer than 64 MiB");
    }
    cap = cap < LONGEST_CAP ? cap : LONGEST_CAP;
    more = in->host->alloc(in->host, in->buf, cap);
    if (!more) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a row of %zu bytes", held);
    }
    in->buf = more;
    in->cap = cap;
    return DRH_OK;
}

static drh_status read_file(void *from, void *to, size_t cap, size_t *got, drh_error *e)
{
    struct text_in *in = from;

    return in->host->bytes_read(in->bytes, to, cap, got, e);
}

drh_status text_in_open(struct text_in *in, const drh_host *h, const char *path, uint64_t offset,
                        drh_error *e)
{
    drh_status st;

    memset(in, 0, sizeof(*in));
    in->host = h;
    st = h->bytes_open(h, path, offset, &in->bytes, e);
    st = st == DRH_OK ? text_in_begin(in, read_file, in, offset, e) : st;
    if (st != DRH_OK) {
        text_in_close(in);
    }
    return st;
}

drh_status text_in_begin(struct text_in *in, text_read read, void *from, uint64_t offset,
                         drh_error *e)
{
    drh_status st;

    in->read = read;
    in->from = from;
    in->offset = offset;
    in->at = in->len = 0;
    in->end = 0;
    in->why.code = DRH_OK;
    st = make_room(in, e); /* so that there always is a window */
    while (st == DRH_OK && offset == 0 && text_in_held(in) < 3 && !in->end) {
        st = text_in_more(in, e);
    }
    if (st == DRH_OK && offset == 0 && text_in_held(in) >= 3 &&
        memcmp(in->buf, "\xef\xbb\xbf", 3) == 0) {
        text_in_take(in, 3);
    }
    return st;
}

void text_in_close(struct text_in *in)
{
    if (in->bytes) {
        in->host->bytes_close(in->bytes);
    }
    if (in->buf) {
        (void)in->host->alloc(in->host, in->buf, 0);
    }
    memset(in, 0, sizeof(*in));
}

drh_status text_in_more(struct text_in *in, drh_error *e)
{
    size_t     got = 0;
    drh_status st = in->end ? DRH_OK : make_room(in, e);

    if (st != DRH_OK || in->end) {
        return st;
    }
    st = in->read(in->from, in->buf + in->len, in->cap - in->len, &got, e);
    if (st == DRH_OK) {
        in->len += got;
        in->end = got == 0;
    }
    return st;
}

drh_str text_in_tell(struct text_in *in)
{
    (void)snprintf(in->position, sizeof(in->position), "%llu", (unsigned long long)in->offset);
    return drh_str_of(in->position);
}

drh_status text_in_before(const struct text_in *in, drh_error *e)
{
    if (in->why.code != DRH_OK) {
        *e = in->why;
    }
    return in->why.code;
}

drh_status text_in_after(struct text_in *in, drh_status st, drh_error *e)
{
    if (st != DRH_E_RANGE && st != DRH_E_DATA) {
        return st;
    }
    e->code = DRH_E_DATA;
    in->why = *e;
    return DRH_E_DATA;
}

drh_status text_position(const drh_str *position, uint64_t *offset, drh_error *e)
{
    char  text[24] = "", *end = text;
    char *from = text;

    *offset = 0;
    if (!position || position->len == 0) {
        return DRH_OK;
    }
    if (position->len < sizeof(text)) {
        memcpy(text, position->ptr, position->len);
        *offset = strtoull(from, &end, 10);
    }
    return end != text && *end == '\0' && text[0] != '-'
               ? DRH_OK
               : drh_fail(e, DRH_E_ARG, "the position \"%s\" is none", text);
}

/* Bytes of the UTF-8 character at p of n; 0: it is none.  One that is cut by the end is whole. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
    const size_t len = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (p[0] > 0xF4) {
        return 0;
    }
    for (size_t i = 1; i < len && i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len < n ? len : len ? n : 0;
}

int text_is_text(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_len(head + i, len - i);
        if (n == 0 || (head[i] < 0x20 && !strchr("\t\n\r\f\v", head[i])) || head[i] == 0) {
            return 0;
        }
        i += n;
    }
    return len > 0;
}

int text_is_pointer(const uint8_t *head, size_t len)
{
    static const char start[] = "version https://git-lfs.github.com/spec/";

    return len >= sizeof(start) - 1 && memcmp(head, start, sizeof(start) - 1) == 0;
}

int text_has_ending(const char *name, const char *ending)
{
    static const char *const packed[] = {".gz", ".zst", ".xz"};
    const size_t             m = strlen(ending);
    size_t                   n = strlen(name);

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        const size_t k = strlen(packed[i]);
        if (n > k && strcasecmp(name + n - k, packed[i]) == 0) {
            n -= k;
            break;
        }
    }
    return n > m && strncasecmp(name + n - m, ending, m) == 0;
}
