// SPDX-License-Identifier: Apache-2.0
#include "tests/support/story.h"

#include "common/base/assert.h"
#include "common/base/civil.h"

enum { INVENTORY_MS = 5000 };

struct core_limits story_limits(void)
{
    return (struct core_limits) {
        .runs_max = 1000,
        .workers_max = 100,
        .batch_writes_max = 1000,
        .parallelism = 0,
        .map_length_max = 1024,
        .output_bytes_max = 1 << 20,
        .credit_ttl_ms = 10000,
        .credit_margin_ms = 1000,
        .lease_ms = 300000,
        .lease_grace_ms = 10000,
        .amnesty_ms = 330000,
        .running_write_ms = 1000,
        .infra_retries_max = 3,
        .default_pool_slots = 128,
        .notify_give_up_ms = 86400000,
    };
}

static void say(struct story *story, const char *fmt, ...) FORMAT(2, 3);

static void say(struct story *story, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str text = str_formatv(&story->arena, fmt, args);
    va_end(args);
    buf_printf(&story->trace, "[%5lld] %.*s\n", (long long)(story->now_ms - 1000), STR_ARG(text));
}

static void step(struct story *story, struct core_event *event);

/* ---- names ----------------------------------------------------------------------------------- */

static const struct dag *dag_of(const struct story *story, int32_t dag_no)
{
    return story->dags.items[dag_no - 1];
}

static struct str run_name(struct story *story, int64_t run_no)
{
    const struct model_run *run = model_store_run(&story->store, run_no);
    return run != NULL ? run->row.run_id : STR("?");
}

static struct str instance_name(struct story *story, int32_t dag_no, uint32_t task,
                                int32_t map_index)
{
    struct str id = dag_of(story, dag_no)->tasks[task].id;
    return map_index < 0 ? id : str_format(&story->arena, "%.*s[%d]", STR_ARG(id), map_index);
}

/* ---- notes ----------------------------------------------------------------------------------- */

static enum task_state state_swap(struct story *story, const struct core_note *note)
{
    struct str key = str_format(&story->arena, "%lld %d %d", (long long)note->run_no, note->task,
                                note->map_index);
    uint64_t before = 0;
    (void)map_get_str(&story->states, key, &before);
    map_put_str(&story->states, key, note->state);
    return (enum task_state)before;
}

static void show_note(struct story *story, const struct core_note *note)
{
    enum task_state before = state_swap(story, note);
    if (note->is_known)
        return;
    if (note->task < 0)
        say(story, "run %.*s: %s (%s)", STR_ARG(run_name(story, note->run_no)),
            run_state_name(note->state), cause_sentence(note->cause));
    else
        say(story, "%.*s: %s -> %s (%s)",
            STR_ARG(instance_name(story, note->dag_no, (uint32_t)note->task, note->map_index)),
            task_state_name(before), task_state_name(note->state), cause_sentence(note->cause));
}

/* ---- workers --------------------------------------------------------------------------------- */

static struct story_worker *worker_by_name(struct story *story, struct str name)
{
    VEC_EACH (&story->workers, i)
        if (str_is(name, story->workers.items[i]->name))
            return story->workers.items[i];
    return NULL;
}

static void credits_fill(struct story_worker *worker)
{
    uint32_t busy = 0;
    VEC_EACH (&worker->attempts, i)
        busy += !worker->attempts.items[i].ended;
    while (!worker->draining && worker->open.count + busy < worker->slots)
        VEC_ADD(&worker->open, worker->next_seq++);
}

