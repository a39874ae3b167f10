// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"
#include "cli/connection_uri.h"
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/resource.h"
#include "common/text/json.h"

static const struct column columns[] = {
    { "connection_id", "CONN_ID", CELL_TEXT },
    { "conn_type", "TYPE", CELL_TEXT },
    { "host", "HOST", CELL_TEXT },
    { "port", "PORT", CELL_TEXT },
    { "schema", "SCHEMA", CELL_TEXT },
    { "login", "LOGIN", CELL_TEXT },
    { "description", "DESCRIPTION", CELL_TEXT },
};
static const char *const fields[] = { "conn_type", "host",  "port",        "schema", "login",
                                      "password",  "extra", "description", NULL };
static const struct resource connections = {
    "connection",
    "/api/v2/connections",
    "connections",
    "connection_id",
    "CONN_ID",
    columns,
    sizeof columns / sizeof columns[0],
    fields,
};

int cli_connections_list(struct cli *cli, struct err *err)
{
    return resource_list(cli, &connections, err);
}

int cli_connections_get(struct cli *cli, struct err *err)
{
    const struct value *connection;
    int rc = resource_get(cli, &connections, &connection, err);

    if (rc == 0)
        output_object(cli, connection);
    return rc;
}

/* --conn-json: an object with the fields of a connection, as `connections export` writes them. */
static int read_json(struct cli *cli, struct value *body, struct err *err)
{
    const struct value *map = NULL;

    if (json_parse(cli->arena, cli_arg(cli, "--conn-json"), NULL, &map, NULL) < 0 ||
        map->type != VALUE_MAP)
        return cli_wrong_use(cli, err,
                             "--conn-json must be a JSON object, such as "
                             "'{\"conn_type\": \"postgres\", \"host\": \"db\"}'");
    for (size_t i = 0; fields[i] != NULL; i++) {
        const struct value *field = value_get(map, fields[i]);

        if (field != NULL && field->type != VALUE_NULL)
            value_put(cli->arena, body, str_of(fields[i]), field);
    }
    return 0;
}

/* --conn-uri and --conn-json first, then what the other options say. */
static int read_connection(struct cli *cli, struct value *body, struct err *err)
{
    static const struct {
        const char *option, *key;
    } options[] = {
        { "--conn-type", "conn_type" },
        { "--conn-host", "host" },
        { "--conn-login", "login" },
        { "--conn-password", "password" },
        { "--conn-schema", "schema" },
        { "--conn-extra", "extra" },
        { "--conn-description", "description" },
    };
    int64_t port;
    int rc = cli_number(cli, "--conn-port", 1, 65535, 0, &port, err);

    value_put(cli->arena, body, STR("connection_id"),
              value_string(cli->arena, cli_arg(cli, "CONN_ID")));
    if (rc == 0 && cli_has(cli, "--conn-uri"))
        rc = connection_uri_read(cli->arena, cli_arg(cli, "--conn-uri"), body, err);
    if (rc == 0 && cli_has(cli, "--conn-json"))
        rc = read_json(cli, body, err);
    for (size_t i = 0; rc == 0 && i < sizeof options / sizeof options[0]; i++) {
        struct str text = cli_arg(cli, options[i].option);

        if (!cli_has(cli, options[i].option))
            continue;
        if (str_is(text, "-") && strcmp(options[i].key, "password") == 0)
            rc = file_read(cli->arena, "-", &text, err);
        value_put(cli->arena, body, str_of(options[i].key),
                  value_string(cli->arena, str_trim(text)));
    }
    const struct value *extra = value_get(body, "extra"), *map = NULL;
    if (rc == 0 && cli_has(cli, "--conn-extra") && extra->string.size > 0 &&
        (json_parse(cli->arena, extra->string, NULL, &map, NULL) < 0 || map->type != VALUE_MAP))
        return cli_wrong_use(cli, err,
                             "--conn-extra must be a JSON object, such as "
                             "'{\"sslmode\": \"require\"}'");
    if (rc == 0 && port > 0)
        value_put(cli->arena, body, STR("port"), value_int(cli->arena, port));
    if (rc == 0 && value_get(body, "conn_type") == NULL)
        return cli_wrong_use(
            cli, err,
            "a connection needs a type: --conn-type postgres, or --conn-uri postgres://...");
    return rc;
}

int cli_connections_add(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    int rc = read_connection(cli, body, err);

    if (rc == 0)
        rc = client_call(cli, "POST", str_of(connections.path), body, NULL, err);
    if (rc == ERR_CONFLICT || rc == ERR_EXISTS)
        err_hint(err, "headrace connections set replaces it");
    if (rc == 0)
        output_note(cli, "connection %.*s is added", STR_ARG(cli_arg(cli, "CONN_ID")));
    return rc;
}

/* What is not said is said to be empty: a password must not go on to another host. */
static void complete(struct cli *cli, struct value *body)
{
    for (size_t i = 0; fields[i] != NULL; i++)
        if (value_get(body, fields[i]) == NULL)
            value_put(cli->arena, body, str_of(fields[i]),
                      strcmp(fields[i], "port") == 0 ? value_int(cli->arena, 0)
                                                     : value_string(cli->arena, STR_EMPTY));
}

int cli_connections_set(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    int rc = read_connection(cli, body, err);

    if (rc == 0)
        complete(cli, body);
    if (rc == 0)
        rc = resource_put(cli, &connections, body, err);
    if (rc == 0)
        output_note(cli, "connection %.*s is set", STR_ARG(cli_arg(cli, "CONN_ID")));
    return rc;
}

int cli_connections_delete(struct cli *cli, struct err *err)
{
    return resource_delete(cli, &connections, err);
}

int cli_connections_test(struct cli *cli, struct err *err)
{
    const struct value *kept = NULL;
    struct value *body = value_map(cli->arena);
    struct reply reply;
    int rc = resource_get(cli, &connections, &kept, err);

    if (rc < 0)
        return rc;
    value_put(cli->arena, body, STR("connection_id"),
              value_string(cli->arena, cli_arg(cli, "CONN_ID")));
    value_put(cli->arena, body, STR("conn_type"), value_get(kept, "conn_type"));
    rc = client_call(cli, "POST", STR("/api/v2/connections/test"), body, &reply, err);
    if (rc < 0)
        return rc;
    struct str message = value_text(value_get(reply.body, "message"), STR_EMPTY);
    if (!value_boolean(value_get(reply.body, "status"), false))
        return err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(message));
    output_note(cli, "%.*s", STR_ARG(message));
    return 0;
}

int cli_connections_import(struct cli *cli, struct err *err)
{
    return resource_import(cli, &connections, err);
}

int cli_connections_export(struct cli *cli, struct err *err)
{
    return resource_export(cli, &connections, err);
}
