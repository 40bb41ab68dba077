/* SPDX-License-Identifier: MIT
 * values.c - see values.h. */
#include "values.h"

enum { LOOK = 1 << 20 }; /* bytes that may tell lines from values */

/* ---- where a value ends ---- */

/* A broken value should cost only itself: brackets of its own kind count, and a line break ends a
 * text, since JSON has none there. */
struct split {
    char     open, close; /* 0: a number or a word */
    bool     in_text, escape, done;
    uint32_t depth;
    uint64_t lines;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_word(char c)
{
    return is_space(c) || (c && strchr(",]}[{\"", c));
}

static void split_begin(struct split *s, char first)
{
    memset(s, 0, sizeof(*s));
    if (first == '{' || first == '[' || first == '"') {
        s->open = first;
        s->close = first == '{' ? '}' : first == '[' ? ']' : '"';
    }
}

static void split_byte(struct split *s, char c)
{
    if (c == '\n') {
        s->in_text = s->escape = false;
        s->lines++;
    } else if (s->escape) {
        s->escape = false;
    } else if (s->in_text) {
        s->escape = c == '\\';
        s->in_text = c != '"';
    } else if (c == '"') {
        s->in_text = true;
    } else if (c == s->open) {
        s->depth++;
    } else if (c == s->close) {
        s->depth--;
        s->done = s->depth == 0;
    }
}

/* Bytes of p[0,n) that belong to the value; s->done: it ends behind them. */
static size_t split_run(struct split *s, const char *p, size_t n)
{
    size_t i = 0;

    if (s->open == 0) {
        while (i < n && !ends_word(p[i])) {
            i++;
        }
        s->done = i < n;
        return i;
    }
    if (s->open == '"') {
        for (; i < n && !s->done; i++) {
            if (p[i] == '\n') { /* a token of its own */
                s->done = true;
                return i;
            }
            split_byte(s, p[i]);
            s->depth = 1;
            s->done = !s->in_text;
        }
        return i;
    }
    while (i < n && !s->done) {
        split_byte(s, p[i++]);
    }
    return i;
}

/* ---- items ---- */

static drh_status give(struct values_item *item, const char *p, size_t n, uint64_t line)
{
    *item = (struct values_item){.text = {p, n}, .line = line};
    return DRH_OK;
}

static drh_status refuse(struct values_item *item, uint64_t line, const char *code, const char *why)
{
    *item = (struct values_item){.line = line, .code = code, .why = why};
    return DRH_OK;
}

/* The last one of this text. */
static drh_status last(struct values *v, struct values_item *item, uint64_t line, const char *code,
                       const char *why)
{
    v->form = VALUES_ENDED;
    return refuse(item, line, code, why);
}

/* More bytes; DRH_END: there are none. */
static drh_status more(struct values *v, drh_error *e)
{
    const size_t held = text_in_held(&v->in);
    drh_status   st = text_in_more(&v->in, e);

    return st == DRH_OK && v->in.end && text_in_held(&v->in) == held ? DRH_END : st;
}

static drh_status skip_space(struct values *v, drh_error *e)
{
    for (;;) {
        const char  *p = text_in_ptr(&v->in);
        const size_t n = text_in_held(&v->in);
        size_t       i;
        drh_status   st;

        for (i = 0; i < n && is_space(p[i]); i++) {
            v->line += p[i] == '\n';
        }
        text_in_take(&v->in, i);
        if (i < n) {
            return DRH_OK;
        }
        st = more(v, e);
        if (st != DRH_OK) {
            return st;
        }
    }
}

/* ---- lines ---- */

static size_t trim(const char *p, size_t n)
{
    while (n && is_space(p[n - 1])) {
        n--;
    }
    return n;
}

static bool is_blank(const char *p, size_t n)
{
    return trim(p, n) == 0;
}

/* Past the end of a line that is longer than what can be held. */
static drh_status skip_line(struct values *v, struct values_item *item, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK) {
        const char *p = text_in_ptr(&v->in), *nl = memchr(p, '\n', text_in_held(&v->in));

        text_in_take(&v->in, nl ? (size_t)(nl - p) + 1 : text_in_held(&v->in));
        if (nl) {
            break;
        }
        st = more(v, e);
    }
    if (st != DRH_OK && st != DRH_END) {
        return st;
    }
    return refuse(item, v->line++, "line_too_long", "the line is longer than 64 MiB");
}

