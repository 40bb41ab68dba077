/* SPDX-License-Identifier: MIT
 *
 * synth_text.c - which texts of a model are worth keeping; see synth.h.
 */
#include "synth.h"

static int space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Those of Unicode that are no ASCII. */
static const char *const spaces[] = {"\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                                     "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009",
                                     "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

/* Length of a space at the beginning, or at the end, or 0. */
static size_t space_at(drh_str s, int end)
{
    if (s.len && space(end ? s.ptr[s.len - 1] : s.ptr[0])) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (end ? drh_str_ends(s, spaces[i]) : drh_str_starts(s, spaces[i])) {
            return strlen(spaces[i]);
        }
    }
    return 0;
}

drh_str synth_trim(drh_str s)
{
    size_t n;
    while ((n = space_at(s, 1)) > 0) {
        s.len -= n;
    }
    while ((n = space_at(s, 0)) > 0) {
        s = drh_str_from(s, n);
    }
    return s;
}

/* Place of `what` in s from `from` on, or SIZE_MAX. */
static size_t find(drh_str s, size_t from, const char *what)
{
    const size_t n = strlen(what);
    for (size_t i = from; n <= s.len && i <= s.len - n; i++) {
        if (memcmp(s.ptr + i, what, n) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

drh_str synth_answer_of(drh_str s)
{
    size_t at = find(s, 0, "</think>"), next;
    if (at == SIZE_MAX) {
        return find(s, 0, "<think>") == SIZE_MAX ? s : drh_str_from(s, s.len);
    }
    while ((next = find(s, at + 1, "</think>")) != SIZE_MAX) {
        at = next;
    }
    return synth_trim(drh_str_from(s, at + strlen("</think>")));
}

/* ---- leaks --------------------------------------------------------------------------------- */

/* "<|word|>", as most templates spell their tokens. */
static int has_token(drh_str s)
{
    for (size_t at = find(s, 0, "<|"); at != SIZE_MAX; at = find(s, at + 2, "<|")) {
        const size_t end = find(s, at + 2, "|>");
        size_t       i = at + 2;
        while (i < end && i < s.len && !space(s.ptr[i]) && i - at < 40) {
            i++;
        }
        if (end != SIZE_MAX && i == end && end > at + 2) {
            return 1;
        }
    }
    return 0;
}

int synth_leaks(drh_str s)
{
    static const char *const words[] = {"<start_of_turn>",
                                        "<end_of_turn>",
                                        "[INST]",
                                        "[/INST]",
                                        "<s>",
                                        "</s>",
                                        "<bos>",
                                        "<eos>",
                                        "<｜User｜>",
                                        "<｜Assistant｜>",
                                        "[gMASK]",
                                        "<sop>",
                                        "<AI>",
                                        "<用户>",
                                        "### Instruction:",
                                        "### Response:",
                                        "<|im_start|>",
                                        "\nASSISTANT: ",
                                        "\nUSER: ",
                                        NULL};
    for (size_t i = 0; words[i]; i++) {
        if (find(s, 0, words[i]) != SIZE_MAX) {
            return 1;
        }
    }
    return has_token(s);
}

/* ---- refusals ------------------------------------------------------------------------------ */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int synth_begins(drh_str s, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i < n; i++) {
        if (i >= s.len || lower(s.ptr[i]) != word[i]) {
            return 0;
        }
    }
    return 1;
}

/* At the beginning, where refusals stand; "I can't" in the middle of a story is none. */
int synth_refuses(drh_str s)
{
    static const char *const words[] = {"i'm sorry",
                                        "i am sorry",
                                        "i’m sorry",
                                        "sorry, ",
                                        "i apologize",
                                        "i cannot ",
                                        "i can't ",
                                        "i can’t ",
                                        "i can not ",
                                        "i'm unable",
                                        "i am unable",
                                        "i'm not able",
                                        "i am not able",
                                        "as an ai",
                                        "as a language model",
                                        "i'm just an ai",
                                        "unfortunately, i cannot",
                                        "unfortunately, i can't",
                                        "抱歉",
                                        "很抱歉",
                                        "非常抱歉",
                                        "对不起",
                                        "作为一个ai",
                                        "作为ai",
                                        "作为一个人工智能",
                                        "作为人工智能",
                                        "我无法",
                                        "我不能",
                                        NULL};
    for (size_t i = 0; words[i]; i++) {
        if (synth_begins(s, words[i])) {
            return 1;
        }
    }
    return 0;
}

/* ---- languages ----------------------------------------------------------------------------- */

/* Characters, and how many of them are Han. */
static size_t count(drh_str s, size_t *han, size_t *letters)
{
    size_t n = 0;
    *han = *letters = 0;
    for (size_t i = 0; i < s.len; n++) {
        const unsigned char c = (unsigned char)s.ptr[i];
        const size_t        len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (len == 3 && c >= 0xe4 && c <= 0xe9) { /* U+4000 to U+9FFF, near enough */
            ++*han;
        }
        *letters += len > 1 || (lower((char)c) >= 'a' && lower((char)c) <= 'z');
        i += len;
    }
    return n;
}

size_t synth_characters(drh_str s)
{
    size_t han, letters;
    return count(s, &han, &letters);
}

drh_str synth_first(drh_str s, int64_t n)
{
    size_t i = 0;
    while (i < s.len && n > 0) {
        i++;
        while (i < s.len && ((unsigned char)s.ptr[i] & 0xc0) == 0x80) {
            i++;
        }
        n--;
    }
    s.len = i;
    return s;
}

const char *synth_lang(drh_str s)
{
    size_t han, letters;
    (void)count(s, &han, &letters);
    return 4 * han > letters ? "Zh" : "En"; /* a Han character is worth some letters */
}

/* ---- numbers ------------------------------------------------------------------------------- */

uint64_t synth_nth(uint64_t seed, uint64_t k)
{
    uint64_t z = seed + (k + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
