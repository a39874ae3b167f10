// SPDX-License-Identifier: Apache-2.0
/* notify - who is told of what: on_success and its like. A notification is rendered when its event
 * happens and written in the same transaction; it is delivered from the commit on, at least once,
 * again and again until it is taken or too old.
 *
 * Notifications to one receiver (a mail server's addresses, a host of webhooks, a program) stand in
 * one heap. A receiver that does not answer is tried with one of them after longer and longer
 * waits; all others go on. */
#include "common/base/buf.h"
#include "common/text/json.h"
#include "common/text/template.h"
#include "scheduler/core/core_calls.h"

enum {
    IN_FLIGHT_MAX = 4, /* to one receiver */
    BACKOFF_MS = 5000,
    BACKOFF_MAX_MS = 15 * 60 * 1000,
    NO_WORKER_MS = 2000,
    PENDING_MAX = 100000, /* with so many nobody takes, further ones fail at once */
};

static struct notification *notification_at(struct core *core, uint32_t index)
{
    return &core->notifications.items[index];
}

static struct str id_bytes(const struct id128 *id)
{
    return (struct str) { (const char *)id, sizeof *id };
}

uint32_t notification_find(const struct core *core, struct id128 id)
{
    uint64_t index = NONE;
    (void)map_get_str(&core->notification_by_id, id_bytes(&id), &index);
    return (uint32_t)index;
}

/* ---- the table ------------------------------------------------------------------------------- */

static uint32_t receiver_of(struct core *core, const struct notification_row *row)
{
    struct str name =
        str_format(&core->step, "%.*s %.*s", STR_ARG(row->kind), STR_ARG(row->target));
    uint64_t index = core->receivers.count;
    if (map_get_str(&core->receiver_by_name, name, &index))
        return (uint32_t)index;
    map_put_str(&core->receiver_by_name, name, index);
    VEC_ADD(&core->receivers, (struct receiver) { 0 });
    return (uint32_t)index;
}

static struct notification_row row_copy(struct arena *arena, struct notification_row row)
{
    row.event = str_copy(arena, row.event);
    row.kind = str_copy(arena, row.kind);
    row.target = str_clean(arena, row.target);
    row.queue = str_copy(arena, row.queue);
    row.payload = str_copy(arena, row.payload);
    row.error = str_clean(arena, row.error);
    return row;
}

static uint32_t notification_new(struct core *core, const struct notification_row *row)
{
    uint32_t index = core->notifications.count;
    if (core->notifications_free.count > 0)
        index = core->notifications_free.items[--core->notifications_free.count];
    else
        VEC_ADD(&core->notifications, (struct notification) { 0 });
    uint32_t receiver = receiver_of(core, row);
    struct notification *notification = notification_at(core, index);
    *notification = (struct notification) { .used = true,
                                            .id = row->id,
                                            .receiver = receiver,
                                            .worker = NONE,
                                            .errand_no = notification->errand_no,
                                            .due_ms = core->now_ms };
    notification->row = row_copy(&notification->arena, *row);
    map_put_str(&core->notification_by_id, id_bytes(&row->id), index);
    return index;
}

static void notification_free(struct core *core, uint32_t index)
{
    struct notification *notification = notification_at(core, index);
    (void)map_remove_str(&core->notification_by_id, id_bytes(&notification->id));
    arena_clear(&notification->arena);
    notification->used = notification->given = false;
    VEC_ADD(&core->notifications_free, index);
}

void notifications_clear(struct core *core)
{
    VEC_EACH (&core->notifications, i)
        arena_clear(&core->notifications.items[i].arena);
    VEC_EACH (&core->receivers, i)
        heap_clear(&core->receivers.items[i].waiting);
    VEC_CLEAR(&core->notifications);
    VEC_CLEAR(&core->notifications_free);
    map_clear(&core->notification_by_id);
    VEC_CLEAR(&core->receivers);
    map_clear(&core->receiver_by_name);
}

