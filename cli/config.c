// SPDX-License-Identifier: Apache-2.0
#include "cli/handlers.h"
#include "cli/instance.h"
#include "cli/output.h"

int cli_config_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "section", "SECTION", CELL_TEXT }, { "key", "KEY", CELL_TEXT },
        { "value", "VALUE", CELL_TEXT },     { "default", "DEFAULT", CELL_TEXT },
        { "origin", "ORIGIN", CELL_TEXT },   { "help", "MEANING", CELL_TEXT },
    };
    struct arena *arena = cli->arena;
    struct value *rows = value_list(arena);
    struct conf_item item;

    for (uint32_t i = 0; conf_item(cli->conf, i, &item); i++) {
        struct value *row = value_map(arena);

        if ((cli_has(cli, "--section") && !str_eq(item.section, cli_arg(cli, "--section"))) ||
            (cli_has(cli, "--changed") && item.origin == CONF_DEFAULT))
            continue;
        value_put(arena, row, STR("section"), value_string(arena, item.section));
        value_put(arena, row, STR("key"), value_string(arena, item.key));
        value_put(arena, row, STR("value"), value_string(arena, item.value));
        value_put(arena, row, STR("default"), value_string(arena, item.fallback));
        value_put(arena, row, STR("origin"), value_string(arena, item.origin_text));
        value_put(arena, row, STR("type"), value_string(arena, str_of(item.type)));
        value_put(arena, row, STR("unit"), value_string(arena, str_of(item.unit)));
        value_put(arena, row, STR("help"), value_string(arena, str_of(item.help)));
        value_put(arena, row, STR("needs_restart"), value_bool(arena, item.needs_restart));
        value_add(arena, rows, row);
    }
    if (rows->count == 0 && cli_has(cli, "--section"))
        return err_set(err, ERR_NOT_FOUND, "no settings in a section %.*s",
                       STR_ARG(cli_arg(cli, "--section")));
    OUTPUT_ROWS(cli, columns, rows);
    return 0;
}

/* Secrets are stars, but for the one that the owner of the home needs to reach his own database. */
int cli_config_get_value(struct cli *cli, struct err *err)
{
    struct conf_item item;
    struct str section = cli_arg(cli, "SECTION"), key = cli_arg(cli, "KEY");
    int rc = conf_find(cli->conf, section, key, &item, err);

    if (rc < 0)
        return rc;
    if (str_is(section, "database") && str_is(key, "conn"))
        puts(instance_database(cli));
    else
        printf("%.*s\n", STR_ARG(item.value));
    return 0;
}
