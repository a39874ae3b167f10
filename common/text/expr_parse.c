// SPDX-License-Identifier: Apache-2.0
/* Recursive descent, loosest binding first:
 *   if-else < or < and < not < comparison, in < + - < ~ < * / // % < unary - < filters < . and []
 */
#include "common/text/expr_parser.h"

#include "common/base/assert.h"

enum { NESTING_MAX = 64 };

const struct token *expr_token(const struct parser *parser)
{
    return &parser->lexer.token;
}

int expr_next(struct parser *parser)
{
    return lexer_next(&parser->lexer);
}

static bool at_closing_braces(const struct parser *parser)
{
    const struct lexer *lexer = &parser->lexer;
    return parser->braced && token_is(&lexer->token, "}") && lexer->token.end < lexer->text.size &&
           lexer->text.bytes[lexer->token.end] == '}';
}

bool expr_at_end(const struct parser *parser)
{
    return expr_token(parser)->type == TOKEN_END || at_closing_braces(parser);
}

/* "the end", or the token as written, cut if long. */
struct str expr_describe(const struct parser *parser)
{
    const struct token *t = expr_token(parser);
    if (expr_at_end(parser))
        return STR("the end");
    struct str written = str_slice(parser->lexer.text, t->at, t->end);
    return str_format(parser->arena, "'%.*s'", STR_ARG(str_slice(written, 0, 40)));
}

int expr_refuse(struct parser *parser, const char *wanted)
{
    struct str found = expr_describe(parser);
    return err_set(parser->err, ERR_INVALID, "%s is missing %s %.*s", wanted,
                   expr_at_end(parser) ? "at" : "before", STR_ARG(found));
}

int expr_expect(struct parser *parser, const char *mark, const char *wanted)
{
    if (!token_is(expr_token(parser), mark))
        return expr_refuse(parser, wanted);
    return expr_next(parser);
}

struct expr_node *expr_node_new(struct parser *parser, enum expr_kind kind,
                                const struct expr_node *const *children, uint32_t count)
{
    struct expr_node *node = ARENA_NEW(parser->arena, struct expr_node);
    node->kind = kind;
    node->count = count;
    node->a = arena_copy(parser->arena, children, count * sizeof *children);
    for (uint32_t i = 0; i < count; i++)
        if (children[i]->depth >= node->depth)
            node->depth = children[i]->depth + 1;
    return node;
}

/* Long chains (a + b + c ...) lean to the left: their depth is bounded like that of brackets. */
int expr_check_depth(struct parser *parser, const struct expr_node *node)
{
    if (node->depth <= EXPR_DEPTH_MAX)
        return 0;
    return err_set(parser->err, ERR_INVALID, "the expression has more than %d levels",
                   EXPR_DEPTH_MAX);
}

int expr_make(struct parser *parser, enum expr_kind kind, const struct expr_node *left,
              const struct expr_node *right, const struct expr_node **out)
{
    const struct expr_node *children[2] = { left, right };
    struct expr_node *node = expr_node_new(parser, kind, children, right == NULL ? 1 : 2);
    *out = node;
    return expr_check_depth(parser, node);
}

/* ---- operators ---- */

struct level {
    const char *mark;
    enum expr_kind kind;
};

typedef int parse_fn(struct parser *parser, const struct expr_node **out);

/* Operands of `inner` with the operators of one level between them, from left to right. */
static int parse_level(struct parser *parser, const struct level *level, parse_fn *inner,
                       const struct expr_node **out)
{
    int rc = inner(parser, out);
    while (rc == 0) {
        const struct level *found = level;
        while (found->mark != NULL && !token_is(expr_token(parser), found->mark))
            found++;
        if (found->mark == NULL)
            return 0;
        const struct expr_node *right;
        rc = expr_next(parser);
        if (rc == 0)
            rc = inner(parser, &right);
        if (rc == 0)
            rc = expr_make(parser, found->kind, *out, right, out);
    }
    return rc;
}

