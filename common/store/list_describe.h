// SPDX-License-Identifier: Apache-2.0
/* list_describe - what a client may ask of the lists of list_read.h, for the description of the
 * API. Besides these every list takes limit, offset and order_by. */
#ifndef HEADRACE_LIST_DESCRIBE_H
#define HEADRACE_LIST_DESCRIBE_H

#include "common/store/list_read.h"

enum list_value {
    LIST_VALUE_TEXT,
    LIST_VALUE_BOOL,
    LIST_VALUE_INT,
    LIST_VALUE_REAL,
    LIST_VALUE_TIME,
};

/* Each filter by each name that it answers to. `name` dies when the callback returns; `repeats`:
 * several values are any of them. */
void list_describe(enum list list,
                   void (*on_filter)(void *owner, struct str name, enum list_value value,
                                     bool repeats),
                   void *owner);

/* The name of an order, without its sign; NULL after the last one. */
const char *list_order(enum list list, uint32_t index);

/* "dags": what the frame of the answer calls the rows. */
const char *list_key(enum list list);

#endif
