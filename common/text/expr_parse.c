// SPDX-License-Identifier: Apache-2.0
/* Recursive descent, loosest binding first:
 *   if-else < or < and < not < comparison, in < + - < ~ < * / // % < unary - < filters < . and []
 */
#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/text/expr_lex.h"
#include "common/text/expr_tree.h"

enum { NESTING_MAX = 64, ITEMS_MAX = 10000 };

struct parser {
    struct lexer lexer;
    struct arena *arena;
    struct err *err;
    bool braced; /* ends at }} */
    uint32_t nesting;
    VEC(struct expr_path) paths;
};

static int parse_expression(struct parser *parser, const struct expr_node **out);

static const struct token *token(const struct parser *parser)
{
    return &parser->lexer.token;
}

static int next(struct parser *parser)
{
    return lexer_next(&parser->lexer);
}

static bool at_closing_braces(const struct parser *parser)
{
    const struct lexer *lexer = &parser->lexer;
    return parser->braced && token_is(&lexer->token, "}") && lexer->token.end < lexer->text.size &&
           lexer->text.bytes[lexer->token.end] == '}';
}

static bool at_end(const struct parser *parser)
{
    return token(parser)->type == TOKEN_END || at_closing_braces(parser);
}

/* "the end", or the token as written, cut if long. */
static struct str describe(const struct parser *parser)
{
    const struct token *t = token(parser);
    if (at_end(parser))
        return STR("the end");
    struct str written = str_slice(parser->lexer.text, t->at, t->end);
    return str_format(parser->arena, "'%.*s'", STR_ARG(str_slice(written, 0, 40)));
}

static int refuse(struct parser *parser, const char *wanted)
{
    struct str found = describe(parser);
    return err_set(parser->err, ERR_INVALID, "%s is missing %s %.*s", wanted,
                   at_end(parser) ? "at" : "before", STR_ARG(found));
}

static int expect(struct parser *parser, const char *mark, const char *wanted)
{
    if (!token_is(token(parser), mark))
        return refuse(parser, wanted);
    return next(parser);
}

