// SPDX-License-Identifier: Apache-2.0
#include "common/text/duration.h"

#include "common/base/civil.h"

/* Largest first: a text must name them in this order. */
static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {
    { "w", 7 * MS_PER_DAY }, { "d", MS_PER_DAY },    { "h", MS_PER_HOUR },
    { "m", MS_PER_MINUTE },  { "s", MS_PER_SECOND }, { "ms", 1 },
};

enum { UNIT_COUNT = sizeof units / sizeof units[0] };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int refuse(struct err *err, struct str text, const char *why)
{
    err_set(err, ERR_INVALID, "'%.*s' is not a duration: %s", STR_ARG(str_slice(text, 0, 60)), why);
    err_hint(err, "write a number with a unit, such as 10s, 5m, 1h30m, 250ms or 7d");
    return ERR_INVALID;
}

/* Takes "12" or "1.5" off the front of *rest; the fraction is in millionths. */
static bool take_number(struct str *rest, int64_t *whole, int64_t *millionths)
{
    size_t i = 0;
    *whole = *millionths = 0;
    while (i < rest->size && is_digit(rest->bytes[i])) {
        if (__builtin_mul_overflow(*whole, 10, whole) ||
            __builtin_add_overflow(*whole, rest->bytes[i] - '0', whole))
            return false;
        i++;
    }
    if (i == 0)
        return false;
    if (i < rest->size && rest->bytes[i] == '.') {
        size_t digits = 0;
        int64_t place = 100000;
        for (i++; i < rest->size && is_digit(rest->bytes[i]); i++, digits++, place /= 10)
            *millionths += (rest->bytes[i] - '0') * place;
        if (digits == 0)
            return false;
    }
    *rest = str_slice(*rest, i, rest->size);
    return true;
}

static bool add_amount(int64_t *total, int64_t whole, int64_t millionths, int64_t unit_ms)
{
    int64_t ms;
    if (__builtin_mul_overflow(whole, unit_ms, &ms) || __builtin_add_overflow(*total, ms, total))
        return false;
    return !__builtin_add_overflow(*total, millionths * unit_ms / 1000000, total);
}

static int find_unit(struct str name)
{
    for (int i = 0; i < UNIT_COUNT; i++)
        if (str_is(name, units[i].name))
            return i;
    return -1;
}

static struct str take_letters(struct str *rest)
{
    size_t i = 0;
    while (i < rest->size && is_letter(rest->bytes[i]))
        i++;
    struct str name = str_slice(*rest, 0, i);
    *rest = str_slice(*rest, i, rest->size);
    return name;
}

static int parse_short(struct str text, int64_t *out_ms, struct err *err)
{
    struct str rest = text;
    int64_t total = 0;
    int last = -1;
    while (rest.size > 0) {
        int64_t whole, millionths;
        if (!take_number(&rest, &whole, &millionths))
            return refuse(err, text, "a number is missing or too large");
        struct str name = take_letters(&rest);
        int unit = find_unit(name);
        if (name.size == 0)
            return refuse(err, text, "the unit is missing");
        if (unit < 0)
            return refuse(err, text, "the units are w, d, h, m, s and ms");
        if (unit <= last)
            return refuse(err, text, "larger units come first, each once");
        if (!add_amount(&total, whole, millionths, units[unit].ms))
            return refuse(err, text, "it is too long");
        last = unit;
    }
    *out_ms = total;
    return 0;
}

/* The unit that a letter of ISO 8601 stands for, or -1; M is minutes behind the T, months (no unit)
 * before it. */
static int iso_unit(char letter, bool in_time)
{
    static const char date_letters[] = "WD", time_letters[] = "HMS";
    const char *at = letter == '\0' ? NULL : strchr(in_time ? time_letters : date_letters, letter);
    if (at == NULL)
        return -1;
    return in_time ? (int)(at - time_letters) + 2 : (int)(at - date_letters);
}

/* P[nW][nD][T[nH][nM][nS]] */
static int parse_iso(struct str text, int64_t *out_ms, struct err *err)
{
    struct str rest = str_slice(text, 1, text.size);
    int64_t total = 0;
    int last = -1;
    bool in_time = false;
    do {
        if (!in_time && rest.size > 0 && rest.bytes[0] == 'T') {
            in_time = true;
            rest = str_slice(rest, 1, rest.size);
        }
        int64_t whole, millionths;
        if (!take_number(&rest, &whole, &millionths) || rest.size == 0)
            return refuse(err, text, "it does not follow ISO 8601 (PT10S, P1DT2H30M)");
        char letter = rest.bytes[0];
        rest = str_slice(rest, 1, rest.size);
        if (letter == 'Y' || (letter == 'M' && !in_time))
            return refuse(err, text, "months and years have no fixed length");
        int unit = iso_unit(letter, in_time);
        if (unit <= last)
            return refuse(err, text, "it does not follow ISO 8601 (PT10S, P1DT2H30M)");
        if (!add_amount(&total, whole, millionths, units[unit].ms))
            return refuse(err, text, "it is too long");
        last = unit;
    } while (rest.size > 0);
    *out_ms = total;
    return 0;
}

int duration_parse(struct str text, int64_t *out_ms, struct err *err)
{
    text = str_trim(text);
    if (text.size == 0)
        return refuse(err, text, "it is empty");
    if (str_is(text, "0")) {
        *out_ms = 0;
        return 0;
    }
    if (text.bytes[0] == '-')
        return refuse(err, text, "it is negative");
    return text.bytes[0] == 'P' ? parse_iso(text, out_ms, err) : parse_short(text, out_ms, err);
}

struct str duration_text(struct arena *arena, int64_t ms)
{
    char text[160];
    size_t size = 0;
    for (int i = 1; i < UNIT_COUNT; i++) { /* from days: 14d reads better than 2w */
        int64_t amount = ms / units[i].ms;
        if (amount == 0)
            continue;
        size += (size_t)snprintf(text + size, sizeof text - size, "%lld%s", (long long)amount,
                                 units[i].name);
        ms -= amount * units[i].ms;
    }
    if (size == 0)
        return STR("0s");
    return str_copy(arena, (struct str) { text, size });
}
