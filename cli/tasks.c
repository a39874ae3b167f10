// SPDX-License-Identifier: Apache-2.0
/* headrace tasks ...: the tasks of a DAG, their instances in a run, and what they printed. */
#include "cli/client.h"
#include "cli/handlers.h"
#include "cli/output.h"

#include <time.h>

enum {
    ROWS_MAX = 100000,
    LOG_LINES_MAX = 2000,
    LOG_POLL_MS = 300,
    MAP_INDEX_MAX = 1000000,
    TRIES_MAX = 10000
};

int cli_tasks_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "task_id", "TASK_ID", CELL_TEXT },
        { "operator_name", "OPERATOR", CELL_TEXT },
        { "downstream_task_ids", "DOWNSTREAM", CELL_TEXT },
        { "trigger_rule", "TRIGGER_RULE", CELL_TEXT },
        { "retries", "RETRIES", CELL_TEXT },
        { "pool", "POOL", CELL_TEXT },
        { "queue", "QUEUE", CELL_TEXT },
    };
    const struct value *answer;
    int rc = client_get(cli, client_path(cli, "/api/v2/dags/%s/tasks", cli_arg(cli, "DAG_ID")),
                        &answer, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, value_get(answer, "tasks"));
    return rc;
}

int cli_tasks_states(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "task_id", "TASK_ID", CELL_TEXT },      { "map_index", "MAP_INDEX", CELL_TEXT },
        { "state", "STATE", CELL_STATE },         { "try_number", "TRY", CELL_TEXT },
        { "start_date", "START", CELL_TIME },     { "end_date", "END", CELL_TIME },
        { "duration", "DURATION", CELL_SECONDS }, { "hostname", "HOST", CELL_TEXT },
    };
    const struct value *rows;
    struct str path = client_path(cli, "/api/v2/dags/%s/dagRuns/%s/taskInstances",
                                  cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"));
    int rc = client_list(cli, path, "task_instances", ROWS_MAX, &rows, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, rows);
    return rc;
}

/* The page of one instance. */
static int get_instance(struct cli *cli, const struct value **out, int64_t *out_map_index,
                        struct err *err)
{
    int rc = cli_number(cli, "--map-index", -1, MAP_INDEX_MAX, -1, out_map_index, err);

    if (rc < 0)
        return rc;
    struct str path = client_path(
        cli, "/api/headrace/v1/ui/task/%s/%s/%s/%s", cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"),
        cli_arg(cli, "TASK_ID"), str_format(cli->arena, "%lld", (long long)*out_map_index));
    return client_get(cli, path, out, err);
}

