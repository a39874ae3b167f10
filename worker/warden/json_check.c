// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/json_check.h"

#include "common/base/map.h"

#include <errno.h>
#include <math.h>

struct parser {
    const char *at, *end;
    struct map keys; /* hashes of (object, key) */
    uint64_t objects;
};

static bool value(struct parser *parser, int depth);

static void blanks(struct parser *parser)
{
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\t' ||
                                        *parser->at == '\n' || *parser->at == '\r'))
        parser->at++;
}

static bool byte(struct parser *parser, char wanted)
{
    if (parser->at >= parser->end || *parser->at != wanted)
        return false;
    parser->at++;
    return true;
}

static bool word(struct parser *parser, const char *wanted)
{
    size_t size = strlen(wanted);

    if ((size_t)(parser->end - parser->at) < size || memcmp(parser->at, wanted, size) != 0)
        return false;
    parser->at += size;
    return true;
}

static int hex4(struct parser *parser)
{
    int code = 0;

    for (int i = 0; i < 4; i++) {
        static const char all[] = "0123456789abcdef";
        const char *found;
        if (parser->at >= parser->end || *parser->at < '0')
            return -1;
        found = strchr(all, *parser->at | 0x20);
        if (found == NULL)
            return -1;
        code = code << 4 | (int)(found - all);
        parser->at++;
    }
    return code;
}

/* After "\u": a character, or two halves of one. */
static bool unicode(struct parser *parser)
{
    int high = hex4(parser), low;

    if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
        return false;
    if (high < 0xd800 || high > 0xdbff)
        return true;
    if (!word(parser, "\\u"))
        return false;
    low = hex4(parser);
    return low >= 0xdc00 && low <= 0xdfff;
}

static bool string(struct parser *parser, struct str *out)
{
    if (!byte(parser, '"'))
        return false;
    const char *start = parser->at;
    while (parser->at < parser->end && *parser->at != '"') {
        if ((unsigned char)*parser->at < 0x20)
            return false;
        if (*parser->at++ != '\\')
            continue;
        if (parser->at >= parser->end)
            return false;
        char escape = *parser->at++;
        if (escape == 'u' ? !unicode(parser)
                          : escape == '\0' || strchr("\"\\/bfnrt", escape) == NULL)
            return false;
    }
    *out = (struct str) { start, (size_t)(parser->at - start) };
    return byte(parser, '"') && str_is_utf8(*out);
}

static bool digits(struct parser *parser)
{
    const char *start = parser->at;

    while (parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9')
        parser->at++;
    return parser->at > start;
}

static bool number(struct parser *parser)
{
    const char *start = parser->at;
    bool real = false;

    byte(parser, '-');
    if (!byte(parser, '0') && !digits(parser))
        return false;
    if (byte(parser, '.')) {
        real = true;
        if (!digits(parser))
            return false;
    }
    if (byte(parser, 'e') || byte(parser, 'E')) {
        real = true;
        if (!byte(parser, '+'))
            byte(parser, '-');
        if (!digits(parser))
            return false;
    }
    struct str text = { start, (size_t)(parser->at - start) };
    int64_t integer;
    double finite;
    if (!real)
        return str_to_int(text, INT64_MIN, INT64_MAX, &integer) == 0;
    return str_to_real(text, &finite) == 0 && isfinite(finite);
}

static bool list(struct parser *parser, int depth)
{
    blanks(parser);
    if (byte(parser, ']'))
        return true;
    do {
        if (!value(parser, depth))
            return false;
    } while (byte(parser, ','));
    return byte(parser, ']');
}

/* Two spellings of one key ("a", "\u0061") would pass; what reads the value later refuses it then.
 */
static bool key_is_new(struct parser *parser, uint64_t serial, struct str key)
{
    uint64_t hash = str_hash(key) ^ serial * 0x9e3779b97f4a7c15ULL;

    if (map_get(&parser->keys, hash, NULL))
        return false;
    map_put(&parser->keys, hash, 1);
    return true;
}

static bool object(struct parser *parser, int depth)
{
    uint64_t serial = ++parser->objects;
    struct str key;

    blanks(parser);
    if (byte(parser, '}'))
        return true;
    do {
        blanks(parser);
        if (!string(parser, &key) || !key_is_new(parser, serial, key))
            return false;
        blanks(parser);
        if (!byte(parser, ':') || !value(parser, depth))
            return false;
    } while (byte(parser, ','));
    return byte(parser, '}');
}

static bool value(struct parser *parser, int depth)
{
    struct str text;
    bool good;

    blanks(parser);
    if (parser->at >= parser->end)
        return false;
    switch (*parser->at) {
    case '{':
        parser->at++;
        good = depth < JSON_CHECK_DEPTH && object(parser, depth + 1);
        break;
    case '[':
        parser->at++;
        good = depth < JSON_CHECK_DEPTH && list(parser, depth + 1);
        break;
    case '"':
        good = string(parser, &text);
        break;
    case 't':
        good = word(parser, "true");
        break;
    case 'f':
        good = word(parser, "false");
        break;
    case 'n':
        good = word(parser, "null");
        break;
    default:
        good = number(parser);
    }
    blanks(parser);
    return good;
}

bool json_check(struct str text)
{
    struct parser parser = { .at = text.bytes, .end = text.bytes + text.size };
    bool good = value(&parser, 0) && parser.at == parser.end;

    map_clear(&parser.keys);
    return good;
}

/* Size of the UTF-8 character at the start of `text`, 0 when there is none. */
static size_t utf8_size(struct str text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++) {
        if (str_is_utf8(str_slice(text, 0, size)))
            return size;
    }
    return 0;
}

void json_quote(struct buf *out, struct str text)
{
    buf_add_byte(out, '"');
    for (size_t at = 0; at < text.size;) {
        unsigned char c = (unsigned char)text.bytes[at];
        size_t size = c < 0x80 ? 1 : utf8_size(str_slice(text, at, text.size));
        if (size == 0 || c == '\0')
            buf_add_cstr(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_add(out, text.bytes + at, size);
        at += size == 0 ? 1 : size;
    }
    buf_add_byte(out, '"');
}
