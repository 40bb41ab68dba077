/* SPDX-License-Identifier: MIT
 *
 * reply.c - what is made of a model's reply; see personas.h.
 */
#include "personas.h"

#include <stdlib.h>

int reply_open(drh_str reply, const char *opening, drh_str *rest)
{
    const size_t n = strlen(opening);
    drh_str      s = synth_trim(reply);
    while (drh_str_starts(s, "#") || drh_str_starts(s, " ")) {
        s = drh_str_from(s, 1);
    }
    if (drh_str_starts(s, "**")) {
        s = drh_str_from(s, 2);
    }
    if (!synth_begins(s, opening)) {
        return 0;
    }
    s = drh_str_from(s, n);
    if (drh_str_starts(s, "**")) {
        s = drh_str_from(s, 2);
    }
    if (!drh_str_starts(s, ":")) {
        return 0;
    }
    s = drh_str_from(s, 1);
    if (drh_str_starts(s, "**")) {
        s = drh_str_from(s, 2);
    }
    *rest = synth_trim(s);
    return 1;
}

int reply_introduces(drh_str reply)
{
    static const char *const words[] = {"as a ",   "as an ", "i am a ", "i am an ", "i'm a ",
                                        "i'm an ", "作为一", "我是一",  NULL};
    size_t                   ends = 0;
    for (size_t i = 0; words[i]; i++) {
        if (synth_begins(reply, words[i])) {
            for (size_t k = 0; k + 1 < reply.len; k++) {
                ends += strchr(".!?\n", reply.ptr[k]) != NULL;
            }
            return ends == 0 && synth_characters(reply) < 160;
        }
    }
    return 0;
}

/* ---- likeness ------------------------------------------------------------------------------ */

enum { MOST_WORDS = 2048 };

static uint64_t hash_word(const char *p, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) {
        const char c = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
        h = (h ^ (unsigned char)c) * 1099511628211u;
    }
    return h;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int in_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* Different words of a text, sorted; a character that is no letter of an alphabet is one. */
static size_t words_of(drh_str s, uint64_t word[MOST_WORDS])
{
    size_t n = 0, to = 0;
    for (size_t i = 0; i < s.len && n < MOST_WORDS;) {
        size_t k = 0;
        if ((unsigned char)s.ptr[i] >= 0xe0) {
            k = (unsigned char)s.ptr[i] >= 0xf0 ? 4 : 3;
            k = k <= s.len - i ? k : s.len - i;
        } else {
            while (i + k < s.len && in_word(s.ptr[i + k]) && (unsigned char)s.ptr[i + k] < 0xe0) {
                k++;
            }
        }
        if (k) {
            word[n++] = hash_word(s.ptr + i, k);
        }
        i += k ? k : 1;
    }
    qsort(word, n, sizeof(*word), by_value);
    for (size_t i = 0; i < n; i++) {
        if (to == 0 || word[to - 1] != word[i]) {
            word[to++] = word[i];
        }
    }
    return to;
}

double reply_likeness(drh_str a, drh_str b)
{
    static _Thread_local uint64_t x[MOST_WORDS], y[MOST_WORDS];
    const size_t                  n = words_of(a, x), m = words_of(b, y);
    size_t                        both = 0, i = 0, k = 0;
    while (i < n && k < m) {
        both += x[i] == y[k];
        if (x[i] == y[k]) {
            i++;
            k++;
        } else if (x[i] < y[k]) {
            i++;
        } else {
            k++;
        }
    }
    return n + m ? (double)both / (double)(n + m - both) : 1;
}
