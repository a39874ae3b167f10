// SPDX-License-Identifier: Apache-2.0
#include "common/store/vault.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

static struct store_world world;

struct answer {
    int rc;
    char sentence[256];
    char seen[1024]; /* what rows were given, one after the other */
    bool done;
};

static void see(struct answer *answer, const char *format, ...)
{
    size_t used = strlen(answer->seen);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(answer->seen + used, sizeof answer->seen - used, format, args);
    va_end(args);
}

static void on_end(void *owner, int rc, const struct err *err)
{
    struct answer *answer = owner;

    answer->rc = rc;
    (void)snprintf(answer->sentence, sizeof answer->sentence, "%s", err->sentence);
    answer->done = true;
}

static void on_pool(void *owner, const struct pool_row *pool)
{
    see(owner, "%.*s=%d%s ", STR_ARG(pool->name), pool->slots, pool->include_deferred ? "+" : "");
}

static void on_variable(void *owner, const struct variable_row *variable)
{
    see(owner, "%.*s=%.*s%s (%.*s) ", STR_ARG(variable->key), STR_ARG(variable->value),
        variable->is_unreadable ? "?" : "", STR_ARG(variable->description));
}

static void on_connection(void *owner, const struct connection_row *connection)
{
    see(owner, "%.*s: %.*s %.*s:%d %.*s/%.*s@%.*s %.*s%s ", STR_ARG(connection->connection_id),
        STR_ARG(connection->conn_type), STR_ARG(connection->host), connection->port,
        STR_ARG(connection->login), STR_ARG(connection->password), STR_ARG(connection->schema),
        STR_ARG(connection->extra), connection->is_unreadable ? "?" : "");
}

#define CALL(answer, function, ...)                                                                \
    do {                                                                                           \
        (answer) = (struct answer) { 0 };                                                          \
        function(world.store, __VA_ARGS__, on_end, &(answer));                                     \
        store_world_wait(&world, &(answer).done);                                                  \
    } while (0)

static const struct connection_row warehouse = {
    .connection_id = { "warehouse", 9 },
    .conn_type = { "postgres", 8 },
    .description = { "", 0 },
    .host = { "db.local", 8 },
    .port = 5432,
    .login = { "etl", 3 },
    .schema = { "facts", 5 },
    .password = { "s3cret", 6 },
    .extra = { "{\"sslmode\": \"require\"}", 22 },
};

static void pools_are_put_read_and_deleted(void **state)
{
    struct pool_row pool = {
        .name = STR("gpu"), .slots = 2, .description = STR("cards"), .include_deferred = true
    };
    struct answer answer;

    (void)state;
    CALL(answer, store_pool_put, &pool);
    assert_int_equal(answer.rc, 0);
    CALL(answer, store_pools_read, on_pool);
    assert_string_equal(answer.seen, "default_pool=128 gpu=2+ ");
    pool.slots = -1;
    pool.include_deferred = false;
    CALL(answer, store_pool_put, &pool);
    CALL(answer, store_pools_read, on_pool);
    assert_string_equal(answer.seen, "default_pool=128 gpu=-1 ");
    CALL(answer, store_pool_delete, STR("gpu"));
    assert_int_equal(answer.rc, 0);
    CALL(answer, store_pools_read, on_pool);
    assert_string_equal(answer.seen, "default_pool=128 ");
}

static void a_pool_with_senseless_slots_is_refused(void **state)
{
    struct pool_row pool = { .name = STR("bad"), .slots = -2, .description = STR_EMPTY };
    struct answer answer;

    (void)state;
    CALL(answer, store_pool_put, &pool);
    assert_int_equal(answer.rc, ERR_INVALID);
}

static void the_default_pool_stays(void **state)
{
    struct answer answer;

    (void)state;
    CALL(answer, store_pool_delete, STR("default_pool"));
    assert_int_equal(answer.rc, ERR_FORBIDDEN);
    CALL(answer, store_pools_read, on_pool);
    assert_string_equal(answer.seen, "default_pool=128 ");
}

static void what_is_not_there_cannot_be_deleted(void **state)
{
    struct answer answer;

    (void)state;
    CALL(answer, store_pool_delete, STR("none"));
    assert_int_equal(answer.rc, ERR_NOT_FOUND);
    CALL(answer, store_variable_delete, STR("none"));
    assert_int_equal(answer.rc, ERR_NOT_FOUND);
    assert_string_equal(answer.sentence, "there is no variable none");
    CALL(answer, store_connection_delete, STR("none"));
    assert_int_equal(answer.rc, ERR_NOT_FOUND);
}

