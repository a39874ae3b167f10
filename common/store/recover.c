// SPDX-License-Identifier: Apache-2.0
#include "common/store/recover.h"

#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/store/errand_store.h"
#include "common/store/recover_rows.h"

/* Steps follow each other, each from the end of the one before: numbers, DAG versions in pages,
 * what tasks use, workers, the list of live runs, the runs in portions. */
enum { DAGS_PER_PAGE = 50, RUNS_PER_PORTION = 50 };

struct recovery {
    struct store *store;
    const struct recover_handler *handler;
    void *owner;
    int64_t version_no; /* of the last DAG version read */
    VEC(int64_t) live;
    uint32_t live_read;
};

static void finish(struct recovery *recovery, int rc, const struct err *err)
{
    if (recovery->handler->on_end != NULL)
        recovery->handler->on_end(recovery->owner, rc, err);
    VEC_CLEAR(&recovery->live);
    free(recovery);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void read_runs(struct recovery *recovery);

static void on_notification(void *owner, const struct notification_row *row)
{
    struct recovery *recovery = owner;

    if (recovery->handler->on_notification != NULL)
        recovery->handler->on_notification(recovery->owner, row);
}

static void on_notifications_end(void *owner, int rc, const struct err *err)
{
    finish(owner, rc, err);
}

static void hand_out_run(void *owner, const struct recovered_run *run)
{
    struct recovery *recovery = owner;

    if (recovery->handler->on_run != NULL)
        recovery->handler->on_run(recovery->owner, run);
}

static void on_runs(void *owner, const struct pg_outcome *outcome)
{
    struct recovery *recovery = owner;

    if (outcome->rc < 0) {
        finish(recovery, outcome->rc, outcome->err);
        return;
    }
    recover_rows(outcome->results[0], outcome->results[1], outcome->results[2], hand_out_run,
                 recovery);
    read_runs(recovery);
}

static void read_runs(struct recovery *recovery)
{
    uint32_t left = recovery->live.count - recovery->live_read;
    uint32_t count = left < RUNS_PER_PORTION ? left : RUNS_PER_PORTION;
    struct pg_tx *tx;

    if (count == 0) {
        store_notifications_read(recovery->store, on_notification, on_notifications_end, recovery);
        return;
    }
    tx = pg_tx_new();
    recover_rows_ask(tx, recovery->live.items + recovery->live_read, count);
    recovery->live_read += count;
    store_send(recovery->store, tx, on_runs, recovery);
}

/* ---- backfills ------------------------------------------------------------------------------- */

enum {
    BACKFILL_NO,
    BACKFILL_DAG,
    BACKFILL_FROM,
    BACKFILL_TO,
    BACKFILL_MAX,
    BACKFILL_REPROCESS,
    BACKFILL_BACKWARDS,
    BACKFILL_PAUSED,
    BACKFILL_CONF,
    BACKFILL_BY,
    BACKFILL_CURSOR,
    BACKFILL_CREATED,
    BACKFILL_ENDED,
};

static struct backfill_row backfill_of(const struct pg_result *result, uint32_t row)
{
    return (struct backfill_row) {
        .backfill_no = pg_get_int(result, row, BACKFILL_NO),
        .dag_no = (int32_t)pg_get_int(result, row, BACKFILL_DAG),
        .from_ms = pg_get_time_ms(result, row, BACKFILL_FROM),
        .to_ms = pg_get_time_ms(result, row, BACKFILL_TO),
        .max_active_runs = (int32_t)pg_get_int(result, row, BACKFILL_MAX),
        .reprocess = (enum reprocess)pg_get_int(result, row, BACKFILL_REPROCESS),
        .backwards = pg_get_bool(result, row, BACKFILL_BACKWARDS),
        .paused = pg_get_bool(result, row, BACKFILL_PAUSED),
        .conf = pg_get_text(result, row, BACKFILL_CONF),
        .triggered_by = pg_get_text(result, row, BACKFILL_BY),
        .has_cursor = !pg_is_null(result, row, BACKFILL_CURSOR),
        .cursor_ms = pg_get_time_ms(result, row, BACKFILL_CURSOR),
        .created_ms = pg_get_time_ms(result, row, BACKFILL_CREATED),
        .ended_ms = pg_get_time_ms(result, row, BACKFILL_ENDED),
    };
}

static void give_backfill(const struct recovery *recovery, const struct backfill_row *row,
                          const struct pg_result *runs)
{
    VEC(int64_t) run_nos = { 0 };
    VEC(int64_t) dates = { 0 };

    for (uint32_t i = 0; i < pg_row_count(runs); i++) {
        if (pg_get_int(runs, i, 0) != row->backfill_no)
            continue;
        if (pg_get_int(runs, i, 1) != 0)
            VEC_ADD(&run_nos, pg_get_int(runs, i, 1));
        else
            VEC_ADD(&dates, pg_get_time_ms(runs, i, 2));
    }
    if (recovery->handler->on_backfill != NULL)
        recovery->handler->on_backfill(
            recovery->owner, &(struct recovered_backfill) { *row, run_nos.items, run_nos.count,
                                                            dates.items, dates.count });
    VEC_CLEAR(&run_nos);
    VEC_CLEAR(&dates);
}

static void give_assets(const struct recovery *recovery, const struct pg_result *events)
{
    for (uint32_t i = 0; recovery->handler->on_asset != NULL && i < pg_row_count(events); i++)
        recovery->handler->on_asset(recovery->owner,
                                    &(struct recovered_event) { (int32_t)pg_get_int(events, i, 0),
                                                                pg_get_int(events, i, 1),
                                                                pg_get_text(events, i, 2) });
}

static void give_lengths(const struct recovery *recovery, const struct pg_result *lengths)
{
    for (uint32_t i = 0; recovery->handler->on_length != NULL && i < pg_row_count(lengths); i++)
        recovery->handler->on_length(recovery->owner, (int32_t)pg_get_int(lengths, i, 0),
                                     pg_get_int(lengths, i, 1));
}

static void on_live(void *owner, const struct pg_outcome *outcome)
{
    struct recovery *recovery = owner;

    if (outcome->rc < 0) {
        finish(recovery, outcome->rc, outcome->err);
        return;
    }
    for (uint32_t i = 0; i < pg_row_count(outcome->results[0]); i++)
        VEC_ADD(&recovery->live, pg_get_int(outcome->results[0], i, 0));
    for (uint32_t i = 0; i < pg_row_count(outcome->results[1]); i++) {
        struct backfill_row row = backfill_of(outcome->results[1], i);

        give_backfill(recovery, &row, outcome->results[2]);
    }
    give_assets(recovery, outcome->results[3]);
    give_lengths(recovery, outcome->results[4]);
    read_runs(recovery);
}

static void read_live(struct recovery *recovery)
{
    static const uint32_t statements[] = { SQL_recover_live, SQL_recover_backfills,
                                           SQL_recover_backfill_runs, SQL_recover_assets,
                                           SQL_recover_lengths };
    struct pg_tx *tx = pg_tx_new();

    for (uint32_t i = 0; i < sizeof statements / sizeof *statements; i++)
        pg_put_int2(pg_tx_add(tx, statements[i], NULL, NULL), store_shard(recovery->store));
    store_send(recovery->store, tx, on_live, recovery);
}

/* ---- what tasks use, workers ----------------------------------------------------------------- */

enum { WORKER_NO, WORKER_IDENTITY, WORKER_NAME, WORKER_STATE, WORKER_INCARNATION };

static void on_workers(void *owner, const struct pg_outcome *outcome)
{
    struct recovery *recovery = owner;
    const struct recover_handler *handler = recovery->handler;

    if (outcome->rc < 0) {
        finish(recovery, outcome->rc, outcome->err);
        return;
    }
    for (uint32_t i = 0; handler->on_worker != NULL && i < pg_row_count(outcome->results[0]); i++)
        handler->on_worker(
            recovery->owner,
            &(struct recovered_worker) {
                .worker_no = pg_get_int(outcome->results[0], i, WORKER_NO),
                .worker = pg_get_text(outcome->results[0], i, WORKER_IDENTITY),
                .name = pg_get_text(outcome->results[0], i, WORKER_NAME),
                .state = (enum worker_state)pg_get_int(outcome->results[0], i, WORKER_STATE),
                .incarnation = (uint64_t)pg_get_int(outcome->results[0], i, WORKER_INCARNATION),
            });
    read_live(recovery);
}

static void on_connections_end(void *owner, int rc, const struct err *err)
{
    struct recovery *recovery = owner;
    struct pg_tx *tx;

    if (rc < 0) {
        finish(recovery, rc, err);
        return;
    }
    tx = pg_tx_new();
    (void)pg_tx_add(tx, SQL_recover_workers, NULL, NULL);
    store_send(recovery->store, tx, on_workers, recovery);
}

static void on_connection(void *owner, const struct connection_row *connection)
{
    struct recovery *recovery = owner;

    if (recovery->handler->on_connection != NULL)
        recovery->handler->on_connection(recovery->owner, connection);
}

static void on_variables_end(void *owner, int rc, const struct err *err)
{
    struct recovery *recovery = owner;

    if (rc < 0)
        finish(recovery, rc, err);
    else
        store_connections_read(recovery->store, on_connection, on_connections_end, recovery);
}

static void on_variable(void *owner, const struct variable_row *variable)
{
    struct recovery *recovery = owner;

    if (recovery->handler->on_variable != NULL)
        recovery->handler->on_variable(recovery->owner, variable);
}

static void on_pools_end(void *owner, int rc, const struct err *err)
{
    struct recovery *recovery = owner;

    if (rc < 0)
        finish(recovery, rc, err);
    else
        store_variables_read(recovery->store, on_variable, on_variables_end, recovery);
}

static void on_pool(void *owner, const struct pool_row *pool)
{
    struct recovery *recovery = owner;

    if (recovery->handler->on_pool != NULL)
        recovery->handler->on_pool(recovery->owner, pool);
}

/* ---- DAG versions ---------------------------------------------------------------------------- */

enum {
    DAG_VERSION,
    DAG_NO,
    DAG_ID,
    DAG_PATH,
    DAG_IR,
    DAG_IS_NEWEST,
    DAG_IS_STALE,
    DAG_IS_PAUSED,
    DAG_LAST
};

static struct recovered_dag dag_of(const struct pg_result *result, uint32_t row)
{
    return (struct recovered_dag) {
        .dag_no = (int32_t)pg_get_int(result, row, DAG_NO),
        .version_no = pg_get_int(result, row, DAG_VERSION),
        .dag_id = pg_get_text(result, row, DAG_ID),
        .path = pg_get_text(result, row, DAG_PATH),
        .ir = pg_get_text(result, row, DAG_IR),
        .is_newest = pg_get_bool(result, row, DAG_IS_NEWEST),
        .is_stale = pg_get_bool(result, row, DAG_IS_STALE),
        .is_paused = pg_get_bool(result, row, DAG_IS_PAUSED),
        .has_last = !pg_is_null(result, row, DAG_LAST),
        .last_fire_ms = pg_get_time_ms(result, row, DAG_LAST),
    };
}

static void read_dags(struct recovery *recovery);

static void on_dags(void *owner, const struct pg_outcome *outcome)
{
    struct recovery *recovery = owner;
    uint32_t count;

    if (outcome->rc < 0) {
        finish(recovery, outcome->rc, outcome->err);
        return;
    }
    count = pg_row_count(outcome->results[0]);
    for (uint32_t i = 0; i < count; i++) {
        struct recovered_dag dag = dag_of(outcome->results[0], i);

        recovery->version_no = dag.version_no;
        if (recovery->handler->on_dag != NULL)
            recovery->handler->on_dag(recovery->owner, &dag);
    }
    if (count == DAGS_PER_PAGE)
        read_dags(recovery);
    else
        store_pools_read(recovery->store, on_pool, on_pools_end, recovery);
}

static void read_dags(struct recovery *recovery)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_recover_dags, NULL, NULL);

    pg_put_int2(params, store_shard(recovery->store));
    pg_put_int8(params, recovery->version_no);
    pg_put_int8(params, DAGS_PER_PAGE);
    store_send(recovery->store, tx, on_dags, recovery);
}

