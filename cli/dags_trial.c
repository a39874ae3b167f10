// SPDX-License-Identifier: Apache-2.0
/* headrace dags test, tasks test: one run of a DAG file to its end, in this process and a warden,
 * without a server or a database. For one task the others are made up as done.
 *
 * Variables and connections come from --variables and --connections (files as `import` reads them)
 * and from the environment, as Airflow has it: AIRFLOW_VAR_NAME=value, AIRFLOW_CONN_ID=uri.
 * --mocks gives tasks made-up results; --history writes down what happened, a line an end, and
 * --expect compares with what was written down before. */
#include "cli/connection_uri.h"
#include "cli/dag_source.h"
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/history.h"
#include "cli/local.h"
#include "cli/mocks.h"
#include "cli/output.h"
#include "cli/resource.h"
#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/loop/loop.h"
#include "common/text/json.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <unistd.h>

enum { OUTPUT_SHOWN = 300 };

static volatile bool is_interrupted;

struct testing {
    struct cli *cli;
    const struct value *mocks; /* NULL: everything is run */
    struct str only;           /* of `tasks test`: what is run, and shown; empty: all */
    struct str expected;       /* history; no bytes: none is */
    struct buf history;
};

static void on_signal(int signum)
{
    (void)signum;
    is_interrupted = true;
}

/* ---- what is shown ---- */

static void on_line(struct local *local, struct str name, char kind, struct str line)
{
    const struct testing *testing = local->owner;
    const struct cli *cli = testing->cli;
    const char *colour = !cli->is_coloured ? ""
                         : kind == 'E'     ? "\033[33m"
                         : kind == 'S'     ? "\033[36m"
                                           : "";

    printf("%s%.*s |%s %s%.*s%s\n", cli->is_coloured ? "\033[2m" : "", STR_ARG(name),
           output_plain(cli), colour, STR_ARG(line), output_plain(cli));
}

static struct str name_of(const struct local *local, uint32_t task, int32_t map_index)
{
    const struct testing *testing = local->owner;
    struct str id = local->dag->tasks[task].id;

    return map_index < 0 ? id
                         : str_format(testing->cli->arena, "%.*s[%d]", STR_ARG(id), (int)map_index);
}

static void show_try(struct local *local, const struct try_row *row)
{
    struct testing *testing = local->owner;
    const struct cli *cli = testing->cli;
    const struct task *task = &local->dag->tasks[row->task];
    struct str state = str_of(task_state_name(row->state));

    struct str name = name_of(local, row->task, row->map_index);
    buf_printf(&testing->history, "%.*s: %.*s\n", STR_ARG(name), STR_ARG(state));
    printf("%.*s: %s%.*s%s", STR_ARG(name), output_colour(cli, state), STR_ARG(state),
           output_plain(cli));
    if (row->state == TASK_SUCCESS && row->started_ms > 0)
        printf(" after %.2f s", (double)(row->ended_ms - row->started_ms) / 1000);
    else if (row->error.size > 0)
        printf(": %.*s", STR_ARG(row->error));
    else if (row->state != TASK_SUCCESS)
        printf(": %s", cause_sentence(row->cause));
    if (row->state == TASK_UP_FOR_RETRY)
        printf("; try %d of %u in %.1f s", row->try_no + 1, task->retries + 1,
               (double)(row->retry_ms - row->ended_ms) / 1000);
    putchar('\n');
}

static bool is_shown(const struct testing *testing, const struct local *local,
                     const struct try_row *row)
{
    return testing->only.size == 0 || str_eq(local->dag->tasks[row->task].id, testing->only);
}

static void on_record(struct local *local, const struct record *record)
{
    const struct testing *testing = local->owner;
    bool is_final = record->type == WRITE_TRY_ENDED ||
                    (record->type == WRITE_TRY_PLACED && record->try.state != TASK_QUEUED);

    if (is_final && record->try.dag_no == 1 && is_shown(testing, local, &record->try))
        show_try(local, &record->try);
    if (record->type == WRITE_OUTPUT && record->output.run_no == local->run_no) {
        struct str name = name_of(local, record->output.task, record->output.map_index);
        printf("%.*s: output %.*s\n", STR_ARG(name),
               STR_ARG(str_slice(record->output.json, 0, OUTPUT_SHOWN)));
    }
    if (record->type == WRITE_NOTIFICATION)
        printf("%.*s: %.*s to %.*s is not sent in a test\n", STR_ARG(record->notification.event),
               STR_ARG(record->notification.kind), STR_ARG(record->notification.target));
    if (record->type == WRITE_REQUEST_DONE && record->request.code != 0)
        fprintf(stderr, "headrace: %.*s\n", STR_ARG(record->request.answer));
    (void)fflush(stdout);
}

/* ---- what it uses ---- */