static void write_row(struct core *core, enum record_type type, const struct notification_row *row)
{
    VEC_ADD(&core->open->writes, (struct record) { .type = type });
    VEC_LAST(&core->open->writes).notification = row_copy(batch_arena(core), *row);
}

/* ---- made ------------------------------------------------------------------------------------ */

/* "https://hooks.example.org": what stands behind the host is often a secret. */
static struct str host_of(struct str url)
{
    ptrdiff_t scheme = str_find(url, ':');
    size_t from = scheme >= 0 && str_starts(str_slice(url, (size_t)scheme, url.size), "://")
                      ? (size_t)scheme + 3
                      : 0;
    size_t to = from;
    while (to < url.size && strchr("/?#", url.bytes[to]) == NULL)
        to++;
    struct str host = str_slice(url, from, to);
    ptrdiff_t at = str_find(host, '@');
    return at >= 0 ? str_slice(host, (size_t)at + 1, host.size) : str_slice(url, 0, to);
}

static void target_of(struct arena *arena, const struct value *fields, struct notification_row *row)
{
    const struct value *email = value_get(fields, "email"), *webhook = value_get(fields, "webhook"),
                       *exec = value_get(fields, "exec");
    row->kind = webhook != NULL ? STR("webhook") : email != NULL ? STR("email") : STR("exec");
    if (webhook != NULL) {
        row->target = host_of(template_text(arena, webhook));
    } else if (email != NULL) {
        struct buf text = { 0 };
        for (uint32_t i = 0; email->type == VALUE_LIST && i < email->count; i++)
            buf_printf(&text, "%s%.*s", i > 0 ? ", " : "",
                       STR_ARG(template_text(arena, email->items[i])));
        row->target = email->type == VALUE_LIST ? str_copy(arena, buf_str(&text))
                                                : template_text(arena, email);
        buf_clear(&text);
    } else {
        bool is_list = exec != NULL && exec->type == VALUE_LIST && exec->count > 0;
        row->target = is_list ? template_text(arena, exec->items[0]) : STR_EMPTY;
    }
}

/* One that cannot be rendered is written as failed: it is seen, and tells why. */
static void notify_one(struct core *core, struct context *context, const struct value *fields,
                       struct notification_row row, struct str otherwise)
{
    const struct value *rendered = NULL;
    struct err err = { 0 };
    row.id = id_make(core);
    row.made_ms = row.next_ms = core->wall_ms;
    row.error = row.payload = STR_EMPTY;
    int rc = errand_notification(context, fields, row.event.bytes, otherwise, &core->step,
                                 &rendered, &err);
    target_of(&core->step, rc == 0 ? rendered : fields, &row);
    if (rc == 0)
        row.payload = json_text(&core->step, rendered);
    else
        row.error = str_of(err.sentence);
    if (rc == 0 && core->notification_by_id.count >= PENDING_MAX)
        row.error = str_format(&core->step, "%d others wait already", PENDING_MAX);
    if (row.error.size > 0) {
        row.state = NOTIFICATION_FAILED;
        core->stats.notifications_failed++;
        write_row(core, WRITE_NOTIFICATION, &row);
        return;
    }
    write_row(core, WRITE_NOTIFICATION, &row);
    uint32_t index = notification_new(core, &row);
    if (MUTANT(CORE_NOTIFY_EARLY))
        notify_ready(core, index);
    else
        VEC_ADD(&core->open->notifications, index);
}

static void notify_all(struct core *core, struct context *context, const struct value *list,
                       struct notification_row row, struct str otherwise)
{
    for (uint32_t i = 0; list != NULL && list->type == VALUE_LIST && i < list->count; i++)
        notify_one(core, context, list->items[i], row, otherwise);
}

static void notify_task(struct core *core, struct ref ref, const char *event, struct str otherwise)
{
    const struct task *task = task_at(core, ref);
    const struct run *run = run_get(core, ref.run);
    const struct value *list = value_get(task->notify, event);
    struct context_owner owner;
    struct context context;
    if (list == NULL)
        return;
    context_fill(core, ref, &owner, &core->step, &context);
    notify_all(core, &context, list,
               (struct notification_row) { .run_no = run->run_no,
                                           .dag_no = core->dags.items[run->dag].dag_no,
                                           .task = (int32_t)ref.task,
                                           .map_index = ref.map,
                                           .try_no = context.try_no,
                                           .event = str_of(event),
                                           .queue = task->queue },
               otherwise);
}

