// SPDX-License-Identifier: Apache-2.0
/* headrace dags ...: what the server knows of DAGs and their runs. */
#include "cli/client.h"
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/output.h"
#include "common/model/state.h"
#include "common/text/json.h"

enum { ROWS_MAX = 100000, RUNS_SHOWN = 25 };

int cli_dags_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "dag_id", "DAG_ID", CELL_TEXT },
        { "is_paused", "PAUSED", CELL_TEXT },
        { "timetable_summary", "SCHEDULE", CELL_TEXT },
        { "next_dagrun_run_after", "NEXT", CELL_TIME },
        { "tags.name", "TAGS", CELL_TEXT },
        { "owners", "OWNERS", CELL_TEXT },
        { "fileloc", "FILE", CELL_TEXT },
    };
    struct str path = STR("/api/v2/dags?order_by=dag_id");
    const struct value *rows;
    const struct arg *tag;
    int64_t limit;
    int rc = cli_number(cli, "--limit", 1, ROWS_MAX, ROWS_MAX, &limit, err);

    for (uint32_t i = 0; (tag = args_nth(&cli->args, "--tag", i)) != NULL; i++)
        path = str_format(cli->arena, "%.*s&tags=%.*s", STR_ARG(path),
                          STR_ARG(client_encode(cli->arena, tag->value)));
    if (cli_has(cli, "--pattern"))
        path = str_format(cli->arena, "%.*s&dag_id_pattern=%.*s", STR_ARG(path),
                          STR_ARG(client_encode(cli->arena, cli_arg(cli, "--pattern"))));
    if (cli_has(cli, "--paused"))
        path = str_format(cli->arena, "%.*s&paused=true", STR_ARG(path));
    if (rc == 0)
        rc = client_list(cli, path, "dags", limit, &rows, err);
    if (rc == 0)
        OUTPUT_ROWS(cli, columns, rows);
    return rc;
}

int cli_dags_details(struct cli *cli, struct err *err)
{
    const struct value *dag;
    int rc = client_get(cli, client_path(cli, "/api/v2/dags/%s/details", cli_arg(cli, "DAG_ID")),
                        &dag, err);

    if (rc == 0)
        output_object(cli, dag);
    return rc;
}

static int set_paused(struct cli *cli, bool paused, struct err *err)
{
    const struct arg *dag;

    for (uint32_t i = 0; (dag = args_nth(&cli->args, "DAG_ID", i)) != NULL; i++) {
        struct value *body = value_map(cli->arena);

        value_put(cli->arena, body, STR("is_paused"), value_bool(cli->arena, paused));
        struct str path = client_path(cli, "/api/v2/dags/%s?update_mask=is_paused", dag->value);
        int rc = client_call(cli, "PATCH", path, body, NULL, err);
        if (rc < 0)
            return err_wrap(err, rc, "%s %.*s", paused ? "pausing" : "unpausing",
                            STR_ARG(dag->value));
        output_note(cli, "%.*s is %s", STR_ARG(dag->value), paused ? "paused" : "unpaused");
    }
    return 0;
}

int cli_dags_pause(struct cli *cli, struct err *err)
{
    return set_paused(cli, true, err);
}

int cli_dags_unpause(struct cli *cli, struct err *err)
{
    return set_paused(cli, false, err);
}

int cli_dags_delete(struct cli *cli, struct err *err)
{
    struct str dag_id = cli_arg(cli, "DAG_ID");
    int rc =
        cli_confirm(cli, err, "Forget %.*s with all its runs, logs excepted?", STR_ARG(dag_id));

    if (rc == 0)
        rc = client_call(cli, "DELETE", client_path(cli, "/api/v2/dags/%s", dag_id), NULL, NULL,
                         err);
    if (rc == 0)
        output_note(cli, "%.*s is deleted", STR_ARG(dag_id));
    return rc;
}

/* `airflow dags list-runs -o json` calls it run_id, the API dag_run_id: scripts of both find
 * theirs. */
