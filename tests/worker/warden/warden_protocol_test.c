// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test.h"
#include "worker/warden/warden_protocol.h"

static struct warden_message start_message(void)
{
    static struct str argv[] = { { "sh", 2 }, { "", 0 } }, env[] = { { "A=1", 3 } },
                      secrets[] = { { "hush!", 5 } };

    return (struct warden_message) { .type = WARDEN_START,
                                     .attempt = { 1, 2 },
                                     .deadline_ms = 3,
                                     .task = { .argv = argv,
                                               .argv_count = 2,
                                               .env = env,
                                               .env_count = 1,
                                               .input = STR("in"),
                                               .cwd = STR("/c"),
                                               .run_as_user = STR("u"),
                                               .secrets = secrets,
                                               .secret_count = 1,
                                               .output_rule = 1,
                                               .max_output_bytes = 4,
                                               .timeout_ms = 5,
                                               .kill_grace_ms = 6,
                                               .skip_exit_code = -1,
                                               .cpu_milli = 7,
                                               .memory_bytes = 8,
                                               .pids_max = 9,
                                               .max_log_bytes = 10 } };
}

static void a_start_comes_back_as_it_was(void **state)
{
    struct warden_message in = start_message(), out;
    struct buf bytes = { 0 };
    struct arena arena = { 0 };
    struct str frame;

    (void)state;
    warden_encode(&bytes, &in);
    buf_add_cstr(&bytes, "next");
    assert_int_equal(warden_frame(buf_str(&bytes), &frame, NULL), 0);
    assert_int_equal(frame.size, bytes.size - 4);
    assert_int_equal(warden_decode(&arena, frame, &out, NULL), 0);
    assert_int_equal(out.type, WARDEN_START);
    assert_true(id_eq(out.attempt, in.attempt));
    assert_int_equal(out.task.argv_count, 2);
    assert_str(out.task.argv[0], "sh");
    assert_str(out.task.env[0], "A=1");
    assert_str(out.task.secrets[0], "hush!");
    assert_str(out.task.run_as_user, "u");
    assert_int_equal(out.task.skip_exit_code, -1);
    assert_int_equal(out.task.max_log_bytes, 10);
    buf_clear(&bytes);
    arena_clear(&arena);
}

static void a_result_comes_back_as_it_was(void **state)
{
    struct warden_message in = { .type = WARDEN_ENDED,
                                 .result = { .outcome = 1,
                                             .exit_code = -9,
                                             .started_unix_ms = 2,
                                             .ended_unix_ms = 3,
                                             .output = STR("[1]"),
                                             .error = STR("why"),
                                             .hard = true,
                                             .cpu_ms = 4,
                                             .memory_peak_bytes = 5,
                                             .log_bytes = 6 } },
                          out;
    struct buf bytes = { 0 };
    struct arena arena = { 0 };

    (void)state;
    warden_encode(&bytes, &in);
    assert_int_equal(warden_decode(&arena, buf_str(&bytes), &out, NULL), 0);
    assert_int_equal(out.result.exit_code, -9);
    assert_str(out.result.output, "[1]");
    assert_str(out.result.error, "why");
    assert_true(out.result.hard);
    assert_int_equal(out.result.log_bytes, 6);
    buf_clear(&bytes);
    arena_clear(&arena);
}

static void a_message_cut_anywhere_is_refused_or_reads_as_shorter(void **state)
{
    struct warden_message in = start_message(), out;
    struct buf bytes = { 0 };
    struct arena arena = { 0 };

    (void)state;
    warden_encode(&bytes, &in);
    for (size_t size = 21; size < bytes.size; size++) {
        if (warden_decode(&arena, str_slice(buf_str(&bytes), 0, size), &out, NULL) == 0)
            assert_true(out.task.argv_count == 0 || out.task.argv_count == 2);
        arena_reset(&arena);
    }
    buf_clear(&bytes);
    arena_clear(&arena);
}

static void a_frame_that_claims_too_much_is_refused(void **state)
{
    struct str frame;

    (void)state;
    assert_int_equal(warden_frame(STR("\xff\xff\xff\x7f"), &frame, NULL), ERR_PROTOCOL);
    assert_int_equal(warden_frame(STR("\x01\x00\x00\x00x"), &frame, NULL), ERR_PROTOCOL);
    assert_int_equal(warden_frame(STR("\x20\x00\x00\x00too short"), &frame, NULL), 0);
    assert_int_equal(frame.size, 0);
}

/* A list that claims more items than its bytes could hold must not cost memory for them. */
static void a_list_that_claims_too_much_is_refused(void **state)
{
    struct warden_message in = start_message(), out;
    struct buf bytes = { 0 };
    struct arena arena = { 0 };

    (void)state;
    warden_encode(&bytes, &in);
    memcpy(bytes.bytes + 4 + 17 + 8, "\xff\xff\x00\x00", 4);
    assert_int_equal(warden_decode(&arena, buf_str(&bytes), &out, NULL), ERR_PROTOCOL);
    assert_true(arena.total < 4096);
    buf_clear(&bytes);
    arena_clear(&arena);
}

TESTS(CASE(a_start_comes_back_as_it_was), CASE(a_result_comes_back_as_it_was),
      CASE(a_message_cut_anywhere_is_refused_or_reads_as_shorter),
      CASE(a_frame_that_claims_too_much_is_refused), CASE(a_list_that_claims_too_much_is_refused))
