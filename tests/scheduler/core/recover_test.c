// SPDX-License-Identifier: Apache-2.0
#include "common/base/rand.h"
#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

enum { SEEDS = 150, STEPS = 60 };

static struct dag *random_dag(struct rand *rand)
{
    uint32_t count = 2 + (uint32_t)rand_below(rand, 7);
    struct dag *dag = dag_new(count);
    dag->id = STR("d");
    dag->max_active_runs = 1 + (uint32_t)rand_below(rand, 3);
    dag->max_active_tasks = 1 + (uint32_t)rand_below(rand, 5);
    for (uint32_t t = 0; t < count; t++) {
        struct task *task = &dag->tasks[t];
        uint64_t draw = rand_below(rand, 10);
        task->id = str_format(&dag->arena, "t%u", t);
        task->operator_kind = draw == 0   ? OPERATOR_EMPTY
                              : draw == 1 ? OPERATOR_SHORT_CIRCUIT
                                          : OPERATOR_BASH;
        task->operator_args =
            dag_value(dag, draw == 1 ? "{\"condition\":\"1 > 2\",\"respect_trigger_rules\":true}"
                                     : "{\"command\":\"true\"}");
        task->trigger_rule = rand_below(rand, 2) == 0
                                 ? RULE_ALL_SUCCESS
                                 : (enum trigger_rule)rand_below(rand, RULE_COUNT);
        task->retries = (uint32_t)rand_below(rand, 3);
        task->retry_delay_ms = 1000 + (int64_t)rand_below(rand, 5000);
        task->priority_weight = 1 + (int32_t)rand_below(rand, 4);
        task->pool = rand_below(rand, 3) == 0 ? STR("p") : STR("default_pool");
        task->max_active_tis_per_dagrun = rand_below(rand, 4) == 0 ? 1 : 0;
        task->max_active_tis_per_dag = rand_below(rand, 4) == 0 ? 2 : 0;
        if (rand_below(rand, 4) == 0 && draw > 1)
            task->for_each = dag_value(dag, "[1,2,3]");
        task->upstream = ARENA_ARRAY(&dag->arena, uint32_t, t + 1);
        for (uint32_t u = 0; u < t; u++)
            if (rand_below(rand, 3) == 0)
                task->upstream[task->upstream_count++] = u;
    }
    assert_int_equal(dag_build(dag, NULL), 0);
    return dag;
}

static void end_one(struct story *s, struct rand *rand)
{
    struct story_worker *worker = s->workers.items[0];
    uint64_t draw = rand_below(rand, 10), which = rand_below(rand, 64);
    uint32_t open = 0;
    for (uint32_t i = 0; i < worker->attempts.count; i++)
        open += !worker->attempts.items[i].ended;
    if (open == 0)
        return;
    which %= open;
    for (uint32_t i = 0; i < worker->attempts.count; i++) {
        struct story_attempt *attempt = &worker->attempts.items[i];
        if (attempt->ended || which-- > 0)
            continue;
        attempt->ended = true;
        attempt->result = (struct result) { .outcome = attempt->told_kill ? OUTCOME_KILLED
                                                       : draw < 6         ? OUTCOME_SUCCESS
                                                       : draw < 8         ? OUTCOME_FAILED
                                                       : draw < 9         ? OUTCOME_LOST
                                                                          : OUTCOME_SKIPPED,
                                            .exit_code = draw >= 6,
                                            .output = STR("[1]"),
                                            .error = STR("") };
        break;
    }
    story_inventory(s, worker);
}

static void one_step(struct story *s, struct rand *rand, uint32_t number)
{
    char text[200];
    static const char *const states[] = { "success", "failed", "skipped" };
    uint64_t draw = rand_below(rand, 12), task = rand_below(rand, 4), pick = rand_below(rand, 3);
    if (draw == 0) {
        snprintf(text, sizeof text, "{\"kind\":\"trigger\",\"dag_id\":\"d\",\"run_id\":\"r%u\"}",
                 number);
    } else if (draw == 1) {
        snprintf(text, sizeof text,
                 "{\"kind\":\"clear\",\"dag_id\":\"d\",\"run_id\":\"r0\",\"tasks\":[{\"task_id\":"
                 "\"t%u\"}],\"include_downstream\":true}",
                 (unsigned)task);
    } else if (draw == 2) {
        snprintf(text, sizeof text,
                 "{\"kind\":\"mark_tasks\",\"dag_id\":\"d\",\"run_id\":\"r0\",\"tasks\":[{\"task_"
                 "id\":\"t%u\"}],\"task_state\":\"%s\"}",
                 (unsigned)task, states[pick]);
    } else if (draw < 5) {
        story_wait(s, 100 + (int64_t)task * 700);
        return;
    } else {
        end_one(s, rand);
        return;
    }
    story_request_json(s, text);
}