void story_inventory(struct story *story, struct story_worker *worker)
{
    struct core_attempt_report reports[256];
    uint32_t count = 0;
    if (worker->stopped)
        return;
    credits_fill(worker);
    VEC_EACH (&worker->attempts, i)
        reports[count++] = (struct core_attempt_report) { worker->attempts.items[i].id,
                                                          worker->attempts.items[i].credit,
                                                          worker->attempts.items[i].ended,
                                                          worker->attempts.items[i].result };
    struct core_inventory inventory = {
        .worker = str_of(worker->name),
        .name = str_of(worker->name),
        .host = STR("host"),
        .version = STR("1"),
        .queues = str_of(worker->queues),
        .incarnation = worker->incarnation,
        .epoch = worker->epoch,
        .sent_ms = ++story->stamp,
        .slots = worker->slots,
        .next_seq = worker->next_seq,
        .open_seqs = worker->open.items,
        .open_count = worker->open.count,
        .attempts = reports,
        .attempt_count = count,
        .leaving = worker->leaving,
        .load = worker->load,
    };
    step(story, &(struct core_event) { .type = CORE_INVENTORY, .inventory = &inventory });
}

static void on_grant(struct story_worker *worker, const struct core_send *send)
{
    for (uint32_t i = 0; i < worker->open.count; i++) {
        if (worker->open.items[i] != send->grant.credit.seq)
            continue;
        memmove(&worker->open.items[i], &worker->open.items[i + 1],
                (worker->open.count - i - 1) * sizeof *worker->open.items);
        worker->open.count--;
        struct story_attempt attempt = { .id = send->grant.attempt,
                                         .credit = send->grant.credit,
                                         .map_index = send->grant.map_index,
                                         .try_no = send->grant.try_no };
        const struct spec *spec = send->grant.spec;
        snprintf(attempt.run, sizeof attempt.run, "%.*s", STR_ARG(send->grant.run_id));
        snprintf(attempt.task, sizeof attempt.task, "%.*s", STR_ARG(send->grant.task_id));
        snprintf(attempt.command, sizeof attempt.command, "%.*s",
                 STR_ARG(spec->argv[spec->argv_count - 1]));
        VEC_ADD(&worker->attempts, attempt);
        return;
    }
}

static void on_ack(struct story_worker *worker, const struct core_send *send)
{
    for (uint32_t i = 0; i < send->ack.count; i++) {
        for (uint32_t k = 0; k < worker->attempts.count; k++) {
            if (!id_eq(worker->attempts.items[k].id, send->ack.attempts[i]))
                continue;
            memmove(&worker->attempts.items[k], &worker->attempts.items[k + 1],
                    (worker->attempts.count - k - 1) * sizeof *worker->attempts.items);
            worker->attempts.count--;
            break;
        }
    }
}

static void on_errands(struct story *story, const struct core_send *send)
{
    for (uint32_t i = 0; i < send->errands.count; i++) {
        const struct errand *errand = &send->errands.items[i];
        struct story_errand kept = { .id = errand->id,
                                     .number = errand->number,
                                     .kind = errand->kind };
        snprintf(kept.worker, sizeof kept.worker, "%.*s", STR_ARG(send->worker));
        snprintf(kept.payload, sizeof kept.payload, "%.*s", STR_ARG(errand->payload));
        VEC_ADD(&story->errands, kept);
    }
}

static void show_send(struct story *story, const struct core_send *send)
{
    switch (send->type) {
    case SEND_GRANT:
        say(story, "-> %.*s: grant %.*s try %u", STR_ARG(send->worker),
            STR_ARG(send->grant.task_id), send->grant.try_no);
        break;
    case SEND_ACK:
        say(story, "-> %.*s: ack %u", STR_ARG(send->worker), send->ack.count);
        break;
    case SEND_KILL:
        say(story, "-> %.*s: kill (%s)", STR_ARG(send->worker), cause_sentence(send->kill.cause));
        break;
    case SEND_SYNC:
        say(story, "-> %.*s: sync", STR_ARG(send->worker));
        break;
    case SEND_RENEWED:
        say(story, "-> %.*s: renewed", STR_ARG(send->worker));
        break;
    case SEND_DRAIN:
        say(story, "-> %.*s: %s", STR_ARG(send->worker), send->drain.drain ? "drain" : "go on");
        break;
    case SEND_STOP:
        say(story, "-> %.*s: stop", STR_ARG(send->worker));
        break;
    case SEND_FIND:
        say(story, "-> find a run up to %lld", (long long)send->find.logical_ms);
        break;
    case SEND_ERRANDS:
        say(story, "-> %.*s: %u errands, the first %s",
            STR_ARG(send->worker.size > 0 ? send->worker : STR("itself")), send->errands.count,
            errand_kind_name(send->errands.items[0].kind));
        break;
    case SEND_PROBED:
        say(story, "-> %.*s: question %llu: %s, %.*s", STR_ARG(send->worker),
            (unsigned long long)send->probed.question_no, send->probed.ok ? "it opens" : "no",
            STR_ARG(send->probed.text));
        break;
    case SEND_SCALE:
        say(story, "-> scale %.*s to %u%s%.*s", STR_ARG(send->scale.queue), send->scale.wanted,
            send->scale.stop_worker.size > 0 ? ", stop " : "", STR_ARG(send->scale.stop_worker));
        break;
    }
}

