// SPDX-License-Identifier: Apache-2.0
/* errands - small jobs that schedulers give beside the slots, run by this worker's helper
 * (common/helper). A worker that restarts has forgotten them: they are given again. */
#ifndef HEADRACE_WORKER_ERRANDS_H
#define HEADRACE_WORKER_ERRANDS_H

#include "worker/shell/shell.h"

void errands_open(struct worker_shell *shell);
void errands_give(struct worker_shell *shell, const struct errand *items, uint32_t count);

#endif
