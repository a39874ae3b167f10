// SPDX-License-Identifier: Apache-2.0
/* label - what people see of an instance of a mapped task beside its index. Written with each of its rows, as it was then. */
#include "common/text/template.h"
#include "scheduler/core/core_state.h"

enum { LABEL_BYTES_MAX = 250 };

static struct str cut(struct str text)
{
    size_t size = text.size < LABEL_BYTES_MAX ? text.size : LABEL_BYTES_MAX;
    while (size > 0 && !str_is_utf8(str_slice(text, 0, size)))
        size--;
    return str_slice(text, 0, size);
}

/* A label is no reason to fail: one that cannot be made is left out, and so is one that would show a secret. */
struct str instance_label(struct core *core, struct ref ref, struct arena *arena)
{
    const struct task *task = task_at(core, ref);
    struct context_owner owner;
    struct context context;
    const struct template *template = NULL;
    struct str text = STR_EMPTY;
    if (ref.map < 0 || task->map_label.size == 0)
        return STR_EMPTY;
    context_fill(core, ref, &owner, &core->step, &context);
    struct expr_scope scope = context_scope(&context);
    if (template_compile(&core->step, task->map_label, &template, NULL, NULL) < 0 ||
        template_render(template, &scope, 0, &core->step, &text, NULL) < 0 || context.secret_count > 0)
        return STR_EMPTY;
    return cut(clean_text(arena, text));
}
