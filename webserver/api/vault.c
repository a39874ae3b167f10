// SPDX-License-Identifier: Apache-2.0
/* Pools, variables and connections. Their rows are ours to write; the leader is told by a message
 * in the same transaction. */
#include "common/base/map.h"
#include "common/model/context.h"
#include "common/store/vault_change.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"

struct changing {
    struct vault_row row;
    enum list list;
    const char *filter;
    int status;
};

static void answer_row(struct call *call);
static void read_variables(struct call *call, struct list_query *query, bool is_one);

static void on_changed(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct changing *changing = call->state;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    leader_nudge(call->api->leader);
    if (changing->row.change == VAULT_DELETE)
        call_empty(call, 204);
    else
        answer_row(call);
}

static void answer_row(struct call *call)
{
    const struct changing *changing = call->state;
    struct list_query query;
    list_query_init(&query, changing->list, call->arena, 1);
    list_query_only(&query, changing->filter, changing->row.name);
    if (changing->list == LIST_VARIABLES) {
        read_variables(call, &query, true);
        return;
    }
    list_read_one(call->api->options.store, &query,
                  changing->status == 201 ? call_pass_created : call_pass, call);
    list_query_clear(&query);
}

static void change(struct call *call, const struct changing *changing, const char *event)
{
    static const char *const WHAT[] = { "pools", "variables", "connections" };
    struct changing *kept = ARENA_NEW(call->arena, struct changing);
    *kept = *changing;
    call->state = kept;
    struct request message = { .kind = REQUEST_RELOAD,
                               .actor = call->person.name,
                               .dag_id = STR_EMPTY,
                               .run_id = STR_EMPTY,
                               .note = STR_EMPTY,
                               .pool = STR_EMPTY,
                               .what = str_of(WHAT[changing->row.kind]) };
    if (changing->row.kind == VAULT_POOL) {
        message.kind = REQUEST_POOL;
        message.pool = changing->row.name;
        message.slots = changing->row.pool.slots;
        message.removed = changing->row.change == VAULT_DELETE;
    }
    struct audit audit = call_audit(call, event);
    struct value *detail = value_map(call->arena);
    value_put(call->arena, detail, STR("name"), value_string(call->arena, changing->row.name));
    if (changing->row.kind == VAULT_POOL)
        value_put(call->arena, detail, STR("slots"),
                  value_int(call->arena, changing->row.pool.slots));
    audit.detail = json_text(call->arena, detail);
    vault_change(call->api->options.store, &kept->row, request_write(&message, call->arena), &audit,
                 on_changed, call);
}

static bool name_is_good(struct str name)
{
    if (name.size == 0 || name.size > 250)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.bytes[i] < ' ' || name.bytes[i] == 0x7F || name.bytes[i] == '/')
            return false;
    return true;
}

static void check_name(struct call *call, const char *name, struct str value)
{
    if (!body_has(call, name))
        call_problem(call, "body", name, "missing", "Field required");
    else if (!name_is_good(value))
        call_problem(call, "body", name, "value_error",
                     "1 to 250 letters, without slashes and control characters");
}

/* The body of a PATCH may repeat the name, but not another one. */
static bool names_agree(struct call *call, const char *name, struct str in_path)
{
    struct str in_body = body_text(call, name, in_path);
    if (str_eq(in_body, in_path))
        return true;
    call_refuse(call, 400, "%s of the body does not match that of the address", name);
    return false;
}

static bool is_masked_out(struct call *call, const char *field)
{
    bool has_mask = false;
    for (uint32_t i = 0; i < call->query.count; i++) {
        if (!str_is(call->query.pairs[i].name, "update_mask"))
            continue;
        has_mask = true;
        if (str_is(call->query.pairs[i].value, field))
            return false;
    }
    return has_mask;
}

/* ---- pools ---- */

void pools_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_POOLS))
        call_list_read(call, &query);
}

void pool_get(struct call *call)
{
    struct list_query query;
    list_query_init(&query, LIST_POOLS, call->arena, 1);
    list_query_only(&query, "name", call_param(call, "pool_name"));
    call_list_one(call, &query);
}

static struct changing pool_changing(enum vault_change kind, struct str name)
{
    struct changing changing = { .list = LIST_POOLS,
                                 .filter = "name",
                                 .status = kind == VAULT_CREATE ? 201 : 200 };
    changing.row = (struct vault_row) { .kind = VAULT_POOL, .change = kind, .name = name };
    changing.row.pool.name = name;
    return changing;
}

void pool_create(struct call *call)
{
    struct changing changing = pool_changing(VAULT_CREATE, body_text(call, "name", STR_EMPTY));
    struct pool_row *pool = &changing.row.pool;
    check_name(call, "name", pool->name);
    if (!body_has(call, "slots"))
        call_problem(call, "body", "slots", "missing", "Field required");
    pool->slots = (int32_t)body_int(call, "slots", -1, 1000000, 0);
    pool->description = body_text(call, "description", STR_EMPTY);
    pool->include_deferred = body_bool(call, "include_deferred", false);
    if (!call_refuse_problems(call))
        change(call, &changing, "create_pool");
}