/* ---- the start ------------------------------------------------------------------------------- */

static void on_numbers(void *owner, const struct pg_outcome *outcome)
{
    struct recovery *recovery = owner;

    if (outcome->rc < 0) {
        finish(recovery, outcome->rc, outcome->err);
        return;
    }
    if (recovery->handler->on_numbers != NULL)
        recovery->handler->on_numbers(recovery->owner,
                                      &(struct recovered_numbers) {
                                          .wall_ms = pg_get_time_ms(outcome->results[0], 0, 0),
                                          .run_no_next = pg_get_int(outcome->results[0], 0, 1),
                                          .worker_no_next = pg_get_int(outcome->results[0], 0, 2),
                                          .event_no_next = pg_get_int(outcome->results[0], 0, 3),
                                      });
    read_dags(recovery);
}

void store_recover(struct store *store, const struct recover_handler *handler, void *owner)
{
    struct recovery *recovery = calloc(1, sizeof *recovery);
    struct pg_tx *tx = pg_tx_new();

    ASSERT(recovery != NULL);
    *recovery = (struct recovery) { .store = store, .handler = handler, .owner = owner };
    pg_put_int2(pg_tx_add(tx, SQL_recover_numbers, NULL, NULL), store_shard(store));
    store_send(store, tx, on_numbers, recovery);
}

