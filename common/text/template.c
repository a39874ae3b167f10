// SPDX-License-Identifier: Apache-2.0
#include "common/text/template.h"

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/vec.h"
#include "common/text/json.h"

struct template
{
    struct str *literals; /* literals[i] stands before exprs[i]; one more behind the last */
    struct template_expr *exprs;
    struct str *sources; /* the text between the braces */
    uint32_t count;
};

bool template_is_plain(struct str text)
{
    return text.size < 2 || memmem(text.bytes, text.size, "{{", 2) == NULL;
}

/* The statement of Jinja that `rest` (what stands behind "{%") begins with, or NULL. In shell text
 * "{%" may well be innocent, so the word decides. */
static const char *statement(struct str rest)
{
    static const char *const words[] = { "if",    "for",    "set",   "else", "elif",
                                         "endif", "endfor", "macro", "raw",  "include" };
    if (rest.size > 0 && rest.bytes[0] == '-')
        rest = str_slice(rest, 1, rest.size);
    rest = str_trim(rest);
    size_t size = 0;
    while (size < rest.size && rest.bytes[size] >= 'a' && rest.bytes[size] <= 'z')
        size++;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(str_slice(rest, 0, size), words[i]))
            return words[i];
    return NULL;
}

static int refuse_statements(struct str text, uint32_t *out_at, struct err *err)
{
    for (size_t i = 0; i + 2 < text.size; i++) {
        if (text.bytes[i] != '{' || text.bytes[i + 1] != '%')
            continue;
        const char *word = statement(str_slice(text, i + 2, i + 40));
        if (word == NULL)
            continue;
        if (out_at != NULL)
            *out_at = (uint32_t)i;
        err_set(err, ERR_INVALID, "statements such as {%% %s %%} are not known", word);
        err_hint(err, "write a choice as {{ a if condition else b }} and repetition as for_each");
        return ERR_INVALID;
    }
    return 0;
}

struct parts {
    VEC(struct str) literals;
    VEC(struct str) sources;
    VEC(struct template_expr) exprs;
};

static int split(struct arena *arena, struct str text, struct parts *parts, uint32_t *out_at,
                 struct err *err)
{
    uint32_t from = 0;
    for (;;) {
        struct str rest = str_slice(text, from, text.size);
        const char *open = rest.size < 2 ? NULL : memmem(rest.bytes, rest.size, "{{", 2);
        if (open == NULL) {
            VEC_ADD(&parts->literals, rest);
            return 0;
        }
        VEC_ADD(&parts->literals, str_slice(rest, 0, (size_t)(open - rest.bytes)));
        uint32_t begin = (uint32_t)(open - text.bytes) + 2, end;
        const struct expr *expr;
        int rc = expr_compile_braced(arena, text, begin, &expr, &end, out_at, err);
        if (rc < 0)
            return rc;
        VEC_ADD(&parts->exprs, (struct template_expr) { expr, begin });
        VEC_ADD(&parts->sources, str_trim(str_slice(text, begin, end)));
        from = end + 2;
    }
}

int template_compile(struct arena *arena, struct str text, const struct template **out,
                     uint32_t *out_at, struct err *err)
{
    if (text.size > UINT32_MAX / 2)
        return err_set(err, ERR_TOO_LARGE, "the text is too long");
    int rc = refuse_statements(text, out_at, err);
    if (rc < 0)
        return rc;
    struct parts parts = { 0 };
    rc = split(arena, text, &parts, out_at, err);
    if (rc == 0) {
        struct template *template = ARENA_NEW(arena, struct template);
        template->count = parts.exprs.count;
        template->literals = arena_copy(arena, parts.literals.items,
                                        parts.literals.count * sizeof *parts.literals.items);
        template->exprs =
            arena_copy(arena, parts.exprs.items, parts.exprs.count * sizeof *parts.exprs.items);
        template->sources = arena_copy(arena, parts.sources.items,
                                       parts.sources.count * sizeof *parts.sources.items);
        *out = template;
    }
    VEC_CLEAR(&parts.literals);
    VEC_CLEAR(&parts.sources);
    VEC_CLEAR(&parts.exprs);
    return rc;
}

const struct template_expr *template_exprs(const struct template *template, uint32_t *out_count)
{
    *out_count = template->count;
    return template->exprs;
}

bool template_is_single(const struct template *template)
{
    return template->count == 1 && str_trim(template->literals[0]).size == 0 &&
           str_trim(template->literals[1]).size == 0;
}

struct str template_text(struct arena *arena, const struct value *value)
{
    return value->type == VALUE_STRING ? value->string : json_text(arena, value);
}

