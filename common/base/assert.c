// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static const char *current_note;

void assert_note(const char *note)
{
    current_note = note;
}

_Noreturn void assert_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: assertion failed: %s%s%s\n", file, line, condition,
            current_note != NULL ? "; at " : "", current_note != NULL ? current_note : "");
    abort();
}
