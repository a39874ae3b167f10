// SPDX-License-Identifier: Apache-2.0
/* A real worker with its real warden, opposite a scheduler and a log intake that the test plays. */
#include "tests/support/fake_scheduler.h"
#include "tests/support/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    static struct fake_scheduler fake;

    fake_scheduler_open(&fake);
    fake_scheduler_launch(&fake, "--worker.pass_env=PASSED_ON,HOME");
    *state = &fake;
    return 0;
}

static int teardown(void **state)
{
    fake_scheduler_close(*state);
    return 0;
}

static bool has_inventory(struct fake_scheduler *fake)
{
    return fake->inventories > 0;
}

static struct id128 watched;
static uint64_t old_incarnation;

static bool is_started(struct fake_scheduler *fake)
{
    const struct fake_result *result = fake_scheduler_find(fake, watched);

    return result != NULL && result->started > 0;
}

static bool is_forgotten(struct fake_scheduler *fake)
{
    return !fake_scheduler_lists(fake, watched);
}

static bool is_new_incarnation(struct fake_scheduler *fake)
{
    return fake->inventory.incarnation > old_incarnation;
}

/* One of the three slots is taken. */
static bool has_two_credits(struct fake_scheduler *fake)
{
    return fake->open.count == 2;
}

static bool has_all_credits(struct fake_scheduler *fake)
{
    return fake->open.count == 3;
}

static bool has_no_credits(struct fake_scheduler *fake)
{
    return fake->open.count == 0 && fake->inventories > 0;
}

static const char *path_in_home(struct fake_scheduler *fake, const char *name)
{
    return str_format(&fake->arena, "%s/%s", fake->home, name).bytes;
}

static const char *log_path(struct fake_scheduler *fake, struct id128 attempt)
{
    char name[ID_TEXT_SIZE];

    id_text(attempt, name);
    return str_format(&fake->arena, "%s/worker/attempts/%s/log", fake->home, name).bytes;
}

static bool log_is_gone(struct fake_scheduler *fake)
{
    return access(log_path(fake, watched), F_OK) < 0;
}

static void await_start(struct fake_scheduler *fake, struct id128 attempt)
{
    watched = attempt;
    fake_scheduler_until(fake, is_started, "the start of an attempt");
}

static void a_worker_says_who_it_is_and_what_it_offers(void **state)
{
    struct fake_scheduler *fake = *state;

    fake_scheduler_until(fake, has_all_credits,
                         "credits"); /* an inventory of the start may have none yet */
    assert_str(fake->inventory.name, "w 1");
    assert_str(fake->inventory.queues, "default");
    assert_int_equal(strncmp(fake->worker, "w_1-", 4), 0);
    assert_int_equal(fake->inventory.slots, 3);
    assert_int_equal(fake->open.count, 3);
    assert_false(id_is_zero(fake->inventory.boot));
    assert_false(fake->inventory.leaving);
}

static bool tells_its_load(struct fake_scheduler *fake)
{
    return fake->inventory.load.memory_total_bytes > 0;
}

static void a_worker_tells_how_busy_its_machine_is(void **state)
{
    struct fake_scheduler *fake = *state;
    const struct machine_load *load = &fake->inventory.load;

    fake_scheduler_until(fake, tells_its_load, "an inventory with a load");
    assert_true(load->memory_used_bytes > 1 << 20); /* at least what this test uses */
    assert_true(load->memory_used_bytes < load->memory_total_bytes);
    assert_true(load->memory_total_bytes <= sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGE_SIZE));
    assert_in_range(load->cpu_permille, 0, 1000);
}

static void a_granted_task_runs_and_its_result_carries_a_new_credit(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 attempt =
        fake_scheduler_grant(fake, "echo \"$PASSED_ON $FROM_SPEC $HEADRACE_HOME.\"; exit 0");
    const struct result *result = fake_scheduler_wait(fake, attempt);

    assert_int_equal(result->outcome, OUTCOME_SUCCESS);
    assert_str(result->output, "\"yes 1 .\"");
    assert_int_equal(fake->open.count, 3);
    assert_non_null(strstr(fake_scheduler_wait_log(fake, attempt)->text.bytes, " O yes 1 .\n"));
}

