// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"
#include "cli/handlers.h"
#include "cli/output.h"
#include "common/base/civil.h"
#include "common/text/json.h"

static const struct column columns[] = {
    { "id", "ID", CELL_TEXT },
    { "dag_id", "DAG_ID", CELL_TEXT },
    { "from_date", "FROM", CELL_TIME },
    { "to_date", "TO", CELL_TIME },
    { "reprocess_behavior", "REPROCESS", CELL_TEXT },
    { "max_active_runs", "MAX_ACTIVE", CELL_TEXT },
    { "is_paused", "PAUSED", CELL_TEXT },
    { "created_at", "CREATED", CELL_TIME },
    { "completed_at", "COMPLETED", CELL_TIME },
};

static void put_text(struct cli *cli, struct value *body, const char *key, const char *option)
{
    if (cli_has(cli, option))
        value_put(cli->arena, body, str_of(key), value_string(cli->arena, cli_arg(cli, option)));
}

static int put_time(struct cli *cli, struct value *body, const char *key, const char *option,
                    struct err *err)
{
    int64_t ms;
    int rc = cli_time(cli, option, &ms, err);

    if (rc == 0)
        value_put(cli->arena, body, str_of(key),
                  value_string(cli->arena, civil_text(cli->arena, ms)));
    return rc;
}

static int wish_of(struct cli *cli, struct value *body, struct err *err)
{
    const struct value *conf = NULL;
    int64_t most;
    int rc = cli_number(cli, "--max-active-runs", 1, 100000, 10, &most, err);

    if (rc < 0)
        return rc;
    if (!cli_has(cli, "--from-date") || !cli_has(cli, "--to-date"))
        return cli_wrong_use(cli, err, "--from-date and --to-date say which dates, both included");
    if (cli_has(cli, "--conf") &&
        (json_parse(cli->arena, cli_arg(cli, "--conf"), NULL, &conf, err) < 0 ||
         conf->type != VALUE_MAP))
        return cli_wrong_use(cli, err,
                             "--conf must be a JSON object, such as '{\"region\": \"eu\"}'");
    value_put(cli->arena, body, STR("dag_id"), value_string(cli->arena, cli_arg(cli, "DAG_ID")));
    rc = put_time(cli, body, "from_date", "--from-date", err);
    if (rc == 0)
        rc = put_time(cli, body, "to_date", "--to-date", err);
    if (rc < 0)
        return rc;
    put_text(cli, body, "reprocess_behavior", "--reprocess-behavior");
    value_put(cli->arena, body, STR("run_backwards"),
              value_bool(cli->arena, cli_has(cli, "--run-backwards")));
    value_put(cli->arena, body, STR("max_active_runs"), value_int(cli->arena, most));
    if (conf != NULL)
        value_put(cli->arena, body, STR("dag_run_conf"), conf);
    return 0;
}

static void show_dates(struct cli *cli, const struct value *answer)
{
    static const struct column columns_of_dates[] = {
        { "logical_date", "LOGICAL_DATE", CELL_TIME },
    };
    const struct value *dates = value_get(answer, "backfills");
    int64_t count = value_integer(value_get(answer, "total_entries"), 0);
    OUTPUT_ROWS(cli, columns_of_dates, dates);
    if (dates != NULL && count > dates->count)
        output_note(cli, "these are the first of %lld dates", (long long)count);
}

int cli_backfill_create(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    bool dry = cli_has(cli, "--dry-run");
    struct reply reply;
    int rc = wish_of(cli, body, err);

    if (rc == 0)
        rc = client_call(cli, "POST",
                         dry ? STR("/api/v2/backfills/dry_run") : STR("/api/v2/backfills"), body,
                         &reply, err);
    if (rc < 0)
        return rc;
    if (dry)
        show_dates(cli, reply.body);
    else
        output_object(cli, reply.body);
    return 0;
}

int cli_backfill_list(struct cli *cli, struct err *err)
{
    const struct value *rows;
    struct str path = client_path(cli, "/api/v2/backfills?dag_id=%s", cli_arg(cli, "DAG_ID"));
    int rc = client_list(cli, cli_has(cli, "DAG_ID") ? path : STR("/api/v2/backfills"), "backfills",
                         INT32_MAX, &rows, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, rows);
    return rc;
}

static int set(struct cli *cli, const char *pattern, const char *what, struct err *err)
{
    struct str id = cli_arg(cli, "BACKFILL_ID");
    int rc = client_call(cli, "PUT", client_path(cli, pattern, id), NULL, NULL, err);

    if (rc == 0)
        output_note(cli, "backfill %.*s %s", STR_ARG(id), what);
    return rc;
}

int cli_backfill_pause(struct cli *cli, struct err *err)
{
    return set(cli, "/api/v2/backfills/%s/pause",
               "starts nothing new; what runs goes on to its end", err);
}

int cli_backfill_unpause(struct cli *cli, struct err *err)
{
    return set(cli, "/api/v2/backfills/%s/unpause", "goes on", err);
}

int cli_backfill_cancel(struct cli *cli, struct err *err)
{
    return set(cli, "/api/v2/backfills/%s/cancel", "is over; what runs goes on to its end", err);
}
