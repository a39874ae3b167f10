// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/text/base64.h"
#include "common/text/expr_tree.h"
#include "common/text/json.h"
#include "common/text/suggest.h"

/* ---- checks and results ---- */

static int want(struct expr_run *run, const struct value *value, enum value_type type)
{
    if (value->type == type)
        return 0;
    return err_set(run->err, ERR_INVALID, "it takes %s, not %s", value_type_name(type),
                   value_type_name(value->type));
}

static int give_int(struct expr_run *run, int64_t integer, const struct value **out)
{
    *out = value_int(run->arena, integer);
    return expr_spend(run, 1, sizeof **out);
}

static int give_real(struct expr_run *run, double real, const struct value **out)
{
    if (__builtin_isnan(real) || __builtin_isinf(real))
        return err_set(run->err, ERR_INVALID, "the result is not a number that can be kept");
    *out = value_real(run->arena, real);
    return expr_spend(run, 1, sizeof **out);
}

/* Charges what stands in `buf` and turns it into a value; `buf` is cleared in any case. */
static int give_buf(struct expr_run *run, struct buf *buf, const struct value **out)
{
    int rc = expr_spend(run, 1 + buf->size / 64, 0);
    if (rc == 0 && buf->size <= run->bytes_left)
        rc = expr_give_text(run, str_copy(run->arena, buf_str(buf)), out);
    else if (rc == 0)
        rc = expr_spend(run, 0, buf->size);
    buf_clear(buf);
    return rc;
}

/* A list with room for `count` items, charged. */
static int new_list(struct expr_run *run, uint64_t count, struct value **out)
{
    int rc = expr_spend(run, count, count * 2 * sizeof(void *) + sizeof(struct value));
    *out = value_list(run->arena);
    return rc;
}

/* ---- text ---- */

static int map_bytes(struct expr_run *run, const struct value *in, char from, char to,
                     const struct value **out)
{
    struct str text;
    int rc = expr_text(run, in, &text);
    if (rc == 0)
        rc = expr_spend(run, 1 + text.size / 64, text.size);
    if (rc < 0)
        return rc;
    struct str copy = str_copy(run->arena, text);
    char *bytes = (char *)(uintptr_t)copy.bytes;
    for (size_t i = 0; i < copy.size; i++)
        if (bytes[i] >= from && bytes[i] <= from + 25)
            bytes[i] = (char)(bytes[i] + (to - from));
    return expr_give_text(run, copy, out);
}

#define FILTER(name)                                                                               \
    static int name(struct expr_run *run, const struct value *in, const struct value *const *args, \
                    uint32_t count, const struct value **out)
#define UNUSED_ARGS() ((void)args, (void)count)

FILTER(filter_upper)
{
    UNUSED_ARGS();
    return map_bytes(run, in, 'a', 'A', out);
}

FILTER(filter_lower)
{
    UNUSED_ARGS();
    return map_bytes(run, in, 'A', 'a', out);
}

FILTER(filter_trim)
{
    UNUSED_ARGS();
    struct str text;
    int rc = expr_text(run, in, &text);
    return rc < 0 ? rc : expr_give_text(run, str_trim(text), out);
}

FILTER(filter_string)
{
    UNUSED_ARGS();
    struct str text;
    int rc = expr_text(run, in, &text);
    return rc < 0 ? rc : expr_give_text(run, text, out);
}

FILTER(filter_replace)
{
    (void)count;
    struct str text, old, new;
    int rc = expr_text(run, in, &text);
    if (rc == 0)
        rc = expr_text(run, args[0], &old);
    if (rc == 0)
        rc = expr_text(run, args[1], &new);
    if (rc < 0)
        return rc;
    if (old.size == 0)
        return err_set(run->err, ERR_INVALID, "the text to be replaced is empty");
    struct buf buf;
    buf_init(&buf);
    const char *at;
    while (buf.size <= run->bytes_left && text.size >= old.size &&
           (at = memmem(text.bytes, text.size, old.bytes, old.size)) != NULL) {
        size_t before = (size_t)(at - text.bytes);
        buf_add(&buf, text.bytes, before);
        buf_add_str(&buf, new);
        text = str_slice(text, before + old.size, text.size);
    }
    buf_add_str(&buf, text);
    return give_buf(run, &buf, out);
}

/* Within '...' a shell changes nothing; the quote itself is written '\''. */
static void quote(struct buf *buf, struct str text)
{
    buf_add_byte(buf, '\'');
    struct str part, rest = text;
    bool first = true;
    while (str_split(&rest, '\'', &part)) {
        if (!first)
            buf_add_cstr(buf, "'\\''");
        buf_add_str(buf, part);
        first = false;
    }
    buf_add_byte(buf, '\'');
}

FILTER(filter_sh)
{
    UNUSED_ARGS();
    struct buf buf;
    buf_init(&buf);
    uint32_t items = in->type == VALUE_LIST ? in->count : 1;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < items && buf.size <= run->bytes_left; i++) {
        struct str text;
        rc = expr_text(run, in->type == VALUE_LIST ? in->items[i] : in, &text);
        if (rc == 0 && i > 0)
            buf_add_byte(&buf, ' ');
        if (rc == 0)
            quote(&buf, text);
    }
    if (rc == 0)
        return give_buf(run, &buf, out);
    buf_clear(&buf);
    return rc;
}

