// SPDX-License-Identifier: Apache-2.0
// Lists on a real database: every filter and every order of every list is SQL that PostgreSQL
// accepts, and what a client sent is never part of its text.
#include "common/store/list_table.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

struct answer {
    bool is_there;
    int rc;
    char json[4096];
    char sentence[512];
};

static void on_list(void *owner, int rc, struct str json, const struct err *err)
{
    struct answer *answer = owner;
    *answer = (struct answer) { .is_there = true, .rc = rc };
    snprintf(answer->json, sizeof answer->json, "%.*s", STR_ARG(json));
    snprintf(answer->sentence, sizeof answer->sentence, "%s", err == NULL ? "" : err->sentence);
}

static struct answer ask(struct store_world *world, const struct list_query *query)
{
    struct answer answer = { 0 };
    list_read(world->store, query, on_list, &answer);
    store_world_wait(world, &answer.is_there);
    return answer;
}

/* A value that fits, for any kind of filter. */
static struct str value_for(enum filter_kind kind)
{
    switch (kind) {
    case FILTER_BOOL:
        return STR("true");
    case FILTER_INT:
        return STR("7");
    case FILTER_REAL_RANGE:
        return STR("1.5");
    case FILTER_TIME_RANGE:
    case FILTER_TIME_BEFORE:
    case FILTER_TIME_AFTER:
        return STR("2026-11-21T06:00:00Z");
    default:
        return STR("x' OR true --");
    }
}

static void check_filter(struct store_world *world, enum list list, const struct filter *filter)
{
    struct arena arena = { 0 };
    struct list_query query;
    bool is_range = filter->kind == FILTER_TIME_RANGE || filter->kind == FILTER_REAL_RANGE;
    list_query_init(&query, list, &arena, 10);
    struct str name = str_format(&arena, "%s%s", filter->name, is_range ? "_gte" : "");
    assert_int_equal(list_query_put(&query, name, value_for(filter->kind), 100, NULL), 0);
    assert_null(strstr(list_sql(&query).bytes, "OR true"));
    for (int values = 1; values <= 2; values++) { /* one is compared in another way than several */
        struct answer answer = ask(world, &query);
        if (answer.rc < 0)
            fail_msg("list %d, filter %s, %d values: %s", list, filter->name, values,
                     answer.sentence);
        (void)!list_query_put(&query, name, value_for(filter->kind), 100, NULL);
    }
    list_query_clear(&query);
    arena_clear(&arena);
}

static void check_order(struct store_world *world, enum list list, const char *name)
{
    struct arena arena = { 0 };
    struct list_query query;
    list_query_init(&query, list, &arena, 10);
    assert_int_equal(
        list_query_put(&query, STR("order_by"), str_format(&arena, "-%s", name), 100, NULL), 0);
    struct answer answer = ask(world, &query);
    if (answer.rc < 0)
        fail_msg("list %d, order %s: %s", list, name, answer.sentence);
    list_query_clear(&query);
    arena_clear(&arena);
}

static void every_filter_and_every_order_is_good_sql(void **state)
{
    (void)state;
    struct store_world world;
    store_world_open(&world);
    for (int list = 0; list < LIST_COUNT; list++) {
        const struct list_row *row = &list_rows[list];
        for (uint32_t i = 0; i < FILTERS_MAX && row->filters[i].name != NULL; i++)
            check_filter(&world, (enum list)list, &row->filters[i]);
        for (uint32_t i = 0; i < ORDERS_MAX && row->orders[i].name != NULL; i++)
            check_order(&world, (enum list)list, row->orders[i].name);
    }
    store_world_close(&world);
}

static void an_empty_list_is_a_list_and_a_scope_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct store_world world;
    struct arena arena = { 0 };
    struct list_query query;
    store_world_open(&world);
    list_query_init(&query, LIST_RUNS, &arena, 10);
    struct answer answer = ask(&world, &query);
    assert_string_equal(answer.json, "{\"dag_runs\":[],\"total_entries\":0}");
    query.dag_id = STR("no");
    answer = ask(&world, &query);
    assert_int_equal(answer.rc, ERR_NOT_FOUND);
    list_query_clear(&query);
    store_world_close(&world);
    arena_clear(&arena);
}

/* Two tasks; the second is mapped to three, of which one was tried twice and two not at all. */
static const char A_RUN[] =
    "INSERT INTO dag (dag_no, dag_id, version_no, fileloc) VALUES (1, 'etl', 10, 'etl.yaml');"
    "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source) VALUES"
    " (10, 1, 1, '\\x01', '{\"tasks\": [{\"id\": \"a\"}, {\"id\": \"b\"}]}', '');"
    "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state,"
    " updated_at) SELECT n, 1, 10, 0, 'first', now(), now(), 1, now()"
    " FROM (SELECT (current_date - date '1970-01-01')::bigint << 32 AS n) today;"
    "INSERT INTO run_key SELECT dag_no, run_id, run_no FROM run;"
    "INSERT INTO expansion SELECT run_no, 1, 3, '[1, 2, 3]' FROM run;"
    "INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, priority, pool,"
    " queue, queued_at, state, cause) SELECT run_no, task, map_index, row_no, 1, row_no, 0, 1,"
    " 'default_pool', 'default', now(), 4, 13"
    " FROM run, (VALUES (0, -1, 1), (1, 0, 1), (1, 0, 2)) AS y (task, map_index, row_no)";

