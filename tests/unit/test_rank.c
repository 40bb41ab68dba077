/* SPDX-License-Identifier: MIT
 * test_rank.c - ranking against sorting: who stays, where ties go, bounds, groups, quantiles; the
 * vectors I-9, I-10 and I-11 of the methods. */
#include "rank.h"

#include "err.h"
#include "field.h"
#include "run.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PARTS = 4, MOST = 60000 };

static char             dir[] = "/tmp/drhost-rank-XXXXXX", path[PARTS][64];
static drh_error        e = ERR_INIT;
static struct rank_part part[PARTS];
static double           all[MOST]; /* in the order of parts and rows */
static size_t           n_all, n_parts;
static uint8_t          verdict[MOST];

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (int i = 0; i < PARTS; i++) {
        (void)snprintf(path[i], sizeof(path[i]), "%s/%d", dir, i);
    }
}

static void teardown(void)
{
    for (int i = 0; i < PARTS; i++) {
        (void)unlink(path[i]);
    }
    (void)rmdir(dir);
    field_free_all();
}

static void add_part(const double *v, size_t n, size_t group)
{
    FILE *f = fopen(path[n_parts], "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(v, sizeof(*v), n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    part[n_parts] = (struct rank_part){.path = path[n_parts], .n = n, .group = group};
    n_parts++;
    memmove(all + n_all, v, n * sizeof(*v));
    n_all += n;
}

/* Ranks all parts, fills verdict[] in the order of all[]. */
static void rank(const struct rank_spec *s, struct rank_group *g, size_t n_groups)
{
    size_t at = 0;

    memset(g, 0, n_groups * sizeof(*g));
    ck_assert_msg(rank_groups(s, part, n_parts, g, n_groups, &e) == DRH_OK, "%s", e.message);
    for (size_t i = 0; i < n_parts; i++) {
        struct cut c = {0};
        ck_assert_int_eq(cut_open(&c, s, &g[part[i].group], &part[i], &e), DRH_OK);
        memcpy(verdict + at, c.verdict, part[i].n);
        at += part[i].n;
        cut_close(&c);
    }
}

/* ---- the same by sorting ---- */

struct row {
    double v;
    size_t at;
};

static bool descending;

static int by_rank(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->v != y->v) {
        return (x->v < y->v) == descending ? 1 : -1;
    }
    return x->at < y->at ? -1 : 1;
}

static bool within(const struct rank_spec *s, double v)
{
    return v == v && (!s->has_below || v < s->below) && (!s->has_at_most || v <= s->at_most) &&
           (!s->has_above || v > s->above) && (!s->has_at_least || v >= s->at_least);
}

static void check_by_sorting(const struct rank_spec *s, uint64_t take)
{
    static struct row r[MOST];
    static uint8_t    want[MOST];
    struct rank_group g;
    size_t            n = 0;

    for (size_t i = 0; i < n_all; i++) {
        want[i] = isnan(all[i]) ? VERDICT_UNSCORED : VERDICT_BOUND;
        if (within(s, all[i])) {
            want[i] = VERDICT_RANK;
            r[n++] = (struct row){all[i], i};
        }
    }
    descending = !s->ascending;
    qsort(r, n, sizeof(*r), by_rank);
    for (size_t i = 0; i < n && i < take; i++) {
        want[r[i].at] = VERDICT_KEEP;
    }
    rank(s, &g, 1);
    ck_assert_uint_eq(g.kept, take < n ? take : n);
    ck_assert_uint_eq(g.passed, n);
    ck_assert_uint_eq(g.n, n_all);
    for (size_t i = 0; i < n_all; i++) {
        ck_assert_msg(verdict[i] == want[i], "row %zu of score %.17g: %d, not %d", i, all[i],
                      verdict[i], want[i]);
    }
}

static uint64_t seed = 1;

static uint64_t next(void)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return seed >> 33;
}

/* ---- vectors ---- */

static const double i9[] = {0.2, 0.9, 0.9, 1.0, 1.2, NAN, 0.5};

START_TEST(vector_i9_superfiltering) /* below 1, the first of equal scores first: rows 1 and 2 */
{
    struct rank_spec  s = {.has_below = true, .below = 1, .has_count = true, .count = 2};
    struct rank_group g;
    const uint8_t     want[] = {VERDICT_RANK,  VERDICT_KEEP,     VERDICT_KEEP, VERDICT_BOUND,
                                VERDICT_BOUND, VERDICT_UNSCORED, VERDICT_RANK};

    add_part(i9, 7, 0);
    rank(&s, &g, 1);
    ck_assert_mem_eq(verdict, want, sizeof(want));
    ck_assert(g.cut == 0.9);
    ck_assert_uint_eq(g.scored, 6);
    ck_assert_uint_eq(g.passed, 4);
}
END_TEST

