// SPDX-License-Identifier: Apache-2.0
/* expr_lex - the words of the expression language. Used by expr_parse.c alone. */
#ifndef HEADRACE_EXPR_LEX_H
#define HEADRACE_EXPR_LEX_H

#include "common/base/str.h"

enum token_type {
    TOKEN_END,
    TOKEN_NAME, /* keywords too */
    TOKEN_INT,
    TOKEN_REAL,
    TOKEN_STRING,
    TOKEN_MARK, /* + - * / // % ~ == != < <= > >= ( ) [ ] { } , : . | */
};

struct token {
    enum token_type type;
    uint32_t at, end; /* byte offsets in the text */
    struct str text;  /* as written; of a string: what it means */
    int64_t integer;
    double real;
};

struct lexer {
    struct arena *arena;
    struct str text;
    struct token token; /* the current one */
    struct err *err;
};

/* Moves to the next token. ERR_INVALID for a byte that begins none, an unclosed string, a number
 * too large: err is set and token.at says where. */
MUST_USE int lexer_next(struct lexer *lexer);

/* The digits behind a dot (item.0): a plain number, though "0.1" would be a real elsewhere. */
MUST_USE int lexer_next_member(struct lexer *lexer);

bool token_is(const struct token *token, const char *mark_or_keyword);

#endif
