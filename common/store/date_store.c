// SPDX-License-Identifier: Apache-2.0
#include "common/store/date_store.h"

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "common/store/statement.h"

struct dates_read {
    void (*on_end)(void *owner, int rc, const struct dated_run *runs, uint32_t count,
                   const struct err *err);
    void *owner;
};

static void on_runs(void *owner, const struct pg_outcome *outcome)
{
    struct dates_read read = *(struct dates_read *)owner;
    free(owner);
    if (outcome->rc < 0) {
        read.on_end(read.owner, outcome->rc, NULL, 0, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    uint32_t count = pg_row_count(result);
    struct arena arena = { 0 };
    struct dated_run *runs = ARENA_ARRAY(&arena, struct dated_run, count);
    for (uint32_t i = 0; i < count; i++)
        runs[i] = (struct dated_run) { .run_no = pg_get_int(result, i, 0),
                                       .logical_ms = pg_get_time_ms(result, i, 1),
                                       .state = (enum run_state)pg_get_int(result, i, 2) };
    read.on_end(read.owner, 0, runs, count, NULL);
    arena_clear(&arena);
}

void store_dated_runs(struct store *store, int32_t dag_no, const int64_t *dates, uint32_t count,
                      void (*on_end)(void *owner, int rc, const struct dated_run *runs,
                                     uint32_t count, const struct err *err),
                      void *owner)
{
    struct dates_read *read = calloc(1, sizeof *read);
    ASSERT(read != NULL);
    *read = (struct dates_read) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_dated_runs, NULL, NULL);
    pg_put_int4(params, dag_no);
    pg_put_array(params, PG_TIMESTAMPTZ);
    for (uint32_t i = 0; i < count; i++)
        pg_put_time_ms(params, dates[i]);
    pg_put_array_end(params);
    store_send(store, tx, on_runs, read);
}
