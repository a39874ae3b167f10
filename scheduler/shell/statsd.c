// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/statsd.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/loop/work.h"
#include "common/store/document_read.h"
#include "common/text/json.h"
#include "scheduler/shell/observe.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVERY_MS = 5000,
    DATAGRAM_MAX = 1400, /* fits into what every network carries */
    DIAL_AGAIN_MIN_MS = 1000,
    DIAL_AGAIN_MAX_MS = 60000,
};

/* Figures of this process, by the name that /metrics has for them. */
static const struct {
    const char *metric, *name;
    const char *type; /* c: how many since the last time; g: what it is; ms: the mean since then */
} OWN[] = {
    { "airflow_scheduler_heartbeat", "scheduler_heartbeat", "c" },
    { "airflow_ti_start", "ti.start", "c" },
    { "airflow_ti_finish", "ti.finish", "c" },
    { "airflow_ti_successes", "ti_successes", "c" },
    { "airflow_ti_failures", "ti_failures", "c" },
    { "airflow_task_instances_without_heartbeats_killed",
      "task_instances_without_heartbeats_killed", "c" },
    { "airflow_triggers_running", "triggers.running", "g" },
    { "airflow_scheduler_scheduler_loop_duration", "scheduler.scheduler_loop_duration", "ms" },
};

enum { OWN_COUNT = sizeof OWN / sizeof *OWN };

/* Gauges that the database has, behind a name the value of their label: pool.open_slots.POOL. */
static const struct {
    const char *metric, *name;
} GAUGES[] = {
    { "airflow_pool_open_slots", "pool.open_slots" },
    { "airflow_pool_scheduled_slots", "pool.scheduled_slots" },
    { "airflow_pool_queued_slots", "pool.queued_slots" },
    { "airflow_pool_running_slots", "pool.running_slots" },
    { "airflow_pool_deferred_slots", "pool.deferred_slots" },
    { "airflow_executor_open_slots", "executor.open_slots" },
    { "airflow_executor_queued_tasks", "executor.queued_tasks" },
    { "airflow_executor_running_tasks", "executor.running_tasks" },
    { "airflow_ti_scheduled", "ti.scheduled" },
    { "airflow_ti_queued", "ti.queued" },
    { "airflow_ti_running", "ti.running" },
    { "airflow_ti_deferred", "ti.deferred" },
    { "airflow_scheduler_dagruns_queued", "scheduler.dagruns.queued" },
    { "airflow_scheduler_dagruns_running", "scheduler.dagruns.running" },
    { "airflow_dagbag_size", "dagbag_size" },
    { "airflow_dag_processing_import_errors", "dag_processing.import_errors" },
};

struct statsd {
    struct shell *shell;
    struct timer timer, dial_again;
    int open_timers;
    struct arena arena;
    const char *host; /* in `arena`, as `port`: the thread that dials cannot look at the settings */
    const char *port;
    struct work dialing;
    int dialled_fd, dial_rc;
    struct err dial_err;
    int64_t wait_ms;
    int fd; /* -1: the host has not been found yet */
    bool is_asking, is_closing;
    double told[OWN_COUNT],
        told_total[OWN_COUNT]; /* of each: how many, and of ms what they add up to */
    struct buf datagram;
    void (*done)(void *owner);
    void *owner;
};

/* ---- lines ----------------------------------------------------------------------------------- */

static void flush(struct statsd *statsd)
{
    if (statsd->datagram.size > 0 && statsd->fd >= 0)
        (void)!send(statsd->fd, statsd->datagram.bytes, statsd->datagram.size, MSG_DONTWAIT);
    buf_reset(&statsd->datagram);
}

/* What StatsD takes for something of its own is an underscore. */
static void add_clean(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.size; i++)
        buf_add_byte(out, (unsigned char)text.bytes[i] <= ' ' || strchr(":|@#", text.bytes[i])
                              ? '_'
                              : text.bytes[i]);
}

static void add_line(struct statsd *statsd, const char *name, struct str value, double number,
                     const char *type)
{
    struct buf line = { 0 };

    add_clean(&line, statsd->shell->conf->metrics_statsd_prefix);
    buf_printf(&line, ".%s%s", name, value.size > 0 ? "." : "");
    add_clean(&line, value);
    buf_printf(&line, ":%.12g|%s\n", number, type);
    if (statsd->datagram.size + line.size > DATAGRAM_MAX)
        flush(statsd);
    buf_add_str(&statsd->datagram, buf_str(&line));
    buf_clear(&line);
}

/* The loop has thousands of turns a second: a line each would be the more work. */
static void add_mean(struct statsd *statsd, size_t which, double turns)
{
    double total = metrics_total(statsd->shell->metrics, OWN[which].metric);

    if (turns > 0)
        add_line(statsd, OWN[which].name, STR_EMPTY,
                 (total - statsd->told_total[which]) / turns * 1000, "ms");
    statsd->told_total[which] = total;
}

static void add_own(struct statsd *statsd)
{
    observe_refresh(statsd->shell->observe);
    for (size_t i = 0; i < OWN_COUNT; i++) {
        double now = metrics_sum(statsd->shell->metrics, OWN[i].metric);
        bool grows = strcmp(OWN[i].type, "c") == 0;
        if (strcmp(OWN[i].type, "ms") == 0)
            add_mean(statsd, i, now - statsd->told[i]);
        else
            add_line(statsd, OWN[i].name, STR_EMPTY, grows ? now - statsd->told[i] : now,
                     OWN[i].type);
        statsd->told[i] = now;
    }
}

void statsd_time(struct statsd *statsd, const char *name, double ms)
{
    if (statsd != NULL)
        add_line(statsd, name, STR_EMPTY, ms, "ms");
}

