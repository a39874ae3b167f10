// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

enum { MANY = 40 };

struct shown {
    struct core_waiting items[MANY];
    uint32_t count;
    uint64_t total;
};

static struct shown look(struct story *s, const char *queue, const char *pool, uint32_t max)
{
    struct shown shown = { .count = 0 };
    shown.count =
        core_waiting(s->core, str_of(queue), str_of(pool), max, shown.items, &shown.total);
    return shown;
}

/* "a:slots b:next": the tasks and what keeps each. */
static void shows(struct story *s, const char *queue, const char *pool, const char *expected)
{
    static const char *const words[HOLD_COUNT] = { "next",   "parallelism", "worker", "slots",
                                                   "paused", "run",         "task" };
    struct shown shown = look(s, queue, pool, MANY);
    struct buf text = { 0 };
    for (uint32_t i = 0; i < shown.count; i++)
        buf_printf(&text, "%s%.*s:%s", i > 0 ? " " : "", STR_ARG(shown.items[i].task_id),
                   words[shown.items[i].hold]);
    if (!str_is(buf_str(&text), expected))
        fail_msg("it shows\n%.*s\nand not\n%s", STR_ARG(buf_str(&text)), expected);
    buf_clear(&text);
}

static struct story *given_runs_of_two_dags(void)
{
    struct story *s = story_new();
    struct dag *plain = dag_words("a b c"), *other = dag_words("d e");
    plain->tasks[1].weight = 10;
    other->id = STR("other");
    other->priority = 1;
    other->tasks[1].weight = 5;
    story_dag(s, plain);
    story_dag(s, other);
    story_trigger(s, "d", "r1");
    story_trigger(s, "other", "r2");
    story_trigger(s, "d", "r3");
    story_trigger(s, "other", "r4");
    return s;
}

static void what_is_shown_first_is_placed_first(void **state)
{
    (void)state;
    struct story *s = given_runs_of_two_dags();
    struct shown shown = look(s, "", "", MANY);
    assert_int_equal(shown.count, 10);
    assert_int_equal(shown.total, 10);
    story_worker(s, "w1", 1);
    for (uint32_t i = 0; i < shown.count; i++) {
        char task[8], run[8];
        (void)snprintf(task, sizeof task, "%.*s", STR_ARG(shown.items[i].task_id));
        (void)snprintf(run, sizeof run, "%.*s", STR_ARG(shown.items[i].run_id));
        assert_true(story_is_placed(s, task));
        assert_string_equal(story_attempt(s, task)->run, run);
        struct shown rest = look(s, "", "", MANY);
        assert_int_equal(rest.count, shown.count - i - 1); /* what is placed waits no more */
        assert_true(rest.count == 0 || rest.items[0].hold == HOLD_WORKER);
        story_succeeds(s, task);
    }
    story_free(s);
}

static void the_first_few_are_the_first_of_all(void **state)
{
    (void)state;
    struct story *s = given_runs_of_two_dags();
    struct shown all = look(s, "", "", MANY);
    for (uint32_t max = 0; max <= 11; max++) {
        struct shown few = look(s, "", "", max);
        assert_int_equal(few.count, max < all.count ? max : all.count);
        assert_int_equal(few.total, all.total);
        for (uint32_t i = 0; i < few.count; i++) {
            assert_true(str_eq(few.items[i].task_id, all.items[i].task_id));
            assert_true(str_eq(few.items[i].run_id, all.items[i].run_id));
        }
    }
    story_free(s);
}

static void each_says_what_keeps_it(void **state)
{
    (void)state;
    struct story *s = story_new();
    struct dag *dag = dag_words("a b c"), *gpu = dag_words("g h");
    dag->max_active_tasks = 1;
    dag->tasks[2].pool = STR("small");
    gpu->id = STR("gpu");
    gpu->tasks[0].queue = gpu->tasks[1].queue = STR("gpu");
    gpu->tasks[1].pool = STR("small");
    story_dag(s, dag);
    story_dag(s, gpu);
    story_trigger(s, "d", "r1");
    story_trigger(s, "gpu", "r2");
    shows(s, "gpu", "", "g:worker h:slots");
    story_pool(s, "small", 1);
    shows(s, "gpu", "", "g:worker h:worker");
    shows(s, "", "small", "c:worker h:worker");
    story_worker(s, "w1", 4);
    assert_true(story_is_placed(s, "a"));
    shows(s, "default", "", "b:run c:run");
    shows(s, "nobody_has_it", "", "");
    story_free(s);
}

static void a_limit_over_all_dags_is_named(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.parallelism = 1;
    struct story *s = story_new_with(&limits);
    story_dag(s, dag_words("a b"));
    story_worker(s, "w1", 4);
    story_trigger(s, "d", "r1");
    shows(s, "", "", "b:parallelism");
    story_succeeds(s, "a");
    shows(s, "", "", "");
    story_free(s);
}

TESTS(CASE(what_is_shown_first_is_placed_first), CASE(the_first_few_are_the_first_of_all),
      CASE(each_says_what_keeps_it), CASE(a_limit_over_all_dags_is_named))
