/* SPDX-License-Identifier: MIT
 *
 * sanitise.c - see magpie.h.  The order of the decisions and the names of the classes are those of
 * the published code.  Two slips of it are mended: a place that was found before the text was
 * shortened is looked for again, and of a heading "Step 1" no "#" stays behind.
 */
#include "magpie.h"

/* A text that only becomes shorter. */
struct text {
    char  *p;
    size_t n;
};

static void cut_front(struct text *t, size_t n)
{
    t->n -= n;
    memmove(t->p, t->p + n, t->n);
}

static void trim(struct text *t)
{
    const drh_str s = synth_trim((drh_str){t->p, t->n});
    if (s.len) {
        memmove(t->p, s.ptr, s.len);
    }
    t->n = s.len;
}

/* Takes away every occurrence of a text. */
static void drop_all(struct text *t, const char *what)
{
    const size_t k = strlen(what);
    size_t       to = 0;
    for (size_t i = 0; i < t->n;) {
        if (k && t->n - i >= k && memcmp(t->p + i, what, k) == 0) {
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
    trim(t);
    drop_all(t, "*");
    trim(t);
}

/* What is before the first question mark, without `gone` and trimmed, and the mark. */
static void first_question(struct text *t, const char *gone)
{
    t->n = find(t, "?"); /* there is one, so there is room for one */
    drop_all(t, gone);
    trim(t);
    t->p[t->n++] = '?';
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

/* Length of the letter, digit or "_" at place `at`, or 0.  Outside of ASCII all is one but the
 * spaces and punctuation of U+2000 to U+206F, U+3000 to U+303F and U+FF00 to U+FFFF. */
static size_t word_char(const struct text *t, size_t at)
{
    const unsigned char c = (unsigned char)t->p[at];
    const size_t        n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    const unsigned char next = at + n <= t->n && n > 1 ? (unsigned char)t->p[at + 1] : 0;
    if (n == 1) {
        return (c >= '0' && c <= '9') || (lower((char)c) >= 'a' && lower((char)c) <= 'z') ||
               c == '_';
    }
    if (next == 0 || (c == 0xc2 && next == 0xa0) || (c == 0xe2 && next <= 0x81) ||
        (c == 0xe3 && next == 0x80) || (c == 0xef && next >= 0xbc)) {
        return 0;
    }
    return n;
}

/* "1." or "a)", or 0. */
static size_t marker(const struct text *t)
{
    size_t k = digits_at(t, 0), n;
    if (k && k < t->n && t->p[k] == '.') {
        return k + 1;
    }
    for (k = 0; k < t->n && (n = word_char(t, k)) > 0; k += n) {
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
    const size_t at = find(t, "**");
    size_t       second = 1;
    while (second < t->n && ((unsigned char)t->p[second] & 0xc0) == 0x80) {
        second++;
    }
    if (at < t->n && at == second) {
        drop_all(t, "**");
        trim(t);
    }
}

static void cut_at(struct text *t, size_t at)
{
    t->n = at;
    trim(t);
    unbold(t);
}

static int line_ends_with_colon(const struct text *t)
{
    const drh_str line = synth_trim((drh_str){t->p, find(t, "\n")});
    return line.len && line.ptr[line.len - 1] == ':';
}

static const char *quoted(struct text *t)
{
    if (has(t, "?")) {
        first_question(t, "\"");
        return "2.1";
    }
    t->n = find(t, "\n");
    drop_all(t, "\"");
    first_line(t);
    return "2.2";
}

static const char *by_first_line(struct text *t, const char *const name[3])
{
    if (name[0] && has(t, "#")) {
        cut_at(t, find(t, "#"));
        return name[0];
    }
    if (has(t, "?")) {
        first_question(t, "");
        unbold(t);
        return name[1];
    }
    first_line(t);
    return name[2];
}

static const char *decide(struct text *t, enum magpie_family family)
{
    static const char *const colon[2][3] = {{"6.1", "6.2", "6.3"}, {"5.1", "5.2", "5.3"}};
    static const char *const other[2][3] = {{NULL, "99.1", "99.2"}, {NULL, "6.1", "6.2"}};
    if (t->n && t->p[0] == '"') {
        return quoted(t);
    }
    if (t->n >= 3 && memcmp(t->p, "<b>", 3) == 0) {
        drop_all(t, "*");
        trim(t);
        return "3";
    }
    if (find_answer(t) < t->n) {
        cut_at(t, find_answer(t));
        return "4";
    }
    if (family == MAGPIE_LLAMA3 && find_step(t) < t->n) {
        cut_at(t, find_step(t));
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
        first_question(&t, "*");
        remove_prefix(&t);
    } else {
        remove_prefix(&t);
        class = decide(&t, family);
        remove_prefix(&t);
    }
    *n = t.n;
    return class;
}
