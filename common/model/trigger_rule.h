// SPDX-License-Identifier: Apache-2.0
/* trigger_rule - may a task start, given how its upstream tasks ended? Airflow's twelve rules,
 * decided from counters alone in constant time, and as soon as no further ending can change the
 * answer.
 *
 * The answer never depends on the order of endings. Where Airflow's does (a skip and a failure
 * under all_success), a failure outweighs a skip, so a skip is not passed on before the rest has
 * ended without a failure. */
#ifndef HEADRACE_TRIGGER_RULE_H
#define HEADRACE_TRIGGER_RULE_H

#include "common/model/dag.h"

/* Of a task's direct upstream tasks, each instance of a mapped one. `done` is the sum of the five
 * before it. */
struct upstream_counts {
    uint32_t total;
    uint32_t success, failed, upstream_failed, skipped, removed;
    uint32_t done;
};

enum verdict {
    VERDICT_WAIT,
    VERDICT_RUN,
    VERDICT_SKIP,
    VERDICT_UPSTREAM_FAILED,
};

/* Counts one more ending; `state` is final. */
void upstream_counts_add(struct upstream_counts *counts, enum task_state state);

/* `counts` holds what `before` says: now it holds `after` in its stead. */
void upstream_counts_replace(struct upstream_counts *counts, const struct upstream_counts *before,
                             const struct upstream_counts *after);

/* The rule's answer. Removed tasks count as if they were not there; with no upstream task every
 * rule says run. */
enum verdict trigger_rule_verdict(enum trigger_rule rule, const struct upstream_counts *counts);

/* The answer for a teardown, which has a rule of its own: when everything upstream is done it runs
 * if one of its setups succeeded, is skipped if they were all skipped, else upstream_failed.
 * `setups` counts its setup tasks alone. */
enum verdict teardown_verdict(const struct upstream_counts *counts,
                              const struct upstream_counts *setups);

/* What remains of the answer of a task's own rule when it lies in the scope of setups that are not
 * directly before it: it does not run before they have succeeded, and without them not at all,
 * unless its rule is `always`. */
enum verdict scoped_verdict(enum trigger_rule rule, enum verdict own,
                            const struct upstream_counts *setups);

#endif
