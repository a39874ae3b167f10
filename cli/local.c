// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"

#include "cli/local_errands.h"
#include "cli/process.h"
#include "common/base/assert.h"
#include "common/conf/conf.h"
#include "common/loop/loop.h"
#include "scheduler/settings/core_limits.h"
#include "worker/translate/translate.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WARDEN_WAIT_MS = 5000, IDLE_MS = 500, LOG_PART = 65536 };

static const struct id128 boot = { 1, 1 };

static void core_do(struct local *local, struct core_event *event);
static void worker_do(struct local *local, struct worker_event *event);

static struct local_attempt *find(struct local *local, struct id128 attempt)
{
    VEC_EACH (&local->attempts, i) {
        if (id_eq(local->attempts.items[i].attempt, attempt))
            return &local->attempts.items[i];
    }
    return NULL;
}

/* ---- the worker's half ---- */

static void start_attempt(struct local *local, const struct worker_do *order)
{
    const struct core_send *send = local->grant;
    struct warden_message start = { .type = WARDEN_START,
                                    .attempt = order->attempt,
                                    .deadline_ms = order->deadline_ms };
    struct str name = send->grant.task_id;
    struct result result;

    ASSERT(send != NULL && id_eq(send->grant.attempt, order->attempt));
    if (local->on_start != NULL && local->on_start(local, send, &result)) {
        VEC_ADD(&local->made_up, (struct local_made_up) { order->attempt, result });
        return;
    }
    if (send->grant.map_index >= 0)
        name = str_format(&local->arena, "%.*s[%d]", STR_ARG(name), (int)send->grant.map_index);
    else
        name = str_copy(&local->arena, name);
    start.task = translate_spec(send->grant.spec, local->conf, &local->arena);
    VEC_ADD(&local->attempts, (struct local_attempt) { .attempt = order->attempt, .name = name });
    warden_client_queue(&local->warden, &start);
}

static void worker_order(struct local *local, const struct worker_do *order)
{
    struct warden_message message = { .attempt = order->attempt,
                                      .deadline_ms = order->deadline_ms,
                                      .grace_ms = -1 };

    switch (order->type) {
    case WORKER_DO_START:
        start_attempt(local, order);
        break;
    case WORKER_DO_DEADLINE:
        message.type = WARDEN_DEADLINE;
        warden_client_queue(&local->warden, &message);
        break;
    case WORKER_DO_KILL:
        message.type = WARDEN_KILL;
        warden_client_queue(&local->warden, &message);
        break;
    case WORKER_DO_INVENTORY:
        local->inventory_wanted = true;
        break;
    case WORKER_DO_FORGET:
        message.type = WARDEN_FORGET;
        warden_client_queue(&local->warden, &message);
        break;
    case WORKER_DO_REPORT_STARTED:
    case WORKER_DO_REFUSE:
    case WORKER_DO_EXIT:
        break;
    }
}

static void worker_do(struct local *local, struct worker_event *event)
{
    struct worker_out out;

    event->now_ms = loop_now_ms();
    worker_core_step(local->worker, event, &out);
    for (uint32_t i = 0; i < out.count; i++)
        worker_order(local, &out.items[i]);
}

static void send_inventory(struct local *local)
{
    struct worker_inventory in;
    struct arena arena = { 0 };

    local->inventory_wanted = false;
    worker_core_inventory(local->worker, loop_now_ms(), &in);
    struct core_attempt_report *reports =
        ARENA_ARRAY(&arena, struct core_attempt_report, in.attempt_count);
    for (uint32_t i = 0; i < in.attempt_count; i++)
        reports[i] =
            (struct core_attempt_report) { in.attempts[i].attempt,
                                           { in.attempts[i].incarnation, in.attempts[i].seq },
                                           in.attempts[i].ended,
                                           in.attempts[i].result };
    struct core_inventory inventory = {
        .worker = STR("local"),
        .name = STR("local"),
        .host = STR("localhost"),
        .version = STR(HEADRACE_VERSION),
        .queues = local->queues,
        .boot = boot,
        .incarnation = in.incarnation,
        .epoch = in.epoch,
        .sent_ms = in.sent_ms,
        .slots = in.slots,
        .next_seq = in.next_seq,
        .open_seqs = in.open_seqs,
        .open_count = in.open_count,
        .attempts = reports,
        .attempt_count = in.attempt_count,
    };
    core_do(local, &(struct core_event) { .type = CORE_INVENTORY, .inventory = &inventory });
    arena_clear(&arena);
}

