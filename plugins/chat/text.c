/* SPDX-License-Identifier: MIT
 *
 * text.c - scratch memory, reasons and the language guess of chat.so.  Called by the other files
 * with the worker of the calling thread.
 */
#include "chat.h"

struct chat_chunk {
    struct chat_chunk *next;
    size_t             used, cap;
    char               bytes[];
};

#define ONES 0x0101010101010101u /* eight bytes of 1, of 0x80 */
#define HIGHS 0x8080808080808080u

enum { CHUNK = 64 * 1024, LANG_SAMPLE = 512, LANG_TURNS = 4 };

/* Cuts a text that snprintf filled to the limit back to whole UTF-8 characters, and keeps it on
 * one line. */
static void tidy_line(char *s)
{
    size_t n = strlen(s);
    size_t i = n;
    while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xC0u) == 0x80u) {
        i--;
    }
    if (i > 0 && ((unsigned char)s[i - 1] & 0x80u) != 0) {
        unsigned char c = (unsigned char)s[i - 1];
        size_t        want = c >= 0xF0u ? 4 : c >= 0xE0u ? 3 : 2;
        if (n - (i - 1) < want) {
            s[i - 1] = 0;
        }
    }
    for (i = 0; s[i]; i++) {
        if ((unsigned char)s[i] < 0x20) {
            s[i] = ' ';
        }
    }
}

__attribute__((format(printf, 4, 0))) static drh_status
note(struct chat_worker *w, bool drop, const char *reason, const char *fmt, va_list ap)
{
    w->drop = drop;
    (void)snprintf(w->reason, sizeof(w->reason), "%s", reason);
    (void)vsnprintf(w->detail, sizeof(w->detail), fmt, ap);
    tidy_line(w->detail);
    return DRH_E_DATA;
}

drh_status chat_bad(struct chat_worker *w, const char *reason, const char *fmt, ...)
{
    va_list    ap;
    drh_status st;
    va_start(ap, fmt);
    st = note(w, false, reason, fmt, ap);
    va_end(ap);
    return st;
}

drh_status chat_drop(struct chat_worker *w, const char *reason, const char *fmt, ...)
{
    va_list    ap;
    drh_status st;
    va_start(ap, fmt);
    st = note(w, true, reason, fmt, ap);
    va_end(ap);
    return st;
}

char *chat_mem(struct chat_worker *w, size_t n)
{
    struct chat_chunk *c = w->chunks;
    char              *p;
    if (!c || c->cap - c->used < n) {
        size_t cap = n > CHUNK ? n : CHUNK;
        if (cap > SIZE_MAX - sizeof(*c)) {
            return NULL;
        }
        c = w->host->alloc(w->host, NULL, sizeof(*c) + cap);
        if (!c) {
            return NULL;
        }
        c->next = w->chunks;
        c->used = 0;
        c->cap = cap;
        w->chunks = c;
    }
    p = c->bytes + c->used;
    c->used += n;
    return p;
}

/* Keeps one chunk of the usual size. */
void chat_mem_reset(struct chat_worker *w)
{
    struct chat_chunk *keep = NULL;
    while (w->chunks) {
        struct chat_chunk *c = w->chunks;
        w->chunks = c->next;
        if (!keep && c->cap == CHUNK) {
            keep = c;
        } else {
            (void)w->host->alloc(w->host, c, 0);
        }
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    w->chunks = keep;
}

void chat_mem_free(struct chat_worker *w)
{
    while (w->chunks) {
        struct chat_chunk *c = w->chunks;
        w->chunks = c->next;
        (void)w->host->alloc(w->host, c, 0);
    }
}

static void copy(char *to, drh_str s)
{
    if (s.len > 0) {
        memcpy(to, s.ptr, s.len);
    }
}

/* Room for `more` bytes right behind a text that is the last one in the newest chunk. */
static bool grows(const struct chat_worker *w, drh_str a, size_t more)
{
    const struct chat_chunk *c = w->chunks;
    return c && c->used > a.len && a.ptr == c->bytes + (c->used - a.len - 1) &&
           c->cap - c->used >= more;
}

drh_status chat_concat(struct chat_worker *w, drh_str a, drh_str between, drh_str b, drh_str *out)
{
    size_t more = between.len + b.len;
    size_t n = a.len + more;
    char  *p;
    if (grows(w, a, more)) {
        w->chunks->used += more;
        p = w->chunks->bytes + (w->chunks->used - n - 1);
    } else {
        p = chat_mem(w, 2 * n + 1); /* the next one of a chain finds room */
        if (!p) {
            return DRH_E_NOMEM;
        }
        w->chunks->used -= n;
        copy(p, a);
    }
    copy(p + a.len, between);
    copy(p + a.len + between.len, b);
    p[n] = 0;
    out->ptr = p;
    out->len = n;
    return DRH_OK;
}

/* White space of ASCII and U+3000, the space of Chinese text. */
bool chat_blank(drh_str s)
{
    size_t i = 0;
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            i++;
        } else if (s.len - i >= 3 && memcmp(s.ptr + i, "\xE3\x80\x80", 3) == 0) {
            i += 3;
        } else {
            return false;
        }
    }
    return true;
}

