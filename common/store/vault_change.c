// SPDX-License-Identifier: Apache-2.0
#include "common/store/vault_change.h"

#include "common/store/op.h"
#include "common/store/vault_inside.h"

static const struct {
    const char *word;
    enum statement delete;
} KINDS[] = {
    [VAULT_POOL] = { "pool", SQL_pool_delete },
    [VAULT_VARIABLE] = { "variable", SQL_variable_delete },
    [VAULT_CONNECTION] = { "connection", SQL_connection_delete },
};

static void add_change(struct store *store, struct pg_tx *tx, const struct vault_row *row)
{
    if (row->change == VAULT_DELETE) {
        pg_put_text(pg_tx_add(tx, KINDS[row->kind].delete, NULL, NULL), row->name);
        return;
    }
    switch (row->kind) {
    case VAULT_POOL:
        vault_add_pool(tx, &row->pool);
        break;
    case VAULT_VARIABLE:
        if (row->keeps_sealed)
            vault_add_variable_open(tx, &row->variable);
        else
            vault_add_variable(store, tx, &row->variable);
        break;
    case VAULT_CONNECTION:
        if (row->keeps_sealed)
            vault_add_connection_open(tx, &row->connection);
        else
            vault_add_connection(store, tx, &row->connection);
        break;
    }
}

static int check(const struct store *store, const struct vault_row *row, struct err *err)
{
    if (row->kind == VAULT_POOL && row->change == VAULT_DELETE && str_is(row->name, "default_pool"))
        return err_set(err, ERR_INVALID,
                       "default_pool cannot be deleted: tasks that name no pool use it");
    bool seals = row->kind != VAULT_POOL && row->change != VAULT_DELETE && !row->keeps_sealed;
    if (seals && store_seal(store) == NULL)
        return err_set(err, ERR_UNAVAILABLE, "this web server has no key to seal values with");
    return 0;
}

/* What the database says of it begins with a statement's name, which is nobody's business. */
static void on_vault_end(void *owner, const struct pg_outcome *outcome)
{
    struct op *op = owner;
    struct pg_outcome told = *outcome;

    if (outcome->rc == ERR_NOT_FOUND || outcome->rc == ERR_EXISTS) {
        (void)err_set(&op->err, outcome->rc, "there is %s%s", op->what,
                      outcome->rc == ERR_EXISTS ? " already" : "");
        told.err = &op->err;
    }
    op_end(op, &told);
}

void vault_change(struct store *store, const struct vault_row *row, struct str message,
                  const struct audit *audit,
                  void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    if (check(store, row, &op->err) < 0) {
        op_fail(op);
        return;
    }
    (void)snprintf(op->what, sizeof op->what, "%s %s %.*s",
                   row->change == VAULT_CREATE ? "a" : "no", KINDS[row->kind].word,
                   STR_ARG(row->name));
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_api_vault_expect, NULL, NULL);
    pg_put_text(params, str_of(KINDS[row->kind].word));
    pg_put_text(params, row->name);
    pg_put_bool(params, row->change != VAULT_CREATE);
    add_change(store, tx, row);
    audit_add(tx, audit);
    params = pg_tx_add(tx, SQL_api_message_put, NULL, NULL);
    pg_put_jsonb(params, message);
    pg_put_text(params, audit->actor);
    store_send(store, tx, on_vault_end, op);
}
