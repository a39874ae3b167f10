// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/observe.h"

#include "common/base/assert.h"
#include "common/log/log.h"

#include <stddef.h>

enum { LINE_EVERY_MS = 60000 };

/* A figure of the core. `airflow` is its name there, where there is one that the database's figures
 * do not show already. */
static const struct figure {
    const char *name, *airflow, *help;
    size_t offset;
    bool grows; /* a counter: 64 bits */
} figures[] = {
#define GROWS(member, airflow, help)                                                               \
    {                                                                                              \
        "headrace_" #member "_total", airflow, help, offsetof(struct core_stats, member), true     \
    }
#define GAUGE(member, airflow, help)                                                               \
    {                                                                                              \
        "headrace_" #member, airflow, help, offsetof(struct core_stats, member), false             \
    }
    GROWS(placed, "airflow_ti_start", "Attempts given to workers."),
    GROWS(ended, "airflow_ti_finish", "Attempts that ended."),
    GROWS(lost, "airflow_task_instances_without_heartbeats_killed",
          "Attempts lost with their worker."),
    GROWS(retried, NULL, "Attempts that were followed by a retry."),
    GROWS(taken_back, NULL, "Attempts taken back before they began."),
    GROWS(dropped_messages, NULL, "Messages that told of nothing that is known."),
    GROWS(looks, NULL, "Looks of waiting tasks."),
    GROWS(looks_lost, NULL, "Looks that nobody answered."),
    GROWS(notifications_delivered, NULL, "Notifications delivered."),
    GROWS(notifications_failed, NULL, "Notifications given up."),
    GAUGE(dags, NULL, "DAGs in memory."),
    GAUGE(runs_live, NULL, "Runs in memory that have not ended."),
    GAUGE(runs_queued, NULL, "Runs that wait for others of their DAG."),
    GAUGE(tasks_scheduled, NULL, "Task instances that wait for a slot."),
    GAUGE(tasks_queued, NULL, "Attempts that were given to a worker and have not begun."),
    GAUGE(tasks_running, NULL, "Attempts that run."),
    GAUGE(waiting, "airflow_triggers_running", "Task instances that wait beside the slots."),
    GAUGE(notifications_pending, NULL, "Notifications to be delivered."),
    GAUGE(timers, NULL, "Moments that the scheduler waits for."),
    GAUGE(workers, NULL, "Workers known."),
    GAUGE(credits_open, NULL, "Slots that workers offer."),
#undef GROWS
#undef GAUGE
};

struct observe {
    struct shell *shell;
    struct metrics *metrics;
    struct metric *steps[2], *renewals[2]; /* by our name and by Airflow's */
    struct metric *successes, *failures;
    struct timer line;
    void (*done)(void *owner);
    void *owner;
};

static uint64_t figure_of(const struct core_stats *stats, const struct figure *figure)
{
    const char *at = (const char *)stats + figure->offset;
    return figure->grows ? *(const uint64_t *)(const void *)at
                         : *(const uint32_t *)(const void *)at;
}

static void show(struct metrics *metrics, const char *name, const struct figure *figure,
                 double value)
{
    if (figure->grows) {
        struct metric *counter = metrics_counter(metrics, name, figure->help);
        metric_add(counter, value - metric_value(counter));
    } else {
        metric_set(metrics_gauge(metrics, name, figure->help), value);
    }
}

void observe_refresh(struct observe *observe)
{
    struct core_stats stats = core_stats(observe->shell->core);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        double value = (double)figure_of(&stats, &figures[i]);
        show(observe->metrics, figures[i].name, &figures[i], value);
        if (figures[i].airflow != NULL)
            show(observe->metrics, figures[i].airflow, &figures[i], value);
    }
}

void observe_render(struct observe *observe, struct buf *out)
{
    observe_refresh(observe);
    metrics_render(observe->metrics, "scheduler", out);
}

static void say(const struct observe *observe)
{
    struct core_stats stats = core_stats(observe->shell->core);
    log_info("figures", LOG_INT("runs", stats.runs_live),
             LOG_INT("scheduled", stats.tasks_scheduled), LOG_INT("queued", stats.tasks_queued),
             LOG_INT("running", stats.tasks_running), LOG_INT("waiting", stats.waiting),
             LOG_INT("workers", stats.workers), LOG_INT("credits", stats.credits_open),
             LOG_INT("placed", stats.placed), LOG_INT("ended", stats.ended),
             LOG_INT("lost", stats.lost), LOG_INT("retried", stats.retried),
             LOG_INT("taken_back", stats.taken_back), LOG_INT("dropped", stats.dropped_messages),
             LOG_INT("wire_dropped",
                     (int64_t)metrics_sum(observe->metrics, "headrace_wire_dropped_total")));
}

/* A standby has nothing to tell. */
static void on_line(struct timer *timer)
{
    const struct observe *observe = timer->owner;
    if (observe->shell->is_leading)
        say(observe);
}

struct observe *observe_new(struct shell *shell)
{
    struct observe *observe = calloc(1, sizeof *observe);
    ASSERT(observe != NULL);
    observe->shell = shell;
    observe->metrics = shell->metrics = metrics_new();
    observe->steps[0] = metrics_histogram(observe->metrics, "headrace_step_seconds",
                                          "Time of one event, without its commit.", NULL, 0);
    observe->steps[1] =
        metrics_histogram(observe->metrics, "airflow_scheduler_scheduler_loop_duration",
                          "Time of one event, without its commit, in seconds.", NULL, 0);
    observe->renewals[0] = metrics_counter(observe->metrics, "headrace_lease_renewals_total",
                                           "Renewals of the leader's lease.");
    observe->renewals[1] = metrics_counter(observe->metrics, "airflow_scheduler_heartbeat",
                                           "Renewals of the leader's lease.");
    observe->successes =
        metrics_counter(observe->metrics, "airflow_ti_successes", "Task instances that succeeded.");
    observe->failures =
        metrics_counter(observe->metrics, "airflow_ti_failures", "Task instances that failed.");
    timer_open(&observe->line, shell->loop, on_line, observe);
    timer_every(&observe->line, LINE_EVERY_MS);
    return observe;
}

void observe_step(struct observe *observe, double seconds)
{
    for (int i = 0; i < 2; i++)
        metric_observe(observe->steps[i], seconds);
}

void observe_notes(struct observe *observe, const struct core_note *notes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (notes[i].task < 0 || notes[i].is_known)
            continue;
        if (notes[i].state == TASK_SUCCESS)
            metric_add(observe->successes, 1);
        if (notes[i].state == TASK_FAILED)
            metric_add(observe->failures, 1);
    }
}

void observe_renewed(struct observe *observe)
{
    for (int i = 0; i < 2; i++)
        metric_add(observe->renewals[i], 1);
}

static void on_closed(void *owner)
{
    struct observe *observe = owner;
    void (*done)(void *owner) = observe->done;
    void *done_owner = observe->owner;
    metrics_free(observe->metrics);
    free(observe);
    done(done_owner);
}

void observe_close(struct observe *observe, void (*done)(void *owner), void *owner)
{
    observe->done = done;
    observe->owner = owner;
    say(observe);
    timer_close(&observe->line, on_closed);
}
