/* SPDX-License-Identifier: MIT
 *
 * judge.c - asks the conditions of a record, in their order; the first one that is not as it should
 * be gives the reason.  [worker]
 */
#include "filter.h"

#include <synth.h>

enum { DETAIL = 300 };

/* What became of a condition. */
struct verdict {
    bool             holds;
    drh_status       error; /* DRH_E_RANGE: the expression is too hard for this text; DRH_E_NOMEM */
    enum filter_test test;  /* the one that is not so */
    const char      *reason; /* instead of the test's */
    char             detail[DETAIL];
};

static struct verdict yes(void)
{
    return (struct verdict){.holds = true};
}

/* DETAIL says what it is instead. */
__attribute__((format(printf, 3, 4))) static struct verdict
no(enum filter_test test, const char *reason, const char *fmt, ...)
{
    struct verdict v = {.test = test, .reason = reason ? reason : filter_reason(test)};
    va_list        ap;
    va_start(ap, fmt);
    (void)vsnprintf(v.detail, sizeof(v.detail), fmt, ap);
    va_end(ap);
    return v;
}

/* Of a text, at most 80 bytes, whole characters. */
static int shown(drh_str s)
{
    size_t n = s.len < 80 ? s.len : 80;
    while (n > 0 && n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80) {
        n--;
    }
    return (int)n;
}

static bool asks(const struct filter_condition *c, enum filter_test test)
{
    return (c->tests >> test & 1) != 0;
}

