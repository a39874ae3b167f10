// SPDX-License-Identifier: Apache-2.0
/* headrace-task sql against a private PostgreSQL. */
#include "tests/support/pg_server.h"
#include "tests/support/test.h"

#include "common/text/json.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

struct answer {
    int status;
    const char *output, *log, *error;
};

static struct arena arena;
static char folder[] = "/tmp/headrace-test-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    arena_clear(&arena);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *file_text(const char *name)
{
    const char *path = str_format(&arena, "%s/%s", folder, name).bytes;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = arena_alloc(&arena, 1 << 20);

    if (fd < 0)
        return "";
    ssize_t size = read(fd, text, (1 << 20) - 1);
    close(fd);
    text[size < 0 ? 0 : size] = '\0';
    return text;
}

static void file_put(const char *name, const char *text)
{
    FILE *file = fopen(str_format(&arena, "%s/%s", folder, name).bytes, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The connection of the private server as a scheduler would give it. */
static struct value *connection_of(const char *conninfo)
{
    struct value *map = value_map(&arena);
    struct str rest = str_of(conninfo), word, name;

    while (str_split(&rest, ' ', &word)) {
        if (!str_split(&word, '=', &name))
            continue;
        const char *key = str_is(name, "user")     ? "login"
                          : str_is(name, "dbname") ? "schema"
                                                   : str_cstr(&arena, name);
        value_put(&arena, map, str_of(key), value_string(&arena, str_copy(&arena, word)));
    }
    return map;
}

static struct answer run_payload(const struct value *payload)
{
    file_put("payload", str_cstr(&arena, json_text(&arena, payload)));
    int status = system(str_format(&arena,
                                   "cd %s; rm -f output; HEADRACE_OUTPUT=output %s/headrace-task "
                                   "sql <payload >log 2>error",
                                   folder, HEADRACE_BIN_DIR)
                            .bytes);
    return (struct answer) { WEXITSTATUS(status), file_text("output"), file_text("log"),
                             file_text("error") };
}

static struct answer run(const char *statement, const struct value *parameters)
{
    struct value *payload = value_map(&arena);

    value_put(&arena, payload, STR("connection"), connection_of(pg_server_conninfo("postgres")));
    value_put(&arena, payload, STR("statement"), value_string(&arena, str_of(statement)));
    if (parameters != NULL)
        value_put(&arena, payload, STR("parameters"), parameters);
    return run_payload(payload);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void rows_of_the_last_statement_are_the_output(void **state)
{
    (void)state;
    struct answer answer = run(
        "create temp table t (n int); insert into t values (1), (2); select n from t order by n",
        NULL);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.output, "[{\"n\":1},{\"n\":2}]");
    assert_has(answer.log, "INSERT 0 2\nSELECT 2\n");
    answer = run("select 1; create temp table u (n int)", NULL);
    assert_string_equal(answer.output, "[]");
    answer = run("select 1 where false", NULL);
    assert_string_equal(answer.output, "[]");
}

static void types_keep_what_json_can_hold(void **state)
{
    (void)state;
    struct answer answer =
        run("select true as b, 9223372036854775807 as i, 1.5::float8 as f, 12.25 as n, "
            "12345678901234567890.5 as big, null as nothing, 'a\"b\\c'::text as t, "
            "'{\"k\": [1, 2]}'::jsonb as j, 'NaN'::float8 as nan, date '2026-02-03' as d, 1 as b",
            NULL);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.output,
                        "[{\"b\":true,\"i\":9223372036854775807,\"f\":1.5,\"n\":12.25,"
                        "\"big\":\"12345678901234567890.5\",\"nothing\":null,\"t\":\"a\\\"b\\\\c\","
                        "\"j\":{\"k\":[1,2]},\"nan\":\"NaN\",\"d\":\"2026-02-03\",\"b_2\":1}]");
}

static void parameters_are_values_never_text(void **state)
{
    struct value *list = value_list(&arena);

    (void)state;
    value_add(&arena, list, value_string(&arena, STR("'; drop table x --")));
    value_add(&arena, list, value_int(&arena, 41));
    value_add(&arena, list, value_null(&arena));
    struct answer answer = run("select $1::text as a, $2::int + 1 as b, $3::text as c", list);
    assert_int_equal(answer.status, 0);
    assert_string_equal(answer.output, "[{\"a\":\"'; drop table x --\",\"b\":42,\"c\":null}]");
    answer = run("select $1::text, $2::int, $3::text; select 2", list);
    assert_int_equal(answer.status, 1);
    assert_has(answer.error, "with parameters there can be one statement only");
}

static void an_error_names_state_and_place(void **state)
{
    (void)state;
    struct answer answer = run("select 1;\nselect \xc3\xa4nderung, nonsense\n  from nowhere", NULL);
    assert_int_equal(answer.status, 1);
    assert_string_equal(answer.output, "");
    assert_has(answer.error, "HEADRACE_ERROR ProgrammingError: relation \"nowhere\" does not exist "
                             "(SQLSTATE 42P01), line 3, "
                             "column 8: from nowhere\n");
    answer = run("select 1/0", NULL);
    assert_has(answer.error, "HEADRACE_ERROR DataError: division by zero (SQLSTATE 22012)");
}

static void what_the_server_says_is_in_the_log(void **state)
{
    (void)state;
    struct answer answer = run("do $$ begin raise notice 'half of it'; end $$", NULL);
    assert_has(answer.log, "NOTICE: half of it\nDO\n");
}

static void a_connection_that_fails_is_a_connection_error(void **state)
{
    struct value *payload = value_map(&arena), *connection = value_map(&arena);

    (void)state;
    value_put(&arena, connection, STR("host"), value_string(&arena, STR("127.0.0.1")));
    value_put(&arena, connection, STR("port"), value_int(&arena, 1));
    value_put(&arena, payload, STR("connection"), connection);
    value_put(&arena, payload, STR("statement"), value_string(&arena, STR("select 1")));
    struct answer answer = run_payload(payload);
    assert_int_equal(answer.status, 1);
    assert_has(answer.error, "HEADRACE_ERROR ConnectionError: ");
    value_put(&arena, connection, STR("conn_type"), value_string(&arena, STR("mysql")));
    answer = run_payload(payload);
    assert_has(answer.error, "HEADRACE_HARD_ERROR ConnectionError: sql tasks speak PostgreSQL; "
                             "this connection is of type mysql");
}

static void a_limit_cuts_the_rows_and_says_so(void **state)
{
    struct value *payload = value_map(&arena);

    (void)state;
    value_put(&arena, payload, STR("connection"), connection_of(pg_server_conninfo("postgres")));
    value_put(&arena, payload, STR("statement"),
              value_string(&arena, STR("select i from generate_series(1, 10) i")));
    value_put(&arena, payload, STR("limit"), value_int(&arena, 2));
    struct answer answer = run_payload(payload);
    assert_string_equal(answer.output, "[{\"i\":1},{\"i\":2}]");
    assert_has(answer.log, "the output holds the first 2 rows; 8 more are left out (limit)\n");
}

static void a_file_holds_the_statement(void **state)
{
    struct value *payload = value_map(&arena);

    (void)state;
    file_put("count.sql", "select count(*) as n\nfrom (values (1), (2)) v;\n");
    value_put(&arena, payload, STR("connection"), connection_of(pg_server_conninfo("postgres")));
    value_put(&arena, payload, STR("file"), value_string(&arena, STR("count.sql")));
    assert_string_equal(run_payload(payload).output, "[{\"n\":2}]");
    value_put(&arena, payload, STR("file"), value_string(&arena, STR("missing.sql")));
    assert_has(
        run_payload(payload).error,
        "HEADRACE_ERROR FileNotFoundError: the file missing.sql cannot be read: No such file");
}

static void copy_is_refused_in_words(void **state)
{
    (void)state;
    struct answer answer = run("copy (select 1) to stdout", NULL);
    assert_int_equal(answer.status, 1);
    assert_has(answer.error, "HEADRACE_HARD_ERROR NotSupportedError: COPY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_of_the_last_statement_are_the_output),
        CASE(types_keep_what_json_can_hold),
        CASE(parameters_are_values_never_text),
        CASE(an_error_names_state_and_place),
        CASE(what_the_server_says_is_in_the_log),
        CASE(a_connection_that_fails_is_a_connection_error),
        CASE(a_limit_cuts_the_rows_and_says_so),
        CASE(a_file_holds_the_statement),
        CASE(copy_is_refused_in_words),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
