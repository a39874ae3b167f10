// SPDX-License-Identifier: Apache-2.0
/* expr_filter - what the sources of filters share. A filter gets its input and evaluated arguments,
 * whose number the parser has checked, and charges what it makes. */
#ifndef HEADRACE_EXPR_FILTER_H
#define HEADRACE_EXPR_FILTER_H

#include "common/base/buf.h"
#include "common/text/expr_tree.h"

#define FILTER(name)                                                                               \
    int name(struct expr_run *run, const struct value *in, const struct value *const *args,        \
             uint32_t count, const struct value **out)
#define UNUSED_ARGS() ((void)args, (void)count)

/* ERR_INVALID with a sentence unless `value` is of the type. */
MUST_USE int filter_want(struct expr_run *run, const struct value *value, enum value_type type);

/* Charges what stands in `buf` and turns it into a value; `buf` is cleared in any case. */
MUST_USE int filter_give_buf(struct expr_run *run, struct buf *buf, const struct value **out);

/* A list with room for `count` items, charged. */
MUST_USE int filter_new_list(struct expr_run *run, uint64_t count, struct value **out);

/* All functions of the table but `default`. */
expr_filter_fn filter_tojson, filter_fromjson, filter_sh, filter_upper, filter_lower, filter_trim,
    filter_replace, filter_split, filter_join, filter_urlencode, filter_b64encode, filter_b64decode,
    filter_string, filter_int, filter_float, filter_abs, filter_round, filter_length, filter_first,
    filter_last, filter_sort, filter_unique, filter_min, filter_max, filter_sum, filter_keys,
    filter_values;

#endif
