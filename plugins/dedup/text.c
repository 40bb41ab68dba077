/* SPDX-License-Identifier: MIT
 *
 * text.c - the parts of a record that are compared, normalised; see dedup.h.  On the worker's
 * thread.
 */
#include "dedup.h"

#include <utf8proc.h>

/* ---- buffers ------------------------------------------------------------------------------- */

drh_status dedup_room(struct dedup_buf *b, size_t more)
{
    if (more > SIZE_MAX / 4 - b->len) {
        return DRH_E_NOMEM;
    }
    if (b->len + more > b->cap) {
        size_t   cap = 2 * (b->len + more) + 256;
        uint8_t *p = b->host->alloc(b->host, b->ptr, cap);
        if (!p) {
            return DRH_E_NOMEM;
        }
        b->ptr = p;
        b->cap = cap;
    }
    return DRH_OK;
}

drh_status dedup_add(struct dedup_buf *b, const void *p, size_t len)
{
    drh_status st = dedup_room(b, len);
    if (st == DRH_OK && len > 0) {
        memcpy(b->ptr + b->len, p, len);
        b->len += len;
    }
    return st;
}

void dedup_buf_free(struct dedup_buf *b)
{
    if (b->host) {
        (void)b->host->alloc(b->host, b->ptr, 0);
    }
}

/* ---- normalisation ------------------------------------------------------------------------- */

/* Characters that NFC and case folding leave alone whatever is beside them: kana, Han, Hangul, and
 * the punctuation that goes with them, so nearly all of an East Asian text. */
static bool inert(int32_t c)
{
    return (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0x3041 && c <= 0x3096) || (c >= 0x30a0 && c <= 0x30ff) ||
           (c >= 0x3000 && c <= 0x3029) || (c >= 0x2010 && c <= 0x205e) ||
           (c >= 0xff01 && c <= 0xff20);
}

static bool is_plain(drh_str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t         at = 0;
    while (at < s.len) {
        int32_t c = p[at];
        if (c < 0x80) {
            at++;
            continue;
        }
        if (c < 0xe0 || c >= 0xf0 || at + 2 >= s.len) {
            return false;
        }
        c = (c & 15) << 12 | (p[at + 1] & 63) << 6 | (p[at + 2] & 63);
        if (!inert(c)) {
            return false;
        }
        at += 3;
    }
    return true;
}

