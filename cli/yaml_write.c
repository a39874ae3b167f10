// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"
#include "common/text/json.h"

/* Text that YAML would read back as the same text without quotes; anything doubtful is written as
 * JSON, which is YAML too. */
static bool is_plain(struct str text)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no",
                                         "on",   "off",  "~",     "y",   "n" };
    int64_t number;
    double real;

    if (text.size == 0 || str_to_int(text, INT64_MIN, INT64_MAX, &number) == 0 ||
        str_to_real(text, &real) == 0)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(text, words[i]))
            return false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.bytes[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');

        if (!is_letter && byte != '_' && (i == 0 || strchr("0123456789 -./@", byte) == NULL))
            return false;
    }
    return text.bytes[text.size - 1] != ' ';
}

static void write_text(struct buf *buf, struct str text)
{
    if (is_plain(text))
        buf_add_str(buf, text);
    else
        json_write_string(buf, text);
}

static bool is_block(const struct value *value)
{
    return (value->type == VALUE_LIST || value->type == VALUE_MAP) && value->count > 0;
}

static void write_scalar(struct buf *buf, const struct value *value)
{
    if (value->type == VALUE_STRING)
        write_text(buf, value->string);
    else
        json_write(buf, value);
    buf_add_byte(buf, '\n');
}

static void write_indent(struct buf *buf, uint32_t indent)
{
    for (uint32_t i = 0; i < indent; i++)
        buf_add_cstr(buf, "  ");
}

/* The first line of a block inside a list item stands behind the dash: then `is_inline`. */
static void write_block(struct buf *buf, const struct value *value, uint32_t indent, bool is_inline)
{
    if (!is_block(value)) {
        write_scalar(buf, value);
        return;
    }
    for (uint32_t i = 0; i < value->count; i++) {
        if (!is_inline || i > 0)
            write_indent(buf, indent);
        if (value->type == VALUE_LIST) {
            buf_add_cstr(buf, "- ");
            write_block(buf, value->items[i], indent + 1, true);
            continue;
        }
        const struct value *item = value->entries[i].value;
        write_text(buf, value->entries[i].key);
        buf_add_cstr(buf, is_block(item) ? ":\n" : ": ");
        write_block(buf, item, indent + 1, false);
    }
}

void yaml_write(struct buf *buf, const struct value *value, uint32_t indent)
{
    write_block(buf, value, indent, false);
}
