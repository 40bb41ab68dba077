/* SPDX-License-Identifier: MIT
 * input.c - see input.h.  One buffer holds the unread bytes; records are slices of it.  It moves or
 * grows only in fill(), so at most once a call and never under an item that was given out.
 *
 * All state between two records is (offset, row, line, form): that is what a position is. */
#include "input.h"

#include "arena.h"
#include "err.h"
#include "input_impl.h"
#include "json.h"
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_MOST = 8 << 20 };

struct input_limits input_limits = {256 << 10, INPUT_MAX_RECORD, 1 << 20};

/* input_pos.form: what is read, and where in it.  Written in positions; append only. */
enum input_form {
    F_UNKNOWN,
    F_LINES,
    F_VALUES,
    F_ARRAY_FIRST, /* after [ */
    F_ARRAY_AFTER, /* after an element */
    F_ARRAY_COMMA, /* after a comma */
    F_ARRAY_ANY,   /* after something wrong that was reported: anything may follow */
    F_ARRAY_CLOSED,
    F_ENDED
};

struct input {
    struct raw         *raw; /* owned */
    char               *buf; /* owned; buf[start,end) is unread */
    size_t              start, end, cap;
    uint64_t            base; /* offset of buf[0] */
    uint64_t            row, line;
    enum input_form     form;
    struct input_limits limits;
};

/* ---- the buffer ---------------------------------------------------------------------------- */

static drh_status resize(struct input *in, size_t cap, drh_error *e)
{
    char *p = mem_resize(in->buf, cap);

    if (!p) {
        return err_nomem(e, "an input buffer");
    }
    in->buf = p;
    in->cap = cap;
    return DRH_OK;
}

static drh_status make_room(struct input *in, drh_error *e)
{
    size_t most = in->limits.max_record;

    most = (most > in->limits.sniff ? most : in->limits.sniff) + 2 * in->limits.chunk;
    if (in->cap - in->end >= in->limits.chunk) {
        return DRH_OK;
    }
    memmove(in->buf, in->buf + in->start, in->end - in->start);
    in->base += in->start;
    in->end -= in->start;
    in->start = 0;
    if (in->end == 0 && in->cap > KEEP_MOST) {
        return resize(in, 2 * in->limits.chunk, e);
    }
    if (in->cap - in->end >= in->limits.chunk || in->cap >= most) {
        return DRH_OK;
    }
    return resize(in, 2 * in->cap < most ? 2 * in->cap : most, e);
}

/* Adds bytes behind the unread ones.  DRH_END: none are left, or damage begins here.  Callers stop
 * holding on before they hold more than max_record + chunk. */
static drh_status fill(struct input *in, drh_error *e)
{
    size_t     got, room;
    drh_status st = make_room(in, e);

    if (st != DRH_OK) {
        return st;
    }
    room = in->cap - in->end;
    st = raw_fill(in->raw, in->buf + in->end, room < in->limits.chunk ? room : in->limits.chunk,
                  &got, e);
    in->end += got;
    return st == DRH_OK && got == 0 ? DRH_END : st;
}

/* To the next byte that is no white space. */
static drh_status skip_space(struct input *in, drh_error *e)
{
    for (;;) {
        drh_status st;

        in->start += split_space(in->buf + in->start, in->end - in->start, &in->line);
        if (in->start < in->end) {
            return DRH_OK;
        }
        st = fill(in, e);
        if (st != DRH_OK) {
            return st;
        }
    }
}

/* ---- items --------------------------------------------------------------------------------- */

static drh_status give(struct input *in, struct input_item *item, const char *p, size_t n,
                       uint64_t line)
{
    item->text = p;
    item->len = n;
    item->row = in->row++;
    item->line = line;
    item->code = NULL;
    item->message[0] = '\0';
    return DRH_OK;
}

__attribute__((format(printf, 5, 6))) static drh_status refuse(struct input      *in,
                                                               struct input_item *item,
                                                               const char *code, uint64_t line,
                                                               const char *fmt, ...)
{
    va_list ap;

    (void)give(in, item, NULL, 0, line);
    item->code = code;
    va_start(ap, fmt);
    (void)vsnprintf(item->message, sizeof(item->message), fmt, ap);
    va_end(ap);
    return DRH_OK;
}

/* No more records.  Damage of the compressed data is the reason that counts; else `code`, if any.
 */