/* ---- the scheduler's half ---- */

static void deliver(struct local *local, const struct core_send *send)
{
    struct worker_event event = { .epoch = send->epoch };

    switch (send->type) {
    case SEND_GRANT:
        event.type = WORKER_GRANT;
        event.grant =
            (struct worker_grant) { send->grant.attempt,       send->grant.credit.incarnation,
                                    send->grant.credit.seq,    send->grant.stamp_ms,
                                    send->grant.credit_ttl_ms, send->grant.lease_ms };
        break;
    case SEND_ACK:
        event.type = WORKER_ACK;
        event.ack.attempts = send->ack.attempts;
        event.ack.count = send->ack.count;
        break;
    case SEND_KILL:
        event.type = WORKER_KILL;
        event.kill.attempt = send->kill.attempt;
        break;
    case SEND_SYNC:
        event.type = WORKER_SYNC;
        break;
    case SEND_RENEWED:
        event.type = WORKER_RENEWED;
        event.renewed.stamp_ms = send->renewed.stamp_ms;
        event.renewed.lease_ms = send->renewed.lease_ms;
        break;
    case SEND_DRAIN:
        event.type = WORKER_DRAIN;
        event.drain.drain = send->drain.drain;
        break;
    case SEND_FIND:
        VEC_ADD(&local->finds, send->find);
        break;
    case SEND_ERRANDS:
        local_errands_give(local->errands, send->errands.items, send->errands.count);
        return;
    case SEND_PROBED:
    case SEND_SCALE:
    case SEND_STOP:
        return;
    }
    local->grant = send;
    worker_do(local, &event);
    local->grant = NULL;
}

static void take_record(struct local *local, const struct record *record)
{
    if (record->type == WRITE_REQUEST_DONE && record->request.code != 0)
        local->run_is_over = local->is_refused = true;
    if (record->type == WRITE_RUN_STATE && record->run.dag_no == 1) {
        local->run_is_good = record->run.state == RUN_SUCCESS;
        local->run_is_over = local->run_is_good || record->run.state == RUN_FAILED;
    }
    if (record->type == WRITE_RUN_CREATE && record->run.dag_no == 1)
        local->run_no = record->run.run_no;
    local->on_record(local, record);
}

/* A batch is "committed" as soon as it is given; the core hears of it before anything else. */
static void core_do(struct local *local, struct core_event *event)
{
    struct core_out out;

    event->now_ms = loop_now_ms();
    event->wall_ms = loop_wall_ms();
    core_step(local->core, event, &out);
    for (uint32_t i = 0; i < out.send_count; i++)
        deliver(local, &out.sends[i]);
    if (out.commit == NULL)
        return;
    for (uint32_t i = 0; i < out.commit->write_count; i++)
        take_record(local, &out.commit->writes[i]);
    local->committed = out.commit->batch_no;
}

/* ---- logs ---- */

/* What is new in an attempt's log file: "<unix ms> <O|E|S> text" a line, whole lines only. */
static void show_log(struct local *local, struct local_attempt *attempt)
{
    struct arena arena = { 0 };
    char id[ID_TEXT_SIZE];
    struct str rest, line, head;
    char *bytes = arena_alloc(&arena, LOG_PART);

    id_text(attempt->attempt, id);
    int fd = open(str_format(&arena, "%s/attempts/%s/log", local->spool, id).bytes,
                  O_RDONLY | O_CLOEXEC);
    for (ssize_t size; fd >= 0 && (size = pread(fd, bytes, LOG_PART, attempt->log_offset)) > 0;) {
        const char *end = memrchr(bytes, '\n', (size_t)size);
        if (end == NULL)
            break;
        rest = (struct str) { bytes, (size_t)(end - bytes) };
        attempt->log_offset += (end - bytes) + 1;
        while (str_split(&rest, '\n', &line)) {
            (void)str_split(&line, ' ', &head);
            if (line.bytes != NULL && line.size >= 2)
                local->on_line(local, attempt->name, line.bytes[0], str_slice(line, 2, line.size));
        }
    }
    if (fd >= 0)
        (void)close(fd);
    arena_clear(&arena);
}

