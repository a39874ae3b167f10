// SPDX-License-Identifier: Apache-2.0
/* A scheduler process: the real core, and what its shell does around it. */
#include "common/base/assert.h"
#include "tests/sim/sim/world.h"

#include <stdio.h>

static struct core_out step(struct world *world, uint32_t index, struct core_event *event);

static void fill_times(const struct world *world, const struct scheduler *node,
                       struct core_event *event)
{
    event->now_ms = world->now_ms + node->clock_ms;
    event->wall_ms = WALL_BASE_MS + world->now_ms + world->wall_ms;
}

static uint32_t worker_node_of(const struct world *world, struct str name)
{
    for (uint32_t i = 0; i < world->worker_count; i++)
        if (str_is(name, world->workers[i].name))
            return i;
    return UINT32_MAX;
}

/* ---- what the core says ---------------------------------------------------------------------- */

static void find(struct world *world, uint32_t index, const struct core_find *find)
{
    ASSERT(find->what !=
           FIND_DATES); /* nobody here asks for a dry run: its dates would be the core's */
    VEC_ADD(&world->finds, (struct sim_find) { world->schedulers[index].epoch, *find });
    sim_at(world, world->now_ms + 1 + (int64_t)rand_below(&world->net, 4),
           (struct event) { .kind = EVENT_FIND,
                            .node = index,
                            .generation = world->schedulers[index].generation,
                            .number = world->finds.count - 1 });
}

static void send(struct world *world, uint32_t index, const struct core_send *what)
{
    static const enum message_kind kinds[] = {
        [SEND_GRANT] = MESSAGE_GRANT,     [SEND_ACK] = MESSAGE_ACK,
        [SEND_KILL] = MESSAGE_KILL,       [SEND_SYNC] = MESSAGE_SYNC,
        [SEND_RENEWED] = MESSAGE_RENEWED, [SEND_DRAIN] = MESSAGE_DRAIN,
        [SEND_STOP] = MESSAGE_STOP,
    };
    uint32_t worker = worker_node_of(world, what->worker);
    if (what->type == SEND_FIND)
        find(world, index, &what->find);
    if (what->type == SEND_ERRANDS) {
        errands_hand(world, index, what->worker.size > 0 ? worker : UINT32_MAX, what);
        return;
    }
    if (worker == UINT32_MAX || what->type == SEND_SCALE)
        return;
    /* Renewals are promises about time: a leader that cannot trust its lease any more makes none.
     */
    if (what->type == SEND_RENEWED && world->now_ms >= world->schedulers[index].trust_ms)
        return;
    struct message *message =
        message_new(kinds[what->type], index, SIM_NODE_WORKER(worker), what->epoch);
    switch (what->type) {
    case SEND_GRANT:
        message->grant =
            (struct worker_grant) { what->grant.attempt,       what->grant.credit.incarnation,
                                    what->grant.credit.seq,    what->grant.stamp_ms,
                                    what->grant.credit_ttl_ms, what->grant.lease_ms };
        break;
    case SEND_ACK:
        message->count = what->ack.count;
        message->attempts = malloc(what->ack.count * sizeof *message->attempts);
        memcpy(message->attempts, what->ack.attempts, what->ack.count * sizeof *message->attempts);
        for (uint32_t i = 0; i < what->ack.count; i++)
            observe_ack(world, what->ack.attempts[i]);
        break;
    case SEND_KILL:
        message->attempt = what->kill.attempt;
        break;
    case SEND_RENEWED:
        message->stamp_ms = what->renewed.stamp_ms;
        message->lease_ms = what->renewed.lease_ms;
        break;
    case SEND_DRAIN:
        message->drain = what->drain.drain;
        break;
    default:
        break;
    }
    sim_trace(world, "s%u -> w%u: message %d", index, worker, message->kind);
    net_send(world, message);
}

static void tick_set(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    int64_t wake_ms = core_wake_at_ms(node->core);
    if (wake_ms == INT64_MAX)
        return;
    wake_ms -= node->clock_ms;
    if (wake_ms <= world->now_ms)
        wake_ms = world->now_ms + 1;
    if (node->wake_ms > world->now_ms && node->wake_ms <= wake_ms)
        return;
    node->wake_ms = wake_ms;
    sim_at(
        world, wake_ms,
        (struct event) { .kind = EVENT_SCHEDULER, .node = index, .generation = node->generation });
}