static const struct value *connection_of(struct cli *cli, const struct value *value, int *out_rc,
                                         struct err *err)
{
    struct value *map = value_map(cli->arena);

    if (value->type != VALUE_STRING)
        return value;
    *out_rc = connection_uri_read(cli->arena, value->string, map, err);
    return map;
}

static int give_file(struct cli *cli, struct local *local, const char *option, bool is_variables,
                     struct err *err)
{
    const struct value *map = NULL;
    int rc = 0;

    if (!cli_has(cli, option))
        return 0;
    rc = resource_read_map(cli, str_cstr(cli->arena, cli_arg(cli, option)), &map, err);
    for (uint32_t i = 0; rc == 0 && i < map->count; i++) {
        const struct value *value = map->entries[i].value;

        if (is_variables)
            local_variable(local, map->entries[i].key,
                           value->type == VALUE_STRING
                               ? value
                               : value_string(cli->arena, json_text(cli->arena, value)));
        else
            local_connection(local, map->entries[i].key, connection_of(cli, value, &rc, err));
    }
    return rc;
}

/* AIRFLOW_VAR_DATA_FOLDER is the variable data_folder. */
static int give_environment(struct cli *cli, struct local *local, struct err *err)
{
    int rc = 0;

    for (char **at = environ; rc == 0 && *at != NULL; at++) {
        struct str text = str_of(*at), name;
        bool is_variable = str_starts(text, "AIRFLOW_VAR_"),
             is_connection = str_starts(text, "AIRFLOW_CONN_");

        if (!is_variable && !is_connection)
            continue;
        (void)str_split(&text, '=', &name);
        name = str_slice(name, is_variable ? 12 : 13, name.size);
        char *key = arena_copy(cli->arena, name.bytes, name.size);
        for (size_t i = 0; i < name.size; i++)
            key[i] = (char)(key[i] >= 'A' && key[i] <= 'Z' ? key[i] - 'A' + 'a' : key[i]);
        struct str id = { key, name.size };
        if (is_variable)
            local_variable(local, id, value_string(cli->arena, text));
        else
            local_connection(local, id,
                             connection_of(cli, value_string(cli->arena, text), &rc, err));
    }
    return rc;
}

static bool on_start(struct local *local, const struct core_send *grant, struct result *out)
{
    const struct testing *testing = local->owner;

    return mocks_answer(testing->mocks, grant->grant.task_id, grant->grant.map_index,
                        grant->grant.try_no, &local->arena, out);
}

/* Before the DAG is given away. */
static int make_up(struct testing *testing, struct dag *dag, struct err *err)
{
    struct cli *cli = testing->cli;
    int rc = 0;

    if (cli_has(cli, "--mocks"))
        rc = mocks_read(cli, str_cstr(cli->arena, cli_arg(cli, "--mocks")), dag, &testing->mocks,
                        err);
    if (rc == 0 && testing->only.size > 0)
        rc = mocks_add_others(cli, dag, testing->only, testing->mocks, &testing->mocks, err);
    if (rc == 0 && testing->mocks != NULL)
        mocks_replace(testing->mocks, dag);
    return rc;
}

/* The DAG that is to run comes first; the others of the file may be triggered by it. */
static int give_dags(struct testing *testing, struct local *local, struct dag_source *source,
                     struct err *err)
{
    struct str wanted = cli_arg(testing->cli, "--dag-id");
    uint32_t first = 0;

    while (wanted.size > 0 && first < source->result.dag_count &&
           !str_eq(source->result.dags[first]->id, wanted))
        first++;
    if (first >= source->result.dag_count)
        return err_set(err, ERR_NOT_FOUND, "the file has no DAG %.*s", STR_ARG(wanted));
    int rc = make_up(testing, source->result.dags[first], err);
    for (uint32_t n = 0; rc == 0 && n < source->result.dag_count; n++) {
        uint32_t index = n == 0 ? first : n <= first ? n - 1 : n;
        struct dag *dag = source->result.dags[index];
        const struct zone *zone = dag_source_zone(source, dag->timezone);

        source->result.dags[index] = NULL;
        local_dag(local, dag, zone);
    }
    return rc;
}

static int read_request(struct cli *cli, struct request *out, struct err *err)
{
    const struct value *conf = value_map(cli->arena);

    if (cli_has(cli, "--conf") &&
        (json_parse(cli->arena, cli_arg(cli, "--conf"), NULL, &conf, NULL) < 0 ||
         conf->type != VALUE_MAP))
        return cli_wrong_use(cli, err,
                             "--conf must be a JSON object, such as '{\"region\": \"eu\"}'");
    *out = (struct request) {
        .request_no = 1, .kind = REQUEST_TRIGGER, .actor = STR("dags test"), .conf = conf
    };
    out->run_type = RUN_MANUAL;
    out->has_logical = cli_has(cli, "--logical-date");
    out->logical_ms = loop_wall_ms();
    int rc = out->has_logical ? cli_time(cli, "--logical-date", &out->logical_ms, err) : 0;
    if (rc < 0)
        return rc;
    out->run_id =
        str_format(cli->arena, "test__%.*s", STR_ARG(civil_text(cli->arena, out->logical_ms)));
    return 0;
}

