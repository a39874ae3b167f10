// SPDX-License-Identifier: Apache-2.0
/* Real processes under a real warden; every test runs twice, with control groups and without. */
#include "tests/support/test.h"
#include "tests/support/warden_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup_cgroup(void **state)
{
    static struct warden_fixture fixture;

    warden_fixture_open(&fixture, false);
    *state = &fixture;
    return 0;
}

static int setup_walk(void **state)
{
    static struct warden_fixture fixture;

    warden_fixture_open(&fixture, true);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    warden_fixture_close(*state);
    return 0;
}

static void assert_says(struct str text, const char *part)
{
    if (memmem(text.bytes, text.size, part, strlen(part)) == NULL)
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(text), part);
}

static const char *spool_path(struct warden_fixture *fixture, const char *name)
{
    return str_format(&fixture->arena, "%s/%s", fixture->spool, name).bytes;
}

static int64_t number_of(const char *text)
{
    int64_t number = 0;

    assert_int_equal(str_to_int(str_trim(str_of(text)), 1, INT32_MAX, &number), 0);
    return number;
}

static void assert_dies(int64_t pid)
{
    for (int i = 0; i < 2000 && warden_fixture_is_alive(pid); i++)
        usleep(5000);
    assert_false(warden_fixture_is_alive(pid));
}

static void an_exit_code_decides_the_outcome(void **state)
{
    struct warden_fixture *fixture = *state;
    static const struct {
        const char *script;
        uint32_t outcome;
        int exit_code;
        const char *error;
    } rows[] = {
        { "exit 0", WARDEN_OUTCOME_SUCCESS, 0, "" },
        { "exit 3", WARDEN_OUTCOME_FAILED, 3, "exit code 3" },
        { "exit 141", WARDEN_OUTCOME_FAILED, 141,
          "exit code 141 (128+13: a command was ended by SIGPIPE)" },
        { "exit 99", WARDEN_OUTCOME_SKIPPED, 99, "" },
        { "kill -SEGV $$", WARDEN_OUTCOME_FAILED, -SIGSEGV, "signal 11" },
        { "kill -KILL $$", WARDEN_OUTCOME_FAILED, -SIGKILL, "out of memory" },
        { "echo HEADRACE_ERROR Odd: it is odd >&2; exit 1", WARDEN_OUTCOME_FAILED, 1,
          "Odd: it is odd" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct warden_message start = warden_fixture_task(fixture, rows[i].script);
        start.task.skip_exit_code = 99;
        const struct warden_result *result = warden_fixture_run(fixture, &start);
        assert_int_equal(result->outcome, rows[i].outcome);
        assert_int_equal(result->exit_code, rows[i].exit_code);
        assert_says(result->error, rows[i].error);
        assert_false(result->hard);
    }
}

static void a_task_can_say_that_a_retry_is_of_no_use(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, "echo HEADRACE_ERROR Soft: first >&2; echo "
                                     "HEADRACE_HARD_ERROR BadInput: no such day >&2; exit 1");
    const struct warden_result *result = warden_fixture_run(fixture, &start);

    assert_true(result->hard);
    assert_true(str_is(result->error, "BadInput: no such day"));
    start = warden_fixture_task(
        fixture, "echo HEADRACE_HARD_ERROR Other: y >&2;"
                 "echo 'HEADRACE_ERROR FromFile: z' > $HEADRACE_OUTPUT.error; exit 1");
    result = warden_fixture_run(fixture, &start);
    assert_false(result->hard);
    assert_true(str_is(result->error, "FromFile: z"));
}

