/* SPDX-License-Identifier: MIT
 *
 * options.c - the options of dedup.
 */
#include "dedup.h"

/* clang-format off */
const char dedup_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"method\":{\"type\":\"string\",\"enum\":[\"exact\",\"minhash\"],\"default\":\"exact\",\"description\":\"exact: records with equal texts. minhash: similar ones, too.\"},"
    "\"on\":{\"type\":\"string\",\"enum\":[\"conversation\",\"questions\"],\"description\":\"What is compared: the system text and all turns (default), or what the human says.\"},"
    "\"fields\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1},\"minItems\":1,\"maxItems\":16,\"description\":\"Fields to compare instead: [\\\"text\\\"], [\\\"/metadata/id\\\"].\"},"
    "\"ignore\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[\"case\",\"space\",\"punctuation\"]},\"default\":[\"case\",\"space\"],\"description\":\"What makes no difference.\"},"
    "\"per\":{\"type\":\"string\",\"enum\":[\"all\",\"domain\",\"dataset\"],\"default\":\"all\",\"description\":\"Within what records are compared.\"},"
    "\"threshold\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":1,\"default\":0.8,\"description\":\"minhash: records go whose n-grams are as similar as this (Jaccard) to those of an earlier one.\"},"
    "\"ngram\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":16,\"default\":5,\"description\":\"minhash: words of an n-gram.\"},"
    "\"bands\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":256,\"default\":14,\"description\":\"minhash: records are compared when they agree in all rows of a band.\"},"
    "\"rows\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":64,\"default\":8,\"description\":\"minhash: hashes of a band; bands times rows is at most 1024.\"},"
    "\"memory_mb\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1048576,\"default\":256,\"description\":\"Memory for sorting; what does not fit goes to files beside the run's own.\"}"
    "}}";
/* clang-format on */

static bool is(const drh_host *h, const drh_config *c, const char *key, const char *word)
{
    drh_str s;
    return h->config->get_str(c, key, &s) == DRH_OK && drh_str_eq(s, word);
}

static uint32_t number(const drh_host *h, const drh_config *c, const char *key)
{
    int64_t n = 0;
    (void)h->config->get_i64(c, key, &n);
    return (uint32_t)n;
}

static drh_status read_ignore(struct dedup *d, const drh_config *c, drh_error *e)
{
    const drh_host *h = d->host;
    drh_value       list, item;
    drh_str         s;
    drh_status      st = h->config->get_value(c, "/ignore", &list);

    for (st = st == DRH_OK ? h->values->child(&list, &item) : DRH_END; st == DRH_OK;
         st = h->values->next(&item)) {
        if (h->values->str(&item, &s) != DRH_OK) {
            return drh_fail(e, DRH_E_NOMEM, "out of memory");
        }
        d->fold_case = d->fold_case || drh_str_eq(s, "case");
        d->fold_space = d->fold_space || drh_str_eq(s, "space");
        d->fold_punctuation = d->fold_punctuation || drh_str_eq(s, "punctuation");
    }
    return DRH_OK;
}

drh_status dedup_options(struct dedup *d, const drh_config *c, drh_error *e)
{
    const drh_host *h = d->host;
    drh_str         on;
    double          threshold = 0;
    drh_status      st = dedup_read_fields(d, c, e);

    st = st == DRH_OK ? read_ignore(d, c, e) : st;
    if (st != DRH_OK) {
        return st;
    }
    if (d->n_fields > 0 && h->config->get_str(c, "/on", &on) == DRH_OK) {
        return drh_fail(e, DRH_E_CONFIG, "on and fields exclude each other; leave one out");
    }
    (void)h->config->get_f64(c, "/threshold", &threshold);
    d->questions = is(h, c, "/on", "questions");
    d->per = is(h, c, "/per", "domain")    ? DEDUP_PER_DOMAIN
             : is(h, c, "/per", "dataset") ? DEDUP_PER_DATASET
                                           : DEDUP_PER_ALL;
    d->near.on = is(h, c, "/method", "minhash");
    d->near.threshold = (uint32_t)(threshold * 10000 + 0.5);
    d->near.ngram = number(h, c, "/ngram");
    d->near.bands = number(h, c, "/bands");
    d->near.rows = number(h, c, "/rows");
    if (d->near.bands * d->near.rows > DEDUP_HASHES) {
        return drh_fail(e, DRH_E_CONFIG, "%u bands of %u rows are %u hashes; %d is the most",
                        d->near.bands, d->near.rows, d->near.bands * d->near.rows, DEDUP_HASHES);
    }
    d->memory = (size_t)number(h, c, "/memory_mb") << 20;
    return DRH_OK;
}