struct scripts {
    size_t latin, han, kana, hangul, cyrillic;
};

static void count_wide(struct scripts *n, uint32_t cp)
{
    if ((cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0x3400 && cp <= 0x4DBF)) {
        n->han++;
    } else if (cp >= 0x3040 && cp <= 0x30FF) {
        n->kana++;
    } else if (cp >= 0xAC00 && cp <= 0xD7A3) {
        n->hangul++;
    } else if (cp >= 0x400 && cp <= 0x4FF) {
        n->cyrillic++;
    } else if (cp >= 0xC0 && cp <= 0x24F) {
        n->latin++;
    }
}

static uint64_t word_at(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof(w));
    return w;
}

/* How many of eight ASCII bytes are letters: in lower case, from 'a' on but not behind 'z'. */
static size_t ascii_letters(uint64_t w)
{
    uint64_t low = w | ONES * 0x20;
    uint64_t from_a = low + ONES * (0x80 - 'a');
    uint64_t behind_z = low + ONES * (0x80 - 'z' - 1);
    return (size_t)((((from_a & ~behind_z & HIGHS) >> 7) * ONES) >> 56);
}

/* Counts letters by script in the first bytes of a text; the text is valid UTF-8. */
static void count_scripts(struct scripts *n, drh_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t               len = s.len < LANG_SAMPLE ? s.len : LANG_SAMPLE;
    size_t               i = 0;
    while (i < len) {
        unsigned char c = p[i];
        if (i + 8 <= len && !(word_at(s.ptr + i) & HIGHS)) {
            n->latin += ascii_letters(word_at(s.ptr + i));
            i += 8;
        } else if (c < 0x80) {
            n->latin += (unsigned)((c | 0x20) - 'a') < 26u;
            i++;
        } else if (c < 0xE0) {
            if (i + 1 < s.len) {
                count_wide(n, (uint32_t)(c & 0x1F) << 6 | (p[i + 1] & 0x3Fu));
            }
            i += 2;
        } else if (c < 0xF0) {
            if (i + 2 < s.len) {
                count_wide(n, (uint32_t)(c & 0x0F) << 12 | (uint32_t)(p[i + 1] & 0x3F) << 6 |
                                  (p[i + 2] & 0x3Fu));
            }
            i += 3;
        } else {
            i += 4;
        }
    }
}

/* True when the first bytes of a text are ASCII; *letter is set when one of them is a letter. */
static bool is_ascii(drh_str s, bool *letter)
{
    size_t   len = s.len < LANG_SAMPLE ? s.len : LANG_SAMPLE;
    uint64_t a = 0, b = 0;
    size_t   i;
    for (i = 0; i + 32 <= len; i += 32) {
        a |= word_at(s.ptr + i) | word_at(s.ptr + i + 8);
        b |= word_at(s.ptr + i + 16) | word_at(s.ptr + i + 24);
    }
    for (; i + 8 <= len; i += 8) {
        a |= word_at(s.ptr + i);
    }
    for (; i < len; i++) {
        b |= (unsigned char)s.ptr[i] & 0x80u;
    }
    for (i = 0; !*letter && i < len; i++) {
        *letter = (unsigned)(((unsigned char)s.ptr[i] | 0x20) - 'a') < 26u;
    }
    return ((a | b) & HIGHS) == 0;
}

const char *chat_lang(const struct chat_worker *w)
{
    struct scripts n = {0, 0, 0, 0, 0};
    bool           ascii = true, letter = false;
    size_t         turns = w->n_turns < LANG_TURNS ? w->n_turns : LANG_TURNS;
    size_t         cjk, i;
    for (i = 0; i < turns && ascii; i++) {
        ascii = is_ascii(w->turns[i].text, &letter);
    }
    if (ascii) {
        return letter ? "En" : NULL;
    }
    for (i = 0; i < turns; i++) {
        count_scripts(&n, w->turns[i].text);
    }
    /* A letter of the Latin alphabet says about a quarter of what a Han character says. */
    cjk = 4 * (n.han + n.kana + n.hangul);
    if (cjk > n.latin && cjk >= n.cyrillic) {
        if (n.hangul > n.han + n.kana) {
            return "Ko";
        }
        return n.kana * 5 > n.han ? "Ja" : "Zh";
    }
    if (n.cyrillic > n.latin) {
        return "Ru";
    }
    return n.latin > 0 ? "En" : NULL;
}
