// SPDX-License-Identifier: Apache-2.0
#include "common/model/request.h"

#include "tests/support/test.h"

static void a_request_is_read_back_as_written(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct request_task tasks[] = { { STR("a"), MAP_INDEX_ALL }, { STR("b"), 3 } };
    struct value *conf = value_map(&arena);
    value_put(&arena, conf, STR("n"), value_int(&arena, 3));
    struct request request = { .kind = REQUEST_CLEAR,
                               .actor = STR("ann"),
                               .dag_id = STR("d"),
                               .run_id = STR("r"),
                               .note = STR_EMPTY,
                               .pool = STR_EMPTY,
                               .what = STR_EMPTY,
                               .tasks = tasks,
                               .task_count = 2,
                               .only_failed = true,
                               .include_downstream = true,
                               .has_logical = true,
                               .conf = conf,
                               .run_state = RUN_FAILED,
                               .task_state = TASK_SUCCESS,
                               .slots = -1 };
    struct str json = request_write(&request, &arena);
    struct request again;
    assert_int_equal(request_parse(json, &arena, &again, NULL), 0);
    assert_int_equal(again.kind, REQUEST_CLEAR);
    assert_str(again.actor, "ann");
    assert_int_equal(again.task_count, 2);
    assert_int_equal(again.tasks[1].map_index, 3);
    assert_true(again.only_failed && again.include_downstream && again.has_logical &&
                !again.whole_run);
    assert_int_equal(again.run_state, RUN_FAILED);
    assert_int_equal(again.task_state, TASK_SUCCESS);
    assert_int_equal(again.slots, -1);
    assert_true(value_eq(again.conf, conf));
    arena_clear(&arena);
}

static void a_body_that_does_not_fit_is_named(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct request request;
    struct err err = { 0 };
    assert_int_equal(request_parse(STR("{\"kind\":\"fly\"}"), &arena, &request, &err), ERR_INVALID);
    assert_string_equal(err.sentence, "there is no kind of request \"fly\"");
    assert_int_equal(
        request_parse(STR("{\"kind\":\"pause\",\"paused\":\"yes\"}"), &arena, &request, &err),
        ERR_INVALID);
    assert_string_equal(err.sentence, "field paused does not fit");
    assert_int_equal(request_parse(STR("[1]"), &arena, &request, &err), ERR_INVALID);
    assert_int_equal(
        request_parse(STR("{\"kind\":\"clear\",\"tasks\":[{}]}"), &arena, &request, &err),
        ERR_INVALID);
    arena_clear(&arena);
}

TESTS(CASE(a_request_is_read_back_as_written), CASE(a_body_that_does_not_fit_is_named))