/* The dates are the core's, and the answer may come when it has others. */
static void on_find(struct story *story, const struct core_find *find)
{
    story->find_count++;
    VEC_ADD(&story->finds, *find);
    if (find->date_count > 0)
        VEC_LAST(&story->finds).dates =
            arena_copy(&story->arena, find->dates, find->date_count * sizeof *find->dates);
}

static void deliver(struct story *story, const struct core_send *send)
{
    struct story_worker *worker = worker_by_name(story, send->worker);
    if (story->show_sends)
        show_send(story, send);
    if (send->type == SEND_FIND)
        on_find(story, &send->find);
    if (send->type == SEND_ERRANDS)
        on_errands(story, send);
    if (send->type == SEND_SCALE) {
        story->scale_wanted = send->scale.wanted;
        snprintf(story->scale, sizeof story->scale, "%.*s", STR_ARG(send->scale.stop_worker));
    }
    if (worker == NULL || worker->stopped)
        return;
    switch (send->type) {
    case SEND_GRANT:
        if (!story->lose_grants)
            on_grant(worker, send);
        break;
    case SEND_ACK:
        on_ack(worker, send);
        break;
    case SEND_DRAIN:
        worker->draining = send->drain.drain;
        if (worker->draining)
            VEC_RESET(&worker->open);
        break;
    case SEND_SYNC:
        worker->epoch = send->epoch;
        VEC_RESET(&worker->open);
        break;
    case SEND_KILL:
        VEC_EACH (&worker->attempts, i)
            worker->attempts.items[i].told_kill |=
                id_eq(worker->attempts.items[i].id, send->kill.attempt);
        break;
    case SEND_STOP:
        worker->stopped = true;
        break;
    default:
        break;
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void answers_read(struct story *story, const struct core_batch *batch)
{
    for (uint32_t i = 0; i < batch->write_count; i++) {
        if (batch->writes[i].type != WRITE_REQUEST_DONE)
            continue;
        story->answer_code = batch->writes[i].request.code;
        snprintf(story->answer, sizeof story->answer, "%.*s",
                 STR_ARG(batch->writes[i].request.answer));
    }
}

static void feed(void *owner, struct core_event *event)
{
    step(owner, event);
}

/* The database answers what the core asks as soon as it has spoken. */
static void finds_answer(struct story *story)
{
    if (story->answers_finds)
        return; /* an answer leads to questions: they are next, and not deeper */
    story->answers_finds = true;
    while (story->finds.count > 0 && !story->hold_finds) {
        struct core_find find = story->finds.items[0];
        memmove(story->finds.items, story->finds.items + 1, --story->finds.count * sizeof find);
        model_store_find(&story->store, &find, false, story, feed);
    }
    story->answers_finds = false;
}

static void step(struct story *story, struct core_event *event)
{
    struct core_out out;
    struct err err = { 0 };
    event->now_ms = story->now_ms;
    event->wall_ms = story->wall_ms;
    core_step(story->core, event, &out);
    for (uint32_t i = 0; i < out.note_count; i++)
        show_note(story, &out.notes[i]);
    for (uint32_t i = 0; i < out.send_count; i++)
        deliver(story, &out.sends[i]);
    if (out.commit == NULL) {
        finds_answer(story);
        return;
    }
    answers_read(story, out.commit);
    if (model_store_apply(&story->store, out.commit->writes, out.commit->write_count,
                          story->wall_ms, &err) < 0) {
        fprintf(stderr, "the store refuses: %s\n", err.sentence);
        ASSERT(!"a write that the store refuses");
    }
    story->pending = out.commit->batch_no;
    if (!story->hold_commits)
        story_commit(story);
    finds_answer(story);
}

void story_answer(struct story *story)
{
    story->hold_finds = false;
    finds_answer(story);
}

void story_commit(struct story *story)
{
    uint64_t batch_no = story->pending;
    story->pending = 0;
    if (batch_no != 0)
        step(story, &(struct core_event) { .type = CORE_COMMITTED, .committed = { batch_no } });
}

static void lead(struct story *story)
{
    story->epoch++;
    step(story, &(struct core_event) { .type = CORE_LED,
                                       .led = { story->epoch, story->epoch,
                                                model_store_run_no_next(&story->store), 1,
                                                story->commits_may_be_lost ? 0 : -1,
                                                model_store_event_no_next(&story->store) } });
    model_store_recover(&story->store, story, feed);
    step(story, &(struct core_event) { .type = CORE_RECOVERED });
}

struct story *story_new_with(const struct core_limits *limits)
{
    struct story *story = calloc(1, sizeof *story);
    ASSERT(story != NULL);
    story->limits = *limits;
    story->now_ms = 1000;
    story->wall_ms = STORY_WALL;
    story->core = core_new(limits);
    model_store_init(&story->store);
    lead(story);
    return story;
}

struct story *story_new(void)
{
    struct core_limits limits = story_limits();
    return story_new_with(&limits);
}

void story_free(struct story *story)
{
    core_free(story->core);
    model_store_clear(&story->store);
    VEC_EACH (&story->workers, i) {
        VEC_CLEAR(&story->workers.items[i]->open);
        VEC_CLEAR(&story->workers.items[i]->attempts);
        free(story->workers.items[i]);
    }
    VEC_CLEAR(&story->workers);
    VEC_CLEAR(&story->finds);
    VEC_EACH (&story->dags, i)
        dag_free(story->dags.items[i]);
    VEC_CLEAR(&story->dags);
    VEC_CLEAR(&story->errands);
    map_clear(&story->states);
    buf_clear(&story->trace);
    arena_clear(&story->arena);
    free(story);
}

/* ---- what a test says ------------------------------------------------------------------------ */

static void dag_add(struct story *story, struct dag *dag, bool paused)
{
    struct dag *copy = NULL;
    int32_t dag_no = (int32_t)story->dags.count + 1;
    bool known = false;
    VEC_EACH (&story->dags, i) {
        if (!str_eq(story->dags.items[i]->id, dag->id))
            continue;
        dag_no = (int32_t)i + 1;
        known = true;
    }
    int rc = dag_from_json(dag_to_json(dag, &story->arena), &copy, NULL);
    ASSERT(rc == 0);
    if (known) {
        dag_free(story->dags.items[dag_no - 1]);
        story->dags.items[dag_no - 1] = copy;
    } else {
        VEC_ADD(&story->dags, copy);
    }
    model_store_dag(&story->store, dag_no, ++story->version_no, dag, paused);
    step(story, &(struct core_event) { .type = CORE_DAG,
                                       .dag = { .dag_no = dag_no,
                                                .version_no = story->version_no,
                                                .dag = dag,
                                                .paused = paused,
                                                .newest = true } });
}

void story_dag(struct story *story, struct dag *dag)
{
    dag_add(story, dag, false);
}

void story_dag_paused(struct story *story, struct dag *dag)
{
    dag_add(story, dag, true);
}

void story_dag_gone(struct story *story, int32_t dag_no)
{
    step(story, &(struct core_event) { .type = CORE_DAG_GONE, .dag_gone = { dag_no } });
}

void story_autoscale(struct story *story, const char *queue, uint32_t min, uint32_t max,
                     uint32_t slots, int64_t quiet_ms, uint32_t present)
{
    step(story, &(struct core_event) {
                    .type = CORE_AUTOSCALE,
                    .autoscale = { str_of(queue), min, max, slots, quiet_ms, present, false } });
}

void story_event(struct story *story, struct core_event event)
{
    step(story, &event);
}

void story_pool(struct story *story, const char *name, int32_t slots)
{
    step(story,
         &(struct core_event) { .type = CORE_POOL, .pool = { str_of(name), slots, false, false } });
}

struct story_worker *story_worker_of(struct story *story, const char *name, uint32_t slots,
                                     const char *queues)
{
    struct story_worker *worker = calloc(1, sizeof *worker);
    ASSERT(worker != NULL);
    snprintf(worker->name, sizeof worker->name, "%s", name);
    snprintf(worker->queues, sizeof worker->queues, "%s", queues);
    worker->slots = slots;
    worker->incarnation = 1;
    worker->next_seq = 1;
    worker->epoch = story->epoch;
    VEC_ADD(&story->workers, worker);
    story_inventory(story, worker);
    return worker;
}

struct story_worker *story_worker(struct story *story, const char *name, uint32_t slots)
{
    return story_worker_of(story, name, slots, "default");
}

void story_request(struct story *story, struct request request)
{
    request.request_no = ++story->request_no;
    if (request.actor.bytes == NULL)
        request.actor = STR("ann");
    struct str *texts[] = { &request.dag_id, &request.run_id, &request.note, &request.pool,
                            &request.what };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i]->bytes == NULL)
            *texts[i] = STR_EMPTY;
    for (uint32_t i = 0; i < story->dags.count && request.run_id.size > 0; i++) {
        if (!str_eq(story->dags.items[i]->id, request.dag_id))
            continue;
        VEC_EACH (&story->store.runs, k) {
            const struct model_run *run = &story->store.runs.items[k];
            if (run->deleted || run->row.dag_no != (int32_t)i + 1 ||
                !str_eq(run->row.run_id, request.run_id))
                continue;
            request.known_run_no = run->row.run_no;
            if (request.kind != REQUEST_TRIGGER && !core_has_run(story->core, run->row.run_no))
                (void)model_store_recover_run(&story->store, (int32_t)i + 1, request.run_id, story,
                                              feed);
        }
    }
    step(story, &(struct core_event) { .type = CORE_REQUEST, .request = &request });
}

