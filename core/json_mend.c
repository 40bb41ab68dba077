/* SPDX-License-Identifier: MIT
 * json_mend.c - text that is nearly JSON, for records that the scanner refused: what Python's json
 * writes for floats that JSON has no word for, and commas before a closing bracket. */
#include "json_impl.h"

struct mend {
    const char *p, *end;
    char       *out;
    char        last; /* token byte before p, white space left out; 0 at the start */
    bool        changed;
};

static bool ends_word(const char *p, const char *end)
{
    return p == end || strchr(",]} \t\r\n", *p) != NULL;
}

/* Length of the word at p that stands for a float without a form in JSON, or 0. */
static size_t no_number(const struct mend *m)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);

        if ((size_t)(m->end - m->p) >= n && memcmp(m->p, words[i], n) == 0) {
            return ends_word(m->p + n, m->end) ? n : 0;
        }
    }
    return 0;
}

/* A comma behind a value, with nothing but a closing bracket to come. */
static bool is_comma_too_many(const struct mend *m)
{
    const char *next = json_space(m->p + 1, m->end);

    return next < m->end && (*next == ']' || *next == '}') && m->last && !strchr("[{,:", m->last);
}

static void copy(struct mend *m, size_t n)
{
    memcpy(m->out, m->p, n);
    m->out += n;
    m->p += n;
}

static void copy_string(struct mend *m)
{
    const char *close = json_string_end(m->p + 1, m->end);

    copy(m, (size_t)((close < m->end ? close + 1 : m->end) - m->p));
    m->last = '"';
}

static void mend_token(struct mend *m)
{
    bool   value_place = !m->last || strchr("[,:", m->last);
    size_t word = value_place && (*m->p == 'N' || *m->p == 'I' || *m->p == '-') ? no_number(m) : 0;

    if (word) {
        memcpy(m->out, "null", 4);
        m->out += 4;
        m->p += word;
        m->last = 'l';
        m->changed = true;
    } else if (*m->p == ',' && is_comma_too_many(m)) {
        m->p++;
        m->changed = true;
    } else {
        m->last = strchr(" \t\r\n", *m->p) ? m->last : *m->p;
        copy(m, 1);
    }
}

drh_status json_mend(struct arena *a, const char **text, size_t *len)
{
    /* only NaN grows, by one byte in three */
    char       *to = arena_alloc(a, *len + *len / 3 + 1);
    struct mend m = {.p = *text, .end = *text + *len, .out = to};

    if (!to) {
        return DRH_E_NOMEM;
    }
    while (m.p < m.end) {
        if (*m.p == '"') {
            copy_string(&m);
        } else {
            mend_token(&m);
        }
    }
    if (!m.changed) {
        return DRH_E_DATA;
    }
    *text = to;
    *len = (size_t)(m.out - to);
    return DRH_OK;
}
