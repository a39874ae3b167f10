// SPDX-License-Identifier: Apache-2.0
#include "common/store/vault.h"

#include "common/base/assert.h"
#include "common/store/op.h"
#include "common/store/seal.h"
#include "common/store/vault_inside.h"
#include "common/text/json.h"

#include <sodium.h>

/* ---- sealed columns -------------------------------------------------------------------------- */

static struct str label_of(struct arena *arena, const char *kind, struct str name)
{
    return str_format(arena, "%s:%.*s", kind, STR_ARG(name));
}

static void wipe(struct buf *buf)
{
    if (buf->bytes != NULL)
        sodium_memzero(buf->bytes, buf->capacity);
    buf_clear(buf);
}

/* The plain text in `out`; false when it cannot be read here. */
static bool unseal(const struct store *store, const char *kind, struct str name, struct str sealed,
                   int32_t key_no, struct buf *out)
{
    const struct seal *seal = store_seal(store);
    struct arena arena = { 0 };
    int rc = ERR_UNAVAILABLE;

    if (seal != NULL && seal_can_read(seal))
        rc = seal_read(seal, key_no, label_of(&arena, kind, name), sealed, out, NULL);
    arena_clear(&arena);
    return rc == 0;
}

static void put_sealed(const struct store *store, struct pg_params *params, const char *kind,
                       struct str name, struct str plain)
{
    struct arena arena = { 0 };
    struct buf sealed = { 0 };

    seal_close(store_seal(store), label_of(&arena, kind, name), plain, &sealed);
    pg_put_bytea(params, buf_str(&sealed));
    pg_put_int4(params, seal_key_no(store_seal(store)));
    buf_clear(&sealed);
    arena_clear(&arena);
}

/* Ends the operation when there is nothing to seal with. */
static bool can_seal(struct op *op)
{
    if (store_seal(op->store) != NULL)
        return true;
    (void)err_set(&op->err, ERR_UNAVAILABLE, "this process has no key to seal values with");
    op_fail(op);
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

enum { POOL_NAME, POOL_SLOTS, POOL_DESCRIPTION, POOL_DEFERRED };

static void on_pools(void *owner, const struct pg_outcome *outcome)
{
    struct op *op = owner;
    void (*on_pool)(void *, const struct pool_row *) =
        (void (*)(void *, const struct pool_row *))op->on_row;

    for (uint32_t i = 0; outcome->rc == 0 && i < pg_row_count(outcome->results[0]); i++)
        on_pool(op->owner,
                &(struct pool_row) {
                    .name = pg_get_text(outcome->results[0], i, POOL_NAME),
                    .slots = (int32_t)pg_get_int(outcome->results[0], i, POOL_SLOTS),
                    .description = pg_get_text(outcome->results[0], i, POOL_DESCRIPTION),
                    .include_deferred = pg_get_bool(outcome->results[0], i, POOL_DEFERRED),
                });
    op_end(op, outcome);
}

enum { VARIABLE_KEY, VARIABLE_SEALED, VARIABLE_KEY_NO, VARIABLE_DESCRIPTION, VARIABLE_UPDATED };

static void on_variables(void *owner, const struct pg_outcome *outcome)
{
    struct op *op = owner;
    void (*on_variable)(void *, const struct variable_row *) =
        (void (*)(void *, const struct variable_row *))op->on_row;

    for (uint32_t i = 0; outcome->rc == 0 && i < pg_row_count(outcome->results[0]); i++) {
        const struct pg_result *result = outcome->results[0];
        struct buf plain = { 0 };
        struct variable_row variable = {
            .key = pg_get_text(result, i, VARIABLE_KEY),
            .description = pg_get_text(result, i, VARIABLE_DESCRIPTION),
            .updated_ms = pg_get_time_ms(result, i, VARIABLE_UPDATED),
        };

        variable.is_unreadable =
            !unseal(op->store, "variable", variable.key, pg_get_text(result, i, VARIABLE_SEALED),
                    (int32_t)pg_get_int(result, i, VARIABLE_KEY_NO), &plain);
        variable.value = buf_str(&plain);
        on_variable(op->owner, &variable);
        wipe(&plain);
    }
    op_end(op, outcome);
}

enum {
    CONNECTION_ID,
    CONNECTION_TYPE,
    CONNECTION_DESCRIPTION,
    CONNECTION_HOST,
    CONNECTION_PORT,
    CONNECTION_LOGIN,
    CONNECTION_SCHEMA,
    CONNECTION_SEALED,
    CONNECTION_KEY_NO,
    CONNECTION_UPDATED,
};

/* What is sealed of a connection is one JSON object, so that its row does not tell which of the two
 * it has. */
static bool read_secrets(struct arena *arena, struct str plain, struct connection_row *connection)
{
    const struct value *secrets;

    if (json_parse(arena, plain, NULL, &secrets, NULL) < 0)
        return false;
    connection->password = value_text(value_get(secrets, "password"), STR_EMPTY);
    connection->extra = value_text(value_get(secrets, "extra"), STR_EMPTY);
    return true;
}

static void give_connection(struct op *op, const struct pg_result *result, uint32_t row)
{
    void (*on_connection)(void *, const struct connection_row *) =
        (void (*)(void *, const struct connection_row *))op->on_row;
    struct arena arena = { 0 };
    struct buf plain = { 0 };
    struct connection_row connection = {
        .connection_id = pg_get_text(result, row, CONNECTION_ID),
        .conn_type = pg_get_text(result, row, CONNECTION_TYPE),
        .description = pg_get_text(result, row, CONNECTION_DESCRIPTION),
        .host = pg_get_text(result, row, CONNECTION_HOST),
        .login = pg_get_text(result, row, CONNECTION_LOGIN),
        .schema = pg_get_text(result, row, CONNECTION_SCHEMA),
        .port = (int32_t)pg_get_int(result, row, CONNECTION_PORT),
        .updated_ms = pg_get_time_ms(result, row, CONNECTION_UPDATED),
    };

    connection.is_unreadable =
        !unseal(op->store, "connection", connection.connection_id,
                pg_get_text(result, row, CONNECTION_SEALED),
                (int32_t)pg_get_int(result, row, CONNECTION_KEY_NO), &plain) ||
        !read_secrets(&arena, buf_str(&plain), &connection);
    on_connection(op->owner, &connection);
    wipe(&plain);
    arena_clear(&arena);
}

static void on_connections(void *owner, const struct pg_outcome *outcome)
{
    struct op *op = owner;

    for (uint32_t i = 0; outcome->rc == 0 && i < pg_row_count(outcome->results[0]); i++)
        give_connection(op, outcome->results[0], i);
    op_end(op, outcome);
}

/* `names` NULL: the statement takes none. */
static void read_rows(struct store *store, uint32_t statement, const struct str *names,
                      uint32_t count, void (*on_row)(void),
                      void (*on_result)(void *owner, const struct pg_outcome *outcome),
                      void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, statement, NULL, NULL);

    if (names != NULL)
        pg_put_text_array(params, names, count);
    op->on_row = on_row;
    store_send(store, tx, on_result, op);
}

