/* SPDX-License-Identifier: MIT
 *
 * reply.c - what is made of a model's reply; see personas.h.
 */
#include "personas.h"

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

/* Takes what is around s away, if it is not in it, too: "A" or "B". */
static int peel(drh_str *s, const char *begin, const char *end)
{
    const size_t n = strlen(begin), m = strlen(end);
    drh_str      in;
    if (s->len < n + m || !drh_str_starts(*s, begin) || !drh_str_ends(*s, end)) {
        return 0;
    }
    in = (drh_str){s->ptr + n, s->len - n - m};
    for (size_t i = 0; m && i < in.len; i++) {
        if (drh_str_starts(drh_str_from(in, i), end)) {
            return 0;
        }
    }
    *s = synth_trim(in);
    return 1;
}

drh_str reply_line(drh_str reply)
{
    drh_str s = synth_trim(reply);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\n' || s.ptr[i] == '\r') {
            s.len = i;
        }
    }
    s = synth_trim(s);
    while (peel(&s, "- ", "") || peel(&s, "* ", "") || peel(&s, "1. ", "") ||
           peel(&s, "**", "**") || peel(&s, "\"", "\"") || peel(&s, "“", "”")) {
    }
    return s;
}
