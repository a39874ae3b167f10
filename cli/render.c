// SPDX-License-Identifier: Apache-2.0
/* headrace tasks render: the fields of a task as a run of it has them, templates filled in.
 * Rendered here, by the code that the scheduler uses, from what the server tells: so secrets are
 * masked as the server masks them. */
#include "cli/client.h"
#include "cli/dag_source.h"
#include "cli/handlers.h"
#include "cli/output.h"
#include "common/base/civil.h"
#include "common/model/context.h"
#include "common/text/template.h"

enum { MAP_INDEX_LAST = 1000000, INSTANCES_MAX = 100000 };

struct asker {
    struct cli *cli;
    const struct dag *dag;
};

static int get_output(struct cli *cli, struct str task_id, int64_t map_index,
                      const struct value **out, struct err *err)
{
    const struct value *answer;
    struct str path = client_path(
        cli, "/api/v2/dags/%s/dagRuns/%s/taskInstances/%s/xcomEntries/return_value?map_index=%s",
        cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"), task_id,
        str_format(cli->arena, "%lld", (long long)map_index));
    int rc = client_get(cli, path, &answer, err);

    if (rc == 0)
        *out = value_get(answer, "value");
    return rc;
}

static int output_of(void *owner, uint32_t index, struct arena *arena, const struct value **out,
                     struct err *err)
{
    struct asker *asker = owner;
    struct cli *cli = asker->cli;
    const struct task *task = &asker->dag->tasks[index];
    struct value *list = value_list(arena);
    const struct value *rows, *value;

    if (task->for_each == NULL)
        return get_output(cli, task->id, -1, out, err);
    struct str path = client_path(
        cli, "/api/v2/dags/%s/dagRuns/%s/taskInstances/%s/listMapped?order_by=map_index",
        cli_arg(cli, "DAG_ID"), cli_arg(cli, "RUN_ID"), task->id);
    int rc = client_list(cli, path, "task_instances", INSTANCES_MAX, &rows, err);
    for (uint32_t i = 0; rc == 0 && i < rows->count; i++) {
        bool is_good = str_is(value_text(value_get(rows->items[i], "state"), STR_EMPTY), "success");
        if (!is_good)
            continue;
        rc = get_output(cli, task->id, value_integer(value_get(rows->items[i], "map_index"), -1),
                        &value, err);
        if (rc == 0)
            value_add(arena, list, value);
    }
    *out = list;
    return rc;
}

static const struct value *variable_of(void *owner, struct str key, bool *out_secret)
{
    struct cli *cli = ((struct asker *)owner)->cli;
    const struct value *answer;

    *out_secret = false;
    if (client_get(cli, client_path(cli, "/api/v2/variables/%s", key), &answer, NULL) < 0)
        return NULL;
    return value_get(answer, "value");
}

static const struct value *connection_of(void *owner, struct str id)
{
    struct cli *cli = ((struct asker *)owner)->cli;
    const struct value *answer;

    if (client_get(cli, client_path(cli, "/api/v2/connections/%s", id), &answer, NULL) < 0)
        return NULL;
    struct value *map = value_map(cli->arena);
    for (uint32_t i = 0; i < answer->count; i++)
        value_put(cli->arena, map, answer->entries[i].key, answer->entries[i].value);
    if (value_get(map, "password") == NULL)
        value_put(cli->arena, map, STR("password"), value_string(cli->arena, STR("***")));
    return map;
}

/* The element of a mapped instance; of a mapping of lists the last key turns fastest. */
static int choose_item(struct cli *cli, struct context *context, struct err *err)
{
    struct expr_scope scope = context_scope(context);
    const struct value *items = NULL;
    uint64_t place = (uint64_t)context->map_index, length = 1;
    int rc = template_render_value(context->task->for_each, &scope, 0, cli->arena, &items, err);

    if (rc < 0)
        return err_wrap(err, rc, "for_each");
    for (uint32_t i = 0; items->type == VALUE_MAP && i < items->count; i++)
        length *= items->entries[i].value->count;
    if (items->type == VALUE_LIST)
        length = items->count;
    if (place >= length)
        return err_set(err, ERR_NOT_FOUND, "%.*s has %llu instances in this run",
                       STR_ARG(context->task->id), (unsigned long long)length);
    if (items->type == VALUE_LIST) {
        context->item = items->items[place];
        return 0;
    }
    struct value *item = value_map(cli->arena);
    for (uint32_t i = 0; i < items->count; i++) {
        const struct value *list = items->entries[i].value;
        length /= list->count;
        value_put(cli->arena, item, items->entries[i].key, list->items[place / length]);
        place %= length;
    }
    context->item = item;
    return 0;
}

