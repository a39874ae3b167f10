// SPDX-License-Identifier: Apache-2.0
#include "tests/support/store_world.h"

#include "common/store/schema.h"
#include "tests/support/test.h"

#include <unistd.h>

const char *store_world_database(void)
{
    static const char *template;
    struct err err = { 0 };

    if (template == NULL) {
        template = pg_server_make_database(NULL);
        if (store_migrate(template, 128, NULL, NULL, &err) < 0)
            fail_msg("migrating: %s", err.sentence);
    }
    return pg_server_make_database(pg_server_database(template));
}

static void on_state(struct store *store, bool is_up, const struct err *err)
{
    struct store_world *world = store_owner(store);

    (void)err;
    world->is_up = is_up;
    *(is_up ? &world->ups : &world->downs) += 1;
}

static void open_on(struct store_world *world, const char *conninfo)
{
    struct store_options options = { .application_name = "test",
                                     .is_writing = true,
                                     .readers = 2,
                                     .on_state = on_state,
                                     .owner = world };
    struct err err = { 0 };
    char key_path[128];

    *world = (struct store_world) { .conninfo = conninfo };
    (void)snprintf(world->folder, sizeof world->folder, "/tmp/store_world_XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(key_path, sizeof key_path, "%s/secret.key", world->folder);
    if (seal_open(&world->seal, key_path, &err) < 0 || loop_new(&world->loop, &err) < 0)
        fail_msg("%s", err.sentence);
    options.conninfo = conninfo;
    options.seal = world->seal;
    if (store_open(&world->store, world->loop, &options, &err) < 0 ||
        pg_sync_open(&world->sync, conninfo, &err) < 0)
        fail_msg("%s", err.sentence);
    store_world_wait(world, &world->is_up);
}

void store_world_open(struct store_world *world)
{
    open_on(world, store_world_database());
}

void store_world_join(struct store_world *world, const struct store_world *other)
{
    open_on(world, other->conninfo);
}

static void on_closed(void *owner)
{
    *(bool *)owner = true;
}

void store_world_close(struct store_world *world)
{
    static const char *const files[] = { "secret.key", "secret.pub" };
    bool is_closed = false;
    char path[128];

    if (world->store != NULL) {
        store_close(world->store, on_closed, &is_closed);
        store_world_wait(world, &is_closed);
    }
    loop_free(world->loop);
    pg_sync_close(world->sync);
    seal_free(world->seal);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", world->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(world->folder);
}

void store_world_wait(struct store_world *world, const bool *done)
{
    if (!loop_run_until(world->loop, done, 10000))
        fail_msg("it did not happen within ten seconds");
}

struct leading {
    struct store_world *world;
    bool done;
};

static void on_lease(void *owner, const struct store_lease *lease)
{
    struct leading *leading = owner;

    if (lease->rc < 0)
        fail_msg("taking the lease: %s", lease->err->sentence);
    leading->world->epoch = lease->epoch;
    leading->done = true;
}

void store_world_lead(struct store_world *world)
{
    struct leading leading = { .world = world };

    store_lease_try(world->store, "test", 15000, on_lease, &leading);
    store_world_wait(world, &leading.done);
}

struct applying {
    int rc;
    struct err *err;
    bool done;
};

static void on_applied(void *owner, const struct store_applied *applied)
{
    struct applying *applying = owner;

    applying->rc = applied->rc;
    if (applying->err != NULL)
        *applying->err = *applied->err;
    applying->done = true;
}

int store_world_apply(struct store_world *world, const struct record *records, uint32_t count,
                      struct err *err)
{
    struct applying applying = { .err = err };

    store_apply(world->store, world->epoch, records, count, on_applied, &applying);
    store_world_wait(world, &applying.done);
    return applying.rc;
}

int64_t store_world_int(struct store_world *world, const char *sql)
{
    struct pg_result *result;
    struct err err = { 0 };
    int64_t number;

    if (pg_sync_query(world->sync, sql, NULL, &result, &err) < 0)
        fail_msg("%s: %s", sql, err.sentence);
    if (pg_row_count(result) != 1)
        fail_msg("%s: %u rows", sql, pg_row_count(result));
    number = pg_get_int(result, 0, 0);
    pg_result_free(result);
    return number;
}

const char *store_world_text(struct store_world *world, const char *sql)
{
    static char text[4096];
    struct pg_result *result;
    struct err err = { 0 };

    if (pg_sync_query(world->sync, sql, NULL, &result, &err) < 0)
        fail_msg("%s: %s", sql, err.sentence);
    if (pg_row_count(result) != 1)
        fail_msg("%s: %u rows", sql, pg_row_count(result));
    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(pg_get_text(result, 0, 0)));
    pg_result_free(result);
    return text;
}
