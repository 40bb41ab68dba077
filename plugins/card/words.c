/* SPDX-License-Identifier: MIT
 * words.c - splits by words in paths, see card.h.  The words are those of the datasets library. */
#include "card.h"

static const struct {
    unsigned    split;
    const char *word;
} words[] = {{CARD_TRAIN, "train"},      {CARD_TRAIN, "training"}, {CARD_VALIDATION, "validation"},
             {CARD_VALIDATION, "valid"}, {CARD_VALIDATION, "val"}, {CARD_VALIDATION, "dev"},
             {CARD_TEST, "test"},        {CARD_TEST, "testing"},   {CARD_TEST, "eval"},
             {CARD_TEST, "evaluation"}};

/* What parts words, beside the / between folders. */
static int is_gap(char c)
{
    return c == '-' || c == '.' || c == '_' || c == ' ' || (c >= '0' && c <= '9');
}

/* Is the word in `part`, a name between two /, with nothing but gaps around it?  At the end there
 * may be nothing when it is a folder's name; behind a file's a dot comes at least. */
static int word_in(drh_str part, drh_str word, int folder)
{
    for (size_t i = 0; i + word.len <= part.len; i++) {
        const size_t end = i + word.len;
        if ((i == 0 || is_gap(part.ptr[i - 1])) && memcmp(part.ptr + i, word.ptr, word.len) == 0 &&
            (end == part.len ? folder : is_gap(part.ptr[end]))) {
            return 1;
        }
    }
    return 0;
}

/* Takes the first part of *path; *last: it is the file's name. */
static drh_str next_part(drh_str *path, int *last)
{
    const size_t n = path->len;
    drh_str      part = drh_str_cut(*path, '/', path);
    *last = part.len == n;
    return part;
}

static unsigned words_of(drh_str part, int folder)
{
    unsigned found = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        found |= word_in(part, drh_str_of(words[i].word), folder) ? words[i].split : 0;
    }
    return found;
}

unsigned card_words(drh_str path, int way)
{
    unsigned found = 0;
    int      last = 0;
    while (path.len && !last) {
        const drh_str part = next_part(&path, &last);
        if (last == (way == CARD_NAMES)) {
            found |= words_of(part, !last);
        }
    }
    return found;
}

unsigned card_means(drh_str split)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (drh_str_eq(split, words[i].word)) {
            return words[i].split;
        }
    }
    return 0;
}

static int five_digits(drh_str s)
{
    return drh_hub_span(s, "0123456789", 1) >= 5;
}

drh_str card_shard(drh_str path)
{
    const drh_str none = {NULL, 0};
    drh_str       name = drh_str_starts(path, "data/") ? drh_str_from(path, 5) : none;
    for (size_t i = 1; i + 10 < name.len && name.ptr[i] != '/'; i++) {
        drh_str rest = drh_str_from(name, i);
        if (rest.ptr[0] == '-' && five_digits(drh_str_from(rest, 1)) &&
            drh_str_starts(drh_str_from(rest, 6), "-of-") && five_digits(drh_str_from(rest, 10)) &&
            !memchr(rest.ptr, '/', rest.len) && memchr(rest.ptr, '.', rest.len)) {
            name.len = i;
            return name;
        }
    }
    return none;
}

int card_has_word(drh_str path, drh_str word)
{
    int last = 0;
    while (path.len && !last) {
        const drh_str part = next_part(&path, &last);
        if (word_in(part, word, !last)) {
            return 1;
        }
    }
    return 0;
}
