/* SPDX-License-Identifier: MIT
 *
 * test_trees.c - messages to conversations through all calls of the stage, whole, without memory,
 * stopped, and with notes and results that are damaged.  Large ones are in e2e/trees.sh.
 */
#include "bare_host.h"
#include "trees.h"

#include "field.h"
#include "hash.h"
#include "record.h"
#include "run.h"

#include <stdio.h>

enum { ROWS = 7 };

/* The first four are one tree, in an order of their own; then one without an answer, one that
 * replies to nobody, and none at all. */
static const char *const rows[ROWS] = {
    "{\"message_id\":\"3\",\"parent_id\":\"1\",\"text\":\"none\",\"role\":\"assistant\",\"rank\":"
    "null,"
    "\"message_tree_id\":\"1\"}",
    "{\"message_id\":\"2\",\"parent_id\":\"1\",\"text\":\"zero\\u0000\\n\\\"\",\"role\":"
    "\"assistant\",\"rank\":0,"
    "\"message_tree_id\":\"1\",\"deleted\":false}",
    "{\"message_id\":\"1\",\"parent_id\":null,\"text\":\"q\",\"role\":\"prompter\",\"rank\":null,"
    "\"message_tree_id\":\"1\",\"lang\":\"en\"}",
    "{\"message_id\":\"4\",\"parent_id\":\"1\",\"text\":\"gone\",\"role\":\"assistant\",\"rank\":-"
    "5,"
    "\"message_tree_id\":\"1\",\"deleted\":true}",
    "{\"message_id\":5,\"text\":\"q\",\"role\":\"prompter\",\"message_tree_id\":5}",
    "{\"message_id\":6,\"parent_id\":7,\"text\":\"a\",\"role\":\"assistant\",\"message_tree_id\":"
    "6}",
    "{\"message_id\":6,\"message_tree_id\":6,\"text\":\"a\"}",
};
static const char *const want[ROWS] = {
    "drop:part_of_tree",
    "drop:part_of_tree",
    "{\"message_id\":\"1\",\"message_tree_id\":\"1\",\"lang\":\"en\",\"conversations\":[{\"from\":"
    "\"human\","
    "\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"zero\\u0000\\n\\\"\"}]}",
    "drop:deleted",
    "drop:no_answer",
    "fail:no_parent",
    "{\"message_id\":6,\"message_tree_id\":6,\"text\":\"a\"}",
};

static drh_host      host;
static struct trees  t;
static struct arena *arena;
static struct origin origin;
static drh_record    record[ROWS];
static drh_record   *batch[ROWS];
static char          folder[BARE_PATH], notes[BARE_PATH + 16], result[BARE_PATH + 16];
static FILE         *sink;

static drh_status sink_write(drh_sink *s, uint32_t part, const void *p, size_t len)
{
    (void)s, (void)part;
    return fwrite(p, 1, len, sink) == len ? DRH_OK : DRH_E_IO;
}

static drh_status digest(const drh_host *h, const drh_str *parts, size_t n, uint8_t out[32])
{
    (void)h;
    return sha256_parts(parts, n, out);
}

static drh_field name(const char *s)
{
    return field_intern(s, strlen(s));
}

static void setup(void)
{
    bare_reset();
    host = bare_host;
    host.values = &value_api;
    host.records = &record_api;
    host.digest = digest;
    host.sink_write = sink_write;
    memset(&t, 0, sizeof(t));
    t.host = &host;
    t.message_id = name("message_id");
    t.parent_id = name("parent_id");
    t.tree_id = name("message_tree_id");
    t.text = name("text");
    t.role = name("role");
    t.rank = name("rank");
    t.deleted = name("deleted");
    t.conversations = name("conversations");
    t.memory = 1 << 20;
    origin.file = drh_str_of("d/part-000.jsonl");
    origin.domain = drh_str_of("D");
    origin.dataset = drh_str_of("S");
    origin.source = drh_str_of("");
    arena = arena_new();
    bare_folder(folder);
    (void)snprintf(notes, sizeof(notes), "%s/notes", folder);
    (void)snprintf(result, sizeof(result), "%s/result", folder);
}

static void teardown(void)
{
    trees_forget(&t);
    bare_remove(folder);
    arena_free(arena);
    field_free_all();
    ck_assert_int_eq(bare_blocks, 0);
}

static void parse(void)
{
    arena_reset(arena);
    for (size_t i = 0; i < ROWS; i++) {
        struct json_err e;
        memset(&record[i], 0, sizeof(record[i]));
        record[i].arena = arena;
        record[i].origin = &origin;
        record[i].row = i;
        batch[i] = &record[i];
        ck_assert_msg(record_parse(&record[i], rows[i], strlen(rows[i]), &e) == DRH_OK, "%s",
                      e.message);
    }
}

