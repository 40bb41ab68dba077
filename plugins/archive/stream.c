/* SPDX-License-Identifier: MIT
 * stream.c - see stream.h. */
#include "stream.h"

#include <stdlib.h>

enum { N_PLACE = 5, ORIGIN_SIZE = ARCHIVE_NAME + 24, DETAIL_SIZE = 800 };

struct archive_stream {
    const struct archive_options *o;
    struct archive_in             in;
    struct values                 values;
    bool                          inside; /* in a member: `values` is its text */
    bool                          late;   /* began in the middle */
    drh_error                     why;    /* code not DRH_OK: nothing but that is left */
    char                          position[5 * 21 + 1];
};

/* ---- opening ---- */

/* The numbers of a position; all 0 for the start. */
static drh_status parse(const drh_str *position, uint64_t place[N_PLACE], drh_error *e)
{
    char  text[sizeof(((struct archive_stream *)0)->position)] = "";
    char *p = text;

    memset(place, 0, N_PLACE * sizeof(*place));
    if (!position || position->len == 0) {
        return DRH_OK;
    }
    if (position->len < sizeof(text)) {
        memcpy(text, position->ptr, position->len);
    }
    for (int i = 0; i < N_PLACE; i++) {
        char *end = p;
        if (*p >= '0' && *p <= '9') {
            place[i] = strtoull(p, &end, 10);
        }
        if (end == p || *end != (i + 1 < N_PLACE ? ':' : '\0')) {
            return drh_fail(e, DRH_E_ARG, "the position \"%s\" is none", text);
        }
        p = end + 1;
    }
    return place[4] <= VALUES_ENDED ? DRH_OK : drh_fail(e, DRH_E_ARG, "an unknown position");
}

static drh_status go_to(struct archive_stream *s, const uint64_t place[N_PLACE], drh_error *e)
{
    const enum values_form form = (enum values_form)place[4];
    drh_status             st;

    if (place[0] == 0) {
        return DRH_OK;
    }
    st = archive_in_next(&s->in, e);
    if (st != DRH_OK || s->in.number != place[0]) {
        return st == DRH_OK || st == DRH_END
                   ? drh_fail(e, DRH_E_ARG, "that member is not there; has the file changed?")
                   : st;
    }
    s->inside = s->late = true;
    if (form != VALUES_ENDED) {
        return values_resume(&s->values, archive_in_read, &s->in, place[2], place[3], form, e);
    }
    s->values.form = form; /* its text is over, or cannot be read */
    s->values.in.offset = place[2];
    s->values.line = place[3];
    return DRH_OK;
}

drh_status archive_stream_open(struct archive_stream **out, const struct archive_options *o,
                               const char *path, const drh_str *position, drh_error *e)
{
    const drh_host        *h = o->host;
    struct archive_stream *s = h->alloc(h, NULL, sizeof(*s));
    uint64_t               place[N_PLACE];
    drh_status             st;

    *out = NULL;
    if (!s) {
        return drh_fail(e, DRH_E_NOMEM, "out of memory for a stream");
    }
    memset(s, 0, sizeof(*s));
    s->o = o;
    s->in.o = o;
    s->in.fd = -1;
    s->values.in.host = h;
    s->why.struct_size = sizeof(s->why);
    st = parse(position, place, e);
    st = st == DRH_OK ? archive_in_open(&s->in, o, path, place[0], place[1], e) : st;
    st = st == DRH_OK ? go_to(s, place, e) : st;
    if (st != DRH_OK) {
        archive_stream_close(s);
        return st;
    }
    *out = s;
    return DRH_OK;
}

void archive_stream_close(struct archive_stream *s)
{
    const drh_host *h = s->o->host;

    archive_in_close(&s->in);
    text_in_close(&s->values.in);
    (void)h->alloc(h, s, 0);
}

drh_str archive_stream_tell(struct archive_stream *s)
{
    drh_str p = {s->position, 0};

    p.len = (size_t)snprintf(s->position, sizeof(s->position), "%llu:%llu:%llu:%llu:%u",
                             (unsigned long long)s->in.number, (unsigned long long)s->in.header,
                             (unsigned long long)s->values.in.offset,
                             (unsigned long long)s->values.line, (unsigned)s->values.form);
    return p;
}

/* ---- records ---- */

static drh_status fail_row(const struct archive_stream *s, drh_record *slot, const char *code,
                           uint64_t line, const char *why)
{
    char detail[DETAIL_SIZE];
    int  n = line ? snprintf(detail, sizeof(detail), "%.300s, line %llu: %s", s->in.name,
                             (unsigned long long)line, why)
                  : snprintf(detail, sizeof(detail), "%.300s: %s", s->in.name, why);

    return s->o->host->records->fail(slot, code, detail,
                                     n < DETAIL_SIZE ? (size_t)n : DETAIL_SIZE - 1);
}

