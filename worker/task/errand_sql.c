// SPDX-License-Identifier: Apache-2.0
/* Looks by SQL, as libpq does it without waiting. As in Airflow, what counts is the first value of
 * the first row. */
#include "worker/task/errand_run.h"

static void end(struct errand_run *run)
{
    PQfinish(run->sql.connection);
    run->sql.connection = NULL;
    rows_clear(&run->sql.rows);
}

bool errand_sql_begin(struct errand_loop *loop, struct errand_run *run)
{
    struct job_failure failure;

    run->sql = (struct sql) { .job = &run->job };
    rows_init(&run->sql.rows, 1);
    run->polling = PGRES_POLLING_WRITING;
    job_capture(&failure);
    int status = sql_take(&run->sql);
    if (status == 0)
        status = sql_dial(&run->sql);
    job_capture(NULL);
    if (status == 0)
        return true;
    end(run);
    errand_fail(loop, run, &failure);
    return false;
}

short errand_sql_watch(const struct errand_run *run, int *out_fd)
{
    *out_fd = PQsocket(run->sql.connection);
    return run->is_sent || run->polling == PGRES_POLLING_READING ? POLLIN : POLLOUT;
}

static bool is_nothing(const PGresult *result)
{
    static const Oid boolean = 16;
    const char *text = PQgetvalue(result, 0, 0);

    if (PQgetisnull(result, 0, 0) || *text == '\0' || strcmp(text, "0") == 0)
        return true;
    return PQftype(result, 0) == boolean && *text == 'f';
}

/* The last statement decides, if there are several. */
static int take_result(struct errand_run *run, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        run->is_found = PQntuples(result) > 0 && PQnfields(result) > 0 && !is_nothing(result);
        run->has_value = PQntuples(result) > 0;
        return 0;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        return 0;
    default:
        return sql_failed(&run->sql, result);
    }
}

static int read_results(struct errand_run *run, bool *out_over)
{
    int status = 0;

    if (PQconsumeInput(run->sql.connection) == 0)
        return job_fail("ConnectionError", "%s", PQerrorMessage(run->sql.connection));
    while (status == 0 && PQisBusy(run->sql.connection) == 0) {
        PGresult *result = PQgetResult(run->sql.connection);
        if (result == NULL) {
            *out_over = true;
            return 0;
        }
        status = take_result(run, result);
        PQclear(result);
    }
    return status;
}

static int step(struct errand_run *run, bool *out_over)
{
    if (run->is_sent)
        return read_results(run, out_over);
    run->polling = PQconnectPoll(run->sql.connection);
    if (run->polling == PGRES_POLLING_FAILED)
        return job_fail("ConnectionError", "%s", PQerrorMessage(run->sql.connection));
    if (run->polling != PGRES_POLLING_OK)
        return 0;
    run->is_sent = true;
    if (!sql_send(&run->sql))
        return job_fail("ConnectionError", "%s", PQerrorMessage(run->sql.connection));
    return 0;
}

bool errand_sql_step(struct errand_loop *loop, struct errand_run *run)
{
    struct job_failure failure;
    bool over = false;

    if (errand_now_ms() >= run->until_ms) {
        end(run);
        errand_answer(loop, run, ERRAND_UNREACHABLE, STR_EMPTY, "no answer within %d s",
                      ERRAND_LIMIT_MS / 1000);
        return false;
    }
    job_capture(&failure);
    int status = step(run, &over);
    job_capture(NULL);
    if (status == 0 && !over)
        return true;
    end(run);
    /* What the database does not understand it will not understand at the next look. */
    if (status != 0 && strcmp(failure.name, "ProgrammingError") == 0)
        failure.is_hard = true;
    if (status != 0)
        errand_fail(loop, run, &failure);
    else if (run->is_found)
        errand_answer(loop, run, ERRAND_DONE, STR_EMPTY, "%s", "");
    else
        errand_answer(loop, run, ERRAND_NOT_YET, STR_EMPTY, "%s",
                      run->has_value ? "the first value is null, 0, empty or false" : "no row");
    return false;
}
