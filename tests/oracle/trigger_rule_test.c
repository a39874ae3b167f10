// SPDX-License-Identifier: Apache-2.0
/* Trigger rules against trigger_rule_table.txt, which Airflow's own code has written
 * (trigger_rule_table.py). First the rules themselves, then a scheduler that runs a DAG into each
 * of the table's states. docs/adr/0009 says where they may differ. */
#include "common/model/trigger_rule.h"

#include <stdio.h>

#include "tests/support/dags.h"
#include "tests/support/story.h"
#include "tests/support/test.h"

enum { UPSTREAMS_MAX = 3, INSTANCES_MAX = 2, LINE_MAX_SIZE = 256 };

/* A line of the table. */
struct question {
    char text[LINE_MAX_SIZE];
    bool of_teardown, of_scope;
    uint32_t count;
    uint32_t setups; /* of a teardown or a scope: so many come first */
    char states[UPSTREAMS_MAX][INSTANCES_MAX + 1];
    bool mapped[UPSTREAMS_MAX];
    char answers[RULE_COUNT + 1];
};

static FILE *table_open(void)
{
    FILE *file = fopen("tests/oracle/trigger_rule_table.txt", "r");
    if (file == NULL)
        fail_msg("tests/oracle/trigger_rule_table.txt cannot be read");
    return file;
}

static void word_read(struct question *question, struct str word)
{
    if (str_is(word, "teardown")) {
        question->of_teardown = true;
    } else if (str_is(word, "scope")) {
        question->of_scope = true;
    } else if (str_is(word, ":")) {
        question->setups = question->count;
    } else {
        assert_true(question->count < UPSTREAMS_MAX);
        bool mapped = word.bytes[0] == '[';
        question->mapped[question->count] = mapped;
        memcpy(question->states[question->count++], word.bytes + mapped,
               mapped ? INSTANCES_MAX : 1);
    }
}

static bool question_next(FILE *file, struct question *out)
{
    char line[LINE_MAX_SIZE];
    *out = (struct question) { 0 };
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(out->text, sizeof out->text, "%s", line);
        char *answers = strstr(line, "  ");
        assert_non_null(answers);
        snprintf(out->answers, sizeof out->answers, "%s", answers + 2);
        struct str rest = { line, (size_t)(answers - line) }, word;
        while (str_split(&rest, ' ', &word))
            word_read(out, word);
        return true;
    }
    return false;
}

static enum task_state state_of(char letter)
{
    switch (letter) {
    case 's':
        return TASK_SUCCESS;
    case 'f':
        return TASK_FAILED;
    case 'u':
        return TASK_UPSTREAM_FAILED;
    case 'k':
        return TASK_SKIPPED;
    default:
        return TASK_NONE;
    }
}

/* Of the tasks from `first` to before `end`, each instance counted. */
static struct upstream_counts counts_of(const struct question *question, uint32_t first,
                                        uint32_t end)
{
    struct upstream_counts counts = { 0 };
    for (uint32_t i = first; i < end; i++)
        counts.total += (uint32_t)strlen(question->states[i]);
    for (uint32_t i = first; i < end; i++)
        for (const char *letter = question->states[i]; *letter != '\0'; letter++)
            if (task_state_is_final(state_of(*letter)))
                upstream_counts_add(&counts, state_of(*letter));
    return counts;
}

static bool may_still_fail(const struct upstream_counts *counts)
{
    return counts->skipped > 0 && counts->failed + counts->upstream_failed == 0 &&
           counts->done < counts->total;
}

/* The one difference that is wanted: a skip under all_success is not passed on while a failure may
 * still come; nor is that of a setup. */
static bool is_wanted(const struct question *question, int rule, char ours)
{
    struct upstream_counts counts =
        counts_of(question, question->of_scope ? question->setups : 0, question->count);
    struct upstream_counts setups =
        counts_of(question, 0, question->of_scope ? question->setups : 0);
    bool by_rule = rule == RULE_ALL_SUCCESS && may_still_fail(&counts),
         by_scope = may_still_fail(&setups);
    return question->answers[rule] == 'S' && ours == 'W' && (by_rule || by_scope);
}

static int difference(const struct question *question, int rule, char ours)
{
    if (ours == question->answers[rule] || is_wanted(question, rule, ours))
        return 0;
    print_error("%s: %s: Airflow says %c, we %c\n", question->text,
                question->of_teardown ? "teardown" : trigger_rule_name(rule),
                question->answers[rule], ours);
    return 1;
}

/* ---- the rules themselves -------------------------------------------------------------------- */

static char letter_of(enum verdict verdict)
{
    static const char letters[] = { [VERDICT_WAIT] = 'W',
                                    [VERDICT_RUN] = 'R',
                                    [VERDICT_SKIP] = 'S',
                                    [VERDICT_UPSTREAM_FAILED] = 'U' };
    return letters[verdict];
}

