// SPDX-License-Identifier: Apache-2.0
#include "common/model/request.h"

#include "common/text/json.h"

static const char *const kind_names[REQUEST_COUNT] = {
    [REQUEST_TRIGGER] = "trigger",
    [REQUEST_CLEAR] = "clear",
    [REQUEST_MARK_TASKS] = "mark_tasks",
    [REQUEST_MARK_RUN] = "mark_run",
    [REQUEST_DELETE_RUN] = "delete_run",
    [REQUEST_PAUSE] = "pause",
    [REQUEST_DELETE_DAG] = "delete_dag",
    [REQUEST_DRAIN_WORKER] = "drain_worker",
    [REQUEST_POOL] = "pool",
    [REQUEST_BACKFILL] = "backfill",
    [REQUEST_BACKFILL_SET] = "backfill_set",
    [REQUEST_ASSET_EVENT] = "asset_event",
    [REQUEST_DROP_EVENTS] = "drop_events",
    [REQUEST_RELOAD] = "reload",
};

const char *request_kind_name(enum request_kind kind)
{
    return (unsigned)kind < REQUEST_COUNT ? kind_names[kind] : "unknown";
}

/* Plain fields, in both directions. States and types are words in JSON, see below. */
enum field_kind { FIELD_STR, FIELD_BOOL, FIELD_INT64, FIELD_INT32 };

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
};

#define ROW(name, kind)                                                                            \
    {                                                                                              \
#name, FIELD_##kind, offsetof(struct request, name)                                        \
    }
static const struct field fields[] = {
    ROW(actor, STR),
    ROW(dag_id, STR),
    ROW(run_id, STR),
    ROW(note, STR),
    ROW(pool, STR),
    ROW(what, STR),
    ROW(logical_ms, INT64),
    ROW(run_after_ms, INT64),
    ROW(worker_no, INT64),
    ROW(slots, INT32),
    ROW(whole_run, BOOL),
    ROW(only_failed, BOOL),
    ROW(only_running, BOOL),
    ROW(include_upstream, BOOL),
    ROW(include_downstream, BOOL),
    ROW(latest_version, BOOL),
    ROW(paused, BOOL),
    ROW(drain, BOOL),
    ROW(removed, BOOL),
    ROW(from_ms, INT64),
    ROW(to_ms, INT64),
    ROW(backfill_no, INT64),
    ROW(event_no, INT64),
    ROW(max_active_runs, INT32),
    ROW(backwards, BOOL),
    ROW(dry_run, BOOL),
    ROW(over_runs, BOOL),
    ROW(interval_start_ms, INT64),
    ROW(interval_end_ms, INT64),
    ROW(include_deferred, BOOL),
};
#undef ROW

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

static int field_read(const struct field *field, const struct value *item, struct request *out)
{
    void *at = (char *)out + field->offset;
    switch (field->kind) {
    case FIELD_STR:
        if (item->type != VALUE_STRING)
            return ERR_INVALID;
        *(struct str *)at = item->string;
        return 0;
    case FIELD_BOOL:
        if (item->type != VALUE_BOOL)
            return ERR_INVALID;
        *(bool *)at = item->boolean;
        return 0;
    case FIELD_INT64:
        if (item->type != VALUE_INT)
            return ERR_INVALID;
        *(int64_t *)at = item->integer;
        return 0;
    case FIELD_INT32:
        if (item->type != VALUE_INT || item->integer < INT32_MIN || item->integer > INT32_MAX)
            return ERR_INVALID;
        *(int32_t *)at = (int32_t)item->integer;
        return 0;
    }
    return ERR_INVALID;
}

