// SPDX-License-Identifier: Apache-2.0
#include "common/compile/compile.h"
#include "common/model/context.h"
#include "common/model/timetable.h"
#include "common/text/template.h"
#include "tests/common/compile/zones.h"
#include "tests/support/test.h"

#include <time.h>

static struct arena arena;
static struct compile_result result;

static int clear(void **state)
{
    (void)state;
    compile_clear(&result);
    arena_clear(&arena);
    zones_clear();
    return 0;
}

static int compile(struct str text)
{
    struct compile_options options = { .zone = zones_find };
    compile_clear(&result);
    return compile_file(&arena, STR("etl/load.yaml"), text, &options, &result);
}

static const struct dag *compiled(const char *text)
{
    if (compile(str_of(text)) < 0)
        fail_msg("%.*s", STR_ARG(compile_problem_text(&arena, &result.problems[0])));
    assert_true(result.dag_count >= 1);
    return result.dags[0];
}

/* The first problem begins with `expected`. */
static void assert_refused(struct str text, const char *expected)
{
    assert_int_equal(compile(text), ERR_INVALID);
    assert_true(result.problem_count > 0);
    assert_int_equal(result.dag_count, 0);
    struct str said = compile_problem_text(&arena, &result.problems[0]);
    if (!str_starts(said, expected))
        fail_msg("'%.*s' does not begin with '%s'", STR_ARG(said), expected);
}

static struct str arg_text(const struct dag *dag, uint32_t task, const char *name)
{
    return value_text(value_get(dag->tasks[task].operator_args, name), STR_EMPTY);
}

static void files_that_tasks_read_are_meant_from_the_folder_of_the_dag(void **state)
{
    (void)state;
    struct str text =
        STR("tasks:\n"
            "  beside: {sql: {connection: c, file: sql/{{ ds }}.sql}}\n"
            "  whole: {sql: {connection: c, file: /etc/x.sql}}\n"
            "  computed: {sql: {connection: c, file: \"{{ var.value.root }}/x.sql\"}}\n"
            "  code: {python: {callable: \"m:f\", path: [lib, /opt/lib, .]}}\n"
            "  look: {wait_for: {sql: {connection: c, file: look.sql}}}\n");
    struct compile_options options = { .folder = STR("/data/dags/etl") };
    compile_clear(&result);
    assert_int_equal(compile_file(&arena, STR("a.yaml"), text, &options, &result), 0);
    const struct dag *dag = result.dags[0];
    assert_true(str_is(arg_text(dag, 0, "file"), "/data/dags/etl/sql/{{ ds }}.sql"));
    assert_true(str_is(arg_text(dag, 1, "file"), "/etc/x.sql"));
    assert_true(str_is(arg_text(dag, 2, "file"), "{{ var.value.root }}/x.sql"));
    const struct value *path = value_get(dag->tasks[3].operator_args, "path");
    static const char *const folders[] = { "/data/dags/etl/lib", "/opt/lib", "/data/dags/etl/." };
    for (uint32_t i = 0; i < 3; i++)
        assert_true(str_is(path->items[i]->string, folders[i]));
    const struct value *look = value_get(dag->tasks[4].operator_args, "sql");
    assert_true(str_is(value_text(value_get(look, "file"), STR_EMPTY), "/data/dags/etl/look.sql"));
    assert_true(str_is(arg_text(compiled(text.bytes), 0, "file"), "sql/{{ ds }}.sql"));
}

static void a_python_file_with_dags_is_refused_and_another_passed_over(void **state)
{
    (void)state;
    assert_int_equal(
        compile_file(&arena, STR("etl.py"), STR("from Airflow import DAG\n"), NULL, &result),
        ERR_INVALID);
    assert_true(str_is(result.problems[0].sentence, "DAGs in Python files are not read yet"));
    compile_clear(&result);
    assert_int_equal(
        compile_file(&arena, STR("helpers.py"), STR("def dag(): return {1: 2\n"), NULL, &result),
        0);
    assert_int_equal(result.dag_count, 0);
}

