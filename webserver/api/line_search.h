// SPDX-License-Identifier: Apache-2.0
/* line_search - which lines hold a text, with or without regard to case (of ASCII letters). Pure.
 *
 * The time for a line grows with its length alone, whatever is wanted. */
#ifndef HEADRACE_LINE_SEARCH_H
#define HEADRACE_LINE_SEARCH_H

#include "common/base/buf.h"

struct line_search {
    bool with_case;
    struct buf wanted, folded; /* the line, in small letters */
};

void line_search_init(struct line_search *search, struct str wanted, bool with_case); /* copies */
void line_search_clear(struct line_search *search);

/* The empty text stands in no line. */
bool line_search_finds(struct line_search *search, struct str line);

#endif
