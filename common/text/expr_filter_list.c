// SPDX-License-Identifier: Apache-2.0
/* The filters of numbers, lists and mappings. */
#include "common/base/map.h"
#include "common/text/expr_filter.h"
#include "common/text/json.h"

static int give_int(struct expr_run *run, int64_t integer, const struct value **out)
{
    *out = value_int(run->arena, integer);
    return expr_spend(run, 1, sizeof **out);
}

/* ---- numbers ---- */

static int text_to_number(struct expr_run *run, const struct value *in, double *out)
{
    if (in->type == VALUE_STRING && str_to_real(str_trim(in->string), out) < 0)
        return err_set(run->err, ERR_INVALID, "'%.*s' is not a number",
                       STR_ARG(str_slice(in->string, 0, 60)));
    if (in->type == VALUE_REAL)
        *out = in->real;
    else if (in->type == VALUE_INT)
        *out = (double)in->integer;
    else if (in->type == VALUE_BOOL)
        *out = in->boolean ? 1 : 0;
    else if (in->type != VALUE_STRING)
        return err_set(run->err, ERR_INVALID, "it takes a number or text, not %s",
                       value_type_name(in->type));
    return 0;
}

static int give_whole(struct expr_run *run, double real, const struct value **out)
{
    if (!(real >= -9223372036854775808.0 && real < 9223372036854775808.0))
        return err_set(run->err, ERR_INVALID, "the number does not fit into 64 bits");
    return give_int(run, (int64_t)real, out);
}

FILTER(filter_int)
{
    UNUSED_ARGS();
    int64_t integer;
    double real = 0;
    if (in->type == VALUE_INT) {
        *out = in;
        return 0;
    }
    if (in->type == VALUE_STRING &&
        str_to_int(str_trim(in->string), INT64_MIN, INT64_MAX, &integer) == 0)
        return give_int(run, integer, out);
    int rc = text_to_number(run, in, &real);
    return rc < 0 ? rc : give_whole(run, real, out);
}

FILTER(filter_float)
{
    UNUSED_ARGS();
    double real = 0;
    int rc = text_to_number(run, in, &real);
    return rc < 0 ? rc : expr_give_real(run, real, out);
}

FILTER(filter_abs)
{
    UNUSED_ARGS();
    if (!expr_is_number(in))
        return err_set(run->err, ERR_INVALID, "it takes a number, not %s",
                       value_type_name(in->type));
    if (in->type == VALUE_REAL)
        return expr_give_real(run, __builtin_fabs(in->real), out);
    if (in->integer == INT64_MIN)
        return err_set(run->err, ERR_INVALID, "the number does not fit into 64 bits");
    return give_int(run, in->integer < 0 ? -in->integer : in->integer, out);
}

FILTER(filter_round)
{
    if (!expr_is_number(in))
        return err_set(run->err, ERR_INVALID, "it takes a number, not %s",
                       value_type_name(in->type));
    if (count > 0 && (args[0]->type != VALUE_INT || args[0]->integer < 0 || args[0]->integer > 15))
        return err_set(run->err, ERR_INVALID, "the number of digits must be 0 to 15");
    if (in->type == VALUE_INT) {
        *out = in;
        return 0;
    }
    if (count == 0 || args[0]->integer == 0)
        return give_whole(run, __builtin_round(in->real), out);
    /* Through decimal text, so that 2.675 with two digits gives what its digits say, as far as a
     * double can. */
    char text[400];
    snprintf(text, sizeof text, "%.*f", (int)args[0]->integer, in->real);
    return expr_give_real(run, strtod(text, NULL), out);
}

/* ---- lists and maps ---- */

FILTER(filter_length)
{
    UNUSED_ARGS();
    if (in->type == VALUE_LIST || in->type == VALUE_MAP)
        return give_int(run, in->count, out);
    int rc = filter_want(run, in, VALUE_STRING);
    if (rc < 0)
        return rc;
    int64_t characters = 0;
    for (size_t i = 0; i < in->string.size; i++)
        characters += ((unsigned char)in->string.bytes[i] & 0xC0) != 0x80;
    rc = expr_spend(run, in->string.size / 64, 0);
    return rc < 0 ? rc : give_int(run, characters, out);
}

static int end_of(struct expr_run *run, const struct value *in, bool last, const struct value **out)
{
    int rc = filter_want(run, in, VALUE_LIST);
    if (rc < 0)
        return rc;
    if (in->count == 0)
        return err_set(run->err, ERR_NOT_FOUND, "an empty list has no %s element",
                       last ? "last" : "first");
    *out = in->items[last ? in->count - 1 : 0];
    return 0;
}

FILTER(filter_first)
{
    UNUSED_ARGS();
    return end_of(run, in, false, out);
}

FILTER(filter_last)
{
    UNUSED_ARGS();
    return end_of(run, in, true, out);
}

