/* SPDX-License-Identifier: MIT
 *
 * sample.c - takes the words out of a text; see lang.h.
 */
#include "lang.h"

#include <utf8proc.h>

enum {
    LOOK = 8, /* a text is looked at until it gave enough words, or so many times the bytes */
    WORD_MOST = 256, /* bytes of a word; a longer one is several */
    SPAN_MOST = 1024 /* of `code` in a line */
};

void lang_sample_clear(struct lang_sample *s)
{
    s->len = s->seen = 0;
    memset(s->letters, 0, sizeof(s->letters));
}

/* The code point at p; the host lets in valid UTF-8 only, what is none counts as a byte. */
static size_t decode(const char *p, size_t left, int32_t *c)
{
    const utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)left, c);
    if (n <= 0) {
        *c = 0;
        return 1;
    }
    return (size_t)n;
}

static bool is_letter(int32_t c)
{
    utf8proc_category_t category;

    if (c < 0x80) {
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    }
    category = utf8proc_category(c); /* letters, and the marks that stand with them, come first */
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_MC;
}

/* ---- what is no language ------------------------------------------------------------------- */

static bool begins(const char *p, size_t left, const char *with)
{
    const size_t n = strlen(with);
    return left >= n && memcmp(p, with, n) == 0;
}

static size_t line_end(drh_str s, size_t at)
{
    const char *end = memchr(s.ptr + at, '\n', s.len - at);
    return end ? (size_t)(end - s.ptr) : s.len;
}

/* Three or more of ` or ~ at the beginning of a line, which may be indented; else 0. */
static size_t fence(drh_str s, size_t at, char *mark)
{
    size_t n = 0;

    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t')) {
        at++;
    }
    if (at == s.len || (s.ptr[at] != '`' && s.ptr[at] != '~')) {
        return 0;
    }
    *mark = s.ptr[at];
    while (at + n < s.len && s.ptr[at + n] == *mark) {
        n++;
    }
    return n >= 3 ? n : 0;
}

/* Behind the block whose first line begins at `at`; one that is never closed goes to the end. */
static size_t behind_block(drh_str s, size_t at, char mark, size_t marks)
{
    char   other;
    size_t n;

    for (at = line_end(s, at); at < s.len; at = line_end(s, at)) {
        at++;
        n = fence(s, at, &other);
        if (n >= marks && other == mark) {
            return line_end(s, at);
        }
    }
    return s.len;
}

/* Behind `code` in a line, or an address; `at` when there is neither. */
static size_t behind_span(drh_str s, size_t at)
{
    const char  *p = s.ptr + at;
    const size_t left = s.len - at;
    size_t       n = 0;

    if (*p == '`') {
        const size_t most = left < SPAN_MOST ? left : SPAN_MOST;
        for (n = 1; n < most && p[n] != '`' && p[n] != '\n';) {
            n++;
        }
        return n < most && p[n] == '`' ? at + n + 1 : at;
    }
    if (begins(p, left, "http://") || begins(p, left, "https://") || begins(p, left, "www.")) {
        while (n < left && (unsigned char)p[n] > ' ' && (unsigned char)p[n] < 0x80) {
            n++;
        }
    }
    return at + n;
}

/* A word that belongs to code or markup by what stands next to it: f(x), a_b, \alpha, <td>. */
static bool is_code(drh_str s, size_t begin, size_t end)
{
    static const char before[] = "\\_@<", after[] = "_(=";
    return (begin > 0 && memchr(before, s.ptr[begin - 1], sizeof(before) - 1)) ||
           (begin > 1 && s.ptr[begin - 1] == '/' && s.ptr[begin - 2] == '<') ||
           (end < s.len && memchr(after, s.ptr[end], sizeof(after) - 1));
}

/* ---- words --------------------------------------------------------------------------------- */

struct word {
    char   text[WORD_MOST + 4];
    size_t len, end; /* in the sample; in the text */
    size_t letters[N_SCRIPTS];
    bool   ascii;
};

/* The word at `at`; a longer one than WORD_MOST comes in pieces. */
static void read_word(drh_str s, size_t at, struct word *w)
{
    int32_t c;

    memset(w->letters, 0, sizeof(w->letters));
    w->len = 0;
    w->ascii = true;
    for (w->end = at; w->end < s.len && w->len < WORD_MOST;) {
        const size_t n = decode(s.ptr + w->end, s.len - w->end, &c);
        const bool   joint = (c == '\'' || c == 0x2019) && w->len > 0 && w->end + n < s.len;
        int32_t      following = 0;
        if (joint) {
            (void)decode(s.ptr + w->end + n, s.len - w->end - n, &following);
        }
        if (!is_letter(c) && !(joint && is_letter(following))) {
            break;
        }
        w->ascii = w->ascii && c < 0x80;
        w->letters[lang_script_of((uint32_t)c)]++;
        c = c == 0x2019 ? '\'' : utf8proc_tolower(c);
        w->len += (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)w->text + w->len);
        w->end += n;
    }
}

/* False: it has no room. */
static bool keep_word(struct lang_sample *s, const struct word *w)
{
    if (w->len + 1 > s->cap - s->len) {
        return false;
    }
    memcpy(s->text + s->len, w->text, w->len);
    s->len += w->len;
    s->text[s->len++] = ' ';
    for (size_t i = 1; i < N_SCRIPTS; i++) {
        s->letters[i] += w->letters[i];
    }
    return true;
}

void lang_sample_add(struct lang_sample *s, drh_str text)
{
    const size_t most = LOOK * s->cap;
    size_t       at = 0, next, n;
    struct word  w;
    char         mark;

    while (at < text.len && s->seen + at < most) {
        if ((at == 0 || text.ptr[at - 1] == '\n') && (n = fence(text, at, &mark)) > 0) {
            at = behind_block(text, at, mark, n);
            continue;
        }
        next = behind_span(text, at);
        if (next == at) {
            read_word(text, at, &w);
            next = w.end;
            if (w.len > 0 && !(w.ascii && is_code(text, at, next)) && !keep_word(s, &w)) {
                break;
            }
        }
        at = next > at ? next : at + 1;
    }
    s->seen += at;
}

enum lang_script lang_sample_script(const struct lang_sample *s)
{
    const size_t wide =
        4 * (s->letters[SCRIPT_HAN] + s->letters[SCRIPT_KANA] + s->letters[SCRIPT_HANGUL]);
    size_t best = SCRIPT_NONE, most = 0;

    for (size_t i = 1; i < N_SCRIPTS; i++) {
        if (i != SCRIPT_HAN && i != SCRIPT_KANA && i != SCRIPT_HANGUL && s->letters[i] > most) {
            most = s->letters[i];
            best = i;
        }
    }
    if (wide > most) {
        const size_t han = s->letters[SCRIPT_HAN], kana = s->letters[SCRIPT_KANA];
        best = s->letters[SCRIPT_HANGUL] > han + kana ? SCRIPT_HANGUL
               : kana * 5 > han                       ? SCRIPT_KANA
                                                      : SCRIPT_HAN;
    }
    return (enum lang_script)best;
}

void lang_sample_only(struct lang_sample *s, enum lang_script script)
{
    size_t  to = 0, n;
    int32_t c;

    for (size_t at = 0; at < s->len; at += n) {
        const char *space = memchr(s->text + at, ' ', s->len - at);
        n = space ? (size_t)(space - s->text) - at + 1 : s->len - at;
        (void)decode(s->text + at, n, &c);
        if (lang_script_of((uint32_t)c) == script) {
            memmove(s->text + to, s->text + at, n);
            to += n;
        }
    }
    s->len = to;
    s->text[to] = 0;
}