/* NFC, in small letters if asked for; *out is in w->points. */
static drh_status compose(struct dedup_worker *w, drh_str s, drh_str *out)
{
    utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    utf8proc_ssize_t  n;
    size_t            cap;

    how |= w->d->fold_case ? UTF8PROC_CASEFOLD : 0;
    for (cap = s.len + 16;; cap = (size_t)n) {
        w->points.len = 0;
        if (dedup_room(&w->points, (cap + 1) * sizeof(int32_t)) != DRH_OK) {
            return DRH_E_NOMEM;
        }
        n = utf8proc_decompose((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len,
                               (utf8proc_int32_t *)(void *)w->points.ptr, (utf8proc_ssize_t)cap,
                               how);
        if (n <= (utf8proc_ssize_t)cap) {
            break;
        }
    }
    n = n < 0 ? n : utf8proc_reencode((utf8proc_int32_t *)(void *)w->points.ptr, n, how);
    if (n < 0) { /* no valid UTF-8, which the host does not let in */
        *out = s;
        return DRH_OK;
    }
    out->ptr = (const char *)w->points.ptr;
    out->len = (size_t)n;
    return DRH_OK;
}

/* Bytes of the white space at p (Unicode's White_Space), or 0. */
static size_t space_at(const uint8_t *p, size_t left)
{
    if (p[0] == ' ' || (p[0] >= '\t' && p[0] <= '\r')) {
        return 1;
    }
    if (p[0] == 0xc2 && left > 1 && (p[1] == 0x85 || p[1] == 0xa0)) {
        return 2;
    }
    if (left > 2 && p[0] == 0xe2) {
        return (p[1] == 0x80 && (p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf)) ||
                       (p[1] == 0x81 && p[2] == 0x9f)
                   ? 3
                   : 0;
    }
    return left > 2 && ((p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) ||
                        (p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80))
               ? 3
               : 0;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Bytes of the punctuation at p (Unicode's categories P), or 0. */
static size_t punctuation_at(const uint8_t *p, size_t left)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n;

    if (p[0] >= 'a' && p[0] <= 'z') {
        return 0;
    }
    n = utf8proc_iterate(p, (utf8proc_ssize_t)left, &c);
    if (n <= 0) {
        return 0;
    }
    return utf8proc_category(c) >= UTF8PROC_CATEGORY_PC &&
                   utf8proc_category(c) <= UTF8PROC_CATEGORY_PO
               ? (size_t)n
               : 0;
}

/* One blank for each run of what is left out, none at the ends. */
static size_t squeeze(const struct dedup *d, uint8_t *to, const uint8_t *p, size_t len)
{
    size_t n = 0, at = 0;
    bool   gap = false;
    while (at < len) {
        size_t out = d->fold_space ? space_at(p + at, len - at) : 0;
        if (!out && d->fold_punctuation) {
            out = punctuation_at(p + at, len - at);
        }
        if (out) {
            gap = true;
            at += out;
            continue;
        }
        if (gap && n > 0) {
            to[n++] = ' ';
        }
        gap = false;
        to[n++] = d->fold_case ? lower(p[at]) : p[at];
        at++;
    }
    return n;
}

drh_status dedup_normalise(struct dedup_worker *w, drh_str s)
{
    if (!is_plain(s) && compose(w, s, &s) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    if (dedup_room(&w->text, s.len) != DRH_OK) {
        return DRH_E_NOMEM;
    }
    w->text.len += squeeze(w->d, w->text.ptr + w->text.len, (const uint8_t *)s.ptr, s.len);
    return DRH_OK;
}

/* ---- parts --------------------------------------------------------------------------------- */

static drh_status add_part(struct dedup_worker *w, drh_str s, bool word)
{
    struct dedup_part part = {.at = w->text.len, .word = word};
    drh_status        st =
        word ? dedup_add(&w->text, s.ptr, s.len) : dedup_normalise(w, s.ptr ? s : drh_str_of(""));
    part.len = w->text.len - part.at;
    return st == DRH_OK ? dedup_add(&w->part, &part, sizeof(part)) : st;
}

static drh_str role_word(const drh_turn *t)
{
    static const char *const word[] = {NULL,  "system",        "human",
                                       "gpt", "function_call", "observation"};
    return t->role != DRH_ROLE_UNKNOWN && t->role <= DRH_ROLE_RESULT ? drh_str_of(word[t->role])
                                                                     : t->role_name;
}

/* Parts, null and the like: as they are written. */
static drh_status add_turn(struct dedup_worker *w, const drh_turn *t)
{
    const drh_value_api *v = w->d->host->values;
    drh_status           st;

    if (w->d->questions && t->role != DRH_ROLE_USER) {
        return DRH_OK;
    }
    st = add_part(w, role_word(t), true);
    return st != DRH_OK              ? st
           : t->type == DRH_T_STRING ? add_part(w, t->text, false)
           : t->type == DRH_T_NONE   ? add_part(w, drh_str_of(""), false)
                                     : add_part(w, v->json(&t->content), false);
}

/* The system text, then role and text of each turn: a system turn at the start counts as the system
 * text, so the two dialects compare. */
static drh_status add_conversation(struct dedup_worker *w, const drh_record *r)
{
    const struct dedup   *d = w->d;
    const drh_record_api *api = d->host->records;
    drh_str               system = {"", 0};
    drh_value             list;
    drh_turns             turns;
    drh_turn              turn;
    drh_status            more, st = DRH_OK;

    if ((api->get_value(r, d->conversations, &list) != DRH_OK &&
         api->get_value(r, d->messages, &list) != DRH_OK) ||
        drh_turns_in(&turns, d->host, &list) != DRH_OK) {
        return DRH_E_MISSING;
    }
    (void)api->get_str(r, d->system, &system);
    more = drh_turns_next(&turns, &turn);
    if (more == DRH_OK && turn.role == DRH_ROLE_SYSTEM && turn.type == DRH_T_STRING &&
        system.len == 0) {
        system = turn.text;
        more = drh_turns_next(&turns, &turn);
    }
    if (!d->questions && (system.len > 0 || more != DRH_END)) {
        st = add_part(w, system, false);
    }
    for (; st == DRH_OK && more != DRH_END; more = drh_turns_next(&turns, &turn)) {
        if (more == DRH_E_NOMEM) {
            return more;
        }
        if (more == DRH_OK) {
            st = add_turn(w, &turn);
        } else if (!d->questions) { /* no object */
            st = add_part(w, d->host->values->json(&turn.turn), false);
        }
    }
    return st == DRH_OK && w->part.len == 0 ? DRH_E_MISSING : st;
}

/* Texts are normalised, anything else is compared as it is written; one of them has to be there. */
static drh_status add_fields(struct dedup_worker *w, const drh_record *r)
{
    const drh_record_api *api = w->d->host->records;
    bool                  any = false;
    drh_status            st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < w->d->n_fields; i++) {
        drh_str s;
        bool    text = api->get_str(r, w->d->field[i], &s) == DRH_OK;
        bool    there = text || api->get_json(r, w->d->field[i], &s) == DRH_OK;
        any = any || there;
        st = add_part(w, drh_str_of(text ? "text" : there ? "json" : ""), true);
        st = st == DRH_OK ? add_part(w, there ? s : drh_str_of(""), false) : st;
    }
    return st == DRH_OK && !any ? DRH_E_MISSING : st;
}

drh_status dedup_text(struct dedup_worker *w, const drh_record *r)
{
    w->text.len = w->part.len = 0;
    return w->d->n_fields ? add_fields(w, r) : add_conversation(w, r);
}

/* ---- what both stages begin with ------------------------------------------------------------- */

drh_status dedup_read_fields(struct dedup *d, const drh_config *c, drh_error *e)
{
    const drh_host *h = d->host;
    drh_value       list, item;
    drh_str         s;
    drh_status      st;

    if (h->config->get_value(c, "/fields", &list) != DRH_OK) {
        return DRH_OK;
    }
    for (st = h->values->child(&list, &item); st == DRH_OK && d->n_fields < DEDUP_FIELDS;
         st = h->values->next(&item)) {
        if (h->values->str(&item, &s) != DRH_OK) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
        d->field[d->n_fields] = h->field(h, s.ptr, s.len);
        if (d->field[d->n_fields++] == DRH_FIELD_NONE) {
            return drh_fail(e, DRH_E_CONFIG,
                            "fields: \"%.*s\" is no field; write a name, or a JSON Pointer such as "
                            "\"/metadata/id\"",
                            (int)(s.len < 100 ? s.len : 100), s.ptr);
        }
    }
    return DRH_OK;
}

drh_status dedup_open_worker(void *self, uint32_t index, void **worker, drh_error *e)
{
    const struct dedup  *d = self;
    struct dedup_worker *w = d->host->alloc(d->host, NULL, sizeof(*w));

    (void)index;
    if (!w) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory");
    }
    memset(w, 0, sizeof(*w));
    w->d = d;
    w->text.host = w->part.host = w->strs.host = w->points.host = d->host;
    w->shingle.host = w->note.host = d->host;
    *worker = w;
    return DRH_OK;
}

void dedup_close_worker(void *self, void *worker)
{
    const struct dedup  *d = self;
    struct dedup_worker *w = worker;

    dedup_buf_free(&w->text);
    dedup_buf_free(&w->part);
    dedup_buf_free(&w->strs);
    dedup_buf_free(&w->points);
    dedup_buf_free(&w->shingle);
    dedup_buf_free(&w->note);
    (void)d->host->alloc(d->host, w, 0);
}
