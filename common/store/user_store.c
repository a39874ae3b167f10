// SPDX-License-Identifier: Apache-2.0
#include "common/store/user_store.h"

#include "common/base/assert.h"
#include "common/store/op.h"

struct user_reading {
    void (*on_end)(void *owner, int rc, const struct user_row *user, const struct err *err);
    void *owner;
};

static struct user_reading *
reading_new(void (*on_end)(void *owner, int rc, const struct user_row *user, const struct err *err),
            void *owner)
{
    struct user_reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct user_reading) { on_end, owner };
    return reading;
}

static void on_user(void *owner, const struct pg_outcome *outcome)
{
    struct user_reading reading = *(struct user_reading *)owner;
    free(owner);
    struct err err = { 0 };
    if (!op_has_row(outcome, "account", &err)) {
        reading.on_end(reading.owner, err.code, NULL, &err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    struct user_row user = {
        .user_no = (int32_t)pg_get_int(result, 0, 0),
        .name = pg_get_text(result, 0, 1),
        .password_hash = pg_get_text(result, 0, 2),
        .role = pg_get_text(result, 0, 3),
        .is_active = pg_get_bool(result, 0, 4),
    };
    reading.on_end(reading.owner, 0, &user, &err);
}

void user_read(struct store *store, struct str name,
               void (*on_end)(void *owner, int rc, const struct user_row *user,
                              const struct err *err),
               void *owner)
{
    struct user_reading *reading = reading_new(on_end, owner);
    struct pg_tx *tx = pg_tx_new();
    pg_put_text(pg_tx_add(tx, SQL_auth_user, NULL, NULL), name);
    store_send(store, tx, on_user, reading);
}

void user_external(struct store *store, const struct external_user *user,
                   void (*on_end)(void *owner, int rc, const struct user_row *user,
                                  const struct err *err),
                   void *owner)
{
    struct user_reading *reading = reading_new(on_end, owner);
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_user_external, NULL, NULL);
    pg_put_text(params, user->issuer);
    pg_put_text(params, user->subject);
    pg_put_text(params, user->name);
    pg_put_text(params, user->role);
    pg_put_text(params, user->email);
    store_send(store, tx, on_user, reading);
}

static void ignore(void *owner, const struct pg_outcome *outcome)
{
    (void)owner, (void)outcome; /* when somebody signed in last is not worth failing for */
}

void user_seen(struct store *store, int32_t user_no, struct str new_hash)
{
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_user_seen, NULL, NULL);
    pg_put_int4(params, user_no);
    pg_put_text(params, new_hash);
    store_send(store, tx, ignore, NULL);
}

/* ---- favourites ---- */

struct marking {
    void (*on_end)(void *owner, int rc, bool was_one, const struct err *err);
    void *owner;
};

static void on_marked(void *owner, const struct pg_outcome *outcome)
{
    struct marking marking = *(struct marking *)owner;
    free(owner);
    struct err err = { 0 };
    if (!op_has_row(outcome, "DAG", &err))
        marking.on_end(marking.owner, err.code, false, &err);
    else
        marking.on_end(marking.owner, 0, pg_get_bool(outcome->results[0], 0, 0), &err);
}

void user_favourite(struct store *store, int32_t user_no, struct str dag_id, bool is_one,
                    void (*on_end)(void *owner, int rc, bool was_one, const struct err *err),
                    void *owner)
{
    struct marking *marking = calloc(1, sizeof *marking);
    ASSERT(marking != NULL);
    *marking = (struct marking) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_auth_favourite, NULL, NULL);
    pg_put_int4(params, user_no);
    pg_put_text(params, dag_id);
    pg_put_bool(params, is_one);
    store_send(store, tx, on_marked, marking);
}

/* ---- accounts ---- */

void user_put(struct store *store, struct str name, struct str password_hash, struct str role,
              struct str email, const struct audit *audit,
              void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_user_put, NULL, NULL);
    pg_put_text(params, name);
    pg_put_text(params, password_hash);
    pg_put_text(params, role);
    pg_put_text(params, email);
    store_send(store, tx, op_end, op_new(store, on_end, owner));
}

static struct op *named_op(struct store *store, struct str name, int rc_when_none,
                           void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    op->rc_when_none = rc_when_none;
    snprintf(op->what, sizeof op->what, "user %.*s", STR_ARG(name));
    return op;
}

void user_delete(struct store *store, struct str name, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    pg_put_text(pg_tx_add(tx, SQL_auth_user_delete, NULL, NULL), name);
    store_send(store, tx, op_end, named_op(store, name, ERR_CONFLICT, on_end, owner));
}

void user_change(struct store *store, struct str name, struct str role, struct str disabled,
                 struct str email, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_user_patch, NULL, NULL);
    pg_put_text(params, name);
    pg_put_text(params, role);
    pg_put_text(params, disabled);
    pg_put_text(params, email);
    store_send(store, tx, op_end, named_op(store, name, ERR_CONFLICT, on_end, owner));
}

void user_password_set(struct store *store, struct str name, struct str password_hash,
                       const struct audit *audit,
                       void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();
    audit_add(tx, audit);
    pg_put_text(pg_tx_add(tx, SQL_auth_sessions_end, NULL, NULL), name);
    struct pg_params *params = pg_tx_add(tx, SQL_auth_password, NULL, NULL);
    pg_put_text(params, name);
    pg_put_text(params, password_hash);
    store_send(store, tx, op_end, named_op(store, name, ERR_NOT_FOUND, on_end, owner));
}
