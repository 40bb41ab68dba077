/* SPDX-License-Identifier: MIT
 *
 * test_dedup.c - the parts of dedup: what a text becomes, words, MinHash, sorting beyond memory,
 * and merge() over notes made by hand, whole, damaged, and without memory.
 */
#include "bare_host.h"
#include "merge.h"
#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct dedup        d;
static struct dedup_worker w;

static void setup(void)
{
    bare_reset();
    memset(&d, 0, sizeof(d));
    memset(&w, 0, sizeof(w));
    d.host = &bare_host;
    d.fold_case = d.fold_space = true;
    d.memory = 16 << 20;
    w.d = &d;
    w.text.host = w.part.host = w.strs.host = w.points.host = w.shingle.host = w.note.host =
        &bare_host;
}

static void teardown(void)
{
    dedup_forget(&d);
    dedup_buf_free(&w.text);
    dedup_buf_free(&w.part);
    dedup_buf_free(&w.points);
    dedup_buf_free(&w.shingle);
    ck_assert_int_eq(bare_blocks, 0);
}

/* ---- text ---------------------------------------------------------------------------------- */

/* By Python: unicodedata.normalize("NFC", ...casefold()), re.sub(r"\s+", " ", ...).strip(). */
static const struct {
    const char *in, *out, *without_punctuation;
} texts[] = {
    {"", "", ""},
    {" \t\n", "", ""},
    {"What is  it?\n", "what is it?", "what is it"},
    {"a-b, (c)!", "a-b, (c)!", "a b c"},
    {"x + y = 3 $", "x + y = 3 $", "x + y = 3 $"}, /* symbols are no punctuation */
    {"Caf\u00c9", "caf\u00e9", "caf\u00e9"},
    {"cafe\u0301", "caf\u00e9", "caf\u00e9"},
    {"Stra\u00dfe", "strasse", "strasse"},
    {"\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3",
     "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"},
    {"\u3000\u4f60\u597d\u3002\u00a0\u00bfQu\u00e9\u2003", "\u4f60\u597d\u3002 \u00bfqu\u00e9",
     "\u4f60\u597d qu\u00e9"},
    {"\u304b\u3099", "\u304c", "\u304c"}, /* kana and a mark are one letter */
    {"\u4f60 \U0001f600", "\u4f60 \U0001f600", "\u4f60 \U0001f600"},
    {"x\u00b2", "x\u00b2", "x\u00b2"},                    /* not x2 */
    {"\ufb01\uff21\uff01", "fi\uff41\uff01", "fi\uff41"}, /* a ligature folds, wide letters stay */
};

START_TEST(normalised)
{
    for (int punctuation = 0; punctuation < 2; punctuation++) {
        const char *want = punctuation ? texts[_i].without_punctuation : texts[_i].out;
        w.text.len = 0;
        d.fold_punctuation = punctuation;
        ck_assert_int_eq(dedup_normalise(&w, drh_str_of(texts[_i].in)), DRH_OK);
        ck_assert_int_eq(dedup_add(&w.text, "", 1), DRH_OK);
        ck_assert_msg(--w.text.len == strlen(want) && memcmp(w.text.ptr, want, w.text.len) == 0,
                      "%d: \"%.*s\" is not \"%s\"", _i, (int)w.text.len, (char *)w.text.ptr, want);
    }
}
END_TEST

START_TEST(nothing_ignored)
{
    d.fold_case = d.fold_space = false;
    ck_assert_int_eq(dedup_normalise(&w, drh_str_of(" A  e\u0301")), DRH_OK);
    ck_assert_uint_eq(w.text.len, 6);
    ck_assert_mem_eq(w.text.ptr, " A  \u00e9", 6);
}
END_TEST

/* ---- words and MinHash --------------------------------------------------------------------- */

/* The n-grams of a text as a set, in `to`; how many. */
static size_t grams(const char *text, uint32_t n, uint64_t *to)
{
    struct dedup_part part = {.at = 0, .len = strlen(text)};
    w.text.len = w.part.len = 0;
    ck_assert_int_eq(dedup_add(&w.text, text, part.len), DRH_OK);
    ck_assert_int_eq(dedup_add(&w.part, &part, sizeof(part)), DRH_OK);
    ck_assert_int_eq(dedup_shingles(&w, n), DRH_OK);
    if (w.shingle.len > 0) {
        memcpy(to, w.shingle.ptr, w.shingle.len);
    }
    return w.shingle.len / sizeof(uint64_t);
}