static void the_file_names_the_dag_that_has_no_id(void **state)
{
    (void)state;
    assert_str(compiled("tasks: {a: {empty: }}\n")->id, "load");
    assert_str(compiled("dag_id: other\ntasks: {a: {empty: }}\n")->id, "other");
    assert_str(compiled("dag_id: 2026\ntasks: {a: {empty: }}\n")->id, "2026");
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    const struct dag *dag = compiled("tasks: {a: {bash: x, retries: }}\n");
    const struct task *task = &dag->tasks[0];
    assert_int_equal(dag->max_active_runs, 16);
    assert_int_equal(dag->paused_upon_creation, -1);
    assert_null(dag->schedule);
    assert_true(dag->start_ms == INT64_MIN && dag->end_ms == INT64_MAX);
    assert_int_equal(task->retries, 0);
    assert_int_equal(task->retry_delay_ms, 300000);
    assert_str(task->pool, "default_pool");
    assert_str(task->queue, "default");
    assert_int_equal(task->kill_grace_ms, 10000);
}

static void a_task_overrides_the_defaults(void **state)
{
    (void)state;
    const struct dag *dag =
        compiled("defaults: {retries: 3, queue: big, resources: {cpu: 2}, retry_on: [7]}\n"
                 "tasks:\n  a: {bash: x}\n  b: {bash: x, retries: 0, resources: {memory: 1Gi}}\n");
    assert_int_equal(dag->tasks[0].retries, 3);
    assert_int_equal(dag->tasks[0].cpu_milli, 2000);
    assert_int_equal(dag->tasks[1].retries, 0);
    assert_str(dag->tasks[1].queue, "big");
    assert_int_equal(dag->tasks[1].cpu_milli, 2000);
    assert_int_equal(dag->tasks[1].memory_bytes, 1 << 30);
    assert_int_equal(value_integer(dag->tasks[1].retry_on->items[0], 0), 7);
}

static void dates_are_read_on_the_clock_of_the_zone(void **state)
{
    (void)state;
    /* Lisbon: winter time is UTC, summer time one hour ahead. */
    const struct dag *dag =
        compiled("start_date: 2026-01-01\nend_date: 2026-07-01\ntimezone: Europe/Lisbon\n"
                 "tasks: {a: {empty: }}\n");
    assert_true(dag->start_ms == 1767225600000);
    assert_true(dag->end_ms == 1782860400000);
    assert_str(dag->timezone, "Europe/Lisbon");
    dag = compiled(
        "start_date: 2026-07-01T00:00:00+02:00\ntimezone: Europe/Lisbon\ntasks: {a: {empty: }}\n");
    assert_true(dag->start_ms == 1782856800000);
}

static void a_dag_that_names_no_zone_is_in_that_of_the_settings(void **state)
{
    (void)state;
    struct compile_options options = { .zone = zones_find,
                                       .default_timezone = STR("Europe/Lisbon") };
    struct str silent = STR("start_date: 2026-07-01\ntasks: {a: {empty: }}\n");
    compile_clear(&result);
    assert_int_equal(compile_file(&arena, STR("a.yaml"), silent, &options, &result), 0);
    assert_str(result.dags[0]->timezone, "Europe/Lisbon");
    assert_true(result.dags[0]->start_ms == 1782860400000);
    compile_clear(&result);
    struct str own = STR("start_date: 2026-07-01\ntimezone: UTC\ntasks: {a: {empty: }}\n");
    assert_int_equal(compile_file(&arena, STR("a.yaml"), own, &options, &result), 0);
    assert_true(result.dags[0]->start_ms == 1782864000000);
    compile_clear(&result);
    options.default_timezone = STR("Europe/Nowhere");
    assert_int_equal(compile_file(&arena, STR("a.yaml"), silent, &options, &result), ERR_INVALID);
}