static void a_variable_is_sealed_in_the_table_and_read_by_the_scheduler(void **state)
{
    struct variable_row variable = { .key = STR("token"),
                                     .value = STR("hunter2"),
                                     .description = STR("of the API") };
    struct answer answer;

    (void)state;
    CALL(answer, store_variable_put, &variable);
    assert_int_equal(answer.rc, 0);
    assert_int_equal(
        store_world_int(&world, "SELECT position('hunter2'::bytea IN sealed) FROM variable"), 0);
    CALL(answer, store_variables_read, on_variable);
    assert_string_equal(answer.seen, "token=hunter2 (of the API) ");
    variable.value = STR("changed");
    CALL(answer, store_variable_put, &variable);
    CALL(answer, store_variables_read, on_variable);
    assert_string_equal(answer.seen, "token=changed (of the API) ");
    CALL(answer, store_variable_delete, STR("token"));
    CALL(answer, store_variables_read, on_variable);
    assert_string_equal(answer.seen, "");
}

static void a_connection_keeps_its_password_and_extra_sealed(void **state)
{
    struct answer answer;

    (void)state;
    CALL(answer, store_connection_put, &warehouse);
    assert_int_equal(answer.rc, 0);
    assert_int_equal(
        store_world_int(&world,
                        "SELECT count(*) FROM connection WHERE host = 'db.local' AND port = 5432"
                        " AND position('s3cret'::bytea IN sealed) = 0 AND "
                        "position('sslmode'::bytea IN sealed) = 0"),
        1);
    CALL(answer, store_connections_read, on_connection);
    assert_string_equal(
        answer.seen,
        "warehouse: postgres db.local:5432 etl/s3cret@facts {\"sslmode\": \"require\"} ");
    CALL(answer, store_connection_delete, STR("warehouse"));
    assert_int_equal(answer.rc, 0);
}

static void a_secret_moved_to_another_row_is_unreadable(void **state)
{
    struct variable_row variable = { .key = STR("public"),
                                     .value = STR("hunter2"),
                                     .description = STR_EMPTY };
    struct answer answer;

    (void)state;
    CALL(answer, store_variable_put, &variable);
    (void)store_world_int(&world, "UPDATE variable SET key = 'other' RETURNING 1");
    CALL(answer, store_variables_read, on_variable);
    assert_string_equal(answer.seen, "other=? () ");
    CALL(answer, store_variable_delete, STR("other"));
}

static void on_closed(void *owner)
{
    *(bool *)owner = true;
}

static void without_a_key_nothing_is_sealed_and_everything_unreadable(void **state)
{
    struct variable_row variable = { .key = STR("x"), .value = STR("v"), .description = STR_EMPTY };
    struct store_options options = { .conninfo = world.conninfo, .readers = 1 };
    struct store *keyed = world.store, *bare;
    bool is_closed = false;
    struct answer answer;

    (void)state;
    CALL(answer, store_variable_put, &variable);
    assert_int_equal(store_open(&bare, world.loop, &options, NULL), 0);
    while (!store_is_up(bare))
        (void)loop_run_until(world.loop, &(bool) { false }, 5);
    world.store = bare;
    CALL(answer, store_variables_read, on_variable);
    assert_string_equal(answer.seen, "x=? () ");
    CALL(answer, store_variable_put, &variable);
    assert_int_equal(answer.rc, ERR_UNAVAILABLE);
    CALL(answer, store_connection_put, &warehouse);
    assert_int_equal(answer.rc, ERR_UNAVAILABLE);
    world.store = keyed;
    store_close(bare, on_closed, &is_closed);
    store_world_wait(&world, &is_closed);
}

static int start_world(void **state)
{
    (void)state;
    store_world_open(&world);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    store_world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(pools_are_put_read_and_deleted),
        CASE(a_pool_with_senseless_slots_is_refused),
        CASE(the_default_pool_stays),
        CASE(what_is_not_there_cannot_be_deleted),
        CASE(a_variable_is_sealed_in_the_table_and_read_by_the_scheduler),
        CASE(a_connection_keeps_its_password_and_extra_sealed),
        CASE(a_secret_moved_to_another_row_is_unreadable),
        CASE(without_a_key_nothing_is_sealed_and_everything_unreadable),
    };

    return cmocka_run_group_tests(tests, start_world, end_world);
}
