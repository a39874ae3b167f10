// SPDX-License-Identifier: Apache-2.0
/* expr - the expression language of DAG files: what stands between {{ and }}, in `when` and in
 * `for_each`.
 *
 *     xcom.check[0].n > 0 and params.region in ["eu", "us"]
 *     item.path | replace(".csv", "") | upper
 *     conf.day | default(ds | ds_add(-1))
 *     "full" if params.full else "delta"
 *
 * Literals, paths and indexes, + - * / // % ~ (joins text), == != < <= > >=, in, not in, and, or,
 * not, a if c else b, lists, maps, filters. No loops and no calls out: it always ends, within a
 * budget of steps, bytes and depth. Numbers are 64-bit integers (overflow is an error) and reals;
 * `and` and `or` give one of their operands. A path that leads nowhere is an error, unless `|
 * default(...)` stands behind it; null counts as nowhere there. */
#ifndef HEADRACE_EXPR_H
#define HEADRACE_EXPR_H

#include "common/text/value.h"

struct expr; /* compiled; immutable, lives in the arena it was compiled in */

enum { EXPR_BYTES_MAX = 64 << 10, EXPR_DEPTH_MAX = 200 };

/* Compiles the whole of `text`. On failure (ERR_INVALID) *out_at, unless NULL, is the byte offset
 * of what is wrong. */
MUST_USE int expr_compile(struct arena *arena, struct str text, const struct expr **out,
                          uint32_t *out_at, struct err *err);

/* The same for an expression that begins at `from` in a text and ends before "}}"; *out_end is the
 * offset of "}}". */
MUST_USE int expr_compile_braced(struct arena *arena, struct str text, uint32_t from,
                                 const struct expr **out, uint32_t *out_end, uint32_t *out_at,
                                 struct err *err);

/* One step of a path: `.name`, ["name"] or [3]. In a compiled expression a step may also be
 * computed. */
struct expr_part {
    enum { EXPR_PART_NAME, EXPR_PART_INDEX, EXPR_PART_COMPUTED } kind;
    struct str name;
    int64_t index; /* negative counts from the end */
};

/* Where names get their values. */
struct expr_scope {
    void *owner;

    /* Follows a path whose first part is the root name; no part is COMPUTED. Gives the value
     * reached and how many parts were followed to reach it (>= 1); the rest is walked by the
     * evaluator. So a big structure need not be built to read one leaf of it. ERR_NOT_FOUND when
     * the path leads nowhere: `err` may say more, or be left alone. */
    int (*lookup)(void *owner, const struct expr_part *parts, uint32_t count, struct arena *arena,
                  const struct value **out, uint32_t *out_used, struct err *err);

    const struct str *names; /* known root names, for "did you mean"; may be NULL */
    uint32_t name_count;
};

/* A scope that reads from a map; it borrows the map. */
struct expr_scope expr_scope_of(const struct value *map);

struct expr_limits {
    uint32_t steps_max;
    size_t bytes_max; /* of everything made on the way */
};

enum { EXPR_STEPS_MAX = 1000000, EXPR_BYTES_MADE_MAX = 16 << 20 };

/* Evaluates. `limits` NULL means the two constants above. Failure: ERR_NOT_FOUND (a path leads
 * nowhere), ERR_LIMIT (budget), ERR_INVALID (types, division by zero, overflow ...), or what the
 * scope returned. The result may share with what the scope gave. */
MUST_USE int expr_eval(const struct expr *expr, const struct expr_scope *scope,
                       const struct expr_limits *limits, struct arena *arena,
                       const struct value **out, struct err *err);

/* Every path that a compiled expression reads, for checks before it runs. */
struct expr_path {
    const struct expr_part *parts; /* parts[0] is the root name */
    uint32_t count;
    uint32_t at;      /* byte offset in the text that was compiled */
    bool has_default; /* a missing value is caught by `default` */
};

const struct expr_path *expr_paths(const struct expr *expr, uint32_t *out_count);

/* The filters, for documentation and completion. */
struct expr_filter_help {
    const char *name;
    const char *usage; /* "replace(old, new)" */
    const char *help;
};

const struct expr_filter_help *expr_filters(uint32_t number); /* NULL behind the last */

#endif