FILTER(filter_urlencode)
{
    UNUSED_ARGS();
    static const char hex[] = "0123456789ABCDEF";
    struct str text;
    int rc = expr_text(run, in, &text);
    if (rc < 0)
        return rc;
    struct buf buf;
    buf_init(&buf);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            buf_add_byte(&buf, (char)c);
        } else {
            buf_add_byte(&buf, '%');
            buf_add_byte(&buf, hex[c >> 4]);
            buf_add_byte(&buf, hex[c & 15]);
        }
    }
    return give_buf(run, &buf, out);
}

FILTER(filter_b64encode)
{
    UNUSED_ARGS();
    struct str text;
    int rc = expr_text(run, in, &text);
    if (rc == 0)
        rc = expr_spend(run, 1 + text.size / 64, text.size);
    return rc < 0 ? rc : expr_give_text(run, base64_encode(run->arena, text), out);
}

FILTER(filter_b64decode)
{
    UNUSED_ARGS();
    struct str text;
    int rc = want(run, in, VALUE_STRING);
    if (rc < 0)
        return rc;
    if (base64_decode(run->arena, in->string, &text) < 0)
        return err_set(run->err, ERR_INVALID, "this is not base64");
    if (!str_is_utf8(text))
        return err_set(run->err, ERR_INVALID, "the bytes inside are not UTF-8 text");
    return expr_give_text(run, text, out);
}

FILTER(filter_split)
{
    if (want(run, in, VALUE_STRING) < 0 || (count > 0 && want(run, args[0], VALUE_STRING) < 0))
        return ERR_INVALID;
    struct str separator = count > 0 ? args[0]->string : STR(" ");
    if (separator.size == 0)
        return err_set(run->err, ERR_INVALID, "the separator is empty");
    struct value *list;
    struct str text = in->string;
    int rc = new_list(run, 0, &list);
    for (bool more = true; rc == 0 && more;) {
        const char *at = text.size < separator.size
                             ? NULL
                             : memmem(text.bytes, text.size, separator.bytes, separator.size);
        more = at != NULL;
        struct str part = str_slice(text, 0, more ? (size_t)(at - text.bytes) : text.size);
        text = str_slice(text, more ? part.size + separator.size : text.size, text.size);
        if (part.size == 0 && count == 0) /* runs of blanks separate once */
            continue;
        const struct value *item;
        rc = expr_spend(run, 1, 2 * sizeof item);
        if (rc == 0)
            rc = expr_give_text(run, part, &item);
        if (rc == 0)
            value_add(run->arena, list, item);
    }
    *out = list;
    return rc;
}

FILTER(filter_join)
{
    struct str separator = STR_EMPTY;
    int rc = want(run, in, VALUE_LIST);
    if (rc == 0 && count > 0)
        rc = expr_text(run, args[0], &separator);
    struct buf buf;
    buf_init(&buf);
    for (uint32_t i = 0; rc == 0 && i < in->count && buf.size <= run->bytes_left; i++) {
        struct str text;
        rc = expr_spend(run, 1, 0);
        if (rc == 0)
            rc = expr_text(run, in->items[i], &text);
        if (rc == 0 && i > 0)
            buf_add_str(&buf, separator);
        if (rc == 0)
            buf_add_str(&buf, text);
    }
    if (rc == 0)
        return give_buf(run, &buf, out);
    buf_clear(&buf);
    return rc;
}

/* ---- JSON ---- */

FILTER(filter_tojson)
{
    UNUSED_ARGS();
    return expr_give_text(run, json_text(run->arena, in), out);
}

FILTER(filter_fromjson)
{
    UNUSED_ARGS();
    /* What a task printed as JSON arrives parsed already; to ask for it again does no harm. */
    if (in->type != VALUE_STRING) {
        *out = in;
        return 0;
    }
    int rc = expr_spend(run, 1 + in->string.size / 8, in->string.size * 4);
    return rc < 0 ? rc : json_parse(run->arena, in->string, NULL, out, run->err);
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
    return rc < 0 ? rc : give_real(run, real, out);
}

FILTER(filter_abs)
{
    UNUSED_ARGS();
    if (!expr_is_number(in))
        return err_set(run->err, ERR_INVALID, "it takes a number, not %s",
                       value_type_name(in->type));
    if (in->type == VALUE_REAL)
        return give_real(run, __builtin_fabs(in->real), out);
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
    return give_real(run, strtod(text, NULL), out);
}

/* ---- lists and maps ---- */

