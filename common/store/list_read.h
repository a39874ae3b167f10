// SPDX-License-Identifier: Apache-2.0
/* list_read - the lists of the REST API: filtered, ordered and paged by PostgreSQL, and made into
 * JSON.
 *
 * The blocks of sql/queries/api_lists.sql say what a list is made of; tables here say which filters
 * and orders a client may ask for and which column each means. This is the one place where SQL is
 * put together at run time, from those constants and the numbers of the page alone: whatever else a
 * client sent travels as a bound parameter. */
#ifndef HEADRACE_LIST_READ_H
#define HEADRACE_LIST_READ_H

#include "common/base/arena.h"
#include "common/base/vec.h"
#include "common/store/pieces.h"
#include "common/store/reader.h"
#include "common/store/store.h"

enum list {
    LIST_DAGS,
    LIST_RUNS,          /* of one DAG, or of all */
    LIST_INSTANCES,     /* of all runs: those that have a row */
    LIST_RUN_INSTANCES, /* of one run: every task of it */
    LIST_OUTPUTS,       /* of one run */
    LIST_IMPORT_ERRORS,
    LIST_DAG_VERSIONS, /* of one DAG */
    LIST_TAGS,
    LIST_POOLS,
    LIST_VARIABLES,
    LIST_CONNECTIONS,
    LIST_AUDIT,
    LIST_JOBS,
    LIST_BACKFILLS,
    LIST_ASSETS,
    LIST_ASSET_EVENTS,
    LIST_NOTIFICATIONS,
    LIST_QUEUED_EVENTS, /* of one DAG, or of all */
    LIST_COUNT
};

/* One condition, while a query is being put together. */
struct list_condition {
    const void *filter;
    const char *operator;
    VEC(struct str) values;
};

struct list_query {
    enum list list;
    struct arena *arena;
    struct str dag_id, run_id; /* scope; dag_id empty: all DAGs */
    VEC(struct list_condition) conditions;
    VEC(struct str) orders; /* as asked for: "-start_date" */
    int64_t limit, offset;
    const struct reader *reader; /* NULL: reads all */
    int32_t asker;               /* user_no of who asks: for LIST_DAGS, what is theirs */
};

/* Lives as long as `arena`; list_query_clear afterwards. */
void list_query_init(struct list_query *query, enum list list, struct arena *arena, int64_t limit);
void list_query_clear(struct list_query *query);

/* A parameter of the client's query string. Names that are no filter of this list are passed over,
 * as Airflow does. ERR_UNPROCESSABLE: the value does not fit; ERR_INVALID: no such order.
 * `limit_max` clamps limit. */
MUST_USE int list_query_put(struct list_query *query, struct str name, struct str value,
                            int64_t limit_max, struct err *err);

/* A filter of our own: as list_query_put, but the name must exist. */
void list_query_only(struct list_query *query, const char *name, struct str value);

/* {"dags": [...], "total_entries": 12}. ERR_NOT_FOUND: the DAG or run of the scope is not there. */
void list_read(struct store *store, const struct list_query *query,
               void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
               void *owner);

/* The same in pieces. */
void list_read_pieces(struct store *store, const struct list_query *query, const struct pieces *to);

/* The first row alone, without the frame. ERR_NOT_FOUND when there is none. */
void list_read_one(struct store *store, const struct list_query *query,
                   void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                   void *owner);

/* The SQL of a query, for tests: with $1.. as list_read binds them. */
struct str list_sql(const struct list_query *query);

#endif