static int differences_of_rules(const struct question *question)
{
    struct upstream_counts setups = counts_of(question, 0, question->setups);
    struct upstream_counts counts =
        counts_of(question, question->of_scope ? question->setups : 0, question->count);
    int different = 0;
    if (question->of_teardown)
        return difference(question, 0, letter_of(teardown_verdict(&counts, &setups)));
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        enum verdict verdict = trigger_rule_verdict(rule, &counts);
        if (question->of_scope)
            verdict = scoped_verdict(rule, verdict, &setups);
        different += difference(question, rule, letter_of(verdict));
    }
    return different;
}

static void the_rules_agree_with_airflow(void **state)
{
    (void)state;
    struct question question;
    int different = 0;
    FILE *file = table_open();
    while (question_next(file, &question))
        different += differences_of_rules(&question);
    fclose(file);
    assert_int_equal(different, 0);
}

/* ---- a scheduler in that state --------------------------------------------------------------- */

/* A mapped task has instances that are upstream_failed only when some of it was cleared: those
 * lines are left out. */
static bool is_reached(const struct question *question)
{
    for (uint32_t i = 0; i < question->count; i++)
        if (question->mapped[i] && strchr(question->states[i], 'u') != NULL)
            return false;
    return !question->of_teardown && !question->of_scope;
}

/* The upstream tasks, one before each that is to be upstream_failed, and a task with each rule
 * behind all of them. */
static struct dag *dag_of(const struct question *question)
{
    struct buf words = { 0 };
    char id[8];
    buf_printf(&words, "bad");
    for (uint32_t i = 0; i < question->count; i++)
        buf_printf(&words, " up%u%s", i, question->states[i][0] == 'u' ? ":bad" : "");
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        buf_printf(&words, " %s:up0", trigger_rule_name(rule));
        for (uint32_t i = 1; i < question->count; i++)
            buf_printf(&words, ",up%u", i);
        buf_printf(&words, "?%s", trigger_rule_name(rule));
    }
    buf_add_byte(&words, '\0');
    struct dag *dag = dag_words(words.bytes);
    dag->max_active_tasks = 100;
    for (uint32_t i = 0; i < question->count; i++) {
        snprintf(id, sizeof id, "up%u", i);
        if (question->mapped[i])
            dag_task(dag, id)->for_each = dag_value(dag, "[1,2]");
    }
    buf_clear(&words);
    return dag;
}

static void instance_ends(struct story *s, const char *name, char letter)
{
    switch (letter) {
    case 's':
        story_succeeds(s, name);
        break;
    case 'f':
        story_ends(s, name, OUTCOME_FAILED, 1);
        break;
    case 'k':
        story_ends(s, name, OUTCOME_SKIPPED, 99);
        break;
    default:
        break; /* not ended; or its end came with that of `bad` */
    }
}

/* `bad` ends last: what is to be upstream_failed is the last to know. */
static void upstreams_end(struct story *s, const struct question *question, bool takeover)
{
    char name[16];
    for (uint32_t i = 0; i < question->count; i++)
        for (uint32_t k = 0; question->states[i][k] != '\0'; k++) {
            snprintf(name, sizeof name, question->mapped[i] ? "up%u[%u]" : "up%u", i, k);
            instance_ends(s, name, question->states[i][k]);
        }
    if (takeover)
        story_takeover(s);
    story_ends(s, "bad", OUTCOME_FAILED, 1);
}

static char letter_in(struct story *s, const char *task)
{
    switch (story_state(s, task)) {
    case TASK_NONE:
        return 'W';
    case TASK_SKIPPED:
        return 'S';
    case TASK_UPSTREAM_FAILED:
        return 'U';
    default:
        return 'R';
    }
}

static int differences_of_core(const struct question *question, bool takeover)
{
    struct story *s = story_new();
    int different = 0;
    story_dag(s, dag_of(question));
    story_worker(s, "w1", 32);
    story_trigger(s, "d", "r1");
    upstreams_end(s, question, takeover);
    for (int rule = 0; rule < RULE_COUNT; rule++)
        different += difference(question, rule, letter_in(s, trigger_rule_name(rule)));
    story_free(s);
    return different;
}

static void all_lines_with_a_core(bool takeover)
{
    struct question question;
    int different = 0;
    FILE *file = table_open();
    while (question_next(file, &question))
        if (is_reached(&question))
            different += differences_of_core(&question, takeover);
    fclose(file);
    assert_int_equal(different, 0);
}

static void a_scheduler_in_each_of_these_states_agrees_with_airflow(void **state)
{
    (void)state;
    all_lines_with_a_core(false);
}

static void so_does_one_that_took_over_and_counts_from_rows(void **state)
{
    (void)state;
    all_lines_with_a_core(true);
}

TESTS(CASE(the_rules_agree_with_airflow),
      CASE(a_scheduler_in_each_of_these_states_agrees_with_airflow),
      CASE(so_does_one_that_took_over_and_counts_from_rows))
