/* SPDX-License-Identifier: MIT
 *
 * test_chat_dialects.c - a record of each data set that the methods specification names in 5.1, and
 * what it has to become, in tests/data/chat/dialects.jsonl; and what the log says of it.
 */
#include "mini_host.h"

#include "err.h"
#include "run.h"

#include <cjson/cJSON.h>

extern const drh_entry drh_entry_v1;

static const char *name_of(const cJSON *c)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(c, "name"));
}

static void check(const cJSON *c)
{
    drh_error         e = DRH_ERROR_INIT;
    const cJSON      *options = cJSON_GetObjectItem(c, "options");
    const cJSON      *log = cJSON_GetObjectItem(c, "log");
    char             *in = cJSON_PrintUnformatted(cJSON_GetObjectItem(c, "in"));
    char             *with = options ? cJSON_PrintUnformatted(options) : strdup("{}");
    char              want[300];
    struct mini_host *m = mini_new(&drh_entry_v1, with, NULL, &e);
    const char       *got;
    cJSON            *record;
    ck_assert_msg(m && in, "%s: %s", name_of(c), e.message);
    mini_origin(m, "d/x.json", "Math", "gsm", "local:d");
    got = mini_run(m, in);
    record = cJSON_Parse(got);
    ck_assert_msg(record != NULL, "%s: %s", name_of(c), got);
    cJSON_DeleteItemFromObjectCaseSensitive(record, "metadata");
    ck_assert_msg(cJSON_Compare(record, cJSON_GetObjectItem(c, "out"), 1), "%s: %s", name_of(c),
                  got);
    (void)mini_run(m, in); /* says nothing for a second time */
    if (log) {
        (void)snprintf(want, sizeof(want), "gsm: %s (d/x.json:3)\n", log->valuestring);
        ck_assert_str_eq(mini_logged(m), want);
    }
    cJSON_Delete(record);
    cJSON_free(in);
    cJSON_free(with);
    mini_free(m);
}

START_TEST(chat_dialects_of_data_sets)
{
    FILE  *f = fopen(DRH_SOURCE_DIR "/tests/data/chat/dialects.jsonl", "r");
    char  *line = NULL;
    size_t cap = 0, n = 0;
    ck_assert_ptr_nonnull(f);
    while (getline(&line, &cap, f) > 0) {
        cJSON *c = cJSON_Parse(line);
        ck_assert_msg(c && name_of(c), "%s", line);
        check(c);
        cJSON_Delete(c);
        n++;
    }
    ck_assert_uint_gt(n, 40);
    free(line);
    (void)fclose(f);
}
END_TEST

/* A data set of two dialects: each is named when it first comes, and by its data set. */
START_TEST(chat_tells_dialects)
{
    static const char pair[] = "{\"question\":\"q\",\"answer\":\"a\"}";
    static const char turns[] = "{\"data\":[\"q\",\"a\"]}";
    drh_error         e = DRH_ERROR_INIT;
    struct mini_host *m = mini_new(&drh_entry_v1, "{}", NULL, &e);
    ck_assert_ptr_nonnull(m);
    mini_origin(m, "x.json", "", "one", "");
    (void)mini_run(m, pair);
    (void)mini_run(m, turns);
    (void)mini_run(m, pair);
    (void)mini_run(m, "{\"question\":\"\",\"answer\":\"a\"}");
    mini_origin(m, "y.json", "", "", "local:y.json");
    (void)mini_run(m, turns);
    mini_origin(m, "z.json", "", "", "");
    (void)mini_run(m, turns);
    ck_assert_str_eq(mini_logged(m),
                     "one: a question in question and its answer in answer (x.json:3)\n"
                     "one, other records: a list of turns in data (x.json:3)\n"
                     "local:y.json: a list of turns in data (y.json:3)\n"
                     "z.json: a list of turns in data (line 3)\n");
    mini_free(m);
    m = mini_new(&drh_entry_v1, "{\"dialect\":\"pairs\"}", NULL, &e);
    ck_assert_ptr_nonnull(m);
    (void)mini_run(m, pair);
    ck_assert_str_eq(mini_logged(m), "");
    mini_free(m);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("chat_dialects");
    tcase_add_test(t, chat_dialects_of_data_sets);
    tcase_add_test(t, chat_tells_dialects);
    return run_case("chat_dialects", t);
}
