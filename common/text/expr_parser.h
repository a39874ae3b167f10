// SPDX-License-Identifier: Apache-2.0
/* expr_parser - the state of parsing one expression. expr_parse.c has the operators and the whole,
 * expr_primary.c what stands between operators: values, paths, filters. */
#ifndef HEADRACE_EXPR_PARSER_H
#define HEADRACE_EXPR_PARSER_H

#include "common/base/vec.h"
#include "common/text/expr_lex.h"
#include "common/text/expr_tree.h"

struct parser {
    struct lexer lexer;
    struct arena *arena;
    struct err *err;
    bool braced; /* ends at }} */
    uint32_t nesting;
    VEC(struct expr_path) paths;
};

/* An expression with its operators, from the current token on. */
MUST_USE int expr_parse_expression(struct parser *parser, const struct expr_node **out);

/* A value with its signs and filters: what operators stand between. */
MUST_USE int expr_parse_unary(struct parser *parser, const struct expr_node **out);

/* The current token, and the next one. */
const struct token *expr_token(const struct parser *parser);
MUST_USE int expr_next(struct parser *parser);

/* The end of the text, or the }} of a template. */
bool expr_at_end(const struct parser *parser);

/* "the end", or the current token as written, cut if long. */
struct str expr_describe(const struct parser *parser);

/* Notes that `wanted` is missing here. */
int expr_refuse(struct parser *parser, const char *wanted);
MUST_USE int expr_expect(struct parser *parser, const char *mark, const char *wanted);

struct expr_node *expr_node_new(struct parser *parser, enum expr_kind kind,
                                const struct expr_node *const *children, uint32_t count);
MUST_USE int expr_check_depth(struct parser *parser, const struct expr_node *node);

/* A node of one or two children (`right` NULL). */
MUST_USE int expr_make(struct parser *parser, enum expr_kind kind, const struct expr_node *left,
                       const struct expr_node *right, const struct expr_node **out);

#endif
