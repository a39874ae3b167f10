// SPDX-License-Identifier: Apache-2.0
/* expr_tree - what the parser of expressions makes and the evaluator walks. Shared by the expr_*.c
 * files alone. */
#ifndef HEADRACE_EXPR_TREE_H
#define HEADRACE_EXPR_TREE_H

#include "common/text/expr.h"

enum expr_kind {
    EXPR_LITERAL,
    EXPR_PATH,   /* name and steps, asked of the scope as a whole */
    EXPR_MEMBER, /* a[0] and steps, walked */
    EXPR_LIST,   /* a: items */
    EXPR_MAP,    /* a: key, value, key, value ... */
    EXPR_NEGATE,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR,
    EXPR_IF, /* condition, then, else */
    EXPR_ADD,
    EXPR_SUBTRACT,
    EXPR_MULTIPLY,
    EXPR_DIVIDE,
    EXPR_FLOOR_DIVIDE,
    EXPR_MODULO,
    EXPR_JOIN,
    EXPR_EQUAL,
    EXPR_UNEQUAL,
    EXPR_LESS,
    EXPR_LESS_EQUAL,
    EXPR_GREATER,
    EXPR_GREATER_EQUAL,
    EXPR_IN,
    EXPR_NOT_IN,
    EXPR_FILTER, /* a[0] is the input, the rest are arguments */
};

struct expr_node {
    enum expr_kind kind;
    uint32_t depth;
    const struct value *literal;
    struct expr_part *parts;             /* of a path (with the root name) or member */
    const struct expr_node **part_nodes; /* for COMPUTED parts, else NULL */
    uint32_t part_count;
    const struct expr_filter *filter;
    const struct expr_node **a;
    uint32_t count;
};

struct expr {
    const struct expr_node *root;
    struct expr_path *paths;
    uint32_t path_count;
};

/* One evaluation: where names come from and what may still be spent. */
struct expr_run {
    const struct expr_scope *scope;
    struct arena *arena;
    struct err *err;
    uint64_t steps_left;
    size_t bytes_left;
};

typedef int expr_filter_fn(struct expr_run *run, const struct value *in,
                           const struct value *const *args, uint32_t count,
                           const struct value **out);

struct expr_filter {
    struct expr_filter_help help;
    uint32_t args_min, args_max;
    expr_filter_fn *fn; /* NULL for `default`, which the evaluator does itself */
};

/* NULL when there is none; *out_near is then the filter that may be meant, or empty. */
const struct expr_filter *expr_filter_find(struct str name, struct str *out_near);

/* Takes from the budgets; ERR_LIMIT when they are spent. */
MUST_USE int expr_spend(struct expr_run *run, uint64_t steps, size_t bytes);

/* A new text value, charged. Keeps `text`. */
MUST_USE int expr_give_text(struct expr_run *run, struct str text, const struct value **out);

/* As template_text, charged. */
MUST_USE int expr_text(struct expr_run *run, const struct value *value, struct str *out);

/* Both are numbers, or both text: <0, 0, >0. Callers have checked. */
int expr_compare(const struct value *a, const struct value *b);
bool expr_is_number(const struct value *value);

/* expr_eval.c: the value of a node; the parts that know of others' insides are in expr_path.c and
 * expr_operator.c. */
MUST_USE int expr_eval_node(struct expr_run *run, const struct expr_node *node,
                            const struct value **out);
MUST_USE int expr_eval_path(struct expr_run *run, const struct expr_node *node,
                            const struct value **out);
MUST_USE int expr_eval_member(struct expr_run *run, const struct expr_node *node,
                              const struct value **out);
MUST_USE int expr_eval_two(struct expr_run *run, const struct expr_node *node,
                           const struct value **out);
MUST_USE int expr_eval_negate(struct expr_run *run, const struct expr_node *node,
                              const struct value **out);

/* A new value, charged. */
MUST_USE int expr_give(struct expr_run *run, struct value *value, const struct value **out);
MUST_USE int expr_give_real(struct expr_run *run, double real, const struct value **out);

/* expr_time.c */
expr_filter_fn expr_filter_ds_add, expr_filter_strftime, expr_filter_ds, expr_filter_ds_nodash,
    expr_filter_ts, expr_filter_ts_nodash;

#endif