static void the_environment_is_exactly_what_was_promised(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(fixture, "");
    struct str argv[] = { STR("env") };
    struct str env[] = { STR("HEADRACE_CTX_DAG_ID=d"), STR("GREETING=a=b c"),
                         STR("GREETING=second"), STR("PATH=/bin") };

    setenv("WARDEN_TEST_LEAK", "1", 1);
    start.task.argv = argv;
    start.task.argv_count = 1;
    start.task.env = env;
    start.task.env_count = 4;
    assert_int_equal(warden_fixture_run(fixture, &start)->outcome, WARDEN_OUTCOME_SUCCESS);
    const char *wanted =
        str_format(
            &fixture->arena,
            "O HEADRACE_OUTPUT=%s/scratch/0/.headrace_output\n"
            "O HEADRACE_CTX_DAG_ID=d\nO GREETING=a=b c\nO PATH=/bin\nO HOME=%s\nO LANG=C.UTF-8\n"
            "O TMPDIR=%s/scratch/0\n",
            fixture->spool, getenv("HOME"), fixture->spool)
            .bytes;
    assert_string_equal(warden_fixture_log(fixture, start.attempt), wanted);
}

static void no_descriptor_and_no_signal_setting_of_ours_reaches_a_task(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture, "ls /proc/self/fd | tr '\\n' ' '; echo; grep -E '^Sig(Blk|Ign)' "
                 "/proc/self/status; grep NoNew /proc/self/status; "
                 "ulimit -c; umask; cat; pwd");

    assert_int_equal(warden_fixture_run(fixture, &start)->outcome, WARDEN_OUTCOME_SUCCESS);
    const char *wanted =
        str_format(&fixture->arena,
                   "O 0 1 2 3 \nO SigBlk:\t0000000000000000\n"
                   "O SigIgn:\t0000000000000000\nO NoNewPrivs:\t1\nO 0\nO 0022\nO %s/scratch/0\n",
                   fixture->spool)
            .bytes;
    assert_string_equal(warden_fixture_log(fixture, start.attempt), wanted);
}

static void the_output_is_the_file_else_the_last_line(void **state)
{
    struct warden_fixture *fixture = *state;
    static const struct {
        const char *script, *output;
    } rows[] = {
        { "echo a; echo '{\"n\": [1, 2]}' > $HEADRACE_OUTPUT", "{\"n\": [1, 2]}" },
        { "echo not json > $HEADRACE_OUTPUT", "\"not json\"" },
        { "echo '{\"a\":1,\"a\":2}' > $HEADRACE_OUTPUT", "\"{\\\"a\\\":1,\\\"a\\\":2}\"" },
        { "echo one; echo \"[2]\"", "\"[2]\"" },
        { "printf 'one\\ntwo'", "\"two\"" },
        { "printf 'one\\r\\n'", "\"one\"" },
        { "echo words >&2", "" },
        { "printf '\\377\\t\"'", "\"\xef\xbf\xbd\\u0009\\\"\"" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct warden_message start = warden_fixture_task(fixture, rows[i].script);
        start.task.output_rule = WARDEN_OUTPUT_LAST_LINE;
        const struct warden_result *result = warden_fixture_run(fixture, &start);
        assert_int_equal(result->outcome, WARDEN_OUTCOME_SUCCESS);
        assert_string_equal(str_cstr(&fixture->arena, result->output), rows[i].output);
    }
}

static void an_output_over_the_limit_fails_the_task(void **state)
{
    struct warden_fixture *fixture = *state;
    static const char *const scripts[] = { "head -c 2000 /dev/zero | tr '\\0' x > $HEADRACE_OUTPUT",
                                           "head -c 2000 /dev/zero | tr '\\0' x" };

    for (size_t i = 0; i < 2; i++) {
        struct warden_message start = warden_fixture_task(fixture, scripts[i]);
        start.task.output_rule = WARDEN_OUTPUT_LAST_LINE;
        start.task.max_output_bytes = 1999;
        const struct warden_result *result = warden_fixture_run(fixture, &start);
        assert_int_equal(result->outcome, WARDEN_OUTCOME_OUTPUT_TOO_LARGE);
        assert_says(result->error, "1999 bytes");
        assert_int_equal(result->output.size, 0);
        start = warden_fixture_task(fixture, scripts[i]);
        start.task.output_rule = WARDEN_OUTPUT_LAST_LINE;
        start.task.max_output_bytes = 2000;
        assert_int_equal(warden_fixture_run(fixture, &start)->outcome, WARDEN_OUTCOME_SUCCESS);
    }
}

static void input_comes_on_stdin(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(fixture, "cat > $HEADRACE_OUTPUT");

    start.task.input = STR("{\"k\":\"v\"}");
    assert_true(str_is(warden_fixture_run(fixture, &start)->output, "{\"k\":\"v\"}"));
}

static void what_cannot_start_says_why(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(fixture, "");
    struct str argv[] = { STR("no-such-command-here") };

    start.task.argv = argv;
    start.task.argv_count = 1;
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_FAILED);
    assert_int_equal(result->exit_code, 127);
    assert_says(result->error, "the command no-such-command-here is not found in PATH");
    start = warden_fixture_task(fixture, "");
    argv[0] = STR("/etc/passwd");
    start.task.argv = argv;
    start.task.argv_count = 1;
    result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_FAILED);
    assert_int_equal(result->exit_code, 126);
    assert_says(result->error, "/etc/passwd cannot be run: Permission denied");
    start = warden_fixture_task(fixture, "true");
    start.task.cwd = STR("/no/such/folder");
    result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_NOT_STARTED);
    assert_says(result->error, "the folder /no/such/folder: No such file");
    start = warden_fixture_task(fixture, "true");
    start.task.run_as_user = STR("no-such-user");
    assert_says(warden_fixture_run(fixture, &start)->error, "there is no user no-such-user");
}

