// SPDX-License-Identifier: Apache-2.0
/* durations - how long tasks and runs took and how long they waited, under Airflow's names: as
 * histograms of /metrics, in seconds, and each of them to StatsD, in milliseconds. */
#ifndef HEADRACE_DURATIONS_H
#define HEADRACE_DURATIONS_H

#include "scheduler/shell/shell.h"

/* Of zero of each, so that they are shown before the first. */
void durations_open(struct shell *shell);

/* What this batch, which is committed, has ended or begun. */
void durations_committed(struct shell *shell, const struct core_batch *batch);

#endif