static drh_status finish(struct input *in, struct input_item *item, uint64_t line, const char *code,
                         const char *message, drh_error *e)
{
    const char *why;
    const char *damage = raw_damage(in->raw, &why);

    in->form = F_ENDED;
    if (damage) {
        return refuse(in, item, damage, line, "%s", why);
    }
    if (code) {
        return refuse(in, item, code, line, "%s", message);
    }
    drh_status st = raw_drain(in->raw, e);
    return st == DRH_OK ? DRH_END : st;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Length without white space at the end; 0 for a blank line. */
static size_t trim(const char *p, size_t n)
{
    if (n && (unsigned char)*p > ' ') {
        return n - (p[n - 1] == '\r'); /* one CR, as before LF */
    }
    while (n && (p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r')) {
        n--;
    }
    return n;
}

/* Throws away up to the line's end, so that a line of any length costs no memory. */
static drh_status skip_line(struct input *in, struct input_item *item, drh_error *e)
{
    uint64_t line = in->line;

    for (;;) {
        const char *nl = memchr(in->buf + in->start, '\n', in->end - in->start);
        drh_status  st;

        if (nl) {
            in->start = (size_t)(nl - in->buf) + 1;
            in->line++;
            break;
        }
        in->start = in->end;
        st = fill(in, e);
        if (st == DRH_END) {
            break;
        }
        if (st != DRH_OK) {
            return st;
        }
    }
    return refuse(in, item, "line_too_long", line, "the line is longer than %zu bytes",
                  in->limits.max_record);
}

static drh_status last_line(struct input *in, struct input_item *item, drh_error *e)
{
    const char *p = in->buf + in->start;
    size_t      n = trim(p, in->end - in->start);
    const char *why;

    if (n == 0 || raw_damage(in->raw, &why)) {
        return finish(in, item, in->line, NULL, NULL, e);
    }
    in->start = in->end;
    return give(in, item, p, n, in->line);
}

static drh_status next_line(struct input *in, struct input_item *item, drh_error *e)
{
    size_t seen = 0;

    for (;;) {
        const char *p = in->buf + in->start;
        const char *nl = memchr(p + seen, '\n', in->end - in->start - seen);
        drh_status  st;

        if (nl && (size_t)(nl - p) <= in->limits.max_record) {
            size_t n = trim(p, (size_t)(nl - p));

            in->start += (size_t)(nl - p) + 1;
            in->line++;
            seen = 0;
            if (n) {
                return give(in, item, p, n, in->line - 1);
            }
            continue;
        }
        seen = in->end - in->start;
        if (seen > in->limits.max_record) {
            return skip_line(in, item, e);
        }
        st = fill(in, e);
        if (st != DRH_OK) {
            return st == DRH_END ? last_line(in, item, e) : st;
        }
    }
}

/* ---- elements of an array, and values ------------------------------------------------------ */

/* The file ends inside a value. */
static drh_status cut_element(struct input *in, struct input_item *item, const struct split *s,
                              uint64_t line, drh_error *e)
{
    in->start = in->end;
    if (in->form == F_VALUES) {
        return finish(in, item, line, "broken_values",
                      "the value that starts here does not end: a bracket or quote is missing, or "
                      "the file is cut",
                      e);
    }
    if (s->open == '{' || s->open == '[') {
        return finish(in, item, line, "broken_array",
                      "the element that starts here does not end: a bracket is missing, or the "
                      "file is cut",
                      e);
    }
    return finish(in, item, line, "truncated", "the file ends inside an element", e);
}

/* in->start is at its first byte. */
static drh_status next_element(struct input *in, struct input_item *item, drh_error *e)
{
    struct split s;
    uint64_t     line = in->line;
    size_t       seen = 0;
    bool         too_long = false;
    const char  *why;

    split_begin(&s, in->buf[in->start]);
    for (;;) {
        drh_status st;

        seen += split_run(&s, in->buf + in->start + seen, in->end - in->start - seen);
        if (seen > in->limits.max_record) {
            too_long = true;
        }
        if (too_long) {
            in->start += seen;
            seen = 0;
        }
        if (s.done) {
            break;
        }
        st = fill(in, e);
        if (st == DRH_END && in->form == F_VALUES && s.open == 0 && !raw_damage(in->raw, &why)) {
            break; /* a number ends with the file */
        }
        if (st != DRH_OK) {
            return st == DRH_END ? cut_element(in, item, &s, line, e) : st;
        }
    }
    in->start += seen;
    in->line += s.lines;
    if (in->form != F_VALUES) {
        in->form = F_ARRAY_AFTER;
    }
    if (too_long) {
        return refuse(in, item, "element_too_long", line, "the element is longer than %zu bytes",
                      in->limits.max_record);
    }
    return give(in, item, in->buf + in->start - seen, seen, line);
}

/* Passes a run of punctuation that belongs nowhere, as one item. */
static drh_status junk(struct input *in, struct input_item *item, drh_error *e)
{
    bool        values = in->form == F_VALUES;
    uint64_t    line = in->line;
    char        c = in->buf[in->start];
    const char *set = values ? ",}]" : ",}";

    while (c && strchr(set, c)) {
        drh_status st;

        in->start++;
        st = skip_space(in, e);
        if (st == DRH_END) {
            break;
        }
        if (st != DRH_OK) {
            return st;
        }
        c = in->buf[in->start];
    }
    if (values) {
        return refuse(in, item, "broken_values", line, "a comma or bracket between two values");
    }
    in->form = F_ARRAY_ANY;
    return refuse(in, item, "broken_array", line, "a comma or } where an element should be");
}

static drh_status next_value(struct input *in, struct input_item *item, drh_error *e)
{
    drh_status st = skip_space(in, e);
    char       c;

    if (st != DRH_OK) {
        return st == DRH_END ? finish(in, item, in->line, NULL, NULL, e) : st;
    }
    c = in->buf[in->start];
    return c == ',' || c == ']' || c == '}' ? junk(in, item, e) : next_element(in, item, e);
}

static drh_status after_array(struct input *in, struct input_item *item, drh_error *e)
{
    drh_status st = skip_space(in, e);

    if (st != DRH_OK && st != DRH_END) {
        return st;
    }
    return finish(in, item, in->line, st == DRH_OK ? "broken_array" : NULL,
                  "text after the array's end; one array a file, or one value a line", e);
}

/* At ], perhaps behind a comma too many, which does no harm. */
static drh_status close_array(struct input *in, struct input_item *item, drh_error *e)
{
    in->start++;
    in->form = F_ARRAY_CLOSED;
    return after_array(in, item, e);
}

static drh_status next_in_array(struct input *in, struct input_item *item, drh_error *e)
{
    for (;;) {
        drh_status st = skip_space(in, e);
        char       c;

        if (st != DRH_OK) {
            return st == DRH_END ? finish(in, item, in->line, "truncated",
                                          "the array's ] is missing: the file is cut", e)
                                 : st;
        }
        c = in->buf[in->start];
        if (c == ']') {
            return close_array(in, item, e);
        }
        if (c == ',' && in->form == F_ARRAY_AFTER) {
            in->start++;
            in->form = F_ARRAY_COMMA;
            continue;
        }
        if (c == ',' || c == '}') {
            return junk(in, item, e);
        }
        if (in->form == F_ARRAY_AFTER) {
            in->form = F_ARRAY_ANY;
            return refuse(in, item, "broken_array", in->line, "a comma is missing here");
        }
        return next_element(in, item, e);
    }
}

/* ---- which form ---------------------------------------------------------------------------- */

static drh_status is_json(const char *p, size_t n, bool *yes)
{
    struct arena   *scratch = arena_new();
    struct json_err je;
    uint32_t        type;
    drh_status      st = DRH_E_NOMEM;

    if (scratch) {
        st = json_scan(p, n, scratch, NULL, NULL, &type, &je);
    }
    if (st == DRH_E_DATA && strcmp(je.code, "bad_json") == 0 &&
        (st = json_mend(scratch, &p, &n)) == DRH_OK) {
        st = json_scan(p, n, scratch, NULL, NULL, &type, &je);
    }
    arena_free(scratch);
    *yes = st == DRH_OK;
    return st == DRH_E_DATA ? DRH_OK : st;
}

/* Looks ahead for the first line's end; *n is its length, or SIZE_MAX when it is not near. */
static drh_status find_line_end(struct input *in, size_t *n, drh_error *e)
{
    for (;;) {
        const char *p = in->buf + in->start;
        size_t      held = in->end - in->start;
        const char *nl = memchr(p, '\n', held);
        drh_status  st = DRH_END;

        *n = nl && (size_t)(nl - p) <= in->limits.sniff ? (size_t)(nl - p) : SIZE_MAX;
        if (nl || held > in->limits.sniff) {
            return DRH_OK;
        }
        st = fill(in, e);
        if (st != DRH_OK) {
            return st == DRH_END ? DRH_OK : st;
        }
    }
}

/* Length of the first value, looking at most `most` bytes ahead; 0: it does not end there. */
static drh_status first_value(struct input *in, size_t most, size_t *n, drh_error *e)
{
    struct split s;

    *n = 0;
    split_begin(&s, in->buf[in->start]);
    for (;;) {
        drh_status st;

        *n += split_run(&s, in->buf + in->start + *n, in->end - in->start - *n);
        if (s.done && *n <= most) {
            return DRH_OK;
        }
        st = *n > most ? DRH_END : fill(in, e);
        if (st != DRH_OK) {
            *n = 0;
            return st == DRH_END ? DRH_OK : st;
        }
    }
}

/* Values when the first one is whole only across lines.  A file of lines whose first line is broken
 * stays a file of lines: what the splitter finds there is no JSON. */
static drh_status lines_or_values(struct input *in, drh_error *e)
{
    size_t     line, value;
    size_t     most = in->limits.sniff;
    bool       yes = false;
    drh_status st = find_line_end(in, &line, e);

    in->form = F_LINES;
    if (st != DRH_OK || line == SIZE_MAX) {
        return st;
    }
    st = is_json(in->buf + in->start, line, &yes);
    if (st != DRH_OK || yes) {
        return st == DRH_E_NOMEM ? err_nomem(e, "JSON") : st;
    }
    /* "{" alone on its line opens a pretty-printed object, so its end is worth a long look. */
    if (in->buf[in->start] == '{' && trim(in->buf + in->start, line) == 1) {
        most = in->limits.max_record;
    }
    st = first_value(in, most, &value, e);
    if (st != DRH_OK || value <= line) {
        return st;
    }
    st = is_json(in->buf + in->start, value, &yes);
    if (st == DRH_OK && yes) {
        in->form = F_VALUES;
    }
    return st == DRH_E_NOMEM ? err_nomem(e, "JSON") : st;
}

static drh_status skip_bom(struct input *in, drh_error *e)
{
    while (in->end - in->start < 3) {
        drh_status st = fill(in, e);

        if (st == DRH_END) {
            break;
        }
        if (st != DRH_OK) {
            return st;
        }
    }
    if (in->end - in->start >= 3 && memcmp(in->buf + in->start, "\xef\xbb\xbf", 3) == 0) {
        in->start += 3;
    }
    return DRH_OK;
}

static drh_status find_form(struct input *in, drh_error *e)
{
    drh_status st = skip_bom(in, e);

    if (st == DRH_OK) {
        st = skip_space(in, e);
    }
    if (st != DRH_OK) {
        in->form = st == DRH_END ? F_LINES : F_UNKNOWN; /* an empty file of lines */
        return st == DRH_END ? DRH_OK : st;
    }
    if (in->buf[in->start] != '[') {
        return lines_or_values(in, e);
    }
    in->start++;
    in->form = F_ARRAY_FIRST;
    return DRH_OK;
}

/* ---- the interface ------------------------------------------------------------------------- */

static drh_status open_at(struct input *in, const char *path, const struct input_pos *pos,
                          drh_error *e)
{
    drh_status st = resize(in, 2 * in->limits.chunk, e);

    if (st == DRH_OK) {
        st = raw_open(&in->raw, path, in->limits.chunk, e);
    }
    if (st != DRH_OK || !pos || pos->form == F_UNKNOWN) {
        return st;
    }
    if (pos->form > F_ENDED) {
        return err_set(e, DRH_E_UNSUPPORTED, "position in %s is of a newer version (form %u)", path,
                       pos->form);
    }
    in->base = pos->offset;
    in->row = pos->row;
    in->line = pos->line;
    in->form = (enum input_form)pos->form;
    return in->form == F_ENDED ? DRH_OK : raw_seek(in->raw, pos->offset, e);
}

drh_status input_open(struct input **out, const char *path, const struct input_pos *pos,
                      drh_error *e)
{
    struct input *in = mem_alloc(1, sizeof(*in));
    drh_status    st;

    *out = NULL;
    if (!in) {
        return err_nomem(e, "an input file");
    }
    in->limits = input_limits;
    in->line = 1;
    st = open_at(in, path, pos, e);
    if (st != DRH_OK) {
        input_close(in);
        return st;
    }
    *out = in;
    return DRH_OK;
}

drh_status input_next(struct input *in, struct input_item *item, drh_error *e)
{
    if (in->form == F_UNKNOWN) {
        drh_status st = find_form(in, e);

        if (st != DRH_OK) {
            return st;
        }
    }
    switch (in->form) {
    case F_LINES:
        return next_line(in, item, e);
    case F_VALUES:
        return next_value(in, item, e);
    case F_ARRAY_FIRST:
    case F_ARRAY_AFTER:
    case F_ARRAY_COMMA:
    case F_ARRAY_ANY:
        return next_in_array(in, item, e);
    case F_ARRAY_CLOSED:
        return after_array(in, item, e);
    case F_UNKNOWN:
    case F_ENDED:
        break;
    }
    drh_status st = raw_drain(in->raw, e);
    return st == DRH_OK ? DRH_END : st;
}

void input_tell(const struct input *in, struct input_pos *pos)
{
    *pos = (struct input_pos){in->base + in->start, in->row, in->line, (uint32_t)in->form};
}

uint64_t input_read(const struct input *in)
{
    return raw_read(in->raw);
}

size_t input_held(const struct input *in)
{
    return in->cap;
}

void input_want_digest(struct input *in)
{
    raw_want_digest(in->raw);
}

drh_status input_digest(const struct input *in, uint8_t out[32])
{
    return raw_digest(in->raw, out);
}

void input_close(struct input *in)
{
    if (in) {
        raw_close(in->raw);
        mem_free(in->buf);
        mem_free(in);
    }
}
