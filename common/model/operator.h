// SPDX-License-Identifier: Apache-2.0
/* operator - turns a task and its context into the spec of one attempt: argv, environment, standard
 * input, all templates rendered, with the list of what the log must not show. */
#ifndef HEADRACE_OPERATOR_H
#define HEADRACE_OPERATOR_H

#include "common/model/context.h"
#include "common/model/spec.h"

enum { SKIP_EXIT_CODE = 99 };

/* Whether a worker runs it. The others (empty, branch, short_circuit, trigger_dag, wait_for) end
 * inside the scheduler. */
bool operator_needs_worker(enum operator_kind kind);

/* *out lives in `arena` and borrows from the dag. context->arena must be `arena` too. Errors say
 * which field of the task could not be rendered and why. */
MUST_USE int operator_spec(struct context *context, int64_t max_output_bytes, struct arena *arena,
                           struct spec *out, struct err *err);

#endif