/* ERR_INVALID when the task has instances and none was named: what is asked for is theirs. */
static int check_unmapped(struct cli *cli, int64_t map_index, struct err *err)
{
    const struct value *answer;
    struct str path =
        client_path(cli, "/api/v2/dags/%s/dagRuns/%s/taskInstances/%s/listMapped?limit=1",
                    cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"), cli_arg(cli, "TASK_ID"));

    if (map_index >= 0 || client_get(cli, path, &answer, NULL) < 0)
        return 0;
    int64_t count = value_integer(value_get(answer, "total_entries"), 0);
    const struct value *rows = value_get(answer, "task_instances");
    if (count == 0 || rows == NULL || rows->count == 0 ||
        value_integer(value_get(rows->items[0], "map_index"), -1) < 0)
        return 0;
    return cli_wrong_use(cli, err, "%.*s is mapped: say which instance by --map-index, 0 to %lld",
                         STR_ARG(cli_arg(cli, "TASK_ID")), (long long)count - 1);
}

static void print_reasons(struct cli *cli, int64_t map_index)
{
    const struct value *answer;
    struct str path =
        client_path(cli, "/api/headrace/v1/why?dag_id=%s&run_id=%s&task_id=%s&map_index=%s",
                    cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"), cli_arg(cli, "TASK_ID"),
                    str_format(cli->arena, "%lld", (long long)map_index));

    if (client_get(cli, path, &answer, NULL) < 0)
        return;
    const struct value *reasons = value_get(answer, "reasons");
    for (uint32_t i = 0; reasons != NULL && i < reasons->count; i++) {
        struct str advice = value_text(value_get(reasons->items[i], "advice"), STR_EMPTY);

        printf("  %.*s", STR_ARG(value_text(value_get(reasons->items[i], "sentence"), STR_EMPTY)));
        printf("%s%.*s\n", advice.size > 0 ? " " : "", STR_ARG(advice));
    }
}

int cli_tasks_state(struct cli *cli, struct err *err)
{
    const struct value *instance;
    int64_t map_index;
    int rc = get_instance(cli, &instance, &map_index, err);

    if (rc == 0 && value_integer(value_get(instance, "try"), 0) == 0)
        rc = check_unmapped(cli, map_index, err);
    if (rc < 0)
        return rc;
    if (cli->format == OUTPUT_JSON || cli->format == OUTPUT_YAML) {
        output_object(cli, instance);
        return 0;
    }
    printf("%.*s\n", STR_ARG(value_text(value_get(instance, "state"), STR("none"))));
    if (cli->format == OUTPUT_TABLE)
        print_reasons(cli, map_index);
    return 0;
}

int cli_tasks_clear(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "task_id", "TASK_ID", CELL_TEXT },
        { "map_index", "MAP_INDEX", CELL_TEXT },
        { "state", "STATE", CELL_STATE },
    };
    struct arena *arena = cli->arena;
    struct value *body = value_map(arena), *tasks = value_list(arena);
    struct str path =
        client_path(cli, "/api/v2/dags/%s/clearTaskInstances", cli_arg(cli, "DAG_ID"));
    const struct arg *task;
    struct reply reply;

    for (uint32_t i = 0; (task = args_nth(&cli->args, "--task", i)) != NULL; i++)
        value_add(arena, tasks, value_string(arena, task->value));
    value_put(arena, body, STR("dag_run_id"), value_string(arena, cli_arg(cli, "RUN_ID")));
    if (tasks->count > 0)
        value_put(arena, body, STR("task_ids"), tasks);
    value_put(arena, body, STR("only_failed"), value_bool(arena, cli_has(cli, "--only-failed")));
    value_put(arena, body, STR("include_upstream"), value_bool(arena, cli_has(cli, "--upstream")));
    value_put(arena, body, STR("include_downstream"),
              value_bool(arena, cli_has(cli, "--downstream")));
    value_put(arena, body, STR("dry_run"), value_bool(arena, true));
    int rc = client_call(cli, "POST", path, body, &reply, err);
    if (rc < 0)
        return rc;
    const struct value *rows = value_get(reply.body, "task_instances");
    OUTPUT_ROWS(cli, columns, rows == NULL ? value_list(arena) : rows);
    if (cli_has(cli, "--dry-run") || rows == NULL || rows->count == 0)
        return 0;
    (void)fflush(stdout);
    rc = cli_confirm(cli, err, "Run these again?");
    value_put(arena, body, STR("dry_run"), value_bool(arena, false));
    if (rc == 0)
        rc = client_call(cli, "POST", path, body, &reply, err);
    if (rc == 0)
        output_note(cli, "%u cleared", rows->count);
    return rc;
}

