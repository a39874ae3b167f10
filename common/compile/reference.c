// SPDX-License-Identifier: Apache-2.0
/* The reference page of DAG files, in Markdown: made from the table of keys and that of filters. */
#include "common/compile/compile.h"
#include "common/compile/key.h"

#include "common/model/context.h"
#include "common/text/expr.h"

static const char intro[] = "# The DAG file\n"
                            "\n"
                            "This page is written by `./dev docs` from the tables that the "
                            "compiler uses: what stands here is what it accepts.\n"
                            "\n"
                            "Files end in `.yaml` or `.yml` and lie below the DAG folder "
                            "(`core.dags_folder`), at any depth; `.headraceignore` holds\n"
                            "patterns as in a `.gitignore`. A file may hold several YAML "
                            "documents, one DAG each. YAML 1.2: `no` and `on` are text,\n"
                            "`true` and `false` are not. For an editor that completes and checks "
                            "while you type, point it to `docs/dag.schema.json`.\n"
                            "\n"
                            "A file that cannot be compiled is an import error with file, line, "
                            "column and what to write instead; the last good\n"
                            "version of its DAGs stays active. `headrace dags check FILE` shows "
                            "all of a file's errors at once.\n"
                            "\n"
                            "```yaml\n"
                            "schedule: \"0 2 * * *\"\n"
                            "params: {region: {type: string, enum: [eu, us], default: eu}}\n"
                            "defaults: {retries: 3, retry_delay: 10s}\n"
                            "tasks:\n"
                            "  list_files:\n"
                            "    bash: ls /data/in/{{ ds }} | jq -R . | jq -sc .\n"
                            "  load:\n"
                            "    depends_on: [list_files]\n"
                            "    for_each: \"{{ xcom.list_files }}\"\n"
                            "    bash: ./load.sh {{ item | sh }} {{ params.region | sh }}\n"
                            "```\n"
                            "\n"
                            "A key with nothing behind its colon is as good as not written. "
                            "Lengths of time are `10s`, `5m`, `1h30m`, `250ms`, `7d`,\n"
                            "`PT10S`, or a bare number of seconds; sizes are `512Mi` or `2G`. "
                            "Where text is expected a number, `true` or `false` stands\n"
                            "for the text as it is written (`1.10` stays `1.10`).\n";

static const char schedules[] = "`schedule:` is a cron text, one of `@once @hourly @daily @weekly "
                                "@monthly @quarterly @yearly @continuous`, or a mapping:\n"
                                "\n";

static const char groups[] = "Ids of tasks in a group get the prefix `group.`. In `depends_on` an "
                             "id is looked for in the own group first, then in the\n"
                             "groups around it, then among whole ids. To depend on a group is to "
                             "depend on its last tasks; what a group depends on, its\n"
                             "first tasks wait for.\n\n";

static const char operators[] = "Each task has exactly one operator. A bare text (or list) stands "
                                "for the operator's first key: `bash: echo hello` is\n"
                                "`bash: {command: echo hello}`.\n\n";

static const char expressions[] =
    "## Templates and expressions\n"
    "\n"
    "`{{ expression }}` may stand in every text of an operator, in `env`, `cwd` and `for_each`, "
    "and is rendered when the task is\n"
    "given to a worker. `when` and the conditions of `branch` and `short_circuit` are expressions, "
    "with or without the braces.\n"
    "\n"
    "Expressions have literals (`1`, `2.5`, `\"text\"`, `true`, `null`, `[1, 2]`, `{\"a\": 1}`), "
    "paths and indexes\n"
    "(`xcom.check[0].n`), `+ - * / // % ~` (`~` joins as text), `== != < <= > >=`, `in`, `not in`, "
    "`and`, `or`, `not`,\n"
    "`a if c else b`, and filters (`value | filter`), which bind tighter than operators. `and` and "
    "`or` give one of their\n"
    "operands; false are `null`, `false`, `0`, `\"\"`, `[]` and `{}`. There are no loops and no "
    "calls: an expression always ends.\n"
    "A path that leads nowhere is an error, unless `| default(...)` stands behind it.\n"
    "\n"
    "YAML wants quotes around text that begins with `{`, and around text with brackets or commas "
    "inside of `[ ]` and `{ }`;\n"
    "where such a text is a template the compiler does without them, editors may not.\n"
    "\n"
    "Inside of text a value appears as it is if it is text, and as JSON otherwise. A text that is "
    "one single template keeps the\n"
    "type of its value: `args: [\"{{ xcom.count }}\"]` passes a number.\n"
    "\n"
    "### Names\n"
    "\n"
    "| name | meaning |\n"
    "|---|---|\n"
    "| `ds`, `ds_nodash` | logical date as 2026-01-31, 20260131 |\n"
    "| `ts`, `ts_nodash`, `logical_date` | logical date as 2026-01-31T06:00:00+00:00, "
    "20260131T060000; `logical_date` is `ts` |\n"
    "| `data_interval_start`, `data_interval_end` | the interval that the run covers |\n"
    "| `prev_data_interval_end_success` | end of the interval of the last run that succeeded, or "
    "null |\n"
    "| `run_id` | id of the run |\n"
    "| `dag.dag_id`, `dag.owner` ... | the DAG |\n"
    "| `task.task_id`, `task.retries`, `task.pool`, `task.queue` | the task |\n"
    "| `ti.try_number`, `ti.map_index`, `ti.max_tries` ... | the instance of the task |\n"
    "| `params.x` | a param: its default, or what the run's conf says |\n"
    "| `conf.x` | what the run was triggered with |\n"
    "| `xcom.task_id` | the output of a task upstream; of a mapped task the list of its outputs |\n"
    "| `item` | the element of an instance of a mapped task |\n"
    "| `var.value.x`, `var.json.x` | a variable, as text or read as JSON |\n"
    "| `conn.id.host` ... | a connection: conn_type, host, schema, login, password, port, extra |\n"
    "| `env.X` | a variable of the task's own `env` |\n"
    "\n"
    "What the compiler can know it checks: names, filters, params that the DAG does not declare, "
    "outputs of tasks that do not\n"
    "exist or are not upstream, `item` without `for_each`.\n"
    "\n"
    "### Filters\n"
    "\n"
    "| filter | gives |\n"
    "|---|---|\n";