static struct core_out step(struct world *world, uint32_t index, struct core_event *event)
{
    struct scheduler *node = &world->schedulers[index];
    struct core_out out;
    fill_times(world, node, event);
    core_step(node->core, event, &out);
    sim_digest(world, out.send_count * 31u + out.note_count);
    for (uint32_t i = 0; i < out.send_count; i++)
        send(world, index, &out.sends[i]);
    if (out.commit != NULL) {
        sim_trace(world, "s%u commits batch %llu: %u writes", index,
                  (unsigned long long)out.commit->batch_no, out.commit->write_count);
        db_commit(world, index, out.commit);
    }
    tick_set(world, index);
    return out;
}

/* ---- leading --------------------------------------------------------------------------------- */

static void feed(void *owner, struct core_event *event)
{
    struct world *world = ((void **)owner)[0];
    uint32_t index = (uint32_t)(uintptr_t)((void **)owner)[1];
    step(world, index, event);
}

/* Recovery gives this core copies of rows that it reads at this moment. */
static void on_led(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    void *owner[2] = { world, (void *)(uintptr_t)index };
    if (!world->db_up) {
        node->recovering = false;
        return;
    }
    node->recovering = false;
    node->leading = true;
    node->request_seen = 0;
    world->result->takeovers++;
    sim_trace(world, "s%u leads, epoch %llx", index, (unsigned long long)node->epoch);
    step(world, index,
         &(struct core_event) {
             .type = CORE_LED,
             .led = { node->epoch, node->epoch ^ world->config.seed,
                      model_store_run_no_next(&world->store), 1,
                      world->failover_found ? world->now_ms - world->failed_over_ms : -1,
                      model_store_event_no_next(&world->store) } });
    static const struct {
        const char *name;
        int32_t slots;
        bool include_deferred;
    } pools[] = {
        { "p1", 2, true },
        { "p2", 1, false },
        { "default_pool", 128, false },
    };
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        step(world, index,
             &(struct core_event) { .type = CORE_POOL,
                                    .pool = { str_of(pools[i].name), pools[i].slots,
                                              pools[i].include_deferred, false } });
    model_store_recover(&world->store, owner, feed);
    step(world, index, &(struct core_event) { .type = CORE_RECOVERED });
}

void scheduler_unlead(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    if (!node->leading && !node->recovering)
        return;
    sim_trace(world, "s%u leads no longer", index);
    node->leading = node->recovering = false;
    node->generation++; /* answers to what it asked as a leader mean nothing any more */
    node->epoch = 0;
    step(world, index, &(struct core_event) { .type = CORE_UNLED });
    sim_at(world, world->now_ms + 100,
           (struct event) { .kind = EVENT_POLL, .node = index, .generation = node->generation });
}

static void renew(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    sim_at(world, world->now_ms + 1 + (int64_t)rand_below(&world->net, 4),
           (struct event) { .kind = EVENT_RENEW,
                            .node = index,
                            .generation = node->generation,
                            .number = (uint64_t)world->now_ms });
}

static void requests_give(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    void *owner[2] = { world, (void *)(uintptr_t)index };
    while (node->leading && node->request_seen < world->requests.count && world->db_up) {
        struct arena arena = { 0 };
        struct request request;
        struct str answer;
        int code = 0;
        int64_t request_no = ++node->request_seen;
        if (model_store_answered(&world->store, request_no, &code, &answer))
            continue;
        int rc = request_parse(world->requests.items[request_no - 1], &arena, &request, NULL);
        ASSERT(rc == 0);
        request.request_no = request_no;
        VEC_EACH (&world->store.runs, i) {
            const struct model_run *run = &world->store.runs.items[i];
            if (run->deleted || !str_eq(run->row.run_id, request.run_id) ||
                !str_eq(world->dags.items[run->row.dag_no - 1]->id, request.dag_id))
                continue;
            request.known_run_no = run->row.run_no;
            if (request.kind != REQUEST_TRIGGER && !core_has_run(node->core, run->row.run_no))
                (void)model_store_recover_run(&world->store, run->row.dag_no, request.run_id, owner,
                                              feed);
        }
        step(world, index, &(struct core_event) { .type = CORE_REQUEST, .request = &request });
        arena_clear(&arena);
    }
}

