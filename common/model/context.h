// SPDX-License-Identifier: Apache-2.0
/* context - what the names in an expression of a DAG mean for one run, one task, one instance of
 * it: ds, params.x, xcom.t, conn.id.host and the rest of docs' list. It reads what it needs when it
 * is asked, so that nothing is built in vain, and remembers which secrets were handed out, so that
 * the log can mask them. */
#ifndef HEADRACE_CONTEXT_H
#define HEADRACE_CONTEXT_H

#include "common/base/id.h"
#include "common/model/dag.h"
#include "common/text/expr.h"

/* Where a context finds what is outside of its run's own fields. Any may be NULL: then there is
 * none. */
struct context_source {
    void *owner;

    /* The output of a task of this run: of all its instances as a list, if it is mapped.
     * ERR_NOT_FOUND (err may say more) when it has none. */
    int (*output)(void *owner, uint32_t task, struct arena *arena, const struct value **out,
                  struct err *err);

    /* NULL when there is none. *out_secret: its name or its owner says that it must be masked. */
    const struct value *(*variable)(void *owner, struct str key, bool *out_secret);
    const struct value *(*connection)(void *owner, struct str id);
};

struct context {
    const struct dag *dag;
    const struct task *task; /* NULL: of the run as a whole */
    struct str run_id;
    enum run_type run_type;
    bool has_logical;
    int64_t logical_ms;
    int64_t interval_start_ms, interval_end_ms; /* both 0: none */
    const struct value *conf, *params;          /* maps; NULL = empty */
    uint16_t try_no;
    int32_t map_index;
    const struct value *item; /* of a mapped instance; NULL = none */
    bool has_prev_success;
    int64_t prev_success_end_ms;
    struct id128 attempt;
    uint64_t fence;
    struct context_source source;

    /* What was handed out and must not be shown; grows in `arena`, which the owner sets. */
    struct arena *arena;
    struct str *secrets;
    uint32_t secret_count, secret_capacity;
    int depth; /* of env values that read each other */
};

/* The scope to evaluate with; borrows the context. Failures of a lookup are ERR_NOT_FOUND with a
 * sentence that says why. */
struct expr_scope context_scope(struct context *context);

/* The root names, for compile-time checks and completion. */
const struct str *context_names(uint32_t *out_count);

/* Marks a text as one that logs must not show. Texts shorter than three bytes are not masked: they
 * would hide everything. */
void context_secret(struct context *context, struct str text);

/* Whether a name looks like that of a secret: password, token, api_key ... */
bool context_name_is_secret(struct str name);

/* "2026-01-01T02:00:00+00:00", as `ts` and the environment show times. */
struct str context_time(struct arena *arena, int64_t unix_ms);

#endif