void story_request_json(struct story *story, const char *json)
{
    struct request request;
    int rc = request_parse(str_of(json), &story->arena, &request, NULL);
    ASSERT(rc == 0);
    story_request(story, request);
}

void story_file(struct story *story, int32_t dag_no, struct id128 content, const char *path)
{
    step(story, &(struct core_event) {
                    .type = CORE_FILE,
                    .file = { dag_no, content, str_of(path), 5, STORY_WALL,
                              model_store_file_known(&story->store, dag_no, content) } });
}

void story_trigger(struct story *story, const char *dag_id, const char *run_id)
{
    story_request(story, (struct request) { .kind = REQUEST_TRIGGER,
                                            .dag_id = str_of(dag_id),
                                            .run_id = str_of(run_id) });
}

static struct story_attempt *attempt_find(struct story *story, const char *task,
                                          struct story_worker **out_worker)
{
    char name[80];
    VEC_EACH (&story->workers, w) {
        struct story_worker *worker = story->workers.items[w];
        VEC_EACH (&worker->attempts, i) {
            struct story_attempt *attempt = &worker->attempts.items[i];
            if (attempt->map_index < 0)
                snprintf(name, sizeof name, "%s", attempt->task);
            else
                snprintf(name, sizeof name, "%s[%d]", attempt->task, attempt->map_index);
            if (attempt->ended || strcmp(name, task) != 0)
                continue;
            if (out_worker != NULL)
                *out_worker = worker;
            return attempt;
        }
    }
    return NULL;
}