START_TEST(vector_i9_cherry) /* at most 1: 1.0 and one of the two 0.9; ours is the first */
{
    struct rank_spec  s = {.has_at_most = true, .at_most = 1, .has_count = true, .count = 2};
    struct rank_group g;
    const uint8_t     want[] = {VERDICT_RANK,  VERDICT_KEEP,     VERDICT_RANK, VERDICT_KEEP,
                                VERDICT_BOUND, VERDICT_UNSCORED, VERDICT_RANK};

    add_part(i9, 3, 0);
    add_part(i9 + 3, 4, 0); /* cut in two: the same */
    rank(&s, &g, 1);
    ck_assert_mem_eq(verdict, want, sizeof(want));
}
END_TEST

START_TEST(vector_i10) /* nothing asked for, nothing selected */
{
    struct rank_spec  count = {.has_count = true}, top = {.has_top = true, .top = 0.1};
    struct rank_group g;

    add_part(i9, 7, 0);
    rank(&count, &g, 1);
    ck_assert_uint_eq(g.kept, 0);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_ne(verdict[i], VERDICT_KEEP);
    }
    rank(&top, &g, 1); /* floor(0.6) */
    ck_assert_uint_eq(g.kept, 0);
    n_parts = n_all = 0;
    add_part(i9, 0, 0); /* and of nothing */
    rank(&top, &g, 1);
    ck_assert_uint_eq(g.kept, 0);
    ck_assert_uint_eq(g.n, 0);
}
END_TEST

static const struct {
    double   top;
    uint64_t of, kept;
} shares[] = {{0.29, 100, 29},     {0.57, 100, 57},     {0.1, 52002, 5200},  {0.05, 52002, 2600},
              {0.15, 52002, 7800}, {0.06, 52002, 3120}, {0.2, 4, 0},         {0.2, 5, 1},
              {1, 7, 7},           {0.999, 1000, 999},  {0.9999, 1000, 999}, {1e-9, 500, 0}};

START_TEST(vector_i11) /* exact shares: 29 of 100 at 0.29 although 0.29 * 100 is 28.99... */
{
    struct rank_spec s = {.has_top = true, .top = shares[_i].top};

    for (size_t i = 0; i < shares[_i].of; i++) {
        all[i] = (double)(next() % 1000);
    }
    add_part(all, shares[_i].of, 0);
    check_by_sorting(&s, shares[_i].kept);
}
END_TEST

/* ---- against sorting ---- */

static double any_score(int kind)
{
    static const double odd[] = {0.0,     -0.0,     5e-324, -5e-324, DBL_MIN, -DBL_MIN,
                                 DBL_MAX, -DBL_MAX, 1,      -1,      0.5,     NAN};
    double              d;
    uint64_t            u;

    switch (kind) {
    case 0: /* few values, many ties */
        return (double)(next() % 7) / 4;
    case 1: /* the ends of doubles */
        return odd[next() % (sizeof(odd) / sizeof(odd[0]))];
    case 2: /* close together: they differ in their last bits only */
        u = 0x3ff0000000000000ull + next() % 50;
        memcpy(&d, &u, sizeof(d));
        return d;
    default: /* both signs, some without */
        return next() % 13 == 0 ? NAN : ((double)next() - 1e9) / 1e7;
    }
}

START_TEST(like_sorting)
{
    int    kind = _i % 4;
    size_t sizes[PARTS] = {1 + next() % 900, 0, kind ? 500 : 8192, 1 + next() % 300}, at = 0;

    seed = (uint64_t)_i + 99;
    for (size_t p = 0; p < PARTS; p++) {
        for (size_t i = 0; i < sizes[p]; i++) {
            all[at + i] = any_score(kind);
        }
        add_part(all + at, sizes[p], 0);
        at += sizes[p];
    }
    for (int k = 0; k < 8; k++) {
        struct rank_spec s = {.ascending = k % 2, .has_count = true};
        s.count = (int64_t)(next() % (n_all + 10));
        s.has_below = k == 2 || k == 3;
        s.has_at_most = k == 4 || k == 5;
        s.has_above = k == 6;
        s.has_at_least = k == 5 || k == 7;
        s.below = s.at_most = kind == 2 ? 1.0 + 20 * DBL_EPSILON : 1;
        s.above = s.at_least = kind == 2 ? 1.0 + 3 * DBL_EPSILON : 0;
        check_by_sorting(&s, (uint64_t)s.count);
    }
}
END_TEST

