/* SPDX-License-Identifier: MIT
 * split.c - see info.h.  The words are those by which the datasets library tells splits apart; a
 * word is a part of a path between / . _ - and blanks. */
#include "info.h"

static const char *const splits[][6] = {{"train", "training", NULL},
                                        {"validation", "valid", "val", "dev", NULL},
                                        {"test", "testing", "eval", "evaluation", NULL}};
enum { SPLITS = sizeof(splits) / sizeof(splits[0]), TRAIN = 0 };

/* Globs for a word at the start of a path, or behind a separator, below `under`. */
static void word_globs(drh_text *t, drh_str under, drh_str word)
{
    for (int k = 0; k < 2; k++) {
        drh_text g = {.host = t->host};
        drh_text_addv(&g, under);
        drh_text_adds(&g, k ? "*[-._/ ]" : "");
        drh_text_addv(&g, word);
        drh_text_adds(&g, "[-._/ ]*");
        drh_text_adds(t, t->len && t->ptr[t->len - 1] != '[' ? "," : "");
        info_quote(t, drh_text_str(&g));
        t->failed |= g.failed;
        drh_text_free(&g);
    }
}

static void split_globs(drh_text *t, drh_str under, size_t split)
{
    for (const char *const *word = splits[split]; *word; word++) {
        word_globs(t, under, drh_str_of(*word));
    }
}

static size_t known(drh_str split)
{
    for (size_t i = 0; i < SPLITS; i++) {
        for (const char *const *word = splits[i]; *word; word++) {
            if (drh_str_eq(split, *word)) {
                return i;
            }
        }
    }
    return SPLITS;
}

/* "train" is also what has no word at all, so the others are left out instead. */
static void train_only(drh_text *t, drh_str under)
{
    if (under.len) {
        drh_text_adds(t, ",\"include\":[");
        info_quote(t, under);
        drh_text_adds(t, "]");
    }
    drh_text_adds(t, ",\"exclude\":[");
    for (size_t i = 0; i < SPLITS; i++) {
        if (i != TRAIN) {
            split_globs(t, under, i);
        }
    }
    drh_text_adds(t, "]");
}

drh_status info_files(drh_text *t, drh_str folder, drh_str subset, drh_str split, drh_error *e)
{
    drh_text     under = {.host = t->host};
    const size_t which = split.len ? known(split) : TRAIN;
    if (split.len && memchr(split.ptr, '[', split.len)) {
        return drh_fail(e, DRH_E_CONFIG,
                        "split \"%.*s\": a part of a split cannot be taken; take all of it, and "
                        "--limit or filter what there is too much of",
                        (int)split.len, split.ptr);
    }
    for (int k = 0; k < 2; k++) {
        drh_str part = k ? subset : folder;
        while (drh_str_ends(part, "/")) {
            part.len--;
        }
        if (part.len && !(k && drh_str_eq(part, "default"))) {
            drh_text_addv(&under, part);
            drh_text_adds(&under, "/");
        }
    }
    if (which == TRAIN) {
        train_only(t, drh_text_str(&under));
    } else {
        drh_text_adds(t, ",\"include\":[");
        if (which < SPLITS) {
            split_globs(t, drh_text_str(&under), which);
        } else {
            word_globs(t, drh_text_str(&under), split);
        }
        drh_text_adds(t, "]");
    }
    t->failed |= under.failed;
    drh_text_free(&under);
    return DRH_OK;
}