/* As in Airflow: what a user or the run's own end does to a task is not told of; and of skips only
 * those that the task itself asks for. */
static const char *event_of(enum task_state state, enum cause cause)
{
    if (cause == CAUSE_MARKED || cause == CAUSE_CLEARED || cause == CAUSE_RUN_STOPPED ||
        cause == CAUSE_RUN_TIMED_OUT || cause == CAUSE_FAIL_FAST || cause == CAUSE_STOPPED)
        return NULL;
    switch (state) {
    case TASK_SUCCESS:
        return "on_success";
    case TASK_FAILED:
        return "on_failure";
    case TASK_UP_FOR_RETRY:
        return "on_retry";
    case TASK_SKIPPED:
        return cause == CAUSE_EXIT_SKIPPED || cause == CAUSE_WAITED_TOO_LONG ? "on_skipped" : NULL;
    default:
        return NULL;
    }
}

void notify_instance(struct core *core, struct ref ref, enum cause cause, struct str error)
{
    const struct instance *instance = instance_at(core, ref);
    const struct task *task = task_at(core, ref);
    const char *event = task->notify != NULL ? event_of(instance->state, cause) : NULL;
    if (event == NULL || (MUTANT(CORE_NOTIFY_NONE) && cause == CAUSE_EXIT_FAILED))
        return;
    const struct run *run = run_get(core, ref.run);
    struct str index = ref.map >= 0 ? str_format(&core->step, "[%d]", ref.map) : STR_EMPTY;
    notify_task(core, ref, event,
                str_format(&core->step, "%.*s.%.*s%.*s: %s\nrun %.*s, try %u: %s%s%.*s",
                           STR_ARG(run_dag(core, run)->id), STR_ARG(task->id), STR_ARG(index),
                           task_state_name(instance->state), STR_ARG(run->run_id), instance->try_no,
                           cause_sentence(cause), error.size > 0 ? "\n" : "", STR_ARG(error)));
}

/* The row says from the same transaction on that it runs: so the next leader does not tell of it
 * again. */
