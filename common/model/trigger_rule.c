// SPDX-License-Identifier: Apache-2.0
#include "common/model/trigger_rule.h"

#include "common/base/assert.h"

static const char *const rule_names[RULE_COUNT] = {
    [RULE_ALL_SUCCESS] = "all_success",
    [RULE_ALL_FAILED] = "all_failed",
    [RULE_ALL_DONE] = "all_done",
    [RULE_ALL_DONE_MIN_ONE_SUCCESS] = "all_done_min_one_success",
    [RULE_ALL_SKIPPED] = "all_skipped",
    [RULE_ONE_SUCCESS] = "one_success",
    [RULE_ONE_FAILED] = "one_failed",
    [RULE_ONE_DONE] = "one_done",
    [RULE_NONE_FAILED] = "none_failed",
    [RULE_NONE_FAILED_MIN_ONE_SUCCESS] = "none_failed_min_one_success",
    [RULE_NONE_SKIPPED] = "none_skipped",
    [RULE_ALWAYS] = "always",
};

const char *trigger_rule_name(enum trigger_rule rule)
{
    return (unsigned)rule < RULE_COUNT ? rule_names[rule] : "unknown";
}

int trigger_rule_parse(struct str name, enum trigger_rule *out)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        if (str_is(name, rule_names[i])) {
            *out = (enum trigger_rule)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

static uint32_t *counter_of(struct upstream_counts *counts, enum task_state state)
{
    switch (state) {
    case TASK_SUCCESS:
        return &counts->success;
    case TASK_FAILED:
        return &counts->failed;
    case TASK_UPSTREAM_FAILED:
        return &counts->upstream_failed;
    case TASK_SKIPPED:
        return &counts->skipped;
    case TASK_REMOVED:
        return &counts->removed;
    default:
        UNREACHABLE();
    }
}

void upstream_counts_add(struct upstream_counts *counts, enum task_state state)
{
    (*counter_of(counts, state))++;
    counts->done++;
    ASSERT(counts->done <= counts->total);
}

void upstream_counts_replace(struct upstream_counts *counts, const struct upstream_counts *before,
                             const struct upstream_counts *after)
{
    counts->total += after->total - before->total;
    counts->success += after->success - before->success;
    counts->failed += after->failed - before->failed;
    counts->upstream_failed += after->upstream_failed - before->upstream_failed;
    counts->skipped += after->skipped - before->skipped;
    counts->removed += after->removed - before->removed;
    counts->done += after->done - before->done;
    ASSERT(counts->done <= counts->total);
}

/* What a rule looks at, removed tasks left out. */
struct tally {
    uint32_t total, success, failed, bad, skipped, rest; /* bad = failed + upstream_failed */
};

static enum verdict verdict_at_end(enum trigger_rule rule, const struct tally *t)
{
    switch (rule) {
    case RULE_ALL_SUCCESS:
        return t->skipped > 0 ? VERDICT_SKIP : VERDICT_RUN;
    case RULE_ALL_DONE_MIN_ONE_SUCCESS:
        return t->success > 0 ? VERDICT_RUN : VERDICT_UPSTREAM_FAILED;
    case RULE_ONE_SUCCESS:
        return t->skipped == t->total ? VERDICT_SKIP : VERDICT_UPSTREAM_FAILED;
    case RULE_ONE_FAILED:
    case RULE_ONE_DONE:
        return VERDICT_SKIP;
    case RULE_NONE_FAILED_MIN_ONE_SUCCESS:
        return t->skipped == t->total ? VERDICT_SKIP : VERDICT_RUN;
    default:
        return VERDICT_RUN; /* nothing spoke against it while it ended */
    }
}

/* What is certain whatever the rest does. */
static enum verdict verdict_early(enum trigger_rule rule, const struct tally *t)
{
    switch (rule) {
    case RULE_ALL_SUCCESS:
    case RULE_NONE_FAILED:
    case RULE_NONE_FAILED_MIN_ONE_SUCCESS:
        return t->bad > 0 ? VERDICT_UPSTREAM_FAILED : VERDICT_WAIT;
    case RULE_ALL_FAILED:
        return t->success + t->skipped > 0 ? VERDICT_SKIP : VERDICT_WAIT;
    case RULE_ALL_SKIPPED:
        return t->success + t->bad > 0 ? VERDICT_SKIP : VERDICT_WAIT;
    case RULE_ALL_DONE_MIN_ONE_SUCCESS: /* as in Airflow: what was skipped was not done */
    case RULE_NONE_SKIPPED:
        return t->skipped > 0 ? VERDICT_SKIP : VERDICT_WAIT;
    case RULE_ONE_SUCCESS:
        return t->success > 0 ? VERDICT_RUN : VERDICT_WAIT;
    case RULE_ONE_FAILED:
        return t->bad > 0 ? VERDICT_RUN : VERDICT_WAIT;
    case RULE_ONE_DONE:
        return t->success + t->failed > 0 ? VERDICT_RUN : VERDICT_WAIT;
    case RULE_ALWAYS:
        return VERDICT_RUN;
    default:
        return VERDICT_WAIT;
    }
}

static struct tally tally_of(const struct upstream_counts *counts)
{
    ASSERT(counts->done == counts->success + counts->failed + counts->upstream_failed +
                               counts->skipped + counts->removed);
    return (struct tally) {
        .total = counts->total - counts->removed,
        .success = counts->success,
        .failed = counts->failed,
        .bad = counts->failed + counts->upstream_failed,
        .skipped = counts->skipped,
        .rest = counts->total - counts->done,
    };
}

enum verdict trigger_rule_verdict(enum trigger_rule rule, const struct upstream_counts *counts)
{
    struct tally tally = tally_of(counts);
    if (tally.total == 0)
        return VERDICT_RUN;
    enum verdict early = verdict_early(rule, &tally);
    if (early != VERDICT_WAIT || tally.rest > 0)
        return early;
    return verdict_at_end(rule, &tally);
}

enum verdict teardown_verdict(const struct upstream_counts *counts,
                              const struct upstream_counts *setups)
{
    if (counts->done < counts->total || setups->done < setups->total)
        return VERDICT_WAIT;
    if (setups->success > 0 || setups->total == setups->removed)
        return VERDICT_RUN;
    return setups->skipped + setups->removed == setups->total ? VERDICT_SKIP
                                                              : VERDICT_UPSTREAM_FAILED;
}

enum verdict scoped_verdict(enum trigger_rule rule, enum verdict own,
                            const struct upstream_counts *setups)
{
    if (rule == RULE_ALWAYS)
        return own;
    if (setups->failed + setups->upstream_failed > 0)
        return VERDICT_UPSTREAM_FAILED;
    bool done = setups->done == setups->total;
    if (setups->skipped > 0)
        return done ? VERDICT_SKIP : VERDICT_WAIT;
    return done || own != VERDICT_RUN ? own : VERDICT_WAIT;
}
