// SPDX-License-Identifier: Apache-2.0
// Part of every test program: HEADRACE_TEST_CASE ("*lost*") runs only the cases whose name matches.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void filter_cases(void)
{
    const char *pattern = getenv("HEADRACE_TEST_CASE");

    if (pattern != NULL && pattern[0] != '\0')
        cmocka_set_test_filter(pattern);
}
