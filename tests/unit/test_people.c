/* SPDX-License-Identifier: MIT
 *
 * test_people.c - files of personas: members, categories, those that are nearly the same, and how
 * some are drawn for a question.
 */
#include "bare_host.h"
#include "personas.h"
#include "record.h"
#include "run.h"

#include <stdio.h>

static drh_host      host;
static struct people people;
static drh_error     e;
static char          folder[BARE_PATH], path[BARE_PATH + 16];

static void setup(void)
{
    bare_reset();
    host = bare_host;
    host.values = &value_api;
    host.json_open = json_doc_open;
    host.json_close = json_doc_close;
    memset(&people, 0, sizeof(people));
    e = (drh_error)DRH_ERROR_INIT;
    bare_folder(folder);
    (void)snprintf(path, sizeof(path), "%s/people", folder);
}

static void teardown(void)
{
    people_free(&host, &people);
    bare_remove(folder);
    ck_assert_int_eq(bare_blocks, 0);
}

/* Reads that text in place of what was read before. */
static drh_status read_text(const char *text, const char *field, const char *category, double alike)
{
    const struct people_option o = {
        .field = drh_str_of(field), .category = drh_str_of(category), .alike = alike};
    people_free(&host, &people);
    bare_write(folder, "people", text);
    return people_read(&host, &people, drh_str_of(path), &o, &e);
}

static void is(size_t i, const char *want)
{
    const drh_str s = people_get(&people, i);
    ck_assert_msg(s.len == strlen(want) && memcmp(s.ptr, want, s.len) == 0, "%zu: \"%.*s\"", i,
                  (int)s.len, s.ptr);
}

START_TEST(lines_and_members)
{
    ck_assert_int_eq(read_text("  A nurse \n\n{\"persona\": \"A cook\"}\r\n{\"input persona\": "
                               "\"A judge\", \"text\": \"no\"}\n{\"who\":\"x\",\"text\":\"A boy\"}",
                               "", "", 0),
                     DRH_OK);
    ck_assert_uint_eq(people.n, 4);
    is(0, "A nurse");
    is(1, "A cook");
    is(2, "A judge");
    is(3, "A boy");
    ck_assert_int_eq(read_text("{\"who\":\"x\",\"text\":\"A boy\"}\n", "who", "", 0), DRH_OK);
    is(0, "x");
    ck_assert_int_eq(read_text("A nurse\n{\"who\":\"x\"}\n", "", "", 0), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "people:2: there is no persona"));
    ck_assert_int_eq(read_text("\n \n", "", "", 0.9), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "holds none"));
}
END_TEST

/* ---- nearly the same ------------------------------------------------------------------------ */

enum { WORD = 40 }; /* no word is longer, and each buffer has room for all of its words */

/* `common` words of group `group`, then `own` ones of text `text`. */
static char *say(char *to, int group, int common, int text, int own)
{
    for (int i = 0; i < common; i++) {
        to += snprintf(to, WORD, "w%dx%d ", group, i);
    }
    for (int i = 0; i < own; i++) {
        to += snprintf(to, WORD, "o%dx%dx%d ", group, text, i);
    }
    *to++ = '\n';
    *to = '\0';
    return to;
}

enum { PAIRS = 2000 };

/* PAIRS pairs of texts with 18 common words and 1 own one each: 18 of 20, 0.9.  Of such pairs the
 * bands miss one in 8190, (1 - 0.9^8)^16; 5 bands of 25 rows would miss 7 of 10. */
START_TEST(just_alike)
{
    static char text[PAIRS * 2 * 19 * 16 + WORD];
    char       *to = text;
    for (int i = 0; i < PAIRS; i++) {
        to = say(to, i, 18, 0, 1);
        to = say(to, i, 18, 1, 1);
    }
    ck_assert_int_eq(read_text(text, "", "", 0.9), DRH_OK);
    ck_assert_msg(people.n >= PAIRS && people.n <= PAIRS + 2, "%zu", people.n);
    ck_assert_ptr_nonnull(strstr(bare_log(), "more are nearly the same"));
    /* just above that none of them is: what the bands find is verified */
    ck_assert_int_eq(read_text(text, "", "", 0.901), DRH_OK);
    ck_assert_uint_eq(people.n, 2 * (size_t)PAIRS);
    ck_assert_int_eq(read_text(text, "", "", 0), DRH_OK);
    ck_assert_uint_eq(people.n, 2 * (size_t)PAIRS);
}
END_TEST

/* D-4: what counts is the set of words. */
START_TEST(sets_of_words)
{
    ck_assert_int_eq(read_text("a a b\nA, b!\nb a\nc d\n你好吗\n吗好你\n", "", "", 1), DRH_OK);
    ck_assert_uint_eq(people.n, 3);
    is(0, "a a b");
    is(1, "c d");
    is(2, "你好吗");
}
END_TEST

/* As D-3, with shares of words: A is like B, B like C, A not like C; the first one stays, B goes,
 * and C, which is like a text that is gone, stays. */
START_TEST(chains)
{
    /* 20 words each; next to each other 19 common ones: 19/21 = 0.905; at the ends 18/22 = 0.818 */
    ck_assert_int_eq(read_text("a b c d e f g h i j k l m n o p q r s t\n"
                               "b c d e f g h i j k l m n o p q r s t u\n"
                               "c d e f g h i j k l m n o p q r s t u v\n",
                               "", "", 0.9),
                     DRH_OK);
    ck_assert_uint_eq(people.n, 2);
    is(0, "a b c d e f g h i j k l m n o p q r s t");
    is(1, "c d e f g h i j k l m n o p q r s t u v");
}
END_TEST

