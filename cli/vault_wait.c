// SPDX-License-Identifier: Apache-2.0
#include "cli/vault_wait.h"

#include "common/base/assert.h"
#include "common/store/seal.h"

#include <stdlib.h>

enum { WAIT_MS = 30000 };

struct vault_wait {
    struct loop *loop;
    struct seal *seal;
    struct store *store;
    bool is_up, has_ended, is_closed;
    int rc;
    struct err err;
    void (*on_connection)(void *owner, const struct connection_row *connection);
    void *owner;
};

static void on_state(struct store *store, bool is_up, const struct err *err)
{
    struct vault_wait *vault = store_owner(store);
    vault->is_up = is_up;
    if (!is_up && err != NULL)
        vault->err = *err;
}

static void on_end(void *owner, int rc, const struct err *err)
{
    struct vault_wait *vault = owner;
    vault->rc = rc;
    if (rc < 0 && err != NULL)
        vault->err = *err;
    vault->has_ended = true;
}

static int wait_end(struct vault_wait *vault, struct err *err)
{
    if (!loop_run_until(vault->loop, &vault->has_ended, WAIT_MS))
        return err_set(err, ERR_TIMEOUT, "the database does not answer");
    vault->has_ended = false;
    if (vault->rc < 0 && err != NULL)
        *err = vault->err;
    return vault->rc;
}

int vault_wait_open(struct vault_wait **out, const char *conninfo, const char *key_path,
                    struct err *err)
{
    struct vault_wait *vault = calloc(1, sizeof *vault);
    ASSERT(vault != NULL);
    int rc = seal_open(&vault->seal, key_path, err);
    if (rc == 0)
        rc = loop_new(&vault->loop, err);
    if (rc == 0) {
        struct store_options options = { .conninfo = conninfo,
                                         .application_name = "headrace",
                                         .seal = vault->seal,
                                         .readers = 1,
                                         .on_state = on_state,
                                         .owner = vault };
        rc = store_open(&vault->store, vault->loop, &options, err);
    }
    if (rc == 0 && !loop_run_until(vault->loop, &vault->is_up, WAIT_MS))
        rc = err_set(err, ERR_TIMEOUT, "the database does not answer: %s", vault->err.sentence);
    if (rc < 0)
        vault_wait_close(vault);
    else
        *out = vault;
    return rc;
}

static void on_closed(void *owner)
{
    ((struct vault_wait *)owner)->is_closed = true;
}

void vault_wait_close(struct vault_wait *vault)
{
    if (vault == NULL)
        return;
    if (vault->store != NULL) {
        store_close(vault->store, on_closed, vault);
        (void)loop_run_until(vault->loop, &vault->is_closed, WAIT_MS);
    }
    loop_free(vault->loop);
    seal_free(vault->seal);
    free(vault);
}

int vault_wait_put_variable(struct vault_wait *vault, const struct variable_row *variable,
                            struct err *err)
{
    store_variable_put(vault->store, variable, on_end, vault);
    return wait_end(vault, err);
}

int vault_wait_put_connection(struct vault_wait *vault, const struct connection_row *connection,
                              struct err *err)
{
    store_connection_put(vault->store, connection, on_end, vault);
    return wait_end(vault, err);
}

static void on_connection(void *owner, const struct connection_row *connection)
{
    struct vault_wait *vault = owner;
    vault->on_connection(vault->owner, connection);
}

int vault_wait_connections(struct vault_wait *vault,
                           void (*on_each)(void *owner, const struct connection_row *connection),
                           void *owner, struct err *err)
{
    vault->on_connection = on_each;
    vault->owner = owner;
    store_connections_read(vault->store, on_connection, on_end, vault);
    return wait_end(vault, err);
}
