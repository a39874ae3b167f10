// SPDX-License-Identifier: Apache-2.0
/* test - what every test includes: cmocka with its prerequisites, and TESTS(...) which makes
 * main(). A word on the command line filters cases (filter.c):
 * build/dev/tests/test_common_base_arena '*reset*'. */
#ifndef HEADRACE_TEST_H
#define HEADRACE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define TESTS(...)                                                                                 \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct CMUnitTest tests[] = { __VA_ARGS__ };                                         \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#define CASE(name) cmocka_unit_test(name)

#define assert_str(s, expected)                                                                    \
    do {                                                                                           \
        struct str checked = (s);                                                                  \
        if (!str_is(checked, (expected)))                                                          \
            fail_msg("'%.*s' is not '%s'", STR_ARG(checked), (expected));                          \
    } while (0)

#endif
