/* SPDX-License-Identifier: MIT
 *
 * sanitise.c - see magpie.h.  The order of the decisions and the names of the classes are those of
 * the published code; two slips of it are mended: a place that was found before the text was
 * shortened is looked for again, and an unclosed bold word does not end the search.
 */
#include "magpie.h"

/* A text that only becomes shorter. */
struct text {
    char  *p;
    size_t n;
};

static int space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void cut_front(struct text *t, size_t n)
{
    memmove(t->p, t->p + n, t->n - n);
    t->n -= n;
}

static void trim(struct text *t)
{
    size_t from = 0;
    while (t->n && space(t->p[t->n - 1])) {
        t->n--;
    }
    while (from < t->n && space(t->p[from])) {
        from++;
    }
    cut_front(t, from);
}

/* Takes away every occurrence of a text. */
static void drop_all(struct text *t, const char *what)
{
    const size_t k = strlen(what);
    size_t       to = 0;
    for (size_t i = 0; i < t->n;) {
        if (t->n - i >= k && memcmp(t->p + i, what, k) == 0) {
            i += k;
        } else {
            t->p[to++] = t->p[i++];
        }
    }
    t->n = to;
}

/* Place of the first occurrence, or n. */
static size_t find(const struct text *t, const char *what)
{
    const size_t k = strlen(what);
    for (size_t i = 0; i + k <= t->n; i++) {
        if (memcmp(t->p + i, what, k) == 0) {
            return i;
        }
    }
    return t->n;
}

static int has(const struct text *t, const char *what)
{
    return find(t, what) < t->n;
}

static void first_line(struct text *t)
{
    t->n = find(t, "\n");
}

static void through(struct text *t, const char *what)
{
    const size_t at = find(t, what);
    t->n = at < t->n ? at + strlen(what) : t->n;
}

/* ---- what stands in front ------------------------------------------------------------------ */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Length of `word` at place `at`, whatever its case, or 0. */
static size_t word_at(const struct text *t, size_t at, const char *word)
{
    size_t k = 0;
    for (; word[k]; k++) {
        if (at + k >= t->n || lower(t->p[at + k]) != lower(word[k])) {
            return 0;
        }
    }
    return k;
}

static size_t digits_at(const struct text *t, size_t at)
{
    size_t k = 0;
    while (at + k < t->n && t->p[at + k] >= '0' && t->p[at + k] <= '9') {
        k++;
    }
    return k;
}

static int word_char(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* "1." or "a)", or 0. */
static size_t marker(const struct text *t)
{
    size_t k = digits_at(t, 0);
    if (k && k < t->n && t->p[k] == '.') {
        return k + 1;
    }
    for (k = 0; k < t->n && word_char(t->p[k]); k++) {
    }
    return k && k < t->n && t->p[k] == ')' ? k + 1 : 0;
}

/* "W:", "**W**" or "## W:" of one of the words, or 0. */
static size_t title(const struct text *t)
{
    static const char *const words[] = {
        "Task",        "Prompt",       "Original Prompt", "Question",  "The Problem",
        "Problem",     "Scenario",     "The senario",     "Situation", "The situation",
        "Context",     "Challenge",    "Query",           "Request",   "Instructions",
        "Instruction", "Descriptions", "Description"};
    const size_t bold = word_at(t, 0, "**"), head = word_at(t, 0, "## ");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t from = bold ? bold : head, k = word_at(t, from, words[i]);
        const size_t end = k ? word_at(t, from + k, bold ? "**" : ":") : 0;
        if (end) {
            return from + k + end;
        }
    }
    return 0;
}

/* "Question 3:", "Part 3:", "Q3." and the like, or 0. */
static size_t numbered(const struct text *t)
{
    static const struct {
        const char *word, *ends;
    } shapes[] = {{"Question ", ":."}, {"Part ", ":"}, {"Q", ".:"}};
    for (size_t i = 0; i < 3; i++) {
        const size_t k = word_at(t, 0, shapes[i].word), d = k ? digits_at(t, k) : 0;
        if (d && k + d < t->n && strchr(shapes[i].ends, t->p[k + d])) {
            return k + d + 1;
        }
    }
    return 0;
}