static void nothing_starts_after_its_deadline(void **state)
{
    struct warden_fixture *fixture = *state;
    const char *proof = spool_path(fixture, "proof");
    struct warden_message start =
        warden_fixture_task(fixture, str_format(&fixture->arena, "echo x > %s", proof).bytes);

    /* The message waits in the socket while the warden is stopped, until the deadline is over. */
    start.deadline_ms = warden_fixture_boottime_ms() + 100;
    assert_int_equal(kill(fixture->pid, SIGSTOP), 0);
    warden_fixture_send(fixture, &start);
    while (warden_fixture_boottime_ms() <= start.deadline_ms)
        usleep(10000);
    assert_int_equal(kill(fixture->pid, SIGCONT), 0);
    const struct warden_result *result = warden_fixture_wait(fixture, start.attempt);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_NOT_STARTED);
    assert_says(result->error, "its lease was over");
    assert_null(warden_fixture_file(fixture, proof));
}

/* Two generations of escape: a background child, and a daemon in a session of its own with an empty
 * environment that ignores SIGTERM and keeps stdout open. */
static const char *escape_script(struct warden_fixture *fixture, const char *end)
{
    return str_format(&fixture->arena,
                      "( trap '' TERM; sleep 1000 & echo $! > %s/child; wait ) &\n"
                      "env -i /usr/bin/setsid /bin/sh -c '/bin/sh -c \"trap \\\"\\\" TERM; echo "
                      "\\$\\$ > %s/daemon; "
                      "while :; do sleep 100; done\" &' &\n"
                      "while [ ! -s %s/child ] || [ ! -s %s/daemon ]; do sleep 0.01; done\n%s",
                      fixture->spool, fixture->spool, fixture->spool, fixture->spool, end)
        .bytes;
}

static void assert_no_survivor(struct warden_fixture *fixture)
{
    assert_false(warden_fixture_is_alive(
        number_of(warden_fixture_await_file(fixture, spool_path(fixture, "child")))));
    assert_false(warden_fixture_is_alive(
        number_of(warden_fixture_await_file(fixture, spool_path(fixture, "daemon")))));
}

static void leftovers_of_an_ended_task_die_and_delay_nothing(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, escape_script(fixture, "echo done; exit 0"));
    const struct warden_result *result = warden_fixture_run(fixture, &start);

    assert_int_equal(result->outcome, WARDEN_OUTCOME_SUCCESS);
    assert_true(result->ended_unix_ms - result->started_unix_ms < 5000);
    assert_no_survivor(fixture);
}

