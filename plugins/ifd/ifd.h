/* SPDX-License-Identifier: MIT
 *
 * ifd.h - the inside of ifd.so.
 *     options.c  presets and the options that override them
 *     prompt.c   the texts of the two passes
 *     request.c  a record to two scoring requests
 *     score.c    two results to means, and what is written
 *     ifd.c      the stage
 * Calls of one instance never overlap, so struct ifd holds its own scratch.
 */
#ifndef IFD_H
#define IFD_H

#include <drh/infer.h>
#include <drh/turns.h>

#include <stdbool.h>

enum ifd_template { IFD_PLAIN = 0, IFD_ALPACA, IFD_WIZ, IFD_VICUNA, IFD_CHAT };
enum ifd_context { IFD_NONE = 0, IFD_BOS, IFD_RESPONSE };

struct ifd_options {
    uint32_t template;      /* enum ifd_template */
    uint32_t alone_context; /* enum ifd_context */
    uint32_t max_length;
    bool     by_loss;         /* ratio of losses, not of perplexities */
    bool     joint;           /* prompt and answer are tokenised as one text */
    bool     skip_first;      /* the first answer token counts in neither pass */
    bool     prompt_bos;      /* a context token before the prompt, too */
    bool     bound_inclusive; /* 1 itself passes */
};

/* A text that grows; its memory is kept from record to record. */
struct ifd_text {
    char  *ptr;
    size_t len, cap;
};

/* What a record is scored by; texts are the record's. */
struct ifd_parts {
    drh_str system, human, answer;
    size_t  input_from; /* byte in human where an Alpaca input begins; 0: none */
};

enum { IFD_COND = 0, IFD_ALONE = 1 };

/* One pass: log-probabilities of the answer tokens [first, first + n). */
struct ifd_pass {
    bool     there;
    uint32_t first, n, target; /* target: tokens of the answer before any cut */
    double   sum;              /* of what counts */
    uint32_t used;             /* tokens that count */
};

/* A record in flight. */
struct ifd_score {
    struct ifd_score *next;
    struct ifd_pass   cond, alone;
    float            *values; /* of the alone pass, while the other is not there yet */
    size_t            cap;
};

struct ifd {
    const drh_host    *host;
    const drh_infer   *infer;
    struct ifd_options opt;
    bool               ready;         /* the backend was asked what it is */
    bool               has_count;     /* it can count tokens */
    uint32_t           max_length;    /* opt.max_length, at most the model's context */
    uint32_t           prefix_tokens; /* of the alone pass's response marker */
    struct ifd_text    prompt;
    struct ifd_score  *pool; /* states of records that were settled */

    drh_field conversations, messages, system, input_from;
    drh_field ppl, loss, score, count, status;
};

extern const char ifd_schema[];
drh_status        ifd_read_options(const drh_host *h, const drh_config *c, struct ifd_options *o,
                                   drh_error *e);

/* Text of the prompt by template into *out (not for IFD_CHAT).  DRH_E_NOMEM. */
drh_status ifd_prompt(const drh_host *h, uint32_t template, const struct ifd_parts *p,
                      struct ifd_text *out);
/* What stands before the answer in the alone pass when alone_context is response. */
const char *ifd_marker(uint32_t template);

/* -- request.c, score.c: drh_map_ops */
drh_status ifd_start(void *self, void *worker, drh_record *r, drh_error *e);
drh_status ifd_resume(void *self, void *worker, drh_record *r, uint64_t tag, const void *result,
                      drh_error *e);
void       ifd_release(void *self, void *state);

/* -- score.c */
struct ifd_score *ifd_state_take(struct ifd *s); /* NULL: out of memory */
/* Keeps the record with the reason why it has no score; the host drops it if a cut is asked. */
drh_status ifd_no_score(struct ifd *s, drh_record *r, const char *why);
void       ifd_free_states(struct ifd *s);

#endif
