// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/text/expr_tree.h"
#include "common/text/suggest.h"

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
        int rc = expr_eval_node(run, node->part_nodes[i], &value);
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

int expr_eval_path(struct expr_run *run, const struct expr_node *node, const struct value **out)
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

int expr_eval_member(struct expr_run *run, const struct expr_node *node, const struct value **out)
{
    const struct expr_part *parts;
    int rc = expr_eval_node(run, node->a[0], out);
    if (rc == 0)
        rc = resolve_parts(run, node, &parts);
    return rc < 0 ? rc : follow(run, parts, 0, node->part_count, out);
}