static void files_give(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    struct core_file_schedule schedule;
    for (uint32_t i = 0; i < FILES_COUNT && node->leading && world->db_up; i++) {
        struct id128 content = workload_file(i);
        if (world->file_ms[i] > world->now_ms || core_file_schedules(node->core, &schedule, 1) == 0)
            continue;
        if (core_file_is_done(node->core, schedule.dag_no, content) && !MUTANT(CORE_FILE_TWICE))
            continue;
        step(world, index,
             &(struct core_event) {
                 .type = CORE_FILE,
                 .file = { schedule.dag_no, content, STR("/in/file"), 1, WALL_BASE_MS,
                           model_store_file_known(&world->store, schedule.dag_no, content) } });
    }
}

static void on_poll(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    if (node->leading && world->now_ms >= node->trust_ms) {
        scheduler_unlead(world, index);
        return;
    }
    sim_at(world, world->now_ms + POLL_MS,
           (struct event) { .kind = EVENT_POLL, .node = index, .generation = node->generation });
    if (node->leading) {
        renew(world, index);
        requests_give(world, index);
        files_give(world, index);
        return;
    }
    if (node->recovering || !db_take_lease(world, index))
        return;
    node->recovering = true;
    node->epoch = world->lease_epoch;
    if (MUTANT(RECOVERY_UNFENCED_READ)) { /* the lease was free for a while, the rows are those of
                                             before */
        world->lease_epoch = world->stale_epoch;
        node->trust_ms = world->now_ms + LEADER_TRUST_MS;
        on_led(world, index);
        sim_at(world, world->now_ms + 1 + (int64_t)rand_below(&world->net, 3000),
               (struct event) { .kind = EVENT_LED,
                                .node = index,
                                .generation = node->generation,
                                .number = node->epoch });
        return;
    }
    node->trust_ms = world->now_ms + LEADER_TRUST_MS;
    sim_at(world, world->now_ms + 1 + (int64_t)rand_below(&world->net, 50),
           (struct event) { .kind = EVENT_LED, .node = index, .generation = node->generation });
}

/* Rows as they are now: the store goes on. */
static void keep_found(void *owner, struct core_event *event)
{
    struct world *world = ((void **)owner)[0];
    struct sim_find *find = ((void **)owner)[1];
    const struct recovered_run *run = event->found.run;
    find->failed = event->found.failed;
    find->is_found = run != NULL;
    if (run == NULL)
        return;
    find->run = *run;
    find->run.tries = arena_copy(&world->arena, run->tries, run->try_count * sizeof *run->tries);
    find->run.expansions =
        arena_copy(&world->arena, run->expansions, run->expansion_count * sizeof *run->expansions);
}

static void on_found(struct world *world, const struct event *event)
{
    struct sim_find *find = &world->finds.items[event->number];
    if (find->epoch == world->schedulers[event->node].epoch)
        step(world, event->node,
             &(struct core_event) { .type = CORE_FOUND,
                                    .found = { .find = find->find,
                                               .run = find->is_found ? &find->run : NULL,
                                               .failed = find->failed } });
}

/* The answer takes its time, in which the run may have ended and have been forgotten. */
static void on_find(struct world *world, const struct event *event)
{
    struct sim_find *find = &world->finds.items[event->number];
    void *owner[2] = { world, find };
    struct event answer = *event;
    model_store_find(&world->store, &find->find, !world->db_up, owner, keep_found);
    answer.kind = EVENT_FOUND;
    if (world->config.plain)
        on_found(world, &answer);
    else
        sim_at(world, world->now_ms + (int64_t)rand_below(&world->more, 3000), answer);
}

static void on_committed(struct world *world, const struct event *event)
{
    struct scheduler *node = &world->schedulers[event->node];
    const struct transaction *transaction = db_transaction(world, event->number);
    bool ours = node->alive && node->generation == event->generation;
    if (ours && transaction->outcome == COMMIT_DONE) {
        struct core_out out = step(world, event->node,
                                   &(struct core_event) { .type = CORE_COMMITTED,
                                                          .committed = { transaction->batch_no } });
        observe_notes(world, db_transaction(world, event->number), out.notes, out.note_count);
    } else if (ours) {
        scheduler_unlead(world, event->node);
    }
    db_transaction_end(world, event->number);
}

