// SPDX-License-Identifier: Apache-2.0
/* headrace-task sql - statements on PostgreSQL; the rows of the last one become the output, a list
 * of mappings.
 *
 * Payload: connection {host, port, login, password, schema, extra} or {uri}, statement or file,
 * parameters (a list, for $1, $2 ...; then exactly one statement), limit (rows in the output). */
#include "worker/task/job.h"

#include "worker/task/sql.h"

#include "common/text/json.h"

#include <fcntl.h>
#include <unistd.h>

enum { OPTIONS_MAX = 64, ROWS_MAX = 10000, EXCERPT_MAX = 120, FILE_MAX_BYTES = 16 << 20 };

/* Names as Python's DB-API has them, because retry_on is written by people who know those. */
static const char *error_name(const char *sqlstate)
{
    static const struct {
        const char *prefix, *name;
    } names[] = {
        { "08", "ConnectionError" },
        { "57P", "ConnectionError" },
        { "40001", "SerializationFailure" },
        { "40P01", "DeadlockDetected" },
        { "55P03", "LockNotAvailable" },
        { "57014", "QueryCanceled" },
        { "22", "DataError" },
        { "23", "IntegrityError" },
        { "28", "AuthenticationError" },
        { "42", "ProgrammingError" },
        { "53", "OperationalError" },
        { "57", "OperationalError" },
        { "58", "OperationalError" },
    };

    for (size_t i = 0; sqlstate != NULL && i < sizeof names / sizeof *names; i++) {
        if (strncmp(sqlstate, names[i].prefix, strlen(names[i].prefix)) == 0)
            return names[i].name;
    }
    return "DatabaseError";
}

static struct str without_line_end(const char *text)
{
    return str_trim(str_of(text));
}

/* Line, column and the line's text at a position in characters, as PostgreSQL counts. */
static struct str place_of(struct arena *arena, struct str statement, int64_t position)
{
    uint32_t line = 1, column = 1;
    size_t start = 0, at = 0;

    for (int64_t count = 1; at < statement.size && count < position; count++) {
        if (statement.bytes[at] == '\n') {
            line++;
            column = 0;
            start = at + 1;
        }
        at++;
        while (at < statement.size && (statement.bytes[at] & 0xc0) == 0x80)
            at++;
        column++;
    }
    struct str text = str_slice(statement, start, statement.size);
    ptrdiff_t end = str_find(text, '\n');
    text = str_slice(text, 0, end < 0 ? text.size : (size_t)end);
    return str_format(arena, ", line %u, column %u: %.*s", line, column,
                      STR_ARG(str_trim(str_slice(text, 0, EXCERPT_MAX))));
}

int sql_failed(struct sql *sql, const PGresult *result)
{
    struct arena *arena = &sql->job->arena;
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    struct str place = STR_EMPTY;
    int64_t position;

    if (primary == NULL)
        return job_fail("ConnectionError", "the connection broke: %.*s",
                        STR_ARG(without_line_end(PQerrorMessage(sql->connection))));
    if (str_to_int(str_of(PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION)), 1, INT32_MAX,
                   &position) == 0)
        place = place_of(arena, sql->statement, position);
    if (strstr(primary, "multiple commands") != NULL)
        hint =
            "with parameters there can be one statement only; give the others tasks of their own";
    return job_fail(error_name(sqlstate), "%s (SQLSTATE %s)%.*s%s%s%s%s", primary, sqlstate,
                    STR_ARG(place), detail == NULL ? "" : "; ", detail == NULL ? "" : detail,
                    hint == NULL ? "" : "; hint: ", hint == NULL ? "" : hint);
}

/* The connection's fields as libpq's keywords; of `extra` those that libpq knows (sslmode, options
 * ...). */
struct options {
    const char *names[OPTIONS_MAX], *values[OPTIONS_MAX];
    int count;
};

static void option_add(struct options *options, const char *name, const char *value)
{
    if (value == NULL || options->count == OPTIONS_MAX - 1)
        return;
    options->names[options->count] = name;
    options->values[options->count++] = value;
}

static void options_add_extra(struct job *job, struct options *options, const struct value *extra)
{
    PQconninfoOption *known = PQconndefaults();

    for (const PQconninfoOption *option = known; option != NULL && option->keyword != NULL;
         option++) {
        const char *value = job_cstr(job, extra, option->keyword);
        if (value != NULL)
            option_add(options, str_cstr(&job->arena, str_of(option->keyword)), value);
    }
    PQconninfoFree(known);
}

static int connection_options(struct job *job, struct options *options)
{
    const struct value *connection = value_get(job->payload, "connection"),
                       *extra = value_get(connection, "extra");
    struct str type = job_text(job, connection, "conn_type");
    const char *dag = getenv("HEADRACE_CTX_DAG_ID"), *task = getenv("HEADRACE_CTX_TASK_ID");

    if (connection == NULL || connection->type != VALUE_MAP)
        return job_fail_hard("InternalError", "the payload has no connection");
    if (type.size > 0 && !str_starts(type, "postgres"))
        return job_fail_hard("ConnectionError",
                             "sql tasks speak PostgreSQL; this connection is of type %.*s",
                             STR_ARG(type));
    option_add(options, "dbname", job_cstr(job, connection, "uri"));
    option_add(options, "host", job_cstr(job, connection, "host"));
    option_add(options, "port", job_cstr(job, connection, "port"));
    option_add(options, "user", job_cstr(job, connection, "login"));
    option_add(options, "password", job_cstr(job, connection, "password"));
    option_add(options, "dbname", job_cstr(job, connection, "schema"));
    option_add(options, "client_encoding", "UTF8");
    if (job_cstr(job, extra, "connect_timeout") == NULL)
        option_add(options, "connect_timeout", "15");
    if (dag != NULL && task != NULL)
        option_add(options, "fallback_application_name",
                   str_format(&job->arena, "headrace %s.%s", dag, task).bytes);
    if (extra != NULL && extra->type == VALUE_MAP)
        options_add_extra(job, options, extra);
    return 0;
}

