/* SPDX-License-Identifier: MIT
 * csv.c - see csv.h. */
#include "csv.h"

enum state { START, PLAIN, QUOTED, AFTER_QUOTE, AFTER_CR, DONE };

/* A row is unquoted in place: what is written never overtakes what is read.  Places are counted
 * from the row's start, since its bytes move when more are read. */
struct scan {
    struct csv_form form;
    enum state      state;
    size_t          read, write, field; /* field: where the present one starts */
    int             quoted;             /* some field is */
};

static void move(struct scan *s, char *row, size_t n)
{
    if (s->write != s->read) {
        memmove(row + s->write, row + s->read, n);
    }
    s->write += n;
    s->read += n;
}

static drh_status end_field(struct scan *s, struct csv_row *row, const drh_host *h, drh_error *e)
{
    if (row->n == row->cap) {
        const size_t cap = row->cap ? row->cap * 2 : 32;
        drh_str     *more = NULL;
        if (row->n >= CSV_MAX_FIELDS) {
            return drh_fail(e, DRH_E_DATA, "more than %d fields in a row; is this its delimiter?",
                            CSV_MAX_FIELDS);
        }
        more = h->alloc(h, row->field, cap * sizeof(*more));
        if (!more) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory for the fields of a row");
        }
        row->field = more;
        row->cap = cap;
    }
    /* a place for now; read_row makes a pointer of it */
    row->field[row->n].ptr = NULL;
    row->field[row->n++].len = s->write - s->field;
    s->field = s->write;
    return DRH_OK;
}

static size_t plain_len(const struct scan *s, const char *p, size_t n)
{
    const char d = s->form.delimiter;
    size_t     i = 0;

    while (i < n && p[i] != d && p[i] != '\n' && p[i] != '\r') {
        i++;
    }
    return i;
}

static drh_status in_plain(struct scan *s, char *text, size_t left, struct csv_row *row,
                           const drh_host *h, drh_error *e)
{
    const size_t n = plain_len(s, text + s->read, left);
    char         c;

    move(s, text, n);
    if (n == left) {
        return DRH_OK;
    }
    c = text[s->read++];
    s->state = c == '\n' ? DONE : c == '\r' ? AFTER_CR : START;
    return end_field(s, row, h, e);
}

static void in_quotes(struct scan *s, char *text, size_t left)
{
    const char *p = text + s->read, *q = memchr(p, s->form.quote, left);
    size_t      n = q ? (size_t)(q - p) : left;

    move(s, text, n);
    if (q) {
        s->read++;
        s->state = AFTER_QUOTE;
    }
}

static void after_quote(struct scan *s, char *text)
{
    if (text[s->read] == s->form.quote) {
        move(s, text, 1);
        s->state = QUOTED;
    } else {
        s->state = PLAIN;
    }
}

/* Goes on with text[read, held); stops when the row is whole or all is read. */
static drh_status run(struct scan *s, char *text, size_t held, struct csv_row *row,
                      const drh_host *h, drh_error *e)
{
    drh_status st = DRH_OK;

    while (st == DRH_OK && s->state != DONE && s->read < held) {
        const size_t left = held - s->read;
        switch (s->state) {
        case START:
            s->state = PLAIN;
            if (s->form.quote && text[s->read] == s->form.quote) {
                s->read++;
                s->quoted = 1;
                s->state = QUOTED;
            }
            break;
        case PLAIN:
            st = in_plain(s, text, left, row, h, e);
            break;
        case QUOTED:
            in_quotes(s, text, left);
            break;
        case AFTER_QUOTE:
            after_quote(s, text);
            break;
        case AFTER_CR:
            s->read += text[s->read] == '\n';
            s->state = DONE;
            break;
        case DONE:
            break;
        }
    }
    return st;
}