/* What the PATCH does not name stays: the row is read first. */
static void on_pool(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *old = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &old, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct changing changing = pool_changing(VAULT_UPDATE, call_param(call, "pool_name"));
    struct pool_row *pool = &changing.row.pool;
    pool->slots = (int32_t)value_integer(value_get(old, "slots"), 0);
    pool->description = value_text(value_get(old, "description"), STR_EMPTY);
    pool->include_deferred = value_boolean(value_get(old, "include_deferred"), false);
    if (!is_masked_out(call, "slots"))
        pool->slots = (int32_t)body_int(call, "slots", -1, 1000000, pool->slots);
    if (!is_masked_out(call, "description"))
        pool->description = body_text(call, "description", pool->description);
    if (!is_masked_out(call, "include_deferred"))
        pool->include_deferred = body_bool(call, "include_deferred", pool->include_deferred);
    if (!call_refuse_problems(call))
        change(call, &changing, "edit_pool");
}

void pool_patch(struct call *call)
{
    struct list_query query;
    bool is_agreed = str_is(call_param(call, "pool_name"), "default_pool") ||
                     !body_has(call, "pool") ||
                     str_eq(body_text(call, "pool", STR_EMPTY), call_param(call, "pool_name"));
    if (!is_agreed) {
        call_refuse(call, 400, "a pool cannot be renamed");
        return;
    }
    if (call_refuse_problems(call) || !names_agree(call, "name", call_param(call, "pool_name")))
        return;
    list_query_init(&query, LIST_POOLS, call->arena, 1);
    list_query_only(&query, "name", call_param(call, "pool_name"));
    list_read_one(call->api->options.store, &query, on_pool, call);
    list_query_clear(&query);
}

void pool_delete(struct call *call)
{
    struct changing changing = pool_changing(VAULT_DELETE, call_param(call, "pool_name"));
    change(call, &changing, "delete_pool");
}

/* ---- variables ---- */

/* The list comes with stars; a server that holds the key fills in what no name calls a secret. */
struct revealing {
    struct value *frame;         /* {"variables": [...], ...} or one variable */
    const struct value *entries; /* list, or NULL */
    struct map values;           /* key -> index */
    VEC(struct str) texts;
    struct call *call;
};

static void on_variable(void *owner, const struct variable_row *row)
{
    struct revealing *revealing = owner;
    if (row->is_unreadable || context_name_is_secret(row->key))
        return;
    map_put_str(&revealing->values, row->key, revealing->texts.count);
    VEC_ADD(&revealing->texts, str_copy(revealing->call->arena, row->value));
}

static void reveal(struct revealing *revealing, struct value *variable)
{
    uint64_t index;
    struct arena *arena = revealing->call->arena;
    if (map_get_str(&revealing->values, value_text(value_get(variable, "key"), STR_EMPTY), &index))
        value_put(arena, variable, STR("value"),
                  value_string(arena, revealing->texts.items[index]));
}

static void on_variables(void *owner, int rc, const struct err *err)
{
    struct revealing *revealing = owner;
    struct call *call = revealing->call;
    const struct changing *changing = call->state;
    if (rc == 0 && revealing->entries == NULL)
        reveal(revealing, revealing->frame);
    for (uint32_t i = 0; rc == 0 && revealing->entries != NULL && i < revealing->entries->count;
         i++)
        reveal(revealing, (struct value *)revealing->entries->items[i]);
    map_clear(&revealing->values);
    VEC_CLEAR(&revealing->texts);
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, changing == NULL ? 200 : changing->status,
                  json_text(call->arena, revealing->frame));
}

static void on_starred(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *frame = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &frame, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct revealing *revealing = ARENA_NEW(call->arena, struct revealing);
    revealing->call = call;
    revealing->frame = (struct value *)frame; /* ours: just parsed into the call's arena */
    revealing->entries = value_get(frame, "variables");
    store_variables_read(call->api->options.store, on_variable, on_variables, revealing);
}

static void read_variables(struct call *call, struct list_query *query, bool is_one)
{
    if (is_one)
        list_read_one(call->api->options.store, query, on_starred, call);
    else
        list_read(call->api->options.store, query, on_starred, call);
    list_query_clear(query);
}

void variables_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_VARIABLES))
        read_variables(call, &query, false);
}

void variable_get(struct call *call)
{
    struct list_query query;
    list_query_init(&query, LIST_VARIABLES, call->arena, 1);
    list_query_only(&query, "key", call_param(call, "variable_key"));
    read_variables(call, &query, true);
}

