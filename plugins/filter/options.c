/* SPDX-License-Identifier: MIT
 *
 * options.c - the conditions, as the recipe has them; what is wrong with one is said with its
 * place.
 */
#include "filter.h"

/* clang-format off */
#define LIMIT(key, text) \
    "\"" key "\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"" text "\"},"
#define CONDITIONS \
    "\"maxItems\":256,\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" \
    "\"of\":{\"type\":\"string\",\"enum\":[\"question\",\"answer\",\"turn\",\"system\",\"conversation\"],\"description\":\"Each question, each answer, each turn, the system text, or all turns as one text.\"}," \
    "\"field\":{\"type\":\"string\",\"minLength\":1,\"description\":\"A field instead: a name, or a JSON Pointer such as /metadata/ifd.\"}," \
    "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":40,\"description\":\"Reason under which it is counted: a-z, 0-9 and _.\"}," \
    "\"min\":{\"type\":\"number\",\"description\":\"Least value of a field that is a number.\"}," \
    "\"max\":{\"type\":\"number\",\"description\":\"Greatest value.\"}," \
    LIMIT("min_chars", "Least characters.") LIMIT("max_chars", "Most characters.") \
    LIMIT("min_words", "Least words.") LIMIT("max_words", "Most words.") \
    LIMIT("min_turns", "Least questions of the conversation.") \
    LIMIT("max_turns", "Most questions.") \
    "\"matches\":{\"type\":\"string\",\"minLength\":1,\"description\":\"A Perl regular expression that matches somewhere.\"}," \
    "\"in\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":64,\"description\":\"It is one of these texts.\"}," \
    "\"lang\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"En\",\"Zh\",\"Ja\",\"Ko\",\"Ru\"]},\"minItems\":1,\"maxItems\":5,\"description\":\"Its script is that of one of these.\"}," \
    "\"refusal\":{\"type\":\"boolean\",\"description\":\"true: it begins with a refusal; false: it does not.\"}," \
    "\"there\":{\"type\":\"boolean\",\"description\":\"true: the field is there and not null; false: it is not.\"}" \
    "}}"
const char filter_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"keep\":{\"type\":\"array\",\"description\":\"A record stays when all of these conditions hold, each an object: of (question, answer, turn, system, conversation) or field; then min, max, min_chars, max_chars, min_words, max_words, min_turns, max_turns, matches, in, lang, refusal, there; and name, the reason that is counted.\"," CONDITIONS "},"
    "\"drop\":{\"type\":\"array\",\"description\":\"A record goes when one of these holds.\"," CONDITIONS "}"
    "}}";
/* clang-format on */

enum { ON_TEXT = 1, ON_NUMBER = 2, ON_TURNS = 4, ON_FIELD = 8 };

static const struct {
    const char *key, *reason;
    int         on;
} tests[N_TESTS] = {
    [TEST_MIN] = {"min", "too_low", ON_NUMBER},
    [TEST_MAX] = {"max", "too_high", ON_NUMBER},
    [TEST_MIN_CHARS] = {"min_chars", "too_short", ON_TEXT},
    [TEST_MAX_CHARS] = {"max_chars", "too_long", ON_TEXT},
    [TEST_MIN_WORDS] = {"min_words", "too_few_words", ON_TEXT},
    [TEST_MAX_WORDS] = {"max_words", "too_many_words", ON_TEXT},
    [TEST_MIN_TURNS] = {"min_turns", "too_few_turns", ON_TURNS},
    [TEST_MAX_TURNS] = {"max_turns", "too_many_turns", ON_TURNS},
    [TEST_MATCHES] = {"matches", "no_match", ON_TEXT},
    [TEST_IN] = {"in", "not_in_list", ON_TEXT},
    [TEST_LANG] = {"lang", "other_language", ON_TEXT},
    [TEST_REFUSAL] = {"refusal", "refusal", ON_TEXT},
    [TEST_THERE] = {"there", "missing", ON_FIELD},
};

const char *filter_key(enum filter_test test)
{
    return tests[test].key;
}

const char *filter_reason(enum filter_test test)
{
    return tests[test].reason;
}

/* What is being read, for messages. */
struct reading {
    struct filter           *f;
    struct filter_condition *c;
    drh_error               *e;
};

__attribute__((format(printf, 2, 3))) static drh_status wrong(const struct reading *o,
                                                              const char           *fmt, ...)
{
    char    text[300];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return drh_fail(o->e, DRH_E_CONFIG, "condition %u of \"%s\": %s", o->c->number,
                    o->c->drop ? "drop" : "keep", text);
}

