// SPDX-License-Identifier: Apache-2.0
/* headrace dags trigger: a run is asked for, and watched to its end if wished. */
#include "cli/client.h"
#include "cli/handlers.h"
#include "cli/output.h"
#include "common/base/civil.h"
#include "common/model/state.h"
#include "common/text/json.h"

#include <time.h>
#include <unistd.h>

enum { POLL_MS = 250, TASKS_MAX = 100000, BAR_WIDTH = 24 };

struct tally {
    uint32_t total, good, bad, active;
};

static void pause_ms(long ms)
{
    struct timespec rest = { ms / 1000, ms % 1000 * 1000000 };

    (void)nanosleep(&rest, NULL);
}

static void count_letter(struct tally *tally, char letter, uint32_t times)
{
    if (letter == '\0' || strchr(TASK_STATE_LETTERS, letter) == NULL)
        return;
    tally->total += times;
    tally->good += strchr("skx", letter) != NULL ? times : 0;
    tally->bad += strchr("fu", letter) != NULL ? times : 0;
    tally->active += strchr("qrz", letter) != NULL ? times : 0;
}

/* A mapped task counts with all its instances: [ordinal, total, waiting, active, good, bad]. */
static struct tally read_tally(const struct value *page)
{
    struct str states = value_text(value_get(page, "st"), STR_EMPTY);
    const struct value *mapped = value_get(page, "mapped");
    struct tally tally = { 0 };

    for (uint32_t task = 0; task < states.size; task++) {
        const struct value *row = NULL;

        for (uint32_t i = 0; mapped != NULL && i < mapped->count; i++)
            if (mapped->items[i]->count >= 6 &&
                value_integer(mapped->items[i]->items[0], -1) == task)
                row = mapped->items[i];
        if (row == NULL) {
            count_letter(&tally, states.bytes[task], 1);
            continue;
        }
        tally.total += (uint32_t)value_integer(row->items[1], 0);
        tally.active += (uint32_t)value_integer(row->items[3], 0);
        tally.good += (uint32_t)value_integer(row->items[4], 0);
        tally.bad += (uint32_t)value_integer(row->items[5], 0);
    }
    return tally;
}

/* On a terminal one line that changes; elsewhere a line whenever something has. */
static void show_progress(struct cli *cli, const struct tally *tally, struct str state)
{
    static struct tally shown = { UINT32_MAX, 0, 0, 0 };
    uint32_t done = tally->good + tally->bad;
    uint32_t filled = tally->total == 0 ? 0 : BAR_WIDTH * done / tally->total;

    if (!cli->is_terminal && shown.good == tally->good && shown.bad == tally->bad &&
        shown.total == tally->total)
        return;
    shown = *tally;
    fprintf(stderr, "%s  [", cli->is_terminal ? "\r\033[K" : "");
    for (uint32_t i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %u of %u tasks done, %u at work, %u failed; the run is %s%.*s%s%s", done,
            tally->total, tally->active, tally->bad, output_colour(cli, state), STR_ARG(state),
            output_plain(cli), cli->is_terminal ? "" : "\n");
}

/* The failed tasks, each with what it said last. */
static void print_failures(struct cli *cli, const struct value *page, struct str dag_id,
                           struct str run_id)
{
    const struct value *errors = value_get(page, "errors"), *shape = NULL;
    struct str version = json_text(cli->arena, value_get(value_get(page, "run"), "version"));

    (void)!client_get(
        cli, client_path(cli, "/api/headrace/v1/ui/grid/%s/shape?version=%s", dag_id, version),
        &shape, NULL);
    const struct value *ids = value_get(shape, "id");
    for (uint32_t i = 0; errors != NULL && i < errors->count && errors->items[i]->count >= 4; i++) {
        const struct value *const *row = errors->items[i]->items;
        int64_t task = value_integer(row[0], -1), map_index = value_integer(row[1], -1);
        struct str name = ids != NULL && task >= 0 && task < ids->count
                              ? value_text(ids->items[task], STR_EMPTY)
                              : STR_EMPTY;

        fprintf(stderr, "  %s%.*s%s", output_colour(cli, STR("failed")), STR_ARG(name),
                output_plain(cli));
        if (map_index >= 0)
            fprintf(stderr, "[%lld]", (long long)map_index);
        fprintf(stderr, " (try %lld): %.*s\n", (long long)value_integer(row[2], 0),
                STR_ARG(value_text(row[3], STR_EMPTY)));
    }
    fprintf(stderr, "  headrace tasks logs %.*s %.*s TASK_ID shows more\n", STR_ARG(dag_id),
            STR_ARG(run_id));
}