/* The file's end ends a row, too. */
static drh_status at_end(struct scan *s, struct csv_row *row, const drh_host *h, drh_error *e)
{
    if (s->read == 0) {
        return DRH_END;
    }
    if (s->state == QUOTED) {
        return drh_fail(e, DRH_E_DATA,
                        "a quote that opens in this row is never closed: mend it, or set quote to "
                        "\"\" where quotes mean nothing");
    }
    return s->state == AFTER_CR ? DRH_OK : end_field(s, row, h, e);
}

static drh_status read_row(struct text_in *in, struct csv_form form, struct csv_row *row,
                           drh_error *e)
{
    struct scan s = {.form = form};
    char       *p;
    drh_status  st = DRH_OK;

    row->n = 0;
    while (st == DRH_OK && s.state != DONE) {
        st = run(&s, text_in_ptr(in), text_in_held(in), row, in->host, e);
        if (st == DRH_OK && s.state != DONE) {
            if (in->end) {
                st = at_end(&s, row, in->host, e);
                break;
            }
            st = text_in_more(in, e);
        }
    }
    if (st != DRH_OK) {
        return st;
    }
    p = text_in_ptr(in);
    for (size_t i = 0; i < row->n; i++) {
        row->field[i].ptr = p;
        p += row->field[i].len;
    }
    row->size = s.read;
    row->blank = row->n == 1 && row->field[0].len == 0 && !s.quoted;
    return DRH_OK;
}

drh_status csv_next(struct text_in *in, struct csv_form form, struct csv_row *row, drh_error *e)
{
    drh_status st;

    do {
        st = read_row(in, form, row, e);
        if (st == DRH_OK) {
            text_in_take(in, row->size);
        }
    } while (st == DRH_OK && row->blank);
    return st;
}

void csv_row_free(const drh_host *h, struct csv_row *row)
{
    if (row->field) {
        (void)h->alloc(h, row->field, 0);
    }
    memset(row, 0, sizeof(*row));
}

/* ---- guesses over a head ------------------------------------------------------------------- */

/* Past one row of p[0,n); its fields are counted.  Returns n and *whole 0 when it does not end. */
static size_t pass_row(const char *p, size_t n, struct csv_form form, size_t *fields, int *whole)
{
    int    quoted = 0;
    size_t i = 0, start = 0;

    *fields = 1;
    *whole = 0;
    for (; i < n && !*whole; i++) {
        if (quoted) {
            if (p[i] == form.quote && i + 1 < n && p[i + 1] == form.quote) {
                i++;
            } else if (p[i] == form.quote) {
                quoted = 0;
            }
        } else if (form.quote && p[i] == form.quote && i == start) {
            quoted = 1;
        } else if (p[i] == form.delimiter) {
            ++*fields;
            start = i + 1;
        } else if (p[i] == '\n' || p[i] == '\r') {
            *whole = 1;
            i += p[i] == '\r' && i + 1 < n && p[i + 1] == '\n';
        }
    }
    return i;
}

char csv_guess(const char *p, size_t n, char quote)
{
    static const char usual[] = {',', '\t', ';', '|'};
    size_t            most = 1;
    char              best = 0;

    for (size_t i = 0; i < sizeof(usual); i++) {
        size_t fields;
        int    whole;
        (void)pass_row(p, n, (struct csv_form){usual[i], quote}, &fields, &whole);
        if (fields > most) {
            most = fields;
            best = usual[i];
        }
    }
    return best;
}

size_t csv_alike(const char *p, size_t n, struct csv_form form, size_t *fields, int *unlike)
{
    size_t rows = 0;

    *fields = 0;
    *unlike = 0;
    while (n) {
        size_t       count;
        int          whole;
        const size_t k = pass_row(p, n, form, &count, &whole);
        const int    blank = p[0] == '\n' || p[0] == '\r';
        if (whole && !blank) {
            *fields = rows ? *fields : count;
            *unlike = *unlike || count != *fields;
            rows++;
        }
        p += k;
        n -= k;
    }
    return rows;
}