static void on_notice(void *owner, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    (void)owner;
    printf("%s: %s\n", severity == NULL ? "NOTICE" : severity, primary == NULL ? "" : primary);
}

int sql_dial(struct sql *sql)
{
    struct options options = { 0 };

    if (connection_options(sql->job, &options) != 0)
        return 1;
    sql->connection = PQconnectStartParams(options.names, options.values, 1);
    if (PQstatus(sql->connection) == CONNECTION_BAD)
        return job_fail("ConnectionError", "%.*s",
                        STR_ARG(without_line_end(PQerrorMessage(sql->connection))));
    return 0;
}

int sql_connect(struct sql *sql)
{
    struct options options = { 0 };

    if (connection_options(sql->job, &options) != 0)
        return 1;
    sql->connection = PQconnectdbParams(options.names, options.values, 1);
    if (PQstatus(sql->connection) != CONNECTION_OK)
        return job_fail("ConnectionError", "%.*s",
                        STR_ARG(without_line_end(PQerrorMessage(sql->connection))));
    PQsetNoticeReceiver(sql->connection, on_notice, NULL);
    return 0;
}

static int read_file(struct job *job, const char *path, struct str *out)
{
    struct buf text = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : 1;

    while (size > 0 && text.size <= FILE_MAX_BYTES) {
        buf_reserve(&text, 65536);
        size = read(fd, text.bytes + text.size, 65536);
        text.size += size > 0 ? (size_t)size : 0;
    }
    if (fd >= 0)
        close(fd);
    *out = str_copy(&job->arena, buf_str(&text));
    buf_clear(&text);
    if (size < 0)
        return job_fail("FileNotFoundError",
                        "the file %s cannot be read: %m; a relative path begins in the task's cwd",
                        path);
    return size == 0 ? 0
                     : job_fail_hard("ValueError", "the file %s is larger than %d bytes", path,
                                     FILE_MAX_BYTES);
}

int sql_take(struct sql *sql)
{
    struct job *job = sql->job;
    const char *file = job_cstr(job, job->payload, "file");

    sql->statement = job_text(job, job->payload, "statement");
    if (sql->statement.size == 0 && file == NULL)
        return job_fail_hard("InternalError", "the payload has neither statement nor file");
    if (sql->statement.size == 0 && read_file(job, file, &sql->statement) != 0)
        return 1;
    if (memchr(sql->statement.bytes, '\0', sql->statement.size) != NULL)
        return job_fail_hard("ValueError", "the statement holds a NUL byte");
    return 0;
}

bool sql_send(struct sql *sql)
{
    struct job *job = sql->job;
    const struct value *parameters = value_get(job->payload, "parameters");
    const char *text = str_cstr(&job->arena, sql->statement);

    if (parameters == NULL || parameters->type != VALUE_LIST || parameters->count == 0)
        return PQsendQuery(sql->connection, text) == 1;
    const char **values = ARENA_ARRAY(&job->arena, const char *, parameters->count);
    for (uint32_t i = 0; i < parameters->count; i++) {
        const struct value *item = parameters->items[i];
        if (item->type == VALUE_STRING)
            values[i] = str_cstr(&job->arena, item->string);
        else if (item->type != VALUE_NULL)
            values[i] = str_cstr(&job->arena, json_text(&job->arena, item));
    }
    return PQsendQueryParams(sql->connection, text, (int)parameters->count, NULL, values, NULL,
                             NULL, 0) == 1;
}

/* One result of the stream: a row, the end of a statement, an error. */
static int take_result(struct sql *sql, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        rows_add(&sql->rows, result);
        return 0;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        printf("%s\n", PQcmdStatus(result));
        rows_end(&sql->rows);
        return 0;
    case PGRES_EMPTY_QUERY:
        return 0;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return job_fail_hard(
            "NotSupportedError",
            "COPY from or to the client is not possible in an sql task; use a file of "
            "the server, or psql in a bash task");
    default:
        return sql_failed(sql, result);
    }
}

static int run(struct sql *sql)
{
    PGresult *result;
    int status = 0;

    if (!sql_send(sql))
        return job_fail("ConnectionError", "%.*s",
                        STR_ARG(without_line_end(PQerrorMessage(sql->connection))));
    PQsetSingleRowMode(sql->connection);
    while (status == 0 && (result = PQgetResult(sql->connection)) != NULL) {
        status = take_result(sql, result);
        PQclear(result);
    }
    return status;
}

int sql_main(struct job *job)
{
    struct sql sql = { .job = job };
    int64_t limit = value_integer(value_get(job->payload, "limit"), ROWS_MAX);

    rows_init(&sql.rows, limit < 0 ? ROWS_MAX : limit);
    int status = sql_take(&sql);
    if (status == 0)
        status = sql_connect(&sql);
    if (status == 0)
        status = run(&sql);
    if (status == 0 && sql.rows.left_out > 0)
        printf("the output holds the first %lld rows; %lld more are left out (limit)\n",
               (long long)sql.rows.limit, (long long)sql.rows.left_out);
    if (status == 0)
        status = job_output(rows_text(&sql.rows));
    rows_clear(&sql.rows);
    PQfinish(sql.connection);
    return status;
}
