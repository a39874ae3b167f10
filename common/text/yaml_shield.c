// SPDX-License-Identifier: Apache-2.0
/* Templates in unquoted text: {bash: echo {{ ds }}} and list: {{ xcom.files }} are no YAML, yet
 * everybody writes them. A file that cannot be read is read once more with every sign inside of
 * such braces replaced by a stand-in that means nothing to YAML: one character for one, so that
 * places stay. */
#include "common/text/yaml_parts.h"

/* The stand-in of signs[i] is U+E100 + i, from the private use area. */
static const char signs[] = "{}[],:\"'#&*!|>%@`\\?-";

enum { FIRST = 0xE100, SIGNS_COUNT = sizeof signs - 1 };

static bool is_stand_in(const char *at, size_t left)
{
    return left >= 3 && (unsigned char)at[0] == 0xEE && (unsigned char)at[1] == 0x84 &&
           ((unsigned char)at[2] & 0x3F) < SIGNS_COUNT;
}

static void put_stand_in(struct buf *out, size_t sign)
{
    uint32_t c = FIRST + (uint32_t)sign;
    char bytes[3] = { (char)(0xE0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3F)),
                      (char)(0x80 | (c & 0x3F)) };
    buf_add(out, bytes, sizeof bytes);
}

/* The offset behind the }} that closes the braces at `from` on the same line, or 0. */
static size_t end_of_braces(struct str line, size_t from)
{
    size_t depth = 0;
    for (size_t i = from + 2; i < line.size; i++) {
        if (line.bytes[i] == '{') {
            depth++;
        } else if (line.bytes[i] == '}') {
            if (depth == 0)
                return i + 1 < line.size && line.bytes[i + 1] == '}' ? i + 2 : 0;
            depth--;
        }
    }
    return 0;
}

/* The offset behind the quoted text that begins at `from`, or the line's end. */
static size_t end_of_quote(struct str line, size_t from)
{
    char quote = line.bytes[from];
    for (size_t i = from + 1; i < line.size; i++) {
        if (quote == '"' && line.bytes[i] == '\\')
            i++;
        else if (line.bytes[i] == quote)
            return i + 1;
    }
    return line.size;
}

/* Adds one line to `out`; true when something was replaced. A quote opens quoted text only where a
 * value may begin. */
static bool shield_line(struct str line, struct buf *out)
{
    bool changed = false, begin = true;
    for (size_t i = 0; i < line.size;) {
        char c = line.bytes[i];
        size_t end = i + 1;
        if (begin && (c == '"' || c == '\''))
            end = end_of_quote(line, i);
        size_t braces =
            c == '{' && i + 1 < line.size && line.bytes[i + 1] == '{' ? end_of_braces(line, i) : 0;
        if (braces == 0) {
            buf_add(out, line.bytes + i, end - i);
        } else {
            changed = true;
            for (end = braces; i < braces; i++) {
                const char *sign = strchr(signs, line.bytes[i]);
                if (sign != NULL && *sign != '\0')
                    put_stand_in(out, (size_t)(sign - signs));
                else
                    buf_add_byte(out, line.bytes[i]);
            }
        }
        begin = braces == 0 && (strchr(":,[{-?", c) != NULL || (begin && c == ' '));
        i = end;
    }
    return changed;
}

bool yaml_shield(struct str text, struct buf *out)
{
    bool changed = false;
    for (size_t i = 0; i < text.size; i++)
        if (is_stand_in(text.bytes + i, text.size - i))
            return false;
    struct str rest = text, line;
    while (str_split(&rest, '\n', &line)) {
        changed = shield_line(line, out) || changed;
        if (rest.bytes != NULL)
            buf_add_byte(out, '\n');
    }
    return changed;
}

struct str yaml_unshield(char *bytes, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size;) {
        if (is_stand_in(bytes + i, size - i)) {
            bytes[kept++] = signs[(unsigned char)bytes[i + 2] & 0x3F];
            i += 3;
        } else {
            bytes[kept++] = bytes[i++];
        }
    }
    bytes[kept] = '\0';
    return (struct str) { bytes, kept };
}