static void add_run_ids(struct cli *cli, const struct value *rows)
{
    for (uint32_t i = 0; i < rows->count; i++)
        value_put(cli->arena, (struct value *)rows->items[i], STR("run_id"), /* just parsed: ours */
                  value_get(rows->items[i], "dag_run_id"));
}

int cli_dags_list_runs(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "dag_run_id", "RUN_ID", CELL_TEXT },    { "state", "STATE", CELL_STATE },
        { "run_type", "TYPE", CELL_TEXT },        { "logical_date", "LOGICAL_DATE", CELL_TIME },
        { "start_date", "START", CELL_TIME },     { "end_date", "END", CELL_TIME },
        { "duration", "DURATION", CELL_SECONDS },
    };
    struct str dag_id = cli_arg(cli, cli_has(cli, "--dag-id") ? "--dag-id" : "DAG_ID");
    struct str path = client_path(cli, "/api/v2/dags/%s/dagRuns?order_by=-run_after", dag_id);
    const struct value *rows;
    int64_t limit;
    enum run_state state;
    int rc = cli_number(cli, "--limit", 1, ROWS_MAX, RUNS_SHOWN, &limit, err);

    if (dag_id.size == 0)
        return cli_wrong_use(cli, err, "DAG_ID is missing");
    if (cli_has(cli, "--state") && run_state_parse(cli_arg(cli, "--state"), &state) < 0)
        return cli_wrong_use(cli, err, "--state is queued, running, success or failed, not %.*s",
                             STR_ARG(cli_arg(cli, "--state")));
    if (cli_has(cli, "--state"))
        path = str_format(cli->arena, "%.*s&state=%.*s", STR_ARG(path),
                          STR_ARG(client_encode(cli->arena, cli_arg(cli, "--state"))));
    if (rc == 0)
        rc = client_list(cli, path, "dag_runs", limit, &rows, err);
    if (rc < 0)
        return rc;
    add_run_ids(cli, rows);
    OUTPUT_ROWS(cli, columns, rows);
    return 0;
}

int cli_dags_stop(struct cli *cli, struct err *err)
{
    struct str run_id = cli_arg(cli, "RUN_ID");
    struct value *body = value_map(cli->arena);
    struct str path = client_path(cli, "/api/v2/dags/%s/dagRuns/%s?update_mask=state",
                                  cli_arg(cli, "DAG_ID"), run_id);

    value_put(cli->arena, body, STR("state"), value_string(cli->arena, STR("failed")));
    int rc = client_call(cli, "PATCH", path, body, NULL, err);
    if (rc == 0)
        output_note(cli, "%.*s is marked failed; what ran of it is stopped", STR_ARG(run_id));
    return rc;
}

int cli_dags_list_import_errors(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "file", "FILE", CELL_TEXT },      { "line", "LINE", CELL_TEXT },
        { "column", "COLUMN", CELL_TEXT },  { "message", "WRONG", CELL_TEXT },
        { "advice", "INSTEAD", CELL_TEXT },
    };
    const struct value *answer;
    int rc = client_get(cli, STR("/api/headrace/v1/import_errors"), &answer, err);

    if (rc < 0)
        return rc;
    const struct value *rows = value_get(answer, "import_errors");
    OUTPUT_ROWS(cli, columns, rows == NULL ? value_list(cli->arena) : rows);
    cli->exit_status = rows != NULL && rows->count > 0 ? CLI_FAILED : CLI_DONE;
    return 0;
}

int cli_dags_state(struct cli *cli, struct err *err)
{
    const struct value *run;
    int rc = client_get(cli,
                        client_path(cli, "/api/v2/dags/%s/dagRuns/%s", cli_arg(cli, "DAG_ID"),
                                    cli_arg(cli, "RUN_ID")),
                        &run, err);

    if (rc == 0 && (cli->format == OUTPUT_JSON || cli->format == OUTPUT_YAML))
        output_object(cli, run);
    else if (rc == 0)
        printf("%.*s\n", STR_ARG(value_text(value_get(run, "state"), STR_EMPTY)));
    return rc;
}
