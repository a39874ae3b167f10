// SPDX-License-Identifier: Apache-2.0
/* line_level - how grave a line of a log is, by what stands in it. Pure.
 *
 * Programs write levels in a hundred ways. What counts: a level in capitals near the beginning; one
 * in any letters before a colon, or behind "level="; the words by which Python ends a traceback. A
 * line that is indented goes on with the one before it. */
#ifndef HEADRACE_LINE_LEVEL_H
#define HEADRACE_LINE_LEVEL_H

#include "common/base/str.h"

enum line_level {
    LINE_PLAIN, /* says none */
    LINE_DEBUG,
    LINE_INFO,
    LINE_WARNING,
    LINE_ERROR,
    LINE_LEVEL_COUNT
};

/* `before`: of the line before, LINE_PLAIN at the beginning. */
enum line_level line_level_of(struct str text, enum line_level before);

const char *line_level_name(enum line_level level); /* "warning" */
MUST_USE int line_level_parse(struct str name, enum line_level *out);

#endif
