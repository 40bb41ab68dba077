/* SPDX-License-Identifier: MIT
 * run.h - the main() of a unit test program: one suite, one case. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include <check.h>
#include <stdlib.h>

static int run_case(const char *name, TCase *t)
{
    Suite   *s = suite_create(name);
    SRunner *r;
    int      failed;

    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#endif
