// SPDX-License-Identifier: Apache-2.0
#include "common/text/size.h"

static const struct unit {
    const char *name;
    int64_t bytes;
} units[] = {
    { "", 1 },           { "k", 1000 },          { "K", 1000 },       { "M", 1000000 },
    { "G", 1000000000 }, { "T", 1000000000000 }, { "Ki", 1LL << 10 }, { "Mi", 1LL << 20 },
    { "Gi", 1LL << 30 }, { "Ti", 1LL << 40 },
};

enum { UNIT_COUNT = sizeof units / sizeof units[0], FIRST_BINARY = 6 };

static int refuse(struct err *err, struct str text, const char *why)
{
    err_set(err, ERR_INVALID, "'%.*s' is not a size: %s", STR_ARG(str_slice(text, 0, 60)), why);
    err_hint(err, "write a number with a unit, such as 512Mi, 2G or 64k, or plain bytes");
    return ERR_INVALID;
}

static const struct unit *find_unit(struct str name)
{
    if (name.size > 0 && name.bytes[name.size - 1] == 'B')
        name.size--;
    for (int i = 0; i < UNIT_COUNT; i++)
        if (str_is(name, units[i].name))
            return &units[i];
    return NULL;
}

int size_parse(struct str text, int64_t *out_bytes, struct err *err)
{
    text = str_trim(text);
    size_t digits = 0;
    while (digits < text.size &&
           (text.bytes[digits] == '.' || (text.bytes[digits] >= '0' && text.bytes[digits] <= '9')))
        digits++;
    struct str number = str_slice(text, 0, digits);
    const struct unit *unit = find_unit(str_trim(str_slice(text, digits, text.size)));
    if (digits == 0)
        return refuse(err, text, "it does not begin with a number");
    if (unit == NULL)
        return refuse(err, text,
                      "the units are k M G T (powers of 1000) and Ki Mi Gi Ti (of 1024)");

    int64_t whole;
    if (str_to_int(number, 0, INT64_MAX, &whole) == 0) {
        if (__builtin_mul_overflow(whole, unit->bytes, out_bytes))
            return refuse(err, text, "it is too large");
        return 0;
    }
    double real;
    if (str_to_real(number, &real) < 0)
        return refuse(err, text, "the number cannot be read");
    real *= (double)unit->bytes;
    if (real >= 9223372036854775808.0)
        return refuse(err, text, "it is too large");
    *out_bytes = (int64_t)real;
    return 0;
}

struct str size_text(struct arena *arena, int64_t bytes)
{
    const struct unit *best = &units[0];
    for (int i = FIRST_BINARY; i < UNIT_COUNT; i++)
        if (bytes != 0 && bytes % units[i].bytes == 0)
            best = &units[i];
    return str_format(arena, "%lld%s", (long long)(bytes / best->bytes), best->name);
}