/* ---- categories ----------------------------------------------------------------------------- */

static const char of_kinds[] = "{\"persona\":\"nurse\",\"kind\":\"health\"}\n"
                               "{\"persona\":\"cook\",\"kind\":\"food\"}\n"
                               "{\"persona\":\"doctor\",\"kind\":\"health\"}\n"
                               "{\"persona\":\"baker\",\"kind\":\"food\"}\n"
                               "{\"persona\":\"dentist\",\"kind\":\"health\"}\n"
                               "a tramp\n";

static int of_health(size_t i)
{
    return i == 0 || i == 2 || i == 4;
}

static int of_food(size_t i)
{
    return i == 1 || i == 3;
}

START_TEST(drawn_of_a_category)
{
    size_t   out[16], n;
    unsigned seen = 0;
    ck_assert_int_eq(read_text(of_kinds, "", "kind", 0), DRH_OK);
    for (uint64_t seed = 0; seed < 200; seed++) {
        n = people_draw(&people, drh_str_of("health"), 0, 2, seed, out);
        ck_assert_uint_eq(n, 2);
        ck_assert(of_health(out[0]) && of_health(out[1]) && out[0] != out[1]);
        seen |= 1u << out[0] | 1u << out[1];
        n = people_draw(&people, drh_str_of("health"), 1, 16, seed, out);
        ck_assert_uint_eq(n, 3);
        n = people_draw(&people, drh_str_of("sports"), 0, 16, seed, out); /* there is none */
        ck_assert_uint_eq(n, 6);
        n = people_draw(&people, (drh_str){NULL, 0}, 0, 3, seed, out);
        ck_assert_uint_eq(n, 3);
        ck_assert(out[0] != out[1] && out[1] != out[2] && out[0] != out[2]);
    }
    ck_assert_uint_eq(seen, 0x15);
}
END_TEST

START_TEST(spread_over_categories)
{
    size_t out[16], n, health, food;
    ck_assert_int_eq(read_text(of_kinds, "", "kind", 0), DRH_OK);
    for (uint64_t seed = 0; seed < 200; seed++) {
        n = people_draw(&people, (drh_str){NULL, 0}, 1, 3, seed, out);
        ck_assert_uint_eq(n, 3);
        health = food = 0;
        for (size_t i = 0; i < n; i++) {
            health += (size_t)of_health(out[i]);
            food += (size_t)of_food(out[i]);
        }
        ck_assert(health == 1 && food == 1); /* and the tramp */
        n = people_draw(&people, (drh_str){NULL, 0}, 1, 16, seed, out);
        ck_assert_uint_eq(n, 6);
    }
}
END_TEST

/* All of a category are like earlier ones of another: it has none. */
START_TEST(an_empty_category)
{
    size_t out[4];
    ck_assert_int_eq(read_text("{\"persona\":\"a nurse\",\"kind\":\"health\"}\n"
                               "{\"persona\":\"A nurse!\",\"kind\":\"care\"}\n",
                               "", "kind", 0.9),
                     DRH_OK);
    ck_assert_uint_eq(people.n, 1);
    ck_assert_uint_eq(people_draw(&people, drh_str_of("care"), 0, 2, 1, out), 1);
    ck_assert_uint_eq(people_draw(&people, (drh_str){NULL, 0}, 1, 2, 1, out), 1);
}
END_TEST

START_TEST(too_many_categories)
{
    static char text[(PEOPLE_MAX_KINDS + 2) * WORD];
    char       *to = text;
    for (int i = 0; i <= PEOPLE_MAX_KINDS; i++) {
        to += snprintf(to, WORD, "{\"persona\":\"p%d\",\"kind\":\"k%d\"}\n", i, i);
    }
    ck_assert_int_eq(read_text(text, "", "kind", 0), DRH_E_CONFIG);
    ck_assert_ptr_nonnull(strstr(e.message, "people:1025: more than 1024 categories"));
    text[strlen(text) - 1] = '\0';
    *strrchr(text, '\n') = '\0';
    ck_assert_int_eq(read_text(text, "", "kind", 0), DRH_OK);
}
END_TEST

/* Without memory at any moment: an error, and all is given back (teardown looks). */
START_TEST(no_memory)
{
    drh_status st = DRH_E_NOMEM;
    for (int n = 0; st != DRH_OK && n < 100; n++) {
        bare_allowed = n;
        st = read_text(of_kinds, "", "kind", 0.9);
        bare_allowed = -1;
        ck_assert(st == DRH_OK || st == DRH_E_NOMEM || st == DRH_E_CONFIG);
        if (st != DRH_OK) {
            people_free(&host, &people);
            ck_assert_int_eq(bare_blocks, 0);
        }
    }
    ck_assert_int_eq(st, DRH_OK);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("people");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lines_and_members);
    tcase_add_test(t, just_alike);
    tcase_add_test(t, sets_of_words);
    tcase_add_test(t, chains);
    tcase_add_test(t, drawn_of_a_category);
    tcase_add_test(t, spread_over_categories);
    tcase_add_test(t, an_empty_category);
    tcase_add_test(t, too_many_categories);
    tcase_add_test(t, no_memory);
    return run_case("people", t);
}
