// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/text/expr_tree.h"

bool expr_is_number(const struct value *value)
{
    return value->type == VALUE_INT || value->type == VALUE_REAL;
}

static double real_of(const struct value *value)
{
    return value->type == VALUE_INT ? (double)value->integer : value->real;
}

int expr_compare(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_STRING)
        return str_cmp(a->string, b->string);
    if (a->type == VALUE_INT && b->type == VALUE_INT)
        return (a->integer > b->integer) - (a->integer < b->integer);
    double left = real_of(a), right = real_of(b);
    return (left > right) - (left < right);
}

static const char *operator_mark(enum expr_kind kind)
{
    static const char *const marks[] = {
        [EXPR_ADD] = "+",           [EXPR_SUBTRACT] = "-",
        [EXPR_MULTIPLY] = "*",      [EXPR_DIVIDE] = "/",
        [EXPR_FLOOR_DIVIDE] = "//", [EXPR_MODULO] = "%",
        [EXPR_LESS] = "<",          [EXPR_LESS_EQUAL] = "<=",
        [EXPR_GREATER] = ">",       [EXPR_GREATER_EQUAL] = ">=",
    };
    return marks[kind];
}

static int refuse_types(struct expr_run *run, enum expr_kind kind, const struct value *a,
                        const struct value *b)
{
    err_set(run->err, ERR_INVALID, "%s cannot stand between %s and %s", operator_mark(kind),
            value_type_name(a->type), value_type_name(b->type));
    bool texts = a->type == VALUE_STRING || b->type == VALUE_STRING;
    if (kind == EXPR_ADD && texts)
        err_hint(run->err, "~ joins values as text");
    else if (texts)
        err_hint(run->err, "text becomes a number with | int or | float");
    return ERR_INVALID;
}

static int calculate_reals(struct expr_run *run, enum expr_kind kind, double a, double b,
                           const struct value **out)
{
    switch (kind) {
    case EXPR_ADD:
        return expr_give_real(run, a + b, out);
    case EXPR_SUBTRACT:
        return expr_give_real(run, a - b, out);
    case EXPR_MULTIPLY:
        return expr_give_real(run, a * b, out);
    case EXPR_DIVIDE:
        return expr_give_real(run, a / b, out);
    case EXPR_FLOOR_DIVIDE:
        return expr_give_real(run, __builtin_floor(a / b), out);
    case EXPR_MODULO:
        return expr_give_real(run, a - b * __builtin_floor(a / b), out);
    default:
        UNREACHABLE();
    }
}

/* Whole numbers stay whole, except under `/`. Division rounds down and the rest has the divisor's
 * sign, as in Python. */
static int calculate_ints(struct expr_run *run, enum expr_kind kind, int64_t a, int64_t b,
                          const struct value **out)
{
    int64_t result = 0;
    bool over = false;
    switch (kind) {
    case EXPR_ADD:
        over = __builtin_add_overflow(a, b, &result);
        break;
    case EXPR_SUBTRACT:
        over = __builtin_sub_overflow(a, b, &result);
        break;
    case EXPR_MULTIPLY:
        over = __builtin_mul_overflow(a, b, &result);
        break;
    case EXPR_FLOOR_DIVIDE:
        over = a == INT64_MIN && b == -1;
        result = over ? 0 : a / b - (a % b != 0 && (a < 0) != (b < 0));
        break;
    case EXPR_MODULO:
        result = b == -1 ? 0 : a % b;
        if (result != 0 && (result < 0) != (b < 0))
            result += b;
        break;
    default:
        return calculate_reals(run, kind, (double)a, (double)b, out);
    }
    if (over)
        return err_set(run->err, ERR_INVALID, "the result does not fit into 64 bits");
    return expr_give(run, value_int(run->arena, result), out);
}

static int add_lists(struct expr_run *run, const struct value *a, const struct value *b,
                     const struct value **out)
{
    uint64_t count = (uint64_t)a->count + b->count;
    int rc = expr_spend(run, count, count * 2 * sizeof a->items[0]);
    if (rc < 0)
        return rc;
    struct value *list = value_list(run->arena);
    for (uint32_t i = 0; i < a->count; i++)
        value_add(run->arena, list, a->items[i]);
    for (uint32_t i = 0; i < b->count; i++)
        value_add(run->arena, list, b->items[i]);
    return expr_give(run, list, out);
}

static int join_texts(struct expr_run *run, struct str a, struct str b, const struct value **out)
{
    size_t size = a.size + b.size;
    int rc = expr_spend(run, 1 + size / 64, 0);
    if (rc < 0 || size > run->bytes_left)
        return rc < 0 ? rc : expr_spend(run, 0, size);
    char *bytes = arena_alloc(run->arena, size + 1);
    if (a.size > 0)
        memcpy(bytes, a.bytes, a.size);
    if (b.size > 0)
        memcpy(bytes + a.size, b.bytes, b.size);
    return expr_give_text(run, (struct str) { bytes, size }, out);
}

