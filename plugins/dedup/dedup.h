/* SPDX-License-Identifier: MIT
 *
 * dedup.h - the inside of dedup.so.  What happens to a data set:
 *     observe.c  each record to a note: a digest of its text, where it is, what it is called; with
 *                text.c (normalisation) and shingle.c (MinHash)
 *     merge.c    the notes to a list of the records that go: equal ones by sorting the digests
 *                (spill/sort.c), similar ones by near.c; input order decides, so workers do not
 * matter apply.c    the list, looked up record by record decontaminate.c is another plugin, which
 * has texts and n-grams in common with it. A record is known by its address: where its note begins
 * in all notes, one after the other.  So addresses are in input order, and a note can be read
 * again.  struct dedup is read-only but in create() and prepare(); scratch is in struct
 * dedup_worker, one a thread.
 */
#ifndef DEDUP_H
#define DEDUP_H

#include <drh/turns.h>

#include <stdbool.h>

enum { DEDUP_FIELDS = 16, DEDUP_NGRAM = 16, DEDUP_HASHES = 1024 /* bands times rows */ };
enum { DEDUP_PER_ALL = 0, DEDUP_PER_DOMAIN, DEDUP_PER_DATASET };

/* What a record of the list is, beside 0..10000: how similar it is to the one that stays. */
enum { DEDUP_EXACT = 20000, DEDUP_NO_TEXT = 20001 };

struct dedup_near {
    bool     on;
    uint32_t ngram, bands, rows;
    uint32_t threshold; /* 0..10000 */
};

/* A shard as the list knows it. */
struct dedup_shard {
    uint64_t id[2]; /* digest of its name */
    uint64_t rows;  /* rows are below */
    uint64_t first, n;
};

struct dedup {
    const drh_host   *host;
    drh_field         conversations, messages, system, src, id;
    drh_field         field[DEDUP_FIELDS]; /* n_fields 0: the conversation */
    size_t            n_fields;
    bool              questions; /* only the human's turns */
    uint32_t          per;       /* DEDUP_PER_* */
    bool              fold_case, fold_space, fold_punctuation;
    struct dedup_near near;
    size_t            memory; /* bytes for sorting */
    /* after prepare(): the list, mapped */
    const uint8_t            *list;
    size_t                    list_size, n_shards;
    const struct list_entry  *entry;
    const struct dedup_shard *shard; /* sorted by id */
};

/* A growing array of bytes. */
struct dedup_buf {
    const drh_host *host;
    uint8_t        *ptr;
    size_t          len, cap;
};
/* Room for `more` further bytes: DRH_OK or DRH_E_NOMEM. */
drh_status dedup_room(struct dedup_buf *b, size_t more);
drh_status dedup_add(struct dedup_buf *b, const void *p, size_t len);
void       dedup_buf_free(struct dedup_buf *b);

struct dedup_part {
    size_t at, len; /* in the text */
    bool   word;    /* not text of the record, but a role */
};

struct dedup_worker {
    const struct dedup *d;
    struct dedup_buf    text;    /* normalised */
    struct dedup_buf    part;    /* struct dedup_part */
    struct dedup_buf    strs;    /* drh_str */
    struct dedup_buf    points;  /* code points, int32_t */
    struct dedup_buf    shingle; /* uint64_t, sorted, each once */
    uint64_t            n_words;
    struct dedup_buf    note; /* what one call of observe writes */
    uint32_t            signature[DEDUP_HASHES];
};

/* ---- text.c: what is compared ---- */

/* The record's parts, normalised, into w->text and w->part.  DRH_E_MISSING: it has no such text. */
drh_status dedup_text(struct dedup_worker *w, const drh_record *r);
/* Appends one text to w->text. */
drh_status dedup_normalise(struct dedup_worker *w, drh_str s);

/* ---- shingle.c: MinHash ---- */

/* The hashes of all n-grams of words of w's parts into w->shingle, how many words into w->n_words;
 * of fewer words than n: one hash of all. */
drh_status dedup_shingles(struct dedup_worker *w, uint32_t n);
/* The least value of each of bands * rows permutations over the shingles. */
void dedup_signature(const struct dedup_near *o, const uint64_t *shingle, size_t n,
                     uint32_t *signature);
/* One number for each band of a signature; `group` keeps apart what is not to be compared. */
void dedup_bands(const struct dedup_near *o, const uint32_t *signature, uint64_t group,
                 uint64_t *band);
/* |a and b| / |a or b| of sorted sets, 0..10000, rounded down. */
uint32_t dedup_jaccard(const uint64_t *a, size_t n, const uint64_t *b, size_t m);

/* ---- the calls of the stage: observe.c, merge.c, apply.c ---- */

drh_status dedup_observe(void *self, void *worker, drh_record *const *r, size_t n, drh_sink *notes,
                         drh_error *e);
drh_status dedup_merge(void *self, const char *const *notes, size_t n, drh_sink *result,
                       drh_error *e);
drh_status dedup_prepare(void *self, const char *result, drh_error *e);
drh_status dedup_apply(void *self, void *worker, drh_record *const *r, size_t n, drh_error *e);
void       dedup_forget(struct dedup *d); /* what prepare() made */

/* What a shard is called wherever its folder is: a digest of the domain, the data set and the
 * file's name without folders and endings. */
struct dedup_place {
    drh_record_info info; /* of the last record of this call */
    uint64_t        id[2];
    bool            known;
};
/* Fills place->info for the record, and place->id; true in *moved when that is another than before.
 */
drh_status dedup_find(const struct dedup *d, const drh_record *r, struct dedup_place *place,
                      bool *moved);

/* options.c */
extern const char dedup_schema[];
drh_status        dedup_options(struct dedup *d, const drh_config *c, drh_error *e);

/* text.c, for both stages: the instance of "decontaminate" begins with a struct dedup, too */
drh_status dedup_read_fields(struct dedup *d, const drh_config *c, drh_error *e);
drh_status dedup_open_worker(void *self, uint32_t index, void **worker, drh_error *e);
void       dedup_close_worker(void *self, void *worker);

#endif
