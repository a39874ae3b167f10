// SPDX-License-Identifier: Apache-2.0
#include "common/store/store.h"

#include "common/loop/loop.h"
#include "tests/support/test.h"

struct told {
    int downs;
    bool is_down;
    char why[256];
};

static void on_state(struct store *store, bool is_up, const struct err *err)
{
    struct told *told = store_owner(store);
    assert_false(is_up);
    told->downs++;
    told->is_down = true;
    snprintf(told->why, sizeof told->why, "%s", err->sentence);
}

static void on_closed(void *owner)
{
    *(bool *)owner = true;
}

static void a_database_that_cannot_be_reached_at_first_is_told_of_once(void **state)
{
    (void)state;
    struct told told = { 0 };
    struct loop *loop;
    struct store *store;
    bool is_closed = false;
    struct store_options options = { .conninfo = "host=/nowhere/to/be/found dbname=none",
                                     .application_name = "test",
                                     .readers = 3, /* none of which reaches it */
                                     .on_state = on_state,
                                     .owner = &told };
    assert_int_equal(loop_new(&loop, NULL), 0);
    assert_int_equal(store_open(&store, loop, &options, NULL), 0);
    assert_true(loop_run_until(loop, &told.is_down, 60000));
    store_close(store, on_closed, &is_closed);
    assert_true(loop_run_until(loop, &is_closed, 60000));
    loop_free(loop);
    assert_int_equal(told.downs, 1);
    assert_non_null(strstr(told.why, "/nowhere/to/be/found"));
}

TESTS(CASE(a_database_that_cannot_be_reached_at_first_is_told_of_once))