static void a_kill_reaches_the_whole_tree(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, escape_script(fixture, "sleep 1000"));
    struct warden_message stop = { .type = WARDEN_KILL, .attempt = start.attempt, .grace_ms = 100 };

    warden_fixture_send(fixture, &start);
    warden_fixture_await_file(fixture, spool_path(fixture, "child"));
    warden_fixture_await_file(fixture, spool_path(fixture, "daemon"));
    warden_fixture_send(fixture, &stop);
    const struct warden_result *result = warden_fixture_wait(fixture, start.attempt);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_KILLED);
    assert_no_survivor(fixture);
}

static void a_task_gets_its_grace_to_clean_up(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, "trap 'echo cleaning; sleep 0.3; echo clean; exit 7' TERM; "
                                     "echo ready; while :; do sleep 0.05; done");
    struct warden_message stop = { .type = WARDEN_KILL,
                                   .attempt = start.attempt,
                                   .grace_ms = 20000 };

    start.task.timeout_ms = 500;
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_TIMED_OUT);
    assert_int_equal(result->exit_code, 7);
    assert_says(result->error, "execution_timeout of 0.500 s");
    assert_says(str_of(warden_fixture_log(fixture, start.attempt)), "O clean\n");
    assert_true(result->ended_unix_ms - result->started_unix_ms < 4500);
    /* A kill of what has ended is nothing. */
    warden_fixture_send(fixture, &stop);
}

static void who_ignores_sigterm_is_killed_after_its_grace(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, "trap '' TERM; while :; do sleep 0.05; done");

    start.task.timeout_ms = 200;
    start.task.kill_grace_ms = 300;
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_TIMED_OUT);
    assert_int_equal(result->exit_code, -SIGKILL);
    assert_true(result->ended_unix_ms - result->started_unix_ms >= 490);
}

static void a_lease_that_nobody_renews_ends_the_attempt_and_a_renewed_one_does_not(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message lost = warden_fixture_task(fixture, "sleep 1000");
    struct warden_message kept = warden_fixture_task(fixture, "sleep 1");
    struct warden_message renewed = { .type = WARDEN_DEADLINE, .attempt = kept.attempt };

    lost.deadline_ms = kept.deadline_ms = warden_fixture_boottime_ms() + 700;
    renewed.deadline_ms = kept.deadline_ms + 100000;
    warden_fixture_send(fixture, &lost);
    warden_fixture_send(fixture, &kept);
    warden_fixture_send(fixture, &renewed);
    assert_int_equal(warden_fixture_wait(fixture, lost.attempt)->outcome,
                     WARDEN_OUTCOME_LEASE_OVER);
    assert_true(warden_fixture_boottime_ms() < lost.deadline_ms + 2000);
    assert_int_equal(warden_fixture_wait(fixture, kept.attempt)->outcome, WARDEN_OUTCOME_SUCCESS);
}

static void a_fork_bomb_ends_with_its_task(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture, "bomb() { sleep 0.1; bomb & bomb & }; i=0; while [ $i -lt 20 ]; do sleep 987654 & "
                 "i=$((i+1)); done; "
                 "( sleep 0.2; ( while :; do ( sleep 987654 & ) ; sleep 0.002; done ) & ) & wait");

    start.task.timeout_ms = 700;
    start.task.kill_grace_ms = 50;
    assert_int_equal(warden_fixture_run(fixture, &start)->outcome, WARDEN_OUTCOME_TIMED_OUT);
    assert_int_equal(system("pgrep -f 'sleep 98765[4]' >/dev/null"), 256);
}

static void a_task_that_prints_nothing_leaves_no_file(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(fixture, "true");
    char name[ID_TEXT_SIZE];

    assert_int_equal(warden_fixture_run(fixture, &start)->log_bytes, 0);
    id_text(start.attempt, name);
    assert_int_equal(
        access(spool_path(fixture, str_format(&fixture->arena, "attempts/%s", name).bytes), F_OK),
        -1);
}

static void the_scratch_folder_is_empty_for_the_next_task(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture,
        "mkdir -p a/b; touch a/b/c .hidden; ln -s /etc link; chmod 0 a; echo 1 > $HEADRACE_OUTPUT");

    assert_int_equal(warden_fixture_run(fixture, &start)->outcome, WARDEN_OUTCOME_SUCCESS);
    start = warden_fixture_task(fixture, "ls -A; cd ..; rm -rf 0");
    assert_int_equal(warden_fixture_run(fixture, &start)->log_bytes, 0);
    start = warden_fixture_task(fixture, "touch here; pwd");
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_SUCCESS);
    assert_int_equal(result->output.size, 0);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
}

