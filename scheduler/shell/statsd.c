// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/statsd.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/document_read.h"
#include "common/text/json.h"
#include "scheduler/shell/observe.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVERY_MS = 5000, DATAGRAM_MAX = 1400 /* fits into what every network carries */ };

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
    struct timer timer;
    int fd;
    bool is_asking;
    double told[OWN_COUNT],
        told_total[OWN_COUNT]; /* of each: how many, and of ms what they add up to */
    struct buf datagram;
    void (*done)(void *owner);
    void *owner;
};

/* ---- lines ----------------------------------------------------------------------------------- */

static void flush(struct statsd *statsd)
{
    if (statsd->datagram.size > 0)
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

    if (!statsd->shell->is_leading || statsd->is_asking)
        return;
    add_own(statsd);
    statsd->is_asking = true;
    document_read(statsd->shell->store, DOCUMENT_api_metrics, NULL, 0, on_gauges, statsd);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int dial(const struct conf *conf, int *out_fd, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *found = NULL;
    struct arena arena = { 0 };
    const char *host = str_cstr(&arena, conf->metrics_statsd_host);
    char port[16];

    (void)snprintf(port, sizeof port, "%d", (int)conf->metrics_statsd_port);
    int fd = -1, rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        rc = err_set(err, ERR_NOT_FOUND, "metrics.statsd_host %s: %s", host, gai_strerror(rc));
    if (rc == 0)
        fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (rc == 0 && (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0))
        rc = err_set(err, ERR_IO, "a socket to StatsD at %s: %s", host, strerror(errno));
    if (found != NULL)
        freeaddrinfo(found);
    if (rc < 0 && fd >= 0)
        (void)close(fd);
    arena_clear(&arena);
    *out_fd = fd;
    return rc;
}

int statsd_open(struct statsd **out, struct shell *shell, struct err *err)
{
    int fd;

    *out = NULL;
    if (!shell->conf->metrics_statsd_on)
        return 0;
    int rc = dial(shell->conf, &fd, err);
    if (rc < 0)
        return rc;
    struct statsd *statsd = calloc(1, sizeof *statsd);
    ASSERT(statsd != NULL);
    statsd->shell = shell;
    statsd->fd = fd;
    timer_open(&statsd->timer, shell->loop, on_time, statsd);
    timer_every(&statsd->timer, EVERY_MS);
    *out = statsd;
    return 0;
}

static void on_timer_closed(void *owner)
{
    struct statsd *statsd = owner;
    void (*done)(void *owner) = statsd->done;
    void *done_owner = statsd->owner;

    (void)close(statsd->fd);
    buf_clear(&statsd->datagram);
    free(statsd);
    done(done_owner);
}

void statsd_close(struct statsd *statsd, void (*done)(void *owner), void *owner)
{
    if (statsd == NULL) {
        done(owner);
        return;
    }
    statsd->done = done;
    statsd->owner = owner;
    timer_close(&statsd->timer, on_timer_closed);
}
