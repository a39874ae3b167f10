// SPDX-License-Identifier: Apache-2.0
/* label - what people see of an instance of a mapped task beside its index. Written with each of
 * its rows, as it was then. */
#include "common/text/template.h"
#include "scheduler/core/core_calls.h"

enum { LABEL_BYTES_MAX = 250 };

/* A label is no reason to fail: one that cannot be made is left out, and so is one that would show
 * a secret. */
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
        template_render(template, &scope, 0, &core->step, &text, NULL) < 0 ||
        context.secret_count > 0)
        return STR_EMPTY;
    return str_cut(str_clean(arena, text), LABEL_BYTES_MAX);
}