static int parse_product(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = { { "*", EXPR_MULTIPLY },
                                          { "/", EXPR_DIVIDE },
                                          { "//", EXPR_FLOOR_DIVIDE },
                                          { "%", EXPR_MODULO },
                                          { NULL, 0 } };
    return parse_level(parser, level, expr_parse_unary, out);
}

static int parse_join(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = { { "~", EXPR_JOIN }, { NULL, 0 } };
    return parse_level(parser, level, parse_product, out);
}

static int parse_sum(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = { { "+", EXPR_ADD }, { "-", EXPR_SUBTRACT }, { NULL, 0 } };
    return parse_level(parser, level, parse_join, out);
}

/* The comparison that the current token begins, consumed; EXPR_LITERAL (no comparison) when it is
 * none. */
static int take_comparison(struct parser *parser, enum expr_kind *out)
{
    static const struct level comparisons[] = {
        { "==", EXPR_EQUAL },      { "!=", EXPR_UNEQUAL }, { "<", EXPR_LESS },
        { "<=", EXPR_LESS_EQUAL }, { ">", EXPR_GREATER },  { ">=", EXPR_GREATER_EQUAL },
        { "in", EXPR_IN },         { "not", EXPR_NOT_IN }, { NULL, 0 },
    };
    *out = EXPR_LITERAL;
    for (const struct level *c = comparisons; c->mark != NULL; c++) {
        if (!token_is(expr_token(parser), c->mark))
            continue;
        *out = c->kind;
        int rc = expr_next(parser);
        if (rc == 0 && c->kind == EXPR_NOT_IN)
            rc = expr_expect(parser, "in", "'in' after 'not'");
        return rc;
    }
    return 0;
}

static int parse_comparison(struct parser *parser, const struct expr_node **out)
{
    enum expr_kind kind;
    int rc = parse_sum(parser, out);
    if (rc == 0)
        rc = take_comparison(parser, &kind);
    if (rc < 0 || kind == EXPR_LITERAL)
        return rc;
    const struct expr_node *right;
    rc = parse_sum(parser, &right);
    if (rc == 0)
        rc = expr_make(parser, kind, *out, right, out);
    if (rc < 0)
        return rc;
    uint32_t at = expr_token(parser)->at;
    rc = take_comparison(parser, &kind);
    if (rc == 0 && kind != EXPR_LITERAL) {
        parser->lexer.token.at = at;
        err_set(parser->err, ERR_INVALID, "comparisons cannot be chained");
        err_hint(parser->err, "write a < b and b < c");
        return ERR_INVALID;
    }
    return rc;
}

static int parse_not(struct parser *parser, const struct expr_node **out)
{
    uint32_t nots = 0;
    int rc = 0;
    while (rc == 0 && token_is(expr_token(parser), "not")) {
        nots++;
        rc = expr_next(parser);
    }
    if (rc == 0)
        rc = parse_comparison(parser, out);
    for (uint32_t i = nots == 0 ? 0 : 2 - nots % 2; rc == 0 && i > 0; i--)
        rc = expr_make(parser, EXPR_NOT, *out, NULL, out);
    return rc;
}

static int parse_and(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = { { "and", EXPR_AND }, { NULL, 0 } };
    return parse_level(parser, level, parse_not, out);
}

static int parse_or(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = { { "or", EXPR_OR }, { NULL, 0 } };
    return parse_level(parser, level, parse_and, out);
}

/* then if condition else other */
static int parse_choice(struct parser *parser, const struct expr_node **out)
{
    const struct expr_node *parts[3];
    int rc = parse_or(parser, &parts[1]);
    if (rc < 0 || !token_is(expr_token(parser), "if")) {
        *out = parts[1];
        return rc;
    }
    rc = expr_next(parser);
    if (rc == 0)
        rc = parse_or(parser, &parts[0]);
    if (rc == 0)
        rc = expr_expect(parser, "else", "'else'");
    if (rc == 0)
        rc = expr_parse_expression(parser, &parts[2]);
    if (rc < 0)
        return rc;
    struct expr_node *node = expr_node_new(parser, EXPR_IF, parts, 3);
    *out = node;
    return expr_check_depth(parser, node);
}