static void a_task_that_goes_on_is_reported_as_started(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 attempt = fake_scheduler_grant(fake, "sleep 1000");
    struct message stop = { .type = MESSAGE_KILL, .kill = { attempt, 0 } };

    await_start(fake, attempt);
    fake_scheduler_send(fake, &stop);
    assert_int_equal(fake_scheduler_wait(fake, attempt)->outcome, OUTCOME_KILLED);
}

static void a_result_is_repeated_until_it_is_acknowledged(void **state)
{
    struct fake_scheduler *fake = *state;

    fake->acknowledges = false;
    struct id128 attempt = fake_scheduler_grant(fake, "exit 7");
    assert_int_equal(fake_scheduler_wait(fake, attempt)->exit_code, 7);
    for (uint32_t before = fake->inventories; fake->inventories < before + 3;)
        fake_scheduler_turn(fake, 20);
    assert_true(fake_scheduler_lists(fake, attempt));
    fake_scheduler_ack(fake, attempt);
    watched = attempt;
    fake_scheduler_until(fake, is_forgotten, "an inventory without the acknowledged result");
}

static void a_grant_of_a_foreign_credit_or_an_older_leader_starts_nothing(void **state)
{
    struct fake_scheduler *fake = *state;
    const char *proof = path_in_home(fake, "proof");
    const char *script = str_format(&fake->arena, "touch %s", proof).bytes;
    struct message sync = { .type = MESSAGE_SYNC };

    fake_scheduler_until(fake, has_all_credits, "credits");
    fake->inventory.incarnation++;
    (void)fake_scheduler_grant(fake, script);
    fake_scheduler_until(fake, has_all_credits, "credits");
    fake->epoch = 5;
    fake_scheduler_send(fake, &sync);
    fake_scheduler_turn(fake, 300);
    fake->epoch = 4;
    (void)fake_scheduler_grant(fake, script);
    fake->epoch = 5;
    struct id128 good = fake_scheduler_grant(fake, "true");
    fake_scheduler_wait(fake, good);
    assert_int_equal(access(proof, F_OK), -1);
}

static void restart_worker(struct fake_scheduler *fake, int signum)
{
    old_incarnation = fake->inventory.incarnation;
    (void)fake_scheduler_end_worker(fake, signum);
    fake_scheduler_launch(fake, NULL);
    fake_scheduler_until(fake, is_new_incarnation, "an inventory of the next incarnation");
}

static void a_killed_worker_finds_its_tasks_and_results_again(void **state)
{
    struct fake_scheduler *fake = *state;
    const char *gate = path_in_home(fake, "gate");

    fake->acknowledges = false;
    struct id128 ended = fake_scheduler_grant(fake, "echo 11");
    fake_scheduler_wait(fake, ended);
    struct id128 runs = fake_scheduler_grant(
        fake,
        str_format(&fake->arena, "while [ ! -e %s ]; do sleep 0.02; done; echo 22", gate).bytes);
    uint64_t first = fake->inventory.incarnation;
    await_start(fake, runs);
    VEC_RESET(&fake->results);
    restart_worker(fake, SIGKILL);
    assert_true(fake_scheduler_lists(fake, runs));
    assert_false(fake_scheduler_find(fake, runs)->ended);
    assert_int_equal(fake_scheduler_find(fake, runs)->incarnation, first);
    assert_str(fake_scheduler_wait(fake, ended)->output, "\"11\"");
    fake_scheduler_until(fake, has_two_credits, "credits for the free slots");
    /* It ends while there is no worker at all. */
    old_incarnation = fake->inventory.incarnation;
    (void)fake_scheduler_end_worker(fake, SIGKILL);
    assert_int_equal(system(str_format(&fake->arena, "touch %s", gate).bytes), 0);
    fake_scheduler_turn(fake, 300);
    fake_scheduler_launch(fake, NULL);
    assert_str(fake_scheduler_wait(fake, runs)->output, "\"22\"");
}