struct story_attempt *story_attempt(struct story *story, const char *task)
{
    struct story_attempt *attempt = attempt_find(story, task, NULL);
    if (attempt == NULL) {
        fprintf(stderr, "no worker has task %s; so far:\n%s", task,
                story->trace.bytes != NULL ? story->trace.bytes : "");
        ASSERT(!"no worker has that task");
    }
    return attempt;
}

bool story_is_placed(struct story *story, const char *task)
{
    return attempt_find(story, task, NULL) != NULL;
}

void story_starts(struct story *story, const char *task)
{
    struct story_worker *worker = NULL;
    struct story_attempt *attempt = attempt_find(story, task, &worker);
    ASSERT(attempt != NULL);
    step(story,
         &(struct core_event) { .type = CORE_STARTED,
                                .started = { str_of(worker->name), attempt->id, story->wall_ms } });
}

void story_result(struct story *story, const char *task, struct result result)
{
    struct story_worker *worker = NULL;
    struct story_attempt *attempt = attempt_find(story, task, &worker);
    if (attempt == NULL)
        attempt = story_attempt(story, task);
    if (result.output.bytes == NULL)
        result.output = STR_EMPTY;
    if (result.error.bytes == NULL)
        result.error = STR_EMPTY;
    attempt->ended = true;
    attempt->result = result;
    story_inventory(story, worker);
}