static int total_of(struct store_world *world, struct list_query *query)
{
    struct answer answer = ask(world, query);
    assert_int_equal(answer.rc, 0);
    const char *total = strstr(answer.json, "\"total_entries\":");
    assert_non_null(total);
    return (int)strtol(strchr(total, ':') + 1, NULL, 10);
}

static void all_rows_are_counted_alike_with_a_filter_that_lets_all_through(void **state)
{
    (void)state;
    static const struct {
        enum list list;
        int total;
        const char *filter, *value;
    } ROWS[] = { { LIST_RUNS, 1, "state", "running" },
                 { LIST_INSTANCES, 2, "pool", "default_pool" },
                 { LIST_RUN_INSTANCES, 4, "pool", "default_pool" } };
    struct store_world world;
    struct arena arena = { 0 };
    store_world_open(&world);
    assert_int_equal(pg_sync_exec(world.sync, A_RUN, NULL), 0);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct list_query query;
        list_query_init(&query, ROWS[i].list, &arena, 0); /* the total is of all pages */
        bool is_one_run = ROWS[i].list == LIST_RUN_INSTANCES;
        query.dag_id = is_one_run ? STR("etl") : STR_EMPTY;
        query.run_id = is_one_run ? STR("first") : STR_EMPTY;
        assert_int_equal(total_of(&world, &query), ROWS[i].total);
        assert_int_equal(
            list_query_put(&query, str_of(ROWS[i].filter), str_of(ROWS[i].value), 100, NULL), 0);
        assert_int_equal(total_of(&world, &query), ROWS[i].total);
        list_query_clear(&query);
    }
    store_world_close(&world);
    arena_clear(&arena);
}

/* Rows of others' DAGs that the plan of a list walks. */
static void the_list_of_one_dag_walks_no_others_rows(void **state)
{
    (void)state;
    struct store_world world;
    struct arena arena = { 0 };
    struct list_query query;
    store_world_open(&world);
    assert_int_equal(pg_sync_exec(world.sync, A_RUN, NULL), 0);
    assert_int_equal(
        pg_sync_exec(world.sync,
                     "INSERT INTO dag (dag_no, dag_id, version_no, fileloc)"
                     " SELECT n, 'other_' || n, 10, 'o.yaml' FROM generate_series(2, 20) n;"
                     "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after,"
                     " queued_at, state, updated_at)"
                     " SELECT r.run_no + n * 1000 + k, n, 10, 0, k, now(), now(), 2, now()"
                     " FROM run r, generate_series(2, 20) n, generate_series(1, 200) k;"
                     "ANALYZE",
                     NULL),
        0);
    list_query_init(&query, LIST_RUNS, &arena, 10);
    query.dag_id = STR("other_20"); /* the last that a walk in the order of numbers comes to */
    struct str sql = list_sql(&query);
    struct pg_params params = { 0 };
    struct pg_result *result = NULL;
    pg_put_text(&params, query.dag_id);
    pg_put_text(&params, STR_EMPTY);
    struct str explain = str_format(&arena, "EXPLAIN (ANALYZE, TIMING off) %s", sql.bytes);
    struct err err = { 0 };
    if (pg_sync_query(world.sync, explain.bytes, &params, &result, &err) < 0)
        fail_msg("%s", err.sentence);
    for (uint32_t i = 0; i < pg_row_count(result); i++) {
        struct str line = pg_get_text(result, i, 0);
        const char *scan = strstr(str_cstr(&arena, line), "run_2");
        const char *rows = scan == NULL ? NULL : strstr(scan, "actual rows=");
        if (rows != NULL && strtol(rows + strlen("actual rows="), NULL, 10) > 200)
            fail_msg("%.*s", STR_ARG(line));
    }
    pg_result_free(result);
    pg_params_clear(&params);
    list_query_clear(&query);
    store_world_close(&world);
    arena_clear(&arena);
}

static void what_does_not_fit_is_refused_before_it_is_asked(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct list_query query;
    static const struct {
        const char *name, *value;
        int rc;
    } ROWS[] = {
        { "limit", "x", ERR_UNPROCESSABLE },
        { "limit", "-1", ERR_UNPROCESSABLE },
        { "offset", "1.5", ERR_UNPROCESSABLE },
        { "paused", "perhaps", ERR_UNPROCESSABLE },
        { "order_by", "secret", ERR_INVALID },
        { "dag_run_start_date_gte", "now()", ERR_UNPROCESSABLE },
        { "limit", "1000000", 0 },
        { "nothing", "at all", 0 },
    };
    list_query_init(&query, LIST_DAGS, &arena, 50);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(
            list_query_put(&query, str_of(ROWS[i].name), str_of(ROWS[i].value), 100, NULL),
            ROWS[i].rc);
    assert_int_equal(query.limit, 100); /* clamped */
    list_query_clear(&query);
    arena_clear(&arena);
}

TESTS(CASE(every_filter_and_every_order_is_good_sql),
      CASE(an_empty_list_is_a_list_and_a_scope_that_is_not_there_is_an_error),
      CASE(all_rows_are_counted_alike_with_a_filter_that_lets_all_through),
      CASE(the_list_of_one_dag_walks_no_others_rows),
      CASE(what_does_not_fit_is_refused_before_it_is_asked))
