/* SPDX-License-Identifier: MIT
 * rank.c - see rank.h. */
#include "rank.h"

#include "err.h"
#include "mem.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 8192 };

bool rank_has_cut(const struct rank_spec *s)
{
    return s->has_below || s->has_at_most || s->has_above || s->has_at_least || s->has_top ||
           s->has_count;
}

/* ---- going through the files ---- */

typedef void (*score_fn)(void *ctx, double score);

static drh_status each_score(const struct rank_part *part, score_fn fn, void *ctx, drh_error *e)
{
    double   chunk[CHUNK];
    FILE    *f = fopen(part->path, "rbe");
    uint64_t seen = 0;
    size_t   n;

    if (!f) {
        return err_errno(e, errno, "cannot open", part->path);
    }
    while ((n = fread(chunk, sizeof(double), CHUNK, f)) > 0) {
        for (size_t i = 0; i < n; i++) {
            fn(ctx, chunk[i]);
        }
        seen += n;
    }
    (void)fclose(f);
    if (seen != part->n) {
        return err_set(e, DRH_E_IO, "%s holds %llu scores, not %llu; run again with --fresh",
                       part->path, (unsigned long long)seen, (unsigned long long)part->n);
    }
    return DRH_OK;
}

static drh_status each_in_group(const struct rank_part *part, size_t n_parts, size_t group,
                                score_fn fn, void *ctx, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n_parts; i++) {
        if (part[i].group == group) {
            st = each_score(&part[i], fn, ctx, e);
        }
    }
    return st;
}

/* ---- the k-th score ---- */

/* Doubles as integers of the same order; NaN is never asked. */
static uint64_t key_of(double d)
{
    uint64_t u;
    memcpy(&u, &d, sizeof(u));
    return u >> 63 ? ~u : u | (1ull << 63);
}

static double of_key(uint64_t k)
{
    double   d;
    uint64_t u = k >> 63 ? k & ~(1ull << 63) : ~k;
    memcpy(&d, &u, sizeof(d));
    return d;
}

static bool passes(const struct rank_spec *s, double v)
{
    return !isnan(v) && !(s->has_below && !(v < s->below)) &&
           !(s->has_at_most && !(v <= s->at_most)) && !(s->has_above && !(v > s->above)) &&
           !(s->has_at_least && !(v >= s->at_least));
}

struct radix {
    const struct rank_spec *spec; /* NULL: all scored count */
    uint64_t               *bucket;
    uint64_t                prefix, mask; /* bits fixed so far */
    unsigned                shift;
};

static void radix_count(void *ctx, double v)
{
    struct radix *r = ctx;
    uint64_t      k;

    if (r->spec ? passes(r->spec, v) : !isnan(v)) {
        k = key_of(v + 0.0); /* -0 ranks as 0 */
        if ((k & r->mask) == r->prefix) {
            r->bucket[(k >> r->shift) & 0xffff]++;
        }
    }
}

/* The k-th (from 0) lowest; *equal_before: how many of the lower-or-equal ones are strictly lower.
 */
static drh_status kth(const struct rank_part *part, size_t n_parts, size_t group,
                      const struct rank_spec *spec, uint64_t k, double *out, uint64_t *lower,
                      drh_error *e)
{
    struct radix r = {.spec = spec, .bucket = mem_alloc(65536, sizeof(uint64_t)), .shift = 64};
    drh_status   st = r.bucket ? DRH_OK : err_nomem(e, "ranking");

    *lower = 0;
    while (st == DRH_OK && r.shift > 0) {
        size_t b = 0;

        r.shift -= 16;
        memset(r.bucket, 0, 65536 * sizeof(uint64_t));
        st = each_in_group(part, n_parts, group, radix_count, &r, e);
        while (b < 65535 && k >= r.bucket[b]) {
            k -= r.bucket[b];
            *lower += r.bucket[b++];
        }
        r.prefix |= (uint64_t)b << r.shift;
        r.mask |= 0xffffull << r.shift;
    }
    *out = of_key(r.prefix);
    mem_free(r.bucket);
    return st;
}

drh_status rank_quantile(const struct rank_part *part, size_t n_parts, size_t group,
                         uint64_t scored, double q, double *out, drh_error *e)
{
    double     at = q * (double)(scored - 1), lo, hi;
    uint64_t   i = (uint64_t)at, lower;
    drh_status st = kth(part, n_parts, group, NULL, i, &lo, &lower, e);

    hi = lo;
    if (st == DRH_OK && at > (double)i && i + 1 < scored) {
        st = kth(part, n_parts, group, NULL, i + 1, &hi, &lower, e);
    }
    *out = lo + (hi - lo) * (at - (double)i);
    return st;
}

/* ---- statistics ---- */

struct sums {
    struct rank_group      *g;
    const struct rank_spec *spec;
    double                  m2;
};