static void remove_prefix(struct text *t)
{
    size_t k;
    trim(t);
    cut_front(t, marker(t));
    trim(t);
    k = title(t);
    k = k ? k : numbered(t);
    cut_front(t, k);
    trim(t);
}

/* ---- where the model begins to answer itself ----------------------------------------------- */

/* Place of "The answer is:" and the like, or n.  The colon is wanted behind each of them, an "s"
 * may stand before it: that is the original's pattern, and so "Answer: 4" is not found. */
static size_t find_answer(const struct text *t)
{
    static const char *const words[] = {
        "Answer:",   "Answers:",     "The answer is", "Correct answer",     "The correct answer",
        "Answer is", "Explanation:", "Here are some", "Solution Approach:", "Solution:"};
    for (size_t i = 0; i < t->n; i++) {
        for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
            const size_t k = strlen(words[w]);
            if (t->n - i > k && memcmp(t->p + i, words[w], k) == 0) {
                const size_t s = i + k + (t->p[i + k] == 's');
                if (s < t->n && t->p[s] == ':') {
                    return i;
                }
            }
        }
    }
    return t->n;
}

/* Place of "# Step 1" with all its "#", or n. */
static size_t find_step(const struct text *t)
{
    size_t at = find(t, "# Step 1");
    while (at && at < t->n && t->p[at - 1] == '#') {
        at--;
    }
    return at;
}

/* ---- the decisions ------------------------------------------------------------------------- */

/* The original takes bold marks away only when the first one is the second character. */
static void unbold(struct text *t)
{
    if (find(t, "**") == 1) {
        drop_all(t, "**");
    }
}

static int line_ends_with_colon(const struct text *t)
{
    const size_t n = find(t, "\n");
    return n && t->p[n - 1] == ':';
}

static const char *quoted(struct text *t)
{
    if (has(t, "?")) {
        through(t, "?");
        drop_all(t, "\"");
        return "2.1";
    }
    first_line(t);
    drop_all(t, "\"");
    drop_all(t, "*");
    return "2.2";
}

static const char *by_first_line(struct text *t, const char *const name[3])
{
    if (name[0] && has(t, "#")) {
        t->n = find(t, "#");
        unbold(t);
        return name[0];
    }
    if (has(t, "?")) {
        through(t, "?");
        unbold(t);
        return name[1];
    }
    first_line(t);
    drop_all(t, "*");
    return name[2];
}

static const char *decide(struct text *t, enum magpie_family family)
{
    static const char *const colon[2][3] = {{"6.1", "6.2", "6.3"}, {"5.1", "5.2", "5.3"}};
    static const char *const other[2][3] = {{NULL, "99.1", "99.2"}, {NULL, "6.1", "6.2"}};
    if (t->n && t->p[0] == '"') {
        return quoted(t);
    }
    if (word_at(t, 0, "<b>")) {
        drop_all(t, "*");
        return "3";
    }
    if (find_answer(t) < t->n) {
        t->n = find_answer(t);
        unbold(t);
        return "4";
    }
    if (family == MAGPIE_LLAMA3 && find_step(t) < t->n) {
        t->n = find_step(t);
        unbold(t);
        return "5";
    }
    return by_first_line(t, line_ends_with_colon(t) ? colon[family] : other[family]);
}

const char *magpie_sanitise(char *p, size_t *n, enum magpie_family family)
{
    struct text t = {p, *n};
    const char *class = "1";
    remove_prefix(&t);
    if (t.n && t.p[0] == '*' && has(&t, "?")) {
        through(&t, "?");
        drop_all(&t, "*");
        remove_prefix(&t);
    } else {
        remove_prefix(&t);
        class = decide(&t, family);
        remove_prefix(&t);
    }
    *n = t.n;
    return class;
}