static drh_status to_file(const char *path, bool merge, drh_error *e)
{
    const char *list[1] = {notes};
    drh_status  st;
    sink = fopen(path, "wb");
    ck_assert_ptr_nonnull(sink);
    st = merge ? trees_merge(&t, list, 1, NULL, e) : trees_observe(&t, NULL, batch, ROWS, NULL, e);
    ck_assert_int_eq(fclose(sink), 0);
    return st;
}

/* What became of the records, against `want`. */
static void check_rows(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        if (record[i].settled == REC_KEPT) {
            ck_assert_int_eq(record_write(&record[i], &out), DRH_OK);
        } else {
            ck_assert_int_eq(buf_addf(&out, "%s:%s",
                                      record[i].settled == REC_DROPPED  ? "drop"
                                      : record[i].settled == REC_FAILED ? "fail"
                                                                        : "open",
                                      record[i].reason),
                             DRH_OK);
        }
        ck_assert_str_eq(out.ptr, want[i]);
        buf_free(&out);
    }
}

static drh_status all_calls(drh_error *e)
{
    drh_status st;
    parse();
    st = to_file(notes, false, e);
    st = st == DRH_OK ? to_file(result, true, e) : st;
    st = st == DRH_OK ? trees_prepare(&t, result, e) : st;
    if (st == DRH_OK) {
        parse();
        st = trees_apply(&t, NULL, batch, ROWS, e);
    }
    return st;
}

START_TEST(trees_whole)
{
    drh_error e = DRH_ERROR_INIT;
    ck_assert_msg(all_calls(&e) == DRH_OK, "%s", e.message);
    check_rows();
}
END_TEST

START_TEST(trees_all_paths)
{
    drh_error  e = DRH_ERROR_INIT;
    struct buf out;
    t.paths = TREES_ALL;
    ck_assert_msg(all_calls(&e) == DRH_OK, "%s", e.message);
    check_rows();
    buf_init(&out, 1 << 20);
    ck_assert_ptr_nonnull(record[2].first_child);
    ck_assert_ptr_null(record[2].first_child->next_sibling);
    ck_assert_int_eq(record[2].first_child->settled, REC_KEPT);
    ck_assert_int_eq(record_write(record[2].first_child, &out), DRH_OK);
    ck_assert_str_eq(out.ptr,
                     "{\"message_id\":\"1\",\"message_tree_id\":\"1\",\"conversations\":[{\"from\":"
                     "\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"none\"}]}");
    buf_free(&out);
}
END_TEST

START_TEST(trees_without_memory)
{
    drh_status st = DRH_E_NOMEM;
    int        n;
    t.paths = _i ? TREES_ALL : TREES_BEST;
    for (n = 0; st != DRH_OK; n++) {
        drh_error e = DRH_ERROR_INIT;
        ck_assert_int_lt(n, 200);
        bare_allowed = n;
        st = all_calls(&e);
        bare_allowed = -1;
        ck_assert_msg(st == DRH_OK || st == DRH_E_NOMEM, "%d: %s", n, e.message);
        trees_forget(&t);
        ck_assert_int_eq(bare_blocks, 0);
    }
    ck_assert_int_gt(n, 5);
    check_rows();
}
END_TEST

START_TEST(trees_stopped)
{
    drh_error e = DRH_ERROR_INIT;
    bare_cancelled = 1;
    ck_assert_int_eq(all_calls(&e), DRH_E_CANCELLED);
}
END_TEST

/* Notes and results that are cut, or of which a byte is another: an error, or some outcome; no
 * crash. */
START_TEST(trees_damaged)
{
    const char *path = _i ? result : notes;
    static char whole[4096];
    drh_error   e = DRH_ERROR_INIT;
    size_t      size;
    FILE       *f;

    t.paths = TREES_ALL;
    ck_assert_msg(all_calls(&e) == DRH_OK, "%s", e.message);
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
        st = _i ? DRH_OK : to_file(result, true, &e);
        st = st == DRH_OK ? trees_prepare(&t, result, &e) : st;
        if (at < size) {
            ck_assert_msg(st != DRH_OK || (_i == 0 && n % 8 == 0), "%zu bytes", n);
        } else {
            whole[at - size] = (char)(whole[at - size] ^ 0xff);
        }
        if (st == DRH_OK) {
            parse();
            (void)trees_apply(&t, NULL, batch, ROWS, &e);
        }
        trees_forget(&t);
        ck_assert_int_eq(bare_blocks, 0);
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("trees");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, trees_whole);
    tcase_add_test(c, trees_all_paths);
    tcase_add_loop_test(c, trees_without_memory, 0, 2);
    tcase_add_test(c, trees_stopped);
    tcase_add_loop_test(c, trees_damaged, 0, 2);
    return run_case("trees", c);
}
