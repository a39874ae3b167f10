// SPDX-License-Identifier: Apache-2.0
/* schema_list - migrating by any list of migrations. For schema.c, which has the program's own
 * list, and for its test. */
#ifndef HEADRACE_SCHEMA_LIST_H
#define HEADRACE_SCHEMA_LIST_H

#include "common/store/schema.h"

struct migration {
    int32_t number; /* 1, 2, 3, ... */
    const char *title;
    const char *text;
};

MUST_USE int schema_list_state(const char *conninfo, const struct migration *list, int32_t count,
                               struct schema_state *out, struct err *err);
MUST_USE int schema_list_apply(const char *conninfo, const struct migration *list, int32_t count,
                               void (*on_step)(void *owner, int32_t number, const char *title),
                               void *owner, struct err *err);

#endif