/* ---- one version, one run -------------------------------------------------------------------- */

struct one_read {
    struct store *store;
    void (*on_dag)(void *owner, int rc, const struct recovered_dag *dag, const struct err *err);
    void (*on_run)(void *owner, int rc, const struct recovered_run *run, const struct err *err);
    void *owner;
    bool is_found;
};

static struct one_read *one_read_new(struct store *store, void *owner)
{
    struct one_read *read = calloc(1, sizeof *read);

    ASSERT(read != NULL);
    read->store = store;
    read->owner = owner;
    return read;
}

static void on_dag_version(void *owner, const struct pg_outcome *outcome)
{
    struct one_read *read = owner;
    struct recovered_dag dag;
    struct err err = { 0 };

    if (outcome->rc < 0) {
        read->on_dag(read->owner, outcome->rc, NULL, outcome->err);
    } else if (pg_row_count(outcome->results[0]) == 0) {
        (void)err_set(&err, ERR_NOT_FOUND, "there is no such version of a DAG");
        read->on_dag(read->owner, err.code, NULL, &err);
    } else {
        dag = dag_of(outcome->results[0], 0);
        read->on_dag(read->owner, 0, &dag, outcome->err);
    }
    free(read);
}

void store_dag_version_read(struct store *store, int64_t version_no,
                            void (*on_end)(void *owner, int rc, const struct recovered_dag *dag,
                                           const struct err *err),
                            void *owner)
{
    struct one_read *read = one_read_new(store, owner);
    struct pg_tx *tx = pg_tx_new();

    read->on_dag = on_end;
    pg_put_int8(pg_tx_add(tx, SQL_dag_version_read, NULL, NULL), version_no);
    store_send(store, tx, on_dag_version, read);
}