static void without_a_source_of_zones_only_utc_exists(void **state)
{
    (void)state;
    assert_int_equal(compile_file(&arena, STR("a.yaml"),
                                  STR("timezone: UTC\ntasks: {a: {empty: }}\n"), NULL, &result),
                     0);
    compile_clear(&result);
    assert_int_equal(compile_file(&arena, STR("a.yaml"),
                                  STR("timezone: Europe/Lisbon\ntasks: {a: {empty: }}\n"), NULL,
                                  &result),
                     ERR_INVALID);
}

static void a_compiled_schedule_is_one_that_the_timetable_reads(void **state)
{
    (void)state;
    static const char *const schedules[] = { "\"0 2 * * *\"",
                                             "\"@daily\"",
                                             "{every: 90s}",
                                             "\"@once\"",
                                             "\"@continuous\"",
                                             "{cron: [\"0 1 * * *\", \"@weekly\"], interval: true}",
                                             "{at: [2026-02-01, 2026-01-01]}" };
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        const struct dag *dag = compiled(
            str_format(&arena, "schedule: %s\ntasks: {a: {empty: }}\n", schedules[i]).bytes);
        struct timetable timetable;
        struct firing firing;
        struct err err = { 0 };
        assert_int_equal(
            timetable_read(dag->schedule, NULL, dag->start_ms, dag->end_ms, &timetable, &err), 0);
        assert_true(timetable.kind != TIMETABLE_NONE);
        if (timetable.kind != TIMETABLE_CONTINUOUS && timetable.kind != TIMETABLE_ONCE)
            assert_true(timetable_next(&timetable, 0, &firing));
    }
}

/* The members that the compiler knows of dag, task and ti are those that a running context has. */
static void the_names_that_are_taken_are_those_that_a_run_knows(void **state)
{
    (void)state;
    static const char text[] =
        "params: {p: {default: 1}}\nenv: {E: x}\ntasks:\n  up: {bash: x}\n  a:\n    depends_on: "
        "[up]\n    bash: |\n"
        "      {{ ds }} {{ ds_nodash }} {{ ts }} {{ ts_nodash }} {{ logical_date }} {{ "
        "data_interval_start }}\n"
        "      {{ data_interval_end }} {{ prev_data_interval_end_success }} {{ run_id }} {{ "
        "params.p }} {{ conf }} {{ env.E }}\n"
        "      {{ dag.dag_id }} {{ dag.owner }} {{ dag.description }} {{ dag.timezone }}\n"
        "      {{ task.task_id }} {{ task.retries }} {{ task.pool }} {{ task.queue }}\n"
        "      {{ ti.task_id }} {{ ti.dag_id }} {{ ti.run_id }} {{ ti.try_number }} {{ "
        "ti.map_index }} {{ ti.max_tries }}\n";
    const struct dag *dag = compiled(text);
    struct value *params = value_map(&arena);
    value_put(&arena, params, STR("p"), value_int(&arena, 1));
    struct context context = { .dag = dag,
                               .task = &dag->tasks[1],
                               .run_id = STR("r"),
                               .has_logical = true,
                               .params = params,
                               .arena = &arena };
    struct expr_scope scope = context_scope(&context);
    const struct value *rendered = NULL;
    struct err err = { 0 };
    if (template_render_value(value_get(dag->tasks[1].operator_args, "command"), &scope, 0, &arena,
                              &rendered, &err) < 0)
        fail_msg("%s", err.sentence);
}

static void outputs_may_be_read_from_tasks_far_upstream(void **state)
{
    (void)state;
    (void)compiled(
        "tasks:\n  a: {bash: x}\n  b: {bash: x, depends_on: [a]}\n  c: {bash: x, depends_on: [b]}\n"
        "  d: {bash: \"{{ xcom.a }} {{ xcom.b }} {{ xcom.c }}\", depends_on: [c]}\n");
    assert_refused(STR("tasks:\n  a: {bash: x}\n  b: {bash: \"{{ xcom.c }}\", depends_on: [a]}\n  "
                       "c: {bash: x, depends_on: [b]}\n"),
                   "etl/load.yaml:3:17: 'c' is not upstream of 'b'");
}

