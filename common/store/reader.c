// SPDX-License-Identifier: Apache-2.0
#include "common/store/reader.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

enum shadow { BY_RANK, BY_DAG, BY_FILE, NOT_AT_ALL };

/* In this order: inside the list, a name means the table until its own row has passed. */
static const struct {
    const char *table;
    enum shadow shadow;
} SHADOWS[] = {
    { "import_error", BY_FILE }, { "dag", BY_RANK },         { "run", BY_DAG },
    { "run_key", BY_DAG },       { "dag_version", BY_DAG },  { "try", BY_DAG },
    { "backfill", BY_DAG },      { "notification", BY_DAG }, { "worker", NOT_AT_ALL },
    { "pool", NOT_AT_ALL },      { "variable", NOT_AT_ALL }, { "connection", NOT_AT_ALL },
};

/* 2: Viewer. */
static void write_rank(struct buf *out, const char *dag, uint32_t param)
{
    buf_printf(out, "dag_rank($%u::int4, $%u::int4, $%u::text[], %s.dag_id, %s.tags) >= 2",
               param + 1, param + 2, param + 3, dag, dag);
}

static void write_condition(struct buf *out, enum shadow shadow, uint32_t param)
{
    switch (shadow) {
    case BY_RANK:
        write_rank(out, "t", param);
        break;
    case BY_DAG:
        buf_add_cstr(out, "t.dag_no IN (SELECT d.dag_no FROM dag d)");
        break;
    case BY_FILE: /* who may read every DAG of the file; nobody, when it has none yet */
        buf_add_cstr(out, "(SELECT bool_and(");
        write_rank(out, "d", param);
        buf_add_cstr(out, ") FROM dag d WHERE d.fileloc = t.path OR d.dag_id = t.dag_id)");
        break;
    case NOT_AT_ALL:
        buf_add_cstr(out, "false");
        break;
    }
}

void reader_shadow(struct buf *out, uint32_t param_count)
{
    for (size_t i = 0; i < sizeof SHADOWS / sizeof *SHADOWS; i++) {
        buf_printf(out, "%s%s AS (SELECT t.* FROM %s t WHERE ", i == 0 ? "WITH " : ", ",
                   SHADOWS[i].table, SHADOWS[i].table);
        write_condition(out, SHADOWS[i].shadow, param_count);
        buf_add_byte(out, ')');
    }
}

/* What stands before the first word are the block's own comments. */
static const char *skip_comments(const char *sql)
{
    while (sql[0] == '-' && sql[1] == '-')
        sql = strchr(sql, '\n') + 1;
    return sql;
}

void reader_narrow(struct buf *out, const char *sql, uint32_t param_count)
{
    const char *begin = skip_comments(sql);
    bool has_with = strncmp(begin, "WITH ", 5) == 0;
    ASSERT(strncmp(begin, "WITH RECURSIVE", 14) != 0);
    reader_shadow(out, param_count);
    buf_add_cstr(out, has_with ? ", " : " ");
    buf_add_cstr(out, begin + (has_with ? 5 : 0));
}

void reader_bind(const struct reader *reader, struct pg_params *params)
{
    pg_put_int4(params, reader->user_no);
    pg_put_int4(params, reader->rank);
    pg_put_text_array(params, reader->dags, reader->dag_count);
}
