// SPDX-License-Identifier: Apache-2.0
#include "common/text/expr_parser.h"

enum { ITEMS_MAX = 10000 };

static const struct expr_node *literal(struct parser *parser, const struct value *value)
{
    struct expr_node *node = expr_node_new(parser, EXPR_LITERAL, NULL, 0);
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
    const struct token *t = expr_token(parser);
    if (t->type == TOKEN_NAME)
        add_step(steps, (struct expr_part) { .kind = EXPR_PART_NAME, .name = t->text }, NULL);
    else if (t->type == TOKEN_INT)
        add_step(steps, (struct expr_part) { .kind = EXPR_PART_INDEX, .index = t->integer }, NULL);
    else {
        expr_refuse(parser, "a name after the dot");
        err_hint(parser->err, "a key that is no plain name is written [\"like this\"]");
        return ERR_INVALID;
    }
    return expr_next(parser);
}

static int parse_index(struct parser *parser, struct steps *steps)
{
    int rc = expr_next(parser);
    if (rc < 0)
        return rc;
    const struct expr_node *node;
    rc = expr_parse_expression(parser, &node);
    if (rc < 0)
        return rc;
    if (token_is(expr_token(parser), ":")) {
        err_set(parser->err, ERR_INVALID, "slices such as [1:3] are not known");
        err_hint(parser->err, "for dates use | strftime(\"%%Y-%%m\"), for lists | first or | last");
        return ERR_INVALID;
    }
    rc = expr_expect(parser, "]", "']'");
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
        if (token_is(expr_token(parser), "."))
            rc = parse_dot(parser, steps);
        else if (token_is(expr_token(parser), "["))
            rc = parse_index(parser, steps);
        else if (token_is(expr_token(parser), "("))
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
    uint32_t at = expr_token(parser)->at;
    add_step(&steps,
             (struct expr_part) { .kind = EXPR_PART_NAME, .name = expr_token(parser)->text }, NULL);
    uint32_t number = parser->paths.count;
    VEC_ADD(&parser->paths, (struct expr_path) { .at = at });
    int rc = expr_next(parser);
    if (rc == 0)
        rc = parse_steps(parser, &steps);
    if (rc == 0) {
        struct expr_node *node = expr_node_new(parser, EXPR_PATH, NULL, 0);
        take_steps(parser, node, &steps);
        parser->paths.items[number].parts = node->parts;
        parser->paths.items[number].count = node->part_count;
        *out = node;
        rc = expr_check_depth(parser, node);
    }
    VEC_CLEAR(&steps.parts);
    VEC_CLEAR(&steps.nodes);
    return rc;
}

/* Steps behind something that is not a name: (a or b).c, [1, 2][0]. */
static int parse_member(struct parser *parser, const struct expr_node **node)
{
    if (!token_is(expr_token(parser), ".") && !token_is(expr_token(parser), "[") &&
        !token_is(expr_token(parser), "("))
        return 0;
    struct steps steps = { 0 };
    int rc = parse_steps(parser, &steps);
    if (rc == 0) {
        struct expr_node *member = expr_node_new(parser, EXPR_MEMBER, node, 1);
        take_steps(parser, member, &steps);
        *node = member;
        rc = expr_check_depth(parser, member);
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
    int rc = expr_parse_expression(parser, &node);
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
    while (rc == 0 && !token_is(expr_token(parser), close)) {
        rc = parse_item(parser, items);
        if (rc == 0 && is_map)
            rc = expr_expect(parser, ":", "':' (a mapping is written {\"key\": value})");
        if (rc == 0 && is_map)
            rc = parse_item(parser, items);
        if (rc < 0 || !token_is(expr_token(parser), ","))
            break;
        rc = expr_next(parser);
    }
    return rc < 0 ? rc : expr_expect(parser, close, wanted);
}

static int parse_collection(struct parser *parser, bool is_map, const struct expr_node **out)
{
    struct items items = { 0 };
    int rc = expr_next(parser);
    if (rc == 0)
        rc = is_map ? parse_items(parser, "}", "',' or '}'", true, &items)
                    : parse_items(parser, "]", "',' or ']'", false, &items);
    if (rc == 0) {
        struct expr_node *node = expr_node_new(parser, is_map ? EXPR_MAP : EXPR_LIST,
                                               items.nodes.items, items.nodes.count);
        *out = node;
        rc = expr_check_depth(parser, node);
    }
    VEC_CLEAR(&items.nodes);
    return rc;
}

static int parse_brackets(struct parser *parser, const struct expr_node **out)
{
    int rc = expr_next(parser);
    if (rc == 0)
        rc = expr_parse_expression(parser, out);
    return rc < 0 ? rc : expr_expect(parser, ")", "')'");
}

static const struct value *word_value(struct parser *parser)
{
    const struct token *t = expr_token(parser);
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
    return expr_next(parser);
}

static int parse_primary(struct parser *parser, const struct expr_node **out)
{
    const struct token *t = expr_token(parser);
    const struct value *word = word_value(parser);
    int rc;
    if (expr_at_end(parser))
        return expr_refuse(parser, "a value");
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
        return expr_refuse(parser, "a value");
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
    if (expr_token(parser)->type != TOKEN_NAME)
        return expr_refuse(parser, "the name of a filter");
    struct str near, name = expr_token(parser)->text;
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
    int rc = expr_next(parser);
    if (rc < 0)
        return rc;
    uint32_t at = expr_token(parser)->at;
    rc = parse_filter_name(parser, &filter);
    if (rc == 0)
        rc = expr_next(parser);
    if (rc < 0)
        return rc;
    if (str_is(str_of(filter->help.name), "default"))
        for (uint32_t i = paths_from; i < parser->paths.count; i++)
            parser->paths.items[i].has_default = true;

    struct items items = { 0 };
    VEC_ADD(&items.nodes, *node);
    if (token_is(expr_token(parser), "(")) {
        rc = expr_next(parser);
        if (rc == 0)
            rc = parse_items(parser, ")", "',' or ')'", false, &items);
    }
    if (rc == 0)
        rc = check_filter_args(parser, filter, items.nodes.count - 1, at);
    if (rc == 0) {
        struct expr_node *made =
            expr_node_new(parser, EXPR_FILTER, items.nodes.items, items.nodes.count);
        made->filter = filter;
        *node = made;
        rc = expr_check_depth(parser, made);
    }
    VEC_CLEAR(&items.nodes);
    return rc;
}

/* ---- signs ---- */

static int negate(struct parser *parser, const struct expr_node *node, const struct expr_node **out)
{
    if (node->kind == EXPR_LITERAL && node->literal->type == VALUE_INT) {
        *out = literal(parser, value_int(parser->arena, -node->literal->integer));
        return 0;
    }
    return expr_make(parser, EXPR_NEGATE, node, NULL, out);
}

int expr_parse_unary(struct parser *parser, const struct expr_node **out)
{
    uint32_t paths_from = parser->paths.count;
    int signs = 0, rc = 0;
    while (rc == 0 && (token_is(expr_token(parser), "-") || token_is(expr_token(parser), "+"))) {
        signs += token_is(expr_token(parser), "-");
        rc = expr_next(parser);
    }
    if (rc == 0)
        rc = parse_primary(parser, out);
    if (rc == 0 && signs % 2 == 1)
        rc = negate(parser, *out, out);
    while (rc == 0 && token_is(expr_token(parser), "|"))
        rc = parse_filter(parser, paths_from, out);
    return rc;
}