/* [name, label, value of the label, number] */
static void add_gauge(struct statsd *statsd, const struct value *row)
{
    struct str metric = value_text(row->items[0], STR_EMPTY);
    const struct value *number = row->items[3];

    for (size_t i = 0; i < sizeof GAUGES / sizeof *GAUGES; i++)
        if (str_is(metric, GAUGES[i].metric))
            add_line(statsd, GAUGES[i].name, value_text(row->items[2], STR_EMPTY),
                     number->type == VALUE_INT ? (double)number->integer : number->real, "g");
}

static void on_gauges(void *owner, int rc, struct str json, const struct err *err)
{
    struct statsd *statsd = owner;
    struct arena arena = { 0 };
    const struct value *rows = NULL;

    statsd->is_asking = false;
    if (rc == 0)
        rc = json_parse(&arena, json, NULL, &rows, NULL);
    if (rc < 0) /* the next time asks again */
        log_debug("statsd_without_gauges", LOG_ERR(err));
    for (uint32_t i = 0; rc == 0 && i < rows->count; i++)
        add_gauge(statsd, rows->items[i]);
    flush(statsd);
    arena_clear(&arena);
}

static void on_time(struct timer *timer)
{
    struct statsd *statsd = timer->owner;

    if (!statsd->shell->is_leading || statsd->is_asking || statsd->fd < 0)
        return;
    add_own(statsd);
    statsd->is_asking = true;
    document_read(statsd->shell->store, DOCUMENT_api_metrics, NULL, 0, on_gauges, statsd);
}

/* ---- dialling -------------------------------------------------------------------------------- */

/* On a thread: to look a name up may take as long as the resolver likes. */
static void dial(struct work *work)
{
    struct statsd *statsd = work->owner;
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found = NULL;
    int fd = -1, rc = getaddrinfo(statsd->host, statsd->port, &hints, &found);

    if (rc != 0)
        rc = err_set(&statsd->dial_err, ERR_NOT_FOUND, "%s", gai_strerror(rc));
    if (rc == 0)
        fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (rc == 0 && (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0))
        rc = err_set(&statsd->dial_err, ERR_IO, "%s", strerror(errno));
    if (found != NULL)
        freeaddrinfo(found);
    if (rc < 0 && fd >= 0) {
        (void)close(fd);
        fd = -1;
    }
    statsd->dial_rc = rc;
    statsd->dialled_fd = fd;
}

static void finish_close(struct statsd *statsd);

static void on_dialled(struct work *work)
{
    struct statsd *statsd = work->owner;

    statsd->fd = statsd->dialled_fd;
    if (statsd->is_closing) {
        finish_close(statsd);
        return;
    }
    if (statsd->dial_rc == 0) {
        log_info("statsd_found", LOG_STR("host", statsd->host), LOG_STR("port", statsd->port));
        return;
    }
    if (statsd->wait_ms == 0) /* said once: figures are no reason to fill a log */
        log_warn("statsd_not_found", LOG_STR("host", statsd->host), LOG_STR("port", statsd->port),
                 LOG_ERR(&statsd->dial_err),
                 LOG_STR("hint", "metrics.statsd_host; it is looked for again"));
    statsd->wait_ms = statsd->wait_ms == 0 ? DIAL_AGAIN_MIN_MS : statsd->wait_ms * 2;
    if (statsd->wait_ms > DIAL_AGAIN_MAX_MS)
        statsd->wait_ms = DIAL_AGAIN_MAX_MS;
    timer_once(&statsd->dial_again, statsd->wait_ms);
}

static void on_dial(struct timer *timer)
{
    struct statsd *statsd = timer->owner;

    loop_work(statsd->shell->loop, &statsd->dialing, dial, on_dialled, statsd);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct statsd *statsd_open(struct shell *shell)
{
    if (!shell->conf->metrics_statsd_on)
        return NULL;
    struct statsd *statsd = calloc(1, sizeof *statsd);
    ASSERT(statsd != NULL);
    statsd->shell = shell;
    statsd->fd = -1;
    statsd->host = str_cstr(&statsd->arena, shell->conf->metrics_statsd_host);
    statsd->port = str_format(&statsd->arena, "%d", (int)shell->conf->metrics_statsd_port).bytes;
    timer_open(&statsd->timer, shell->loop, on_time, statsd);
    timer_open(&statsd->dial_again, shell->loop, on_dial, statsd);
    statsd->open_timers = 2;
    timer_every(&statsd->timer, EVERY_MS);
    timer_once(&statsd->dial_again, 0);
    return statsd;
}

static void on_timer_closed(void *owner)
{
    struct statsd *statsd = owner;

    if (--statsd->open_timers > 0)
        return;
    void (*done)(void *owner) = statsd->done;
    void *done_owner = statsd->owner;

    if (statsd->fd >= 0)
        (void)close(statsd->fd);
    buf_clear(&statsd->datagram);
    arena_clear(&statsd->arena);
    free(statsd);
    done(done_owner);
}

static void finish_close(struct statsd *statsd)
{
    timer_close(&statsd->timer, on_timer_closed);
    timer_close(&statsd->dial_again, on_timer_closed);
}

void statsd_close(struct statsd *statsd, void (*done)(void *owner), void *owner)
{
    if (statsd == NULL) {
        done(owner);
        return;
    }
    statsd->done = done;
    statsd->owner = owner;
    statsd->is_closing = true;
    timer_stop(&statsd->timer);
    timer_stop(&statsd->dial_again);
    if (!statsd->dialing.is_running) /* else its end comes by here */
        finish_close(statsd);
}