/* ---- the whole ---- */

static int read_expected(struct testing *testing, struct err *err)
{
    struct cli *cli = testing->cli;
    const char *path = str_cstr(cli->arena, cli_arg(cli, "--expect"));

    return cli_has(cli, "--expect") ? file_read(cli->arena, path, &testing->expected, err) : 0;
}

/* Writes down what happened, and says where it is not what was expected. */
static int judge(struct testing *testing, struct err *err)
{
    struct cli *cli = testing->cli;
    struct str history = buf_str(&testing->history);
    int rc = 0;

    if (cli_has(cli, "--history"))
        rc = file_write(str_cstr(cli->arena, cli_arg(cli, "--history")), history, 0644, err);
    if (rc < 0 || !cli_has(cli, "--expect"))
        return rc;
    (void)fflush(stdout);
    uint32_t different = history_diff(testing->expected, history, stderr);
    if (different > 0)
        return err_set(err, ERR_INVALID, "%u line%s of the history differ%s from %.*s", different,
                       different == 1 ? "" : "s", different == 1 ? "s" : "",
                       STR_ARG(cli_arg(cli, "--expect")));
    cli->exit_status = CLI_DONE; /* a run that fails as it should is a good test */
    return 0;
}

static int run_source(struct testing *testing, struct local *local, struct dag_source *source,
                      const char *spool, struct err *err)
{
    struct cli *cli = testing->cli;
    struct request request;
    int rc = read_request(cli, &request, err);

    if (rc == 0)
        rc = local_open(local, cli->conf, cli_program_path(cli->arena, "headrace-warden"),
                        cli_program_path(cli->arena, "headrace-task"), spool, err);
    if (rc == 0)
        rc = give_environment(cli, local, err);
    if (rc == 0)
        rc = give_file(cli, local, "--variables", true, err);
    if (rc == 0)
        rc = give_file(cli, local, "--connections", false, err);
    if (rc == 0)
        rc = give_dags(testing, local, source, err);
    if (rc < 0)
        return rc;
    ASSERT(local->dag != NULL);
    request.dag_id = local->dag->id;
    return local_run(local, &request, &is_interrupted, err);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static int finish(struct testing *testing, const struct local *local, struct err *err)
{
    const struct cli *cli = testing->cli;
    struct str state = local->run_is_good ? STR("success") : STR("failed");

    testing->cli->exit_status = local->run_is_good ? CLI_DONE : CLI_FAILED;
    if (local->is_refused)
        return 0;
    printf("%.*s: %s%.*s%s\n", STR_ARG(local->dag->id), output_colour(cli, state), STR_ARG(state),
           output_plain(cli));
    buf_printf(&testing->history, "%.*s: %.*s\n", STR_ARG(local->dag->id), STR_ARG(state));
    return judge(testing, err);
}

int cli_dags_test(struct cli *cli, struct err *err)
{
    struct dag_source source = { 0 };
    struct testing testing = { .cli = cli, .only = cli_arg(cli, "TASK_ID") };
    struct local local = {
        .on_record = on_record, .on_line = on_line, .on_start = on_start, .owner = &testing
    };
    char spool[] = "/tmp/headrace-dag-XXXXXX";
    struct sigaction action = { .sa_handler = on_signal };
    int rc = dag_source_read(cli, str_cstr(cli->arena, cli_arg(cli, "FILE")), &source, err);

    if (rc == 0 && mkdtemp(spool) == NULL)
        rc = err_set(err, ERR_IO, "making a folder in /tmp: %s", strerror(errno));
    if (rc < 0) {
        dag_source_clear(&source);
        return rc;
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    local.warden.fd = -1;
    rc = read_expected(&testing, err);
    if (rc == 0)
        rc = run_source(&testing, &local, &source, spool, err);
    if (rc == 0 && is_interrupted)
        rc = err_set(err, ERR_UNAVAILABLE, "interrupted");
    if (rc == 0)
        rc = finish(&testing, &local, err);
    buf_clear(&testing.history);
    local_close(&local);
    dag_source_clear(&source);
    if (cli_has(cli, "--keep"))
        output_note(cli, "what is left of it: %s", spool);
    else
        (void)nftw(spool, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return rc;
}

int cli_tasks_test(struct cli *cli, struct err *err)
{
    return cli_dags_test(cli, err);
}