static struct expr_node *node_new(struct parser *parser, enum expr_kind kind,
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
static int check_depth(struct parser *parser, const struct expr_node *node)
{
    if (node->depth <= EXPR_DEPTH_MAX)
        return 0;
    return err_set(parser->err, ERR_INVALID, "the expression has more than %d levels",
                   EXPR_DEPTH_MAX);
}

static int make(struct parser *parser, enum expr_kind kind, const struct expr_node *left,
                const struct expr_node *right, const struct expr_node **out)
{
    const struct expr_node *children[2] = { left, right };
    struct expr_node *node = node_new(parser, kind, children, right == NULL ? 1 : 2);
    *out = node;
    return check_depth(parser, node);
}

static const struct expr_node *literal(struct parser *parser, const struct value *value)
{
    struct expr_node *node = node_new(parser, EXPR_LITERAL, NULL, 0);
    node->literal = value;
    return node;
}

/* ---- paths ---- */

struct steps {
    VEC(struct expr_part) parts;
    VEC(const struct expr_node *) nodes; /* beside each part; NULL unless computed */
    uint32_t depth;
};

static void add_step(struct steps *steps, struct expr_part part, const struct expr_node *node)
{
    VEC_ADD(&steps->parts, part);
    VEC_ADD(&steps->nodes, node);
    if (node != NULL && node->depth >= steps->depth)
        steps->depth = node->depth + 1;
}

static int parse_dot(struct parser *parser, struct steps *steps)
{
    int rc = lexer_next_member(&parser->lexer);
    if (rc < 0)
        return rc;
    const struct token *t = token(parser);
    if (t->type == TOKEN_NAME)
        add_step(steps, (struct expr_part) { .kind = EXPR_PART_NAME, .name = t->text }, NULL);
    else if (t->type == TOKEN_INT)
        add_step(steps, (struct expr_part) { .kind = EXPR_PART_INDEX, .index = t->integer }, NULL);
    else {
        refuse(parser, "a name after the dot");
        err_hint(parser->err, "a key that is no plain name is written [\"like this\"]");
        return ERR_INVALID;
    }
    return next(parser);
}

static int parse_index(struct parser *parser, struct steps *steps)
{
    int rc = next(parser);
    if (rc < 0)
        return rc;
    const struct expr_node *node;
    rc = parse_expression(parser, &node);
    if (rc < 0)
        return rc;
    if (token_is(token(parser), ":")) {
        err_set(parser->err, ERR_INVALID, "slices such as [1:3] are not known");
        err_hint(parser->err, "for dates use | strftime(\"%%Y-%%m\"), for lists | first or | last");
        return ERR_INVALID;
    }
    rc = expect(parser, "]", "']'");
    if (rc < 0)
        return rc;
    struct expr_part part = { .kind = EXPR_PART_COMPUTED };
    const struct value *value = node->kind == EXPR_LITERAL ? node->literal : NULL;
    if (value != NULL && value->type == VALUE_STRING)
        part = (struct expr_part) { .kind = EXPR_PART_NAME, .name = value->string };
    else if (value != NULL && value->type == VALUE_INT)
        part = (struct expr_part) { .kind = EXPR_PART_INDEX, .index = value->integer };
    add_step(steps, part, part.kind == EXPR_PART_COMPUTED ? node : NULL);
    return 0;
}

/* Jinja's methods and macros have filters in their place. */
static int refuse_call(struct parser *parser, const struct steps *steps)
{
    struct str name = STR_EMPTY;
    if (steps->parts.count > 0 && VEC_LAST(&steps->parts).kind == EXPR_PART_NAME)
        name = VEC_LAST(&steps->parts).name;
    struct str near = STR_EMPTY;
    const struct expr_filter *filter = expr_filter_find(name, &near);
    err_set(parser->err, ERR_INVALID, "calls such as %.*s(...) are not known",
            STR_ARG(str_slice(name, 0, 40)));
    if (filter != NULL)
        err_hint(parser->err, "use the filter: value | %s", filter->help.usage);
    else
        err_hint(parser->err, "use filters: value | upper, value | replace(\"a\", \"b\")");
    return ERR_INVALID;
}

static int parse_steps(struct parser *parser, struct steps *steps)
{
    for (;;) {
        int rc;
        if (token_is(token(parser), "."))
            rc = parse_dot(parser, steps);
        else if (token_is(token(parser), "["))
            rc = parse_index(parser, steps);
        else if (token_is(token(parser), "("))
            rc = refuse_call(parser, steps);
        else
            return 0;
        if (rc < 0)
            return rc;
        if (steps->parts.count > EXPR_DEPTH_MAX)
            return err_set(parser->err, ERR_INVALID, "the path has more than %d steps",
                           EXPR_DEPTH_MAX);
    }
}

static void take_steps(struct parser *parser, struct expr_node *node, struct steps *steps)
{
    uint32_t count = steps->parts.count;
    node->part_count = count;
    node->parts = arena_copy(parser->arena, steps->parts.items, count * sizeof *steps->parts.items);
    node->part_nodes =
        arena_copy(parser->arena, steps->nodes.items, count * sizeof *steps->nodes.items);
    if (steps->depth > node->depth)
        node->depth = steps->depth;
}

static int parse_path(struct parser *parser, const struct expr_node **out)
{
    struct steps steps = { 0 };
    uint32_t at = token(parser)->at;
    add_step(&steps, (struct expr_part) { .kind = EXPR_PART_NAME, .name = token(parser)->text },
             NULL);
    uint32_t number = parser->paths.count;
    VEC_ADD(&parser->paths, (struct expr_path) { .at = at });
    int rc = next(parser);
    if (rc == 0)
        rc = parse_steps(parser, &steps);
    if (rc == 0) {
        struct expr_node *node = node_new(parser, EXPR_PATH, NULL, 0);
        take_steps(parser, node, &steps);
        parser->paths.items[number].parts = node->parts;
        parser->paths.items[number].count = node->part_count;
        *out = node;
        rc = check_depth(parser, node);
    }
    VEC_CLEAR(&steps.parts);
    VEC_CLEAR(&steps.nodes);
    return rc;
}

/* Steps behind something that is not a name: (a or b).c, [1, 2][0]. */
static int parse_member(struct parser *parser, const struct expr_node **node)
{
    if (!token_is(token(parser), ".") && !token_is(token(parser), "[") &&
        !token_is(token(parser), "("))
        return 0;
    struct steps steps = { 0 };
    int rc = parse_steps(parser, &steps);
    if (rc == 0) {
        struct expr_node *member = node_new(parser, EXPR_MEMBER, node, 1);
        take_steps(parser, member, &steps);
        *node = member;
        rc = check_depth(parser, member);
    }
    VEC_CLEAR(&steps.parts);
    VEC_CLEAR(&steps.nodes);
    return rc;
}

/* ---- primaries ---- */

struct items {
    VEC(const struct expr_node *) nodes;
};

static int parse_item(struct parser *parser, struct items *items)
{
    const struct expr_node *node;
    int rc = parse_expression(parser, &node);
    if (rc < 0)
        return rc;
    if (items->nodes.count >= ITEMS_MAX)
        return err_set(parser->err, ERR_INVALID, "more than %d items", ITEMS_MAX);
    VEC_ADD(&items->nodes, node);
    return 0;
}

/* Behind the opening mark up to and with `close`; a comma may stand last. */
static int parse_items(struct parser *parser, const char *close, const char *wanted, bool is_map,
                       struct items *items)
{
    int rc = 0;
    while (rc == 0 && !token_is(token(parser), close)) {
        rc = parse_item(parser, items);
        if (rc == 0 && is_map)
            rc = expect(parser, ":", "':' (a mapping is written {\"key\": value})");
        if (rc == 0 && is_map)
            rc = parse_item(parser, items);
        if (rc < 0 || !token_is(token(parser), ","))
            break;
        rc = next(parser);
    }
    return rc < 0 ? rc : expect(parser, close, wanted);
}

static int parse_collection(struct parser *parser, bool is_map, const struct expr_node **out)
{
    struct items items = { 0 };
    int rc = next(parser);
    if (rc == 0)
        rc = is_map ? parse_items(parser, "}", "',' or '}'", true, &items)
                    : parse_items(parser, "]", "',' or ']'", false, &items);
    if (rc == 0) {
        struct expr_node *node =
            node_new(parser, is_map ? EXPR_MAP : EXPR_LIST, items.nodes.items, items.nodes.count);
        *out = node;
        rc = check_depth(parser, node);
    }
    VEC_CLEAR(&items.nodes);
    return rc;
}

static int parse_brackets(struct parser *parser, const struct expr_node **out)
{
    int rc = next(parser);
    if (rc == 0)
        rc = parse_expression(parser, out);
    return rc < 0 ? rc : expect(parser, ")", "')'");
}

static const struct value *word_value(struct parser *parser)
{
    const struct token *t = token(parser);
    if (token_is(t, "true") || token_is(t, "True"))
        return value_bool(parser->arena, true);
    if (token_is(t, "false") || token_is(t, "False"))
        return value_bool(parser->arena, false);
    if (token_is(t, "null") || token_is(t, "none") || token_is(t, "None"))
        return value_null(parser->arena);
    return NULL;
}

static bool is_keyword(const struct token *t)
{
    static const char *const keywords[] = { "and", "or", "not", "in", "if", "else", "is", "for" };
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (token_is(t, keywords[i]))
            return true;
    return false;
}

static int parse_plain(struct parser *parser, const struct value *value,
                       const struct expr_node **out)
{
    *out = literal(parser, value);
    return next(parser);
}

static int parse_primary(struct parser *parser, const struct expr_node **out)
{
    const struct token *t = token(parser);
    const struct value *word = word_value(parser);
    int rc;
    if (at_end(parser))
        return refuse(parser, "a value");
    if (word != NULL)
        rc = parse_plain(parser, word, out);
    else if (t->type == TOKEN_INT)
        rc = parse_plain(parser, value_int(parser->arena, t->integer), out);
    else if (t->type == TOKEN_REAL)
        rc = parse_plain(parser, value_real(parser->arena, t->real), out);
    else if (t->type == TOKEN_STRING)
        rc = parse_plain(parser, value_string(parser->arena, t->text), out);
    else if (t->type == TOKEN_NAME && !is_keyword(t))
        return parse_path(parser, out);
    else if (token_is(t, "("))
        rc = parse_brackets(parser, out);
    else if (token_is(t, "[") || token_is(t, "{"))
        rc = parse_collection(parser, token_is(t, "{"), out);
    else
        return refuse(parser, "a value");
    return rc < 0 ? rc : parse_member(parser, out);
}

/* ---- filters ---- */

static int check_filter_args(struct parser *parser, const struct expr_filter *filter,
                             uint32_t count, uint32_t at)
{
    if (count >= filter->args_min && count <= filter->args_max)
        return 0;
    parser->lexer.token.at = at;
    err_set(parser->err, ERR_INVALID, "the filter %s does not take %u argument%s",
            filter->help.name, count, count == 1 ? "" : "s");
    err_hint(parser->err, "write %s", filter->help.usage);
    return ERR_INVALID;
}

static int parse_filter_name(struct parser *parser, const struct expr_filter **out)
{
    if (token(parser)->type != TOKEN_NAME)
        return refuse(parser, "the name of a filter");
    struct str near, name = token(parser)->text;
    *out = expr_filter_find(name, &near);
    if (*out != NULL)
        return 0;
    err_set(parser->err, ERR_INVALID, "there is no filter '%.*s'", STR_ARG(str_slice(name, 0, 40)));
    if (near.size > 0)
        err_hint(parser->err, "did you mean '%.*s'?", STR_ARG(near));
    return ERR_INVALID;
}

/* One "| name(arguments)" behind *node, whose paths are those from number `paths_from`. */
static int parse_filter(struct parser *parser, uint32_t paths_from, const struct expr_node **node)
{
    const struct expr_filter *filter;
    int rc = next(parser);
    if (rc < 0)
        return rc;
    uint32_t at = token(parser)->at;
    rc = parse_filter_name(parser, &filter);
    if (rc == 0)
        rc = next(parser);
    if (rc < 0)
        return rc;
    if (str_is(str_of(filter->help.name), "default"))
        for (uint32_t i = paths_from; i < parser->paths.count; i++)
            parser->paths.items[i].has_default = true;

    struct items items = { 0 };
    VEC_ADD(&items.nodes, *node);
    if (token_is(token(parser), "(")) {
        rc = next(parser);
        if (rc == 0)
            rc = parse_items(parser, ")", "',' or ')'", false, &items);
    }
    if (rc == 0)
        rc = check_filter_args(parser, filter, items.nodes.count - 1, at);
    if (rc == 0) {
        struct expr_node *made =
            node_new(parser, EXPR_FILTER, items.nodes.items, items.nodes.count);
        made->filter = filter;
        *node = made;
        rc = check_depth(parser, made);
    }
    VEC_CLEAR(&items.nodes);
    return rc;
}

/* ---- operators ---- */

static int negate(struct parser *parser, const struct expr_node *node, const struct expr_node **out)
{
    if (node->kind == EXPR_LITERAL && node->literal->type == VALUE_INT) {
        *out = literal(parser, value_int(parser->arena, -node->literal->integer));
        return 0;
    }
    return make(parser, EXPR_NEGATE, node, NULL, out);
}

static int parse_unary(struct parser *parser, const struct expr_node **out)
{
    uint32_t paths_from = parser->paths.count;
    int signs = 0, rc = 0;
    while (rc == 0 && (token_is(token(parser), "-") || token_is(token(parser), "+"))) {
        signs += token_is(token(parser), "-");
        rc = next(parser);
    }
    if (rc == 0)
        rc = parse_primary(parser, out);
    if (rc == 0 && signs % 2 == 1)
        rc = negate(parser, *out, out);
    while (rc == 0 && token_is(token(parser), "|"))
        rc = parse_filter(parser, paths_from, out);
    return rc;
}

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
        while (found->mark != NULL && !token_is(token(parser), found->mark))
            found++;
        if (found->mark == NULL)
            return 0;
        const struct expr_node *right;
        rc = next(parser);
        if (rc == 0)
            rc = inner(parser, &right);
        if (rc == 0)
            rc = make(parser, found->kind, *out, right, out);
    }
    return rc;
}

