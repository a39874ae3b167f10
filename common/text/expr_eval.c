// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/text/expr_tree.h"
#include "common/text/json.h"
#include "common/text/suggest.h"

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

int expr_give(struct expr_run *run, struct value *value, const struct value **out)
{
    *out = value;
    return expr_spend(run, 1, sizeof *value);
}

int expr_give_text(struct expr_run *run, struct str text, const struct value **out)
{
    int rc = expr_spend(run, 1, text.size);
    return rc < 0 ? rc : expr_give(run, value_string(run->arena, text), out);
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

int expr_give_real(struct expr_run *run, double real, const struct value **out)
{
    if (__builtin_isnan(real) || __builtin_isinf(real))
        return err_set(run->err, ERR_INVALID, "the result is not a number that can be kept");
    return expr_give(run, value_real(run->arena, real), out);
}

/* ---- the rest of the tree ---- */

static int eval_logic(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    int rc = expr_eval_node(run, node->a[0], out);
    if (rc < 0)
        return rc;
    bool first = value_is_true(*out);
    switch (node->kind) {
    case EXPR_NOT:
        return expr_give(run, value_bool(run->arena, !first), out);
    case EXPR_AND:
        return first ? expr_eval_node(run, node->a[1], out) : 0;
    case EXPR_OR:
        return first ? 0 : expr_eval_node(run, node->a[1], out);
    default:
        return expr_eval_node(run, node->a[first ? 1 : 2], out);
    }
}

static int eval_list(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    struct value *list = value_list(run->arena);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct value *item;
        int rc = expr_eval_node(run, node->a[i], &item);
        if (rc < 0)
            return rc;
        value_add(run->arena, list, item);
    }
    return expr_give(run, list, out);
}

static int eval_map(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    struct value *map = value_map(run->arena);
    for (uint32_t i = 0; i + 1 < node->count; i += 2) {
        const struct value *key, *item;
        int rc = expr_eval_node(run, node->a[i], &key);
        if (rc == 0)
            rc = expr_eval_node(run, node->a[i + 1], &item);
        if (rc < 0)
            return rc;
        if (key->type != VALUE_STRING)
            return err_set(run->err, ERR_INVALID, "a key must be text, not %s",
                           value_type_name(key->type));
        value_put(run->arena, map, key->string, item);
    }
    return expr_give(run, map, out);
}

/* a | default(b): b when a leads nowhere or is null. a | default(b, true): also when a is empty, 0
 * or false. */
static int eval_default(struct expr_run *run, const struct expr_node *node,
                        const struct value **out)
{
    int rc = expr_eval_node(run, node->a[0], out);
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return rc;
    if (rc == ERR_NOT_FOUND && run->err != NULL)
        *run->err = (struct err) { 0 };
    bool use = rc == ERR_NOT_FOUND || (*out)->type == VALUE_NULL;
    if (!use && node->count == 3 && !value_is_true(*out)) {
        const struct value *also_empty;
        rc = expr_eval_node(run, node->a[2], &also_empty);
        if (rc < 0)
            return rc;
        use = value_is_true(also_empty);
    }
    return use ? expr_eval_node(run, node->a[1], out) : 0;
}

enum { FILTER_ARGS_MAX = 4 };

static int eval_filter(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    if (node->filter->fn == NULL)
        return eval_default(run, node, out);
    const struct value *values[FILTER_ARGS_MAX + 1];
    ASSERT(node->count <= FILTER_ARGS_MAX + 1);
    for (uint32_t i = 0; i < node->count; i++) {
        int rc = expr_eval_node(run, node->a[i], &values[i]);
        if (rc < 0)
            return rc;
    }
    int rc = node->filter->fn(run, values[0], values + 1, node->count - 1, out);
    if (rc == ERR_INVALID && run->err != NULL)
        return err_wrap(run->err, rc, "%s", node->filter->help.name);
    return rc;
}

int expr_eval_node(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    int rc = expr_spend(run, 1, 0);
    if (rc < 0)
        return rc;
    switch (node->kind) {
    case EXPR_LITERAL:
        *out = node->literal;
        return 0;
    case EXPR_PATH:
        return expr_eval_path(run, node, out);
    case EXPR_MEMBER:
        return expr_eval_member(run, node, out);
    case EXPR_LIST:
        return eval_list(run, node, out);
    case EXPR_MAP:
        return eval_map(run, node, out);
    case EXPR_NEGATE:
        return expr_eval_negate(run, node, out);
    case EXPR_NOT:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_IF:
        return eval_logic(run, node, out);
    case EXPR_FILTER:
        return eval_filter(run, node, out);
    default:
        return expr_eval_two(run, node, out);
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
    int rc = expr_eval_node(&run, expr->root, &value);
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
