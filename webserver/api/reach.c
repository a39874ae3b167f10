// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/reach.h"

#include "common/store/access_store.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"

enum place { IN_LIST, IN_QUERY, IN_BODY, IN_BACKFILL, IN_ROWS };

/* Routes whose path does not name the DAG. IN_LIST: what is read is narrowed, and that is enough.
 * IN_ROWS: that too; of each row the handler asks reach_row. */
static const struct {
    void (*handle)(struct call *call);
    enum place place;
} PLACES[] = {
    { dags_list, IN_LIST },
    { dag_stats, IN_LIST },
    { dag_versions_list, IN_LIST },
    { tags_list, IN_LIST },
    { import_errors_list, IN_LIST },
    { import_error_get, IN_LIST },
    { runs_list, IN_LIST },
    { runs_list_by_body, IN_LIST },
    { instances_list, IN_LIST },
    { instances_list_by_body, IN_LIST },
    { backfills_list, IN_LIST },
    { notifications_list, IN_LIST },
    { live_stream, IN_LIST },
    { ui_home, IN_LIST },
    { ui_activity, IN_LIST },
    { ui_lanes, IN_LIST },
    { ui_dags, IN_LIST },
    { ui_import_errors, IN_LIST },
    { ui_search, IN_LIST },
    { ui_runs, IN_LIST },
    { ui_tasks, IN_LIST },
    { why_get, IN_QUERY },
    { backfill_create, IN_BODY },
    { runs_bulk, IN_ROWS },
    { tasks_bulk, IN_ROWS },
    { backfill_get, IN_BACKFILL },
    { backfill_set, IN_BACKFILL },
};

struct reader reach_reader(const struct call *call)
{
    const struct person *person = &call->person;
    return (struct reader) { .user_no = person->user_no,
                             .rank = (int32_t)person->role,
                             .dags = person->dags,
                             .dag_count = person->dag_count };
}

/* ---- saying no ---- */

static void record_denial(struct call *call)
{
    uint64_t left_out;
    if (!denials_take(&call->api->denials, call->person.name, loop_now_ms(), &left_out))
        return;
    struct audit audit = call_audit(call, call->route->operation);
    struct value *detail = value_map(call->arena);
    struct str path = str_clean(call->arena, str_cut(call->request->path, 500));
    value_put(call->arena, detail, STR("path"), value_string(call->arena, path));
    if (left_out > 0)
        value_put(call->arena, detail, STR("left_out_before"),
                  value_int(call->arena, (int64_t)left_out));
    audit.allowed = false;
    audit.detail = json_text(call->arena, detail);
    audit_write(call->api->options.store, &audit, NULL, NULL);
}

static void deny(struct call *call)
{
    enum right right = call->route->right;
    record_denial(call);
    if (role_has(call->person.role, right)) {
        call_refuse_reason(call, 403, "forbidden", "This token is not made for the right %s here.",
                           right_word(right));
        return;
    }
    /* Airflow's client accepts this phrase for its configuration. */
    const char *phrase =
        right == RIGHT_SETTINGS_READ ? "Your Airflow administrator chose not to expose this. " : "";
    call_refuse_reason(call, 403, "forbidden", "%sThis needs the right %s, which the role %s has.",
                       phrase, right_word(right), role_name(right_role(right)));
}

static void hide(struct call *call)
{
    struct err err = { 0 };
    record_denial(call);
    int rc = err_set(&err, ERR_NOT_FOUND, "there is no such DAG");
    call_fail(call, rc, &err);
}

/* ---- one DAG ---- */

static void read_narrowed(struct call *call)
{
    struct reader *reader = ARENA_NEW(call->arena, struct reader);
    *reader = reach_reader(call);
    call->reader = reader;
    call->allowed(call);
}

static void on_rank(void *owner, int rc, int32_t rank, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        call_fail(call, rc, err);
        return;
    }
    call->dag_role = rc < 0 ? person_role(&call->person) : (enum role)rank;
    if (!role_has(call->dag_role, RIGHT_READ))
        hide(call);
    else if (person_may(&call->person, call->dag_role, call->route->right))
        call->allowed(call);
    else
        deny(call);
}