/* ---- events ---------------------------------------------------------------------------------- */

void scheduler_start(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    if (node->alive)
        return;
    struct core_limits limits = {
        .runs_max = 200,
        .workers_max = 32,
        .batch_writes_max = 20,
        .parallelism = 0,
        .map_length_max = 16,
        .output_bytes_max = 1 << 20,
        .credit_ttl_ms = CREDIT_TTL_MS,
        .credit_margin_ms = CREDIT_MARGIN_MS,
        .lease_ms = LEASE_MS,
        .lease_grace_ms = GRACE_MS,
        .amnesty_ms = AMNESTY_MS,
        .join_settle_ms = world->lossy ? LOSS_MS : 0,
        .running_write_ms = 1000,
        .infra_retries_max = 3,
        .default_pool_slots = 128,
        .notify_give_up_ms = 86400000,
    };
    node->alive = true;
    node->paused = node->leading = node->recovering = false;
    node->generation++;
    node->clock_ms = 100000 + (int64_t)rand_below(&world->luck, 1000000);
    node->epoch = 0;
    node->wake_ms = 0;
    node->core = core_new(&limits);
    sim_at(world, world->now_ms + (int64_t)rand_below(&world->luck, POLL_MS),
           (struct event) { .kind = EVENT_POLL, .node = index, .generation = node->generation });
}

void scheduler_stop(struct world *world, uint32_t index)
{
    struct scheduler *node = &world->schedulers[index];
    if (!node->alive)
        return;
    core_free(node->core);
    node->core = NULL;
    node->alive = node->leading = node->recovering = node->paused = false;
    node->generation++;
    node->epoch = 0;
}

void scheduler_event(struct world *world, const struct event *event)
{
    struct scheduler *node = &world->schedulers[event->node];
    bool stale = !node->alive || node->generation != event->generation;
    if (!stale && node->paused &&
        event->kind != EVENT_FIND) { /* it finds everything when it goes on */
        sim_at(world, node->paused_until_ms + 1, *event);
        return;
    }
    if (stale && event->kind != EVENT_COMMITTED)
        return;
    switch (event->kind) {
    case EVENT_SCHEDULER:
        step(world, event->node, &(struct core_event) { .type = CORE_TICK });
        break;
    case EVENT_POLL:
        on_poll(world, event->node);
        break;
    case EVENT_LED:
        if (event->number != 0)
            world->lease_epoch =
                event->number; /* RECOVERY_UNFENCED_READ: only now does the fence hold */
        else
            on_led(world, event->node);
        break;
    case EVENT_COMMITTED:
        on_committed(world, event);
        break;
    case EVENT_FIND:
        on_find(world, event);
        break;
    case EVENT_FOUND:
        on_found(world, event);
        break;
    case EVENT_RENEWED:
        if (event->number == 0)
            scheduler_unlead(world, event->node);
        else
            node->trust_ms = (int64_t)event->number + LEADER_TRUST_MS;
        break;
    default:
        break;
    }
}

void scheduler_receive(struct world *world, uint32_t index, struct message *message)
{
    struct scheduler *node = &world->schedulers[index];
    if (!node->alive)
        return;
    if (node->paused) {
        message->copies++;
        sim_at(world, node->paused_until_ms + 1,
               (struct event) { .kind = EVENT_DELIVER, .node = index, .message = message });
        return;
    }
    if (message->kind == MESSAGE_ERRANDS_DONE) {
        struct str name = message->from == index
                              ? STR_EMPTY
                              : str_of(world->workers[message->from - SCHEDULERS_MAX].name);
        step(world, index,
             &(struct core_event) { .type = CORE_ERRANDS_DONE,
                                    .errands = { name, &message->answer, 1 } });
        return;
    }
    const struct worker_node *worker = &world->workers[message->from - SCHEDULERS_MAX];
    if (message->kind == MESSAGE_STARTED)
        step(world, index,
             &(struct core_event) { .type = CORE_STARTED,
                                    .started = { str_of(worker->name), message->attempt, 0 } });
    else
        step(world, index,
             &(struct core_event) { .type = CORE_INVENTORY, .inventory = &message->inventory });
}