static int eval_one(const struct template *template, uint32_t i, const struct expr_scope *scope,
                    struct arena *arena, const struct value **out, struct err *err)
{
    int rc = expr_eval(template->exprs[i].expr, scope, NULL, arena, out, err);
    if (rc < 0)
        return err_wrap(err, rc, "{{ %.*s }}", STR_ARG(str_slice(template->sources[i], 0, 120)));
    return 0;
}

static int add(struct buf *buf, struct str text, size_t output_max, struct err *err)
{
    if (text.size > output_max - buf->size)
        return err_set(err, ERR_TOO_LARGE, "the rendered text is longer than %zu bytes",
                       output_max);
    buf_add_str(buf, text);
    return 0;
}

int template_render(const struct template *template, const struct expr_scope *scope,
                    size_t output_max, struct arena *arena, struct str *out, struct err *err)
{
    if (output_max == 0)
        output_max = TEMPLATE_OUTPUT_MAX;
    struct buf buf;
    buf_init(&buf);
    int rc = add(&buf, template->literals[0], output_max, err);
    for (uint32_t i = 0; rc == 0 && i < template->count; i++) {
        const struct value *value;
        rc = eval_one(template, i, scope, arena, &value, err);
        if (rc == 0)
            rc = add(&buf, template_text(arena, value), output_max, err);
        if (rc == 0)
            rc = add(&buf, template->literals[i + 1], output_max, err);
    }
    if (rc == 0)
        *out = str_copy(arena, buf_str(&buf));
    buf_clear(&buf);
    return rc;
}

int template_eval(const struct template *template, const struct expr_scope *scope,
                  size_t output_max, struct arena *arena, const struct value **out, struct err *err)
{
    if (template_is_single(template))
        return eval_one(template, 0, scope, arena, out, err);
    struct str text;
    int rc = template_render(template, scope, output_max, arena, &text, err);
    if (rc == 0)
        *out = value_string(arena, text);
    return rc;
}

/* ---- whole trees ---- */

struct tree {
    const struct expr_scope *scope;
    struct arena *arena;
    size_t left; /* bytes that may still be made */
    struct err *err;
};

static int render_node(struct tree *tree, const struct value *value, const struct value **out);

static int render_string(struct tree *tree, const struct value *value, const struct value **out)
{
    const struct template *template;
    int rc = template_compile(tree->arena, value->string, &template, NULL, tree->err);
    if (rc == 0 && tree->left == 0)
        rc = err_set(tree->err, ERR_TOO_LARGE, "the rendered text is too long");
    if (rc == 0)
        rc = template_eval(template, tree->scope, tree->left, tree->arena, out, tree->err);
    if (rc == 0 && (*out)->type == VALUE_STRING)
        tree->left -= (*out)->string.size < tree->left ? (*out)->string.size : tree->left;
    return rc;
}

static int render_list(struct tree *tree, const struct value *value, const struct value **out)
{
    struct value *list = value_list(tree->arena);
    for (uint32_t i = 0; i < value->count; i++) {
        const struct value *item;
        int rc = render_node(tree, value->items[i], &item);
        if (rc < 0)
            return err_wrap(tree->err, rc, "[%u]", i);
        value_add(tree->arena, list, item);
    }
    *out = list;
    return 0;
}

static int render_map(struct tree *tree, const struct value *value, const struct value **out)
{
    struct value *map = value_map(tree->arena);
    for (uint32_t i = 0; i < value->count; i++) {
        const struct value *item;
        int rc = render_node(tree, value->entries[i].value, &item);
        if (rc < 0)
            return err_wrap(tree->err, rc, "%.*s",
                            STR_ARG(str_slice(value->entries[i].key, 0, 80)));
        value_put(tree->arena, map, value->entries[i].key, item);
    }
    *out = map;
    return 0;
}

static bool has_template(const struct value *value)
{
    if (value->type == VALUE_STRING)
        return !template_is_plain(value->string);
    for (uint32_t i = 0; value->type == VALUE_LIST && i < value->count; i++)
        if (has_template(value->items[i]))
            return true;
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        if (has_template(value->entries[i].value))
            return true;
    return false;
}

static int render_node(struct tree *tree, const struct value *value, const struct value **out)
{
    if (!has_template(value)) {
        *out = value;
        return 0;
    }
    if (value->type == VALUE_STRING)
        return render_string(tree, value, out);
    return value->type == VALUE_LIST ? render_list(tree, value, out) : render_map(tree, value, out);
}

int template_render_value(const struct value *value, const struct expr_scope *scope,
                          size_t output_max, struct arena *arena, const struct value **out,
                          struct err *err)
{
    struct tree tree = { scope, arena, output_max == 0 ? TEMPLATE_OUTPUT_MAX : output_max, err };
    return render_node(&tree, value, out);
}