/* All numbers or all text, so that any two can be ordered. */
static int check_sortable(struct expr_run *run, const struct value *list)
{
    int rc = filter_want(run, list, VALUE_LIST);
    for (uint32_t i = 0; rc == 0 && i < list->count; i++) {
        const struct value *item = list->items[i];
        bool same = expr_is_number(item)
                        ? expr_is_number(list->items[0])
                        : item->type == VALUE_STRING && list->items[0]->type == VALUE_STRING;
        if (!same)
            rc = err_set(run->err, ERR_INVALID,
                         "the elements must be all numbers or all text; number %u is %s", i,
                         value_type_name(item->type));
    }
    return rc;
}

struct sort_item {
    const struct value *value;
    uint32_t place; /* equal ones keep their order */
};

static int by_value(const void *a, const void *b)
{
    const struct sort_item *left = a, *right = b;
    int order = expr_compare(left->value, right->value);
    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

FILTER(filter_sort)
{
    UNUSED_ARGS();
    struct value *list;
    int rc = check_sortable(run, in);
    if (rc == 0)
        rc = expr_spend(run, in->count * 20ULL, in->count * sizeof(struct sort_item));
    if (rc == 0)
        rc = filter_new_list(run, in->count, &list);
    if (rc < 0)
        return rc;
    struct sort_item *items = ARENA_ARRAY(run->arena, struct sort_item, in->count);
    for (uint32_t i = 0; i < in->count; i++)
        items[i] = (struct sort_item) { in->items[i], i };
    qsort(items, in->count, sizeof *items, by_value);
    for (uint32_t i = 0; i < in->count; i++)
        value_add(run->arena, list, items[i].value);
    *out = list;
    return 0;
}

FILTER(filter_unique)
{
    UNUSED_ARGS();
    struct value *list;
    int rc = filter_want(run, in, VALUE_LIST);
    if (rc == 0)
        rc = filter_new_list(run, in->count, &list);
    if (rc < 0)
        return rc;
    struct map seen;
    map_init(&seen);
    for (uint32_t i = 0; rc == 0 && i < in->count; i++) {
        struct str text = json_text(run->arena, in->items[i]);
        rc = expr_spend(run, 1 + text.size / 16, text.size * 2);
        if (rc < 0 || map_get_str(&seen, text, NULL))
            continue;
        map_put_str(&seen, text, 1);
        value_add(run->arena, list, in->items[i]);
    }
    map_clear(&seen);
    *out = list;
    return rc;
}

FILTER(filter_keys)
{
    UNUSED_ARGS();
    struct value *list;
    int rc = filter_want(run, in, VALUE_MAP);
    if (rc == 0)
        rc = filter_new_list(run, in->count, &list);
    for (uint32_t i = 0; rc == 0 && i < in->count; i++) {
        const struct value *key;
        rc = expr_give_text(run, in->entries[i].key, &key);
        if (rc == 0)
            value_add(run->arena, list, key);
    }
    if (rc == 0)
        *out = list;
    return rc;
}

FILTER(filter_values)
{
    UNUSED_ARGS();
    struct value *list;
    int rc = filter_want(run, in, VALUE_MAP);
    if (rc == 0)
        rc = filter_new_list(run, in->count, &list);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < in->count; i++)
        value_add(run->arena, list, in->entries[i].value);
    *out = list;
    return 0;
}

static int extreme(struct expr_run *run, const struct value *in, int sign, const struct value **out)
{
    int rc = check_sortable(run, in);
    if (rc == 0)
        rc = expr_spend(run, in->count, 0);
    if (rc < 0)
        return rc;
    if (in->count == 0)
        return err_set(run->err, ERR_NOT_FOUND, "an empty list has no %s",
                       sign < 0 ? "smallest element" : "largest element");
    *out = in->items[0];
    for (uint32_t i = 1; i < in->count; i++)
        if (expr_compare(in->items[i], *out) * sign > 0)
            *out = in->items[i];
    return 0;
}

FILTER(filter_min)
{
    UNUSED_ARGS();
    return extreme(run, in, -1, out);
}

FILTER(filter_max)
{
    UNUSED_ARGS();
    return extreme(run, in, 1, out);
}

FILTER(filter_sum)
{
    UNUSED_ARGS();
    int rc = filter_want(run, in, VALUE_LIST);
    if (rc == 0)
        rc = expr_spend(run, in->count, 0);
    int64_t whole = 0;
    double real = 0;
    bool is_real = false;
    for (uint32_t i = 0; rc == 0 && i < in->count; i++) {
        const struct value *item = in->items[i];
        if (!expr_is_number(item))
            return err_set(run->err, ERR_INVALID, "the elements must be numbers; number %u is %s",
                           i, value_type_name(item->type));
        real += item->type == VALUE_REAL ? item->real : (double)item->integer;
        is_real = is_real || item->type == VALUE_REAL;
        if (item->type == VALUE_INT && __builtin_add_overflow(whole, item->integer, &whole))
            return err_set(run->err, ERR_INVALID, "the result does not fit into 64 bits");
    }
    if (rc < 0)
        return rc;
    return is_real ? expr_give_real(run, real, out) : give_int(run, whole, out);
}