static void the_length_of_a_map_is_bounded_by_the_setting(void **state)
{
    (void)state;
    struct compile_options options = { .map_length_max = 2 };
    assert_int_equal(compile_file(&arena, STR("a.yaml"),
                                  STR("tasks: {a: {bash: x, for_each: [1, 2]}}\n"), &options,
                                  &result),
                     0);
    compile_clear(&result);
    assert_int_equal(compile_file(&arena, STR("a.yaml"),
                                  STR("tasks: {a: {bash: x, for_each: [1, 2, 3]}}\n"), &options,
                                  &result),
                     ERR_INVALID);
}

static void a_good_document_beside_a_bad_one_is_given(void **state)
{
    (void)state;
    assert_int_equal(
        compile(STR("dag_id: good\ntasks: {a: {empty: }}\n---\ndag_id: bad\ntasks: {a: {}}\n")),
        ERR_INVALID);
    assert_int_equal(result.dag_count, 1);
    assert_str(result.dags[0]->id, "good");
}

static void each_dag_has_its_own_document_as_source(void **state)
{
    (void)state;
    assert_int_equal(compile(STR("# first\ndag_id: one\ntasks: {a: {empty: }}\n---\n# "
                                 "second\ndag_id: two\ntasks: {a: {empty: }}\n")),
                     0);
    assert_int_equal(result.dag_count, 2);
    assert_str(result.sources[0], "# first\ndag_id: one\ntasks: {a: {empty: }}\n");
    assert_str(result.sources[1], "---\n# second\ndag_id: two\ntasks: {a: {empty: }}\n");
}