static void sum_score(void *ctx, double v)
{
    struct sums       *s = ctx;
    struct rank_group *g = s->g;
    double             d;

    g->n++;
    if (isnan(v)) {
        return;
    }
    g->scored++;
    g->passed += passes(s->spec, v);
    d = v - g->mean; /* Welford: exact enough for any number of records */
    g->mean += d / (double)g->scored;
    s->m2 += d * (v - g->mean);
    g->min = g->scored == 1 || v < g->min ? v : g->min;
    g->max = g->scored == 1 || v > g->max ? v : g->max;
}

static void bin_score(void *ctx, double v)
{
    struct rank_group *g = ctx;
    double             at;

    if (!isnan(v)) {
        at = g->hi > g->lo ? (v - g->lo) / (g->hi - g->lo) * RANK_BINS : 0;
        g->bin[at < 0 ? 0 : (at >= RANK_BINS ? RANK_BINS - 1 : (size_t)at)]++;
    }
}

/* The histogram spans what is within 3 quartile distances of the middle half: one wild score must
 * not flatten the rest. */
static void choose_bins(struct rank_group *g)
{
    double reach = 3 * (g->q3 - g->q1);

    g->lo = g->min > g->q1 - reach ? g->min : g->q1 - reach;
    g->hi = g->max < g->q3 + reach ? g->max : g->q3 + reach;
}

static drh_status describe(const struct rank_spec *s, const struct rank_part *part, size_t n_parts,
                           size_t at, struct rank_group *g, drh_error *e)
{
    struct sums sums = {.g = g, .spec = s};
    double     *q[] = {&g->q1, &g->median, &g->q3};
    drh_status  st = each_in_group(part, n_parts, at, sum_score, &sums, e);

    g->cut = (double)NAN;
    g->sd = g->scored > 1 ? sqrt(sums.m2 / (double)(g->scored - 1)) : 0;
    if (g->scored == 0) {
        return st;
    }
    for (int i = 0; st == DRH_OK && i < 3; i++) {
        st = rank_quantile(part, n_parts, at, g->scored, 0.25 * (i + 1), q[i], e);
    }
    choose_bins(g);
    return st == DRH_OK ? each_in_group(part, n_parts, at, bin_score, g, e) : st;
}

/* ---- the cut ---- */

static uint64_t how_many(const struct rank_spec *s, uint64_t passed)
{
    uint64_t n = passed;

    if (s->has_top) { /* 0.29 * 100 is 28.999... in binary: the share means 29 */
        n = (uint64_t)floor(s->top * (double)passed + 1e-9);
    }
    if (s->has_count && (uint64_t)s->count < n) {
        n = (uint64_t)s->count;
    }
    return n < passed ? n : passed;
}

struct ties {
    double   at;
    uint64_t n;
};

static void count_tie(void *ctx, double v)
{
    struct ties *t = ctx;
    t->n += v == t->at;
}

/* Scores equal to the cut are kept in the order of parts and rows. */
static drh_status share_ties(struct rank_part *part, size_t n_parts, size_t at, double cut,
                             uint64_t left, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n_parts; i++) {
        struct ties t = {.at = cut};

        if (part[i].group == at) {
            st = each_score(&part[i], count_tie, &t, e);
            part[i].take_ties = t.n < left ? t.n : left;
            left -= part[i].take_ties;
        }
    }
    return st;
}

static drh_status find_cut(const struct rank_spec *s, struct rank_part *part, size_t n_parts,
                           size_t at, struct rank_group *g, drh_error *e)
{
    uint64_t   lower, ties;
    drh_status st;

    g->limited = s->has_top || s->has_count;
    g->kept = rank_has_cut(s) ? how_many(s, g->passed) : g->n;
    if (!g->limited || g->kept == 0) {
        return DRH_OK;
    }
    if (s->ascending) {
        st = kth(part, n_parts, at, s, g->kept - 1, &g->cut, &lower, e);
        ties = g->kept - lower;
    } else {
        double   cut;
        uint64_t first = g->passed - g->kept; /* from the low end */
        st = kth(part, n_parts, at, s, first, &cut, &lower, e);
        g->cut = cut;
        /* of those equal to the cut, first - lower are left out */
        ties = UINT64_MAX;
        if (st == DRH_OK) {
            struct ties t = {.at = cut};
            st = each_in_group(part, n_parts, at, count_tie, &t, e);
            ties = t.n - (first - lower);
        }
    }
    return st == DRH_OK ? share_ties(part, n_parts, at, g->cut, ties, e) : st;
}

drh_status rank_groups(const struct rank_spec *s, struct rank_part *part, size_t n_parts,
                       struct rank_group *group, size_t n_groups, drh_error *e)
{
    drh_status st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n_groups; i++) {
        st = describe(s, part, n_parts, i, &group[i], e);
        st = st == DRH_OK ? find_cut(s, part, n_parts, i, &group[i], e) : st;
    }
    return st;
}

/* ---- one part ---- */

struct judge {
    struct cut *c;
    uint64_t    at, ties;
};