FILTER(filter_length)
{
    UNUSED_ARGS();
    if (in->type == VALUE_LIST || in->type == VALUE_MAP)
        return give_int(run, in->count, out);
    int rc = want(run, in, VALUE_STRING);
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
    int rc = want(run, in, VALUE_LIST);
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
    int rc = want(run, list, VALUE_LIST);
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
        rc = new_list(run, in->count, &list);
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
    int rc = want(run, in, VALUE_LIST);
    if (rc == 0)
        rc = new_list(run, in->count, &list);
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
    int rc = want(run, in, VALUE_MAP);
    if (rc == 0)
        rc = new_list(run, in->count, &list);
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
    int rc = want(run, in, VALUE_MAP);
    if (rc == 0)
        rc = new_list(run, in->count, &list);
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
    int rc = want(run, in, VALUE_LIST);
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
    return is_real ? give_real(run, real, out) : give_int(run, whole, out);
}

/* ---- the table ---- */

static const struct expr_filter filters[] = {
    {{ "default", "default(value)",
        "the value when what stands before leads nowhere or is null; default(value, true): also "
        "when it is empty, 0 or false" },
     1,                                                                                              2,
     NULL                                                                                                                    },
    { { "tojson", "tojson", "JSON text" },                                                        0, 0, filter_tojson        },
    { { "fromjson", "fromjson", "the value that a JSON text means" },                             0, 0, filter_fromjson      },
    { { "sh", "sh", "quoted for a shell, as one word; a list as several words" },                 0, 0, filter_sh            },
    { { "upper", "upper", "A to Z for a to z" },                                                  0, 0, filter_upper         },
    { { "lower", "lower", "a to z for A to Z" },                                                  0, 0, filter_lower         },
    { { "trim", "trim", "without blanks at both ends" },                                          0, 0, filter_trim          },
    { { "replace", "replace(\"old\", \"new\")", "every occurrence replaced" },
     2,                                                                                              2,
     filter_replace                                                                                                          },
    { { "split", "split(\",\")",
        "the parts between the separators as a list; without argument between blanks" },
     0,                                                                                              1,
     filter_split                                                                                                            },
    { { "join", "join(\", \")", "the elements of a list as one text" },                           0, 1, filter_join          },
    { { "urlencode", "urlencode", "percent-encoded for a URL" },                                  0, 0, filter_urlencode     },
    { { "b64encode", "b64encode", "as base64" },                                                  0, 0, filter_b64encode     },
    { { "b64decode", "b64decode", "from base64" },                                                0, 0, filter_b64decode     },
    { { "string", "string", "as text; lists and mappings as JSON" },                              0, 0, filter_string        },
    { { "int", "int", "as a whole number; fractions are cut off" },                               0, 0, filter_int           },
    { { "float", "float", "as a number with a fraction" },                                        0, 0, filter_float         },
    { { "abs", "abs", "without its sign" },                                                       0, 0, filter_abs           },
    { { "round", "round(2)", "rounded to that many digits; without argument to a whole number" },
     0,                                                                                              1,
     filter_round                                                                                                            },
    { { "length", "length", "how many elements, keys or characters" },                            0, 0, filter_length        },
    { { "first", "first", "the first element of a list" },                                        0, 0, filter_first         },
    { { "last", "last", "the last element of a list" },                                           0, 0, filter_last          },
    { { "sort", "sort", "a list of numbers or texts in rising order" },                           0, 0, filter_sort          },
    { { "unique", "unique", "a list without repetitions" },                                       0, 0, filter_unique        },
    { { "min", "min", "the smallest element of a list" },                                         0, 0, filter_min           },
    { { "max", "max", "the largest element of a list" },                                          0, 0, filter_max           },
    { { "sum", "sum", "the sum of a list of numbers" },                                           0, 0, filter_sum           },
    { { "keys", "keys", "the keys of a mapping as a list" },                                      0, 0, filter_keys          },
    { { "values", "values", "the values of a mapping as a list" },                                0, 0, filter_values        },
    { { "ds_add", "ds_add(7)", "a date, so many days later (negative: earlier), as 2026-01-31" },
     1,                                                                                              1,
     expr_filter_ds_add                                                                                                      },
    { { "strftime", "strftime(\"%Y/%m/%d\")", "a date or time in a format of your own, in UTC" },
     1,                                                                                              1,
     expr_filter_strftime                                                                                                    },
    { { "ds", "ds", "a date or time as 2026-01-31" },                                             0, 0, expr_filter_ds       },
    { { "ds_nodash", "ds_nodash", "a date or time as 20260131" },                                 0, 0, expr_filter_ds_nodash},
    { { "ts", "ts", "a date or time as 2026-01-31T06:00:00+00:00" },                              0, 0, expr_filter_ts       },
    { { "ts_nodash", "ts_nodash", "a date or time as 20260131T060000" },
     0,                                                                                              0,
     expr_filter_ts_nodash                                                                                                   },
};

enum { FILTER_COUNT = sizeof filters / sizeof filters[0] };

const struct expr_filter *expr_filter_find(struct str name, struct str *out_near)
{
    struct suggestion suggestion = suggestion_begin(name);
    *out_near = STR_EMPTY;
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        if (str_is(name, filters[i].help.name))
            return &filters[i];
        suggestion_offer(&suggestion, str_of(filters[i].help.name));
    }
    *out_near = suggestion.best;
    return NULL;
}

const struct expr_filter_help *expr_filters(uint32_t number)
{
    return number < FILTER_COUNT ? &filters[number].help : NULL;
}