/* A bar would end the cell. */
static void add_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_add_byte(out, '\\');
        buf_add_byte(out, *text);
    }
}

static void add_words(struct buf *out, const struct key *key)
{
    const char *word;
    if (key_word(key->type, 0) == NULL || key->type != TYPE_RULE)
        return;
    buf_add_cstr(out, " One of");
    for (int i = 0; (word = key_word(key->type, i)) != NULL; i++)
        buf_printf(out, " `%s`", word);
    buf_add_byte(out, '.');
}

static void add_row(struct buf *out, const struct key *key)
{
    buf_printf(out, "| `%s` | ", key->name);
    add_cell(out, key_type_words(key->type));
    buf_add_cstr(out, " | ");
    if (key->otherwise == NULL)
        buf_add_cstr(out, "required");
    else if (key->otherwise[0] != '\0')
        buf_printf(out, "`%s`", key->otherwise);
    buf_add_cstr(out, " | ");
    add_cell(out, key->help);
    add_words(out, key);
    buf_add_cstr(out, " |\n");
}

static void add_table(struct buf *out, enum place place, bool operators_only)
{
    const struct key *key;
    buf_add_cstr(out, "| key | takes | default | meaning |\n|---|---|---|---|\n");
    for (key = key_first(place); key != NULL; key = key_next(key))
        if (place != PLACE_TASK || (key->type == TYPE_OPERATOR) == operators_only)
            add_row(out, key);
}

static void add_operators(struct buf *out)
{
    const struct key *key;
    buf_add_cstr(out, "\n## Operators\n\n");
    buf_add_cstr(out, operators);
    add_table(out, PLACE_TASK, true);
    for (key = key_first(PLACE_TASK); key != NULL; key = key_next(key)) {
        enum operator_kind kind;
        if (key->type != TYPE_OPERATOR || operator_parse(str_of(key->name), &kind) < 0 ||
            key_first(place_of_operator(kind)) == NULL)
            continue;
        buf_printf(out, "\n### %s\n\n", key->name);
        add_table(out, place_of_operator(kind), false);
        if (kind != OPERATOR_BRANCH)
            continue;
        buf_add_cstr(out, "\nA case:\n\n");
        add_table(out, PLACE_BRANCH_CASE, false);
    }
}

void compile_reference(struct buf *out)
{
    buf_add_cstr(out, intro);
    buf_add_cstr(out, "\n## DAG\n\n");
    add_table(out, PLACE_DAG, false);
    buf_add_cstr(out, "\n## Schedules\n\n");
    buf_add_cstr(out, schedules);
    add_table(out, PLACE_SCHEDULE, false);
    buf_add_cstr(out, "\n## Task\n\n");
    add_table(out, PLACE_TASK, false);
    buf_add_cstr(out, "\n### resources\n\n");
    add_table(out, PLACE_RESOURCES, false);
    add_operators(out);
    buf_add_cstr(out, "\n## Groups\n\n");
    buf_add_cstr(out, groups);
    add_table(out, PLACE_GROUP, false);
    buf_add_cstr(out, "\n");
    buf_add_cstr(out, expressions);
    const struct expr_filter_help *help;
    for (uint32_t i = 0; (help = expr_filters(i)) != NULL; i++) {
        buf_add_cstr(out, "| `");
        add_cell(out, help->usage);
        buf_add_cstr(out, "` | ");
        add_cell(out, help->help);
        buf_add_cstr(out, " |\n");
    }
}