static drh_status next_line(struct values *v, struct values_item *item, drh_error *e)
{
    size_t seen = 0;

    for (;;) {
        const char  *p = text_in_ptr(&v->in);
        const size_t held = text_in_held(&v->in);
        const char  *nl = memchr(p + seen, '\n', held - seen);
        const size_t n = nl ? (size_t)(nl - p) : held;
        drh_status   st = nl ? DRH_OK : more(v, e);

        if (st == DRH_OK && !nl) {
            seen = held;
            continue;
        }
        if (st == DRH_E_RANGE) {
            return skip_line(v, item, e);
        }
        if (st != DRH_OK && (st != DRH_END || held == 0)) {
            return st;
        }
        p = text_in_ptr(&v->in);
        text_in_take(&v->in, n + (nl != NULL));
        v->line++;
        seen = 0;
        if (!is_blank(p, n)) {
            return give(item, p, trim(p, n), v->line - 1);
        }
    }
}

/* ---- elements and values ---- */

static drh_status cut(struct values *v, struct values_item *item, const struct split *s,
                      uint64_t line)
{
    text_in_take(&v->in, text_in_held(&v->in));
    if (v->form != VALUES_FREE && s->open != '{' && s->open != '[') {
        return last(v, item, line, "truncated", "the text ends inside an element");
    }
    return last(v, item, line, v->form == VALUES_FREE ? "broken_values" : "broken_array",
                "the value that starts here does not end: a bracket or quote is missing, or the "
                "text is cut");
}

static drh_status next_element(struct values *v, struct values_item *item, drh_error *e)
{
    const uint64_t line = v->line;
    struct split   s;
    size_t         seen = 0;
    bool           too_long = false;
    drh_status     st = DRH_OK;

    split_begin(&s, *text_in_ptr(&v->in));
    for (;;) {
        seen += split_run(&s, text_in_ptr(&v->in) + seen, text_in_held(&v->in) - seen);
        if (s.done) {
            break;
        }
        if (too_long) {
            text_in_take(&v->in, seen);
            seen = 0;
        }
        st = more(v, e);
        if (st == DRH_E_RANGE) {
            too_long = true;
            continue;
        }
        if (st == DRH_END && v->form == VALUES_FREE && s.open == 0) {
            break; /* a number ends with the text */
        }
        if (st != DRH_OK) {
            return st == DRH_END ? cut(v, item, &s, line) : st;
        }
    }
    v->line += s.lines;
    v->form = v->form == VALUES_FREE ? VALUES_FREE : VALUES_ARRAY_AFTER;
    if (too_long) {
        (void)refuse(item, line, "element_too_long", "the element is longer than 64 MiB");
    } else {
        (void)give(item, text_in_ptr(&v->in), seen, line);
    }
    text_in_take(&v->in, seen);
    return DRH_OK;
}

/* A run of punctuation that belongs nowhere, as one item. */
static drh_status junk(struct values *v, struct values_item *item, drh_error *e)
{
    const bool     is_free = v->form == VALUES_FREE;
    const uint64_t line = v->line;
    const char    *set = is_free ? ",}]" : ",}";
    drh_status     st = DRH_OK;

    while (st == DRH_OK && *text_in_ptr(&v->in) && strchr(set, *text_in_ptr(&v->in))) {
        text_in_take(&v->in, 1);
        st = skip_space(v, e);
    }
    if (st != DRH_OK && st != DRH_END) {
        return st;
    }
    v->form = is_free ? VALUES_FREE : VALUES_ARRAY_ANY;
    return is_free ? refuse(item, line, "broken_values", "a comma or bracket between two values")
                   : refuse(item, line, "broken_array", "a comma or } where an element should be");
}

static drh_status next_value(struct values *v, struct values_item *item, drh_error *e)
{
    drh_status st = skip_space(v, e);
    char       c;

    if (st != DRH_OK) {
        return st;
    }
    c = *text_in_ptr(&v->in);
    return c == ',' || c == ']' || c == '}' ? junk(v, item, e) : next_element(v, item, e);
}

/* Nothing may follow. */
static drh_status after_array(struct values *v, struct values_item *item, drh_error *e)
{
    drh_status st = skip_space(v, e);

    return st == DRH_OK ? last(v, item, v->line, "broken_array",
                               "text after the array's end; one array a file, or one value a line")
                        : st;
}

/* At ], perhaps behind a comma too many, which does no harm. */
static drh_status close_array(struct values *v, struct values_item *item, drh_error *e)
{
    text_in_take(&v->in, 1);
    v->form = VALUES_ARRAY_CLOSED;
    return after_array(v, item, e);
}

static drh_status next_in_array(struct values *v, struct values_item *item, drh_error *e)
{
    for (;;) {
        drh_status st = skip_space(v, e);
        char       c;

        if (st != DRH_OK) {
            return st == DRH_END ? last(v, item, v->line, "truncated",
                                        "the array's ] is missing: the text is cut")
                                 : st;
        }
        c = *text_in_ptr(&v->in);
        if (c == ']') {
            return close_array(v, item, e);
        }
        if (c == ',' && v->form == VALUES_ARRAY_AFTER) {
            text_in_take(&v->in, 1);
            v->form = VALUES_ARRAY_COMMA;
            continue;
        }
        if (c == ',' || c == '}') {
            return junk(v, item, e);
        }
        if (v->form == VALUES_ARRAY_AFTER) {
            v->form = VALUES_ARRAY_ANY;
            return refuse(item, v->line, "broken_array", "a comma is missing here");
        }
        return next_element(v, item, e);
    }
}

