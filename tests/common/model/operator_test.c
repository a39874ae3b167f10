// SPDX-License-Identifier: Apache-2.0
#include "common/model/operator.h"

#include "common/text/json.h"
#include "tests/support/test.h"

struct fixture {
    struct dag *dag;
    struct context context;
    struct spec spec;
    struct err err;
};

static const struct value *parsed(struct arena *arena, const char *json)
{
    const struct value *value = NULL;
    assert_int_equal(json_parse(arena, str_of(json), NULL, &value, NULL), 0);
    return value;
}

static int output_of(void *owner, uint32_t task, struct arena *arena, const struct value **out,
                     struct err *err)
{
    (void)owner;
    if (task == 1)
        return err_set(err, ERR_NOT_FOUND, "task extract was skipped");
    *out = parsed(arena, "[{\"n\":7}]");
    return 0;
}

static const struct value *variable_of(void *owner, struct str key, bool *out_secret)
{
    struct fixture *f = owner;
    *out_secret = false;
    if (str_is(key, "bucket"))
        return value_string(&f->dag->arena, STR("s3://data"));
    if (str_is(key, "settings"))
        return value_string(&f->dag->arena, STR("{\"deep\":{\"n\":1}}"));
    if (str_is(key, "api_key"))
        return value_string(&f->dag->arena, STR("hush-hush"));
    return NULL;
}

static const struct value *connection_of(void *owner, struct str id)
{
    struct fixture *f = owner;
    if (!str_is(id, "warehouse"))
        return NULL;
    return parsed(&f->dag->arena, "{\"conn_type\":\"postgres\",\"host\":\"db\",\"password\":"
                                  "\"s3cret\",\"extra\":{\"token\":\"abcdef\"}}");
}

static struct fixture *given(enum operator_kind kind, const char *args)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->dag = dag_new(3);
    f->dag->id = STR("daily");
    f->dag->owner = STR("ann");
    const char *ids[] = { "group.load", "extract", "t" };
    for (int i = 0; i < 3; i++)
        f->dag->tasks[i].id = str_of(ids[i]);
    assert_int_equal(dag_build(f->dag, NULL), 0);
    struct task *task = &f->dag->tasks[2];
    task->operator_kind = kind;
    task->operator_args = parsed(&f->dag->arena, args);
    f->dag->env = parsed(&f->dag->arena, "{\"REGION\":\"eu\",\"DAY\":\"{{ ds }}\"}");
    f->context = (struct context) {
        .dag = f->dag,
        .task = task,
        .run_id = STR("r1"),
        .has_logical = true,
        .logical_ms = 1767232800000,
        .conf = parsed(&f->dag->arena, "{\"n\":3}"),
        .params = parsed(&f->dag->arena, "{\"region\":\"us\"}"),
        .try_no = 2,
        .map_index = 4,
        .item = value_int(&f->dag->arena, 11),
        .fence = 99,
        .source = { f, output_of, variable_of, connection_of },
        .arena = &f->dag->arena,
    };
    return f;
}

static int made(struct fixture *f)
{
    return operator_spec(&f->context, 1 << 20, &f->dag->arena, &f->spec, &f->err);
}

static void ended(struct fixture *f)
{
    dag_free(f->dag);
    free(f);
}

static bool env_has(const struct spec *spec, const char *entry)
{
    for (uint32_t i = 0; i < spec->env_count; i++)
        if (str_is(spec->env[i], entry))
            return true;
    return false;
}

static void bash_runs_with_its_template_rendered(void **state)
{
    (void)state;
    struct fixture *f = given(OPERATOR_BASH, "{\"command\":\"echo {{ ds }} {{ params.region }} {{ "
                                             "item + 1 }} {{ xcom.group.load[0].n }}\"}");
    assert_int_equal(made(f), 0);
    assert_str(f->spec.argv[0], "/bin/bash");
    assert_str(f->spec.argv[5], "echo 2026-01-01 us 12 7");
    assert_int_equal(f->spec.skip_exit_code, 99);
    assert_int_equal(f->spec.output_rule, OUTPUT_LAST_LINE);
    ended(f);
}