static void judge_score(void *ctx, double v)
{
    struct judge            *j = ctx;
    struct cut              *c = j->c;
    const struct rank_group *g = c->group;
    uint8_t                  verdict = VERDICT_KEEP;

    if (j->at >= c->n) {
        return;
    }
    c->score[j->at] = v;
    if (isnan(v)) {
        verdict = VERDICT_UNSCORED;
    } else if (!passes(c->spec, v)) {
        verdict = VERDICT_BOUND;
    } else if (g->limited) {
        bool better = c->spec->ascending ? v < g->cut : v > g->cut;
        bool tie = v == g->cut && j->ties > 0;
        j->ties -= tie;
        verdict = better || tie ? VERDICT_KEEP : VERDICT_RANK;
    }
    c->verdict[j->at++] = rank_has_cut(c->spec) ? verdict : VERDICT_KEEP;
}

drh_status cut_open(struct cut *c, const struct rank_spec *s, const struct rank_group *g,
                    const struct rank_part *part, drh_error *e)
{
    struct judge j = {.c = c, .ties = part->take_ties};

    c->spec = s;
    c->group = g;
    c->n = part->n;
    c->score = mem_alloc(part->n + 1, sizeof(*c->score));
    c->verdict = mem_alloc(part->n + 1, sizeof(*c->verdict));
    if (!c->score || !c->verdict) {
        return err_nomem(e, "ranking");
    }
    return each_score(part, judge_score, &j, e);
}

void cut_close(struct cut *c)
{
    mem_free(c->score);
    mem_free(c->verdict);
    c->score = NULL;
    c->verdict = NULL;
}

static drh_status drop_unscored(const struct cut *c, drh_record *r)
{
    drh_str    why = {NULL, 0}, quoted;
    char       reason[41];
    drh_status st;

    if (c->status != DRH_FIELD_NONE && record_api.get_str(r, c->status, &why) == DRH_OK &&
        why.len < sizeof(reason)) {
        memcpy(reason, why.ptr, why.len + 1);
        st = record_settle(r, REC_DROPPED, reason, NULL, 0);
        if (st == DRH_OK) {
            return st;
        }
    }
    quoted = why.ptr ? why : drh_str_of("no score");
    return record_settle(r, REC_DROPPED, "unscored", quoted.ptr, quoted.len);
}

static drh_status drop_bound(const struct cut *c, drh_record *r, double v)
{
    const struct rank_spec *s = c->spec;
    char                    detail[128];
    int                     n;

    if (s->has_below && !(v < s->below)) {
        n = snprintf(detail, sizeof(detail), "%.6g is not below %.6g", v, s->below);
    } else if (s->has_at_most && !(v <= s->at_most)) {
        n = snprintf(detail, sizeof(detail), "%.6g is not at most %.6g", v, s->at_most);
    } else if (s->has_above && !(v > s->above)) {
        n = snprintf(detail, sizeof(detail), "%.6g is not above %.6g", v, s->above);
    } else {
        n = snprintf(detail, sizeof(detail), "%.6g is not at least %.6g", v, s->at_least);
    }
    return record_settle(r, REC_DROPPED, "out_of_bounds", detail, (size_t)n);
}

static drh_status drop_rank(const struct cut *c, drh_record *r, double v)
{
    char detail[160];
    int  n = snprintf(detail, sizeof(detail), "%.6g; the cut of %s is at %.6g", v, c->group->name,
                      c->group->cut);

    if (c->group->kept == 0) {
        n = snprintf(detail, sizeof(detail), "%.6g; nothing of %s is selected", v, c->group->name);
    }
    return record_settle(r, REC_DROPPED, "not_selected", detail,
                         (size_t)n < sizeof(detail) ? (size_t)n : sizeof(detail) - 1);
}

drh_status cut_step(const void *cut, drh_record *const *r, size_t n)
{
    const struct cut *c = cut;
    drh_status        st = DRH_OK;

    for (size_t i = 0; st == DRH_OK && i < n; i++) {
        uint64_t row = r[i]->row;
        uint8_t  verdict = row < c->n ? c->verdict[row] : VERDICT_UNSCORED;

        if (verdict == VERDICT_KEEP) {
            st = record_settle(r[i], REC_KEPT, NULL, NULL, 0);
        } else if (verdict == VERDICT_UNSCORED) {
            st = drop_unscored(c, r[i]);
        } else if (verdict == VERDICT_BOUND) {
            st = drop_bound(c, r[i], c->score[row]);
        } else {
            st = drop_rank(c, r[i], c->score[row]);
        }
    }
    return st;
}

struct finder {
    double           want;
    uint64_t         at;
    struct rank_near near;
};

static void find_score(void *ctx, double v)
{
    struct finder *f = ctx;

    if (!isnan(v) && v <= f->want && (!f->near.found || v > f->near.score)) {
        f->near = (struct rank_near){true, f->at, v};
    }
    f->at++;
}

drh_status rank_find(const struct rank_part *part, double score, struct rank_near *near,
                     drh_error *e)
{
    struct finder f = {.want = score};
    drh_status    st = each_score(part, find_score, &f, e);

    *near = f.near;
    return st;
}
