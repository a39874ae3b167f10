// SPDX-License-Identifier: Apache-2.0
/* Pools, variables and connections. Their rows are ours to write; the leader is told by a message
 * in the same transaction. */
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"
#include "webserver/api/reveal.h"
#include "webserver/api/vault_rows.h"

struct changing {
    struct vault_row row;
    enum list list;
    const char *filter;
    int status;
};

static void answer_row(struct call *call);

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
    if (changing->row.kind != VAULT_POOL) {
        reveal_one(call, changing->row.kind, changing->row.name, changing->status);
        return;
    }
    list_query_init(&query, changing->list, call->arena, 1);
    list_query_only(&query, changing->filter, changing->row.name);
    list_read_one(call->api->options.store, &query,
                  changing->status == 201 ? call_pass_created : call_pass, call);
    list_query_clear(&query);
}

static void change(struct call *call, const struct changing *changing)
{
    struct changing *kept = ARENA_NEW(call->arena, struct changing);
    *kept = *changing;
    call->state = kept;
    if (!call_refuse_problems(call))
        vault_send(call, &kept->row, on_changed, call);
}

static struct changing changing_of(enum vault_kind kind, enum vault_change change_kind)
{
    static const struct {
        enum list list;
        const char *filter;
    } LISTS[] = { { LIST_POOLS, "name" },
                  { LIST_VARIABLES, "key" },
                  { LIST_CONNECTIONS, "connection_id" } };
    struct changing changing = { .list = LISTS[kind].list, .filter = LISTS[kind].filter };
    changing.row = (struct vault_row) { .kind = kind, .change = change_kind };
    changing.status = change_kind == VAULT_CREATE ? 201 : 200;
    return changing;
}

static void create(struct call *call, enum vault_kind kind)
{
    struct changing changing = changing_of(kind, VAULT_CREATE);
    vault_read_row(call, kind, VAULT_CREATE, &changing.row);
    change(call, &changing);
}

static void remove_row(struct call *call, enum vault_kind kind, const char *param)
{
    struct changing changing = changing_of(kind, VAULT_DELETE);
    changing.row.name = call_param(call, param);
    change(call, &changing);
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

void pool_create(struct call *call)
{
    create(call, VAULT_POOL);
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
    struct changing changing = changing_of(VAULT_POOL, VAULT_UPDATE);
    struct pool_row *pool = &changing.row.pool;
    pool->name = changing.row.name = call_param(call, "pool_name");
    pool->slots = (int32_t)value_integer(value_get(old, "slots"), 0);
    pool->description = value_text(value_get(old, "description"), STR_EMPTY);
    pool->include_deferred = value_boolean(value_get(old, "include_deferred"), false);
    if (!is_masked_out(call, "slots"))
        pool->slots = (int32_t)body_int(call, "slots", -1, 1000000, pool->slots);
    if (!is_masked_out(call, "description"))
        pool->description = body_text(call, "description", pool->description);
    if (!is_masked_out(call, "include_deferred"))
        pool->include_deferred = body_bool(call, "include_deferred", pool->include_deferred);
    change(call, &changing);
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
    remove_row(call, VAULT_POOL, "pool_name");
}

/* ---- variables ---- */

void variables_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_VARIABLES))
        reveal_list(call, VAULT_VARIABLE, &query);
}

void variable_get(struct call *call)
{
    reveal_one(call, VAULT_VARIABLE, call_param(call, "variable_key"), 200);
}

void variable_create(struct call *call)
{
    create(call, VAULT_VARIABLE);
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
    struct changing changing = changing_of(VAULT_VARIABLE, VAULT_UPDATE);
    changing.row.variable.key = changing.row.name = call_param(call, "variable_key");
    changing.row.variable.value = body_value(call, "value", STR_EMPTY);
    changing.row.keeps_sealed = !body_has(call, "value") || is_masked_out(call, "value");
    changing.row.variable.description = value_text(value_get(old, "description"), STR_EMPTY);
    if (!is_masked_out(call, "description"))
        changing.row.variable.description =
            body_text(call, "description", changing.row.variable.description);
    change(call, &changing);
}

