// SPDX-License-Identifier: Apache-2.0
// Documents on a real database, and how much of it they read.
#include "common/store/document_read.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

#include <unistd.h>

enum { INSTANCES = 20000, READINGS = 12, SHOWN = 10 };

/* One run with one mapped task of so many instances. */
static const char A_WIDE_RUN[] =
    "INSERT INTO dag (dag_no, dag_id, version_no, fileloc) VALUES (1, 'etl', 10, 'etl.yaml');"
    "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source) VALUES"
    " (10, 1, 1, '\\x01', '{\"tasks\": [{\"id\": \"each\"}]}', '');"
    "INSERT INTO run (run_no, dag_no, version_no, run_type, run_id, run_after, queued_at, state,"
    " updated_at) SELECT (current_date - date '1970-01-01')::bigint << 32, 1, 10, 0, 'wide', now(),"
    " now(), 1, now();"
    "INSERT INTO try (run_no, task, map_index, row_no, dag_no, try_no, infra_tries, priority, pool,"
    " queue, queued_at, state, cause) SELECT run_no, 0, i, 1, 1, 1, 0, 1, 'default_pool',"
    " 'default', now(), 4, 13 FROM run, generate_series(0, 19999) i;"
    "ANALYZE";

static const char ROWS_READ[] =
    "SELECT coalesce(sum(coalesce(idx_tup_fetch, 0) + seq_tup_read), 0)::bigint"
    " FROM pg_stat_user_tables WHERE relname LIKE 'try\\_2%'";

static const char CONNECTIONS[] =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend'";

struct answer {
    bool is_there;
    int rc;
    char json[8192];
};

static void on_document(void *owner, int rc, struct str json, const struct err *err)
{
    struct answer *answer = owner;
    (void)err;
    *answer = (struct answer) { .is_there = true, .rc = rc };
    snprintf(answer->json, sizeof answer->json, "%.*s", STR_ARG(json));
}

/* Whatever they are: no condition is given. */
static struct answer newest_instances(struct store_world *world)
{
    const struct bind none = BIND_TEXTS(NULL, 0), any = BIND_NUMBER(0), q = BIND_TEXT(STR_EMPTY);
    const struct bind binds[] = { any, q,   none, none, none, any, any, BIND_NUMBER(SHOWN),
                                  any, any, none, none, none, any, any, any,
                                  any };
    struct answer answer = { 0 };
    document_read(world->store, DOCUMENT_ui_tasks, binds, sizeof binds / sizeof *binds, on_document,
                  &answer);
    store_world_wait(world, &answer.is_there);
    assert_int_equal(answer.rc, 0);
    return answer;
}

static void the_newest_of_many_instances_are_found_without_reading_all(void **state)
{
    (void)state;
    struct store_world world, asking;
    store_world_open(&world);
    assert_int_equal(pg_sync_exec(world.sync, A_WIDE_RUN, NULL), 0);
    int64_t before = store_world_int(&world, ROWS_READ);
    int64_t connections = store_world_int(&world, CONNECTIONS);
    store_world_join(&asking, &world);
    for (int i = 0; i < READINGS; i++) {
        struct answer answer = newest_instances(&asking);
        assert_non_null(strstr(answer.json, "\"map_index\" : 19999"));
        assert_non_null(strstr(answer.json, "\"map_index\" : 19990"));
        assert_null(strstr(answer.json, "\"map_index\" : 19989"));
    }
    store_world_close(&asking); /* what its connections have read is told when they end */
    for (int tenths = 0; tenths < 600 && store_world_int(&world, CONNECTIONS) > connections;
         tenths++)
        usleep(100000);
    int64_t read = store_world_int(&world, ROWS_READ) - before;
    assert_in_range(read, READINGS * SHOWN, INSTANCES);
    store_world_close(&world);
}

TESTS(CASE(the_newest_of_many_instances_are_found_without_reading_all))
