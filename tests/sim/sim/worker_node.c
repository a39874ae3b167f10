// SPDX-License-Identifier: Apache-2.0
/* A worker's host: the worker process with the real core, its journal, its warden, and the tasks'
 * processes. */
#include "common/base/assert.h"
#include "tests/sim/sim/world.h"

#include <stdio.h>

enum { SYNC_MS = 1000 }; /* the disk has what was written this long ago */

static void step(struct world *world, uint32_t index, struct worker_event *event);

static int64_t host_now(const struct world *world, const struct worker_node *node)
{
    return world->now_ms + node->clock_ms;
}

bool process_is_live(const struct world *world, const struct worker_node *node,
                     const struct process *process)
{
    (void)world;
    return process->running &&
           !node->host_paused; /* a host that stands still looks at its deadlines first */
}

static struct process *process_of(struct worker_node *node, struct id128 attempt)
{
    VEC_EACH (&node->processes, i)
        if (id_eq(node->processes.items[i].attempt, attempt))
            return &node->processes.items[i];
    return NULL;
}

static struct process *process_by_number(struct worker_node *node, uint64_t number)
{
    VEC_EACH (&node->processes, i)
        if (node->processes.items[i].number == number)
            return &node->processes.items[i];
    return NULL;
}

static bool hears(const struct worker_node *node)
{
    return node->alive && !node->paused && !node->host_paused;
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void report(struct world *world, uint32_t index, struct process *process)
{
    struct worker_node *node = &world->workers[index];
    if (!hears(node) || process->reported)
        return;
    process->reported = true;
    struct worker_event event = { .type = WORKER_ENDED,
                                  .ended = { process->attempt, process->result } };
    step(world, index, &event);
}

static void end_quietly(struct world *world, uint32_t index, struct process *process,
                        enum outcome outcome)
{
    if (process->ended)
        return;
    sim_trace(world, "w%u: attempt %llx ends: %s", index, (unsigned long long)process->attempt.low,
              outcome_name(outcome));
    process->running = false;
    process->ended = true;
    process->number = 0;
    process->synced_ms = world->now_ms + SYNC_MS;
    process->result.outcome = outcome;
    if (outcome != OUTCOME_SUCCESS)
        process->result.output = STR_EMPTY;
}

static void end(struct world *world, uint32_t index, struct process *process, enum outcome outcome)
{
    end_quietly(world, index, process, outcome);
    report(world, index, process); /* its place in the list may be another one after this */
}

static void report_all(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    for (uint32_t i = 0; i < node->processes.count; i++)
        if (node->processes.items[i].ended && node->processes.items[i].journaled)
            report(world, index, &node->processes.items[i]);
}

/* ---- starts ---------------------------------------------------------------------------------- */

static void deadline_set(struct world *world, uint32_t index, struct process *process)
{
    struct worker_node *node = &world->workers[index];
    sim_at(world, process->deadline_ms - node->clock_ms,
           (struct event) { .kind = EVENT_DEADLINE,
                            .node = index,
                            .generation = node->host_generation,
                            .number = process->attempt.low });
}

static void hand(struct world *world, uint32_t index, struct process *process)
{
    struct worker_node *node = &world->workers[index];
    int64_t delay_ms = (int64_t)rand_below(&world->net, 3);
    if (sim_fault(world, FAULT_EXEC_DELAY, 0.05))
        delay_ms += (int64_t)rand_below(&world->luck, 90000);
    process->handed = true;
    process->number = ++world->process_count;
    sim_at(world, world->now_ms + delay_ms,
           (struct event) { .kind = EVENT_EXEC,
                            .node = index,
                            .generation = node->host_generation,
                            .number = process->number });
    deadline_set(world, index, process);
}

/* What a worker owes to the message that made it act: no lower epoch than it has shown, no lease
 * from later than its own stamp, no renewal of what that inventory did not list. */
static void check_deadline(struct world *world, uint32_t index, const struct worker_do *what,
                           const struct process *process)
{
    const struct worker_node *node = &world->workers[index];
    const struct message *cause = world->message_now;
    int64_t stamp_ms = what->type == WORKER_DO_START ? cause->grant.stamp_ms : cause->stamp_ms;
    if (cause->epoch < node->epoch_shown)
        sim_fail(world, "I7: w%u obeys epoch %llx after it has shown %llx", index,
                 (unsigned long long)cause->epoch, (unsigned long long)node->epoch_shown);
    if (what->deadline_ms > stamp_ms + LEASE_MS)
        sim_fail(world, "I1: w%u counts a lease from %lld ms after its own stamp", index,
                 (long long)(what->deadline_ms - stamp_ms - LEASE_MS));
    if (what->type == WORKER_DO_DEADLINE && process != NULL &&
        (process->listed_ms == 0 || process->listed_ms > cause->stamp_ms))
        sim_fail(world, "I1: w%u renews an attempt that its leader has not seen", index);
}

static void on_start(struct world *world, uint32_t index, const struct worker_do *what)
{
    struct worker_node *node = &world->workers[index];
    check_deadline(world, index, what, NULL);
    bool crash = sim_fault(world, FAULT_WORKER_KILL, 0.005);
    VEC_ADD(&node->processes,
            (struct process) { .attempt = what->attempt,
                               .incarnation = what->incarnation,
                               .seq = what->seq,
                               .journaled = true,
                               .synced_ms = world->now_ms + SYNC_MS,
                               .deadline_ms = what->deadline_ms,
                               .result = { .output = STR_EMPTY, .error = STR_EMPTY } });
    struct process *process = &VEC_LAST(&node->processes);
    sim_trace(world, "w%u: starts attempt %llx", index, (unsigned long long)what->attempt.low);
    if (!crash) {
        hand(world, index, process);
        return;
    }
    if (MUTANT(JOURNAL_AFTER_START)) {
        process->journaled = false;
        hand(world, index, process);
    }
    /* The rest of what the core said dies with the process. */
    sim_at(world, world->now_ms,
           (struct event) {
               .kind = EVENT_WORKER, .node = index, .generation = node->generation, .number = 1 });
}

static void exec(struct world *world, uint32_t index, struct process *process)
{
    struct worker_node *node = &world->workers[index];
    if (host_now(world, node) >= process->deadline_ms &&
        !(MUTANT(WARDEN_NO_RECHECK) || MUTANT(START_NO_TIME_CHECKS))) {
        end(world, index, process, OUTCOME_NOT_STARTED);
        return;
    }
    process->running = true;
    observe_exec(world, index, process);
    int64_t length_ms =
        10 + (int64_t)rand_below(&world->work, rand_chance(&world->work, 0.1) ? 60000 : 3000);
    process->number = ++world->process_count;
    sim_at(world, world->now_ms + length_ms,
           (struct event) { .kind = EVENT_EXIT,
                            .node = index,
                            .generation = node->host_generation,
                            .number = process->number });
    struct id128 attempt = process->attempt;
    if (hears(node))
        step(world, index,
             &(struct worker_event) { .type = WORKER_STARTED, .started = { attempt } });
}

static enum outcome outcome_draw(struct world *world, struct process *process)
{
    uint64_t draw = rand_below(&world->work, 100);
    process->result.exit_code = 0;
    if (draw < 12) {
        process->result.exit_code = 1;
        return OUTCOME_FAILED;
    }
    if (draw < 15)
        return OUTCOME_SKIPPED;
    static const char *const outputs[] = { "[1,2]", "[]", "[1]", "[3,4,5]" };
    process->result.output = str_of(outputs[rand_below(&world->work, 4)]);
    return OUTCOME_SUCCESS;
}

/* ---- what the core says ---------------------------------------------------------------------- */

static void send_inventory(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    struct worker_inventory inventory;
    worker_core_inventory(node->core, host_now(world, node), &inventory);
    sim_trace(world, "w%u: inventory %llu of epoch %llx: %u attempts, %u open from %llu, next %llu",
              index, (unsigned long long)inventory.incarnation, (unsigned long long)inventory.epoch,
              inventory.attempt_count, inventory.open_count,
              inventory.open_count > 0 ? (unsigned long long)inventory.open_seqs[0] : 0,
              (unsigned long long)inventory.next_seq);
    if (inventory.epoch > node->epoch_shown)
        node->epoch_shown = inventory.epoch;
    for (uint32_t s = 0; s < world->scheduler_count; s++) {
        struct message *message =
            message_new(MESSAGE_INVENTORY, SIM_NODE_WORKER(index), s, inventory.epoch);
        uint64_t *open = malloc((inventory.open_count + 1) * sizeof *open);
        struct core_attempt_report *reports = calloc(inventory.attempt_count + 1, sizeof *reports);
        for (uint32_t i = 0; i < inventory.open_count; i++)
            open[i] = inventory.open_seqs[i];
        for (uint32_t i = 0; i < inventory.attempt_count; i++) {
            const struct worker_attempt *attempt = &inventory.attempts[i];
            reports[i] = (struct core_attempt_report) { attempt->attempt,
                                                        { attempt->incarnation, attempt->seq },
                                                        attempt->ended,
                                                        attempt->result };
            /* Outputs are literals of this program, whatever the core's copy of them is. */
            struct process *process = process_of(node, attempt->attempt);
            if (process != NULL && process->listed_ms == 0)
                process->listed_ms = inventory.sent_ms;
            reports[i].result.output =
                attempt->ended && process != NULL ? process->result.output : STR_EMPTY;
            reports[i].result.error = STR_EMPTY;
        }
        message->inventory = (struct core_inventory) {
            .worker = str_of(node->name),
            .name = str_of(node->name),
            .host = STR("h"),
            .version = STR("1"),
            .queues = str_of(node->queues),
            .boot = { node->boot, index },
            .incarnation = inventory.incarnation,
            .epoch = inventory.epoch,
            .sent_ms = inventory.sent_ms,
            .slots = inventory.slots,
            .next_seq = inventory.next_seq,
            .open_seqs = open,
            .open_count = inventory.open_count,
            .attempts = reports,
            .attempt_count = inventory.attempt_count,
            .load = { .memory_total_bytes = 1 << 30,
                      .memory_used_bytes = (int64_t)inventory.attempt_count << 25,
                      .cpu_permille = (int32_t)(inventory.attempt_count % 11) * 100 },
        };
        net_send(world, message);
    }
}

static void send_started(struct world *world, uint32_t index, struct id128 attempt)
{
    for (uint32_t s = 0; s < world->scheduler_count; s++) {
        struct message *message = message_new(MESSAGE_STARTED, SIM_NODE_WORKER(index), s, 0);
        message->attempt = attempt;
        net_send(world, message);
    }
}

static void on_kill(struct world *world, uint32_t index, struct process *process)
{
    struct worker_node *node = &world->workers[index];
    if (process->ended)
        return;
    if (!process->running) { /* not yet begun: it will not */
        end(world, index, process, OUTCOME_KILLED);
        return;
    }
    process->result.outcome = OUTCOME_KILLED;
    process->number = ++world->process_count;
    sim_at(world, world->now_ms + (int64_t)rand_below(&world->work, 2000),
           (struct event) { .kind = EVENT_EXIT,
                            .node = index,
                            .generation = node->host_generation,
                            .number = process->number });
}

static void on_forget(struct worker_node *node, struct id128 attempt)
{
    VEC_EACH (&node->processes, i) {
        if (!id_eq(node->processes.items[i].attempt, attempt) || !node->processes.items[i].ended)
            continue;
        memmove(&node->processes.items[i], &node->processes.items[i + 1],
                (node->processes.count - i - 1) * sizeof *node->processes.items);
        node->processes.count--;
        return;
    }
}

static void act(struct world *world, uint32_t index, const struct worker_do *what)
{
    struct worker_node *node = &world->workers[index];
    struct process *process = process_of(node, what->attempt);
    switch (what->type) {
    case WORKER_DO_START:
        on_start(world, index, what);
        break;
    case WORKER_DO_REFUSE:
        sim_trace(world, "w%u: refuses a grant under %llu.%llu: %s", index,
                  (unsigned long long)what->incarnation, (unsigned long long)what->seq,
                  what->reason);
        break;
    case WORKER_DO_DEADLINE:
        check_deadline(world, index, what, process);
        if (process != NULL && !process->ended) {
            process->deadline_ms = what->deadline_ms;
            deadline_set(world, index, process);
        }
        break;
    case WORKER_DO_KILL:
        if (process != NULL)
            on_kill(world, index, process);
        break;
    case WORKER_DO_INVENTORY:
        send_inventory(world, index);
        break;
    case WORKER_DO_FORGET:
        on_forget(node, what->attempt);
        break;
    case WORKER_DO_REPORT_STARTED:
        send_started(world, index, what->attempt);
        break;
    case WORKER_DO_EXIT:
        break;
    }
}

static void tick_set(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    int64_t wake_ms = worker_core_wake_at_ms(node->core) - node->clock_ms;
    if (wake_ms <= world->now_ms)
        wake_ms = world->now_ms + 1;
    if (node->wake_ms > world->now_ms && node->wake_ms <= wake_ms)
        return;
    node->wake_ms = wake_ms;
    sim_at(world, wake_ms,
           (struct event) { .kind = EVENT_WORKER, .node = index, .generation = node->generation });
}

/* What one step says is done in order; what doing it makes the core say comes after, as in a shell
 * with one loop. */
static void step(struct world *world, uint32_t index, struct worker_event *event)
{
    struct worker_node *node = &world->workers[index];
    struct worker_out out;
    event->now_ms = host_now(world, node);
    worker_core_step(node->core, event, &out);
    uint32_t count = out.count;
    struct worker_do items[64];
    struct worker_do *copy = count <= 64 ? items : malloc(count * sizeof *copy);
    memcpy(copy, out.items, count * sizeof *copy);
    sim_digest(world, count);
    for (uint32_t i = 0; i < count && node->alive; i++)
        act(world, index, &copy[i]);
    if (copy != items)
        free(copy);
    if (node->alive)
        tick_set(world, index);
}

/* ---- the process of the worker --------------------------------------------------------------- */

void worker_start(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    if (node->alive || !node->host_up)
        return;
    node->incarnation++; /* synced before anything is sent */
    struct worker_limits limits = { .slots = node->slots,
                                    .inventory_ms = INVENTORY_MS,
                                    .retain_ms = RETAIN_MS,
                                    .incarnation = node->incarnation,
                                    .inventory_bytes_max = 3 };
    node->alive = true;
    node->paused = false;
    node->generation++;
    node->wake_ms = 0;
    node->epoch_shown = 0; /* kept in memory only: incarnations are enough */
    node->core = worker_core_new(&limits);
    for (uint32_t i = 0; i < node->processes.count; i++) {
        struct process *process = &node->processes.items[i];
        if (!process->journaled)
            continue;
        if (!process->handed &&
            !process->ended) { /* journaled, and the warden knows nothing of it */
            process->ended = true;
            process->result.outcome = OUTCOME_NOT_STARTED;
        }
        process->reported = process->ended;
        process->listed_ms = 0;
        struct worker_event event = { .type = WORKER_RECOVERED,
                                      .recovered = { process->attempt, process->incarnation,
                                                     process->seq, process->ended,
                                                     process->deadline_ms, process->result } };
        event.now_ms = host_now(world, node);
        struct worker_out out;
        worker_core_step(node->core, &event, &out);
    }
    step(world, index, &(struct worker_event) { .type = WORKER_CONNECTED });
}

void worker_stop(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    if (!node->alive)
        return;
    sim_trace(world, "w%u: the worker process is killed", index);
    worker_core_free(node->core);
    node->core = NULL;
    node->alive = node->paused = false;
    node->generation++;
}

void warden_die(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    sim_trace(world, "w%u: the warden dies", index);
    node->host_generation++;
    for (uint32_t i = 0; i < node->processes.count; i++)
        if (node->processes.items[i].handed)
            end_quietly(world, index, &node->processes.items[i], OUTCOME_LOST);
    report_all(world, index);
}

void host_reboot(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    uint32_t kept = 0;
    sim_trace(world, "w%u: the host loses power", index);
    worker_stop(world, index);
    node->host_up = node->host_paused = false;
    node->host_generation++;
    node->boot++;
    node->clock_ms = -world->now_ms;
    VEC_EACH (&node->processes, i) {
        struct process process = node->processes.items[i];
        bool synced = process.synced_ms <= world->now_ms;
        process.running = false;
        if (process.ended &&
            !synced) /* its start had been synced long before, as a rule; its end was not */
            process.result = (struct result) { .outcome = OUTCOME_LOST,
                                               .output = STR_EMPTY,
                                               .error = STR_EMPTY };
        if (!process.ended &&
            !synced) { /* the journal does not know it; the new boot says that it does not run */
            observe_forgotten(world, process.attempt);
            continue;
        }
        if (!process.ended)
            process.result = (struct result) { .outcome = OUTCOME_LOST,
                                               .output = STR_EMPTY,
                                               .error = STR_EMPTY };
        process.ended = true;
        process.journaled = true;
        node->processes.items[kept++] = process;
    }
    node->processes.count = kept;
}

/* Of a worker process, or of a whole host. Deadlines come first: nothing else has moved. */
void host_resume(struct world *world, uint32_t index)
{
    struct worker_node *node = &world->workers[index];
    if (!node->host_up)
        node->host_up = true;
    if (node->host_paused && world->now_ms >= node->host_paused_until_ms) {
        node->host_paused = false;
        for (uint32_t i = 0; i < node->processes.count; i++)
            if (node->processes.items[i].running &&
                host_now(world, node) >= node->processes.items[i].deadline_ms)
                end_quietly(world, index, &node->processes.items[i], OUTCOME_LEASE_OVER);
    }
    if (node->paused && world->now_ms >= node->paused_until_ms)
        node->paused = false;
    if (hears(node))
        report_all(world, index);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_deadline(struct world *world, const struct event *event)
{
    struct worker_node *node = &world->workers[event->node];
    for (uint32_t i = 0; i < node->processes.count; i++) {
        struct process *process = &node->processes.items[i];
        if (process->attempt.low != event->number || process->ended || !process->handed ||
            host_now(world, node) < process->deadline_ms)
            continue;
        if (MUTANT(WARDEN_NO_DEADLINE) && !hears(node)) {
            sim_at(world, world->now_ms + 500, *event);
            return;
        }
        if (process->running || !(MUTANT(WARDEN_NO_RECHECK) || MUTANT(START_NO_TIME_CHECKS)))
            end(world, event->node, process,
                process->running ? OUTCOME_LEASE_OVER : OUTCOME_NOT_STARTED);
        return;
    }
}

static void on_exited(struct world *world, const struct event *event)
{
    struct worker_node *node = &world->workers[event->node];
    struct process *process = process_by_number(node, event->number);
    if (process == NULL || !process->running)
        return;
    bool killed = process->result.outcome == OUTCOME_KILLED;
    end(world, event->node, process, killed ? OUTCOME_KILLED : outcome_draw(world, process));
}

void worker_event(struct world *world, const struct event *event)
{
    struct worker_node *node = &world->workers[event->node];
    bool of_host = event->kind != EVENT_WORKER;
    if (event->generation != (of_host ? node->host_generation : node->generation) ||
        (!of_host && !node->alive))
        return;
    if (node->host_paused || (!of_host && node->paused)) {
        int64_t until_ms = node->host_paused ? node->host_paused_until_ms : node->paused_until_ms;
        sim_at(world, until_ms + 1, *event);
        return;
    }
    struct process *process = NULL;
    switch (event->kind) {
    case EVENT_WORKER:
        if (event->number == 1) { /* killed between journal and warden */
            worker_stop(world, event->node);
            sim_at(world, world->now_ms + 100 + (int64_t)rand_below(&world->luck, 10000),
                   (struct event) { .kind = EVENT_RESTART, .node = SIM_NODE_WORKER(event->node) });
        } else {
            step(world, event->node, &(struct worker_event) { .type = WORKER_TICK });
        }
        break;
    case EVENT_EXEC:
        process = process_by_number(node, event->number);
        if (process != NULL && !process->ended && !process->running)
            exec(world, event->node, process);
        break;
    case EVENT_EXIT:
        on_exited(world, event);
        break;
    case EVENT_DEADLINE:
        on_deadline(world, event);
        break;
    default:
        break;
    }
}

void worker_receive(struct world *world, uint32_t index, struct message *message)
{
    struct worker_node *node = &world->workers[index];
    struct worker_event event = { .epoch = message->epoch };
    if (!node->alive)
        return;
    if (!hears(node)) {
        int64_t until_ms = node->host_paused ? node->host_paused_until_ms : node->paused_until_ms;
        message->copies++;
        sim_at(world, until_ms + 1,
               (struct event) {
                   .kind = EVENT_DELIVER, .node = SIM_NODE_WORKER(index), .message = message });
        return;
    }
    if (message->kind == MESSAGE_ERRANDS) {
        errands_receive(world, index, message);
        return;
    }
    switch (message->kind) {
    case MESSAGE_GRANT:
        event.type = WORKER_GRANT, event.grant = message->grant;
        break;
    case MESSAGE_ACK:
        event.type = WORKER_ACK;
        event.ack.attempts = message->attempts;
        event.ack.count = message->count;
        break;
    case MESSAGE_KILL:
        event.type = WORKER_KILL, event.kill.attempt = message->attempt;
        break;
    case MESSAGE_SYNC:
        event.type = WORKER_SYNC;
        break;
    case MESSAGE_RENEWED:
        event.type = WORKER_RENEWED;
        event.renewed.stamp_ms = message->stamp_ms;
        event.renewed.lease_ms = message->lease_ms;
        break;
    case MESSAGE_DRAIN:
        event.type = WORKER_DRAIN, event.drain.drain = message->drain;
        break;
    default:
        return;
    }
    world->message_now = message;
    step(world, index, &event);
    world->message_now = NULL;
}
