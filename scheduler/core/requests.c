// SPDX-License-Identifier: Apache-2.0
/* requests - what people ask for, done and answered in one transaction. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

static void answer(struct core *core, const struct request *request, const struct value *map)
{
    write_request_done(core, request->request_no, 0,
                       map != NULL ? json_text(&core->step, map) : STR("{}"));
}

static void refuse(struct core *core, const struct request *request, int code, const char *fmt, ...)
    FORMAT(4, 5);

static void refuse(struct core *core, const struct request *request, int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str sentence = str_formatv(&core->step, fmt, args);
    va_end(args);
    struct value *map = value_map(&core->step);
    value_put(&core->step, map, STR("detail"),
              value_string(&core->step, str_clean(&core->step, sentence)));
    write_request_done(core, request->request_no, code, json_text(&core->step, map));
}

/* The DAG that a request names; refuses it when there is none. */
static struct dag_entry *dag_of(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_by_id(core, request->dag_id);
    if (dag == NULL)
        refuse(core, request, ERR_NOT_FOUND, "there is no DAG %.*s", STR_ARG(request->dag_id));
    return dag;
}

static struct run *run_of(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_of(core, request);
    struct run *run = dag != NULL ? run_by_id(core, dag, request->run_id) : NULL;
    if (dag != NULL && run == NULL)
        refuse(core, request, ERR_NOT_FOUND, "DAG %.*s has no run %.*s", STR_ARG(request->dag_id),
               STR_ARG(request->run_id));
    return run;
}

/* ---- trigger --------------------------------------------------------------------------------- */

static bool is_id_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("_.~:+-", byte) != NULL);
}

/* As in Airflow: ^[A-Za-z0-9_.~:+-]+$, 250 at most, and no name that the scheduler itself could
 * give. */
static bool run_id_is_fit(struct str run_id, enum run_type type)
{
    if (run_id.size > 250)
        return false;
    for (size_t i = 0; i < run_id.size; i++)
        if (!is_id_byte(run_id.bytes[i]))
            return false;
    for (int other = RUN_SCHEDULED; other < RUN_TYPE_COUNT; other++) {
        const char *name = run_type_name(other);
        size_t size = strlen(name);
        if (other != (int)type && run_id.size > size + 1 && memcmp(run_id.bytes, name, size) == 0 &&
            memcmp(run_id.bytes + size, "__", 2) == 0)
            return false;
    }
    return true;
}

static void trigger(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_of(core, request);
    struct err err = { 0 };
    struct run *run = NULL;
    if (dag == NULL)
        return;
    if (dag->gone) {
        refuse(core, request, ERR_CONFLICT, "the file of DAG %.*s is gone",
               STR_ARG(request->dag_id));
        return;
    }
    if (!run_id_is_fit(request->run_id, request->run_type)) {
        refuse(core, request, ERR_UNPROCESSABLE,
               "run_id has at most 250 letters, digits and _.~:+- and does not begin like a "
               "scheduled run's");
        return;
    }
    if (request->known_run_no != 0) {
        refuse(core, request, ERR_EXISTS, "DAG %.*s has a run %.*s already",
               STR_ARG(request->dag_id), STR_ARG(request->run_id));
        return;
    }
    bool has_interval = request->interval_start_ms != 0 || request->interval_end_ms != 0;
    int64_t start_ms = has_interval ? request->interval_start_ms : request->logical_ms,
            end_ms = has_interval ? request->interval_end_ms : request->logical_ms;
    struct run_wish wish = { .dag = dag_index(core, dag),
                             .run_id = request->run_id,
                             .type = request->run_type,
                             .has_logical = request->has_logical,
                             .logical_ms = request->logical_ms,
                             .interval_start_ms = request->has_logical ? start_ms : 0,
                             .interval_end_ms = request->has_logical ? end_ms : 0,
                             .run_after_ms =
                                 request->run_after_ms > 0 ? request->run_after_ms : core->wall_ms,
                             .conf = request->conf,
                             .triggered_by = request->actor,
                             .note = request->note,
                             .cause = CAUSE_REQUESTED };
    int rc = run_create(core, &wish, &run, &err);
    if (rc < 0) {
        refuse(core, request, rc, "%s", err.sentence);
        return;
    }
    struct value *map = value_map(&core->step);
    value_put(&core->step, map, STR("run_id"), value_string(&core->step, run->run_id));
    value_put(&core->step, map, STR("run_no"), value_int(&core->step, run->run_no));
    answer(core, request, map);
}

/* ---- runs and DAGs --------------------------------------------------------------------------- */

static void mark_run(struct core *core, const struct request *request)
{
    struct run *run = run_of(core, request);
    if (run == NULL)
        return;
    if (request->run_state == RUN_QUEUED) { /* once more from the beginning */
        struct request clear = *request;
        clear.whole_run = true;
        request_clear(core, &clear, run);
        return;
    }
    if (!run_state_is_final(request->run_state)) {
        refuse(core, request, ERR_UNPROCESSABLE, "a run can be marked success, failed or queued");
        return;
    }
    if (run->state == request->run_state) {
        answer(core, request, NULL);
        return;
    }
    run_force(core, run, request->run_state, CAUSE_MARKED);
    answer(core, request, NULL);
}