static int64_t time_of(const struct value *run, const char *key, bool *out_has)
{
    int64_t ms = 0;
    bool has_zone,
        has = civil_parse(value_text(value_get(run, key), STR_EMPTY), &ms, &has_zone) == 0;

    if (out_has != NULL)
        *out_has = has;
    return has ? ms : 0;
}

/* The version of the DAG that the run began with. */
static int read_dag(struct cli *cli, const struct value *run, struct dag_source *out,
                    struct err *err)
{
    const struct value *versions = value_get(run, "dag_versions"), *source;
    int64_t number =
        versions != NULL && versions->count > 0
            ? value_integer(value_get(versions->items[versions->count - 1], "version_number"), 0)
            : 0;
    struct str dag_id = cli_arg(cli, "DAG_ID"),
               path = client_path(cli, "/api/v2/dagSources/%s", dag_id);

    if (number > 0)
        path = str_format(cli->arena, "%.*s?version_number=%lld", STR_ARG(path), (long long)number);
    int rc = client_get(cli, path, &source, err);
    if (rc < 0)
        return rc;
    return dag_source_text(cli, dag_id, value_text(value_get(source, "content"), STR_EMPTY), out,
                           err);
}

static int find_task(struct cli *cli, const struct dag_source *source, struct context *context,
                     struct err *err)
{
    for (uint32_t i = 0; i < source->result.dag_count; i++)
        if (str_eq(source->result.dags[i]->id, cli_arg(cli, "DAG_ID")))
            context->dag = source->result.dags[i];
    int32_t index =
        context->dag == NULL ? -1 : dag_find_task(context->dag, cli_arg(cli, "TASK_ID"));
    if (index < 0)
        return err_set(err, ERR_NOT_FOUND, "%.*s has no task %.*s", STR_ARG(cli_arg(cli, "DAG_ID")),
                       STR_ARG(cli_arg(cli, "TASK_ID")));
    context->task = &context->dag->tasks[index];
    return 0;
}

static int fill_context(struct cli *cli, const struct value *run, struct context *context,
                        struct err *err)
{
    const struct task *task = context->task;

    context->run_id = cli_arg(cli, "RUN_ID");
    context->logical_ms = time_of(run, "logical_date", &context->has_logical);
    context->interval_start_ms = time_of(run, "data_interval_start", NULL);
    context->interval_end_ms = time_of(run, "data_interval_end", NULL);
    context->conf = value_get(run, "conf");
    context->try_no = 1;
    if ((task->for_each != NULL) != (context->map_index >= 0))
        return err_set(err, ERR_INVALID,
                       task->for_each != NULL ? "%.*s is mapped: say which instance by --map-index"
                                              : "%.*s is not mapped: leave out --map-index",
                       STR_ARG(task->id));
    int rc = dag_params(context->dag, context->conf, cli->arena, &context->params, err);
    if (rc == 0 && task->for_each != NULL)
        rc = choose_item(cli, context, err);
    return rc;
}

static int render_fields(struct cli *cli, struct context *context, struct err *err)
{
    struct expr_scope scope = context_scope(context);
    struct value *fields = value_map(cli->arena);
    const struct value *args = context->task->operator_args, *env = context->task->env, *value;

    for (uint32_t i = 0; args != NULL && i < args->count; i++) {
        int rc = template_render_value(args->entries[i].value, &scope, 0, cli->arena, &value, err);
        if (rc < 0)
            return err_wrap(err, rc, "%.*s", STR_ARG(args->entries[i].key));
        value_put(cli->arena, fields, args->entries[i].key, value);
    }
    if (env != NULL) {
        int rc = template_render_value(env, &scope, 0, cli->arena, &value, err);
        if (rc < 0)
            return err_wrap(err, rc, "env");
        value_put(cli->arena, fields, STR("env"), value);
    }
    output_object(cli, fields);
    return 0;
}

int cli_tasks_render(struct cli *cli, struct err *err)
{
    struct dag_source source = { 0 };
    struct asker asker = { cli, NULL };
    struct context context = { .source = { &asker, output_of, variable_of, connection_of },
                               .arena = cli->arena };
    const struct value *run;
    int64_t map_index;
    int rc = cli_number(cli, "--map-index", -1, MAP_INDEX_LAST, -1, &map_index, err);

    if (rc == 0)
        rc = client_get(cli,
                        client_path(cli, "/api/v2/dags/%s/dagRuns/%s", cli_arg(cli, "DAG_ID"),
                                    cli_arg(cli, "RUN_ID")),
                        &run, err);
    if (rc == 0)
        rc = read_dag(cli, run, &source, err);
    if (rc == 0)
        rc = find_task(cli, &source, &context, err);
    if (rc == 0) {
        asker.dag = context.dag;
        context.map_index = (int32_t)map_index;
        rc = fill_context(cli, run, &context, err);
    }
    if (rc == 0)
        rc = render_fields(cli, &context, err);
    dag_source_clear(&source);
    return rc;
}
