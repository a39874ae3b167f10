// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test.h"
#include "worker/warden/transcript.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct fixture {
    char folder[32];
    int fd;
    struct mask mask;
    struct transcript transcript;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/headrace-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mask_init(&fixture->mask, NULL, 0);
    transcript_init(&fixture->transcript, fixture->fd, (struct id128) { 1, 1 }, &fixture->mask,
                    10000);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[64];

    transcript_clear(&fixture->transcript);
    mask_clear(&fixture->mask);
    close(fixture->fd);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void assert_file(struct fixture *fixture, const char *expected)
{
    char path[100], text[20000];

    snprintf(path, sizeof path, "%s/00000000-0000-0001-0000-000000000001/log", fixture->folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[size] = '\0';
    assert_string_equal(text, expected);
    assert_int_equal(fixture->transcript.size, size);
}

static void out(struct fixture *fixture, const char *text, int64_t ms)
{
    transcript_feed(&fixture->transcript, TRANSCRIPT_STDOUT, str_of(text), ms);
}

static void lines_are_stamped_by_source(void **state)
{
    struct fixture *fixture = *state;

    out(fixture, "one\ntwo", 1000);
    transcript_feed(&fixture->transcript, TRANSCRIPT_STDERR, STR("oops\n"), 1001);
    out(fixture, " more\n\n", 1002);
    transcript_say(&fixture->transcript, 1003, "said\nit");
    out(fixture, "tail", 1004);
    transcript_end(&fixture->transcript, 1005);
    assert_file(fixture,
                "1000 O one\n1001 E oops\n1002 O two more\n1002 O \n1003 S said it\n1005 O tail\n");
}

static void a_line_that_waits_is_written_when_it_is_overdue(void **state)
{
    struct fixture *fixture = *state;

    out(fixture, "part", 1000);
    assert_int_equal(transcript_due_in(&fixture->transcript, 1100), 100);
    transcript_overdue(&fixture->transcript, 1100);
    assert_file(fixture, "");
    transcript_overdue(&fixture->transcript, 1200);
    assert_int_equal(transcript_due_in(&fixture->transcript, 1200), -1);
    out(fixture, "\nnext", 1300);
    /* A clock that was set back holds nothing up. */
    assert_int_equal(transcript_due_in(&fixture->transcript, 10), 0);
    transcript_overdue(&fixture->transcript, 10);
    assert_file(fixture, "1200 O part\n10 O next\n");
}

static void the_log_is_cut_at_its_limit_once(void **state)
{
    struct fixture *fixture = *state;
    char line[1001];

    memset(line, 'x', 999);
    line[999] = '\n';
    line[1000] = '\0';
    for (int i = 0; i < 30; i++)
        out(fixture, line, 1000);
    transcript_end(&fixture->transcript, 1000);
    assert_in_range(fixture->transcript.size, 9000, 10200);
    assert_true(fixture->transcript.cut);
}

static void last_line(struct fixture *fixture, const char *const *parts, const char *expected)
{
    transcript_keep_last(&fixture->transcript, 10);
    buf_reset(&fixture->transcript.last);
    fixture->transcript.last_ended = fixture->transcript.last_over = false;
    for (; *parts != NULL; parts++)
        out(fixture, *parts, 1000);
    assert_str(buf_str(&fixture->transcript.last), expected);
}

static void the_last_line_is_kept_however_it_comes(void **state)
{
    struct fixture *fixture = *state;

    last_line(fixture, (const char *[]) { "a\nb\nc\n", NULL }, "c");
    last_line(fixture, (const char *[]) { "a\nb\nc", NULL }, "c");
    last_line(fixture, (const char *[]) { "a", "b\n", "c", "d", NULL }, "cd");
    last_line(fixture, (const char *[]) { "a\n", "\n", NULL }, "");
    last_line(fixture, (const char *[]) { "a", "\n", NULL }, "a");
    last_line(fixture, (const char *[]) { "0123456789abc", "\n", "ok\n", NULL }, "ok");
    assert_false(fixture->transcript.last_over);
    last_line(fixture, (const char *[]) { "0123456789", "abc", NULL }, "0123456789");
    assert_true(fixture->transcript.last_over);
}

static void error_lines_are_recognised(void **state)
{
    struct str text;
    bool hard;

    (void)state;
    assert_true(transcript_error_line(STR("HEADRACE_ERROR Name: it is so "), &text, &hard));
    assert_str(text, "Name: it is so");
    assert_false(hard);
    assert_true(transcript_error_line(STR("HEADRACE_HARD_ERROR X"), &text, &hard));
    assert_true(hard);
    assert_false(transcript_error_line(STR(" HEADRACE_ERROR X"), &text, &hard));
    assert_false(transcript_error_line(STR("HEADRACE_ERRORS X"), &text, &hard));
}

static void a_full_disk_costs_lines_and_says_so_later(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit, small;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    out(fixture, "before\n", 1000);
    small = (struct rlimit) { 20, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    out(fixture, "lost\n", 1001);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    out(fixture, "after\n", 1002);
    assert_file(
        fixture,
        "1000 O before\n1002 S lines are missing here: the spool's disk was full\n1002 O after\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(TEST(lines_are_stamped_by_source), TEST(a_line_that_waits_is_written_when_it_is_overdue),
      TEST(the_log_is_cut_at_its_limit_once), TEST(the_last_line_is_kept_however_it_comes),
      CASE(error_lines_are_recognised), TEST(a_full_disk_costs_lines_and_says_so_later))
