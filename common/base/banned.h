// SPDX-License-Identifier: Apache-2.0
/* banned - functions that are not used here, and what to use instead. Included by str.h, hence
 * nearly everywhere. */
#ifndef HEADRACE_BANNED_H
#define HEADRACE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __clang__ /* which refuses to poison what its headers made a macro */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atof gets
#endif

#endif
