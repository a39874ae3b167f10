// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"
#include "cli/handlers.h"
#include "cli/output.h"

int cli_workers_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "name", "NAME", CELL_TEXT },        { "state", "STATE", CELL_STATE },
        { "host", "HOST", CELL_TEXT },        { "queues", "QUEUES", CELL_TEXT },
        { "used", "USED", CELL_TEXT },        { "slots", "SLOTS", CELL_TEXT },
        { "version", "RELEASE", CELL_TEXT },  { "heartbeat_at", "SEEN", CELL_TIME },
        { "cpu_percent", "CPU%", CELL_TEXT }, { "drain_reason", "REASON", CELL_TEXT },
    };
    const struct value *answer;
    int rc = client_get(cli, STR("/api/headrace/v1/workers"), &answer, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, value_get(answer, "workers"));
    return rc;
}

int cli_workers_drain(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    struct str name = cli_arg(cli, "NAME");

    if (cli_has(cli, "--reason"))
        value_put(cli->arena, body, STR("reason"),
                  value_string(cli->arena, cli_arg(cli, "--reason")));
    int rc = client_call(cli, "POST", client_path(cli, "/api/headrace/v1/workers/%s/drain", name),
                         body, NULL, err);
    if (rc == 0)
        output_note(cli, "%.*s gets nothing new; what it runs goes on to its end", STR_ARG(name));
    return rc;
}

int cli_workers_resume(struct cli *cli, struct err *err)
{
    struct str name = cli_arg(cli, "NAME");
    struct value *body = value_map(cli->arena);
    int rc = client_call(cli, "POST", client_path(cli, "/api/headrace/v1/workers/%s/resume", name),
                         body, NULL, err);

    if (rc == 0)
        output_note(cli, "%.*s gets work again", STR_ARG(name));
    return rc;
}