static void ask_rank(struct call *call, struct str dag_id, int64_t backfill_no)
{
    struct reader reader = reach_reader(call);
    dag_rank_read(call->api->options.store, &reader, dag_id, backfill_no, on_rank, call);
}

/* Who may do it on no DAG is told so before the rows are looked at. */
static void on_highest(void *owner, int rc, int32_t rank, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else if (person_may(&call->person, (enum role)rank, call->route->right))
        read_narrowed(call);
    else
        deny(call);
}

static void ask_highest(struct call *call)
{
    struct reader reader = reach_reader(call);
    highest_rank_read(call->api->options.store, &reader, on_highest, call);
}

static void ask_backfill(struct call *call)
{
    int64_t backfill_no = call_param_int(call, "backfill_id", 1, INT64_MAX);
    if (!call_refuse_problems(call))
        ask_rank(call, STR_EMPTY, backfill_no);
}

/* ---- one row of many ---- */

struct row {
    struct call *call;
    void (*on_end)(struct call *call, const struct refusal *refusal);
};

static void on_row_rank(void *owner, int rc, int32_t rank, const struct err *err)
{
    const struct row *row = owner;
    struct call *call = row->call;
    enum right right = call->route->right;
    enum role role = rc == ERR_NOT_FOUND ? person_role(&call->person) : (enum role)rank;
    (void)err;
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        int status = err_http_status(rc);
        row->on_end(call, &(struct refusal) { status, str_of(err_sentence(rc)), status >= 500 });
        return;
    }
    if (person_may(&call->person, role, right)) {
        row->on_end(call, NULL);
        return;
    }
    record_denial(call);
    if (role_has(role, RIGHT_READ))
        row->on_end(call,
                    &(struct refusal) {
                        403,
                        str_format(call->arena, "this needs the right %s here", right_word(right)),
                        false });
    else
        row->on_end(call, &(struct refusal) { 404, STR("there is no such DAG"), false });
}

void reach_row(struct call *call, struct str dag_id,
               void (*on_end)(struct call *call, const struct refusal *refusal))
{
    struct row *row = ARENA_NEW(call->arena, struct row);
    struct reader reader = reach_reader(call);
    *row = (struct row) { call, on_end };
    if (call->reader == NULL)
        on_end(call, NULL);
    else
        dag_rank_read(call->api->options.store, &reader, dag_id, 0, on_row_rank, row);
}

/* ---- every route ---- */

static void ask_place(struct call *call, enum place place)
{
    switch (place) {
    case IN_LIST:
        if (call->route->right == RIGHT_READ)
            read_narrowed(call);
        else
            deny(call);
        break;
    case IN_QUERY:
        ask_rank(call, call_query(call, "dag_id", STR_EMPTY), 0);
        break;
    case IN_BODY:
        if (call_read_body(call))
            ask_rank(call, body_text(call, "dag_id", STR_EMPTY), 0);
        break;
    case IN_BACKFILL:
        ask_backfill(call);
        break;
    case IN_ROWS:
        ask_highest(call);
        break;
    }
}

void reach_check(struct call *call, void (*then)(struct call *call))
{
    const struct person *person = &call->person;
    struct str dag_id = http_param(call->request, "dag_id");
    call->allowed = then;
    call->dag_role = person_role(person);
    if (person_may(person, call->dag_role, call->route->right)) {
        then(call);
        return;
    }
    bool is_one = dag_id.bytes != NULL && !str_is(dag_id, "~");
    if (!person_may(person, ROLE_ADMIN, call->route->right)) {
        deny(call);
        return;
    }
    if (is_one) {
        ask_rank(call, dag_id, 0);
        return;
    }
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++)
        if (PLACES[i].handle == call->route->handle) {
            ask_place(call, PLACES[i].place);
            return;
        }
    deny(call);
}