/* ---- the warden's word ---- */

static void take_message(struct local *local, const struct warden_message *message)
{
    struct local_attempt *attempt = find(local, message->attempt);

    if (attempt == NULL)
        return;
    if (message->type == WARDEN_STARTED)
        worker_do(local, &(struct worker_event) { .type = WORKER_STARTED,
                                                  .started = { message->attempt } });
    if (message->type == WARDEN_LOG || message->type == WARDEN_ENDED)
        show_log(local, attempt);
    if (message->type == WARDEN_ENDED) {
        struct result result = translate_result(&message->result);
        worker_do(local, &(struct worker_event) { .type = WORKER_ENDED,
                                                  .ended = { message->attempt, result } });
    }
}

static void tell_made_up(struct local *local)
{
    struct local_made_up *next = &local->made_up.items[local->made_up_told++];

    next->result.started_unix_ms = next->result.ended_unix_ms = loop_wall_ms();
    worker_do(local, &(struct worker_event) { .type = WORKER_ENDED,
                                              .ended = { next->attempt, next->result } });
}

static int receive(struct local *local, struct err *err)
{
    struct warden_message message;
    int rc;

    while ((rc = warden_client_receive(&local->warden, &message, err)) > 0)
        take_message(local, &message);
    return rc < 0 ? err_wrap(err, rc, "listening to the warden") : 0;
}

static int64_t wait_ms(const struct local *local)
{
    int64_t core_at = core_wake_at_ms(local->core),
            worker_at = worker_core_wake_at_ms(local->worker);
    int64_t left = (core_at < worker_at ? core_at : worker_at) - loop_now_ms();

    return left < 0 ? 0 : left > IDLE_MS ? IDLE_MS : left;
}

static void take_answers(struct local *local)
{
    struct arena arena = { 0 };
    const struct errand_answer *answers;
    uint32_t count =
        local->committed == 0 ? local_errands_take(local->errands, &arena, &answers) : 0;

    if (count > 0)
        core_do(local, &(struct core_event) { .type = CORE_ERRANDS_DONE,
                                              .errands = { STR("local"), answers, count } });
    arena_clear(&arena);
}

static int wait_for_something(struct local *local, struct err *err)
{
    struct pollfd poll_fds[2] = { { .fd = local->warden.fd, .events = POLLIN },
                                  { .fd = local_errands_fd(local->errands), .events = POLLIN } };
    int rc = warden_client_flush(&local->warden, err);

    if (rc < 0)
        return err_wrap(err, rc, "talking to the warden");
    if (warden_client_wants_write(&local->warden))
        poll_fds[0].events |= POLLOUT;
    (void)poll(poll_fds, 2, (int)wait_ms(local));
    rc = receive(local, err);
    take_answers(local);
    if (core_wake_at_ms(local->core) <= loop_now_ms() && local->committed == 0)
        core_do(local, &(struct core_event) { .type = CORE_TICK });
    if (worker_core_wake_at_ms(local->worker) <= loop_now_ms())
        worker_do(local, &(struct worker_event) { .type = WORKER_TICK });
    return rc;
}

/* ---- life ---- */

/* One worker, which is there already, and a DAG that was asked for. */
static struct core_limits limits_of(const struct conf *conf)
{
    struct core_limits limits = core_limits_of(conf);

    limits.runs_max = 1000;
    limits.workers_max = 1;
    limits.join_settle_ms = 0;
    limits.paused_upon_creation = false;
    return limits;
}

static int start_warden(struct local *local, const char *program, struct err *err)
{
    int64_t until_ms = loop_now_ms() + WARDEN_WAIT_MS;
    int rc = warden_spawn(program, local->spool, &local->warden_pid, err);

    if (rc < 0)
        return rc;
    while ((rc = warden_client_open(&local->warden, local->spool, err)) < 0 &&
           loop_now_ms() < until_ms)
        process_sleep_ms(5);
    return rc;
}