void notify_started(struct core *core, uint32_t index)
{
    struct ref ref = core->attempts.items[index].ref;
    const struct task *task = task_at(core, ref);
    const struct run *run = run_get(core, ref.run);
    if (value_get(task->notify, "on_execute") == NULL)
        return;
    attempt_write_running(core, index);
    notify_task(core, ref, "on_execute",
                str_format(&core->step, "%.*s.%.*s: running\nrun %.*s, try %u",
                           STR_ARG(run_dag(core, run)->id), STR_ARG(task->id), STR_ARG(run->run_id),
                           instance_at(core, ref)->try_no));
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void notify_of_run(struct core *core, struct run *run, const char *event,
                          struct str otherwise)
{
    const struct dag *dag = run_dag(core, run);
    const struct value *list = value_get(dag->notify, event);
    if (list == NULL)
        return;
    struct context_owner owner;
    struct context context;
    context_of_run(core, run, &owner, &core->step, &context);
    notify_all(core, &context, list,
               (struct notification_row) { .run_no = run->run_no,
                                           .dag_no = core->dags.items[run->dag].dag_no,
                                           .task = -1,
                                           .map_index = -1,
                                           .event = str_of(event),
                                           .queue = STR("default") },
               otherwise);
}

void notify_run(struct core *core, struct run *run)
{
    if (run->cause == CAUSE_MARKED)
        return;
    const struct dag *dag = run_dag(core, run);
    notify_of_run(core, run, run->state == RUN_SUCCESS ? "on_success" : "on_failure",
                  str_format(&core->step, "%.*s: %s\nrun %.*s: %s", STR_ARG(dag->id),
                             run_state_name(run->state), STR_ARG(run->run_id),
                             cause_sentence(run->cause)));
}

void notify_deadline_set(struct core *core, const struct run *run)
{
    int64_t deadline_ms = length_deadline_ms(core, run);
    if (deadline_ms > 0 && !run->deadline_told)
        timer_set(core, ms_of_wall(core, run->queued_ms + deadline_ms),
                  (struct timer) { .kind = TIMER_DEADLINE,
                                   .index = (uint32_t)run->queued_ms,
                                   .number = run->run_no });
}

/* `queued` tells which of its lives the timer was for. */
void notify_deadline(struct core *core, struct run *run, uint32_t queued)
{
    const struct dag *dag = run_dag(core, run);
    if (run_state_is_final(run->state) || run->deadline_told || (uint32_t)run->queued_ms != queued)
        return;
    run->deadline_told = true;
    notify_of_run(core, run, "on_deadline",
                  str_format(&core->step, "%.*s: not over at its deadline\nrun %.*s is still %s",
                             STR_ARG(dag->id), STR_ARG(run->run_id), run_state_name(run->state)));
}

/* ---- delivered ------------------------------------------------------------------------------- */

static int64_t backoff_ms(uint32_t failures)
{
    int64_t wait_ms = BACKOFF_MS;
    for (uint32_t i = 1; i < failures && wait_ms < BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

static void put_back(struct core *core, uint32_t index, int64_t due_ms)
{
    struct notification *notification = notification_at(core, index);
    notification->given = false;
    notification->due_ms = due_ms;
    heap_push(&core->receivers.items[notification->receiver].waiting,
              (struct heap_entry) { due_ms, core->notification_count++, index });
}

/* E-mail goes through the connection of the settings' section [smtp], which is not kept with the
 * row. */
static struct str payload_of(struct core *core, const struct notification *notification)
{
    uint64_t index = 0;
    if (!str_is(notification->row.kind, "email") ||
        !map_get_str(&core->connections, STR("smtp_default"), &index))
        return notification->row.payload;
    const struct value *map = NULL;
    int rc = json_parse(&core->step, notification->row.payload, NULL, &map, NULL);
    ASSERT(rc == 0);
    struct value *whole = value_map(&core->step);
    for (uint32_t i = 0; i < map->count; i++)
        value_put(&core->step, whole, map->entries[i].key, map->entries[i].value);
    value_put(&core->step, whole, STR("connection"), core->connection_list.items[index]);
    return json_text(&core->step, whole);
}

/* Programs of authors run where authors' programs run; the rest from here, so that it goes out with
 * no worker at all. */
static bool give(struct core *core, uint32_t index)
{
    struct notification *notification = notification_at(core, index);
    uint32_t worker = NONE;
    if (str_is(notification->row.kind, "exec")) {
        worker = errand_worker(core, queue_index(core, notification->row.queue));
        if (worker == NONE)
            return false;
    }
    notification->given = true;
    notification->worker = worker;
    notification->row.tries++;
    core->receivers.items[notification->receiver].in_flight++;
    errand_give(core, worker,
                (struct errand) { notification->id, ++notification->errand_no, ERRAND_NOTIFY,
                                  str_copy(&core->step, payload_of(core, notification)) });
    timer_set(core, core->now_ms + ERRAND_PATIENCE_MS,
              (struct timer) {
                  .kind = TIMER_NOTIFICATION, .index = index, .number = notification->errand_no });
    return true;
}

void notify_receiver(struct core *core, uint32_t receiver_index)
{
    for (;;) {
        struct receiver *receiver = &core->receivers.items[receiver_index];
        const struct heap_entry *first = heap_peek(&receiver->waiting);
        uint32_t max = receiver->failures > 0 ? 1 : IN_FLIGHT_MAX;
        if (first == NULL || receiver->in_flight >= max)
            return; /* the next answer comes back to it */
        int64_t at_ms = first->key > receiver->not_before_ms ? first->key : receiver->not_before_ms;
        if (at_ms > core->now_ms) {
            timer_set(core, at_ms,
                      (struct timer) { .kind = TIMER_RECEIVER, .index = receiver_index });
            return;
        }
        uint32_t index = (uint32_t)heap_pop(&receiver->waiting).item;
        if (!give(core, index))
            put_back(core, index, core->now_ms + NO_WORKER_MS);
    }
}

void notify_ready(struct core *core, uint32_t index)
{
    put_back(core, index, core->now_ms);
    notify_receiver(core, notification_at(core, index)->receiver);
}

static void end(struct core *core, uint32_t index, enum notification_state state, struct str error)
{
    struct notification *notification = notification_at(core, index);
    core->stats.notifications_delivered += state == NOTIFICATION_DELIVERED;
    core->stats.notifications_failed += state == NOTIFICATION_FAILED;
    notification->row.state = state;
    notification->row.next_ms = 0;
    notification->row.error = error;
    write_row(core, WRITE_NOTIFICATION_STATE, &notification->row);
    notification_free(core, index);
}

static void failed(struct core *core, uint32_t index, bool is_receiver, struct str error)
{
    struct notification *notification = notification_at(core, index);
    struct receiver *receiver = &core->receivers.items[notification->receiver];
    receiver->failures = is_receiver ? receiver->failures + 1 : 0;
    int64_t wait_ms = backoff_ms(is_receiver ? receiver->failures : notification->row.tries);
    if (is_receiver)
        receiver->not_before_ms = core->now_ms + wait_ms;
    if (core->wall_ms - notification->row.made_ms >= core->limits.notify_give_up_ms ||
        MUTANT(CORE_NOTIFY_ONCE)) {
        end(core, index, NOTIFICATION_FAILED,
            str_format(&core->step, "given up after %u tries: %.*s", notification->row.tries,
                       STR_ARG(error)));
        return;
    }
    notification->row.next_ms = core->wall_ms + wait_ms;
    notification->row.error = str_copy(&notification->arena, error);
    write_row(core, WRITE_NOTIFICATION_STATE, &notification->row);
    put_back(core, index, core->now_ms + wait_ms);
}

static void answered(struct core *core, uint32_t index)
{
    struct notification *notification = notification_at(core, index);
    errand_over(core, notification->worker);
    notification->worker = NONE;
    core->receivers.items[notification->receiver].in_flight--;
}

void notify_answer(struct core *core, uint32_t index, const struct errand_answer *answer)
{
    struct notification *notification = notification_at(core, index);
    uint32_t receiver = notification->receiver;
    if (!notification->given || notification->errand_no != answer->number) {
        core->stats.dropped_messages++;
        return;
    }
    answered(core, index);
    switch (answer->outcome) {
    case ERRAND_DONE:
        core->receivers.items[receiver].failures = 0;
        end(core, index, NOTIFICATION_DELIVERED, STR_EMPTY);
        break;
    case ERRAND_HOPELESS:
        end(core, index, NOTIFICATION_FAILED, answer->text);
        break;
    default:
        failed(core, index, answer->outcome == ERRAND_UNREACHABLE, answer->text);
        break;
    }
    notify_receiver(core, receiver);
}

void notify_timer(struct core *core, const struct timer *timer)
{
    struct notification *notification = notification_at(core, timer->index);
    uint32_t receiver = notification->receiver;
    if (!notification->used || !notification->given ||
        notification->errand_no != (uint32_t)timer->number)
        return;
    answered(core, timer->index);
    failed(core, timer->index, true, STR("no answer from whoever was to deliver it"));
    notify_receiver(core, receiver);
}

/* ---- recovered ------------------------------------------------------------------------------- */

void notify_recovered(struct core *core, const struct notification_row *row)
{
    struct run *run = run_by_no(core, row->run_no);
    if (run != NULL && str_is(row->event, "on_deadline"))
        run->deadline_told = true;
    if (row->state == NOTIFICATION_PENDING && !MUTANT(CORE_NOTIFY_FORGET))
        (void)notification_new(core, row);
}
