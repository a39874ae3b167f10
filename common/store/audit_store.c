// SPDX-License-Identifier: Apache-2.0
#include "common/store/audit_store.h"

#include "common/store/op.h"

static struct str known(struct str text)
{
    return text.bytes == NULL ? STR_EMPTY : text;
}

void audit_add(struct pg_tx *tx, const struct audit *audit)
{
    (void)pg_tx_add(tx, SQL_audit_lock, NULL, NULL);
    struct pg_params *params = pg_tx_add(tx, SQL_api_audit_put, NULL, NULL);
    pg_put_text(params, known(audit->actor));
    pg_put_text(params, known(audit->event));
    pg_put_text(params, known(audit->dag_id));
    pg_put_text(params, known(audit->run_id));
    pg_put_text(params, known(audit->task_id));
    pg_put_int4(params, audit->map_index);
    pg_put_bool(params, audit->allowed);
    pg_put_text(params, known(audit->address));
    pg_put_jsonb(params, audit->detail.size == 0 ? STR("{}") : audit->detail);
}

static void ignore(void *owner, int rc, const struct err *err)
{
    (void)owner, (void)rc, (void)err;
}

void audit_write(struct store *store, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    store_send(store, tx, op_end, op_new(store, on_end == NULL ? ignore : on_end, owner));
}
