// SPDX-License-Identifier: Apache-2.0
/* headrace dags check, show, next-execution, schema: what can be said of a DAG from its file alone.
 */
#include "cli/client.h"
#include "cli/dag_source.h"
#include "cli/handlers.h"
#include "cli/output.h"
#include "common/base/civil.h"
#include "common/model/timetable.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

enum { EXECUTIONS_MAX = 100000 };

enum { FOLDER_DEPTH_MAX = 20 };

struct check {
    struct cli *cli;
    uint32_t files, bad;
};

static int check_file(struct check *check, const char *path, struct err *err)
{
    struct cli *cli = check->cli;
    struct dag_source source = { 0 };
    int rc = dag_source_read(cli, path, &source, err);

    if (rc < 0 && source.result.problem_count == 0)
        return rc; /* not a problem of its content: it cannot be read */
    check->files++;
    check->bad += rc < 0;
    for (uint32_t i = 0; rc == 0 && i < source.result.dag_count; i++)
        output_note(cli, "%s: %.*s is good: %u tasks", path, STR_ARG(source.result.dags[i]->id),
                    source.result.dags[i]->task_count);
    if (rc == 0 && source.result.dag_count == 0 && !str_ends(str_of(path), ".py")) {
        fprintf(stderr, "%s: it holds no DAG: begin with tasks: {hello: {bash: \"echo hello\"}}\n",
                path);
        check->bad++;
    }
    dag_source_clear(&source);
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A file, or the DAG files below a folder, in the order of their names. */
static int check_path(struct check *check, const char *path, int depth, struct err *err)
{
    struct dirent **entries = NULL;
    struct stat status;
    int rc = 0;

    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return check_file(check, path, err);
    int count = depth > FOLDER_DEPTH_MAX ? 0 : scandir(path, &entries, NULL, by_name);
    if (count < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *below = str_format(check->cli->arena, "%s/%s", path, entries[i]->d_name).bytes;
        struct str name = str_of(entries[i]->d_name);
        bool is_folder = stat(below, &status) == 0 && S_ISDIR(status.st_mode);
        bool is_wanted =
            is_folder || str_ends(name, ".yaml") || str_ends(name, ".yml") || str_ends(name, ".py");

        if (rc == 0 && is_wanted && name.bytes[0] != '.')
            rc = check_path(check, below, depth + 1, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int cli_dags_check(struct cli *cli, struct err *err)
{
    struct check check = { .cli = cli };
    const struct arg *path;
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && (path = args_nth(&cli->args, "FILE", i)) != NULL; i++)
        rc = check_path(&check, str_cstr(cli->arena, path->value), 0, err);
    if (rc == 0 && check.files == 0)
        return err_set(err, ERR_NOT_FOUND, "there are no DAG files (.yaml, .yml) there");
    if (rc == 0 && check.bad > 0)
        return err_set(err, ERR_INVALID, "%u of %u files cannot be used", check.bad, check.files);
    return rc;
}

/* The file, or what the server has as the source of the DAG's newest version. */
static int read_source(struct cli *cli, struct str name, struct dag_source *out, struct err *err)
{
    const struct value *answer;

    if (dag_source_is_file(name))
        return dag_source_read(cli, str_cstr(cli->arena, name), out, err);
    int rc = client_get(cli, client_path(cli, "/api/v2/dagSources/%s", name), &answer, err);
    if (rc < 0)
        return rc;
    return dag_source_text(cli, name, value_text(value_get(answer, "content"), STR_EMPTY), out,
                           err);
}

static const struct dag *choose_dag(const struct dag_source *source, struct str name)
{
    for (uint32_t i = 0; i < source->result.dag_count; i++)
        if (str_eq(source->result.dags[i]->id, name))
            return source->result.dags[i];
    return source->result.dag_count > 0 ? source->result.dags[0] : NULL;
}

/* ---- show ---- */

static uint32_t depth_of(const struct dag *dag, uint32_t task, uint32_t *depths)
{
    if (depths[task] > 0)
        return depths[task];
    depths[task] = 1; /* dag_build has proved that there is no cycle */
    for (uint32_t i = 0; i < dag->tasks[task].upstream_count; i++) {
        uint32_t above = depth_of(dag, dag->tasks[task].upstream[i], depths) + 1;
        if (above > depths[task])
            depths[task] = above;
    }
    return depths[task];
}

static struct value *task_row(struct cli *cli, const struct dag *dag, uint32_t task, uint32_t depth)
{
    struct arena *arena = cli->arena;
    struct value *row = value_map(arena), *upstream = value_list(arena);
    const struct task *it = &dag->tasks[task];

    for (uint32_t i = 0; i < it->upstream_count; i++)
        value_add(arena, upstream, value_string_copy(arena, dag->tasks[it->upstream[i]].id));
    value_put(arena, row, STR("step"), value_int(arena, depth));
    value_put(arena, row, STR("task_id"), value_string_copy(arena, it->id));
    value_put(arena, row, STR("operator"),
              value_string(arena, str_of(operator_name(it->operator_kind))));
    value_put(arena, row, STR("mapped"),
              value_string(arena, it->for_each != NULL ? STR("for_each") : STR_EMPTY));
    value_put(arena, row, STR("trigger_rule"),
              value_string(arena, str_of(trigger_rule_name(it->trigger_rule))));
    value_put(arena, row, STR("depends_on"), upstream);
    return row;
}

int cli_dags_show(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "step", "STEP", CELL_TEXT },
        { "task_id", "TASK_ID", CELL_TEXT },
        { "operator", "OPERATOR", CELL_TEXT },
        { "mapped", "MAPPED", CELL_TEXT },
        { "trigger_rule", "TRIGGER_RULE", CELL_TEXT },
        { "depends_on", "DEPENDS_ON", CELL_TEXT },
    };
    struct dag_source source = { 0 };
    struct value *rows = value_list(cli->arena);
    struct str name = cli_arg(cli, "DAG_ID|FILE");
    int rc = read_source(cli, name, &source, err);

    for (uint32_t d = 0; rc == 0 && d < source.result.dag_count; d++) {
        const struct dag *dag = source.result.dags[d];
        uint32_t *depths = ARENA_ARRAY(cli->arena, uint32_t, dag->task_count);
        uint32_t deepest = 0;

        if (!dag_source_is_file(name) && !str_eq(dag->id, name))
            continue;
        for (uint32_t i = 0; i < dag->task_count; i++)
            deepest = depth_of(dag, i, depths) > deepest ? depths[i] : deepest;
        for (uint32_t depth = 1; depth <= deepest; depth++)
            for (uint32_t i = 0; i < dag->task_count; i++)
                if (depths[i] == depth)
                    value_add(cli->arena, rows, task_row(cli, dag, i, depth));
    }
    if (rc == 0)
        OUTPUT_ROWS(cli, columns, rows);
    dag_source_clear(&source);
    return rc;
}

/* ---- next-execution ---- */

static int print_executions(struct cli *cli, const struct dag *dag, const struct zone *zone,
                            int64_t from_ms, int64_t count, struct err *err)
{
    static const struct column columns[] = { { "run_after", "RUN_AFTER", CELL_TIME } };
    static const struct column all_columns[] = {
        { "run_after", "RUN_AFTER", CELL_TIME },
        { "logical_date", "LOGICAL_DATE", CELL_TIME },
        { "data_interval_start", "DATA_INTERVAL_START", CELL_TIME },
        { "data_interval_end", "DATA_INTERVAL_END", CELL_TIME },
    };
    struct arena *arena = cli->arena;
    struct value *rows = value_list(arena);
    struct timetable timetable;
    struct firing firing;
    int rc = timetable_read(dag->schedule, zone, dag->start_ms, dag->end_ms, &timetable, err);

    if (rc < 0)
        return rc;
    for (int64_t i = 0; i < count && timetable_next(&timetable, from_ms, &firing); i++) {
        struct value *row = value_map(arena);

        value_put(arena, row, STR("run_after"),
                  value_string(arena, civil_text(arena, firing.fire_ms)));
        value_put(arena, row, STR("logical_date"),
                  value_string(arena, civil_text(arena, firing.logical_ms)));
        value_put(arena, row, STR("data_interval_start"),
                  value_string(arena, civil_text(arena, firing.interval_start_ms)));
        value_put(arena, row, STR("data_interval_end"),
                  value_string(arena, civil_text(arena, firing.interval_end_ms)));
        value_add(arena, rows, row);
        from_ms = firing.fire_ms;
    }
    if (cli->format == OUTPUT_PLAIN)
        OUTPUT_ROWS(cli, columns, rows);
    else
        OUTPUT_ROWS(cli, all_columns, rows);
    return 0;
}

int cli_dags_next_execution(struct cli *cli, struct err *err)
{
    struct dag_source source = { 0 };
    struct str name = cli_arg(cli, "DAG_ID|FILE");
    struct timespec now;
    int64_t count, from_ms;
    int rc = cli_number(cli, "--num-executions", 1, EXECUTIONS_MAX, 1, &count, err);

    (void)clock_gettime(CLOCK_REALTIME, &now);
    from_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (rc == 0 && cli_has(cli, "--from"))
        rc = cli_time(cli, "--from", &from_ms, err);
    if (rc == 0)
        rc = read_source(cli, name, &source, err);
    if (rc == 0) {
        const struct dag *dag = choose_dag(&source, name);

        rc = dag == NULL ? err_set(err, ERR_NOT_FOUND, "%.*s holds no DAG", STR_ARG(name))
                         : print_executions(cli, dag, dag_source_zone(&source, dag->timezone),
                                            from_ms, count, err);
    }
    dag_source_clear(&source);
    return rc;
}

/* ---- schema ---- */

int cli_dags_schema(struct cli *cli, struct err *err)
{
    struct buf buf = { 0 };

    (void)err;
    if (cli_has(cli, "--markdown"))
        compile_reference(&buf);
    else
        compile_schema(&buf);
    (void)fwrite(buf.bytes, 1, buf.size, stdout);
    buf_clear(&buf);
    return 0;
}