static void endless_output_is_cut_and_the_task_goes_on(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture, "yes 0123456789 | head -n 200000; echo the end; echo 5 > $HEADRACE_OUTPUT");

    start.task.max_log_bytes = 100000;
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_SUCCESS);
    assert_true(str_is(result->output, "5"));
    assert_in_range(result->log_bytes, 99000, 100300);
    const char *log = warden_fixture_log(fixture, start.attempt);
    assert_says(
        str_of(log),
        "S the log is cut here: its limit of 100000 bytes (worker.max_log_bytes) is reached");
    assert_null(strstr(log, "the end"));
}

static bool has_log(struct warden_fixture *fixture)
{
    return fixture->logs.count > 0;
}

static void a_line_without_end_is_shown_soon(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, "printf 'working...'; sleep 1; echo; echo done");

    warden_fixture_send(fixture, &start);
    warden_fixture_until(fixture, has_log);
    assert_int_equal(fixture->ended.count, 0);
    assert_string_equal(warden_fixture_log(fixture, start.attempt), "O working...\n");
    warden_fixture_wait(fixture, start.attempt);
    assert_string_equal(warden_fixture_log(fixture, start.attempt), "O working...\nO done\n");
}

static void secrets_are_masked_wherever_the_stream_is_cut(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture,
        "for c in s e c r e t / w; do printf %s $c; sleep 0.02; done; sleep 0.3; printf 'ord.\\n'; "
        "echo HEADRACE_ERROR Auth: secret/word >&2; printf secret/word | base64; exit 1");
    struct str secrets[] = { STR("secret/word"), STR("abc") };

    start.task.secrets = secrets;
    start.task.secret_count = 2;
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_true(str_is(result->error, "Auth: ***"));
    assert_null(strstr(warden_fixture_log(fixture, start.attempt), "secret"));
    assert_says(str_of(warden_fixture_log(fixture, start.attempt)), "O ***.\n");
    assert_null(strstr(warden_fixture_log(fixture, start.attempt), "c2VjcmV0L3dvcm"));
}

static bool is_listed(struct warden_fixture *fixture)
{
    return fixture->listed;
}

static void ask_list(struct warden_fixture *fixture)
{
    struct warden_message list = { .type = WARDEN_LIST };

    VEC_RESET(&fixture->started);
    VEC_RESET(&fixture->ended);
    VEC_RESET(&fixture->logs);
    fixture->listed = false;
    warden_fixture_send(fixture, &list);
    warden_fixture_until(fixture, is_listed);
}

static bool has_started(struct warden_fixture *fixture)
{
    return fixture->started.count > 0;
}

static void tasks_outlive_their_worker_and_the_next_one_finds_them(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message ends = warden_fixture_task(fixture, "echo bye; exit 4");
    struct warden_message runs = warden_fixture_task(fixture, "sleep 1000");
    struct warden_message stop = { .type = WARDEN_KILL, .attempt = runs.attempt, .grace_ms = 0 };
    struct warden_message forget = { .type = WARDEN_FORGET, .attempt = ends.attempt };

    warden_fixture_send(fixture, &runs);
    warden_fixture_until(fixture, has_started);
    warden_fixture_send(fixture, &ends);
    warden_fixture_wait(fixture, ends.attempt);
    warden_fixture_reconnect(fixture);
    ask_list(fixture);
    assert_int_equal(fixture->started.count, 1);
    assert_true(id_eq(fixture->started.items[0].attempt, runs.attempt));
    assert_int_equal(fixture->ended.count, 1);
    assert_int_equal(fixture->ended.items[0].result.exit_code, 4);
    /* Asked again, the same attempt does not start again. */
    warden_fixture_send(fixture, &runs);
    warden_fixture_send(fixture, &ends);
    warden_fixture_send(fixture, &forget);
    ask_list(fixture);
    assert_true(fixture->started.count > 0);
    VEC_EACH (&fixture->started, i)
        assert_true(id_eq(fixture->started.items[i].attempt, runs.attempt));
    assert_int_equal(fixture->ended.count, 0);
    warden_fixture_send(fixture, &stop);
    assert_int_equal(warden_fixture_wait(fixture, runs.attempt)->outcome, WARDEN_OUTCOME_KILLED);
}

