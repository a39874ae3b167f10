// SPDX-License-Identifier: Apache-2.0
#include "common/store/output_store.h"

#include "common/base/assert.h"
#include "common/store/op.h"

/* ---- finding
 * ---------------------------------------------------------------------------------------------------------
 */

struct finding {
    int32_t map_index;
    void (*on_end)(void *owner, int rc, const struct output_place *place, const struct err *err);
    void *owner;
};

static void on_place(void *owner, const struct pg_outcome *outcome)
{
    struct finding finding = *(struct finding *)owner;
    struct output_place place = { .map_index = finding.map_index };
    struct err err = { 0 };
    free(owner);
    if (outcome->rc < 0) {
        finding.on_end(finding.owner, outcome->rc, NULL, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    int rc = 0;
    if (pg_row_count(result) == 0) {
        rc = err_set(&err, ERR_NOT_FOUND, "there is no such run, or it has no such task");
    } else {
        place.run_no = pg_get_int(result, 0, 0);
        place.task = (int32_t)pg_get_int(result, 0, 1);
        place.is_live = pg_get_bool(result, 0, 2);
        place.is_there = pg_get_bool(result, 0, 3);
    }
    finding.on_end(finding.owner, rc, &place, &err);
}

void output_find(struct store *store, struct str dag_id, struct str run_id, struct str task_id,
                 int32_t map_index, struct str key,
                 void (*on_end)(void *owner, int rc, const struct output_place *place,
                                const struct err *err),
                 void *owner)
{
    struct finding *finding = calloc(1, sizeof *finding);
    ASSERT(finding != NULL);
    *finding = (struct finding) { map_index, on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_api_output_place, NULL, NULL);
    pg_put_text(params, dag_id);
    pg_put_text(params, run_id);
    pg_put_text(params, task_id);
    pg_put_int4(params, map_index);
    pg_put_text(params, key);
    store_send(store, tx, on_place, finding);
}

/* ---- writing
 * ---------------------------------------------------------------------------------------------------------
 */

static const struct {
    enum statement statement;
    int rc_when_none;
} CHANGES[] = {
    [OUTPUT_ADD] = { SQL_api_output_add, ERR_EXISTS },
    [OUTPUT_CHANGE] = { SQL_api_output_change, ERR_NOT_FOUND },
    [OUTPUT_REMOVE] = { SQL_api_output_remove, ERR_NOT_FOUND },
};

static void put_place(struct pg_params *params, const struct output_place *place)
{
    pg_put_int8(params, place->run_no);
    pg_put_int4(params, place->task);
    pg_put_int4(params, place->map_index);
}

void output_write(struct store *store, enum output_change change, const struct output_place *place,
                  struct str key, struct str json, const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = CHANGES[change].rc_when_none;
    snprintf(op->what, sizeof op->what, "output %.*s", (int)(key.size < 60 ? key.size : 60),
             key.bytes);
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, CHANGES[change].statement, NULL, NULL);
    put_place(params, place);
    pg_put_text(params, key);
    if (change != OUTPUT_REMOVE)
        pg_put_jsonb(params, json);
    store_send(store, tx, op_end, op);
}

void instance_delete(struct store *store, const struct output_place *place,
                     const struct audit *audit,
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = ERR_NOT_FOUND;
    snprintf(op->what, sizeof op->what, "this instance has no rows");
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    put_place(pg_tx_add(tx, SQL_api_instance_outputs_remove, NULL, NULL), place);
    put_place(pg_tx_add(tx, SQL_api_instance_remove, NULL, NULL), place);
    pg_put_int8(pg_tx_add(tx, SQL_api_run_recount, NULL, NULL), place->run_no);
    store_send(store, tx, op_end, op);
}
