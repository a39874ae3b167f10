// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static void a_chain_runs_from_end_to_end(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_chain(3));
    story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_wait(s, 100);
    story_starts(s, "a");
    story_succeeds(s, "a");
    story_wait(s, 20);
    story_succeeds(s, "b");
    story_succeeds(s, "c");
    TRACE(s, "[    0] run r1: queued (requested by a user)\n"
             "[    0] run r1: running (requested by a user)\n"
             "[    0] a: none -> queued (given to a worker)\n"
             "[  100] a: queued -> running (its process started)\n"
             "[  100] a: running -> success (its process ended well)\n"
             "[  100] b: none -> queued (given to a worker)\n"
             "[  120] b: queued -> success (its process ended well)\n"
             "[  120] c: none -> queued (given to a worker)\n"
             "[  120] c: queued -> success (its process ended well)\n"
             "[  120] run r1: success (all its tasks are done)\n");
    story_free(s);
}

TESTS(CASE(a_chain_runs_from_end_to_end))