void variable_patch(struct call *call)
{
    struct list_query query;
    if (!names_agree(call, "key", call_param(call, "variable_key")))
        return;
    vault_refuse_stars(call, "value");
    if (call_refuse_problems(call))
        return;
    list_query_init(&query, LIST_VARIABLES, call->arena, 1);
    list_query_only(&query, "key", call_param(call, "variable_key"));
    list_read_one(call->api->options.store, &query, on_old_variable, call);
    list_query_clear(&query);
}

void variable_delete(struct call *call)
{
    remove_row(call, VAULT_VARIABLE, "variable_key");
}

/* ---- connections ---- */

void connections_list(struct call *call)
{
    struct list_query query;
    if (call_list(call, &query, LIST_CONNECTIONS))
        reveal_list(call, VAULT_CONNECTION, &query);
}

void connection_get(struct call *call)
{
    reveal_one(call, VAULT_CONNECTION, call_param(call, "connection_id"), 200);
}

void connection_create(struct call *call)
{
    create(call, VAULT_CONNECTION);
}

/* What the PATCH does not name stays, its secrets too: the row is read first. */
struct patching {
    struct call *call;
    struct connection_row old;
    bool is_found;
};

static void on_connection(void *owner, const struct connection_row *row)
{
    struct patching *patching = owner;
    struct call *call = patching->call;
    patching->is_found = true;
    patching->old = *row;
    struct str *const texts[] = { &patching->old.conn_type, &patching->old.description,
                                  &patching->old.host,      &patching->old.login,
                                  &patching->old.schema,    &patching->old.password,
                                  &patching->old.extra };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_copy(call->arena, *texts[i]);
}

/* Stars are what is shown for a secret: sent back, they mean "as it is". */
static bool is_kept(struct call *call, const char *field)
{
    return !body_has(call, field) || is_masked_out(call, field) ||
           str_is(body_value(call, field, STR_EMPTY), "***");
}

static void on_connections(void *owner, int rc, const struct err *err)
{
    struct patching *patching = owner;
    struct call *call = patching->call;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    if (!patching->is_found) {
        call_refuse(call, 404, "there is no connection %.*s",
                    STR_ARG(call_param(call, "connection_id")));
        return;
    }
    bool keeps_password = is_kept(call, "password"), keeps_extra = is_kept(call, "extra");
    if (patching->old.is_unreadable && keeps_password != keeps_extra) {
        call_refuse(
            call, 409,
            "this web server cannot read the connection's secrets: send password and extra");
        return;
    }
    struct changing changing = changing_of(VAULT_CONNECTION, VAULT_UPDATE);
    struct connection_row *row = &changing.row.connection;
    *row = patching->old;
    changing.row.keeps_sealed = keeps_password && keeps_extra;
    row->connection_id = changing.row.name = call_param(call, "connection_id");
    const struct {
        const char *field;
        struct str *at;
    } TEXTS[] = {
        { "conn_type", &row->conn_type }, { "description", &row->description },
        { "host", &row->host },           { "login", &row->login },
        { "schema", &row->schema },       { "password", &row->password },
        { "extra", &row->extra },
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        if (!is_kept(call, TEXTS[i].field))
            *TEXTS[i].at = body_value(call, TEXTS[i].field, STR_EMPTY);
    if (!is_kept(call, "port"))
        row->port = (int32_t)body_int(call, "port", 0, 65535, 0);
    change(call, &changing);
}

void connection_patch(struct call *call)
{
    if (!names_agree(call, "connection_id", call_param(call, "connection_id")))
        return;
    struct patching *patching = ARENA_NEW(call->arena, struct patching);
    struct str id = call_param(call, "connection_id");
    patching->call = call;
    store_connections_read_some(call->api->options.store, &id, 1, on_connection, on_connections,
                                patching);
}

void connection_delete(struct call *call)
{
    remove_row(call, VAULT_CONNECTION, "connection_id");
}