void story_ends(struct story *story, const char *task, enum outcome outcome, int exit_code)
{
    story_result(story, task, (struct result) { .outcome = outcome, .exit_code = exit_code });
}

void story_succeeds(struct story *story, const char *task)
{
    story_ends(story, task, OUTCOME_SUCCESS, 0);
}

void story_outputs(struct story *story, const char *task, const char *json)
{
    story_result(story, task, (struct result) { .output = str_of(json) });
}

struct story_errand *story_errand(struct story *story, const char *text)
{
    VEC_EACH (&story->errands, i)
        if (strstr(story->errands.items[i].payload, text) != NULL)
            return &story->errands.items[i];
    return NULL;
}

static void answer(struct story *story, uint32_t at, struct errand_answer what)
{
    struct story_errand errand = story->errands.items[at];
    memmove(&story->errands.items[at], &story->errands.items[at + 1],
            (story->errands.count - at - 1) * sizeof errand);
    story->errands.count--;
    what.id = errand.id;
    what.number = errand.number;
    step(story, &(struct core_event) { .type = CORE_ERRANDS_DONE,
                                       .errands = { str_of(errand.worker), &what, 1 } });
}

void story_answers(struct story *story, const char *text, enum errand_outcome outcome,
                   const char *output, const char *why)
{
    const struct story_errand *errand = story_errand(story, text);
    if (errand == NULL)
        fprintf(stderr, "no errand with %s; so far:\n%s", text,
                story->trace.bytes != NULL ? story->trace.bytes : "");
    ASSERT(errand != NULL);
    answer(story, (uint32_t)(errand - story->errands.items),
           (struct errand_answer) {
               .outcome = outcome, .output = str_of(output), .text = str_of(why) });
}

void story_database_answers(struct story *story)
{
    for (uint32_t i = 0; i < story->errands.count;) {
        enum errand_kind kind = story->errands.items[i].kind;
        struct str payload = str_of(story->errands.items[i].payload);
        if (kind != ERRAND_TASK && kind != ERRAND_ASSET) {
            i++;
            continue;
        }
        bool done = kind == ERRAND_TASK ? model_store_succeeded(&story->store, payload)
                                        : model_store_updated(&story->store, payload);
        answer(story, i,
               (struct errand_answer) { .outcome = done ? ERRAND_DONE : ERRAND_NOT_YET,
                                        .output = STR_EMPTY,
                                        .text = STR_EMPTY });
    }
}