static struct changing variable_changing(enum vault_change kind, struct str key)
{
    struct changing changing = { .list = LIST_VARIABLES,
                                 .filter = "key",
                                 .status = kind == VAULT_CREATE ? 201 : 200 };
    changing.row = (struct vault_row) { .kind = VAULT_VARIABLE, .change = kind, .name = key };
    changing.row.variable.key = key;
    return changing;
}

/* A value that is not a text is kept as JSON. */
static struct str body_value(struct call *call, const char *name, struct str otherwise)
{
    const struct value *value = value_get(call->body, name);
    if (value == NULL)
        return otherwise;
    return value->type == VALUE_STRING ? value->string : json_text(call->arena, value);
}

void variable_create(struct call *call)
{
    struct changing changing = variable_changing(VAULT_CREATE, body_text(call, "key", STR_EMPTY));
    check_name(call, "key", changing.row.name);
    if (!body_has(call, "value"))
        call_problem(call, "body", "value", "missing", "Field required");
    changing.row.variable.value = body_value(call, "value", STR_EMPTY);
    changing.row.variable.description = body_text(call, "description", STR_EMPTY);
    if (!call_refuse_problems(call))
        change(call, &changing, "create_variable");
}

static void on_old_variable(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct value *old = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &old, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    struct changing changing = variable_changing(VAULT_UPDATE, call_param(call, "variable_key"));
    changing.row.variable.value = body_value(call, "value", STR_EMPTY);
    changing.row.variable.description = value_text(value_get(old, "description"), STR_EMPTY);
    if (!is_masked_out(call, "description"))
        changing.row.variable.description =
            body_text(call, "description", changing.row.variable.description);
    if (!call_refuse_problems(call))
        change(call, &changing, "edit_variable");
}

void variable_patch(struct call *call)
{
    struct list_query query;
    if (!names_agree(call, "key", call_param(call, "variable_key")))
        return;
    if (!body_has(call, "value"))
        call_problem(call, "body", "value", "missing", "a value cannot be read back here: send it");
    if (call_refuse_problems(call))
        return;
    list_query_init(&query, LIST_VARIABLES, call->arena, 1);
    list_query_only(&query, "key", call_param(call, "variable_key"));
    list_read_one(call->api->options.store, &query, on_old_variable, call);
    list_query_clear(&query);
}

void variable_delete(struct call *call)
{
    struct changing changing = variable_changing(VAULT_DELETE, call_param(call, "variable_key"));
    change(call, &changing, "delete_variable");
}

/* ---- connections ---- */

void connections_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_CONNECTIONS))
        call_list_read(call, &query);
}

void connection_get(struct call *call)
{
    struct list_query query;
    list_query_init(&query, LIST_CONNECTIONS, call->arena, 1);
    list_query_only(&query, "connection_id", call_param(call, "connection_id"));
    call_list_one(call, &query);
}

static struct changing connection_changing(struct call *call, enum vault_change kind, struct str id)
{
    struct changing changing = { .list = LIST_CONNECTIONS,
                                 .filter = "connection_id",
                                 .status = kind == VAULT_CREATE ? 201 : 200 };
    changing.row = (struct vault_row) { .kind = VAULT_CONNECTION, .change = kind, .name = id };
    changing.row.connection = (struct connection_row) {
        .connection_id = id,
        .conn_type = body_text(call, "conn_type", STR_EMPTY),
        .description = body_text(call, "description", STR_EMPTY),
        .host = body_text(call, "host", STR_EMPTY),
        .login = body_text(call, "login", STR_EMPTY),
        .schema = body_text(call, "schema", STR_EMPTY),
        .port = (int32_t)body_int(call, "port", 0, 65535, 0),
        .password = body_text(call, "password", STR_EMPTY),
        .extra = body_value(call, "extra", STR_EMPTY),
    };
    return changing;
}

void connection_create(struct call *call)
{
    struct changing changing =
        connection_changing(call, VAULT_CREATE, body_text(call, "connection_id", STR_EMPTY));
    check_name(call, "connection_id", changing.row.name);
    if (!body_has(call, "conn_type"))
        call_problem(call, "body", "conn_type", "missing", "Field required");
    if (!call_refuse_problems(call))
        change(call, &changing, "create_connection");
}

/* The secrets of a connection cannot be read back here, so a PATCH replaces all of it. */
void connection_patch(struct call *call)
{
    if (!names_agree(call, "connection_id", call_param(call, "connection_id")))
        return;
    struct changing changing =
        connection_changing(call, VAULT_UPDATE, call_param(call, "connection_id"));
    if (!body_has(call, "conn_type"))
        call_problem(call, "body", "conn_type", "missing", "Field required");
    if (!call_refuse_problems(call))
        change(call, &changing, "edit_connection");
}

void connection_delete(struct call *call)
{
    struct changing changing =
        connection_changing(call, VAULT_DELETE, call_param(call, "connection_id"));
    change(call, &changing, "delete_connection");
}
