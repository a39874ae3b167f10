// SPDX-License-Identifier: Apache-2.0
// The words, letters and ids that sql/migrations/0002_words.sql makes of numbers are those of the C
// tables.
#include "common/base/id.h"
#include "common/model/backfill.h"
#include "common/model/state.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

static struct pg_sync *sync_connection;

static struct str ask_row(struct arena *arena, const char *sql, uint32_t row)
{
    struct pg_result *result = NULL;
    struct err err = { 0 };
    if (pg_sync_query(sync_connection, sql, NULL, &result, &err) < 0)
        fail_msg("%s: %s", sql, err.sentence);
    struct str text = str_copy(arena, pg_get_text(result, row, 0));
    pg_result_free(result);
    return text;
}

static struct str ask(struct arena *arena, const char *sql)
{
    return ask_row(arena, sql, 0);
}

static void words_and_letters_are_those_of_the_states(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        assert_str(ask(&arena, str_format(&arena, "SELECT task_state_word(%d)", i).bytes),
                   task_state_name((enum task_state)i));
    for (int i = 0; i < RUN_STATE_COUNT; i++)
        assert_str(ask(&arena, str_format(&arena, "SELECT run_state_word(%d)", i).bytes),
                   run_state_name((enum run_state)i));
    for (int i = 0; i < REPROCESS_COUNT; i++)
        assert_str(ask(&arena, str_format(&arena, "SELECT reprocess_word(%d)", i).bytes),
                   reprocess_name((enum reprocess)i));
    for (int i = 0; i < RUN_TYPE_COUNT; i++)
        assert_str(ask(&arena, str_format(&arena, "SELECT run_type_word(%d)", i).bytes),
                   run_type_name((enum run_type)i));
    assert_str(ask(&arena, str_format(&arena,
                                      "SELECT string_agg(task_state_letter(i), '' ORDER BY i) FROM "
                                      "generate_series(0, %d) i",
                                      TASK_STATE_COUNT - 1)
                               .bytes),
               TASK_STATE_LETTERS);
    assert_true(ask(&arena, str_format(&arena, "SELECT coalesce(task_state_word(%d), 'none such')",
                                       TASK_STATE_COUNT)
                                .bytes)
                    .size == 9);
    arena_clear(&arena);
}

static void derived_ids_are_the_same_on_both_sides(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    static const uint64_t NUMBERS[][3] = { { 1, 1, 0 },
                                           { 2, 89240830476289, 1 },
                                           { 2, 89240830476289, (5ULL << 32) | 100001 },
                                           { 255, 15, 16 } };
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        char wanted[ID_TEXT_SIZE];
        id_text(id_derived(NUMBERS[i][0], NUMBERS[i][1], NUMBERS[i][2]), wanted);
        assert_str(ask(&arena, str_format(&arena, "SELECT derived_id(%d, %lld, %lld)::text",
                                          (int)NUMBERS[i][0], (long long)NUMBERS[i][1],
                                          (long long)NUMBERS[i][2])
                                   .bytes),
                   wanted);
    }
    arena_clear(&arena);
}

static void schedules_and_durations_read_as_they_were_written(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    static const char *const ROWS[][2] = {
        { "schedule_text('{\"cron\": [\"0 6 * * *\"]}')", "0 6 * * *" },
        { "schedule_text('{\"cron\": [\"0 6 * * *\", \"0 18 * * *\"]}')",
          "0 6 * * * | 0 18 * * *" },
        { "schedule_text('{\"every_ms\": 600000}')", "every 10m" },
        { "schedule_text('{\"once\": true}')", "@once" },
        { "coalesce(schedule_text('null'), 'none')", "none" },
        { "duration_text(90061001)", "1d1h1m1s1ms" },
        { "duration_text(0)", "0s" },
        { "duration_iso(3600000)", "PT3600S" },
        { "duration_iso(90000500)", "P1DT3600.5S" },
        { "coalesce(ms('infinity')::text, 'null')", "null" },
        { "ms('2026-11-21T06:00:00.123Z')::text", "1795240800123" },
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_str(ask(&arena, str_format(&arena, "SELECT %s", ROWS[i][0]).bytes), ROWS[i][1]);
    arena_clear(&arena);
}

/* A call would be planned anew by every statement, which takes longer than most lists. */
static void the_planner_puts_words_in_place_of_their_calls(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    static const char *const CALLS[] = {
        "task_state_word(d.dag_no)",   "run_state_word(d.dag_no)",    "run_type_word(d.dag_no)",
        "task_state_letter(d.dag_no)", "run_state_letter(d.dag_no)",  "derived_id(1, d.dag_no, 0)",
        "schedule_text(d.schedule)",   "duration_text(d.version_no)", "ms(d.created_at)",
        "at_ms(d.version_no)"
    };
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
        struct str sql = str_format(&arena, "EXPLAIN (VERBOSE) SELECT %s FROM dag d", CALLS[i]);
        struct str output = ask_row(&arena, sql.bytes, 1); /* "Output: ...", below the scan */
        struct str name = str_cut(str_of(CALLS[i]), (size_t)(strchr(CALLS[i], '(') - CALLS[i]) + 1);
        assert_non_null(strstr(output.bytes, "Output: "));
        if (strstr(output.bytes, str_copy(&arena, name).bytes) != NULL)
            fail_msg("%s is called: %s", CALLS[i], output.bytes);
    }
    arena_clear(&arena);
}

static int setup(void **state)
{
    (void)state;
    return pg_sync_open(&sync_connection, store_world_database(), NULL);
}

static int teardown(void **state)
{
    (void)state;
    pg_sync_close(sync_connection);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_letters_are_those_of_the_states),
        cmocka_unit_test(derived_ids_are_the_same_on_both_sides),
        cmocka_unit_test(the_planner_puts_words_in_place_of_their_calls),
        cmocka_unit_test(schedules_and_durations_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
