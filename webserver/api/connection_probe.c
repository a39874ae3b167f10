// SPDX-License-Identifier: Apache-2.0
/* Tests of connections. Not this server opens them but a worker: where tasks will run is where they
 * have to open. */
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/leader.h"
#include "webserver/api/vault_rows.h"

static void on_probed(void *owner, int rc, struct str text)
{
    struct call *call = owner;
    if (rc == ERR_UNAVAILABLE || rc == ERR_TIMEOUT) {
        call_refuse_reason(call, 503, "no_scheduler",
                           "No scheduler has answered: connections are tested by its workers.");
        return;
    }
    struct value *answer = value_map(call->arena);
    value_put(call->arena, answer, STR("status"), value_bool(call->arena, rc == 0));
    value_put(call->arena, answer, STR("message"), value_string(call->arena, text));
    call_json(call, 200, json_text(call->arena, answer));
}

/* What the body names; stars and null are what is kept. */
static struct str given_of(struct call *call)
{
    static const char *const FIELDS[] = { "conn_type", "host",     "port", "login",
                                          "schema",    "password", "extra" };
    struct value *given = value_map(call->arena);
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        const struct value *value = value_get(call->body, FIELDS[i]);
        if (value == NULL || value->type == VALUE_NULL ||
            str_is(value_text(value, STR_EMPTY), "***"))
            continue;
        const struct value *extra = NULL;
        if (strcmp(FIELDS[i], "extra") == 0 && value->type == VALUE_STRING &&
            json_parse(call->arena, value->string, NULL, &extra, NULL) == 0)
            value = extra;
        value_put(call->arena, given, str_of(FIELDS[i]), value);
    }
    return json_text(call->arena, given);
}

static void on_recorded(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        leader_ask_probe(call->api->leader, body_text(call, "connection_id", STR_EMPTY),
                         given_of(call), on_probed, call);
}

void connection_test(struct call *call)
{
    struct vault_row row;
    if (!str_is(call->api->options.conf->core_test_connection, "Enabled")) {
        call_refuse(call, 403,
                    "Testing connections is disabled in Airflow configuration. Contact your "
                    "deployment admin to enable it.");
        return;
    }
    vault_read_connection_given(call, &row);
    if (call_refuse_problems(call))
        return;
    struct audit audit = call_audit(call, "test_connection");
    struct value *detail = value_map(call->arena);
    value_put(call->arena, detail, STR("name"), value_string(call->arena, row.name));
    value_put(call->arena, detail, STR("host"), value_string(call->arena, row.connection.host));
    audit.detail = json_text(call->arena, detail);
    audit_write(call->api->options.store, &audit, on_recorded, call);
}