int expr_parse_expression(struct parser *parser, const struct expr_node **out)
{
    if (++parser->nesting > NESTING_MAX)
        return err_set(parser->err, ERR_INVALID, "brackets are nested deeper than %d levels",
                       NESTING_MAX);
    int rc = parse_choice(parser, out);
    parser->nesting--;
    return rc;
}

/* ---- the whole ---- */

static int refuse_rest(struct parser *parser)
{
    static const struct {
        const char *mark, *hint;
    } known[] = {
        { "=", "compare with ==" },
        { "&&", "write and" },
        { "||", "write or" },
        { "!", "write not" },
        { "**", "powers are not known" },
        { "is", "for a missing value write value | default(...); for null write value == null" },
        { "?", "write a if condition else b" },
    };
    struct str found = expr_describe(parser);
    err_set(parser->err, ERR_INVALID, "%.*s is not expected here", STR_ARG(found));
    if (expr_token(parser)->type == TOKEN_NAME || expr_token(parser)->type == TOKEN_STRING)
        err_hint(parser->err, "an operator such as + ~ == or and is missing before it");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (token_is(expr_token(parser), known[i].mark))
            err_hint(parser->err, "%s", known[i].hint);
    return ERR_INVALID;
}

static int parse_whole(struct parser *parser, const struct expr_node **out)
{
    int rc = expr_next(parser);
    if (rc < 0)
        return rc;
    if (expr_at_end(parser))
        return err_set(parser->err, ERR_INVALID, "the expression is empty");
    rc = expr_parse_expression(parser, out);
    if (rc < 0)
        return rc;
    if (!expr_at_end(parser))
        return refuse_rest(parser);
    if (parser->braced && expr_token(parser)->type == TOKEN_END) {
        err_set(parser->err, ERR_INVALID, "the expression is not closed");
        err_hint(parser->err, "close it with }}");
        return ERR_INVALID;
    }
    return 0;
}

static int compile(struct parser *parser, const struct expr **out, uint32_t *out_end,
                   uint32_t *out_at)
{
    const struct expr_node *root;
    int rc = parse_whole(parser, &root);
    if (rc < 0 && out_at != NULL)
        *out_at = expr_token(parser)->at;
    if (rc == 0) {
        struct expr *expr = ARENA_NEW(parser->arena, struct expr);
        expr->root = root;
        expr->path_count = parser->paths.count;
        expr->paths = arena_copy(parser->arena, parser->paths.items,
                                 parser->paths.count * sizeof *parser->paths.items);
        *out = expr;
        if (out_end != NULL)
            *out_end = expr_token(parser)->at;
    }
    VEC_CLEAR(&parser->paths);
    return rc;
}

static struct parser parser_of(struct arena *arena, struct str text, struct err *err)
{
    return (struct parser) { .lexer = { .arena = arena, .text = text, .err = err },
                             .arena = arena,
                             .err = err };
}

static int check_size(struct str text, uint32_t *out_at, struct err *err)
{
    if (text.size <= EXPR_BYTES_MAX)
        return 0;
    if (out_at != NULL)
        *out_at = 0;
    return err_set(err, ERR_INVALID, "the expression is longer than %d bytes", EXPR_BYTES_MAX);
}

int expr_compile(struct arena *arena, struct str text, const struct expr **out, uint32_t *out_at,
                 struct err *err)
{
    int rc = check_size(text, out_at, err);
    if (rc < 0)
        return rc;
    struct parser parser = parser_of(arena, text, err);
    return compile(&parser, out, NULL, out_at);
}

int expr_compile_braced(struct arena *arena, struct str text, uint32_t from,
                        const struct expr **out, uint32_t *out_end, uint32_t *out_at,
                        struct err *err)
{
    ASSERT(from <= text.size);
    struct parser parser = parser_of(arena, text, err);
    parser.braced = true;
    parser.lexer.token.end = from;
    return compile(&parser, out, out_end, out_at);
}

const struct expr_path *expr_paths(const struct expr *expr, uint32_t *out_count)
{
    *out_count = expr->path_count;
    return expr->paths;
}