static int wait_for_end(struct cli *cli, struct str dag_id, struct str run_id, struct err *err)
{
    struct str path = client_path(cli, "/api/headrace/v1/ui/run/%s/%s", dag_id, run_id);
    struct arena *whole = cli->arena;

    for (;;) {
        struct arena look = { 0 };
        const struct value *page;

        cli->arena = &look; /* a look's memory is not kept: a run may take days */
        int rc = client_get(cli, path, &page, err);
        struct str state =
            rc < 0 ? STR_EMPTY : value_text(value_get(value_get(page, "run"), "state"), STR_EMPTY);
        bool is_good = str_is(state, "success"),
             is_over = rc < 0 || is_good || str_is(state, "failed");
        struct tally tally = rc < 0 ? (struct tally) { 0 } : read_tally(page);
        if (rc == 0 && cli_has(cli, "--progress"))
            show_progress(cli, &tally, state);
        if (is_over && rc == 0) {
            if (cli_has(cli, "--progress") && cli->is_terminal)
                fputc('\n', stderr);
            if (!is_good)
                print_failures(cli, page, dag_id, run_id);
        }
        cli->arena = whole;
        arena_clear(&look);
        if (is_over) {
            cli->exit_status = is_good ? CLI_DONE : CLI_FAILED;
            return rc;
        }
        pause_ms(POLL_MS);
    }
}

int cli_dags_trigger(struct cli *cli, struct err *err)
{
    struct str dag_id = cli_arg(cli, "DAG_ID");
    struct value *body = value_map(cli->arena);
    const struct value *conf = value_map(cli->arena);
    struct reply reply;
    int64_t logical_ms = 0;
    int rc = cli_has(cli, "--logical-date") ? cli_time(cli, "--logical-date", &logical_ms, err) : 0;

    if (rc < 0)
        return rc;
    if (cli_has(cli, "--conf") &&
        (json_parse(cli->arena, cli_arg(cli, "--conf"), NULL, &conf, err) < 0 ||
         conf->type != VALUE_MAP))
        return cli_wrong_use(cli, err,
                             "--conf must be a JSON object, such as '{\"region\": \"eu\"}'");
    value_put(cli->arena, body, STR("conf"), conf);
    value_put(cli->arena, body, STR("logical_date"),
              cli_has(cli, "--logical-date")
                  ? value_string(cli->arena, civil_text(cli->arena, logical_ms))
                  : value_null(cli->arena));
    if (cli_has(cli, "--run-id"))
        value_put(cli->arena, body, STR("dag_run_id"),
                  value_string(cli->arena, cli_arg(cli, "--run-id")));
    if (cli_has(cli, "--note"))
        value_put(cli->arena, body, STR("note"), value_string(cli->arena, cli_arg(cli, "--note")));
    rc = client_call(cli, "POST", client_path(cli, "/api/v2/dags/%s/dagRuns", dag_id), body, &reply,
                     err);
    if (rc < 0)
        return err_wrap(err, rc, "triggering %.*s", STR_ARG(dag_id));
    struct str run_id = value_text(value_get(reply.body, "dag_run_id"), STR_EMPTY);
    if (cli->format == OUTPUT_JSON || cli->format == OUTPUT_YAML)
        output_object(cli, reply.body);
    else
        printf("%.*s\n", STR_ARG(run_id));
    (void)fflush(stdout);
    return cli_has(cli, "--wait") || cli_has(cli, "--progress")
               ? wait_for_end(cli, dag_id, run_id, err)
               : 0;
}