static int calculate(struct expr_run *run, enum expr_kind kind, const struct value *a,
                     const struct value *b, const struct value **out)
{
    if (expr_is_number(a) && expr_is_number(b)) {
        bool divides = kind == EXPR_DIVIDE || kind == EXPR_FLOOR_DIVIDE || kind == EXPR_MODULO;
        if (divides && real_of(b) == 0)
            return err_set(run->err, ERR_INVALID, "division by zero");
        if (a->type == VALUE_INT && b->type == VALUE_INT)
            return calculate_ints(run, kind, a->integer, b->integer, out);
        return calculate_reals(run, kind, real_of(a), real_of(b), out);
    }
    if (kind == EXPR_ADD && a->type == VALUE_STRING && b->type == VALUE_STRING)
        return join_texts(run, a->string, b->string, out);
    if (kind == EXPR_ADD && a->type == VALUE_LIST && b->type == VALUE_LIST)
        return add_lists(run, a, b, out);
    return refuse_types(run, kind, a, b);
}

static int order(struct expr_run *run, enum expr_kind kind, const struct value *a,
                 const struct value *b, const struct value **out)
{
    bool numbers = expr_is_number(a) && expr_is_number(b);
    bool texts = a->type == VALUE_STRING && b->type == VALUE_STRING;
    if (!numbers && !texts)
        return refuse_types(run, kind, a, b);
    int order = expr_compare(a, b);
    bool holds = kind == EXPR_LESS         ? order < 0
                 : kind == EXPR_LESS_EQUAL ? order <= 0
                 : kind == EXPR_GREATER    ? order > 0
                                           : order >= 0;
    return expr_give(run, value_bool(run->arena, holds), out);
}

/* What comparing two trees may cost: their nodes and bytes. */
static uint64_t weight(const struct value *value, uint64_t most)
{
    uint64_t sum = 1;
    if (value->type == VALUE_STRING)
        return 1 + value->string.size / 64;
    if (value->type != VALUE_LIST && value->type != VALUE_MAP)
        return 1;
    for (uint32_t i = 0; i < value->count && sum < most; i++)
        sum += weight(value->type == VALUE_LIST ? value->items[i] : value->entries[i].value,
                      most - sum);
    return sum;
}

static int equal(struct expr_run *run, const struct value *a, const struct value *b, bool *out)
{
    int rc = expr_spend(run, weight(a, run->steps_left), 0);
    if (rc == 0)
        *out = value_eq(a, b);
    return rc;
}

static int contains(struct expr_run *run, const struct value *item, const struct value *container,
                    bool *out)
{
    *out = false;
    if (container->type == VALUE_LIST) {
        int rc = 0;
        for (uint32_t i = 0; rc == 0 && !*out && i < container->count; i++)
            rc = equal(run, item, container->items[i], out);
        return rc;
    }
    if (item->type == VALUE_STRING && container->type == VALUE_MAP) {
        *out = value_get_str(container, item->string) != NULL;
        return 0;
    }
    if (item->type == VALUE_STRING && container->type == VALUE_STRING) {
        *out = item->string.size == 0 || (container->string.size > 0 &&
                                          memmem(container->string.bytes, container->string.size,
                                                 item->string.bytes, item->string.size) != NULL);
        return expr_spend(run, 1 + container->string.size / 16, 0);
    }
    return err_set(run->err, ERR_INVALID, "`in` cannot look for %s in %s",
                   value_type_name(item->type), value_type_name(container->type));
}

int expr_eval_two(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct value *a, *b;
    bool holds = false;
    int rc = expr_eval_node(run, node->a[0], &a);
    if (rc == 0)
        rc = expr_eval_node(run, node->a[1], &b);
    if (rc < 0)
        return rc;
    switch (node->kind) {
    case EXPR_JOIN: {
        struct str left, right;
        rc = expr_text(run, a, &left);
        if (rc == 0)
            rc = expr_text(run, b, &right);
        return rc < 0 ? rc : join_texts(run, left, right, out);
    }
    case EXPR_EQUAL:
    case EXPR_UNEQUAL:
        rc = equal(run, a, b, &holds);
        break;
    case EXPR_IN:
    case EXPR_NOT_IN:
        rc = contains(run, a, b, &holds);
        break;
    case EXPR_LESS:
    case EXPR_LESS_EQUAL:
    case EXPR_GREATER:
    case EXPR_GREATER_EQUAL:
        return order(run, node->kind, a, b, out);
    default:
        return calculate(run, node->kind, a, b, out);
    }
    bool negated = node->kind == EXPR_UNEQUAL || node->kind == EXPR_NOT_IN;
    return rc < 0 ? rc : expr_give(run, value_bool(run->arena, holds != negated), out);
}

int expr_eval_negate(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct value *a;
    int rc = expr_eval_node(run, node->a[0], &a);
    if (rc < 0)
        return rc;
    if (a->type == VALUE_REAL)
        return expr_give(run, value_real(run->arena, -a->real), out);
    if (a->type == VALUE_INT)
        return calculate_ints(run, EXPR_SUBTRACT, 0, a->integer, out);
    return err_set(run->err, ERR_INVALID, "- cannot stand before %s", value_type_name(a->type));
}