static const struct {
    const char *a, *b;
    uint32_t    n, jaccard; /* counted by hand */
} pairs[] = {
    {"a a b", "a b", 1, 10000},
    {"a b c d", "e f g", 1, 0},
    {"a b c", "b c d", 1, 5000},
    {"a b c d", "a b c e", 2, 5000}, /* ab bc cd, ab bc ce */
    {"a b c", "c b a", 2, 0},        /* order matters */
    {"one, two; (three)", "ONE two three!", 3, 10000},
    {"a b", "a b c", 5, 0}, /* shorter than an n-gram: all of it is one */
    {"a b", "A, b.", 5, 10000},
    {"ab", "a b", 1, 0},
    {"\u4f60\u597d\u5417", "\u4f60\u597d\u3002", 1, 6666}, /* characters are words */
    {"x\u00b2 y", "x2 y", 1, 3333},
    {"", "a", 1, 0},
};

START_TEST(similarity)
{
    uint64_t a[32], b[32];
    size_t   n = grams(pairs[_i].a, pairs[_i].n, a), m = grams(pairs[_i].b, pairs[_i].n, b);
    ck_assert_uint_eq(dedup_jaccard(a, n, b, m), pairs[_i].jaccard);
}
END_TEST

/* Of two sets with Jaccard similarity s, a share s of the values is equal: the theorem behind it.
 */
START_TEST(signatures)
{
    enum { N = 300 };
    static uint32_t a[DEDUP_HASHES], b[DEDUP_HASHES];
    static uint64_t words[2 * N];
    static char     text[8 * 2 * N];
    size_t          at = 0, n, same = 0;

    d.near.bands = 16;
    d.near.rows = 64;
    for (int i = 0; i < 2 * N; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "w%d ", i);
    }
    n = grams(text, 1, words);
    ck_assert_uint_eq(n, 2 * N);
    dedup_signature(&d.near, words, N, a);         /* [0, 300) */
    dedup_signature(&d.near, words + N / 2, N, b); /* [150, 450): 150 of 450 in common */
    for (size_t i = 0; i < DEDUP_HASHES; i++) {
        same += a[i] == b[i];
    }
    /* Binomial: 1/3 of 1024, standard deviation 15. */
    ck_assert_msg(same > 341 - 60 && same < 341 + 60, "%zu of %d", same, DEDUP_HASHES);
}
END_TEST

START_TEST(banded)
{
    uint32_t a[DEDUP_HASHES], b[DEDUP_HASHES];
    uint64_t words[8], more[8], of_a[4], of_b[4];
    size_t   n = grams("a b c d", 1, words), m = grams("d c b a", 1, more);

    d.near.bands = 4;
    d.near.rows = 3;
    dedup_signature(&d.near, words, n, a);
    dedup_signature(&d.near, more, m, b);
    dedup_bands(&d.near, a, 0, of_a);
    dedup_bands(&d.near, b, 0, of_b);
    ck_assert_mem_eq(of_a, of_b, sizeof(of_a));
    dedup_bands(&d.near, b, 1, of_b); /* another group */
    b[4]++;                           /* in band 1 */
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_ne(of_a[i], of_b[i]);
    }
    dedup_bands(&d.near, b, 0, of_b);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(of_a[i] == of_b[i], i != 1);
    }
}
END_TEST

/* ---- sorting ------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 300000 items in memory for that many; each number about three times. */
START_TEST(sorted)
{
    enum { N = 300000 };
    static const size_t memory[] = {16 << 20, 1 << 20, 100000, 16 * 40};
    static uint64_t     want[N];
    char                folder[BARE_PATH];
    uint8_t             item[16] = {0};
    drh_error           e = DRH_ERROR_INIT;
    struct sort        *s;
    uint64_t            x = 12345;
    size_t              at = 0, n = _i == 3 ? 20000 : N;

    bare_folder(folder);
    s = sort_new(&bare_host, folder, 16, memory[_i]);
    ck_assert_ptr_nonnull(s);
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        want[i] = (x >> 40) % (n / 3) << 17;
        sort_put64(item, want[i]);
        ck_assert_int_eq(sort_put(s, item, &e), DRH_OK);
    }
    qsort(want, n, sizeof(*want), by_number);
    while (sort_next(s, item, &e) == DRH_OK) {
        ck_assert_uint_lt(at, n);
        ck_assert_uint_eq(sort_get64(item), want[at]);
        for (at++; at < n && want[at] == want[at - 1]; at++) {
        }
    }
    ck_assert_uint_eq(at, n);
    ck_assert_int_eq(sort_next(s, item, &e), DRH_END);
    sort_free(s);
    bare_remove(folder);
}
END_TEST