static void every_task_knows_what_it_is(void **state)
{
    (void)state;
    struct fixture *f = given(OPERATOR_EXEC, "{\"argv\":[\"/bin/true\",\"{{ ti.try_number }}\"]}");
    f->dag->tasks[2].env = parsed(
        &f->dag->arena, "{\"REGION\":\"{{ params.region }}\",\"MY_TOKEN\":\"hidden-value\"}");
    assert_int_equal(made(f), 0);
    assert_str(f->spec.argv[1], "2");
    static const char *const entries[] = {
        "REGION=us",
        "DAY=2026-01-01",
        "HEADRACE_CTX_DAG_ID=daily",
        "AIRFLOW_CTX_DAG_RUN_ID=r1",
        "HEADRACE_CTX_TASK_ID=t",
        "HEADRACE_CTX_MAP_INDEX=4",
        "AIRFLOW_CTX_TRY_NUMBER=2",
        "HEADRACE_CTX_LOGICAL_DATE=2026-01-01T02:00:00+00:00",
        "AIRFLOW_CTX_DAG_OWNER=ann",
        "HEADRACE_FENCE=99",
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (!env_has(&f->spec, entries[i]))
            fail_msg("no %s", entries[i]);
    assert_false(env_has(&f->spec, "REGION=eu"));
    assert_int_equal(f->spec.secret_count, 1);
    assert_str(f->spec.secrets[0], "hidden-value");
    ended(f);
}

static void python_gets_its_call_on_stdin(void **state)
{
    (void)state;
    struct fixture *f = given(OPERATOR_PYTHON,
                              "{\"callable\":\"m:f\",\"args\":[\"{{ item }}\",\"{{ ds_nodash }}\"],"
                              "\"kwargs\":{\"v\":\"{{ var.json.settings.deep "
                              "}}\"},\"python\":\"/opt/venv/\",\"path\":\"/x\"}");
    assert_int_equal(made(f), 0);
    assert_str(f->spec.argv[0], "/opt/venv/bin/python");
    assert_str(f->spec.input, "{\"callable\":\"m:f\",\"args\":[11,\"20260101\"],\"kwargs\":{\"v\":{"
                              "\"n\":1}},\"path\":[\"/x\"]}");
    ended(f);
}

static void sql_carries_its_connection_and_masks_its_secrets(void **state)
{
    (void)state;
    struct fixture *f = given(
        OPERATOR_SQL,
        "{\"connection\":\"warehouse\",\"statement\":\"select $1\",\"parameters\":[\"{{ ts }}\"]}");
    assert_int_equal(made(f), 0);
    assert_str(f->spec.argv[0], "headrace-task");
    assert_str(f->spec.argv[1], "sql");
    assert_str(f->spec.input, "{\"statement\":\"select "
                              "$1\",\"parameters\":[\"2026-01-01T02:00:00+00:00\"],\"connection\":"
                              "{\"conn_type\":\"postgres\",\"host\":\"db\",\"password\":\"s3cret\","
                              "\"extra\":{\"token\":\"abcdef\"}}}");
    assert_int_equal(f->spec.secret_count, 2);
    ended(f);
}

static void variables_and_connections_are_masked_by_their_names(void **state)
{
    (void)state;
    struct fixture *f =
        given(OPERATOR_HTTP, "{\"url\":\"http://{{ conn.warehouse.host }}/{{ var.value.bucket }}\","
                             "\"headers\":{\"Authorization\":\"Bearer {{ var.value.api_key }}\"}}");
    assert_int_equal(made(f), 0);
    assert_str(
        f->spec.input,
        "{\"url\":\"http://db/s3://data\",\"headers\":{\"Authorization\":\"Bearer hush-hush\"}}");
    bool hushed = false, bucket = false;
    for (uint32_t i = 0; i < f->spec.secret_count; i++) {
        hushed |= str_is(f->spec.secrets[i], "hush-hush");
        bucket |= str_is(f->spec.secrets[i], "s3://data");
    }
    assert_true(hushed && !bucket);
    ended(f);
}

static void says(enum operator_kind kind, const char *args, const char *sentence)
{
    struct fixture *f = given(kind, args);
    assert_true(made(f) < 0);
    if (strstr(f->err.sentence, sentence) == NULL)
        fail_msg("'%s' does not say '%s'", f->err.sentence, sentence);
    ended(f);
}

static void what_cannot_be_rendered_is_named(void **state)
{
    (void)state;
    says(OPERATOR_BASH, "{\"command\":\"{{ xcom.extract }}\"}", "task extract was skipped");
    says(OPERATOR_BASH, "{\"command\":\"{{ xcom.nobody }}\"}", "this DAG has no task nobody");
    says(OPERATOR_BASH, "{\"command\":\"{{ var.value.nothing }}\"}",
         "there is no variable nothing");
    says(OPERATOR_BASH, "{\"command\":\"{{ conn.nothing.host }}\"}",
         "there is no connection nothing");
    says(OPERATOR_BASH, "{}", "bash needs a command");
    says(OPERATOR_SQL, "{\"connection\":\"lake\",\"statement\":\"x\"}",
         "there is no connection lake");
    says(OPERATOR_EXEC, "{\"argv\":[]}", "exec needs argv");
    says(OPERATOR_PYTHON, "{\"callable\":\"f\"}", "python needs callable: module:function");
}

static void what_no_message_could_carry_is_refused(void **state)
{
    (void)state;
    struct buf args = { 0 };
    buf_add_cstr(&args, "{\"callable\":\"m:f\",\"args\":[\"");
    for (int i = 0; i < SPEC_BYTES_MAX / 64 + 1; i++)
        buf_add_cstr(&args, "0123456789012345678901234567890123456789012345678901234567890123");
    buf_add_cstr(&args, "\"]}");
    says(OPERATOR_PYTHON, buf_str(&args).bytes, "pass the path of a file, or fewer elements");
    buf_clear(&args);
}

static void a_run_without_a_logical_date_has_no_ds(void **state)
{
    (void)state;
    struct fixture *f = given(OPERATOR_BASH, "{\"command\":\"{{ ts }}\"}");
    f->context.has_logical = false;
    f->dag->env = NULL;
    assert_true(made(f) < 0);
    assert_non_null(strstr(f->err.sentence, "this run has no logical date, so ts has no value"));
    ended(f);
}

static void env_values_may_read_each_other_but_not_for_ever(void **state)
{
    (void)state;
    struct fixture *f = given(OPERATOR_BASH, "{\"command\":\"{{ env.A }}\"}");
    f->dag->env = parsed(&f->dag->arena, "{\"A\":\"a{{ env.B }}\",\"B\":\"b\"}");
    assert_int_equal(made(f), 0);
    assert_str(f->spec.argv[5], "ab");
    ended(f);
    f = given(OPERATOR_BASH, "{\"command\":\"x\"}");
    f->dag->env = parsed(&f->dag->arena, "{\"A\":\"{{ env.A }}\"}");
    assert_true(made(f) < 0);
    ended(f);
}

TESTS(CASE(what_no_message_could_carry_is_refused), CASE(bash_runs_with_its_template_rendered),
      CASE(every_task_knows_what_it_is), CASE(python_gets_its_call_on_stdin),
      CASE(sql_carries_its_connection_and_masks_its_secrets),
      CASE(variables_and_connections_are_masked_by_their_names),
      CASE(what_cannot_be_rendered_is_named), CASE(a_run_without_a_logical_date_has_no_ds),
      CASE(env_values_may_read_each_other_but_not_for_ever))