static drh_status no_memory(drh_error *e)
{
    return drh_fail(e, DRH_E_NOMEM, "out of memory");
}

/* ---- values -------------------------------------------------------------------------------- */

static drh_status read_words(const struct reading *o, const drh_value *list,
                             struct filter_words *words)
{
    const drh_value_api *v = o->f->host->values;
    drh_value            item;
    drh_status           st;

    for (st = v->child(list, &item); st == DRH_OK && words->n < FILTER_WORDS; st = v->next(&item)) {
        if (v->str(&item, &words->word[words->n++]) != DRH_OK) {
            return no_memory(o->e);
        }
    }
    return DRH_OK;
}

static drh_status read_pattern(const struct reading *o, const drh_value *value)
{
    struct filter_condition *c = o->c;
    pcre2_compile_context   *context = pcre2_compile_context_create(o->f->memory);
    PCRE2_UCHAR              why[120];
    PCRE2_SIZE               at = 0;
    int                      code = 0;

    if (!context || o->f->host->values->str(value, &c->pattern) != DRH_OK) {
        pcre2_compile_context_free(context);
        return no_memory(o->e);
    }
    c->code = pcre2_compile((PCRE2_SPTR)c->pattern.ptr, c->pattern.len,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    pcre2_compile_context_free(context);
    if (!c->code) {
        if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) {
            return no_memory(o->e);
        }
        (void)pcre2_get_error_message(code, why, sizeof(why));
        return wrong(o, "\"matches\" is no regular expression: %s at byte %zu of %.100s",
                     (const char *)why, at, c->pattern.ptr);
    }
    (void)pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE); /* where there is none: slower */
    return DRH_OK;
}

