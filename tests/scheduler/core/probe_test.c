// SPDX-License-Identifier: Apache-2.0
#include "common/text/json.h"
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

static const struct value *value_of(struct story *s, const char *json)
{
    const struct value *value = NULL;
    assert_int_equal(json_parse(&s->arena, str_of(json), NULL, &value, NULL), 0);
    return value;
}

static struct story *story_with_a_connection(void)
{
    struct story *s = story_new();
    s->show_sends = true;
    story_event(s, (struct core_event) {
                       .type = CORE_CONNECTION,
                       .connection = { STR("lake"),
                                       value_of(s, "{\"conn_type\":\"postgres\",\"host\":\"db\","
                                                   "\"password\":\"s3cret\"}") } });
    (void)story_trace(s);
    return s;
}

static void ask(struct story *s, const char *id, const char *given)
{
    story_event(s,
                (struct core_event) { .type = CORE_PROBE,
                                      .probe = { STR("web"), 7, str_of(id), value_of(s, given) } });
}

static void a_worker_opens_what_is_kept_and_the_asker_hears_of_it(void **state)
{
    (void)state;
    struct story *s = story_with_a_connection();
    story_worker(s, "w1", 1);
    (void)story_trace(s);
    ask(s, "lake", "{\"conn_type\":\"postgres\",\"login\":\"ann\"}");
    struct story_errand *errand = story_errand(s, "s3cret");
    assert_non_null(errand);
    assert_int_equal(errand->kind, ERRAND_CONNECT);
    assert_non_null(strstr(errand->payload, "\"login\":\"ann\""));
    assert_non_null(strstr(errand->payload, "\"host\":\"db\""));
    story_answers(s, "s3cret", ERRAND_DONE, "", "");
    TRACE(s, "[    0] -> w1: 1 errands, the first connect\n"
             "[    0] -> web: question 7: it opens, Connection successfully tested\n");
    story_free(s);
}

static void what_went_wrong_is_told_in_the_words_of_the_worker(void **state)
{
    (void)state;
    struct story *s = story_with_a_connection();
    story_worker(s, "w1", 1);
    ask(s, "new", "{\"conn_type\":\"http\",\"host\":\"x\"}");
    (void)story_trace(s);
    story_answers(s, "\"host\":\"x\"", ERRAND_UNREACHABLE, "", "ConnectionError: no route");
    TRACE(s, "[    0] -> web: question 7: no, ConnectionError: no route\n");
    story_free(s);
}

static void a_kept_password_is_sent_nowhere_else(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {
        "{\"host\":\"evil\"}",
        "{\"port\":6432}",
        "{\"conn_type\":\"http\"}",
        "{\"schema\":\"host=evil\"}",
        "{\"extra\":{\"hostaddr\":\"10.0.0.1\"}}",
    };
    struct story *s = story_with_a_connection();
    story_worker(s, "w1", 1);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        (void)story_trace(s);
        ask(s, "lake", elsewhere[i]);
        assert_non_null(strstr(story_trace(s), "the kept password is not sent elsewhere"));
        assert_int_equal(s->errands.count, 0);
    }
    ask(s, "lake", "{\"host\":\"other\",\"password\":\"new\"}");
    assert_non_null(story_errand(s, "\"password\":\"new\""));
    story_free(s);
}

static void without_any_worker_it_says_so_at_once(void **state)
{
    (void)state;
    struct story *s = story_with_a_connection();
    ask(s, "lake", "{}");
    TRACE(s, "[    0] -> web: question 7: no, no worker is there to open it: connections are "
             "tested by workers\n");
    story_free(s);
}

static void a_queue_that_scales_gets_a_worker_for_it(void **state)
{
    (void)state;
    struct story *s = story_with_a_connection();
    story_dag(s, dag_chain(1));
    story_autoscale(s, "default", 0, 2, 4, 60000, 0);
    ask(s, "lake", "{}");
    assert_int_equal(s->scale_wanted, 1);
    assert_int_equal(s->errands.count, 0);
    story_worker(s, "w1", 4);
    story_wait(s, 1000);
    assert_non_null(story_errand(s, "s3cret"));
    story_answers(s, "s3cret", ERRAND_DONE, "", "it is there");
    story_wait(s, 120000);
    assert_int_equal(s->scale_wanted, 0); /* and for nothing more */
    story_free(s);
}

static void a_worker_that_does_not_answer_is_named_and_a_late_answer_is_nobodys(void **state)
{
    (void)state;
    struct story *s = story_with_a_connection();
    story_worker(s, "w1", 1);
    ask(s, "lake", "{}");
    (void)story_trace(s);
    story_wait(s, 45000);
    assert_non_null(strstr(story_trace(s), "question 7: no, worker w1 did not answer within 45 s"));
    story_answers(s, "s3cret", ERRAND_DONE, "", "");
    assert_null(strstr(story_trace(s), "question 7"));
    assert_int_equal(core_stats(s->core).dropped_messages, 1);
    story_free(s);
}

TESTS(CASE(a_worker_opens_what_is_kept_and_the_asker_hears_of_it),
      CASE(what_went_wrong_is_told_in_the_words_of_the_worker),
      CASE(a_kept_password_is_sent_nowhere_else), CASE(without_any_worker_it_says_so_at_once),
      CASE(a_queue_that_scales_gets_a_worker_for_it),
      CASE(a_worker_that_does_not_answer_is_named_and_a_late_answer_is_nobodys))
