// SPDX-License-Identifier: Apache-2.0
/* Many pools, variables or connections at once: Airflow's bulk PATCH. One after the other, each in
 * a transaction of its own; the answer says of each what became of it. */
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"
#include "webserver/api/vault_rows.h"

enum { ACTIONS = 3 };

static const char *const ACTION_WORDS[ACTIONS] = { "create", "update", "delete" };

struct vault_bulk {
    struct call *call;
    enum vault_kind kind;
    const struct value *actions;
    uint32_t action, entity;
    struct vault_row row;
    struct value *success[ACTIONS], *errors[ACTIONS]; /* NULL: no such action was asked for */
};

static void go_on(struct vault_bulk *bulk);

static const struct value *action_of(const struct vault_bulk *bulk)
{
    return bulk->actions->items[bulk->action];
}

static bool policy_is(const struct vault_bulk *bulk, const char *key, const char *word)
{
    return str_is(value_text(value_get(action_of(bulk), key), STR("fail")), word);
}

static void add_error(struct vault_bulk *bulk, int status, struct str sentence)
{
    struct arena *arena = bulk->call->arena;
    struct value *error = value_map(arena);
    value_put(arena, error, STR("error"), value_string(arena, sentence));
    value_put(arena, error, STR("status_code"), value_int(arena, status));
    value_add(arena, bulk->errors[bulk->row.change], error);
}

static void on_end(void *owner, int rc, const struct err *err)
{
    struct vault_bulk *bulk = owner;
    struct arena *arena = bulk->call->arena;
    if (rc == ERR_EXISTS && policy_is(bulk, "action_on_existence", "overwrite")) {
        bulk->row.change = VAULT_UPDATE;
        vault_send(bulk->call, &bulk->row, on_end, bulk);
        return;
    }
    bool is_skipped = (rc == ERR_EXISTS && policy_is(bulk, "action_on_existence", "skip")) ||
                      (rc == ERR_NOT_FOUND && policy_is(bulk, "action_on_non_existence", "skip"));
    /* What was overwritten was asked for as created. */
    struct str asked = value_text(value_get(action_of(bulk), "action"), STR_EMPTY);
    if (str_is(asked, "create"))
        bulk->row.change = VAULT_CREATE;
    if (rc == 0)
        value_add(arena, bulk->success[bulk->row.change], value_string(arena, bulk->row.name));
    else if (!is_skipped)
        add_error(bulk, err_http_status(rc),
                  str_copy(arena, str_of(err == NULL ? err_sentence(rc) : err->sentence)));
    bulk->entity++;
    go_on(bulk);
}

/* The entity as a body, so that it is read as one that came alone. False when it does not fit. */
static bool read_entity(struct vault_bulk *bulk, enum vault_change change,
                        const struct value *entity)
{
    static const char *const NAME_FIELDS[] = { "name", "key", "connection_id" };
    struct call *call = bulk->call;
    const struct value *body = call->body;
    bulk->row = (struct vault_row) { .kind = bulk->kind, .change = change };
    if (change == VAULT_DELETE) {
        bulk->row.name = entity->type == VALUE_STRING
                             ? entity->string
                             : value_text(value_get(entity, NAME_FIELDS[bulk->kind]), STR_EMPTY);
        return bulk->row.name.size > 0;
    }
    call->body = entity;
    vault_read_row(call, bulk->kind, change, &bulk->row);
    call->body = body;
    bool fits = call->problems == NULL;
    if (!fits)
        add_error(bulk, 422,
                  str_format(call->arena, "%.*s: %.*s", STR_ARG(call->problems->field),
                             STR_ARG(call->problems->message)));
    call->problems = NULL;
    call->last_problem = &call->problems;
    return fits;
}

static void answer(struct vault_bulk *bulk)
{
    struct call *call = bulk->call;
    struct value *whole = value_map(call->arena);
    for (int i = 0; i < ACTIONS; i++) {
        struct value *part = value_map(call->arena);
        if (bulk->success[i] != NULL) {
            value_put(call->arena, part, STR("success"), bulk->success[i]);
            value_put(call->arena, part, STR("errors"), bulk->errors[i]);
        }
        value_put(call->arena, whole, str_of(ACTION_WORDS[i]),
                  bulk->success[i] == NULL ? value_null(call->arena) : part);
    }
    leader_nudge(call->api->leader);
    call_json(call, 200, json_text(call->arena, whole));
}

static int change_of(const struct value *action)
{
    struct str word = value_text(value_get(action, "action"), STR_EMPTY);
    for (int i = 0; i < ACTIONS; i++)
        if (str_is(word, ACTION_WORDS[i]))
            return i;
    return -1;
}

static void go_on(struct vault_bulk *bulk)
{
    while (bulk->action < bulk->actions->count) {
        const struct value *entities = value_get(action_of(bulk), "entities");
        enum vault_change change = (enum vault_change)change_of(action_of(bulk));
        if (bulk->entity == entities->count) {
            bulk->action++;
            bulk->entity = 0;
            continue;
        }
        if (read_entity(bulk, change, entities->items[bulk->entity])) {
            vault_send(bulk->call, &bulk->row, on_end, bulk);
            return;
        }
        bulk->entity++;
    }
    answer(bulk);
}

void vault_bulk(struct call *call)
{
    struct vault_bulk *bulk = ARENA_NEW(call->arena, struct vault_bulk);
    *bulk = (struct vault_bulk) { .call = call, .kind = (enum vault_kind)call->route->aux };
    bulk->actions = body_list(call, "actions");
    if (bulk->actions == NULL)
        call_problem(call, "body", "actions", "missing", "Field required");
    for (uint32_t i = 0; bulk->actions != NULL && i < bulk->actions->count; i++) {
        const struct value *entities = value_get(bulk->actions->items[i], "entities");
        int change = change_of(bulk->actions->items[i]);
        if (change < 0 || entities == NULL || entities->type != VALUE_LIST) {
            call_problem(call, "body", "actions", "value_error",
                         "each has an action (create, update, delete) and a list of entities");
            break;
        }
        call_check_policies(call, bulk->actions->items[i]);
        bulk->success[change] = value_list(call->arena);
        bulk->errors[change] = value_list(call->arena);
    }
    if (!call_refuse_problems(call))
        go_on(bulk);
}
