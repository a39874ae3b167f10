// SPDX-License-Identifier: Apache-2.0
#include "common/store/view_store.h"

#include "common/store/op.h"

static struct op *view_op(struct store *store, int rc_when_none,
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = rc_when_none;
    snprintf(op->what, sizeof op->what, "such view");
    return op;
}

static struct pg_tx *tx_of_user(int32_t user_no)
{
    struct pg_tx *tx = pg_tx_new();
    pg_put_int4(pg_tx_add(tx, SQL_auth_view_lock, NULL, NULL), user_no);
    return tx;
}

void view_put(struct store *store, const struct view *view, int64_t count_max,
              void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = tx_of_user(view->user_no);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_view_put, NULL, NULL);
    pg_put_int4(params, view->user_no);
    pg_put_text(params, view->page);
    pg_put_text(params, view->name);
    pg_put_text(params, view->query);
    pg_put_int8(params, count_max);
    store_send(store, tx, op_end, view_op(store, ERR_CONFLICT, on_end, owner));
}

void view_change(struct store *store, const struct view *view,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = tx_of_user(view->user_no);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_view_patch, NULL, NULL);
    pg_put_int4(params, view->user_no);
    pg_put_int4(params, view->view_no);
    pg_put_text(params, view->name);
    pg_put_text(params, view->query);
    pg_put_text(params, view->is_default);
    store_send(store, tx, op_end, view_op(store, ERR_NOT_FOUND, on_end, owner));
}

void view_delete(struct store *store, int32_t user_no, int32_t view_no,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_view_delete, NULL, NULL);
    pg_put_int4(params, user_no);
    pg_put_int4(params, view_no);
    store_send(store, tx, op_end, view_op(store, ERR_NOT_FOUND, on_end, owner));
}
