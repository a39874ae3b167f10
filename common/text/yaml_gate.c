// SPDX-License-Identifier: Apache-2.0
#include "common/text/yaml_parts.h"

static void place(struct str text, size_t offset, struct yaml_problem *out)
{
    out->line = out->column = 1;
    for (size_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c == '\n') {
            out->line++;
            out->column = 1;
        } else if ((c & 0xC0) != 0x80) {
            out->column++;
        }
    }
}

/* The size of the valid sequence at `i`, or 0. */
static size_t utf8_at(struct str text, size_t i)
{
    for (size_t size = 1; size <= 4 && size <= text.size - i; size++)
        if (str_is_utf8(str_slice(text, i, i + size)))
            return size;
    return 0;
}

static size_t first_foreign(struct str text)
{
    size_t i = 0;
    while (i < text.size) {
        size_t size = (unsigned char)text.bytes[i] < 0x80 ? 1 : utf8_at(text, i);
        if (size == 0)
            return i;
        i += size;
    }
    return i;
}

/* Where the first control byte stands that YAML does not allow; the text's size if there is none.
 */
static size_t first_control(struct str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
            return i;
    }
    return text.size;
}

bool yaml_gate(struct arena *arena, struct str text, size_t bytes_max, struct yaml_problem *out)
{
    *out = (struct yaml_problem) { 0 };
    if (text.size > bytes_max) {
        out->sentence =
            str_format(arena, "the file has %zu bytes; %zu are allowed", text.size, bytes_max);
        out->advice = STR("split it into several files");
        return false;
    }
    if (!str_is_utf8(text)) {
        size_t at = first_foreign(text);
        place(text, at, out);
        out->sentence =
            str_format(arena, "byte 0x%02X is not UTF-8 text", (unsigned char)text.bytes[at]);
        out->advice = STR("save the file as UTF-8");
        return false;
    }
    size_t at = first_control(text);
    if (at == text.size)
        return true;
    place(text, at, out);
    out->sentence =
        str_format(arena, "control character 0x%02X is not allowed", (unsigned char)text.bytes[at]);
    out->advice =
        text.bytes[at] == '\0'
            ? STR("is this a text file? remove the character")
            : STR("remove it, or write it as an escape such as \"\\x1b\" in double quotes");
    return false;
}