static void a_killed_warden_is_replaced_and_its_tasks_are_lost(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 runs = fake_scheduler_grant(fake, "sleep 1000");

    await_start(fake, runs);
    assert_int_equal(kill(fake_scheduler_warden(fake), SIGKILL), 0);
    const struct result *result = fake_scheduler_wait(fake, runs);
    assert_int_equal(result->outcome, OUTCOME_LOST);
    struct id128 next = fake_scheduler_grant(fake, "exit 0");
    assert_int_equal(fake_scheduler_wait(fake, next)->outcome, OUTCOME_SUCCESS);
}

static void when_both_are_killed_what_ran_is_lost_and_what_ended_is_not(void **state)
{
    struct fake_scheduler *fake = *state;

    fake->acknowledges = false;
    struct id128 ended = fake_scheduler_grant(fake, "echo 33");
    fake_scheduler_wait(fake, ended);
    struct id128 runs = fake_scheduler_grant(fake, "sleep 1000");
    await_start(fake, runs);
    VEC_RESET(&fake->results);
    kill(fake_scheduler_warden(fake), SIGKILL);
    restart_worker(fake, SIGKILL);
    assert_str(fake_scheduler_wait(fake, ended)->output, "\"33\"");
    assert_int_equal(fake_scheduler_wait(fake, runs)->outcome, OUTCOME_LOST);
}

static void a_lease_is_renewed_by_what_the_scheduler_answers(void **state)
{
    struct fake_scheduler *fake = *state;

    fake->lease_ms = 1000;
    struct id128 attempt = fake_scheduler_grant(fake, "sleep 2; echo done");
    await_start(fake, attempt);
    while (!fake_scheduler_find(fake, attempt)->ended) {
        struct message renewed = { .type = MESSAGE_RENEWED,
                                   .renewed = { fake->inventory.sent_ms, 1000 } };
        fake_scheduler_send(fake, &renewed);
        fake_scheduler_turn(fake, 100);
    }
    assert_int_equal(fake_scheduler_wait(fake, attempt)->outcome, OUTCOME_SUCCESS);
    attempt = fake_scheduler_grant(fake, "sleep 1000");
    assert_int_equal(fake_scheduler_wait(fake, attempt)->outcome, OUTCOME_LEASE_OVER);
}

/* A task that prints 4000 lines and takes its time, of which some have come. */
static struct id128 grant_lines(struct fake_scheduler *fake)
{
    struct id128 attempt =
        fake_scheduler_grant(fake, "i=0; while [ $i -lt 4000 ]; do echo \"line $i "
                                   "0123456789012345678901234567890123456789\"; i=$((i+1)); "
                                   "[ $((i % 500)) = 0 ] && sleep 0.2; done; exit 0");

    await_start(fake, attempt);
    while (fake_scheduler_log(fake, attempt) == NULL ||
           fake_scheduler_log(fake, attempt)->text.size < 1000)
        fake_scheduler_turn(fake, 20);
    assert_false(fake_scheduler_find(fake, attempt)->ended);
    return attempt;
}

static void check_lines(struct fake_scheduler *fake, struct id128 attempt)
{
    const struct fake_log *log = fake_scheduler_wait_log(fake, attempt);
    struct str rest = buf_str(&log->text), line, word;
    for (int i = 0; i < 4000; i++) {
        assert_true(str_split(&rest, '\n', &line));
        assert_true(str_split(&line, ' ', &word));
        assert_str(line,
                   str_format(&fake->arena, "O line %d 0123456789012345678901234567890123456789", i)
                       .bytes);
    }
    assert_int_equal(rest.size, 0);
    watched = attempt;
    fake_scheduler_until(fake, log_is_gone, "the end of the log's file");
}

static void logs_stream_while_the_task_runs_and_go_on_after_a_break(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 attempt = grant_lines(fake);

    fake->takes_logs = false;
    fake_scheduler_turn(fake, 300);
    (void)fake_scheduler_end_worker(fake, SIGKILL);
    fake->takes_logs = true;
    fake_scheduler_launch(fake, NULL);
    check_lines(fake, attempt);
}

/* As after a loss of power: what was acknowledged while the log was not complete may be gone. */
static void what_the_store_of_logs_has_lost_is_sent_again(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 attempt = grant_lines(fake);

    buf_reset(&fake_scheduler_log(fake, attempt)->text);
    check_lines(fake, attempt);
}