int cli_tasks_mark(struct cli *cli, struct err *err)
{
    struct arena *arena = cli->arena;
    struct str task_id = cli_arg(cli, "TASK_ID"), state = cli_arg(cli, "STATE");
    struct value *body = value_map(arena);
    int64_t map_index;
    int rc = cli_number(cli, "--map-index", 0, MAP_INDEX_MAX, -1, &map_index, err);
    struct str path = client_path(cli, "/api/v2/dags/%s/dagRuns/%s/taskInstances/%s",
                                  cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"), task_id);

    if (rc < 0)
        return rc;
    if (!str_is(state, "success") && !str_is(state, "failed") && !str_is(state, "skipped"))
        return cli_wrong_use(cli, err, "STATE is success, failed or skipped, not %.*s",
                             STR_ARG(state));
    if (map_index >= 0)
        path = str_format(arena, "%.*s/%lld", STR_ARG(path), (long long)map_index);
    value_put(arena, body, STR("new_state"), value_string(arena, state));
    value_put(arena, body, STR("include_upstream"), value_bool(arena, cli_has(cli, "--upstream")));
    value_put(arena, body, STR("include_downstream"),
              value_bool(arena, cli_has(cli, "--downstream")));
    rc = client_call(cli, "PATCH", path, body, NULL, err);
    if (rc == 0)
        output_note(cli, "%.*s is marked %.*s", STR_ARG(task_id), STR_ARG(state));
    return rc;
}

/* ---- logs ---- */

static void print_log(struct cli *cli, struct str text)
{
    struct str line;

    if (cli->format != OUTPUT_TABLE) {
        (void)fwrite(text.bytes, 1, text.size, stdout);
        return;
    }
    /* "2026-11-21T06:00:00.123Z o text": the letter tells stdout, stderr and our own notes apart.
     */
    while (str_split(&text, '\n', &line)) {
        bool has_lead = line.size > 26 && line.bytes[23] == 'Z' && line.bytes[24] == ' ' &&
                        line.bytes[26] == ' ';

        if (!has_lead) {
            if (line.size > 0 || text.bytes != NULL)
                printf("%.*s\n", STR_ARG(line));
            continue;
        }
        const char *colour = line.bytes[25] == 'e'   ? "\033[33m"
                             : line.bytes[25] == 'h' ? "\033[36m"
                                                     : "";
        struct str content = str_slice(line, 27, line.size);
        printf("%s%.12s%s %s%.*s%s\n", cli->is_coloured ? "\033[2m" : "", line.bytes + 11,
               output_plain(cli), cli->is_coloured ? colour : "", STR_ARG(content),
               output_plain(cli));
    }
}

static int last_try(struct cli *cli, int64_t *out_map_index, int64_t *out_try, struct err *err)
{
    const struct value *instance;
    int rc = get_instance(cli, &instance, out_map_index, err);

    if (rc == 0)
        *out_try = value_integer(value_get(instance, "try"), 0);
    return rc;
}

int cli_tasks_logs(struct cli *cli, struct err *err)
{
    struct arena *whole = cli->arena;
    struct str url;
    int64_t map_index, try, from = 0;
    bool follow = cli_has(cli, "--follow");
    int rc = client_url(cli, &url, err); /* opens it, in the arena that stays */

    if (rc == 0)
        rc = cli_number(cli, "--try", 1, TRIES_MAX, 0, &try, err);
    if (rc == 0)
        rc = cli_number(cli, "--map-index", -1, MAP_INDEX_MAX, -1, &map_index, err);
    for (bool is_over = false; rc == 0 && !is_over;) {
        struct arena look = { 0 };
        struct reply reply = { 0 };

        cli->arena = &look;
        if (try == 0)
            rc = last_try(cli, &map_index, &try, err);
        if (rc == 0 && try == 0)
            rc = check_unmapped(cli, map_index, err);
        if (rc == 0 && try == 0 && !follow)
            rc = err_set(err, ERR_NOT_FOUND, "%.*s has not started in this run",
                         STR_ARG(cli_arg(cli, "TASK_ID")));
        struct str path = client_path(
            cli, "/api/headrace/v1/ui/log/%s/%s/%s/%s/%s?from=%s&lines=2000",
            cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"), cli_arg(cli, "TASK_ID"),
            str_format(&look, "%lld", (long long)map_index),
            str_format(&look, "%lld", (long long)try), str_format(&look, "%lld", (long long)from));
        if (rc == 0 && try > 0)
            rc = client_call(cli, "GET", path, NULL, &reply, err);
        bool waits = rc == ERR_NOT_FOUND && follow;
        rc = waits ? 0 : rc;
        if (rc == 0 && reply.text.size > 0) {
            print_log(cli, reply.text);
            (void)fflush(stdout);
            for (size_t i = 0; i < reply.text.size; i++)
                from += reply.text.bytes[i] == '\n';
        }
        bool has_more = reply.log_lines > from;
        is_over = rc < 0 || (!has_more && (!follow || reply.log_is_complete));
        cli->arena = whole;
        arena_clear(&look);
        if (!is_over && !has_more)
            (void)nanosleep(&(struct timespec) { 0, LOG_POLL_MS * 1000000L }, NULL);
    }
    return rc;
}
