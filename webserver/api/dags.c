// SPDX-License-Identifier: Apache-2.0
/* DAGs: /dags, their details, tasks, versions, sources, tags and statistics. */
#include "webserver/api/command.h"
#include "webserver/api/handlers.h"
#include "webserver/api/live.h"
#include "webserver/api/reach.h"

#include "common/store/user_store.h"
#include "common/text/json.h"

void dags_list(struct call *call)
{
    struct list_query query;
    bool excludes_stale = call_query_bool(call, "exclude_stale", true);
    if (!call_list(call, &query, LIST_DAGS))
        return;
    if (excludes_stale)
        list_query_only(&query, "is_stale", STR("false"));
    call_list_read(call, &query);
}

static void read_dag(struct call *call)
{
    struct list_query query;
    list_query_init(&query, LIST_DAGS, call->arena, 1);
    list_query_only(&query, "dag_id", call_param(call, "dag_id"));
    call_list_one(call, &query);
}

void dag_get(struct call *call)
{
    read_dag(call);
}

void dag_details(struct call *call)
{
    call_document(call, DOCUMENT_api_dag_details,
                  (struct bind[]) { BIND_TEXT(call_param(call, "dag_id")),
                                    BIND_NUMBER(call->person.user_no) },
                  2);
}

static void on_favourite(void *owner, int rc, bool was_one, const struct err *err)
{
    struct call *call = owner;
    bool is_one = call->route->aux == 1;
    if (rc == 0 && !is_one && !was_one)
        call_refuse(call, 409, "the DAG %.*s is not marked as a favourite of yours",
                    STR_ARG(call_param(call, "dag_id")));
    else
        call_pass_empty(call, rc, err);
}

/* aux: 1 marks, 0 takes the mark away. */
void dag_favourite(struct call *call)
{
    if (call->person.user_no == 0)
        call_refuse(call, 409, "the owner of the home has no account that favourites could be of");
    else
        user_favourite(call->api->options.store, call->person.user_no, call_param(call, "dag_id"),
                       call->route->aux == 1, on_favourite, call);
}

static void on_changed(struct call *call, const struct value *answer)
{
    (void)answer;
    live_dag_changed(call->api->live, call_param(call, "dag_id"));
    read_dag(call);
}

/* Of what can be changed, is_paused alone; update_mask may say so. */
static bool read_paused(struct call *call)
{
    const struct value *paused = value_get(call->body, "is_paused");
    if (paused == NULL || paused->type == VALUE_NULL)
        call_problem(call, "body", "is_paused", "missing", "Field required");
    if (!str_is(call_query(call, "update_mask", STR("is_paused")), "is_paused"))
        call_problem(call, "query", "update_mask", "value_error",
                     "Only `is_paused` field can be updated through the REST API");
    return body_bool(call, "is_paused", false);
}

void dag_patch(struct call *call)
{
    struct request request = { .kind = REQUEST_PAUSE, .dag_id = call_param(call, "dag_id") };
    request.paused = read_paused(call);
    if (call_refuse_problems(call))
        return;
    struct audit audit = call_audit(call, request.paused ? "pause" : "unpause");
    command_send(call, &request, &audit, on_changed);
}

static void on_deleted(struct call *call, const struct value *answer)
{
    (void)answer;
    call_json(call, 200, STR("null"));
}

void dag_delete(struct call *call)
{
    struct request request = { .kind = REQUEST_DELETE_DAG, .dag_id = call_param(call, "dag_id") };
    struct audit audit = call_audit(call, "delete_dag");
    command_send(call, &request, &audit, on_deleted);
}

/* ---- many at once ---- */

struct pausing {
    const struct value *dags; /* of the list */
    uint32_t next;
    bool paused;
    struct str *done; /* ids */
    uint32_t done_count;
    struct list_query query; /* of the list, to be read again at the end */
};

static void pause_next(struct call *call, const struct value *answer);
static void on_paused(struct call *call, const struct value *answer);

static void on_paused_list(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct pausing *pausing = call->state;
    const struct value *list = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &list, NULL);
    if (rc < 0) {
        list_query_clear(&pausing->query);
        call_fail(call, rc, err);
        return;
    }
    pausing->dags = value_get(list, "dags");
    pausing->done = ARENA_ARRAY(call->arena, struct str, pausing->dags->count);
    pause_next(call, NULL);
}

/* Of those that a reader may read, those that they may pause. */
static void answer_paused(struct call *call, struct pausing *pausing)
{
    if (call->reader != NULL) {
        list_query_clear(&pausing->query);
        list_query_init(&pausing->query, LIST_DAGS, call->arena, pausing->dags->count);
        list_query_only(&pausing->query, "dag_ids", STR_EMPTY); /* an empty set is no DAG */
        for (uint32_t i = 0; i < pausing->done_count; i++)
            list_query_only(&pausing->query, "dag_ids", pausing->done[i]);
    }
    call_list_read(call, &pausing->query);
}

static void pause_one(struct call *call, const struct refusal *refusal)
{
    struct pausing *pausing = call->state;
    const struct value *dag = pausing->dags->items[pausing->next++];
    struct request request = { .kind = REQUEST_PAUSE, .paused = pausing->paused };
    request.dag_id = value_text(value_get(dag, "dag_id"), STR_EMPTY);
    if (refusal != NULL) {
        pause_next(call, NULL);
        return;
    }
    pausing->done[pausing->done_count++] = request.dag_id;
    struct audit audit = call_audit(call, pausing->paused ? "pause" : "unpause");
    command_send(call, &request, &audit, on_paused);
}

static void on_paused(struct call *call, const struct value *answer)
{
    const struct pausing *pausing = call->state;
    live_dag_changed(call->api->live, pausing->done[pausing->done_count - 1]);
    pause_next(call, answer);
}