int local_open(struct local *local, const struct conf *conf, const char *program,
               const char *task_program, const char *spool, struct err *err)
{
    struct core_limits limits = limits_of(conf);
    struct worker_limits worker = { .slots = (uint32_t)conf->worker_slots,
                                    .inventory_ms = conf->worker_inventory_interval_ms,
                                    .incarnation = 1 };

    local->conf = conf;
    local->spool = spool;
    local->warden.fd = -1;
    local->errands = local_errands_new(task_program);
    local->core = core_new(&limits);
    local->worker = worker_core_new(&worker);
    int rc = start_warden(local, program, err);
    if (rc < 0)
        return rc;
    core_do(local, &(struct core_event) {
                       .type = CORE_LED,
                       .led = { .epoch = 1,
                                .seed = (uint64_t)loop_wall_ms() ^ (uint64_t)getpid() << 32,
                                .run_no_next = RUN_NO_MIN(loop_wall_ms() / 86400000) + 1,
                                .worker_no_next = 1 } });
    core_do(local, &(struct core_event) { .type = CORE_POOL,
                                          .pool = { .name = STR("default_pool"),
                                                    .slots = limits.default_pool_slots } });
    return 0;
}

void local_variable(struct local *local, struct str key, const struct value *value)
{
    core_do(local, &(struct core_event) { .type = CORE_VARIABLE,
                                          .variable = { .key = key, .value = value } });
}

void local_connection(struct local *local, struct str id, const struct value *map)
{
    core_do(local, &(struct core_event) { .type = CORE_CONNECTION,
                                          .connection = { .id = id, .value = map } });
}

/* Pools and queues are settings of a cluster; here every pool is wide and the one worker serves
 * every queue. */
static void allow_places(struct local *local, const struct dag *dag)
{
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        struct str rest = local->queues, queue;
        bool is_known = false;

        while (rest.size > 0 && str_split(&rest, ',', &queue))
            is_known |= str_eq(queue, task->queue);
        if (!is_known)
            local->queues = str_format(&local->arena, "%.*s%s%.*s", STR_ARG(local->queues),
                                       local->queues.size > 0 ? "," : "", STR_ARG(task->queue));
        if (!str_is(task->pool, "default_pool"))
            core_do(local,
                    &(struct core_event) {
                        .type = CORE_POOL,
                        .pool = { .name = str_copy(&local->arena, task->pool), .slots = -1 } });
    }
}

void local_dag(struct local *local, struct dag *dag, const struct zone *zone)
{
    int32_t dag_no = ++local->dag_count;

    dag->schedule = value_null(&dag->arena);
    allow_places(local, dag);
    if (local->dag == NULL)
        local->dag = dag;
    core_do(local, &(struct core_event) { .type = CORE_DAG,
                                          .dag = { .dag_no = dag_no,
                                                   .version_no = dag_no,
                                                   .dag = dag,
                                                   .zone = zone,
                                                   .newest = true } });
}

static void begin(struct local *local, const struct request *request)
{
    core_do(local, &(struct core_event) { .type = CORE_RECOVERED });
    worker_do(local, &(struct worker_event) { .type = WORKER_CONNECTED, .epoch = 1 });
    core_do(local, &(struct core_event) { .type = CORE_REQUEST, .request = request });
}

int local_run(struct local *local, const struct request *request, const volatile bool *stop,
              struct err *err)
{
    int rc = 0;

    begin(local, request);
    while (rc == 0 && !*stop && !(local->run_is_over && local->committed == 0)) {
        if (local->committed != 0) {
            uint64_t batch_no = local->committed;
            local->committed = 0;
            core_do(local,
                    &(struct core_event) { .type = CORE_COMMITTED, .committed = { batch_no } });
        } else if (local->finds.count > 0) {
            struct core_find find = local->finds.items[--local->finds.count];
            core_do(local, &(struct core_event) { .type = CORE_FOUND, .found = { .find = find } });
        } else if (local->made_up_told < local->made_up.count) {
            tell_made_up(local);
        } else if (local->inventory_wanted) {
            send_inventory(local);
        } else {
            rc = wait_for_something(local, err);
        }
    }
    return rc;
}

void local_close(struct local *local)
{
    warden_client_close(&local->warden);
    if (local->warden_pid > 0) {
        /* Its tasks die with it. */
        (void)kill(local->warden_pid, SIGKILL);
        (void)waitpid(local->warden_pid, NULL, 0);
    }
    local_errands_free(local->errands);
    core_free(local->core);
    worker_core_free(local->worker);
    VEC_CLEAR(&local->attempts);
    VEC_CLEAR(&local->made_up);
    VEC_CLEAR(&local->finds);
    arena_clear(&local->arena);
}