static void a_drained_worker_offers_nothing_until_it_is_resumed(void **state)
{
    struct fake_scheduler *fake = *state;
    struct message drain = { .type = MESSAGE_DRAIN, .drain = { true } };

    fake_scheduler_until(fake, has_all_credits, "credits");
    fake_scheduler_send(fake, &drain);
    fake_scheduler_until(fake, has_no_credits, "an inventory without credits");
    drain.drain.drain = false;
    fake_scheduler_send(fake, &drain);
    fake_scheduler_until(fake, has_all_credits, "credits again");
}

static bool is_leaving(struct fake_scheduler *fake)
{
    return fake->inventory.leaving;
}

static void sigterm_waits_for_what_runs_and_takes_no_more(void **state)
{
    struct fake_scheduler *fake = *state;
    const char *gate = path_in_home(fake, "gate");
    struct id128 runs = fake_scheduler_grant(
        fake,
        str_format(&fake->arena, "while [ ! -e %s ]; do sleep 0.02; done; echo 5", gate).bytes);

    await_start(fake, runs);
    assert_int_equal(kill(fake->pid, SIGTERM), 0);
    fake_scheduler_until(fake, is_leaving, "an inventory that says so");
    assert_int_equal(fake->open.count, 0);
    assert_false(fake_scheduler_find(fake, runs)->ended);
    assert_int_equal(system(str_format(&fake->arena, "touch %s", gate).bytes), 0);
    assert_str(fake_scheduler_wait(fake, runs)->output, "\"5\"");
    fake_scheduler_wait_log(fake, runs);
    int status = -1;
    for (int i = 0; i < 500 && waitpid(fake->pid, &status, WNOHANG) == 0; i++)
        fake_scheduler_turn(fake, 20);
    assert_int_equal(status, 0);
    fake->pid = 0;
    for (int i = 0; i < 500 && fake_scheduler_warden(fake) != 0; i++)
        fake_scheduler_turn(fake, 20);
    assert_int_equal(fake_scheduler_warden(fake), 0);
}

static void a_second_sigterm_leaves_the_tasks_to_the_next_worker(void **state)
{
    struct fake_scheduler *fake = *state;
    const char *gate = path_in_home(fake, "gate");
    struct id128 runs = fake_scheduler_grant(
        fake,
        str_format(&fake->arena, "while [ ! -e %s ]; do sleep 0.02; done; echo 6", gate).bytes);

    await_start(fake, runs);
    assert_int_equal(kill(fake->pid, SIGTERM), 0);
    fake_scheduler_until(fake, is_leaving, "an inventory that says so");
    restart_worker(fake, SIGTERM);
    assert_true(fake_scheduler_lists(fake, runs));
    assert_int_equal(system(str_format(&fake->arena, "touch %s", gate).bytes), 0);
    assert_str(fake_scheduler_wait(fake, runs)->output, "\"6\"");
}

static void a_stop_order_ends_a_worker(void **state)
{
    struct fake_scheduler *fake = *state;
    struct message stop = { .type = MESSAGE_STOP };
    int status = -1;

    fake_scheduler_until(fake, has_all_credits, "credits");
    fake_scheduler_send(fake, &stop);
    for (int i = 0; i < 500 && waitpid(fake->pid, &status, WNOHANG) == 0; i++)
        fake_scheduler_turn(fake, 20);
    assert_int_equal(status, 0);
    fake->pid = 0;
}

static void a_spool_has_one_worker(void **state)
{
    struct fake_scheduler *fake = *state;

    fake_scheduler_until(fake, has_inventory, "an inventory");
    int status =
        system(str_format(&fake->arena,
                          "HEADRACE_HOME=%s " HEADRACE_BIN_DIR "/headrace-worker 2>%s/refusal",
                          fake->home, fake->home)
                   .bytes);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(
        system(str_format(&fake->arena, "grep -q 'belongs to a worker that runs' %s/refusal",
                          fake->home)
                   .bytes),
        0);
}

