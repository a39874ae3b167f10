// SPDX-License-Identifier: Apache-2.0
#include "common/log/log.h"

#include "tests/support/test.h"

#include <fcntl.h>
#include <unistd.h>

static int fds[2];
static char got[40000];

static void setup_pipe(enum log_format format, enum log_level level)
{
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    log_setup(&(struct log_options) {
        .program = "test", .level = level, .format = format, .fd = fds[1] });
}

/* What was logged, behind the time stamp (its 24 bytes and what stands before). */
static const char *line(size_t before)
{
    ssize_t size = read(fds[0], got, sizeof got - 1);
    got[size > 0 ? size : 0] = 0;
    log_setup(&(struct log_options) { .program = "", .level = LOG_LEVEL_INFO });
    close(fds[0]);
    close(fds[1]);
    return size > 0 ? got + before + 24 : "";
}

static void a_json_line_has_the_event_and_typed_fields(void **state)
{
    (void)state;
    struct err err = { 0 };
    (void)err_set(&err, ERR_NOT_FOUND, "run r1");
    (void)err_hint(&err, "look at \"dags list\"");
    setup_pipe(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_warn("task_lost", LOG_STR("run", "r1"), LOG_STR("dag", STR("d")), LOG_INT("try", -2),
             LOG_REAL("load", 0.25), LOG_BOOL("hard", true),
             LOG_ID("attempt", ((struct id128) { 1, 2 })), LOG_ERR(&err));
    assert_string_equal(line(7), "\",\"level\":\"warn\",\"program\":\"test\",\"event\":\"task_"
                                 "lost\",\"run\":\"r1\",\"dag\":\"d\","
                                 "\"try\":-2,\"load\":0.25,\"hard\":true,\"attempt\":\"00000000-"
                                 "0000-0001-0000-000000000002\","
                                 "\"error\":\"NOT_FOUND\",\"sentence\":\"run r1\",\"hint\":\"look "
                                 "at \\\"dags list\\\"\"}\n");
}

static void a_text_line_is_for_people(void **state)
{
    (void)state;
    setup_pipe(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    log_info("listening", LOG_STR("address", "127.0.0.1:8080"), LOG_STR("note", "two words"),
             LOG_STR("none", (const char *)NULL));
    assert_string_equal(
        line(0), " info  test: listening address=127.0.0.1:8080 note=\"two words\" none=\"\"\n");
}

static void a_secret_prints_as_stars(void **state)
{
    (void)state;
    struct secret secret = { STR("hunter2") };
    setup_pipe(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    log_info("connected", LOG_STR("conn", secret), LOG_STR("empty", (struct secret) { STR_EMPTY }));
    assert_string_equal(line(0), " info  test: connected conn=*** empty=\"\"\n");
}

static void a_value_cannot_forge_a_line_or_drive_a_terminal(void **state)
{
    (void)state;
    setup_pipe(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    log_info("said", LOG_STR("text", "a\nb\x1b[31m\xff\xc2\x9b ü"));
    assert_string_equal(line(0), " info  test: said text=\"a\\nb\\u001b[31m\\u00ff\\u009b ü\"\n");
}

static void what_is_below_the_level_is_not_even_evaluated(void **state)
{
    (void)state;
    int evaluated = 0;
    setup_pipe(LOG_FORMAT_JSON, LOG_LEVEL_WARN);
    log_info("quiet", LOG_INT("n", ++evaluated));
    assert_string_equal(line(0), "");
    assert_int_equal(evaluated, 0);
}

static void a_line_that_is_too_long_is_cut_at_a_field_and_says_so(void **state)
{
    (void)state;
    static char much[20000];
    memset(much, 'x', sizeof much - 1);
    setup_pipe(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    log_info("long", LOG_INT("before", 1), LOG_STR("much", much), LOG_INT("after", 2));
    assert_string_equal(line(7), "\",\"level\":\"info\",\"program\":\"test\",\"event\":\"long\","
                                 "\"before\":1,\"cut\":true}\n");
}

static void levels_and_formats_are_read_by_name(void **state)
{
    (void)state;
    enum log_level level;
    enum log_format format;
    assert_int_equal(log_level_parse(STR("warning"), &level), 0);
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_int_equal(log_level_parse(STR("loud"), &level), ERR_INVALID);
    assert_int_equal(log_format_parse(STR("json"), &format), 0);
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_int_equal(log_format_parse(STR("xml"), &format), ERR_INVALID);
}

TESTS(CASE(a_json_line_has_the_event_and_typed_fields), CASE(a_text_line_is_for_people),
      CASE(a_secret_prints_as_stars), CASE(a_value_cannot_forge_a_line_or_drive_a_terminal),
      CASE(what_is_below_the_level_is_not_even_evaluated),
      CASE(a_line_that_is_too_long_is_cut_at_a_field_and_says_so),
      CASE(levels_and_formats_are_read_by_name))
