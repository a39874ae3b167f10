// SPDX-License-Identifier: Apache-2.0
#include "common/helper/helper.h"

#include "common/base/buf.h"
#include "common/loop/timer.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, AGAIN_MS = 200 };

/* A helper whose program is a script; what it answers comes here as text. */
struct world {
    char folder[64], program[128];
    struct loop *loop;
    struct helper *helper;
    struct timer again;
    struct buf answers;
    size_t wanted; /* bytes of answers */
    bool done, is_closed;
};

static void on_answers(void *owner, const struct errand_answer *answers, uint32_t count)
{
    struct world *world = owner;

    for (uint32_t i = 0; i < count; i++)
        buf_printf(&world->answers, "%llu/%u %s %.*s;", (unsigned long long)answers[i].id.low,
                   answers[i].number, errand_outcome_name(answers[i].outcome),
                   STR_ARG(answers[i].text));
    world->done = world->answers.size >= world->wanted;
}

/* `script` reads errands, a line each, from its input. */
static void begin(struct world *world, const char *script)
{
    FILE *file;

    *world = (struct world) { .folder = "/tmp/helper_test_XXXXXX" };
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->program, sizeof world->program, "%s/helper", world->folder);
    file = fopen(world->program, "w");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n[ \"$1\" = errands ] || exit 9\n%s\n", script) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(world->program, 0755), 0);
    assert_int_equal(loop_new(&world->loop, NULL), 0);
    world->helper = helper_new(world->loop, world->program, on_answers, world);
}

static void on_closed(void *owner)
{
    ((struct world *)owner)->is_closed = true;
}

static void end(struct world *world)
{
    helper_close(world->helper, on_closed, world);
    assert_true(world->is_closed || loop_run_until(world->loop, &world->is_closed, PATIENCE_MS));
    loop_free(world->loop);
    buf_clear(&world->answers);
    assert_int_equal(unlink(world->program), 0);
    assert_int_equal(rmdir(world->folder), 0);
}

static void give(struct world *world, uint32_t number)
{
    struct errand errands[] = { { { 0, 7 }, number, ERRAND_FILE, STR("{\"file\":\"/x\"}") },
                                { { 0, 8 }, number, ERRAND_FILE, STR("{\"file\":\"/y\"}") } };

    helper_give(world->helper, errands, 2);
}

/* More may have come by now: whoever gives again may be answered twice. */
static void answered(struct world *world, const char *expected)
{
    world->wanted = strlen(expected);
    world->done = world->answers.size >= world->wanted;
    if (!world->done && !loop_run_until(world->loop, &world->done, PATIENCE_MS))
        fail_msg("within a minute it has answered only '%.*s'", STR_ARG(buf_str(&world->answers)));
    assert_str(str_slice(buf_str(&world->answers), 0, world->wanted), expected);
    buf_reset(&world->answers);
}

/* Each errand is answered with its payload as the text. */
#define ANSWER "printf '%s %s not_yet\\t\\t%s\\n' \"$id\" \"$number\" \"$payload\""
#define READ   "read -r id number kind payload"

static void errands_are_answered_as_they_come(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "while " READ "; do " ANSWER "; done");
    give(&world, 1);
    answered(&world, "7/1 not_yet {\"file\":\"/x\"};8/1 not_yet {\"file\":\"/y\"};");
    give(&world, 2);
    answered(&world, "7/2 not_yet {\"file\":\"/x\"};8/2 not_yet {\"file\":\"/y\"};");
    end(&world);
}

static void a_line_that_is_no_answer_is_passed_over(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "while " READ "; do echo so they say; " ANSWER "; done");
    give(&world, 1);
    answered(&world, "7/1 not_yet {\"file\":\"/x\"};8/1 not_yet {\"file\":\"/y\"};");
    end(&world);
}

/* As whoever gives errands does when no answer comes. */
static void on_again(struct timer *timer)
{
    struct world *world = timer->owner;

    give(world, 2);
    timer_once(&world->again, AGAIN_MS);
}

static void given_again_and_again(struct world *world, const char *expected)
{
    timer_open(&world->again, world->loop, on_again, world);
    timer_once(&world->again, AGAIN_MS);
    answered(world, expected);
    timer_close(&world->again, on_closed);
    assert_true(loop_run_until(world->loop, &world->is_closed, PATIENCE_MS));
    world->is_closed = false; /* it was the timer */
}

static void one_that_has_ended_is_started_anew(void **state)
{
    struct world world;

    (void)state;
    begin(&world, READ "; " ANSWER "; exit 3"); /* one answer, and it is gone with the rest */
    give(&world, 1);
    answered(&world, "7/1 not_yet {\"file\":\"/x\"};");
    given_again_and_again(&world, "7/2 not_yet {\"file\":\"/x\"};");
    end(&world);
}

/* The first one that is started never ends its line, the next one answers. */
static void one_that_speaks_without_end_is_stopped(void **state)
{
    struct world world;

    (void)state;
    begin(&world,
          "if mkdir \"$0.first\" 2>/dev/null; then exec cat /dev/zero; fi; rmdir \"$0.first\"\n"
          "while " READ "; do " ANSWER "; done");
    give(&world, 1);
    given_again_and_again(&world, "7/2 not_yet {\"file\":\"/x\"};8/2 not_yet {\"file\":\"/y\"};");
    end(&world);
}

static void what_cannot_be_started_loses_its_errands_and_closes(void **state)
{
    struct world world;

    (void)state;
    begin(&world, "");
    assert_int_equal(chmod(world.program, 0644), 0);
    give(&world, 1);
    assert_int_equal(world.answers.size, 0);
    end(&world);
}

static void closing_ends_one_that_does_not_listen(void **state)
{
    struct world world;

    (void)state;
    begin(&world, READ "; " ANSWER "; trap '' TERM; exec sleep 600");
    give(&world, 1);
    answered(&world, "7/1 not_yet {\"file\":\"/x\"};");
    end(&world);
}

TESTS(CASE(errands_are_answered_as_they_come), CASE(a_line_that_is_no_answer_is_passed_over),
      CASE(one_that_has_ended_is_started_anew), CASE(one_that_speaks_without_end_is_stopped),
      CASE(what_cannot_be_started_loses_its_errands_and_closes),
      CASE(closing_ends_one_that_does_not_listen))