static int kind_parse(struct str name, enum request_kind *out)
{
    for (int i = 0; i < REQUEST_COUNT; i++) {
        if (str_is(name, kind_names[i])) {
            *out = (enum request_kind)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

static int tasks_read(const struct value *list, struct arena *arena, struct request *out,
                      struct err *err)
{
    if (list == NULL)
        return 0;
    if (list->type != VALUE_LIST)
        return err_set(err, ERR_INVALID, "tasks is not a list");
    out->task_count = list->count;
    out->tasks = ARENA_ARRAY(arena, struct request_task, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *task_id = value_get(list->items[i], "task_id");
        int64_t map_index = value_integer(value_get(list->items[i], "map_index"), MAP_INDEX_ALL);
        if (task_id == NULL || task_id->type != VALUE_STRING || map_index < MAP_INDEX_ALL ||
            map_index > INT32_MAX)
            return err_set(err, ERR_INVALID,
                           "tasks[%u] needs a task_id and may have a map_index from -2 on", i);
        out->tasks[i] = (struct request_task) { task_id->string, (int32_t)map_index };
    }
    return 0;
}

static int words_read(const struct value *map, struct request *out, struct err *err)
{
    struct str word = value_text(value_get(map, "run_type"), STR("manual"));
    if (run_type_parse(word, &out->run_type) < 0)
        return err_set(err, ERR_INVALID, "there is no run type %.*s", STR_ARG(word));
    word = value_text(value_get(map, "task_state"), STR("none"));
    if (task_state_parse(word, &out->task_state) < 0)
        return err_set(err, ERR_INVALID, "there is no task state %.*s", STR_ARG(word));
    word = value_text(value_get(map, "reprocess"), STR("none"));
    if (reprocess_parse(word, &out->reprocess) < 0)
        return err_set(err, ERR_INVALID, "there is no way to reprocess %.*s", STR_ARG(word));
    word = value_text(value_get(map, "run_state"), STR("queued"));
    if (run_state_parse(word, &out->run_state) < 0)
        return err_set(err, ERR_INVALID, "there is no run state %.*s", STR_ARG(word));
    return 0;
}

int request_parse(struct str json, struct arena *arena, struct request *out, struct err *err)
{
    const struct value *map = NULL;
    int rc = json_parse(arena, json, NULL, &map, err);
    if (rc < 0)
        return rc;
    if (map->type != VALUE_MAP)
        return err_set(err, ERR_INVALID, "a request is a mapping");
    struct request request = { .actor = STR_EMPTY,
                               .dag_id = STR_EMPTY,
                               .run_id = STR_EMPTY,
                               .note = STR_EMPTY,
                               .pool = STR_EMPTY,
                               .what = STR_EMPTY };
    struct str kind = value_text(value_get(map, "kind"), STR_EMPTY);
    if (kind_parse(kind, &request.kind) < 0)
        return err_set(err, ERR_INVALID, "there is no kind of request \"%.*s\"", STR_ARG(kind));
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct value *item = value_get(map, fields[i].name);
        if (item != NULL && field_read(&fields[i], item, &request) < 0)
            return err_set(err, ERR_INVALID, "field %s does not fit", fields[i].name);
    }
    request.has_logical = value_get(map, "logical_ms") != NULL;
    request.conf = value_get(map, "conf");
    rc = tasks_read(value_get(map, "tasks"), arena, &request, err);
    if (rc == 0)
        rc = words_read(map, &request, err);
    if (rc == 0)
        *out = request;
    return rc;
}

static const struct value *field_value(struct arena *arena, const struct field *field,
                                       const struct request *request)
{
    const void *at = (const char *)request + field->offset;
    switch (field->kind) {
    case FIELD_STR: {
        struct str text = *(const struct str *)at;
        return text.size == 0 ? NULL : value_string(arena, text);
    }
    case FIELD_BOOL:
        return *(const bool *)at ? value_bool(arena, true) : NULL;
    case FIELD_INT64:
        return *(const int64_t *)at != 0 ? value_int(arena, *(const int64_t *)at) : NULL;
    case FIELD_INT32:
        return *(const int32_t *)at != 0 ? value_int(arena, *(const int32_t *)at) : NULL;
    }
    return NULL;
}

struct str request_write(const struct request *request, struct arena *arena)
{
    struct value *map = value_map(arena);
    value_put(arena, map, STR("kind"),
              value_string(arena, str_of(request_kind_name(request->kind))));
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct value *item = field_value(arena, &fields[i], request);
        if (item != NULL)
            value_put(arena, map, str_of(fields[i].name), item);
    }
    if (request->has_logical)
        value_put(arena, map, STR("logical_ms"), value_int(arena, request->logical_ms));
    if (request->conf != NULL)
        value_put(arena, map, STR("conf"), request->conf);
    if (request->task_count > 0) {
        struct value *list = value_list(arena);
        for (uint32_t i = 0; i < request->task_count; i++) {
            struct value *item = value_map(arena);
            value_put(arena, item, STR("task_id"), value_string(arena, request->tasks[i].task_id));
            value_put(arena, item, STR("map_index"), value_int(arena, request->tasks[i].map_index));
            value_add(arena, list, item);
        }
        value_put(arena, map, STR("tasks"), list);
    }
    value_put(arena, map, STR("run_type"),
              value_string(arena, str_of(run_type_name(request->run_type))));
    value_put(arena, map, STR("task_state"),
              value_string(arena, str_of(task_state_name(request->task_state))));
    if (request->reprocess != REPROCESS_NONE)
        value_put(arena, map, STR("reprocess"),
                  value_string(arena, str_of(reprocess_name(request->reprocess))));
    value_put(arena, map, STR("run_state"),
              value_string(arena, str_of(run_state_name(request->run_state))));
    return json_text(arena, map);
}