static int parse_product(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = {
        {"*",   EXPR_MULTIPLY    },
        { "/",  EXPR_DIVIDE      },
        { "//", EXPR_FLOOR_DIVIDE},
        { "%",  EXPR_MODULO      },
        { NULL, 0                }
    };
    return parse_level(parser, level, parse_unary, out);
}

static int parse_join(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = {
        {"~",   EXPR_JOIN},
        { NULL, 0        }
    };
    return parse_level(parser, level, parse_product, out);
}

static int parse_sum(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = {
        {"+",   EXPR_ADD     },
        { "-",  EXPR_SUBTRACT},
        { NULL, 0            }
    };
    return parse_level(parser, level, parse_join, out);
}

/* The comparison that the current token begins, consumed; EXPR_LITERAL (no comparison) when it is
 * none. */
static int take_comparison(struct parser *parser, enum expr_kind *out)
{
    static const struct level comparisons[] = {
        {"==",   EXPR_EQUAL        },
        { "!=",  EXPR_UNEQUAL      },
        { "<",   EXPR_LESS         },
        { "<=",  EXPR_LESS_EQUAL   },
        { ">",   EXPR_GREATER      },
        { ">=",  EXPR_GREATER_EQUAL},
        { "in",  EXPR_IN           },
        { "not", EXPR_NOT_IN       },
        { NULL,  0                 },
    };
    *out = EXPR_LITERAL;
    for (const struct level *c = comparisons; c->mark != NULL; c++) {
        if (!token_is(token(parser), c->mark))
            continue;
        *out = c->kind;
        int rc = next(parser);
        if (rc == 0 && c->kind == EXPR_NOT_IN)
            rc = expect(parser, "in", "'in' after 'not'");
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
        rc = make(parser, kind, *out, right, out);
    if (rc < 0)
        return rc;
    uint32_t at = token(parser)->at;
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
    while (rc == 0 && token_is(token(parser), "not")) {
        nots++;
        rc = next(parser);
    }
    if (rc == 0)
        rc = parse_comparison(parser, out);
    for (uint32_t i = nots == 0 ? 0 : 2 - nots % 2; rc == 0 && i > 0; i--)
        rc = make(parser, EXPR_NOT, *out, NULL, out);
    return rc;
}

static int parse_and(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = {
        {"and", EXPR_AND},
        { NULL, 0       }
    };
    return parse_level(parser, level, parse_not, out);
}

static int parse_or(struct parser *parser, const struct expr_node **out)
{
    static const struct level level[] = {
        {"or",  EXPR_OR},
        { NULL, 0      }
    };
    return parse_level(parser, level, parse_and, out);
}

/* then if condition else other */
static int parse_choice(struct parser *parser, const struct expr_node **out)
{
    const struct expr_node *parts[3];
    int rc = parse_or(parser, &parts[1]);
    if (rc < 0 || !token_is(token(parser), "if")) {
        *out = parts[1];
        return rc;
    }
    rc = next(parser);
    if (rc == 0)
        rc = parse_or(parser, &parts[0]);
    if (rc == 0)
        rc = expect(parser, "else", "'else'");
    if (rc == 0)
        rc = parse_expression(parser, &parts[2]);
    if (rc < 0)
        return rc;
    struct expr_node *node = node_new(parser, EXPR_IF, parts, 3);
    *out = node;
    return check_depth(parser, node);
}

static int parse_expression(struct parser *parser, const struct expr_node **out)
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
        {"=",   "compare with =="                                                             },
        { "&&", "write and"                                                                   },
        { "||", "write or"                                                                    },
        { "!",  "write not"                                                                   },
        { "**", "powers are not known"                                                        },
        { "is", "for a missing value write value | default(...); for null write value == null"},
        { "?",  "write a if condition else b"                                                 },
    };
    struct str found = describe(parser);
    err_set(parser->err, ERR_INVALID, "%.*s is not expected here", STR_ARG(found));
    if (token(parser)->type == TOKEN_NAME || token(parser)->type == TOKEN_STRING)
        err_hint(parser->err, "an operator such as + ~ == or and is missing before it");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (token_is(token(parser), known[i].mark))
            err_hint(parser->err, "%s", known[i].hint);
    return ERR_INVALID;
}

static int parse_whole(struct parser *parser, const struct expr_node **out)
{
    int rc = next(parser);
    if (rc < 0)
        return rc;
    if (at_end(parser))
        return err_set(parser->err, ERR_INVALID, "the expression is empty");
    rc = parse_expression(parser, out);
    if (rc < 0)
        return rc;
    if (!at_end(parser))
        return refuse_rest(parser);
    if (parser->braced && token(parser)->type == TOKEN_END) {
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
        *out_at = token(parser)->at;
    if (rc == 0) {
        struct expr *expr = ARENA_NEW(parser->arena, struct expr);
        expr->root = root;
        expr->path_count = parser->paths.count;
        expr->paths = arena_copy(parser->arena, parser->paths.items,
                                 parser->paths.count * sizeof *parser->paths.items);
        *out = expr;
        if (out_end != NULL)
            *out_end = token(parser)->at;
    }
    VEC_CLEAR(&parser->paths);
    return rc;
}

static struct parser parser_of(struct arena *arena, struct str text, struct err *err)
{
    return (struct parser) {
        .lexer = {.arena = arena, .text = text, .err = err},
          .arena = arena, .err = err
    };
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
