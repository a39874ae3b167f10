// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/reveal.h"

#include "common/base/map.h"
#include "common/model/context.h"
#include "common/store/vault.h"
#include "common/text/json.h"

static const struct shown {
    enum list list;
    const char *list_key, *id_field, *field;
} SHOWN[] = {
    [VAULT_VARIABLE] = { LIST_VARIABLES, "variables", "key", "value" },
    [VAULT_CONNECTION] = { LIST_CONNECTIONS, "connections", "connection_id", "password" },
};

struct revealing {
    const struct shown *shown;
    struct value *frame;         /* {"variables": [...], ...} or one variable */
    const struct value *entries; /* list, or NULL */
    struct map indexes;          /* id -> index */
    VEC(const struct value *) values;
    struct call *call;
    int status;
};

static void take_value(struct revealing *revealing, struct str id, const struct value *value)
{
    map_put_str(&revealing->indexes, id, revealing->values.count);
    VEC_ADD(&revealing->values, value);
}

static void on_variable(void *owner, const struct variable_row *row)
{
    struct revealing *revealing = owner;
    struct arena *arena = revealing->call->arena;
    if (!row->is_unreadable && !context_name_is_secret(row->key))
        take_value(revealing, row->key, value_string(arena, str_copy(arena, row->value)));
}

static void on_shown_connection(void *owner, const struct connection_row *row)
{
    struct revealing *revealing = owner;
    if (!row->is_unreadable && row->password.size == 0)
        take_value(revealing, row->connection_id, value_null(revealing->call->arena));
}

static struct str id_of(const struct revealing *revealing, const struct value *entry)
{
    return value_text(value_get(entry, revealing->shown->id_field), STR_EMPTY);
}

static void reveal(struct revealing *revealing, struct value *entry)
{
    uint64_t index;
    if (map_get_str(&revealing->indexes, id_of(revealing, entry), &index))
        value_put(revealing->call->arena, entry, str_of(revealing->shown->field),
                  revealing->values.items[index]);
}

static void on_values(void *owner, int rc, const struct err *err)
{
    struct revealing *revealing = owner;
    struct call *call = revealing->call;
    if (rc == 0 && revealing->entries == NULL)
        reveal(revealing, revealing->frame);
    for (uint32_t i = 0; rc == 0 && revealing->entries != NULL && i < revealing->entries->count;
         i++)
        reveal(revealing, (struct value *)revealing->entries->items[i]);
    map_clear(&revealing->indexes);
    VEC_CLEAR(&revealing->values);
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, revealing->status, json_text(call->arena, revealing->frame));
}

/* Those of the page alone: each value is opened by itself. */
static void read_values(struct call *call, struct revealing *revealing)
{
    const struct value *entries = revealing->entries;
    uint32_t count = entries == NULL ? 1 : entries->count;
    struct str *ids = ARENA_ARRAY(call->arena, struct str, count);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = id_of(revealing, entries == NULL ? revealing->frame : entries->items[i]);
    struct store *store = call->api->options.store;
    if (revealing->shown == &SHOWN[VAULT_VARIABLE])
        store_variables_read_some(store, ids, count, on_variable, on_values, revealing);
    else
        store_connections_read_some(store, ids, count, on_shown_connection, on_values, revealing);
}

static void on_starred(void *owner, int rc, struct str json, const struct err *err)
{
    struct revealing *revealing = owner;
    struct call *call = revealing->call;
    const struct value *frame = NULL;
    if (rc == 0)
        rc = json_parse(call->arena, json, NULL, &frame, NULL);
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    revealing->frame = (struct value *)frame; /* ours: just parsed into the call's arena */
    revealing->entries = value_get(frame, revealing->shown->list_key);
    if (revealing->entries != NULL && revealing->entries->count == 0)
        call_json(call, 200, json);
    else
        read_values(call, revealing);
}

static struct revealing *revealing_new(struct call *call, enum vault_kind kind, int status)
{
    struct revealing *revealing = ARENA_NEW(call->arena, struct revealing);
    revealing->call = call;
    revealing->shown = &SHOWN[kind];
    revealing->status = status;
    return revealing;
}

void reveal_list(struct call *call, enum vault_kind kind, struct list_query *query)
{
    list_read(call->api->options.store, query, on_starred, revealing_new(call, kind, 200));
    list_query_clear(query);
}

void reveal_one(struct call *call, enum vault_kind kind, struct str name, int status)
{
    struct list_query query;
    list_query_init(&query, SHOWN[kind].list, call->arena, 1);
    list_query_only(&query, SHOWN[kind].id_field, name);
    list_read_one(call->api->options.store, &query, on_starred, revealing_new(call, kind, status));
    list_query_clear(&query);
}