static drh_status read_name(const struct reading *o, const drh_value *value)
{
    drh_str s;
    if (o->f->host->values->str(value, &s) != DRH_OK) {
        return no_memory(o->e);
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.len > FILTER_NAME || !((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
                                     (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_')) {
            return wrong(o, "\"name\" is a reason: at most 40 of a-z, 0-9 and _");
        }
    }
    memcpy(o->c->name, s.ptr, s.len);
    return DRH_OK;
}

static drh_status read_field(const struct reading *o, const drh_value *value)
{
    struct filter_condition *c = o->c;

    if (c->of != OF_NOTHING) {
        return wrong(o, "it is about \"of\" or about \"field\"; leave one out");
    }
    if (o->f->host->values->str(value, &c->what) != DRH_OK) {
        return no_memory(o->e);
    }
    c->of = OF_FIELD;
    c->field = o->f->host->field(o->f->host, c->what.ptr, c->what.len);
    return c->field ? DRH_OK
                    : wrong(o,
                            "\"%.100s\" is no field; write a name, or a JSON Pointer such as "
                            "\"/metadata/ifd\"",
                            c->what.ptr);
}

static drh_status read_of(const struct reading *o, const drh_value *value)
{
    static const char *const word[] = {[OF_QUESTION] = "question",
                                       [OF_ANSWER] = "answer",
                                       [OF_TURN] = "turn",
                                       [OF_SYSTEM] = "system",
                                       [OF_CONVERSATION] = "conversation"};
    struct filter_condition *c = o->c;

    if (c->of != OF_NOTHING) {
        return wrong(o, "it is about \"of\" or about \"field\"; leave one out");
    }
    if (o->f->host->values->str(value, &c->what) != DRH_OK) {
        return no_memory(o->e);
    }
    for (int i = OF_QUESTION; i <= OF_CONVERSATION; i++) {
        c->of = drh_str_eq(c->what, word[i]) ? (enum filter_of)i : c->of;
    }
    return DRH_OK;
}

static drh_status read_test(const struct reading *o, enum filter_test test, const drh_value *value)
{
    const drh_value_api     *v = o->f->host->values;
    struct filter_condition *c = o->c;
    int32_t                  yes = 0;

    c->tests |= 1u << test;
    if (test <= TEST_MAX_TURNS) {
        return v->f64(value, &c->limit[test]);
    }
    if (test == TEST_MATCHES) {
        return read_pattern(o, value);
    }
    if (test == TEST_IN || test == TEST_LANG) {
        return read_words(o, value, test == TEST_IN ? &c->in : &c->lang);
    }
    (void)v->boolean(value, &yes);
    *(test == TEST_REFUSAL ? &c->refusal : &c->there) = yes != 0;
    return DRH_OK;
}

static drh_status read_member(const struct reading *o, const drh_value *value)
{
    drh_str key;

    if (o->f->host->values->key(value, &key) != DRH_OK) {
        return no_memory(o->e);
    }
    if (drh_str_eq(key, "name")) {
        return read_name(o, value);
    }
    if (drh_str_eq(key, "of")) {
        return read_of(o, value);
    }
    if (drh_str_eq(key, "field")) {
        return read_field(o, value);
    }
    for (int i = 0; i < N_TESTS; i++) {
        if (drh_str_eq(key, tests[i].key)) {
            return read_test(o, (enum filter_test)i, value);
        }
    }
    return DRH_OK; /* the schema knows no other */
}

/* ---- conditions ---------------------------------------------------------------------------- */

/* Least and most, in this order in the list of tests. */
static drh_status check_ranges(const struct reading *o)
{
    const struct filter_condition *c = o->c;
    for (int i = 0; i < TEST_MAX_TURNS; i += 2) {
        if ((c->tests >> i & 3) == 3 && c->limit[i] > c->limit[i + 1]) {
            return wrong(o, "\"%s\" is more than \"%s\"", tests[i].key, tests[i + 1].key);
        }
    }
    return DRH_OK;
}

static drh_status check(const struct reading *o)
{
    const struct filter_condition *c = o->c;
    int                            on = 0;

    for (int i = 0; i < N_TESTS; i++) {
        if (c->tests & 1u << i) {
            on |= tests[i].on;
        }
    }
    if (on == 0) {
        return wrong(o, "it asks nothing; give it \"min_chars\", \"matches\" or another test");
    }
    if ((on & ON_TEXT) && c->of == OF_NOTHING) {
        return wrong(o, "of what? Add \"of\" (question, answer, turn, system, conversation) or "
                        "\"field\"");
    }
    if ((on & (ON_NUMBER | ON_FIELD)) && c->of != OF_FIELD) {
        return wrong(o, "\"min\", \"max\" and \"there\" are about a \"field\"");
    }
    if ((on & ON_TEXT) && (on & ON_NUMBER)) {
        return wrong(o, "a field is a text or a number; make two conditions of it");
    }
    return check_ranges(o);
}

static drh_status read_list(struct filter *f, const drh_value *list, bool drop, drh_error *e)
{
    const drh_value_api *v = f->host->values;
    drh_value            item, member;
    uint32_t             number = 0;
    drh_status           more, inner, st = DRH_OK;

    for (more = v->child(list, &item); st == DRH_OK && more == DRH_OK; more = v->next(&item)) {
        struct reading o = {.f = f, .c = &f->condition[f->n], .e = e};
        o.c->drop = drop;
        o.c->number = ++number;
        f->n++;
        for (inner = v->child(&item, &member); st == DRH_OK && inner == DRH_OK;
             inner = v->next(&member)) {
            st = read_member(&o, &member);
        }
        st = st == DRH_OK ? check(&o) : st;
        f->turns = f->turns || o.c->of > OF_FIELD ||
                   (o.c->tests & (1u << TEST_MIN_TURNS | 1u << TEST_MAX_TURNS));
    }
    return st;
}

drh_status filter_options(struct filter *f, const drh_config *c, drh_error *e)
{
    const drh_host *h = f->host;
    drh_value       keep, drop;
    const bool      has_keep = h->config->get_value(c, "/keep", &keep) == DRH_OK;
    const bool      has_drop = h->config->get_value(c, "/drop", &drop) == DRH_OK;
    const size_t    n =
        (has_keep ? h->values->count(&keep) : 0) + (has_drop ? h->values->count(&drop) : 0);
    drh_status st = DRH_OK;

    if (n == 0) {
        return drh_fail(e, DRH_E_CONFIG,
                        "no condition: give \"keep\" or \"drop\", for example keep "
                        "[{\"of\":\"answer\",\"min_chars\":20}]");
    }
    f->condition = h->alloc(h, NULL, n * sizeof(*f->condition));
    if (!f->condition) {
        return no_memory(e);
    }
    memset(f->condition, 0, n * sizeof(*f->condition));
    st = has_keep ? read_list(f, &keep, false, e) : st;
    return st == DRH_OK && has_drop ? read_list(f, &drop, true, e) : st;
}

void filter_forget(struct filter *f)
{
    for (size_t i = 0; i < f->n; i++) {
        pcre2_code_free(f->condition[i].code);
    }
    (void)f->host->alloc(f->host, f->condition, 0);
    f->condition = NULL;
    f->n = 0;
}
