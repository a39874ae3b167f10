// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/durations.h"

#include "common/metrics/metrics.h"
#include "scheduler/shell/statsd.h"

enum duration { TASK_TOOK, TASK_QUEUED_FOR, RUN_SUCCEEDED_IN, RUN_FAILED_IN, RUN_BEGAN_AFTER };

static const struct {
    const char *metric, *name, *help;
} DURATIONS[] = {
    [TASK_TOOK] = { "airflow_task_duration", "task.duration",
                    "From the begin of a try to its end." },
    [TASK_QUEUED_FOR] = { "airflow_task_queued_duration", "task.queued_duration",
                          "From the moment a try was given to a worker to its begin." },
    [RUN_SUCCEEDED_IN] = { "airflow_dagrun_duration_success", "dagrun.duration.success",
                           "From the begin of a run to its good end." },
    [RUN_FAILED_IN] = { "airflow_dagrun_duration_failed", "dagrun.duration.failed",
                        "From the begin of a run to its failure." },
    [RUN_BEGAN_AFTER] = { "airflow_dagrun_schedule_delay", "dagrun.schedule_delay",
                          "From the moment a scheduled run was due to its begin." },
};

enum { DURATION_COUNT = sizeof DURATIONS / sizeof *DURATIONS };

/* Tasks take longer than steps: up to a day. */
static const double BOUNDS[] = { 0.01, 0.05, 0.1, 0.5, 1,    5,     10,
                                 30,   60,   300, 900, 3600, 14400, 86400 };

static struct metric *histogram(struct shell *shell, enum duration which)
{
    return metrics_histogram(shell->metrics, DURATIONS[which].metric, DURATIONS[which].help, BOUNDS,
                             sizeof BOUNDS / sizeof *BOUNDS);
}

void durations_open(struct shell *shell)
{
    for (int i = 0; i < DURATION_COUNT; i++)
        (void)histogram(shell, (enum duration)i);
}

/* 0 is no time. A worker's clock may be ahead of the database's: nothing took less than none. */
static void observe_between(struct shell *shell, enum duration which, int64_t from_ms,
                            int64_t to_ms)
{
    if (from_ms == 0 || to_ms == 0)
        return;
    double took_ms = to_ms > from_ms ? (double)(to_ms - from_ms) : 0;
    metric_observe(histogram(shell, which), took_ms / 1000);
    statsd_time(shell->statsd, DURATIONS[which].name, took_ms);
}

/* What waits beside the slots has a row that ends too, but not its try. */
static void try_ended(struct shell *shell, const struct try_row *try)
{
    if (!task_state_is_final(try->state) && try->state != TASK_UP_FOR_RETRY)
        return;
    observe_between(shell, TASK_TOOK, try->started_ms, try->ended_ms);
    if (try->ended_ms > 0)
        observe_between(shell, TASK_QUEUED_FOR, try->queued_ms, try->started_ms);
}

/* A run that is cleared was due long ago; one that is being stopped is written once more. */
static void run_changed(struct shell *shell, const struct run_row *run)
{
    bool begins =
        run->state == RUN_RUNNING && run->cause != CAUSE_CLEARED && run->cause != CAUSE_RUN_STOPPED;
    if (begins && run->type == RUN_SCHEDULED)
        observe_between(shell, RUN_BEGAN_AFTER, run->run_after_ms, run->started_ms);
    if (run->state == RUN_SUCCESS)
        observe_between(shell, RUN_SUCCEEDED_IN, run->started_ms, run->ended_ms);
    if (run->state == RUN_FAILED)
        observe_between(shell, RUN_FAILED_IN, run->started_ms, run->ended_ms);
}

void durations_committed(struct shell *shell, const struct core_batch *batch)
{
    for (uint32_t i = 0; i < batch->write_count; i++) {
        const struct record *record = &batch->writes[i];
        if (record->type == WRITE_TRY_ENDED)
            try_ended(shell, &record->try);
        if (record->type == WRITE_RUN_STATE)
            run_changed(shell, &record->run);
    }
}