static bool is_among(const struct filter_words *words, drh_str s)
{
    for (size_t i = 0; i < words->n; i++) {
        if (words->word[i].len == s.len && memcmp(words->word[i].ptr, s.ptr, s.len) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- tests --------------------------------------------------------------------------------- */

/* The number's test, the least at `least` and the most behind it. */
static struct verdict within(const struct filter_condition *c, enum filter_test least, double x,
                             const char *what, const char *unit)
{
    const enum filter_test most = least + 1;
    if (asks(c, least) && !(x >= c->limit[least])) {
        return no(least, NULL, "%s%.15g%s, at least %.15g", what, x, unit, c->limit[least]);
    }
    if (asks(c, most) && !(x <= c->limit[most])) {
        return no(most, NULL, "%s%.15g%s, at most %.15g", what, x, unit, c->limit[most]);
    }
    return yes();
}

static struct verdict lengths(const struct filter_condition *c, drh_str s)
{
    const uint32_t mine =
        1u << TEST_MIN_CHARS | 1u << TEST_MAX_CHARS | 1u << TEST_MIN_WORDS | 1u << TEST_MAX_WORDS;
    struct filter_count n;
    struct verdict      v = yes();

    if (c->tests & mine) {
        n = filter_count(s);
        v = within(c, TEST_MIN_CHARS, (double)n.chars, "", " characters");
        v = v.holds ? within(c, TEST_MIN_WORDS, (double)n.words, "", " words") : v;
    }
    return v;
}

static struct verdict matches(const struct filter_worker *w, const struct filter_condition *c,
                              drh_str s)
{
    const struct filter *f = w->f;
    int                  rc =
        pcre2_match(c->code, (PCRE2_SPTR)s.ptr, s.len, 0, PCRE2_NO_UTF_CHECK, w->found, f->limits);
    struct verdict v = yes();

    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
        rc = pcre2_match(c->code, (PCRE2_SPTR)s.ptr, s.len, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                         w->found, f->limits);
    }
    if (rc == PCRE2_ERROR_NOMATCH) {
        return no(TEST_MATCHES, NULL, "nothing matches %.*s", shown(c->pattern), c->pattern.ptr);
    }
    if (rc < 0) {
        v = no(TEST_MATCHES, "regex_limit", "%.*s takes too many steps", shown(c->pattern),
               c->pattern.ptr);
        v.error = rc == PCRE2_ERROR_NOMEMORY ? DRH_E_NOMEM : DRH_E_RANGE;
    }
    return v;
}

static struct verdict text(const struct filter_worker *w, const struct filter_condition *c,
                           drh_str s)
{
    struct verdict v = lengths(c, s);

    if (v.holds && asks(c, TEST_IN) && !is_among(&c->in, s)) {
        v = no(TEST_IN, NULL, "it is \"%.*s\"", shown(s), s.ptr);
    }
    if (v.holds && asks(c, TEST_LANG)) {
        const char *lang = filter_lang(s);
        if (!is_among(&c->lang, drh_str_of(lang))) {
            v = no(TEST_LANG, NULL, "%s", *lang ? lang : "no letters");
        }
    }
    if (v.holds && asks(c, TEST_REFUSAL) && (synth_refuses(s) != 0) != c->refusal) {
        v = no(TEST_REFUSAL, c->refusal ? "no_refusal" : "refusal", "%.*s", shown(s), s.ptr);
    }
    return v.holds && asks(c, TEST_MATCHES) ? matches(w, c, s) : v;
}

/* ---- what they are about ------------------------------------------------------------------- */

static struct verdict field(const struct filter_worker *w, const struct filter_condition *c,
                            const drh_record *r)
{
    const drh_record_api *api = w->f->host->records;
    const uint32_t        numeric = 1u << TEST_MIN | 1u << TEST_MAX;
    drh_str               s, json;
    double                x;
    drh_status            st = api->get_json(r, c->field, &json);

    if (asks(c, TEST_THERE) && (st == DRH_OK) != c->there) {
        return no(TEST_THERE, c->there ? "missing" : "there", "%.*s", shown(c->what), c->what.ptr);
    }
    if (st != DRH_OK && c->tests == 1u << TEST_THERE) {
        return yes();
    }
    if (st != DRH_OK) {
        return no(TEST_THERE, "missing", "%.*s", shown(c->what), c->what.ptr);
    }
    if (c->tests & numeric) {
        return api->get_f64(r, c->field, &x) == DRH_OK
                   ? within(c, TEST_MIN, x, "", "")
                   : no(TEST_MIN, "not_a_number", "%.*s", shown(json), json.ptr);
    }
    if (c->tests == 1u << TEST_THERE) {
        return yes();
    }
    return api->get_str(r, c->field, &s) == DRH_OK
               ? text(w, c, s)
               : no(TEST_IN, "not_text", "%.*s", shown(json), json.ptr);
}

static bool is_about(const struct filter_condition *c, const drh_turn *t)
{
    return c->of == OF_TURN || (c->of == OF_QUESTION && t->role == DRH_ROLE_USER) ||
           (c->of == OF_ANSWER && t->role == DRH_ROLE_ASSISTANT);
}

/* To keep a record each turn has to be so; to drop it one is enough. */
static struct verdict turns(const struct filter_worker *w, const struct filter_condition *c)
{
    struct verdict v = yes();

    v.holds = !c->drop;
    for (size_t i = 0; v.holds != c->drop && !v.error && i < w->n_turns; i++) {
        if (is_about(c, &w->turn[i])) {
            v = w->turn[i].type == DRH_T_STRING
                    ? text(w, c, w->turn[i].text)
                    : no(TEST_IN, "not_text", "the content of turn %zu", i + 1);
        }
    }
    return v;
}

static struct verdict number_of_turns(const struct filter_worker    *w,
                                      const struct filter_condition *c)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_turns; i++) {
        n += w->turn[i].role == DRH_ROLE_USER;
    }
    return within(c, TEST_MIN_TURNS, (double)n, "", " questions");
}

static struct verdict ask(const struct filter_worker *w, const struct filter_condition *c,
                          const drh_record *r)
{
    const uint32_t counts = 1u << TEST_MIN_TURNS | 1u << TEST_MAX_TURNS;
    struct verdict v = c->tests & counts ? number_of_turns(w, c) : yes();

    if (!v.holds || !(c->tests & ~counts)) {
        return v;
    }
    switch (c->of) {
    case OF_FIELD:
        return field(w, c, r);
    case OF_SYSTEM:
        return text(w, c, w->system);
    case OF_CONVERSATION:
        return text(w, c, (drh_str){w->n_all ? w->all : "", w->n_all});
    case OF_NOTHING:
    case OF_QUESTION:
    case OF_ANSWER:
    case OF_TURN:
        break;
    }
    return turns(w, c);
}

/* ---- the conversation ---------------------------------------------------------------------- */

static drh_status add_turn(struct filter_worker *w, const drh_turn *turn)
{
    const drh_host *h = w->f->host;
    if (w->n_turns == w->cap_turns) {
        const size_t cap = 2 * w->cap_turns + 16;
        drh_turn    *more = h->alloc(h, w->turn, cap * sizeof(*more));
        if (!more) {
            return DRH_E_NOMEM;
        }
        w->turn = more;
        w->cap_turns = cap;
    }
    w->turn[w->n_turns++] = *turn;
    return DRH_OK;
}

