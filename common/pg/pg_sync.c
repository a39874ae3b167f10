// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg_sync.h"

#include "common/base/assert.h"
#include "common/pg/inside.h"
#include "common/pg/pg_error.h"

struct pg_sync {
    PGconn *conn;
};

static void on_notice(void *owner, const PGresult *notice)
{
    (void)owner;
    (void)notice; /* "relation exists, skipping" and the like: nobody's business */
}

int pg_sync_open(struct pg_sync **out, const char *conninfo, struct err *err)
{
    struct pg_target target;
    struct arena arena = { 0 };

    int rc = pg_target_resolve(&target, conninfo, "headrace", err);
    if (rc < 0)
        goto out;
    struct pg_sync *sync = calloc(1, sizeof *sync);
    ASSERT(sync != NULL);
    sync->conn = PQconnectdbParams(target.keywords, target.values, 0);
    (void)PQsetNoticeReceiver(sync->conn, on_notice, NULL);
    if (PQstatus(sync->conn) != CONNECTION_OK)
        rc = pg_error_of_conn(err, "connecting to the database", sync->conn);
    if (rc == 0)
        rc = pg_sync_exec(sync, pg_session_sql(&arena, 0, 0).bytes, err);
    if (rc < 0)
        pg_sync_close(sync);
    else
        *out = sync;
out:
    arena_clear(&target.arena);
    arena_clear(&arena);
    return rc;
}

void pg_sync_close(struct pg_sync *sync)
{
    if (sync == NULL)
        return;
    PQfinish(sync->conn);
    free(sync);
}

/* libpq counts characters of the script; people count lines. */
static int line_of(const char *script, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    int64_t position;
    int line = 1;

    if (text == NULL || str_to_int(str_of(text), 1, INT32_MAX, &position) < 0)
        return 0;
    for (const char *at = script; *at != 0 && position > 1; at++) {
        if (((unsigned char)*at & 0xC0) != 0x80)
            position--;
        line += *at == '\n';
    }
    return line;
}

static int check(struct pg_sync *sync, PGresult *result, const char *sql, struct err *err)
{
    ExecStatusType status = PQresultStatus(result);
    char doing[32] = "the statement";

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return 0;
    if (result == NULL || PQstatus(sync->conn) != CONNECTION_OK) {
        PQclear(result);
        return pg_error_of_conn(err, "talking to the database", sync->conn);
    }
    int line = line_of(sql, result);
    if (line > 0)
        snprintf(doing, sizeof doing, "line %d", line);
    int rc = pg_error_of_result(err, doing, result);
    PQclear(result);
    return rc;
}

int pg_sync_exec(struct pg_sync *sync, const char *script, struct err *err)
{
    PGresult *result = PQexec(sync->conn, script);
    int rc = check(sync, result, script, err);
    if (rc < 0) {
        /* A script that opened a transaction of its own leaves it open when it fails. */
        if (PQtransactionStatus(sync->conn) == PQTRANS_INERROR)
            PQclear(PQexec(sync->conn, "ROLLBACK"));
        return rc;
    }
    PQclear(result);
    return 0;
}

int pg_sync_query(struct pg_sync *sync, const char *sql, const struct pg_params *params,
                  struct pg_result **out, struct err *err)
{
    Oid types[PG_PARAMS_MAX];
    const char *values[PG_PARAMS_MAX];
    int sizes[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    uint32_t count = params != NULL ? params->count : 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct pg_param *item = &params->items[i];
        types[i] = item->type;
        values[i] = item->size < 0    ? NULL
                    : item->size == 0 ? ""
                                      : params->bytes.bytes + item->offset;
        sizes[i] = item->size;
        formats[i] = 1;
    }
    PGresult *result = PQexecParams(sync->conn, sql, (int)count, types, values, sizes, formats, 1);
    int rc = check(sync, result, sql, err);
    if (rc < 0)
        return rc;
    if (out != NULL)
        *out = (struct pg_result *)result;
    else
        PQclear(result);
    return 0;
}

void pg_result_free(struct pg_result *result)
{
    PQclear((PGresult *)result);
}

int pg_sync_describe(struct pg_sync *sync, const char *sql, struct arena *arena,
                     struct pg_types *out, struct err *err)
{
    PGresult *result = PQprepare(sync->conn, "", sql, 0, NULL);
    int rc = check(sync, result, sql, err);
    if (rc < 0)
        return rc;
    PQclear(result);
    result = PQdescribePrepared(sync->conn, "");
    rc = check(sync, result, sql, err);
    if (rc < 0)
        return rc;

    out->param_count = (uint32_t)PQnparams(result);
    out->column_count = (uint32_t)PQnfields(result);
    out->params = ARENA_ARRAY(arena, uint32_t, out->param_count);
    out->columns = ARENA_ARRAY(arena, uint32_t, out->column_count);
    for (uint32_t i = 0; i < out->param_count; i++)
        out->params[i] = PQparamtype(result, (int)i);
    for (uint32_t i = 0; i < out->column_count; i++)
        out->columns[i] = PQftype(result, (int)i);
    PQclear(result);
    return 0;
}
