// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/text/expr_tree.h"
#include "common/text/json.h"
#include "common/text/suggest.h"

static int eval(struct expr_run *run, const struct expr_node *node, const struct value **out);

/* ---- budget and results ---- */

int expr_spend(struct expr_run *run, uint64_t steps, size_t bytes)
{
    if (steps > run->steps_left)
        return err_set(run->err, ERR_LIMIT, "the expression takes too many steps");
    if (bytes > run->bytes_left)
        return err_set(run->err, ERR_LIMIT, "the expression makes too much text");
    run->steps_left -= steps;
    run->bytes_left -= bytes;
    return 0;
}

static int give(struct expr_run *run, struct value *value, const struct value **out)
{
    *out = value;
    return expr_spend(run, 1, sizeof *value);
}

int expr_give_text(struct expr_run *run, struct str text, const struct value **out)
{
    int rc = expr_spend(run, 1, text.size);
    return rc < 0 ? rc : give(run, value_string(run->arena, text), out);
}

int expr_text(struct expr_run *run, const struct value *value, struct str *out)
{
    if (value->type == VALUE_STRING) {
        *out = value->string;
        return 0;
    }
    *out = json_text(run->arena, value);
    return expr_spend(run, 1 + out->size / 16, out->size);
}

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

/* ---- paths ---- */

enum { PATH_TEXT_MAX = 120 };

/* The first `count` parts as written: xcom.check[0].n */
static void path_text(const struct expr_part *parts, uint32_t count, char out[PATH_TEXT_MAX])
{
    size_t size = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < count && size + 1 < PATH_TEXT_MAX; i++) {
        int more =
            parts[i].kind == EXPR_PART_INDEX
                ? snprintf(out + size, PATH_TEXT_MAX - size, "[%lld]", (long long)parts[i].index)
                : snprintf(out + size, PATH_TEXT_MAX - size, "%s%.*s", i == 0 ? "" : ".",
                           STR_ARG(str_slice(parts[i].name, 0, PATH_TEXT_MAX)));
        size += (size_t)more;
    }
}

static int miss_key(struct expr_run *run, const struct value *map, struct str key, const char *path)
{
    struct suggestion suggestion = suggestion_begin(key);
    for (uint32_t i = 0; i < map->count && i < 1000; i++)
        suggestion_offer(&suggestion, map->entries[i].key);
    err_set(run->err, ERR_NOT_FOUND, "%s has no '%.*s'", path, STR_ARG(str_slice(key, 0, 80)));
    if (suggestion.best.size > 0)
        err_hint(run->err, "did you mean '%.*s'?", STR_ARG(str_slice(suggestion.best, 0, 80)));
    else
        err_hint(run->err, "add | default(...) behind the path if it may be missing");
    return ERR_NOT_FOUND;
}

static int follow_map(struct expr_run *run, const struct value *map, const struct expr_part *part,
                      const char *path, const struct value **out)
{
    char digits[32];
    struct str key = part->name;
    if (part->kind == EXPR_PART_INDEX) {
        snprintf(digits, sizeof digits, "%lld", (long long)part->index);
        key = str_of(digits);
    }
    *out = value_get_str(map, key);
    return *out == NULL ? miss_key(run, map, key, path) : 0;
}

static int follow_list(struct expr_run *run, const struct value *list, const struct expr_part *part,
                       const char *path, const struct value **out)
{
    if (part->kind == EXPR_PART_NAME) {
        err_set(run->err, ERR_NOT_FOUND, "%s is a list and has no '%.*s'", path,
                STR_ARG(str_slice(part->name, 0, 80)));
        err_hint(run->err, "take an element first: [0], or | first");
        return ERR_NOT_FOUND;
    }
    int64_t index = part->index < 0 ? part->index + list->count : part->index;
    if (index < 0 || index >= list->count)
        return err_set(run->err, ERR_NOT_FOUND, "%s has %u elements; there is no [%lld]", path,
                       list->count, (long long)part->index);
    *out = list->items[index];
    return 0;
}