START_TEST(groups_do_not_see_each_other)
{
    const double      a[] = {5, 1, 4}, b[] = {0.5, 0.25, 0.125}, c[] = {3, 2};
    struct rank_spec  s = {.has_count = true, .count = 2};
    struct rank_group g[2];
    const uint8_t     want[] = {0, 3, 0, 0, 0, 3, 3, 3};

    add_part(a, 3, 0);
    add_part(b, 3, 1);
    add_part(c, 2, 0);
    rank(&s, g, 2);
    ck_assert_mem_eq(verdict, want, sizeof(want));
    ck_assert_uint_eq(g[0].n, 5);
    ck_assert_uint_eq(g[1].n, 3);
    ck_assert(g[0].cut == 4 && g[1].cut == 0.25);
    ck_assert(g[0].min == 1 && g[0].max == 5 && g[0].mean == 3);
}
END_TEST

START_TEST(no_cut_keeps_all) /* also what has no score */
{
    struct rank_spec  s = {0};
    struct rank_group g;

    add_part(i9, 7, 0);
    ck_assert(!rank_has_cut(&s));
    rank(&s, &g, 1);
    ck_assert_uint_eq(g.kept, 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_eq(verdict[i], VERDICT_KEEP);
    }
}
END_TEST

START_TEST(bounds_alone)
{
    const double      v[] = {0.5, 1, 1.5, NAN, -0.0};
    struct rank_spec  below = {.has_below = true, .below = 1};
    struct rank_spec  most = {.has_at_most = true, .at_most = 1};
    struct rank_spec  above = {.has_above = true, .above = 0};
    struct rank_spec  least = {.has_at_least = true, .at_least = 0};
    struct rank_group g;

    add_part(v, 5, 0);
    rank(&below, &g, 1);
    ck_assert_mem_eq(verdict, "\0\2\2\1\0", 5);
    ck_assert_uint_eq(g.kept, 2);
    rank(&most, &g, 1);
    ck_assert_mem_eq(verdict, "\0\0\2\1\0", 5);
    rank(&above, &g, 1);
    ck_assert_mem_eq(verdict, "\0\0\0\1\2", 5);
    rank(&least, &g, 1);
    ck_assert_mem_eq(verdict, "\0\0\0\1\0", 5);
}
END_TEST

/* ---- statistics ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Between the two neighbours, as numpy's default does. */
static double quantile_of(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1), low = floor(at);
    size_t i = (size_t)low;
    return i + 1 < n ? sorted[i] + (sorted[i + 1] - sorted[i]) * (at - low) : sorted[i];
}

START_TEST(statistics)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 10, 8192, 8193, 20001};
    static double       v[20001];
    struct rank_spec    s = {0};
    struct rank_group   g;
    size_t              n = sizes[_i];
    double              mean = 0, square = 0;
    uint64_t            bins = 0;

    for (size_t i = 0; i < n; i++) {
        v[i] = ((double)next() - 1e9) / 3e8;
        mean += v[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        square += (v[i] - mean) * (v[i] - mean);
    }
    add_part(v, n / 3, 0);
    add_part(v + n / 3, n - n / 3, 0);
    rank(&s, &g, 1);
    qsort(v, n, sizeof(*v), by_value);
    ck_assert(g.min == v[0] && g.max == v[n - 1]);
    ck_assert(fabs(g.q1 - quantile_of(v, n, 0.25)) < 1e-12);
    ck_assert(fabs(g.median - quantile_of(v, n, 0.5)) < 1e-12);
    ck_assert(fabs(g.q3 - quantile_of(v, n, 0.75)) < 1e-12);
    ck_assert(fabs(g.mean - mean) < 1e-12);
    ck_assert(fabs(g.sd - (n > 1 ? sqrt(square / (double)(n - 1)) : 0)) < 1e-10);
    for (int i = 0; i < RANK_BINS; i++) {
        bins += g.bin[i];
    }
    ck_assert_uint_eq(bins, n);
}
END_TEST

START_TEST(a_wild_score_does_not_flatten_the_rest)
{
    double            v[101];
    struct rank_spec  s = {0};
    struct rank_group g;
    int               filled = 0;

    for (int i = 0; i < 100; i++) {
        v[i] = i;
    }
    v[100] = 1e12;
    add_part(v, 101, 0);
    rank(&s, &g, 1);
    for (int i = 0; i < RANK_BINS; i++) {
        filled += g.bin[i] > 0;
    }
    ck_assert_int_gt(filled, RANK_BINS / 4);
}
END_TEST

