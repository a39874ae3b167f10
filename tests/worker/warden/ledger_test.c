// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test.h"
#include "worker/warden/ledger.h"

#include <fcntl.h>
#include <unistd.h>

struct fixture {
    char folder[32];
    int dir_fd;
    struct ledger ledger;
};

static const struct id128 boot = { 1, 1 }, other_boot = { 1, 2 };

static void reopen(struct fixture *fixture, struct id128 this_boot)
{
    struct err err = { 0 };

    ledger_close(&fixture->ledger);
    if (ledger_open(&fixture->ledger, fixture->dir_fd, this_boot, &err) < 0)
        fail_msg("%s", err.sentence);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/headrace-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->dir_fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->ledger.journal.fd = -1;
    reopen(fixture, boot);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[64];

    ledger_close(&fixture->ledger);
    close(fixture->dir_fd);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static struct id128 id_of(uint64_t number)
{
    return (struct id128) { 5, number };
}

static void start(struct fixture *fixture, uint64_t number)
{
    struct tree_leftover process = { (pid_t)number, 100, 200 };

    ledger_started(&fixture->ledger, id_of(number), &process, 1000);
}

static void flush(struct fixture *fixture)
{
    assert_int_equal(ledger_flush(&fixture->ledger, NULL), 0);
}

static uint32_t send_all(struct fixture *fixture, struct buf *out)
{
    uint32_t count = 0;

    while (ledger_next_unsent(&fixture->ledger, out))
        count++;
    return count;
}

static void the_next_warden_knows_what_ran_and_what_ended(void **state)
{
    struct fixture *fixture = *state;
    struct buf out = { 0 };

    start(fixture, 1);
    start(fixture, 2);
    start(fixture, 3);
    ledger_ended(&fixture->ledger, id_of(2), STR("frame of two"), true);
    ledger_ended(&fixture->ledger, id_of(3), STR("frame of three"), true);
    ledger_forget(&fixture->ledger, id_of(3));
    flush(fixture);
    reopen(fixture, boot);
    assert_false(ledger_find(&fixture->ledger, id_of(1))->ended);
    assert_true(ledger_find(&fixture->ledger, id_of(1))->this_boot);
    assert_int_equal(ledger_find(&fixture->ledger, id_of(1))->process.to_ms, 200);
    assert_true(ledger_find(&fixture->ledger, id_of(2))->ended);
    assert_null(ledger_find(&fixture->ledger, id_of(3)));
    assert_int_equal(send_all(fixture, &out), 1);
    assert_str(buf_str(&out), "frame of two");
    buf_clear(&out);
}

static void another_boot_means_that_nothing_runs(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, 1);
    flush(fixture);
    reopen(fixture, other_boot);
    assert_false(ledger_find(&fixture->ledger, id_of(1))->this_boot);
    start(fixture, 2);
    flush(fixture);
    reopen(fixture, other_boot);
    assert_false(ledger_find(&fixture->ledger, id_of(1))->this_boot);
    assert_true(ledger_find(&fixture->ledger, id_of(2))->this_boot);
}

static void a_result_is_sent_once_and_again_to_a_new_worker(void **state)
{
    struct fixture *fixture = *state;
    struct buf out = { 0 };

    start(fixture, 1);
    ledger_ended(&fixture->ledger, id_of(1), STR("x"), false);
    flush(fixture);
    assert_int_equal(send_all(fixture, &out), 1);
    assert_int_equal(send_all(fixture, &out), 0);
    ledger_send_again(&fixture->ledger);
    assert_int_equal(send_all(fixture, &out), 1);
    ledger_forget(&fixture->ledger, id_of(1));
    ledger_send_again(&fixture->ledger);
    assert_int_equal(send_all(fixture, &out), 0);
    buf_clear(&out);
}

static void the_file_stays_small_and_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    char large[4000];
    struct buf out = { 0 };
    int64_t largest = 0;

    memset(large, 'x', sizeof large);
    start(fixture, 1);
    start(fixture, 2);
    ledger_ended(&fixture->ledger, id_of(2), STR("kept"), true);
    for (uint64_t number = 10; number < 5000; number++) {
        start(fixture, number);
        ledger_ended(&fixture->ledger, id_of(number), (struct str) { large, sizeof large }, true);
        ledger_forget(&fixture->ledger, id_of(number));
        flush(fixture);
        if (fixture->ledger.journal.written > largest)
            largest = fixture->ledger.journal.written;
    }
    assert_true(largest < 8 << 20);
    for (int i = 0; i < 2; i++) {
        assert_false(ledger_find(&fixture->ledger, id_of(1))->ended);
        ledger_send_again(&fixture->ledger);
        buf_reset(&out);
        assert_int_equal(send_all(fixture, &out), 1);
        assert_str(buf_str(&out), "kept");
        reopen(fixture, boot);
        assert_true(ledger_find(&fixture->ledger, id_of(1))->this_boot);
    }
    buf_clear(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(TEST(the_next_warden_knows_what_ran_and_what_ended),
      TEST(another_boot_means_that_nothing_runs),
      TEST(a_result_is_sent_once_and_again_to_a_new_worker),
      TEST(the_file_stays_small_and_loses_nothing))