/* Walks `parts` from number `from` on; those before it have led to *value. */
static int follow(struct expr_run *run, const struct expr_part *parts, uint32_t from,
                  uint32_t count, const struct value **value)
{
    for (uint32_t i = from; i < count; i++) {
        char path[PATH_TEXT_MAX];
        path_text(parts, i, path);
        const char *name = i == 0 ? "the value" : path;
        int rc = expr_spend(run, 1, 0);
        if (rc < 0)
            return rc;
        if ((*value)->type == VALUE_MAP)
            rc = follow_map(run, *value, &parts[i], name, value);
        else if ((*value)->type == VALUE_LIST)
            rc = follow_list(run, *value, &parts[i], name, value);
        else
            rc = err_set(run->err, ERR_NOT_FOUND, "%s is %s and has nothing inside", name,
                         value_type_name((*value)->type));
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The parts of a path with every computed step evaluated. */
static int resolve_parts(struct expr_run *run, const struct expr_node *node,
                         const struct expr_part **out)
{
    struct expr_part *parts =
        arena_copy(run->arena, node->parts, node->part_count * sizeof *node->parts);
    *out = parts;
    for (uint32_t i = 0; i < node->part_count; i++) {
        if (parts[i].kind != EXPR_PART_COMPUTED)
            continue;
        const struct value *value;
        int rc = eval(run, node->part_nodes[i], &value);
        if (rc < 0)
            return rc;
        if (value->type == VALUE_STRING)
            parts[i] = (struct expr_part) { .kind = EXPR_PART_NAME, .name = value->string };
        else if (value->type == VALUE_INT)
            parts[i] = (struct expr_part) { .kind = EXPR_PART_INDEX, .index = value->integer };
        else
            return err_set(run->err, ERR_INVALID, "an index must be a whole number or text, not %s",
                           value_type_name(value->type));
    }
    return expr_spend(run, node->part_count, node->part_count * sizeof *parts);
}

static int miss_root(struct expr_run *run, const struct expr_part *parts, uint32_t count)
{
    if (run->err != NULL && run->err->code != 0)
        return ERR_NOT_FOUND;
    char path[PATH_TEXT_MAX];
    path_text(parts, count, path);
    err_set(run->err, ERR_NOT_FOUND, "there is no %s", path);
    struct str near = suggest(parts[0].name, run->scope->names, run->scope->name_count);
    if (near.size > 0 && !str_eq(near, parts[0].name))
        err_hint(run->err, "did you mean '%.*s'?", STR_ARG(near));
    return ERR_NOT_FOUND;
}

static int eval_path(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct expr_part *parts;
    int rc = resolve_parts(run, node, &parts);
    if (rc < 0)
        return rc;
    uint32_t used = 0;
    rc = run->scope->lookup(run->scope->owner, parts, node->part_count, run->arena, out, &used,
                            run->err);
    if (rc == ERR_NOT_FOUND)
        return miss_root(run, parts, node->part_count);
    if (rc < 0)
        return rc;
    ASSERT(used >= 1 && used <= node->part_count);
    return follow(run, parts, used, node->part_count, out);
}

static int eval_member(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct expr_part *parts;
    int rc = eval(run, node->a[0], out);
    if (rc == 0)
        rc = resolve_parts(run, node, &parts);
    return rc < 0 ? rc : follow(run, parts, 0, node->part_count, out);
}

/* ---- operators ---- */

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

static int give_real(struct expr_run *run, double real, const struct value **out)
{
    if (__builtin_isnan(real) || __builtin_isinf(real))
        return err_set(run->err, ERR_INVALID, "the result is not a number that can be kept");
    return give(run, value_real(run->arena, real), out);
}

static int calculate_reals(struct expr_run *run, enum expr_kind kind, double a, double b,
                           const struct value **out)
{
    switch (kind) {
    case EXPR_ADD:
        return give_real(run, a + b, out);
    case EXPR_SUBTRACT:
        return give_real(run, a - b, out);
    case EXPR_MULTIPLY:
        return give_real(run, a * b, out);
    case EXPR_DIVIDE:
        return give_real(run, a / b, out);
    case EXPR_FLOOR_DIVIDE:
        return give_real(run, __builtin_floor(a / b), out);
    case EXPR_MODULO:
        return give_real(run, a - b * __builtin_floor(a / b), out);
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
    return give(run, value_int(run->arena, result), out);
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
    return give(run, list, out);
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
    return give(run, value_bool(run->arena, holds), out);
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

static int eval_two(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct value *a, *b;
    bool holds = false;
    int rc = eval(run, node->a[0], &a);
    if (rc == 0)
        rc = eval(run, node->a[1], &b);
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
    return rc < 0 ? rc : give(run, value_bool(run->arena, holds != negated), out);
}

/* ---- the rest of the tree ---- */

static int eval_logic(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    int rc = eval(run, node->a[0], out);
    if (rc < 0)
        return rc;
    bool first = value_is_true(*out);
    switch (node->kind) {
    case EXPR_NOT:
        return give(run, value_bool(run->arena, !first), out);
    case EXPR_AND:
        return first ? eval(run, node->a[1], out) : 0;
    case EXPR_OR:
        return first ? 0 : eval(run, node->a[1], out);
    default:
        return eval(run, node->a[first ? 1 : 2], out);
    }
}

static int eval_negate(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct value *a;
    int rc = eval(run, node->a[0], &a);
    if (rc < 0)
        return rc;
    if (a->type == VALUE_REAL)
        return give(run, value_real(run->arena, -a->real), out);
    if (a->type == VALUE_INT)
        return calculate_ints(run, EXPR_SUBTRACT, 0, a->integer, out);
    return err_set(run->err, ERR_INVALID, "- cannot stand before %s", value_type_name(a->type));
}

static int eval_list(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    struct value *list = value_list(run->arena);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct value *item;
        int rc = eval(run, node->a[i], &item);
        if (rc < 0)
            return rc;
        value_add(run->arena, list, item);
    }
    return give(run, list, out);
}

static int eval_map(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    struct value *map = value_map(run->arena);
    for (uint32_t i = 0; i + 1 < node->count; i += 2) {
        const struct value *key, *item;
        int rc = eval(run, node->a[i], &key);
        if (rc == 0)
            rc = eval(run, node->a[i + 1], &item);
        if (rc < 0)
            return rc;
        if (key->type != VALUE_STRING)
            return err_set(run->err, ERR_INVALID, "a key must be text, not %s",
                           value_type_name(key->type));
        value_put(run->arena, map, key->string, item);
    }
    return give(run, map, out);
}

/* a | default(b): b when a leads nowhere or is null. a | default(b, true): also when a is empty, 0
 * or false. */
static int eval_default(struct expr_run *run, const struct expr_node *node,
                        const struct value **out)
{
    int rc = eval(run, node->a[0], out);
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == ERR_NOT_FOUND && run->err != NULL)
        *run->err = (struct err) { 0 };
    bool use = rc == ERR_NOT_FOUND || (*out)->type == VALUE_NULL;
    if (!use && node->count == 3 && !value_is_true(*out)) {
        const struct value *also_empty;
        rc = eval(run, node->a[2], &also_empty);
        if (rc < 0)
            return rc;
        use = value_is_true(also_empty);
    }
    return use ? eval(run, node->a[1], out) : 0;
}

enum { FILTER_ARGS_MAX = 4 };

static int eval_filter(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    if (node->filter->fn == NULL)
        return eval_default(run, node, out);
    const struct value *values[FILTER_ARGS_MAX + 1];
    ASSERT(node->count <= FILTER_ARGS_MAX + 1);
    for (uint32_t i = 0; i < node->count; i++) {
        int rc = eval(run, node->a[i], &values[i]);
        if (rc < 0)
            return rc;
    }
    int rc = node->filter->fn(run, values[0], values + 1, node->count - 1, out);
    if (rc == ERR_INVALID && run->err != NULL)
        return err_wrap(run->err, rc, "%s", node->filter->help.name);
    return rc;
}

static int eval(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    int rc = expr_spend(run, 1, 0);
    if (rc < 0)
        return rc;
    switch (node->kind) {
    case EXPR_LITERAL:
        *out = node->literal;
        return 0;
    case EXPR_PATH:
        return eval_path(run, node, out);
    case EXPR_MEMBER:
        return eval_member(run, node, out);
    case EXPR_LIST:
        return eval_list(run, node, out);
    case EXPR_MAP:
        return eval_map(run, node, out);
    case EXPR_NEGATE:
        return eval_negate(run, node, out);
    case EXPR_NOT:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_IF:
        return eval_logic(run, node, out);
    case EXPR_FILTER:
        return eval_filter(run, node, out);
    default:
        return eval_two(run, node, out);
    }
}

int expr_eval(const struct expr *expr, const struct expr_scope *scope,
              const struct expr_limits *limits, struct arena *arena, const struct value **out,
              struct err *err)
{
    struct expr_run run = {
        .scope = scope,
        .arena = arena,
        .err = err,
        .steps_left = limits == NULL ? EXPR_STEPS_MAX : limits->steps_max,
        .bytes_left = limits == NULL ? EXPR_BYTES_MADE_MAX : limits->bytes_max,
    };
    if (err != NULL)
        *err = (struct err) { 0 };
    const struct value *value;
    int rc = eval(&run, expr->root, &value);
    if (rc == 0)
        *out = value;
    return rc;
}

/* ---- the scope that reads a map ---- */

static int lookup_in_map(void *owner, const struct expr_part *parts, uint32_t count,
                         struct arena *arena, const struct value **out, uint32_t *out_used,
                         struct err *err)
{
    (void)count;
    (void)arena;
    const struct value *map = owner;
    *out = value_get_str(map, parts[0].name);
    *out_used = 1;
    if (*out != NULL)
        return 0;
    struct suggestion suggestion = suggestion_begin(parts[0].name);
    for (uint32_t i = 0; i < map->count; i++)
        suggestion_offer(&suggestion, map->entries[i].key);
    err_set(err, ERR_NOT_FOUND, "there is no %.*s", STR_ARG(str_slice(parts[0].name, 0, 80)));
    if (suggestion.best.size > 0)
        err_hint(err, "did you mean '%.*s'?", STR_ARG(suggestion.best));
    return ERR_NOT_FOUND;
}

struct expr_scope expr_scope_of(const struct value *map)
{
    ASSERT(map->type == VALUE_MAP);
    return (struct expr_scope) { .owner = (void *)(uintptr_t)map, .lookup = lookup_in_map };
}
