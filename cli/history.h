// SPDX-License-Identifier: Apache-2.0
/* history - what happened in a run, a line an end, and how that differs from what was expected. */
#ifndef HEADRACE_CLI_HISTORY_H
#define HEADRACE_CLI_HISTORY_H

#include "common/base/buf.h"
#include "common/base/err.h"

#include <stdio.h>

/* Prints the lines of both in order: "  same", "- expected only", "+ happened only".
 * The number of differing lines; 0: nothing is printed. */
uint32_t history_diff(struct str expected, struct str happened, FILE *out);

#endif
