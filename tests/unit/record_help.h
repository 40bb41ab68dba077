/* SPDX-License-Identifier: MIT
 * record_help.h - one record at a time, through the table that plugins get. */
#ifndef TESTS_RECORD_HELP_H
#define TESTS_RECORD_HELP_H

#include "field.h"
#include "record.h"

#include <drh/util.h>

#include "run.h"
#undef fail /* libcheck's old name for an assertion; ours is a slot of the table */

#include <string.h>

static const drh_record_api *const api = &record_api;
static struct arena               *arena;
static struct drh_record           rec;
static struct buf                  out;

static void setup(void)
{
    arena = arena_new();
    memset(&rec, 0, sizeof(rec));
    rec.arena = arena;
    buf_init(&out, 64 << 20);
}

static void teardown(void)
{
    arena_free(arena);
    buf_free(&out);
    field_free_all();
}

static drh_field fld(const char *name)
{
    return field_intern(name, strlen(name));
}

static struct drh_record *parse(const char *text)
{
    struct json_err e;

    memset(&rec, 0, sizeof(rec));
    rec.arena = arena;
    ck_assert_msg(record_parse(&rec, text, strlen(text), &e) == DRH_OK, "%s", text);
    return &rec;
}

static const char *written(const struct drh_record *r)
{
    buf_reset(&out);
    ck_assert_int_eq(record_write(r, &out), DRH_OK);
    ck_assert_int_eq(json_scan(out.ptr, out.len, arena, NULL, NULL, NULL, NULL), DRH_OK);
    return out.ptr;
}

#endif