const char *story_notifications(struct story *story)
{
    static const char *const states[] = { "pending", "delivered", "failed" };
    struct buf text = { 0 };
    VEC_EACH (&story->store.notifications, i) {
        const struct notification_row *row = &story->store.notifications.items[i];
        buf_printf(&text, "%.*s %.*s %.*s: %s%s%.*s\n", STR_ARG(row->event), STR_ARG(row->kind),
                   STR_ARG(row->target), states[row->state], row->error.size > 0 ? ", " : "",
                   STR_ARG(row->error));
    }
    const char *copy = str_cstr(&story->arena, buf_str(&text));
    buf_clear(&text);
    return copy;
}

void story_wait(struct story *story, int64_t ms)
{
    int64_t until_ms = story->now_ms + ms;
    while (story->now_ms < until_ms) {
        int64_t next_ms = core_wake_at_ms(story->core);
        int64_t report_ms = (story->now_ms / INVENTORY_MS + 1) * INVENTORY_MS;
        if (next_ms > report_ms)
            next_ms = report_ms;
        if (next_ms > until_ms)
            next_ms = until_ms;
        if (next_ms > story->now_ms) {
            story->wall_ms += next_ms - story->now_ms;
            story->now_ms = next_ms;
        }
        if (story->now_ms == report_ms)
            for (uint32_t i = 0; i < story->workers.count; i++)
                story_inventory(story, story->workers.items[i]);
        step(story, &(struct core_event) { .type = CORE_TICK });
    }
}

void story_takeover_silently(struct story *story)
{
    VEC_RESET(&story->finds);
    step(story, &(struct core_event) { .type = CORE_UNLED });
    story->pending = 0;
    lead(story);
}

void story_takeover(struct story *story)
{
    story_takeover_silently(story);
    for (uint32_t i = 0; i < story->workers.count; i++)
        story_inventory(story, story->workers.items[i]);
}

/* ---- what a test asks ------------------------------------------------------------------------ */

const char *story_trace(struct story *story)
{
    const char *text = str_cstr(&story->arena, buf_str(&story->trace));
    buf_reset(&story->trace);
    return text;
}

static const struct model_run *newest_run(const struct story *story)
{
    ASSERT(story->store.runs.count > 0);
    return &VEC_LAST(&story->store.runs);
}

const char *story_why(struct story *story, const char *run_id, uint32_t task, int32_t map_index)
{
    VEC_EACH (&story->store.runs, i)
        if (str_is(story->store.runs.items[i].row.run_id, run_id))
            return str_cstr(&story->arena,
                            core_why(story->core, story->store.runs.items[i].row.run_no, task,
                                     map_index, &story->arena));
    return "there is no such run";
}

static bool find_instance(const struct story *story, const char *name, uint32_t *out_task,
                          int32_t *out_map)
{
    const struct dag *dag = dag_of(story, newest_run(story)->row.dag_no);
    struct str id = str_of(name), digits = STR_EMPTY;
    int64_t map = -1;
    if (str_ends(id, "]")) {
        ptrdiff_t at = str_find(id, '[');
        digits = str_slice(id, (size_t)at + 1, id.size - 1);
        id = str_slice(id, 0, (size_t)at);
        if (str_to_int(digits, 0, INT32_MAX, &map) < 0)
            return false;
    }
    int32_t task = dag_find_task(dag, id);
    *out_task = (uint32_t)task;
    *out_map = (int32_t)map;
    return task >= 0;
}

enum task_state story_state(struct story *story, const char *task)
{
    uint32_t number = 0;
    int32_t map = -1;
    bool found = find_instance(story, task, &number, &map);
    ASSERT(found);
    const struct model_try *row = model_store_newest(newest_run(story), number, map);
    return row == NULL || row->cleared ? TASK_NONE : row->row.state;
}

struct str story_output(struct story *story, const char *task)
{
    uint32_t number = 0;
    int32_t map = -1;
    bool found = find_instance(story, task, &number, &map);
    ASSERT(found);
    const struct model_run *run = newest_run(story);
    VEC_EACH (&run->outputs, i)
        if (run->outputs.items[i].task == number && run->outputs.items[i].map_index == map)
            return run->outputs.items[i].json;
    return STR_EMPTY;
}