/* ---- which form ---- */

static drh_status is_json(const struct values *v, size_t n, bool *yes, drh_error *e)
{
    const drh_host *h = v->in.host;
    drh_json       *doc = NULL;
    drh_value       root;
    drh_error       why = DRH_ERROR_INIT;
    drh_status      st = h->json_open(h, v->in.buf + v->in.at, n, &doc, &root, &why);

    h->json_close(doc);
    *yes = st == DRH_OK;
    if (st != DRH_OK && st != DRH_E_DATA) {
        *e = why;
        return st;
    }
    return DRH_OK;
}

/* Length of the first line, or of the first value; 0: it does not end within `most` bytes. */
static drh_status look_ahead(struct values *v, bool line, size_t most, size_t *n, drh_error *e)
{
    struct split s;
    drh_status   st = DRH_OK;

    *n = 0;
    split_begin(&s, *text_in_ptr(&v->in));
    while (st == DRH_OK && !s.done) {
        const char  *p = text_in_ptr(&v->in);
        const size_t held = text_in_held(&v->in);
        const char  *nl = line ? memchr(p + *n, '\n', held - *n) : NULL;

        *n = line ? (nl ? (size_t)(nl - p) : held) : *n + split_run(&s, p + *n, held - *n);
        s.done = s.done || nl;
        st = s.done || *n > most ? (s.done ? DRH_OK : DRH_END) : more(v, e);
    }
    if (!s.done || *n > most) {
        *n = 0;
    }
    return st == DRH_END || st == DRH_E_RANGE ? DRH_OK : st;
}

/* Values when the first one is whole only across lines; a file of lines whose first line is broken
 * stays one. */
static drh_status lines_or_values(struct values *v, drh_error *e)
{
    size_t     line, value, most = LOOK;
    bool       yes = false;
    drh_status st = look_ahead(v, true, LOOK, &line, e);

    v->form = VALUES_LINES;
    st = st == DRH_OK && line ? is_json(v, line, &yes, e) : st;
    if (st != DRH_OK || line == 0 || yes) {
        return st;
    }
    /* "{" alone on its line opens an object that is written for people, of any length. */
    if (*text_in_ptr(&v->in) == '{' && trim(text_in_ptr(&v->in), line) == 1) {
        most = TEXT_MAX_ROW;
    }
    st = look_ahead(v, false, most, &value, e);
    st = st == DRH_OK && value > line ? is_json(v, value, &yes, e) : st;
    v->form = st == DRH_OK && yes ? VALUES_FREE : VALUES_LINES;
    return st;
}

static drh_status find_form(struct values *v, drh_error *e)
{
    drh_status st = skip_space(v, e);

    if (st != DRH_OK) {
        return st;
    }
    if (*text_in_ptr(&v->in) != '[') {
        return lines_or_values(v, e);
    }
    text_in_take(&v->in, 1);
    v->form = VALUES_ARRAY_FIRST;
    return DRH_OK;
}

/* ---- the interface ---- */

drh_status values_begin(struct values *v, text_read read, void *from, drh_error *e)
{
    v->line = 1;
    v->form = VALUES_UNKNOWN;
    return text_in_begin(&v->in, read, from, 0, e);
}

drh_status values_resume(struct values *v, text_read read, void *from, uint64_t offset,
                         uint64_t line, enum values_form form, drh_error *e)
{
    drh_status st = text_in_begin(&v->in, read, from, 0, e);

    v->line = line;
    v->form = form;
    while (st == DRH_OK && v->in.offset < offset) {
        const uint64_t far = offset - v->in.offset;
        const size_t   held = text_in_held(&v->in);

        text_in_take(&v->in, far < held ? (size_t)far : held);
        st = far > held ? more(v, e) : DRH_OK;
    }
    return st == DRH_END ? drh_fail(e, DRH_E_ARG, "the member is shorter now; has it changed?")
                         : st;
}

drh_status values_next(struct values *v, struct values_item *item, drh_error *e)
{
    drh_status st = v->form == VALUES_UNKNOWN ? find_form(v, e) : DRH_OK;

    if (st != DRH_OK || v->form == VALUES_ENDED) {
        return st != DRH_OK ? st : DRH_END;
    }
    if (v->form == VALUES_LINES) {
        return next_line(v, item, e);
    }
    if (v->form == VALUES_ARRAY_CLOSED) {
        return after_array(v, item, e);
    }
    return v->form == VALUES_FREE ? next_value(v, item, e) : next_in_array(v, item, e);
}
