// SPDX-License-Identifier: Apache-2.0
#include "tests/store/conformance/play.h"

#include "tests/support/dags.h"
#include "tests/support/test.h"

uint64_t pick(struct play *play, uint64_t bound)
{
    return rand_below(&play->rand, bound);
}

const struct model_run *pick_run(struct play *play)
{
    for (int tries = 0; tries < 20 && play->model.runs.count > 0; tries++) {
        const struct model_run *run = &play->model.runs.items[pick(play, play->model.runs.count)];

        if (!run->deleted)
            return run;
    }
    return NULL;
}

bool is_touched(const struct play *play, int64_t run_no)
{
    for (uint32_t i = 0; i < play->count; i++) {
        const struct record *record = &play->records[i];
        int64_t touched = 0;

        switch (record->type) {
        case WRITE_RUN_CREATE:
        case WRITE_RUN_STATE:
            touched = record->run.run_no;
            break;
        case WRITE_TRY_PLACED:
        case WRITE_TRY_STARTED:
        case WRITE_TRY_ENDED:
        case WRITE_TRY_CLEARED:
            touched = record->try.run_no;
            break;
        case WRITE_OUTPUT:
            touched = record->output.run_no;
            break;
        case WRITE_EXPANSION:
            touched = record->expansion.run_no;
            break;
        case WRITE_RUN_DELETE:
            touched = record->run_delete.run_no;
            break;
        default:
            break;
        }
        if (touched == run_no)
            return true;
    }
    return false;
}

void play_add(struct play *play, struct record record)
{
    if (play->count < RECORDS_MAX && !play->is_full)
        play->records[play->count++] = record;
}

/* ---- DAGs ------------------------------------------------------------------------------------ */

const struct model_dag *pick_dag(struct play *play)
{
    for (int tries = 0; tries < 20 && play->model.dags.count > 0; tries++) {
        const struct model_dag *dag = &play->model.dags.items[pick(play, play->model.dags.count)];

        if (!dag->deleted)
            return dag;
    }
    return NULL;
}

/* Two versions, of which the second is the newest; their numbers differ in the last bit. */
static void add_dag(struct play *play)
{
    int32_t dag_no = ++play->dag_last;
    struct dag *dag = dag_chain(TASKS);
    struct err err = { 0 };
    struct str sql, ir;

    dag->id = str_format(&dag->arena, "d%d", dag_no);
    dag->deadline_percentile = dag_no % 2 == 0 ? 95 : 0;
    ir = dag_to_json(dag, &dag->arena);
    sql =
        str_format(&dag->arena,
                   "INSERT INTO dag (dag_no, dag_id, fileloc, version_no)"
                   " VALUES (%d, 'd%d', '/x', %d);"
                   "INSERT INTO dag_version (version_no, dag_no, version_number, hash, ir, source)"
                   " SELECT %d + n, %d, 1 + n, '', '%.*s', '' FROM generate_series(0, 1) n",
                   dag_no, dag_no, dag_no * 2 + 1, dag_no * 2, dag_no, STR_ARG(ir));
    if (pg_sync_exec(play->world.sync, str_cstr(&dag->arena, sql), &err) < 0)
        fail_msg("%s", err.sentence);
    for (int64_t n = 0; n < 2; n++)
        model_store_dag(&play->model, dag_no, dag_no * 2 + n, dag, false);
    dag_free(dag);
}

void play_dags(struct play *play)
{
    uint32_t count = 0;

    VEC_EACH (&play->model.dags, i)
        count += !play->model.dags.items[i].deleted;
    for (; count < DAGS; count++)
        add_dag(play);
}
