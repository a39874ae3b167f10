// SPDX-License-Identifier: Apache-2.0
/* pages - the lists of runs and of task instances, for who acts on what they show. */
#ifndef HEADRACE_PAGES_H
#define HEADRACE_PAGES_H

#include "webserver/api/call.h"

enum { PAGE_BINDS_MAX = 17 };

struct page_list {
    enum document document;
    const char *rows; /* the field of the answer that holds them */
    /* What the call's query asks for, `limit` rows behind the place `after` (empty: from the
     * first). Limit 0 counts them instead: "matches", up to one more than PAGE_MATCHES_MAX. Gives
     * the number of binds. */
    uint32_t (*binds)(struct call *call, int64_t limit, struct str after, struct bind *out);
};

enum { PAGE_MATCHES_MAX = 10000 }; /* as in sql/queries/ui_pages.sql */

extern const struct page_list PAGE_RUNS, PAGE_TASKS;

#endif