static drh_status bad_json(const struct archive_stream *s, drh_record *slot,
                           const struct values_item *item, drh_error *e)
{
    const drh_host *h = s->o->host;
    drh_json       *doc = NULL;
    drh_value       root;
    drh_error       why = DRH_ERROR_INIT;
    drh_status      st = h->json_open(h, item->text.ptr, item->text.len, &doc, &root, &why);

    h->json_close(doc);
    if (st == DRH_OK) {
        return fail_row(s, slot, "not_object", item->line, "a record must be a JSON object");
    }
    if (st != DRH_E_DATA) {
        *e = why;
        return st;
    }
    return fail_row(s, slot, "bad_json", item->line, why.message);
}

/* A record that has such a member keeps its own. */
static drh_status put_origin(const struct archive_stream *s, drh_record *slot, uint64_t line)
{
    const drh_record_api *api = s->o->host->records;
    char                  text[ORIGIN_SIZE];
    drh_value             own;
    int                   n;
    drh_status            st;

    if (s->o->origin == DRH_FIELD_NONE ||
        api->get_value(slot, s->o->origin, &own) != DRH_E_MISSING) {
        return DRH_OK;
    }
    n = snprintf(text, sizeof(text), "%s:%llu", s->in.name, (unsigned long long)line);
    st = api->set_str(slot, s->o->origin, text, (size_t)n);
    return st == DRH_E_TYPE ? DRH_OK : st; /* a parent that is no object */
}

static drh_status fill(const struct archive_stream *s, drh_record *slot,
                       const struct values_item *item, drh_error *e)
{
    const drh_record_api *api = s->o->host->records;
    drh_status            st;

    if (item->code) {
        return fail_row(s, slot, item->code, item->line, item->why);
    }
    st = api->set_json(slot, DRH_FIELD_NONE, item->text.ptr, item->text.len);
    if (st == DRH_E_DATA || st == DRH_E_TYPE) {
        return bad_json(s, slot, item, e);
    }
    st = st == DRH_OK ? put_origin(s, slot, item->line) : st;
    return st == DRH_OK ? api->keep(slot) : drh_fail(e, st, "a record cannot be filled");
}

/* ---- members ---- */

/* What was not read is said once, by who came through the whole archive. */
static drh_status at_end(struct archive_stream *s, drh_error *e)
{
    const struct archive_in *in = &s->in;

    if (s->late) {
        return DRH_END;
    }
    if (in->seen == 0) {
        const char *what = in->passed > 3 ? " and others; name what holds records (option include)"
                           : in->passed   ? "; name what holds records (option include)"
                                          : ": it is empty";

        (void)drh_fail(&s->why, DRH_E_DATA, "no .jsonl, .ndjson or .json is in it%s%s%s",
                       in->passed ? ", but " : "", in->example, what);
        *e = s->why;
        return DRH_E_DATA;
    }
    if (in->passed) {
        drh_logf(s->o->host, DRH_LOG_INFO, "%llu members read, %llu others passed over: %s%s",
                 (unsigned long long)in->seen, (unsigned long long)in->passed, in->example,
                 in->passed > 3 ? ", ..." : "");
    }
    return DRH_END;
}

static drh_status enter(struct archive_stream *s, drh_error *e)
{
    drh_status st = archive_in_next(&s->in, e);

    if (st != DRH_OK) {
        return st == DRH_END ? at_end(s, e) : st;
    }
    s->inside = true;
    s->values.form = VALUES_ENDED; /* until it has begun */
    s->values.in.offset = 0;
    s->values.line = 1;
    return s->in.refused ? DRH_OK : values_begin(&s->values, archive_in_read, &s->in, e);
}

/* The next value of any member.  DRH_E_DATA outside of one: the archive is damaged. */
static drh_status find(struct archive_stream *s, struct values_item *item, drh_error *e)
{
    drh_status st = DRH_END;

    while (st == DRH_END) {
        if (!s->inside) {
            st = enter(s, e);
            if (st != DRH_OK) {
                return st;
            }
            if (s->in.refused) {
                *item = (struct values_item){.code = s->in.refused, .why = s->in.detail};
                s->inside = false;
                return DRH_OK;
            }
        }
        st = values_next(&s->values, item, e);
        s->inside = st != DRH_END;
    }
    return st;
}

/* Nothing more can be read: where that is goes before the words. */
static drh_status end_here(struct archive_stream *s, drh_error *e)
{
    if (s->why.code == DRH_OK && s->in.number) {
        (void)drh_fail(&s->why, DRH_E_DATA, "%s %.150s: %.200s", s->inside ? "in" : "after",
                       s->in.name, e->message);
        *e = s->why;
    } else {
        s->why = *e;
    }
    return DRH_E_DATA;
}

drh_status archive_stream_next(struct archive_stream *s, drh_record *slot, drh_error *e)
{
    struct values_item item = {.code = NULL};
    drh_status         st;

    if (s->why.code != DRH_OK) {
        *e = s->why;
        return e->code;
    }
    st = find(s, &item, e);
    if (st == DRH_OK) {
        return fill(s, slot, &item, e);
    }
    if (st == DRH_E_DATA && s->inside && !s->in.broken) { /* the next member may be whole */
        s->inside = false;
        s->values.form = VALUES_ENDED;
        return fail_row(s, slot, "damaged_file", 0, e->message);
    }
    return st == DRH_E_DATA ? end_here(s, e) : st;
}
