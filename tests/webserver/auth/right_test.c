// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/right.h"

#include "tests/support/test.h"

static void a_role_has_all_that_the_roles_before_it_have(void **state)
{
    (void)state;
    for (int right = 0; right < RIGHT_COUNT; right++)
        for (int role = ROLE_PUBLIC; role < ROLE_ADMIN; role++)
            if (role_has((enum role)role, (enum right)right))
                assert_true(role_has((enum role)(role + 1), (enum right)right));
    for (int right = 0; right < RIGHT_COUNT; right++) {
        assert_true(role_has(ROLE_ADMIN, (enum right)right));
        assert_int_equal(role_has(ROLE_NONE, (enum right)right), right == RIGHT_ANYBODY);
    }
}

static void a_viewer_looks_a_user_runs_an_op_keeps_an_admin_decides_who(void **state)
{
    (void)state;
    assert_true(role_has(ROLE_VIEWER, RIGHT_READ));
    assert_false(role_has(ROLE_VIEWER, RIGHT_RUNS_TRIGGER));
    assert_true(role_has(ROLE_USER, RIGHT_TASKS_EDIT));
    assert_false(role_has(ROLE_USER, RIGHT_VARIABLES_READ));
    assert_true(role_has(ROLE_OP, RIGHT_WORKERS_EDIT));
    assert_false(role_has(ROLE_OP, RIGHT_USERS_EDIT));
    struct buf out = { 0 };
    rights_write(&out, ROLE_VIEWER, RIGHTS_ALL);
    assert_string_equal(out.bytes, "[\"read\",\"logs.read\"]");
    buf_clear(&out);
}

static void roles_are_read_in_any_case(void **state)
{
    (void)state;
    enum role role;
    assert_int_equal(role_parse(STR("op"), &role), 0);
    assert_int_equal(role, ROLE_OP);
    assert_int_equal(role_parse(STR("ADMIN"), &role), 0);
    assert_string_equal(role_name(role), "Admin");
    assert_int_equal(role_parse(STR("root"), &role), ERR_INVALID);
    assert_int_equal(role_parse(STR("None"), &role), ERR_INVALID);
}

TESTS(CASE(a_role_has_all_that_the_roles_before_it_have),
      CASE(a_viewer_looks_a_user_runs_an_op_keeps_an_admin_decides_who),
      CASE(roles_are_read_in_any_case))
