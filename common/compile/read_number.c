// SPDX-License-Identifier: Apache-2.0
#include "common/compile/reader.h"

#include "common/base/civil.h"
#include "common/text/duration.h"
#include "common/text/size.h"

bool read_whole(const struct reading *reading, const struct value *value, int64_t *out)
{
    const struct key *key = reading->key;
    if (value->type != VALUE_INT) {
        struct str found = shown(reading->compiler, value);
        problem(reading->compiler, PLACE_OF(value), NULL, "%s takes %s, not %.*s", key->name,
                key_type_words(key->type), STR_ARG(found));
        return false;
    }
    if (value->integer < key->min || value->integer > key->max) {
        problem(reading->compiler, PLACE_OF(value), NULL,
                "%s must lie between %lld and %lld; it is %lld", key->name, (long long)key->min,
                (long long)key->max, (long long)value->integer);
        return false;
    }
    *out = value->integer;
    return true;
}

void read_count(struct reading *reading)
{
    int64_t number;
    if (read_whole(reading, reading->value, &number))
        *(uint32_t *)field_of(reading) = (uint32_t)number;
}

void read_number(struct reading *reading)
{
    int64_t number;
    if (!read_whole(reading, reading->value, &number))
        return;
    if (goes_to_args(reading))
        put_value(reading, value_int(&reading->compiler->dag->arena, number));
    else
        *(int32_t *)field_of(reading) = (int32_t)number;
}

bool number_of(const struct value *value, double *out)
{
    if (value->type != VALUE_INT && value->type != VALUE_REAL)
        return false;
    *out = value->type == VALUE_INT ? (double)value->integer : value->real;
    return true;
}

void read_real(struct reading *reading)
{
    double real;
    const struct key *key = reading->key;
    if (!number_of(reading->value, &real))
        refuse_type(reading);
    else if (real < (double)key->min || real > (double)key->max)
        problem(reading->compiler, PLACE_OF(reading->value), NULL,
                "%s must lie between %lld and %lld; it is %g", key->name, (long long)key->min,
                (long long)key->max, real);
    else
        *(double *)field_of(reading) = real;
}

static bool in_range(const struct reading *reading, int64_t amount,
                     struct str (*text)(struct arena *, int64_t))
{
    const struct key *key = reading->key;
    if (amount >= key->min && amount <= key->max)
        return true;
    struct arena *arena = reading->compiler->arena;
    if (amount < key->min)
        problem(reading->compiler, PLACE_OF(reading->value), NULL, "%s must be at least %.*s",
                key->name, STR_ARG(text(arena, key->min)));
    else
        problem(reading->compiler, PLACE_OF(reading->value), NULL, "%s can be at most %.*s",
                key->name, STR_ARG(text(arena, key->max)));
    return false;
}

/* A bare number is seconds, as Airflow's settings have them. */
bool read_duration(const struct reading *reading, int64_t *out)
{
    const struct value *value = reading->value;
    struct err err = { 0 };
    double seconds;
    int64_t ms;
    if (number_of(value, &seconds)) {
        if (seconds < 0 || seconds > 1e12) {
            refuse_type(reading);
            return false;
        }
        ms = (int64_t)(seconds * (double)MS_PER_SECOND + 0.5);
    } else if (value->type != VALUE_STRING) {
        refuse_type(reading);
        return false;
    } else if (duration_parse(value->string, &ms, &err) < 0) {
        problem_err(reading->compiler, PLACE_OF(value), reading->key->name, &err);
        return false;
    }
    if (!in_range(reading, ms, duration_text))
        return false;
    *out = ms;
    return true;
}

void read_duration_key(struct reading *reading)
{
    int64_t ms;
    if (!read_duration(reading, &ms))
        return;
    if (!goes_to_args(reading)) {
        *(int64_t *)field_of(reading) = ms;
        return;
    }
    struct arena *arena = &reading->compiler->dag->arena;
    value_put(arena, reading->args, str_format(arena, "%s_ms", reading->key->name),
              value_int(arena, ms));
}

void read_size(struct reading *reading)
{
    struct str text;
    struct err err = { 0 };
    int64_t bytes;
    if (!scalar_text(reading->value, &text) || reading->value->type == VALUE_BOOL)
        refuse_type(reading);
    else if (size_parse(text, &bytes, &err) < 0)
        problem_err(reading->compiler, PLACE_OF(reading->value), reading->key->name, &err);
    else if (in_range(reading, bytes, size_text))
        *(int64_t *)field_of(reading) = bytes;
}

/* Processors in thousandths: 0.5, 2, or 500m. */
void read_cpu(struct reading *reading)
{
    const struct value *value = reading->value;
    double cpus = 0;
    bool fits = number_of(value, &cpus);
    if (value->type == VALUE_STRING && str_ends(value->string, "m")) {
        int64_t milli;
        fits = str_to_int(str_slice(value->string, 0, value->string.size - 1), 0, INT32_MAX,
                          &milli) == 0;
        cpus = fits ? (double)milli / 1000 : 0;
    }
    double milli = cpus * 1000;
    if (!fits || milli < (double)reading->key->min || milli > (double)reading->key->max)
        refuse_type(reading);
    else
        *(int32_t *)field_of(reading) = (int32_t)(milli + 0.5);
}

/* ---- lists of numbers ---- */

/* Exit codes and names of errors; a single one may stand alone. */
void read_codes(struct reading *reading)
{
    struct arena *arena = &reading->compiler->dag->arena;
    const struct value *from = reading->value;
    struct value *list = value_list(arena);
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct value *item = from->type == VALUE_LIST ? from->items[i] : from;
        bool code = item->type == VALUE_INT && item->integer >= -64 && item->integer <= 255;
        bool name = item->type == VALUE_STRING && item->string.size > 0;
        if (!code && !name) {
            problem(reading->compiler, PLACE_OF(item),
                    "write exit codes (0 to 255; a signal is negative) or names such as ValueError",
                    "%s takes exit codes and error names, not %.*s", reading->key->name,
                    STR_ARG(shown(reading->compiler, item)));
            return;
        }
        value_add(arena, list, keep_value(reading->compiler, item));
    }
    put_value(reading, list);
}

void read_statuses(struct reading *reading)
{
    struct arena *arena = &reading->compiler->dag->arena;
    const struct value *from = reading->value;
    struct value *list = value_list(arena);
    uint32_t count = from->type == VALUE_LIST ? from->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t status;
        if (!read_whole(reading, from->type == VALUE_LIST ? from->items[i] : from, &status))
            return;
        value_add(arena, list, value_int(arena, status));
    }
    put_value(reading, list);
}

/* A count of instances, or "5%". */
void read_tolerance(struct reading *reading)
{
    struct task *task = reading->record;
    const struct value *value = reading->value;
    double percent;
    if (value->type == VALUE_INT && value->integer >= 0 && value->integer <= UINT32_MAX)
        task->tolerate_failures.count = (uint32_t)value->integer;
    else if (value->type == VALUE_STRING && str_ends(value->string, "%") &&
             str_to_real(str_slice(value->string, 0, value->string.size - 1), &percent) == 0 &&
             percent >= 0 && percent <= 100)
        task->tolerate_failures.percent = percent;
    else
        refuse_type(reading);
}