static void pause_next(struct call *call, const struct value *answer)
{
    (void)answer;
    struct pausing *pausing = call->state;
    if (pausing->next == pausing->dags->count)
        answer_paused(call, pausing);
    else
        reach_row(call,
                  value_text(value_get(pausing->dags->items[pausing->next], "dag_id"), STR_EMPTY),
                  pause_one);
}

void dags_patch(struct call *call)
{
    struct pausing *pausing = ARENA_NEW(call->arena, struct pausing);
    pausing->paused = read_paused(call);
    if (call_refuse_problems(call) || !call_list(call, &pausing->query, LIST_DAGS))
        return;
    call->state = pausing;
    pausing->query.asker = call->person.user_no;
    pausing->query.reader = call->reader;
    list_read(call->api->options.store, &pausing->query, on_paused_list, call);
}

/* ---- tasks, versions, sources ---- */

/* "-task_id" -> task_id, falling. False after a problem. */
static bool read_task_order(struct call *call, struct str *out_field, bool *out_falling)
{
    static const char *const FIELDS[] = {
        "task_id",    "task_display_name", "owner",         "start_date",
        "end_date",   "trigger_rule",      "queue",         "pool",
        "pool_slots", "weight_rule",       "operator_name", "priority_weight"
    };
    struct str order = call_query(call, "order_by", STR_EMPTY);
    *out_falling = str_starts(order, "-");
    *out_field = *out_falling ? str_slice(order, 1, order.size) : order;
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if (order.size == 0 || str_is(*out_field, FIELDS[i]))
            return true;
    call_refuse(call, 400, "tasks cannot be ordered by '%.*s'", STR_ARG(*out_field));
    return false;
}

/* Airflow 3.2 made a number of what was a yes or no. */
static void read_tasks(struct call *call, struct str task_id, struct str order, bool is_falling)
{
    struct bind binds[] = { BIND_TEXT(call_param(call, "dag_id")), BIND_TEXT(task_id),
                            BIND_TEXT(order), BIND_NUMBER(is_falling),
                            BIND_NUMBER(call_client_release(call) < 302) };
    call_document(call, DOCUMENT_api_tasks, binds, 5);
}

void tasks_list(struct call *call)
{
    struct str field;
    bool is_falling;
    if (read_task_order(call, &field, &is_falling))
        read_tasks(call, STR_EMPTY, field, is_falling);
}

void task_get(struct call *call)
{
    read_tasks(call, call_param(call, "task_id"), STR_EMPTY, false);
}

void dag_versions_list(struct call *call)
{
    struct list_query query;
    if (!call_list(call, &query, LIST_DAG_VERSIONS))
        return;
    if (!str_is(call_param(call, "dag_id"), "~"))
        query.dag_id = call_param(call, "dag_id");
    call_list_read(call, &query);
}

void dag_version_get(struct call *call)
{
    struct list_query query;
    list_query_init(&query, LIST_DAG_VERSIONS, call->arena, 1);
    query.dag_id = call_param(call, "dag_id");
    (void)call_param_int(call, "version_number", 1, INT32_MAX);
    if (call_refuse_problems(call))
        return;
    list_query_only(&query, "version_number", call_param(call, "version_number"));
    call_list_one(call, &query);
}

static void on_source(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    struct str accept = http_header(call->request, "Accept");
    const struct value *source = NULL;
    struct arena arena = { 0 };
    if (rc == 0 && accept.bytes != NULL && http_accepts(accept, "text/plain") &&
        !http_accepts(accept, "application/json") &&
        json_parse(&arena, http_pile_text(call->request, &arena), NULL, &source, NULL) == 0)
        http_answer(call->request, 200, "text/plain; charset=utf-8",
                    value_text(value_get(source, "content"), STR_EMPTY));
    else
        call_pass_read(call, rc, err);
    arena_clear(&arena);
}

void dag_source_get(struct call *call)
{
    int64_t version = call_query_int(call, "version_number", 1, INT32_MAX, -1);
    if (call_refuse_problems(call))
        return;
    call_read(call, NULL, DOCUMENT_api_dag_source,
              (struct bind[]) { BIND_TEXT(call_param(call, "dag_id")), BIND_NUMBER(version) }, 2,
              on_source);
}

static void on_file(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    (void)json;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, 201, STR("null"));
}

/* The scheduler looks at its files every two seconds and on each change, so that there is nothing
 * to hurry: what is asked for happens without being asked. */
void file_reparse(struct call *call)
{
    struct bind token = BIND_TEXT(call_param(call, "file_token"));
    document_read(call->api->options.store, DOCUMENT_api_file_token, &token, 1, on_file, call);
}

void dag_stats(struct call *call)
{
    struct str *dag_ids = ARENA_ARRAY(call->arena, struct str, call->query.count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < call->query.count; i++)
        if (str_is(call->query.pairs[i].name, "dag_ids"))
            dag_ids[count++] = call->query.pairs[i].value;
    call_document(call, DOCUMENT_api_dag_stats, (struct bind[]) { BIND_TEXTS(dag_ids, count) }, 1);
}

void tags_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_TAGS))
        call_list_read(call, &query);
}

void import_errors_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_IMPORT_ERRORS))
        call_list_read(call, &query);
}

void import_error_get(struct call *call)
{
    struct list_query query;
    (void)call_param_int(call, "import_error_id", 0, INT32_MAX);
    if (call_refuse_problems(call))
        return;
    list_query_init(&query, LIST_IMPORT_ERRORS, call->arena, 1);
    list_query_only(&query, "import_error_id", call_param(call, "import_error_id"));
    call_list_one(call, &query);
}