void store_pools_read(struct store *store,
                      void (*on_pool)(void *owner, const struct pool_row *pool),
                      void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    read_rows(store, SQL_pools_read, NULL, 0, (void (*)(void))on_pool, on_pools, on_end, owner);
}

static const struct str ALL[1]; /* of none */

void store_variables_read(struct store *store,
                          void (*on_variable)(void *owner, const struct variable_row *variable),
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    read_rows(store, SQL_variables_read, ALL, 0, (void (*)(void))on_variable, on_variables, on_end,
              owner);
}

void store_variables_read_some(struct store *store, const struct str *keys, uint32_t count,
                               void (*on_variable)(void *owner,
                                                   const struct variable_row *variable),
                               void (*on_end)(void *owner, int rc, const struct err *err),
                               void *owner)
{
    ASSERT(count > 0);
    read_rows(store, SQL_variables_read, keys, count, (void (*)(void))on_variable, on_variables,
              on_end, owner);
}

void store_connections_read(struct store *store,
                            void (*on_connection)(void *owner,
                                                  const struct connection_row *connection),
                            void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    read_rows(store, SQL_connections_read, ALL, 0, (void (*)(void))on_connection, on_connections,
              on_end, owner);
}

void store_connections_read_some(struct store *store, const struct str *ids, uint32_t count,
                                 void (*on_connection)(void *owner,
                                                       const struct connection_row *connection),
                                 void (*on_end)(void *owner, int rc, const struct err *err),
                                 void *owner)
{
    ASSERT(count > 0);
    read_rows(store, SQL_connections_read, ids, count, (void (*)(void))on_connection,
              on_connections, on_end, owner);
}

/* ---- writing --------------------------------------------------------------------------------- */