START_TEST(nowhere_to_spill)
{
    uint8_t      item[16] = {0};
    drh_error    e = DRH_ERROR_INIT;
    struct sort *s = sort_new(&bare_host, "/nonexistent", 16, 64);
    drh_status   st = DRH_OK;

    for (int i = 0; i < 9 && st == DRH_OK; i++) {
        sort_put64(item, (uint64_t)i);
        st = sort_put(s, item, &e);
    }
    ck_assert_int_eq(st, DRH_E_IO);
    ck_assert_msg(strstr(e.message, "/nonexistent") != NULL, "%s", e.message);
    sort_free(s);
}
END_TEST

/* ---- merge --------------------------------------------------------------------------------- */

static FILE *result; /* what sink_write() writes to */

static drh_status to_result(drh_sink *s, uint32_t part, const void *p, size_t len)
{
    (void)s;
    (void)part;
    return fwrite(p, 1, len, result) == len ? DRH_OK : DRH_E_IO;
}

/* Notes of a shard: a letter is a record with that text; '-' has none. */
static void write_notes(const char *path, uint64_t id, const char *name, const char *records)
{
    const uint64_t         shard[2] = {id, 0};
    const struct note_head shard_head = {NOTE_SHARD, sizeof(shard)}, name_head = {NOTE_NAME, 16};
    const uint32_t         len = (uint32_t)strlen(name);
    char                   text[12] = "";
    uint32_t               back = sizeof(name_head) + 16;
    FILE                  *f = fopen(path, "wb");

    memcpy(text, name, len);
    (void)fwrite(&shard_head, sizeof(shard_head), 1, f);
    (void)fwrite(shard, sizeof(shard), 1, f);
    (void)fwrite(&name_head, sizeof(name_head), 1, f);
    (void)fwrite(&len, sizeof(len), 1, f);
    (void)fwrite(text, sizeof(text), 1, f);
    for (uint64_t i = 0; records[i]; i++) {
        const struct note_head head = {NOTE_RECORD, sizeof(struct note)};
        struct note            note = {.row = i, .line = i + 1, .back = back, .flags = NOTE_LINE};
        note.key[0] = (uint8_t)records[i];
        note.flags |= records[i] == '-' ? NOTE_NO_TEXT : 0;
        (void)fwrite(&head, sizeof(head), 1, f);
        (void)fwrite(&note, sizeof(note), 1, f);
        back += sizeof(head) + sizeof(note);
    }
    ck_assert_int_eq(fclose(f), 0);
}

struct world {
    char        folder[BARE_PATH], path[2][BARE_PATH + 8], list[BARE_PATH + 8];
    const char *notes[2];
    drh_host    host;
};

static void make_world(struct world *o)
{
    bare_folder(o->folder);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(o->path[i], sizeof(o->path[i]), "%s/%d", o->folder, i);
        o->notes[i] = o->path[i];
    }
    (void)snprintf(o->list, sizeof(o->list), "%s/list", o->folder);
    write_notes(o->path[0], 7, "a.json", "xyxz-y");
    write_notes(o->path[1], 3, "b.json", "wzqw");
    o->host = bare_host;
    o->host.sink_write = to_result;
    d.host = &o->host;
}

static drh_status merged(struct world *o, drh_error *e)
{
    drh_status st;
    result = fopen(o->list, "wb");
    st = dedup_merge(&d, o->notes, 2, NULL, e);
    ck_assert_int_eq(fclose(result), 0);
    return st == DRH_OK ? dedup_prepare(&d, o->list, e) : st;
}

static void check_entry(size_t at, uint64_t row, uint64_t line, uint64_t what, const char *name)
{
    const uint8_t *p = d.list + d.entry[at].name;
    uint32_t       len;
    memcpy(&len, p, sizeof(len));
    ck_assert_uint_eq(d.entry[at].row, row);
    ck_assert_uint_eq(d.entry[at].line, line);
    ck_assert_uint_eq(d.entry[at].what, what);
    ck_assert_uint_eq(len, strlen(name));
    ck_assert_mem_eq(p + sizeof(len), name, len);
}