/* Shown again by a new leader: that a process runs. Nothing else may differ. */
static struct str without_running(struct story *s)
{
    struct str rest = str_of(story_trace(s)), line = STR_EMPTY;
    struct buf kept = { 0 };
    while (rest.bytes != NULL && str_split(&rest, '\n', &line)) {
        bool skips = false;
        for (size_t i = 0; i + 19 <= line.size; i++)
            skips |= memcmp(line.bytes + i, "its process started", 19) == 0;
        for (size_t i = 0; i + 13 < line.size && !skips; i++) {
            size_t size = memcmp(line.bytes + i, ": running -> ", 13) == 0  ? 9
                          : memcmp(line.bytes + i, ": queued -> ", 12) == 0 ? 8
                                                                            : 0;
            if (size == 0)
                continue;
            buf_add(&kept, line.bytes, i);
            buf_add_cstr(&kept, ": live");
            line = str_slice(line, i + size, line.size);
            break;
        }
        if (!skips) {
            buf_add_str(&kept, line);
            buf_add_byte(&kept, '\n');
        }
    }
    struct str text = str_copy(&s->arena, buf_str(&kept));
    buf_clear(&kept);
    return text;
}

static struct story *told(uint64_t seed, int takeover_at)
{
    struct rand rand;
    rand_init(&rand, seed);
    struct story *s = story_new();
    story_dag(s, random_dag(&rand));
    story_pool(s, "p", 2);
    story_worker(s, "w1", 1 + (uint32_t)rand_below(&rand, 5));
    story_trigger(s, "d", "r0");
    for (int i = 0; i < STEPS; i++) {
        if (i == 30)
            (void)story_trace(s);
        if (i == takeover_at) {
            story_takeover(s);
            story_pool(s, "p", 2);
        }
        one_step(s, &rand, (uint32_t)i + 1);
    }
    return s;
}

/* Two leaders of the same past: one has been there all the time, the other has read the rows. The
 * future is the same. */
static void a_recovered_core_decides_as_the_one_before(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct story *original = told(seed, -1), *recovered = told(seed, 29);
        struct str a = without_running(original), b = without_running(recovered);
        if (!str_eq(a, b)) {
            print_message("seed %llu: the original decides\n%.*s\n", (unsigned long long)seed,
                          STR_ARG(a));
            print_message("and the recovered one\n%.*s\n", STR_ARG(b));
            fail();
        }
        story_free(original);
        story_free(recovered);
    }
}

static void a_run_of_a_version_that_is_not_the_newest_goes_on(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_chain(2));
    story_worker(s, "w1", 2);
    story_trigger(s, "d", "r1");
    story_dag(s, dag_chain(3));
    story_trigger(s, "d", "r2");
    story_takeover(s);
    story_succeeds(s, "a");
    story_succeeds(s, "b");
    assert_int_equal(s->store.runs.items[0].row.state, RUN_SUCCESS);
    story_succeeds(s, "a");
    story_succeeds(s, "b");
    story_succeeds(s, "c");
    assert_int_equal(s->store.runs.items[1].row.state, RUN_SUCCESS);
    story_free(s);
}

static void after_lost_commits_nothing_is_placed_before_all_workers_have_reported(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_words("a b"));
    struct story_worker *w1 = story_worker(s, "w1", 1);
    story_worker(s, "w2", 1);
    s->commits_may_be_lost = true;
    story_takeover_silently(s);
    story_trigger(s, "d", "r1");
    story_inventory(s, w1);
    assert_false(story_is_placed(s, "a") || story_is_placed(s, "b"));
    story_inventory(s, s->workers.items[1]);
    assert_true(story_is_placed(s, "a") && story_is_placed(s, "b"));
    story_free(s);
}

static void a_worker_that_has_just_joined_settles_before_it_gets_work(void **state)
{
    (void)state;
    struct core_limits limits = story_limits();
    limits.join_settle_ms = 8000;
    struct story *s = story_new_with(&limits);
    story_dag(s, dag_chain(1));
    struct story_worker *w1 = story_worker(s, "w1", 1);
    story_trigger(s, "d", "r1");
    story_inventory(s, w1); /* its registration is committed: from now on */
    story_wait(s, 7999);
    assert_false(story_is_placed(s, "a"));
    story_wait(s, 1);
    story_inventory(s, w1);
    assert_true(story_is_placed(s, "a"));
    story_takeover(s);
    story_trigger(s, "d", "r2");
    story_succeeds(s, "a");
    assert_true(story_is_placed(s, "a")); /* known since long: at once */
    story_free(s);
}

static void what_a_lost_commit_had_placed_is_gone_before_anything_is_placed(void **state)
{
    (void)state;
    struct story *s = story_new();
    story_dag(s, dag_chain(1));
    s->commits_may_be_lost = true;
    story_takeover_silently(s);
    struct story_worker *w1 = story_worker(s, "w1", 2);
    VEC_ADD(&w1->attempts, (struct story_attempt) { .id = { 1, 3 }, .map_index = -1, .task = "a" });
    VEC_RESET(&w1->open);
    story_inventory(s, w1);
    story_trigger(s, "d", "r1");
    assert_int_equal(w1->attempts.count, 1);
    assert_true(w1->attempts.items[0].told_kill);
    w1->attempts.items[0].ended = true;
    w1->attempts.items[0].result =
        (struct result) { .outcome = OUTCOME_KILLED, .output = STR(""), .error = STR("") };
    story_inventory(s, w1);
    assert_true(story_is_placed(s, "a"));
    story_free(s);
}

TESTS(CASE(a_worker_that_has_just_joined_settles_before_it_gets_work),
      CASE(what_a_lost_commit_had_placed_is_gone_before_anything_is_placed),
      CASE(a_recovered_core_decides_as_the_one_before),
      CASE(a_run_of_a_version_that_is_not_the_newest_goes_on),
      CASE(after_lost_commits_nothing_is_placed_before_all_workers_have_reported))