static void a_killed_warden_takes_its_tasks_along_and_reports_them_lost(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message ends = warden_fixture_task(fixture, "echo 3 > $HEADRACE_OUTPUT");
    struct warden_message runs = warden_fixture_task(
        fixture, str_format(&fixture->arena, "setsid sleep 1000 & echo $! > %s/pid; echo x; wait",
                            fixture->spool)
                     .bytes);

    warden_fixture_run(fixture, &ends);
    warden_fixture_send(fixture, &runs);
    int64_t pid = number_of(warden_fixture_await_file(fixture, spool_path(fixture, "pid")));
    VEC_RESET(&fixture->logs);
    warden_fixture_until(fixture, has_log);
    warden_fixture_kill(fixture);
    warden_fixture_launch(fixture);
    assert_dies(pid);
    ask_list(fixture);
    assert_int_equal(fixture->started.count, 0);
    assert_int_equal(fixture->ended.count, 2);
    assert_true(str_is(warden_fixture_wait(fixture, ends.attempt)->output, "3"));
    const struct warden_result *lost = warden_fixture_wait(fixture, runs.attempt);
    assert_int_equal(lost->outcome, WARDEN_OUTCOME_LOST);
    assert_int_equal(lost->log_bytes, 18);
}

static void results_survive_many_wardens(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(fixture, "echo 42 > $HEADRACE_OUTPUT");

    warden_fixture_run(fixture, &start);
    for (int i = 0; i < 3; i++) {
        warden_fixture_kill(fixture);
        warden_fixture_launch(fixture);
        ask_list(fixture);
        assert_int_equal(fixture->ended.count, 1);
        assert_true(str_is(fixture->ended.items[0].result.output, "42"));
    }
}

static void a_spool_has_one_warden(void **state)
{
    struct warden_fixture *fixture = *state;
    const char *command =
        str_format(&fixture->arena, HEADRACE_BIN_DIR "/headrace-warden --spool %s 2>/dev/null",
                   fixture->spool)
            .bytes;

    assert_int_equal(system(command), 3 << 8);
    struct warden_message start = warden_fixture_task(fixture, "true");
    assert_int_equal(warden_fixture_run(fixture, &start)->outcome, WARDEN_OUTCOME_SUCCESS);
}

static void what_was_used_is_counted(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start =
        warden_fixture_task(fixture, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 0");
    const struct warden_result *result = warden_fixture_run(fixture, &start);

    assert_true(result->cpu_ms > 10);
    assert_true(result->memory_peak_bytes > 100000);
}

static void a_task_over_its_memory_limit_fails_as_such(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture, "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo survived");

    start.task.memory_bytes = 40 << 20;
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_not_equal(result->outcome, WARDEN_OUTCOME_SUCCESS);
    const char *log = warden_fixture_log(fixture, start.attempt);
    if (strstr(log, "no memory cgroup") == NULL)
        assert_int_equal(result->outcome, WARDEN_OUTCOME_OOM);
    assert_null(strstr(log, "survived"));
    if (fixture->no_cgroup)
        assert_says(str_of(log), "S this worker has no memory cgroup");
}

