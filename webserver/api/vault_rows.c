// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/vault_rows.h"

#include "common/text/json.h"

enum { NAME_MAX_SIZE = 250, SLOTS_MAX = 1000000 };

static const struct {
    const char *word, *plural, *name_field;
} KINDS[] = {
    { "pool", "pools", "name" },
    { "variable", "variables", "key" },
    { "connection", "connections", "connection_id" },
};

struct str body_value(struct call *call, const char *name, struct str otherwise)
{
    const struct value *value = value_get(call->body, name);
    if (value == NULL || value->type == VALUE_NULL)
        return otherwise;
    return value->type == VALUE_STRING ? value->string : json_text(call->arena, value);
}

static bool name_is_good(struct str name)
{
    if (name.size == 0 || name.size > NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.bytes[i] < ' ' || name.bytes[i] == 0x7F || name.bytes[i] == '/')
            return false;
    return true;
}

static struct str read_name(struct call *call, const char *field)
{
    struct str name = body_text(call, field, STR_EMPTY);
    if (!body_has(call, field))
        call_problem(call, "body", field, "missing", "Field required");
    else if (!name_is_good(name))
        call_problem(call, "body", field, "value_error",
                     "1 to 250 letters, without slashes and control characters");
    return name;
}

static void need(struct call *call, const char *field)
{
    if (!body_has(call, field))
        call_problem(call, "body", field, "missing", "Field required");
}

void vault_refuse_stars(struct call *call, const char *field)
{
    if (str_is(body_value(call, field, STR_EMPTY), "***"))
        call_problem(call, "body", field, "value_error",
                     "*** is what is shown instead of a secret: send the secret itself");
}

static void read_pool(struct call *call, struct pool_row *pool)
{
    need(call, "slots");
    pool->slots = (int32_t)body_int(call, "slots", -1, SLOTS_MAX, 0);
    pool->description = body_text(call, "description", STR_EMPTY);
    pool->include_deferred = body_bool(call, "include_deferred", false);
}

static void read_variable(struct call *call, struct variable_row *variable)
{
    need(call, "value");
    vault_refuse_stars(call, "value");
    variable->value = body_value(call, "value", STR_EMPTY);
    variable->description = body_text(call, "description", STR_EMPTY);
}

static void read_connection(struct call *call, struct connection_row *connection)
{
    need(call, "conn_type");
    connection->conn_type = body_text(call, "conn_type", STR_EMPTY);
    connection->description = body_text(call, "description", STR_EMPTY);
    connection->host = body_text(call, "host", STR_EMPTY);
    connection->login = body_text(call, "login", STR_EMPTY);
    connection->schema = body_text(call, "schema", STR_EMPTY);
    connection->port = (int32_t)body_int(call, "port", 0, 65535, 0);
    connection->password = body_text(call, "password", STR_EMPTY);
    connection->extra = body_value(call, "extra", STR_EMPTY);
}

void vault_read_row(struct call *call, enum vault_kind kind, enum vault_change change,
                    struct vault_row *out)
{
    *out = (struct vault_row) { .kind = kind,
                                .change = change,
                                .name = read_name(call, KINDS[kind].name_field) };
    switch (kind) {
    case VAULT_POOL:
        out->pool.name = out->name;
        read_pool(call, &out->pool);
        break;
    case VAULT_VARIABLE:
        out->variable.key = out->name;
        read_variable(call, &out->variable);
        break;
    case VAULT_CONNECTION:
        out->connection.connection_id = out->name;
        vault_refuse_stars(call, "password");
        vault_refuse_stars(call, "extra");
        read_connection(call, &out->connection);
        break;
    }
}

void vault_read_connection_given(struct call *call, struct vault_row *out)
{
    *out =
        (struct vault_row) { .kind = VAULT_CONNECTION, .name = read_name(call, "connection_id") };
    read_connection(call, &out->connection);
}

void vault_send(struct call *call, const struct vault_row *row,
                void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    static const char *const VERBS[] = { "create", "edit", "delete" };
    struct request message = { .kind = REQUEST_RELOAD,
                               .actor = call->person.name,
                               .what = str_of(KINDS[row->kind].plural) };
    message.dag_id = message.run_id = message.note = message.pool = STR_EMPTY;
    struct value *detail = value_map(call->arena);
    value_put(call->arena, detail, STR("name"), value_string(call->arena, row->name));
    if (row->kind == VAULT_POOL) {
        message.kind = REQUEST_POOL;
        message.pool = row->name;
        message.slots = row->pool.slots;
        message.include_deferred = row->pool.include_deferred;
        message.removed = row->change == VAULT_DELETE;
        value_put(call->arena, detail, STR("slots"), value_int(call->arena, row->pool.slots));
    }
    struct audit audit = call_audit(call, "");
    audit.event = str_format(call->arena, "%s_%s", VERBS[row->change], KINDS[row->kind].word);
    audit.detail = json_text(call->arena, detail);
    vault_change(call->api->options.store, row, request_write(&message, call->arena), &audit,
                 on_end, owner);
}
