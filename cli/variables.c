// SPDX-License-Identifier: Apache-2.0
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/resource.h"
#include "common/text/json.h"

static const struct column columns[] = {
    { "key", "KEY", CELL_TEXT },
    { "value", "VALUE", CELL_TEXT },
    { "description", "DESCRIPTION", CELL_TEXT },
};
static const char *const fields[] = { "value", NULL };
static const struct resource variables = {
    "variable",
    "/api/v2/variables",
    "variables",
    "key",
    "KEY",
    columns,
    sizeof columns / sizeof columns[0],
    fields,
};

int cli_variables_list(struct cli *cli, struct err *err)
{
    return resource_list(cli, &variables, err);
}

int cli_variables_get(struct cli *cli, struct err *err)
{
    const struct value *variable;
    int rc = resource_get(cli, &variables, &variable, err);

    if (rc == ERR_NOT_FOUND && cli_has(cli, "--default")) {
        printf("%.*s\n", STR_ARG(cli_arg(cli, "--default")));
        return 0;
    }
    if (rc < 0)
        return rc;
    struct str value = value_text(value_get(variable, "value"), STR_EMPTY);
    if (cli->format == OUTPUT_JSON || cli->format == OUTPUT_YAML) {
        output_object(cli, variable);
    } else if (str_is(value, "***")) { /* a script would take the stars for the secret */
        rc = err_set(err, ERR_FORBIDDEN, "the value of %.*s is secret: only tasks are told it",
                     STR_ARG(cli_arg(cli, "KEY")));
    } else {
        printf("%.*s\n", STR_ARG(value));
    }
    return rc;
}

int cli_variables_set(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    struct str value = cli_arg(cli, "VALUE");
    int rc = str_is(value, "-") ? file_read(cli->arena, "-", &value, err) : 0;

    const struct value *json;
    if (rc == 0 && cli_has(cli, "--json"))
        rc = json_parse(cli->arena, value, NULL, &json, err);
    if (rc < 0)
        return err_wrap(err, rc, "the value of %.*s", STR_ARG(cli_arg(cli, "KEY")));
    value_put(cli->arena, body, STR("key"), value_string(cli->arena, cli_arg(cli, "KEY")));
    value_put(cli->arena, body, STR("value"), value_string(cli->arena, value));
    if (cli_has(cli, "--description"))
        value_put(cli->arena, body, STR("description"),
                  value_string(cli->arena, cli_arg(cli, "--description")));
    rc = resource_put(cli, &variables, body, err);
    if (rc == 0)
        output_note(cli, "variable %.*s is set", STR_ARG(cli_arg(cli, "KEY")));
    return rc;
}

int cli_variables_delete(struct cli *cli, struct err *err)
{
    return resource_delete(cli, &variables, err);
}

int cli_variables_import(struct cli *cli, struct err *err)
{
    return resource_import(cli, &variables, err);
}

int cli_variables_export(struct cli *cli, struct err *err)
{
    return resource_export(cli, &variables, err);
}
