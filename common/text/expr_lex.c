// SPDX-License-Identifier: Apache-2.0
#include "common/text/expr_lex.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

static char byte_at(const struct lexer *lexer, size_t i)
{
    return i < lexer->text.size ? lexer->text.bytes[i] : '\0';
}

static char printable(char c)
{
    return c > ' ' && c < 127 ? c : '?';
}

/* Appends code point `c` (never a surrogate) as UTF-8. */
static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
}

/* Four hex digits at `i`, or -1. */
static int32_t hex4(const struct lexer *lexer, size_t i)
{
    int32_t value = 0;
    for (size_t k = i; k < i + 4; k++) {
        char c = byte_at(lexer, k);
        int digit = is_digit(c)                          ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The meaning of the escape whose letter stands at *i; moves *i to its last byte. 0 when there is
 * no such escape. */
static size_t put_escape(const struct lexer *lexer, size_t *i, char *out)
{
    static const char letters[] = "nrt\\'\"/", meanings[] = "\n\r\t\\'\"/";
    char c = byte_at(lexer, *i);
    if (c == 'u') {
        int32_t code = hex4(lexer, *i + 1);
        if (code <= 0 || (code >= 0xD800 && code <= 0xDFFF))
            return 0;
        *i += 4;
        return put_utf8(out, (uint32_t)code);
    }
    const char *at = c == '\0' ? NULL : strchr(letters, c);
    if (at == NULL)
        return 0;
    out[0] = meanings[at - letters];
    return 1;
}

static int lex_string(struct lexer *lexer)
{
    struct token *token = &lexer->token;
    char quote = lexer->text.bytes[token->at];
    size_t from = token->at + 1, i = from;
    while (i < lexer->text.size && lexer->text.bytes[i] != quote)
        i += lexer->text.bytes[i] == '\\' ? 2 : 1;
    if (i >= lexer->text.size) {
        err_set(lexer->err, ERR_INVALID, "the text that begins with %c is not closed", quote);
        err_hint(lexer->err, "close it with %c", quote);
        return ERR_INVALID;
    }
    char *bytes = arena_alloc(lexer->arena, i - from + 1);
    size_t size = 0;
    for (size_t k = from; k < i; k++) {
        if (lexer->text.bytes[k] != '\\') {
            bytes[size++] = lexer->text.bytes[k];
            continue;
        }
        k++;
        size_t more = put_escape(lexer, &k, bytes + size);
        if (more == 0) {
            token->at = (uint32_t)k - 1;
            err_set(lexer->err, ERR_INVALID, "there is no escape \\%c",
                    printable(lexer->text.bytes[k]));
            err_hint(lexer->err,
                     "escapes are \\n \\r \\t \\\\ \\' \\\" and \\uXXXX; write \\\\ for one \\");
            return ERR_INVALID;
        }
        size += more;
    }
    token->type = TOKEN_STRING;
    token->text = (struct str) { bytes, size };
    token->end = (uint32_t)i + 1;
    return 0;
}

static int lex_number(struct lexer *lexer, bool plain)
{
    struct token *token = &lexer->token;
    size_t i = token->at;
    bool real = false;
    while (is_digit(byte_at(lexer, i)))
        i++;
    if (!plain && byte_at(lexer, i) == '.' && is_digit(byte_at(lexer, i + 1))) {
        real = true;
        for (i++; is_digit(byte_at(lexer, i));)
            i++;
    }
    size_t sign = byte_at(lexer, i + 1) == '-' || byte_at(lexer, i + 1) == '+' ? 2 : 1;
    if (!plain && (byte_at(lexer, i) | 32) == 'e' && is_digit(byte_at(lexer, i + sign))) {
        real = true;
        for (i += sign; is_digit(byte_at(lexer, i));)
            i++;
    }
    token->end = (uint32_t)i;
    token->text = str_slice(lexer->text, token->at, i);
    token->type = real ? TOKEN_REAL : TOKEN_INT;
    int rc = real ? str_to_real(token->text, &token->real)
                  : str_to_int(token->text, 0, INT64_MAX, &token->integer);
    if (rc < 0 || (real && __builtin_isinf(token->real)))
        return err_set(lexer->err, ERR_INVALID, "the number %.*s is too large",
                       STR_ARG(str_slice(token->text, 0, 40)));
    if (is_name_byte(byte_at(lexer, i)) && !plain) {
        err_set(lexer->err, ERR_INVALID, "a number runs into a word: %.*s",
                STR_ARG(str_slice(lexer->text, token->at, i + 1)));
        err_hint(lexer->err, "names do not begin with a digit; for such a key write [\"%.*s...\"]",
                 STR_ARG(str_slice(lexer->text, token->at, i + 1)));
        return ERR_INVALID;
    }
    return 0;
}

static int lex_mark(struct lexer *lexer)
{
    static const char *const doubles[] = { "//", "==", "!=", "<=", ">=", "&&", "||", "**" };
    struct token *token = &lexer->token;
    struct str rest = str_slice(lexer->text, token->at, lexer->text.size);
    size_t size = 0;
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
        if (str_starts(rest, doubles[i]))
            size = 2;
    if (size == 0 && strchr("+-*/%~<>()[]{},:.|=!", rest.bytes[0]) != NULL && rest.bytes[0] != '\0')
        size = 1;
    token->type = TOKEN_MARK;
    token->text = str_slice(rest, 0, size);
    token->end = token->at + (uint32_t)size;
    if (size == 0) {
        err_set(lexer->err, ERR_INVALID, "'%c' means nothing here", printable(rest.bytes[0]));
        err_hint(lexer->err, "text must stand in quotes");
        return ERR_INVALID;
    }
    return 0;
}

static void skip_blanks(struct lexer *lexer)
{
    size_t i = lexer->token.end;
    while (i < lexer->text.size && strchr(" \t\r\n", lexer->text.bytes[i]) != NULL &&
           lexer->text.bytes[i] != '\0')
        i++;
    lexer->token = (struct token) { .at = (uint32_t)i, .end = (uint32_t)i };
}

int lexer_next(struct lexer *lexer)
{
    skip_blanks(lexer);
    struct token *token = &lexer->token;
    if (token->at >= lexer->text.size)
        return 0; /* all-zero is TOKEN_END */
    char c = lexer->text.bytes[token->at];
    if (c == '"' || c == '\'')
        return lex_string(lexer);
    if (is_digit(c))
        return lex_number(lexer, false);
    if (!is_name_byte(c))
        return lex_mark(lexer);
    size_t i = token->at;
    while (is_name_byte(byte_at(lexer, i)))
        i++;
    token->type = TOKEN_NAME;
    token->text = str_slice(lexer->text, token->at, i);
    token->end = (uint32_t)i;
    return 0;
}

int lexer_next_member(struct lexer *lexer)
{
    if (!is_digit(byte_at(lexer, lexer->token.end)))
        return lexer_next(lexer);
    skip_blanks(lexer);
    return lex_number(lexer, true);
}

bool token_is(const struct token *token, const char *mark_or_keyword)
{
    return (token->type == TOKEN_MARK || token->type == TOKEN_NAME) &&
           str_is(token->text, mark_or_keyword);
}
