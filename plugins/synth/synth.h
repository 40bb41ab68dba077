/* SPDX-License-Identifier: MIT
 *
 * synth.h - what synthesizers have in common: which texts of a model are worth keeping, numbers
 * that a record's seed gives, a conversation as the canonical record.  A static library of the
 * bundled synthesizers; any thread.
 */
#ifndef SYNTH_H
#define SYNTH_H

#include <drh/hub.h>
#include <drh/infer.h>

/* ---- texts: synth_text.c, pure ---- */

drh_str synth_trim(drh_str s); /* without white space at its ends */
/* What is behind the last </think>; nothing when it is not closed. */
drh_str synth_answer_of(drh_str s);
int     synth_leaks(drh_str s);   /* holds what is a chat template's */
int     synth_refuses(drh_str s); /* begins with a refusal, English or Chinese */
/* Characters of UTF-8 text, and the first n of them. */
size_t  synth_characters(drh_str s);
drh_str synth_first(drh_str s, int64_t n);
/* "Zh" when Han characters prevail, else "En". */
const char *synth_lang(drh_str s);
/* Does s begin with this text (lower case), whatever its case in the Latin alphabet? */
int synth_begins(drh_str s, const char *lower);

/* The k-th number of a record (splitmix64). */
uint64_t synth_nth(uint64_t seed, uint64_t k);

/* ---- models: synth_model.c ---- */

/* Asks the backend once what it is; DRH_E_CONFIG when it cannot chat. */
drh_status synth_model(const drh_host *h, const drh_infer *infer, drh_infer_info *info,
                       drh_error *e);
/* Why a request failed.  An error when no other record would fare better, since this model cannot
 * do it; DRH_OK when the failure is the record's own. */
drh_status synth_failure(const drh_infer_res *res, const char **why, drh_error *e);
/* Why an answer is not kept, as a reason code, or NULL. */
const char *synth_bad_answer(drh_str s, int keep_refusals);

/* ---- records: synth_record.c ---- */

struct synth_fields {
    drh_field conversations, system, id, domain, dataset, source, lang, synthesis;
};

/* In create(): DRH_OK or DRH_E_NOMEM. */
drh_status synth_find_fields(const drh_host *h, struct synth_fields *f);

/* Writes turns (question, answer, question ...; `one_sided`: one text without a question), the
 * system text if it is not empty, and metadata id (as the chat stage makes it), domain, dataset,
 * source "METHOD:MODEL", lang. */
drh_status synth_write(const drh_host *h, const struct synth_fields *f, drh_record *r,
                       const drh_str *turn, size_t n, int one_sided, drh_str system,
                       const char *method, const drh_infer_info *info);
/* Begins metadata.synthesis with method, model, backend, seed; the stage adds its own by
 * synth_word and synth_number and ends it with records->close. */
drh_status synth_note(const drh_host *h, const struct synth_fields *f, drh_record *r,
                      const char *method, const drh_infer_info *info, uint64_t seed);
drh_status synth_word(const drh_host *h, drh_record *r, const char *key, drh_str word);
drh_status synth_number(const drh_host *h, drh_record *r, const char *key, double v);

/* First n / 2 bytes of a digest as n hexadecimal digits and a 0. */
void synth_hex(const uint8_t *sum, size_t n, char *out);

#endif /* SYNTH_H */
