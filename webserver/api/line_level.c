// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/line_level.h"

#include "common/base/err.h"

#include <string.h>
#include <strings.h>

enum { LOOKED_AT = 120 }; /* bytes from the beginning */

static const char *const NAMES[LINE_LEVEL_COUNT] = { "plain", "debug", "info", "warning", "error" };

static const struct {
    struct str word;
    enum line_level level;
} WORDS[] = {
#define WORD(word, level)                                                                          \
    {                                                                                              \
        { word, sizeof(word) - 1 }, level                                                          \
    }
    WORD("TRACE", LINE_DEBUG),    WORD("DEBUG", LINE_DEBUG),  WORD("INFO", LINE_INFO),
    WORD("NOTICE", LINE_INFO),    WORD("WARN", LINE_WARNING), WORD("WARNING", LINE_WARNING),
    WORD("ERROR", LINE_ERROR),    WORD("SEVERE", LINE_ERROR), WORD("FATAL", LINE_ERROR),
    WORD("CRITICAL", LINE_ERROR), WORD("PANIC", LINE_ERROR),  WORD("EXCEPTION", LINE_ERROR),
#undef WORD
};

const char *line_level_name(enum line_level level)
{
    return NAMES[level];
}

int line_level_parse(struct str name, enum line_level *out)
{
    for (int level = 0; level < LINE_LEVEL_COUNT; level++)
        if (str_is(name, NAMES[level])) {
            *out = (enum line_level)level;
            return 0;
        }
    return ERR_INVALID;
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Behind an escape of a terminal, "\033[31m": its last letter is no part of the word. */
static size_t escape_end(struct str text, size_t at)
{
    if (text.bytes[at] != 27)
        return at;
    do
        at++;
    while (at < text.size && !is_letter(text.bytes[at]));
    return at < text.size ? at + 1 : at;
}

static bool is_capital(struct str word)
{
    for (size_t i = 0; i < word.size; i++)
        if (word.bytes[i] >= 'a')
            return false;
    return true;
}

/* "level=", "\"level\": \"", "lvl=" and the like stand before a level that is written small. */
static bool follows_level(struct str text, size_t at)
{
    while (at > 0 && memchr("\"':= ", text.bytes[at - 1], 5) != NULL)
        at--;
    size_t end = at;
    while (at > 0 && is_letter(text.bytes[at - 1]))
        at--;
    struct str word = str_slice(text, at, end);
    return str_is(word, "level") || str_is(word, "lvl") || str_is(word, "severity");
}

static bool ends_with(struct str word, const char *end)
{
    size_t size = strlen(end);
    return word.size > size && memcmp(word.bytes + word.size - size, end, size) == 0;
}

/* In whatever letters. */
static enum line_level level_named(struct str word)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (word.size == WORDS[i].word.size &&
            (word.bytes[0] | 32) == (WORDS[i].word.bytes[0] | 32) &&
            strncasecmp(word.bytes, WORDS[i].word.bytes, word.size) == 0)
            return WORDS[i].level;
    return LINE_PLAIN;
}

static enum line_level level_of_word(struct str text, size_t at, size_t end)
{
    struct str word = { text.bytes + at, end - at };
    bool has_colon = end < text.size && text.bytes[end] == ':';
    /* KeyError: 'id' */
    if (has_colon && (ends_with(word, "Error") || ends_with(word, "Exception")))
        return LINE_ERROR;
    enum line_level level =
        level_named(word); /* first: of nearly all words there is no more to ask */
    bool is_meant =
        level != LINE_PLAIN && (is_capital(word) || has_colon || follows_level(text, at));
    return is_meant ? level : LINE_PLAIN;
}

enum line_level line_level_of(struct str text, enum line_level before)
{
    struct str head = str_slice(text, 0, LOOKED_AT);
    if (str_starts(head, "Traceback (most recent call last)"))
        return LINE_ERROR;
    for (size_t at = 0; at < head.size;) {
        size_t begin = escape_end(head, at);
        size_t end = begin;
        while (end < head.size && is_letter(head.bytes[end]))
            end++;
        enum line_level level = end > begin ? level_of_word(head, begin, end) : LINE_PLAIN;
        if (level != LINE_PLAIN)
            return level;
        at = end > at ? end : at + 1;
    }
    bool is_indented = head.size > 0 && (head.bytes[0] == ' ' || head.bytes[0] == '\t');
    return is_indented ? before : LINE_PLAIN;
}
