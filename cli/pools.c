// SPDX-License-Identifier: Apache-2.0
#include "cli/handlers.h"
#include "cli/resource.h"

static const struct column columns[] = {
    { "name", "NAME", CELL_TEXT },
    { "slots", "SLOTS", CELL_TEXT },
    { "occupied_slots", "USED", CELL_TEXT },
    { "queued_slots", "QUEUED", CELL_TEXT },
    { "scheduled_slots", "WAITING", CELL_TEXT },
    { "include_deferred", "INCLUDE_DEFERRED", CELL_TEXT },
    { "description", "DESCRIPTION", CELL_TEXT },
};
static const char *const fields[] = { "slots", "description", "include_deferred", NULL };
static const struct resource pools = {
    "pool", "/api/v2/pools", "pools", "name", "NAME", columns, sizeof columns / sizeof columns[0],
    fields,
};

int cli_pools_list(struct cli *cli, struct err *err)
{
    return resource_list(cli, &pools, err);
}

int cli_pools_get(struct cli *cli, struct err *err)
{
    const struct value *pool;
    int rc = resource_get(cli, &pools, &pool, err);

    if (rc == 0)
        output_object(cli, pool);
    return rc;
}

int cli_pools_set(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    struct str name = cli_arg(cli, "NAME");
    int64_t slots;
    int rc = cli_number(cli, "SLOTS", -1, INT32_MAX, 0, &slots, err);

    if (rc < 0)
        return rc;
    value_put(cli->arena, body, STR("name"), value_string(cli->arena, name));
    value_put(cli->arena, body, STR("slots"), value_int(cli->arena, slots));
    value_put(cli->arena, body, STR("description"),
              value_string(cli->arena, cli_arg(cli, "DESCRIPTION")));
    value_put(cli->arena, body, STR("include_deferred"),
              value_bool(cli->arena, cli_has(cli, "--include-deferred")));
    rc = resource_put(cli, &pools, body, err);
    if (rc == 0)
        output_note(cli, "pool %.*s has %lld slots", STR_ARG(name), (long long)slots);
    return rc;
}

int cli_pools_delete(struct cli *cli, struct err *err)
{
    return resource_delete(cli, &pools, err);
}

int cli_pools_import(struct cli *cli, struct err *err)
{
    return resource_import(cli, &pools, err);
}

int cli_pools_export(struct cli *cli, struct err *err)
{
    return resource_export(cli, &pools, err);
}
