// SPDX-License-Identifier: Apache-2.0
// Part of every test program: a word on its command line ("*lost*") runs only the cases whose name
// matches.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* glibc gives a constructor what main gets. */
__attribute__((constructor)) static void filter_cases(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
}