static void delete_run(struct core *core, const struct request *request)
{
    struct run *run = run_of(core, request);
    if (run == NULL)
        return;
    if (run->state == RUN_RUNNING || run->dying > 0) {
        refuse(core, request, ERR_CONFLICT, "run %.*s is running: mark it failed first",
               STR_ARG(run->run_id));
        return;
    }
    if (run->state == RUN_QUEUED) {
        run_unqueue(core, run);
        run->state = RUN_FAILED;
        backfill_left(core, run);
        trigger_run_ended(core, run); /* whoever waits for it */
    }
    write_run_delete(core, run);
    run_free(core, run);
    answer(core, request, NULL);
}

static void pause(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_of(core, request);
    if (dag == NULL)
        return;
    dag_pause(core, dag, request->paused);
    answer(core, request, NULL);
}

static void delete_dag(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_of(core, request);
    if (dag == NULL)
        return;
    if (dag->live > 0) {
        refuse(core, request, ERR_CONFLICT, "DAG %.*s has %u live runs", STR_ARG(request->dag_id),
               dag->live);
        return;
    }
    struct record *record = NULL;
    VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_DAG_DELETE });
    record = &VEC_LAST(&core->open->writes);
    record->dag.dag_no = dag->dag_no;
    dag_drop(core, dag);
    answer(core, request, NULL);
}

/* ---- backfills ------------------------------------------------------------------------------- */

static void backfill(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_of(core, request);
    struct err err = { 0 };
    int rc = dag != NULL ? backfill_request(core, request, dag, &err)
                         : 0; /* which answers, unless it refuses */
    if (rc < 0)
        refuse(core, request, rc, "%s", err.sentence);
}

static void backfill_set(struct core *core, const struct request *request)
{
    struct err err = { 0 };
    int rc = backfill_change(core, request, &err);
    if (rc < 0)
        refuse(core, request, rc, "%s", err.sentence);
    else
        answer(core, request, NULL);
}

/* ---- assets ---------------------------------------------------------------------------------- */

static void asset(struct core *core, const struct request *request)
{
    struct str extra = request->conf != NULL && request->conf->type == VALUE_MAP
                           ? json_text(&core->step, request->conf)
                           : STR("{}");
    struct value *map = value_map(&core->step);
    int64_t event_no = asset_event(
        core, &(struct asset_event) {
                  .asset = request->what, .extra = extra, .task = -1, .map_index = -1 });
    value_put(&core->step, map, STR("id"), value_int(&core->step, event_no));
    answer(core, request, map);
}

static void drop_events(struct core *core, const struct request *request)
{
    struct dag_entry *dag = dag_by_id(core, request->dag_id);
    if (request->dag_id.size > 0 && (dag == NULL || !dag->used)) {
        refuse(core, request, ERR_NOT_FOUND, "there is no DAG %.*s", STR_ARG(request->dag_id));
        return;
    }
    VEC_EACH (&core->dags, i)
        if (core->dags.items[i].used && (dag == NULL || dag == &core->dags.items[i]))
            asset_drop(core, &core->dags.items[i], request->what, request->event_no);
    answer(core, request, NULL);
}

/* ---- workers, pools, what templates read ----------------------------------------------------- */

static void drain_worker(struct core *core, const struct request *request)
{
    uint32_t worker = worker_by_no(core, request->worker_no);
    if (worker == NONE) {
        refuse(core, request, ERR_NOT_FOUND, "there is no worker %lld",
               (long long)request->worker_no);
        return;
    }
    worker_drain(core, worker, request->drain, false,
                 request->drain ? "drained by a user" : "resumed by a user");
    answer(core, request, NULL);
}

static void pool(struct core *core, const struct request *request)
{
    pool_set(core, request->pool, request->slots, request->include_deferred, request->removed);
    answer(core, request, NULL);
}

void request_handle(struct core *core, const struct request *request)
{
    struct run *run = NULL;
    switch (request->kind) {
    case REQUEST_TRIGGER:
        trigger(core, request);
        break;
    case REQUEST_CLEAR:
        run = run_of(core, request);
        if (run != NULL)
            request_clear(core, request, run);
        break;
    case REQUEST_MARK_TASKS:
        run = run_of(core, request);
        if (run != NULL)
            request_mark(core, request, run);
        break;
    case REQUEST_MARK_RUN:
        mark_run(core, request);
        break;
    case REQUEST_DELETE_RUN:
        delete_run(core, request);
        break;
    case REQUEST_PAUSE:
        pause(core, request);
        break;
    case REQUEST_DELETE_DAG:
        delete_dag(core, request);
        break;
    case REQUEST_DRAIN_WORKER:
        drain_worker(core, request);
        break;
    case REQUEST_POOL:
        pool(core, request);
        break;
    case REQUEST_BACKFILL:
        backfill(core, request);
        break;
    case REQUEST_BACKFILL_SET:
        backfill_set(core, request);
        break;
    case REQUEST_ASSET_EVENT:
        asset(core, request);
        break;
    case REQUEST_DROP_EVENTS:
        drop_events(core, request);
        break;
    case REQUEST_RELOAD:
        answer(core, request, NULL);
        break; /* the shell has read them before it gave us this */
    default:
        refuse(core, request, ERR_UNSUPPORTED, "this request is not supported by this release");
        break;
    }
    /* A run that was read for this request alone, and that it left as it was. */
    struct dag_entry *dag = dag_by_id(core, request->dag_id);
    run = dag != NULL && dag->used ? run_by_id(core, dag, request->run_id) : NULL;
    run_forget_if_unchanged(core, run);
}
