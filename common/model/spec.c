// SPDX-License-Identifier: Apache-2.0
#include "common/model/spec.h"

static const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_SUCCESS] = "success",         [OUTCOME_FAILED] = "failed",
    [OUTCOME_SKIPPED] = "skipped",         [OUTCOME_TIMED_OUT] = "timed_out",
    [OUTCOME_KILLED] = "killed",           [OUTCOME_LEASE_OVER] = "lease_over",
    [OUTCOME_NOT_STARTED] = "not_started", [OUTCOME_LOST] = "lost",
    [OUTCOME_OOM] = "out_of_memory",       [OUTCOME_OUTPUT_TOO_LARGE] = "output_too_large",
};

const char *outcome_name(enum outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? outcome_names[outcome] : "unknown";
}
