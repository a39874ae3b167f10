// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/text/base64.h"
#include "common/text/expr_filter.h"
#include "common/text/json.h"
#include "common/text/suggest.h"

/* ---- checks and results ---- */

int filter_want(struct expr_run *run, const struct value *value, enum value_type type)
{
    if (value->type == type)
        return 0;
    return err_set(run->err, ERR_INVALID, "it takes %s, not %s", value_type_name(type),
                   value_type_name(value->type));
}

int filter_give_buf(struct expr_run *run, struct buf *buf, const struct value **out)
{
    int rc = expr_spend(run, 1 + buf->size / 64, 0);
    if (rc == 0 && buf->size <= run->bytes_left)
        rc = expr_give_text(run, str_copy(run->arena, buf_str(buf)), out);
    else if (rc == 0)
        rc = expr_spend(run, 0, buf->size);
    buf_clear(buf);
    return rc;
}

int filter_new_list(struct expr_run *run, uint64_t count, struct value **out)
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
    return filter_give_buf(run, &buf, out);
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
        return filter_give_buf(run, &buf, out);
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
    return filter_give_buf(run, &buf, out);
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
    int rc = filter_want(run, in, VALUE_STRING);
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
    if (filter_want(run, in, VALUE_STRING) < 0 ||
        (count > 0 && filter_want(run, args[0], VALUE_STRING) < 0))
        return ERR_INVALID;
    struct str separator = count > 0 ? args[0]->string : STR(" ");
    if (separator.size == 0)
        return err_set(run->err, ERR_INVALID, "the separator is empty");
    struct value *list;
    struct str text = in->string;
    int rc = filter_new_list(run, 0, &list);
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
    int rc = filter_want(run, in, VALUE_LIST);
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
        return filter_give_buf(run, &buf, out);
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

/* ---- the table ---- */

static const struct expr_filter filters[] = {
#define FILTER_ROW(n, u, h, min, max, f)                                                           \
    { .help.name = #n, .help.usage = u, .help.help = h, .args_min = min, .args_max = max, .fn = f },
#include "common/text/expr_filters.def"
#undef FILTER_ROW
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