START_TEST(finding)
{
    const double     v[] = {3, NAN, 1, 2, 2};
    struct rank_near near;

    add_part(v, 5, 0);
    ck_assert_int_eq(rank_find(&part[0], 2.5, &near, &e), DRH_OK);
    ck_assert(near.found && near.row == 3);
    ck_assert_double_eq(near.score, 2);
    ck_assert_int_eq(rank_find(&part[0], 0.5, &near, &e), DRH_OK);
    ck_assert(!near.found);
}
END_TEST

START_TEST(files_that_lie)
{
    struct rank_spec  s = {.has_count = true, .count = 1};
    struct rank_group g = {0};
    struct cut        c = {0};

    add_part(i9, 7, 0);
    part[0].n = 6;
    ck_assert_int_eq(rank_groups(&s, part, 1, &g, 1, &e), DRH_E_IO);
    ck_assert_int_eq(cut_open(&c, &s, &g, &part[0], &e), DRH_E_IO);
    cut_close(&c);
    part[0].n = 8;
    ck_assert_int_eq(rank_groups(&s, part, 1, &g, 1, &e), DRH_E_IO);
    ck_assert_ptr_nonnull(strstr(e.message, "holds 7 scores, not 8"));
    part[0].path = "/nothing/there";
    ck_assert_int_ne(rank_groups(&s, part, 1, &g, 1, &e), DRH_OK);
}
END_TEST

/* ---- the host's own step ---- */

static drh_record *record(struct arena *a, const char *text, uint64_t row)
{
    drh_record     *r = arena_alloc(a, sizeof(*r));
    struct json_err je;

    ck_assert_ptr_nonnull(r);
    memset(r, 0, sizeof(*r));
    r->arena = a;
    r->row = row;
    ck_assert_int_eq(record_parse(r, text, strlen(text), &je), DRH_OK);
    return r;
}

START_TEST(reasons)
{
    struct arena     *a = arena_new();
    const double      v[] = {0.25, 0.75, 1.5, NAN, NAN, NAN};
    struct rank_spec  s = {.has_below = true, .below = 1, .has_count = true, .count = 1};
    struct rank_group g = {.name = "Math"};
    struct cut        c = {0};
    drh_record       *r[7];

    ck_assert_ptr_nonnull(a);
    add_part(v, 6, 0);
    ck_assert_int_eq(rank_groups(&s, part, 1, &g, 1, &e), DRH_OK);
    c.status = field_intern("why", 3);
    ck_assert_int_eq(cut_open(&c, &s, &g, &part[0], &e), DRH_OK);
    for (uint64_t i = 0; i < 7; i++) {
        r[i] = record(a,
                      i == 3 ? "{\"why\":\"empty_answer\"}"
                             : (i == 4 ? "{\"why\":\"No code at all\"}" : "{}"),
                      i);
    }
    ck_assert_int_eq(cut_step(&c, r, 7), DRH_OK);
    ck_assert_int_eq(r[0]->settled, REC_DROPPED);
    ck_assert_str_eq(r[0]->reason, "not_selected");
    ck_assert_ptr_nonnull(strstr(r[0]->detail.ptr, "Math is at 0.75"));
    ck_assert_int_eq(r[1]->settled, REC_KEPT);
    ck_assert_str_eq(r[2]->reason, "out_of_bounds");
    ck_assert_str_eq(r[2]->detail.ptr, "1.5 is not below 1");
    ck_assert_str_eq(r[3]->reason, "empty_answer");
    ck_assert_str_eq(r[4]->reason, "unscored"); /* no reason code: it becomes the detail */
    ck_assert_str_eq(r[4]->detail.ptr, "No code at all");
    ck_assert_str_eq(r[5]->reason, "unscored");
    ck_assert_str_eq(r[6]->reason, "unscored"); /* a row that was never scored */
    cut_close(&c);
    arena_free(a);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("rank");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, vector_i9_superfiltering);
    tcase_add_test(t, vector_i9_cherry);
    tcase_add_test(t, vector_i10);
    tcase_add_loop_test(t, vector_i11, 0, ROWS(shares));
    tcase_add_loop_test(t, like_sorting, 0, 4);
    tcase_add_test(t, groups_do_not_see_each_other);
    tcase_add_test(t, no_cut_keeps_all);
    tcase_add_test(t, bounds_alone);
    tcase_add_loop_test(t, statistics, 0, 9);
    tcase_add_test(t, a_wild_score_does_not_flatten_the_rest);
    tcase_add_test(t, finding);
    tcase_add_test(t, files_that_lie);
    tcase_add_test(t, reasons);
    return run_case("rank", t);
}