static void many_short_tasks_pass_through(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 ids[200];

    for (int i = 0; i < 200; i++)
        ids[i] = fake_scheduler_grant(fake, i % 2 == 0 ? "true" : "echo x; false");
    for (int i = 0; i < 200; i++)
        assert_int_equal(fake_scheduler_wait(fake, ids[i])->exit_code, i % 2);
    for (int i = 1; i < 200; i += 2)
        assert_int_equal(fake_scheduler_wait_log(fake, ids[i])->text.size, 18);
}

static bool has_three_results(struct fake_scheduler *fake)
{
    uint32_t ended = 0;

    VEC_EACH (&fake->results, i)
        ended += fake->results.items[i].ended ? 1 : 0;
    return ended >= 3;
}

static void results_too_large_for_one_message_come_one_after_the_other(void **state)
{
    struct fake_scheduler *fake = *state;
    struct id128 ids[6];

    fake->acknowledges = false;
    for (int i = 0; i < 6; i++) {
        ids[i] =
            fake_scheduler_grant(fake, "head -c 900000 /dev/zero | tr '\\0' x > $HEADRACE_OUTPUT");
    }
    /* Three fit, whichever ended first; the others are listed as running until these are
     * acknowledged. */
    fake_scheduler_until(fake, has_three_results, "three results");
    fake->acknowledges = true;
    VEC_EACH (&fake->results, i) {
        if (fake->results.items[i].ended)
            fake_scheduler_ack(fake, fake->results.items[i].attempt);
    }
    for (int i = 0; i < 6; i++)
        assert_int_equal(fake_scheduler_wait(fake, ids[i])->output.size, 900002);
}

static void a_full_spool_offers_no_slots_until_it_has_room(void **state)
{
    struct fake_scheduler *fake = *state;

    fake_scheduler_until(fake, has_all_credits, "credits");
    (void)fake_scheduler_end_worker(fake, SIGKILL);
    fake_scheduler_launch(fake, "--worker.spool_max_bytes=16Mi");
    fake->takes_logs = false;
    fake->open.count = 0;
    struct id128 attempt =
        fake_scheduler_grant(fake, "head -c 18000000 /dev/zero | tr '\\0' x | fold -w 1000");
    assert_int_equal(fake_scheduler_wait(fake, attempt)->outcome, OUTCOME_SUCCESS);
    fake_scheduler_until(fake, has_no_credits, "an inventory without credits");
    (void)fake_scheduler_end_worker(fake, SIGKILL);
    fake->takes_logs = true;
    fake_scheduler_launch(fake, "--worker.spool_max_bytes=16Mi");
    fake_scheduler_wait_log(fake, attempt);
    fake_scheduler_until(fake, has_all_credits, "credits again");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(TEST(a_worker_says_who_it_is_and_what_it_offers),
      TEST(a_worker_tells_how_busy_its_machine_is),
      TEST(a_granted_task_runs_and_its_result_carries_a_new_credit),
      TEST(a_task_that_goes_on_is_reported_as_started),
      TEST(a_result_is_repeated_until_it_is_acknowledged),
      TEST(a_grant_of_a_foreign_credit_or_an_older_leader_starts_nothing),
      TEST(a_killed_worker_finds_its_tasks_and_results_again),
      TEST(a_killed_warden_is_replaced_and_its_tasks_are_lost),
      TEST(when_both_are_killed_what_ran_is_lost_and_what_ended_is_not),
      TEST(a_lease_is_renewed_by_what_the_scheduler_answers),
      TEST(logs_stream_while_the_task_runs_and_go_on_after_a_break),
      TEST(what_the_store_of_logs_has_lost_is_sent_again),
      TEST(a_drained_worker_offers_nothing_until_it_is_resumed),
      TEST(sigterm_waits_for_what_runs_and_takes_no_more),
      TEST(a_second_sigterm_leaves_the_tasks_to_the_next_worker), TEST(a_stop_order_ends_a_worker),
      TEST(a_spool_has_one_worker),
      TEST(results_too_large_for_one_message_come_one_after_the_other),
      TEST(a_full_spool_offers_no_slots_until_it_has_room), TEST(many_short_tasks_pass_through))
