// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/live_topic.h"

#include "tests/support/test.h"

static struct topics parse(struct arena *arena, const char *text)
{
    struct topics topics;
    struct err err = { 0 };
    if (topics_parse(arena, str_of(text), &topics, &err) < 0)
        fail_msg("%s", err.sentence);
    return topics;
}

static void topics_want_their_own_events(void **state)
{
    (void)state;
    static const struct {
        const char *topics;
        const char
            *wanted; /* a letter an event: task of etl/r1, run of etl/r1, DAG etl, workers, loads */
    } ROWS[] = {
        { "home", "-rdw-" },
        { "dags", "-rd--" },
        { "workers", "---wl" },
        { "dag:etl", "trd--" },
        { "dag:other", "-----" },
        { "run:etl/r1", "tr---" },
        { "run:etl/r2", "-----" },
        { "run:other/r1", "-----" },
        { "home,run:etl/r1", "trdw-" },
        { "", "-----" },
        { "log:etl/r1/load/-1/2", "-----" },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct arena arena = { 0 };
        struct topics topics = parse(&arena, ROWS[i].topics);
        char got[] = "-----";
        for (int event = EVENT_TASK; event < EVENT_COUNT; event++)
            if (topics_want(&topics, (enum topic_event)event, STR("etl"), STR("r1")))
                got[event] = "trdwl"[event];
        assert_string_equal(got, ROWS[i].wanted);
        arena_clear(&arena);
    }
}

static void ids_are_decoded_and_a_log_has_five_parts(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct topics topics = parse(&arena, "run:a%2Cb/manual__1%2B00%3A00,log:etl/r1/g.load/7/2");
    assert_int_equal(topics.count, 2);
    assert_str(topics.items[0].dag_id, "a,b");
    assert_str(topics.items[0].run_id, "manual__1+00:00");
    assert_str(topics.items[1].task_id, "g.load");
    assert_str(topics.items[1].name, "etl/r1/g.load/7/2");
    assert_int_equal(topics.items[1].map_index, 7);
    assert_int_equal(topics.items[1].try_no, 2);
    arena_clear(&arena);
}

static void what_is_no_topic_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const BAD[] = { "colour",      "dag",       "dag:",
                                       "run:etl",     "run:a/b/c", "log:a/b/c/d/1",
                                       "log:a/b/c/1", "dag:%zz",   "home:x" };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct arena arena = { 0 };
        struct topics topics;
        struct err err = { 0 };
        int rc = topics_parse(&arena, str_of(BAD[i]), &topics, &err);
        assert_int_equal(rc, ERR_UNPROCESSABLE);
        arena_clear(&arena);
    }
}

TESTS(CASE(topics_want_their_own_events), CASE(ids_are_decoded_and_a_log_has_five_parts),
      CASE(what_is_no_topic_is_refused_by_name))
