// SPDX-License-Identifier: Apache-2.0
#include "common/text/yaml_parts.h"

static bool is_one_of(struct str text, const char *const words[3])
{
    return str_is(text, words[0]) || str_is(text, words[1]) || str_is(text, words[2]);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct str text, size_t i)
{
    while (i < text.size && is_digit(text.bytes[i]))
        i++;
    return i;
}

static size_t skip_sign(struct str text)
{
    return text.size > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+') ? 1 : 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(struct str text)
{
    size_t i = skip_sign(text), from = i;
    i = skip_digits(text, i);
    size_t digits = i - from;
    if (i < text.size && text.bytes[i] == '.') {
        from = ++i;
        i = skip_digits(text, i);
        digits += i - from;
    }
    if (digits == 0)
        return false;
    if (i < text.size && (text.bytes[i] == 'e' || text.bytes[i] == 'E')) {
        i++;
        if (i < text.size && (text.bytes[i] == '-' || text.bytes[i] == '+'))
            i++;
        from = i;
        i = skip_digits(text, i);
        if (i == from)
            return false;
    }
    return i == text.size;
}

static bool is_decimal(struct str text)
{
    size_t from = skip_sign(text);
    return from < text.size && skip_digits(text, from) == text.size;
}

/* 0o17 and 0x1F; base 0 for anything else. */
static unsigned based(struct str text)
{
    if (text.size < 3 || text.bytes[0] != '0')
        return 0;
    unsigned base = text.bytes[1] == 'o' ? 8 : text.bytes[1] == 'x' ? 16 : 0;
    const char *digits = base == 8 ? "01234567" : "0123456789abcdefABCDEF";
    for (size_t i = 2; i < text.size; i++)
        if (strchr(digits, text.bytes[i]) == NULL || text.bytes[i] == '\0')
            return 0;
    return base;
}

static bool read_based(struct str text, unsigned base, int64_t *out)
{
    int64_t value = 0;
    for (size_t i = 2; i < text.size; i++) {
        char c = text.bytes[i];
        int digit = is_digit(c) ? c - '0' : (c | 32) - 'a' + 10;
        if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

static struct value *read_number(struct arena *arena, struct str text, const char **out_why)
{
    int64_t integer;
    unsigned base = based(text);
    if (base != 0 || is_decimal(text)) {
        bool fits = base != 0 ? read_based(text, base, &integer)
                              : str_to_int(text, INT64_MIN, INT64_MAX, &integer) == 0;
        *out_why = "the number does not fit into 64 bits";
        return fits ? value_int(arena, integer) : NULL;
    }
    double real = strtod(str_cstr(arena, text), NULL);
    *out_why = "the number is too large";
    return __builtin_isinf(real) ? NULL : value_real(arena, real);
}

static bool is_special_real(struct str text)
{
    static const char *const infinite[3] = { ".inf", ".Inf", ".INF" };
    static const char *const not_a_number[3] = { ".nan", ".NaN", ".NAN" };
    return is_one_of(str_slice(text, skip_sign(text), text.size), infinite) ||
           is_one_of(text, not_a_number);
}

const struct value *yaml_scalar(struct arena *arena, struct str text, const char **out_why)
{
    static const char *const nulls[3] = { "null", "Null", "NULL" };
    static const char *const trues[3] = { "true", "True", "TRUE" };
    static const char *const falses[3] = { "false", "False", "FALSE" };
    struct value *value;
    if (text.size == 0 || str_is(text, "~") || is_one_of(text, nulls))
        value = value_null(arena);
    else if (is_one_of(text, trues) || is_one_of(text, falses))
        value = value_bool(arena, text.bytes[0] == 't' || text.bytes[0] == 'T');
    else if (is_real(text) || based(text) != 0)
        value = read_number(arena, text, out_why);
    else if (is_special_real(text)) {
        *out_why = "infinity and not-a-number cannot be used here";
        return NULL;
    } else
        return value_string(arena, text);
    if (value != NULL)
        value->source = text;
    return value;
}