/* DRH_E_DATA: it has none. */
static drh_status read_turns(struct filter_worker *w, const drh_record *r)
{
    const struct filter  *f = w->f;
    const drh_record_api *api = f->host->records;
    drh_value             list;
    drh_turns             turns;
    drh_turn              turn;
    drh_status            st, more;

    w->n_turns = 0;
    w->joined = false;
    w->system = (drh_str){"", 0};
    if ((api->get_value(r, f->conversations, &list) != DRH_OK &&
         api->get_value(r, f->messages, &list) != DRH_OK) ||
        drh_turns_in(&turns, f->host, &list) != DRH_OK) {
        return DRH_E_DATA;
    }
    st = api->get_str(r, f->system, &w->system);
    st = st == DRH_OK || st == DRH_E_MISSING ? DRH_OK : st == DRH_E_NOMEM ? st : DRH_E_DATA;
    while (st == DRH_OK && (more = drh_turns_next(&turns, &turn)) != DRH_END) {
        st = more == DRH_OK ? add_turn(w, &turn) : more == DRH_E_NOMEM ? more : DRH_E_DATA;
    }
    return st;
}

/* All turns as one text. */
static drh_status join(struct filter_worker *w)
{
    const drh_host *h = w->f->host;
    size_t          n = 0;

    for (size_t i = 0; i < w->n_turns; i++) {
        n += w->turn[i].text.len + 1;
    }
    if (n > w->cap_all) {
        char *more = h->alloc(h, w->all, 2 * n);
        if (!more) {
            return DRH_E_NOMEM;
        }
        w->all = more;
        w->cap_all = 2 * n;
    }
    w->n_all = 0;
    for (size_t i = 0; i < w->n_turns; i++) {
        const drh_str s = w->turn[i].text;
        if (i > 0) {
            w->all[w->n_all++] = '\n';
        }
        if (s.len > 0) {
            memcpy(w->all + w->n_all, s.ptr, s.len);
            w->n_all += s.len;
        }
    }
    w->joined = true;
    return DRH_OK;
}

/* ---- the call ------------------------------------------------------------------------------ */

/* Drops the record, or fails it when nobody can tell. */
static drh_status refuse(const struct filter *f, const struct filter_condition *c, drh_record *r,
                         const struct verdict *v)
{
    const drh_record_api *api = f->host->records;
    const char           *reason = c->name[0] ? c->name : c->drop ? "unwanted" : v->reason;
    char                  detail[DETAIL + 160];

    if (v->error) {
        return api->fail(r, v->reason, v->detail, strlen(v->detail));
    }
    if (c->drop) {
        (void)snprintf(detail, sizeof(detail), "condition %u of drop holds%s%.*s", c->number,
                       c->what.len ? ": " : "", shown(c->what), c->what.len ? c->what.ptr : "");
    } else {
        (void)snprintf(detail, sizeof(detail), "condition %u of keep: %.*s%s%s", c->number,
                       shown(c->what), c->what.len ? c->what.ptr : "", c->what.len ? ": " : "",
                       v->detail);
    }
    return api->drop(r, reason, detail, strlen(detail));
}

static drh_status one(struct filter_worker *w, drh_record *r, drh_error *e)
{
    const struct filter  *f = w->f;
    const drh_record_api *api = f->host->records;
    drh_status            st = f->turns ? read_turns(w, r) : DRH_OK;

    if (st == DRH_E_DATA) {
        return api->fail(r, "no_conversation", DRH_LIT("put chat before this step"));
    }
    for (size_t i = 0; st == DRH_OK && i < f->n; i++) {
        const struct filter_condition *c = &f->condition[i];
        struct verdict                 v;

        if (c->of == OF_CONVERSATION && !w->joined && join(w) != DRH_OK) {
            st = DRH_E_NOMEM;
            break;
        }
        v = ask(w, c, r);
        if (v.error == DRH_E_NOMEM) {
            st = v.error;
        } else if (v.error || v.holds == c->drop) {
            return refuse(f, c, r, &v);
        }
    }
    return st == DRH_OK ? api->keep(r) : drh_fail(e, st, "out of memory");
}

drh_status filter_process(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e)
{
    drh_status st = DRH_OK;

    (void)self;
    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        st = one(worker, r[i], e);
        if (st != DRH_OK && e->record < 0) {
            e->record = (int64_t)i;
        }
    }
    return st;
}