static void give_run(void *owner, const struct recovered_run *run)
{
    struct one_read *read = owner;

    read->is_found = true;
    read->on_run(read->owner, 0, run, NULL);
}

static void give_no_run(struct one_read *read, int rc, const struct err *err)
{
    struct err own = { 0 };

    if (rc == 0) {
        rc = err_set(&own, ERR_NOT_FOUND, "there is no such run");
        err = &own;
    }
    read->on_run(read->owner, rc, NULL, err);
    free(read);
}

static void on_run_rows(void *owner, const struct pg_outcome *outcome)
{
    struct one_read *read = owner;

    if (outcome->rc == 0)
        recover_rows(outcome->results[0], outcome->results[1], outcome->results[2], give_run, read);
    if (read->is_found)
        free(read);
    else
        give_no_run(read, outcome->rc, outcome->err);
}

static void on_run_found(void *owner, const struct pg_outcome *outcome)
{
    struct one_read *read = owner;
    struct pg_tx *tx;
    int64_t run_no;

    if (outcome->rc < 0 || pg_row_count(outcome->results[0]) == 0) {
        give_no_run(read, outcome->rc, outcome->err);
        return;
    }
    run_no = pg_get_int(outcome->results[0], 0, 0);
    tx = pg_tx_new();
    recover_rows_ask(tx, &run_no, 1);
    store_send(read->store, tx, on_run_rows, read);
}

void store_run_read(struct store *store, struct str dag_id, struct str run_id,
                    void (*on_end)(void *owner, int rc, const struct recovered_run *run,
                                   const struct err *err),
                    void *owner)
{
    struct one_read *read = one_read_new(store, owner);
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_run_find, NULL, NULL);

    read->on_run = on_end;
    pg_put_text(params, dag_id);
    pg_put_text(params, run_id);
    store_send(store, tx, on_run_found, read);
}

void store_run_before(struct store *store, int32_t dag_no, int64_t logical_ms, bool scheduled,
                      void (*on_end)(void *owner, int rc, const struct recovered_run *run,
                                     const struct err *err),
                      void *owner)
{
    struct one_read *read = one_read_new(store, owner);
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_run_before, NULL, NULL);

    read->on_run = on_end;
    pg_put_int4(params, dag_no);
    pg_put_time_ms(params, logical_ms);
    pg_put_bool(params, scheduled);
    store_send(store, tx, on_run_found, read);
}