static void problems_are_bounded_and_never_let_a_bad_document_pass(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_cstr(&buf, "dag_id: one\ntasks:\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "  t%d: {bash: x, retris: 1}\n", i);
    buf_add_cstr(&buf, "---\ndag_id: two\ntasks:\n  a: {bash: x, retris: 1}\n");
    assert_int_equal(compile(buf_str(&buf)), ERR_INVALID);
    assert_int_equal(result.problem_count, COMPILE_PROBLEMS_MAX);
    assert_int_equal(result.dag_count, 0);
    buf_clear(&buf);
}

/* ---- hostile files ---- */

static void add_times(struct buf *buf, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        buf_add_cstr(buf, text);
}

static void hostile_files_are_refused_where_they_go_too_far(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    add_times(&buf, "[", 100000);
    assert_refused(buf_str(&buf), "etl/load.yaml:1:41: nested deeper than 40 levels");
    buf_reset(&buf);
    add_times(&buf, "{a: ", 100000);
    assert_refused(buf_str(&buf), "etl/load.yaml:1:161: nested deeper than 40 levels");
    buf_reset(&buf);
    add_times(&buf, "- ", 100000);
    assert_refused(buf_str(&buf), "etl/load.yaml:1:81: nested deeper than 40 levels");
    buf_reset(&buf);
    add_times(&buf, "x", COMPILE_BYTES_MAX + 1);
    assert_refused(buf_str(&buf), "etl/load.yaml: the file has 1048577 bytes; 1048576 are allowed");
    buf_reset(&buf);
    add_times(&buf, "#\n", COMPILE_BYTES_MAX / 2);
    assert_int_equal(compile(buf_str(&buf)), 0);
    assert_int_equal(result.dag_count, 0);
    buf_reset(&buf);
    buf_add_cstr(&buf, "tasks:\n  a: {bash: \"{{ ");
    add_times(&buf, "(", 50000);
    buf_add_cstr(&buf, " }}\"}\n");
    assert_refused(buf_str(&buf), "etl/load.yaml:2:81: brackets are nested deeper than 64 levels");
    buf_clear(&buf);
}

static void add_groups(struct buf *buf, int groups, int tasks)
{
    buf_add_cstr(buf, "tasks: {}\ngroups:\n");
    for (int g = 0; g < groups; g++) {
        buf_printf(buf, " g%d:\n", g);
        if (g > 0)
            buf_printf(buf, "  depends_on: [g%d]\n", g - 1);
        buf_add_cstr(buf, "  tasks:\n");
        for (int t = 0; t < tasks; t++)
            buf_printf(buf, "   t%d: {empty: }\n", t);
    }
}

static void the_number_of_tasks_and_dependencies_is_bounded(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_cstr(&buf, "tasks:\n");
    for (int i = 0; i <= COMPILE_TASKS_MAX; i++)
        buf_printf(&buf, " %x: {empty: }\n", i);
    assert_refused(buf_str(&buf), "etl/load.yaml:50002:2: the DAG has more than 50000 tasks");
    buf_reset(&buf);
    add_groups(&buf, 4, 1000);
    assert_refused(
        buf_str(&buf),
        "etl/load.yaml:3012:16: the DAG has more than 2000000 dependencies between tasks");
    buf_clear(&buf);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Under sanitizers everything is several times slower; the release build must stay below 300 ms
 * (see bench). */
static void five_thousand_tasks_compile_fast(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    buf_add_cstr(&buf, "params: {region: eu}\ndefaults: {retries: 3}\ntasks:\n");
    for (int i = 0; i < 5000; i++) {
        buf_printf(&buf,
                   "  task_%d:\n    bash: \"./run.sh {{ ds }} {{ params.region }} %d {{ "
                   "xcom.task_%d | default(0) }}\"\n",
                   i, i, i > 0 ? i - 1 : 1);
        if (i == 0)
            buf_printf(&buf, "    when: ds > '2026-01-01'\n");
        else
            buf_printf(&buf,
                       "    depends_on: [task_%d, task_%d]\n    retry_delay: 10s\n    pool: etl\n",
                       i - 1, i / 2);
    }
    struct str text = buf_str(&buf);
    const char *first = strstr(text.bytes, "xcom.task_1 ");
    ((char *)(uintptr_t)first)[0] = 'c'; /* the first task has nothing upstream: conf.task_1 */
    memcpy((char *)(uintptr_t)first, "conf", 4);
    int64_t before = now_ms();
    assert_int_equal(compile(text), 0);
    int64_t took = now_ms() - before;
    assert_int_equal(result.dags[0]->task_count, 5000);
    print_message("5000 tasks, %zu bytes: %lld ms of CPU\n", buf.size, (long long)took);
    assert_true(took < 6000);
    buf_clear(&buf);
}

#define EACH(name) cmocka_unit_test_teardown(name, clear)

TESTS(EACH(files_that_tasks_read_are_meant_from_the_folder_of_the_dag),
      EACH(the_file_names_the_dag_that_has_no_id), EACH(what_is_not_said_has_its_default),
      EACH(a_python_file_with_dags_is_refused_and_another_passed_over),
      EACH(a_task_overrides_the_defaults), EACH(dates_are_read_on_the_clock_of_the_zone),
      EACH(a_dag_that_names_no_zone_is_in_that_of_the_settings),
      EACH(without_a_source_of_zones_only_utc_exists),
      EACH(a_compiled_schedule_is_one_that_the_timetable_reads),
      EACH(the_names_that_are_taken_are_those_that_a_run_knows),
      EACH(outputs_may_be_read_from_tasks_far_upstream),
      EACH(the_length_of_a_map_is_bounded_by_the_setting),
      EACH(a_good_document_beside_a_bad_one_is_given),
      EACH(each_dag_has_its_own_document_as_source),
      EACH(problems_are_bounded_and_never_let_a_bad_document_pass),
      EACH(hostile_files_are_refused_where_they_go_too_far),
      EACH(the_number_of_tasks_and_dependencies_is_bounded), EACH(five_thousand_tasks_compile_fast))
