/* SPDX-License-Identifier: MIT
 *
 * clean.c - which questions are kept; see magpie.h.
 */
#include "magpie.h"

const char *magpie_bad_question(const struct magpie_options *o, drh_str s)
{
    const size_t n = synth_characters(s);
    if (s.len == 0) {
        return "empty_question";
    }
    if (synth_leaks(s)) {
        return "template_leak";
    }
    if (drh_str_ends(s, ":") || drh_str_ends(s, "：")) {
        return "question_incomplete";
    }
    if ((int64_t)n < o->min_chars) {
        return "question_short";
    }
    if (o->max_chars > 0 && (int64_t)n > o->max_chars) {
        return "question_long";
    }
    if (!drh_str_eq(o->lang, "any") && !drh_str_eq(o->lang, synth_lang(s))) {
        return "other_language";
    }
    return NULL;
}