void vault_add_pool(struct pg_tx *tx, const struct pool_row *pool)
{
    struct pg_params *params = pg_tx_add(tx, SQL_pool_put, NULL, NULL);

    pg_put_text(params, pool->name);
    pg_put_int4(params, pool->slots);
    pg_put_text(params, pool->description);
    pg_put_bool(params, pool->include_deferred);
}

void store_pool_put(struct store *store, const struct pool_row *pool,
                    void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct pg_tx *tx = pg_tx_new();

    vault_add_pool(tx, pool);
    store_send(store, tx, op_end, op_new(store, on_end, owner));
}

void vault_add_variable(const struct store *store, struct pg_tx *tx,
                        const struct variable_row *variable)
{
    struct pg_params *params = pg_tx_add(tx, SQL_variable_put, NULL, NULL);

    pg_put_text(params, variable->key);
    put_sealed(store, params, "variable", variable->key, variable->value);
    pg_put_text_or_null(params, variable->description);
}

void vault_add_variable_open(struct pg_tx *tx, const struct variable_row *variable)
{
    struct pg_params *params = pg_tx_add(tx, SQL_variable_describe, NULL, NULL);

    pg_put_text(params, variable->key);
    pg_put_text_or_null(params, variable->description);
}

void store_variable_put(struct store *store, const struct variable_row *variable,
                        void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    struct pg_tx *tx;

    if (!can_seal(op))
        return;
    tx = pg_tx_new();
    vault_add_variable(store, tx, variable);
    store_send(store, tx, op_end, op);
}

static struct buf secrets_json(const struct connection_row *connection)
{
    struct buf json = { 0 };

    buf_add_cstr(&json, "{\"password\":");
    json_write_string(&json, connection->password);
    buf_add_cstr(&json, ",\"extra\":");
    json_write_string(&json, connection->extra);
    buf_add_byte(&json, '}');
    return json;
}

static void put_open(struct pg_params *params, const struct connection_row *connection)
{
    pg_put_text(params, connection->connection_id);
    pg_put_text(params, connection->conn_type);
    pg_put_text_or_null(params, connection->description);
    pg_put_text_or_null(params, connection->host);
    if (connection->port != 0)
        pg_put_int4(params, connection->port);
    else
        pg_put_null(params, PG_INT4);
    pg_put_text_or_null(params, connection->login);
    pg_put_text_or_null(params, connection->schema);
}

void vault_add_connection_open(struct pg_tx *tx, const struct connection_row *connection)
{
    put_open(pg_tx_add(tx, SQL_connection_set, NULL, NULL), connection);
}

void vault_add_connection(const struct store *store, struct pg_tx *tx,
                          const struct connection_row *connection)
{
    struct pg_params *params = pg_tx_add(tx, SQL_connection_put, NULL, NULL);
    struct buf secrets = secrets_json(connection);

    put_open(params, connection);
    put_sealed(store, params, "connection", connection->connection_id, buf_str(&secrets));
    wipe(&secrets);
}

void store_connection_put(struct store *store, const struct connection_row *connection,
                          void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    struct pg_tx *tx;

    if (!can_seal(op))
        return;
    tx = pg_tx_new();
    vault_add_connection(store, tx, connection);
    store_send(store, tx, op_end, op);
}

/* ---- removing -------------------------------------------------------------------------------- */

static void delete_one(struct store *store, uint32_t statement, const char *kind, struct str name,
                       void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op = op_new(store, on_end, owner);
    struct pg_tx *tx = pg_tx_new();

    op->rc_when_none = ERR_NOT_FOUND;
    (void)snprintf(op->what, sizeof op->what, "%s %.*s", kind, STR_ARG(name));
    pg_put_text(pg_tx_add(tx, statement, NULL, NULL), name);
    store_send(store, tx, op_end, op);
}

void store_pool_delete(struct store *store, struct str name,
                       void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    struct op *op;

    if (!str_is(name, "default_pool")) {
        delete_one(store, SQL_pool_delete, "pool", name, on_end, owner);
        return;
    }
    op = op_new(store, on_end, owner);
    (void)err_set(&op->err, ERR_FORBIDDEN,
                  "default_pool cannot be deleted: tasks that name no pool use it");
    op_fail(op);
}

void store_variable_delete(struct store *store, struct str key,
                           void (*on_end)(void *owner, int rc, const struct err *err), void *owner)
{
    delete_one(store, SQL_variable_delete, "variable", key, on_end, owner);
}

void store_connection_delete(struct store *store, struct str connection_id,
                             void (*on_end)(void *owner, int rc, const struct err *err),
                             void *owner)
{
    delete_one(store, SQL_connection_delete, "connection", connection_id, on_end, owner);
}
