// SPDX-License-Identifier: Apache-2.0
#include "common/store/recover_rows.h"

#include "common/base/assert.h"
#include "common/base/vec.h"

void recover_rows_ask(struct pg_tx *tx, const int64_t *run_nos, uint32_t count)
{
    static const uint32_t statements[] = { SQL_recover_runs, SQL_recover_tries,
                                           SQL_recover_expansions };

    ASSERT(count > 0);
    for (uint32_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        struct pg_params *params = pg_tx_add(tx, statements[i], NULL, NULL);

        pg_put_int8(params, run_nos[0]);
        pg_put_int8(params, run_nos[count - 1]);
        pg_put_int8_array(params, run_nos, count);
    }
}

enum {
    RUN_NO_COLUMN,
    RUN_DAG,
    RUN_VERSION,
    RUN_ID,
    RUN_STATE,
    RUN_CAUSE,
    RUN_TYPE,
    RUN_LOGICAL,
    RUN_INTERVAL_START,
    RUN_INTERVAL_END,
    RUN_AFTER,
    RUN_QUEUED_AT,
    RUN_STARTED_AT,
    RUN_ENDED_AT,
    RUN_CONF,
};

static struct recovered_run run_of(const struct pg_result *result, uint32_t row)
{
    return (struct recovered_run) {
        .run_no = pg_get_int(result, row, RUN_NO_COLUMN),
        .dag_no = (int32_t)pg_get_int(result, row, RUN_DAG),
        .version_no = pg_get_int(result, row, RUN_VERSION),
        .run_id = pg_get_text(result, row, RUN_ID),
        .state = (enum run_state)pg_get_int(result, row, RUN_STATE),
        .cause = (enum cause)pg_get_int(result, row, RUN_CAUSE),
        .type = (enum run_type)pg_get_int(result, row, RUN_TYPE),
        .has_logical = !pg_is_null(result, row, RUN_LOGICAL),
        .logical_ms = pg_get_time_ms(result, row, RUN_LOGICAL),
        .interval_start_ms = pg_get_time_ms(result, row, RUN_INTERVAL_START),
        .interval_end_ms = pg_get_time_ms(result, row, RUN_INTERVAL_END),
        .run_after_ms = pg_get_time_ms(result, row, RUN_AFTER),
        .queued_wall_ms = pg_get_time_ms(result, row, RUN_QUEUED_AT),
        .started_wall_ms = pg_get_time_ms(result, row, RUN_STARTED_AT),
        .ended_wall_ms = pg_get_time_ms(result, row, RUN_ENDED_AT),
        .conf = pg_get_text(result, row, RUN_CONF),
    };
}

enum {
    TRY_RUN,
    TRY_TASK,
    TRY_MAP,
    TRY_ROW,
    TRY_NO,
    TRY_BASE,
    TRY_INFRA,
    TRY_STATE,
    TRY_CAUSE,
    TRY_CLEARED,
    TRY_ATTEMPT,
    TRY_WORKER,
    TRY_INCARNATION,
    TRY_SEQ,
    TRY_QUEUED,
    TRY_STARTED,
    TRY_ENDED,
    TRY_RETRY,
    TRY_OUTPUT,
};

static struct recovered_try try_of(const struct pg_result *result, uint32_t row)
{
    return (struct recovered_try) {
        .task = (uint32_t)pg_get_int(result, row, TRY_TASK),
        .map_index = (int32_t)pg_get_int(result, row, TRY_MAP),
        .try_no = (uint16_t)pg_get_int(result, row, TRY_NO),
        .try_base = (uint16_t)pg_get_int(result, row, TRY_BASE),
        .infra_tries = (uint16_t)pg_get_int(result, row, TRY_INFRA),
        .row_no = (uint32_t)pg_get_int(result, row, TRY_ROW),
        .state = (enum task_state)pg_get_int(result, row, TRY_STATE),
        .cause = (enum cause)pg_get_int(result, row, TRY_CAUSE),
        .cleared = pg_get_bool(result, row, TRY_CLEARED),
        .attempt = pg_is_null(result, row, TRY_ATTEMPT) ? (struct id128) { 0 }
                                                        : pg_get_uuid(result, row, TRY_ATTEMPT),
        .worker_no = pg_get_int(result, row, TRY_WORKER),
        .credit = { .incarnation = (uint64_t)pg_get_int(result, row, TRY_INCARNATION),
                    .seq = (uint64_t)pg_get_int(result, row, TRY_SEQ) },
        .queued_wall_ms = pg_get_time_ms(result, row, TRY_QUEUED),
        .started_wall_ms = pg_get_time_ms(result, row, TRY_STARTED),
        .ended_wall_ms = pg_get_time_ms(result, row, TRY_ENDED),
        .retry_wall_ms = pg_get_time_ms(result, row, TRY_RETRY),
        .output = pg_get_text(result, row, TRY_OUTPUT),
    };
}

enum { EXPANSION_RUN, EXPANSION_TASK, EXPANSION_ITEMS };

void recover_rows(const struct pg_result *runs, const struct pg_result *tries,
                  const struct pg_result *expansions,
                  void (*on_run)(void *owner, const struct recovered_run *run), void *owner)
{
    VEC(struct recovered_try) run_tries = { 0 };
    VEC(struct recovered_expansion) run_expansions = { 0 };
    uint32_t next_try = 0, next_expansion = 0;

    /* All three are in the order of run numbers. */
    for (uint32_t i = 0; i < pg_row_count(runs); i++) {
        struct recovered_run run = run_of(runs, i);

        VEC_RESET(&run_tries);
        VEC_RESET(&run_expansions);
        while (next_try < pg_row_count(tries) &&
               pg_get_int(tries, next_try, TRY_RUN) <= run.run_no) {
            if (pg_get_int(tries, next_try, TRY_RUN) == run.run_no)
                VEC_ADD(&run_tries, try_of(tries, next_try));
            next_try++;
        }
        while (next_expansion < pg_row_count(expansions) &&
               pg_get_int(expansions, next_expansion, EXPANSION_RUN) <= run.run_no) {
            if (pg_get_int(expansions, next_expansion, EXPANSION_RUN) == run.run_no)
                VEC_ADD(
                    &run_expansions,
                    (struct recovered_expansion) {
                        .task = (uint32_t)pg_get_int(expansions, next_expansion, EXPANSION_TASK),
                        .items = pg_get_text(expansions, next_expansion, EXPANSION_ITEMS),
                    });
            next_expansion++;
        }
        run.tries = run_tries.items;
        run.try_count = run_tries.count;
        run.expansions = run_expansions.items;
        run.expansion_count = run_expansions.count;
        on_run(owner, &run);
    }
    VEC_CLEAR(&run_tries);
    VEC_CLEAR(&run_expansions);
}
