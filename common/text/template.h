// SPDX-License-Identifier: Apache-2.0
/* template - text with {{ expressions }} in it.
 *
 * A value becomes text like this: text as it is, everything else as JSON (true, 3, null, [1,2]). To
 * write {{ itself, use
 * {{ "{{" }}. There are no statements: {% if %} is refused and says what to write instead. */
#ifndef HEADRACE_TEMPLATE_H
#define HEADRACE_TEMPLATE_H

#include "common/text/expr.h"

struct template; /* compiled; immutable, lives in the arena it was compiled in; borrows its text */

enum { TEMPLATE_OUTPUT_MAX = 4 << 20 };

/* On failure *out_at, unless NULL, is the byte offset in `text` of what is wrong. */
MUST_USE int template_compile(struct arena *arena, struct str text, const struct template **out,
                              uint32_t *out_at, struct err *err);

/* True when `text` has no {{ at all, so that it renders to itself. */
bool template_is_plain(struct str text);

/* The expressions, in order, and where each begins in the text. */
struct template_expr {
    const struct expr *expr;
    uint32_t at; /* its paths (expr_path.at) count from the begin of the text as well */
};

const struct template_expr *template_exprs(const struct template *template, uint32_t *out_count);

/* True when the template is exactly one expression, blanks around it aside. */
bool template_is_single(const struct template *template);

/* Renders to text in `arena`. ERR_TOO_LARGE when it would be longer than `output_max` (0:
 * TEMPLATE_OUTPUT_MAX). Errors are wrapped with the expression they come from. */
MUST_USE int template_render(const struct template *template, const struct expr_scope *scope,
                             size_t output_max, struct arena *arena, struct str *out,
                             struct err *err);

/* The value itself (list, number ...) when the template is one single expression; else the rendered
 * text as a value. */
MUST_USE int template_eval(const struct template *template, const struct expr_scope *scope,
                           size_t output_max, struct arena *arena, const struct value **out,
                           struct err *err);

/* Compiles and renders every string inside `value`, at any depth; map keys stay as they are.
 * Strings that are one single expression become its value. Parts without templates are shared with
 * `value`. `output_max` bounds the sum of all texts. */
MUST_USE int template_render_value(const struct value *value, const struct expr_scope *scope,
                                   size_t output_max, struct arena *arena, const struct value **out,
                                   struct err *err);

/* How a value looks inside text. Lives in `arena`, or is the value's own string. */
struct str template_text(struct arena *arena, const struct value *value);

#endif
