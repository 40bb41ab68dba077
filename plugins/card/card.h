/* SPDX-License-Identifier: MIT
 * card.h - which files of a data set are those of a subset and a split; shared by the sources.
 *
 * A data set's card, README.md, may say it: `configs` of its front matter, as Hugging Face's
 * documentation of repositories has it ("Manual configuration").  Else words in paths tell splits
 * apart, in the order of the datasets library: data/SPLIT-00000-of-00001.*; file names with train,
 * validation, test or words that stand for these; folders with such names; else all is train.
 * Then a subset is a folder.
 *
 * Order of calls: card_open, card_read when there is a card, card_see for each file, card_choose,
 * then card_wants for any file.  One thread at a time; memory is the host's. */
#ifndef CARD_H
#define CARD_H

#include <drh/hub.h>

/* Options of a source that uses this, to be put into its schema. */
#define CARD_SCHEMA                                                                                \
    "\"subset\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Only this subset (config) " \
    "of the data set: a name from its card, or a folder where the card names none.\"},"            \
    "\"split\":{\"type\":\"string\",\"minLength\":1,\"description\":\"Only this split: train, "    \
    "test, a name from the card. Default: all.\"}"

/* The ways in which paths tell a split. */
enum { CARD_SHARDS, CARD_NAMES, CARD_FOLDERS, CARD_ALL, CARD_WAYS };
/* Splits that have words; more than one bit when a path has words of several. */
enum { CARD_TRAIN = 1, CARD_VALIDATION = 2, CARD_TEST = 4 };

struct card {
    const drh_host *host;
    drh_str         subset, split;   /* the options; {NULL,0}: not given */
    drh_text        json;            /* the card's `configs` */
    drh_json       *doc;             /* of it; NULL: the card has none */
    drh_value       config, files;   /* the chosen one, and its data_files */
    int             has_files;       /* 0: paths decide, below `base` */
    drh_text        base;            /* "" or "data/en/" */
    unsigned        seen[CARD_WAYS]; /* bits of splits; CARD_SHARDS and CARD_ALL: 1 */
    int             seen_split;      /* 1: as the name of shards; 2: as a word in a path */
    int             way;             /* the way that decides; CARD_WAYS: all files below base */
    drh_text        splits, folders; /* names for an error, with ", " between */
    size_t          n_seen;
};

/* DRH_E_CONFIG: a split that cannot be had, "train[:10%]". */
drh_status card_check(const drh_host *h, const drh_config *config, drh_error *e);
/* Reads the options subset and split. */
void card_open(struct card *c, const drh_host *h, const drh_config *config);
void card_close(struct card *c);
/* Is a subset or a split asked for?  If not, card_wants says yes to everything. */
int card_asked(const struct card *c);
/* The text of README.md.  One that cannot be read is warned of and counts as none.  DRH_E_CONFIG:
 * it has no such subset, or several and none is asked for. */
drh_status card_read(struct card *c, drh_str readme, drh_error *e);
/* A file that the data set has. */
void card_see(struct card *c, drh_str path);
/* DRH_E_CONFIG: there is no such subset or split; the message names those that there are. */
drh_status card_choose(struct card *c, drh_error *e);
int        card_wants(const struct card *c, drh_str path);

/* -- between the files of this folder -- */

/* front.c: `configs` of a README's front matter as JSON, every scalar a text; empty when there is
 * none.  DRH_E_DATA with line and reason. */
drh_status card_front(drh_str readme, drh_text *json, drh_error *e);
/* words.c: the splits whose words a path has in the given way (CARD_NAMES, CARD_FOLDERS); those
 * that a word stands for, 0: none; the split of data/SPLIT-00000-of-00001.*, or {NULL,0}; whether a
 * path has a word of its own. */
unsigned card_words(drh_str path, int way);
unsigned card_means(drh_str split);
drh_str  card_shard(drh_str path);
int      card_has_word(drh_str path, drh_str word);
/* glob.c: a pattern of data_files: * and ? within a part of a path, ** across, sets in brackets; a
 * folder means all that is in it. */
int card_match(drh_str pattern, drh_str path);

#endif