static void check_list(void)
{
    const struct dedup_shard *s = d.shard;
    ck_assert_uint_eq(d.n_shards, 2);
    ck_assert_uint_eq(s[0].id[0], 3); /* by id */
    ck_assert_uint_eq(s[0].rows, 4);
    ck_assert_uint_eq(s[0].first, 3);
    ck_assert_uint_eq(s[0].n, 2);
    ck_assert_uint_eq(s[1].id[0], 7);
    ck_assert_uint_eq(s[1].rows, 6);
    ck_assert_uint_eq(s[1].first, 0);
    ck_assert_uint_eq(s[1].n, 3);
    check_entry(0, 2, 1, DEDUP_EXACT, "a.json");
    check_entry(1, 4, 5, DEDUP_NO_TEXT, "a.json");
    check_entry(2, 5, 2, DEDUP_EXACT, "a.json");
    check_entry(3, 1, 4, DEDUP_EXACT, "a.json"); /* z of the other shard */
    check_entry(4, 3, 1, DEDUP_EXACT, "b.json");
}

START_TEST(merge_equal)
{
    struct world o;
    drh_error    e = DRH_ERROR_INIT;
    make_world(&o);
    ck_assert_msg(merged(&o, &e) == DRH_OK, "%s", e.message);
    check_list();
    bare_remove(o.folder);
}
END_TEST

START_TEST(merge_without_memory)
{
    struct world o;
    drh_status   st = DRH_E_NOMEM;
    make_world(&o);
    for (int n = 0; st != DRH_OK; n++) {
        drh_error e = DRH_ERROR_INIT;
        ck_assert_int_lt(n, 100);
        bare_allowed = n;
        st = merged(&o, &e);
        bare_allowed = -1;
        ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "%d: %s", n, e.message);
        ck_assert_int_eq(bare_blocks, 0);
    }
    check_list();
    bare_remove(o.folder);
}
END_TEST

START_TEST(merge_stopped)
{
    struct world o;
    drh_error    e = DRH_ERROR_INIT;
    make_world(&o);
    bare_cancelled = 1;
    ck_assert_int_eq(merged(&o, &e), DRH_E_CANCELLED);
    bare_remove(o.folder);
}
END_TEST

/* Notes and lists that are cut, or of which a byte is another: an error or a list, no crash. */
START_TEST(damaged)
{
    struct world o;
    drh_error    e = DRH_ERROR_INIT;
    static char  whole[4096];
    const char  *path;
    size_t       size;
    FILE        *f;

    make_world(&o);
    ck_assert_int_eq(merged(&o, &e), DRH_OK);
    path = _i ? o.list : o.path[0];
    f = fopen(path, "rb");
    size = fread(whole, 1, sizeof(whole), f);
    ck_assert(fclose(f) == 0 && size > 100 && size < sizeof(whole));
    for (size_t at = 0; at < 2 * size; at++) {
        const size_t n = at < size ? at : size;
        drh_status   st;
        if (at >= size) {
            whole[at - size] = (char)(whole[at - size] ^ 0xff);
        }
        f = fopen(path, "wb");
        ck_assert(fwrite(whole, 1, n, f) == n && fclose(f) == 0);
        st = _i ? dedup_prepare(&d, o.list, &e) : merged(&o, &e);
        if (at < size) {
            ck_assert_msg(st != DRH_OK || (_i == 0 && (n == 0 || n % 8 == 0)), "%zu bytes", n);
        } else {
            whole[at - size] = (char)(whole[at - size] ^ 0xff);
        }
        dedup_forget(&d);
        ck_assert_int_eq(bare_blocks, 0);
    }
    bare_remove(o.folder);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("dedup");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, normalised, 0, ROWS(texts));
    tcase_add_test(t, nothing_ignored);
    tcase_add_loop_test(t, similarity, 0, ROWS(pairs));
    tcase_add_test(t, signatures);
    tcase_add_test(t, banded);
    tcase_add_loop_test(t, sorted, 0, 4);
    tcase_add_test(t, nowhere_to_spill);
    tcase_add_test(t, merge_equal);
    tcase_add_test(t, merge_without_memory);
    tcase_add_test(t, merge_stopped);
    tcase_add_loop_test(t, damaged, 0, 2);
    return run_case("dedup", t);
}