static void a_task_of_another_user_cannot_look_into_the_spool(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(
        fixture, str_format(&fixture->arena,
                            "id -un; touch here || exit 5; ls %s && exit 6; grep -E "
                            "'^Cap(Eff|Prm)' /proc/self/status; "
                            "echo ok > $HEADRACE_OUTPUT; echo $HOME; pwd > /dev/stderr",
                            fixture->spool)
                     .bytes);

    if (geteuid() != 0)
        return;
    start.task.run_as_user = STR("nobody");
    const struct warden_result *result = warden_fixture_run(fixture, &start);
    assert_int_equal(result->outcome, WARDEN_OUTCOME_SUCCESS);
    assert_true(str_is(result->output, "\"ok\""));
    const char *log = warden_fixture_log(fixture, start.attempt);
    assert_says(str_of(log), "O nobody\n");
    assert_says(str_of(log), "CapEff:\t0000000000000000");
    const char *folder = strstr(log, "/tmp/headrace-");
    assert_non_null(folder);
    assert_int_equal(
        access(str_cstr(&fixture->arena, (struct str) { folder, strcspn(folder, "\n") }), F_OK),
        -1);
}

static void many_tasks_at_once_all_end(void **state)
{
    struct warden_fixture *fixture = *state;
    struct id128 ids[300];

    for (int i = 0; i < 300; i++) {
        struct warden_message start =
            warden_fixture_task(fixture, i % 3 == 0 ? "exit 1" : "echo out; echo err >&2");
        ids[i] = start.attempt;
        warden_fixture_send(fixture, &start);
    }
    for (int i = 0; i < 300; i++)
        assert_int_equal(warden_fixture_wait(fixture, ids[i])->exit_code, i % 3 == 0);
}

static void a_stranger_on_the_socket_harms_nobody(void **state)
{
    struct warden_fixture *fixture = *state;
    struct warden_message start = warden_fixture_task(fixture, "sleep 1000");
    struct err err;
    struct warden_client broken;

    warden_fixture_send(fixture, &start);
    warden_fixture_until(fixture, has_started);
    assert_int_equal(warden_client_open(&broken, fixture->spool, &err), 0);
    assert_int_equal(write(broken.fd, "\xff\xff\xff\xff garbage", 12), 12);
    warden_client_close(&broken);
    warden_fixture_reconnect(fixture);
    ask_list(fixture);
    assert_int_equal(fixture->started.count, 1);
    start.type = WARDEN_KILL;
    start.grace_ms = 0;
    warden_fixture_send(fixture, &start);
    assert_int_equal(warden_fixture_wait(fixture, start.attempt)->outcome, WARDEN_OUTCOME_KILLED);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, setup_cgroup, teardown),                                 \
        cmocka_unit_test_setup_teardown(name, setup_walk, teardown)

TESTS(TEST(an_exit_code_decides_the_outcome), TEST(a_task_can_say_that_a_retry_is_of_no_use),
      TEST(the_environment_is_exactly_what_was_promised),
      TEST(no_descriptor_and_no_signal_setting_of_ours_reaches_a_task),
      TEST(the_output_is_the_file_else_the_last_line),
      TEST(an_output_over_the_limit_fails_the_task), TEST(input_comes_on_stdin),
      TEST(what_cannot_start_says_why), TEST(nothing_starts_after_its_deadline),
      TEST(leftovers_of_an_ended_task_die_and_delay_nothing), TEST(a_kill_reaches_the_whole_tree),
      TEST(a_task_gets_its_grace_to_clean_up), TEST(who_ignores_sigterm_is_killed_after_its_grace),
      TEST(a_lease_that_nobody_renews_ends_the_attempt_and_a_renewed_one_does_not),
      TEST(a_fork_bomb_ends_with_its_task), TEST(a_task_that_prints_nothing_leaves_no_file),
      TEST(the_scratch_folder_is_empty_for_the_next_task),
      TEST(endless_output_is_cut_and_the_task_goes_on), TEST(a_line_without_end_is_shown_soon),
      TEST(secrets_are_masked_wherever_the_stream_is_cut),
      TEST(tasks_outlive_their_worker_and_the_next_one_finds_them),
      TEST(a_killed_warden_takes_its_tasks_along_and_reports_them_lost),
      TEST(results_survive_many_wardens), TEST(a_spool_has_one_warden),
      TEST(what_was_used_is_counted), TEST(a_task_over_its_memory_limit_fails_as_such),
      TEST(a_task_of_another_user_cannot_look_into_the_spool), TEST(many_tasks_at_once_all_end),
      TEST(a_stranger_on_the_socket_harms_nobody))
