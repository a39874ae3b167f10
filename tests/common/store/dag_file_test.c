// SPDX-License-Identifier: Apache-2.0
#include "common/store/dag_file.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

static struct store_world world;

struct answer {
    int rc;
    uint32_t dag_count, gone_count;
    struct recorded_dag dags[4];
    char claimed_by[4][64];
    int32_t gone[4];
    bool done;
};

static void on_recorded(void *owner, const struct recorded_file *recorded)
{
    struct answer *answer = owner;

    answer->rc = recorded->rc;
    answer->dag_count = recorded->dag_count;
    answer->gone_count = recorded->gone_count;
    for (uint32_t i = 0; i < recorded->dag_count; i++) {
        answer->dags[i] = recorded->dags[i];
        (void)snprintf(answer->claimed_by[i], sizeof answer->claimed_by[i], "%.*s",
                       STR_ARG(recorded->dags[i].claimed_by));
    }
    for (uint32_t i = 0; i < recorded->gone_count; i++)
        answer->gone[i] = recorded->gone[i];
    answer->done = true;
}

static struct compiled_dag dag_of(const char *dag_id, const char *ir)
{
    static const struct str owners[] = { { "ann", 3 } }, tags[] = { { "daily", 5 }, { "etl", 3 } };

    return (struct compiled_dag) { .dag_id = str_of(dag_id),
                                   .ir = str_of(ir),
                                   .source = STR("id: x"),
                                   .description = STR("says what"),
                                   .schedule = STR("{\"cron\": [\"@daily\"]}"),
                                   .owners = owners,
                                   .owner_count = 1,
                                   .tags = tags,
                                   .tag_count = 2,
                                   .is_paused = true };
}

static struct answer put(const char *path, const struct compiled_dag *dags, uint32_t dag_count,
                         const struct compile_error *errors, uint32_t error_count)
{
    struct compiled_file file = { .path = str_of(path),
                                  .content_hash = STR("hash"),
                                  .size = 10,
                                  .parsed_ms = 1000,
                                  .parse_ms = 3,
                                  .dags = dags,
                                  .dag_count = dag_count,
                                  .errors = errors,
                                  .error_count = error_count };
    struct answer answer = { 0 };

    store_dag_file_put(world.store, world.epoch, &file, on_recorded, &answer);
    store_world_wait(&world, &answer.done);
    return answer;
}

static struct answer put_one(const char *path, const char *dag_id, const char *ir)
{
    struct compiled_dag dag = dag_of(dag_id, ir);

    return put(path, &dag, 1, NULL, 0);
}

static struct answer gone(const char *path)
{
    struct str path_str = str_of(path);
    struct answer answer = { 0 };

    store_dag_files_gone(world.store, world.epoch, &path_str, 1, on_recorded, &answer);
    store_world_wait(&world, &answer.done);
    return answer;
}

static void a_new_dag_gets_its_number_and_first_version(void **state)
{
    struct answer answer = put_one("new.yaml", "new", "{\"id\": \"new\"}");

    (void)state;
    assert_int_equal(answer.rc, 0);
    assert_true(answer.dags[0].dag_no > 0);
    assert_true(answer.dags[0].version_no > 0);
    assert_int_equal(answer.dags[0].version_number, 1);
    assert_true(answer.dags[0].is_new_version);
    assert_true(answer.dags[0].is_paused);
    assert_false(answer.dags[0].has_last);
    assert_string_equal(answer.claimed_by[0], "");
    assert_int_equal(
        store_world_int(
            &world,
            "SELECT count(*) FROM dag WHERE dag_id = 'new' AND owners = '{ann}'"
            " AND tags = '{daily,etl}' AND description = 'says what' AND schedule ? 'cron'"),
        1);
    assert_int_equal(
        store_world_int(
            &world, "SELECT count(*) FROM dag_file WHERE path = 'new.yaml' AND dag_ids = '{new}'"),
        1);
}

static void the_same_content_is_the_same_version(void **state)
{
    struct answer first = put_one("same.yaml", "same", "{\"v\": 1}"),
                  second = put_one("same.yaml", "same", "{\"v\": 1}");

    (void)state;
    assert_int_equal(second.dags[0].version_no, first.dags[0].version_no);
    assert_false(second.dags[0].is_new_version);
    second = put_one("same.yaml", "same", "{\"v\": 2}");
    assert_true(second.dags[0].is_new_version);
    assert_int_equal(second.dags[0].version_number, 2);
    second = put_one("same.yaml", "same", "{\"v\": 1}");
    assert_true(second.dags[0].is_new_version); /* not the newest before */
    assert_int_equal(second.dags[0].version_no, first.dags[0].version_no);
    assert_int_equal(
        store_world_int(
            &world,
            "SELECT count(*) FROM dag_version v JOIN dag d USING (dag_no) WHERE dag_id = 'same'"),
        2);
}

static void a_dag_that_was_unpaused_stays_so(void **state)
{
    (void)state;
    (void)put_one("pause.yaml", "pause", "{}");
    (void)store_world_int(&world,
                          "UPDATE dag SET is_paused = false WHERE dag_id = 'pause' RETURNING 1");
    assert_false(put_one("pause.yaml", "pause", "{\"v\": 2}").dags[0].is_paused);
}

static void a_dag_of_two_files_belongs_to_the_first_and_is_an_error_of_the_second(void **state)
{
    struct answer answer;

    (void)state;
    (void)put_one("first.yaml", "claimed", "{\"v\": 1}");
    answer = put_one("second.yaml", "claimed", "{\"v\": 2}");
    assert_int_equal(answer.rc, 0);
    assert_int_equal(answer.dags[0].dag_no, 0);
    assert_string_equal(answer.claimed_by[0], "first.yaml");
    assert_int_equal(
        store_world_int(
            &world,
            "SELECT count(*) FROM import_error WHERE path = 'second.yaml' AND dag_id = 'claimed'"
            " AND message LIKE '%first.yaml'"),
        1);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM dag_version v JOIN dag d USING "
                                             "(dag_no) WHERE dag_id = 'claimed'"),
                     1);

    /* Free again, the second may have it. */
    answer = gone("first.yaml");
    assert_int_equal(answer.gone_count, 1);
    answer = put_one("second.yaml", "claimed", "{\"v\": 2}");
    assert_true(answer.dags[0].dag_no > 0);
    assert_int_equal(answer.dags[0].version_number, 2);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM import_error WHERE path = 'second.yaml'"), 0);
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM dag WHERE dag_id = 'claimed' "
                                             "AND NOT is_stale AND fileloc = 'second.yaml'"),
                     1);
}

static void a_dag_that_left_its_file_is_stale(void **state)
{
    struct compiled_dag both[] = { dag_of("stays", "{}"), dag_of("leaves", "{}") };
    struct answer before = put("two.yaml", both, 2, NULL, 0),
                  after = put("two.yaml", both, 1, NULL, 0);

    (void)state;
    assert_int_equal(before.gone_count, 0);
    assert_int_equal(after.gone_count, 1);
    assert_int_equal(after.gone[0], before.dags[1].dag_no);
    assert_int_equal(
        store_world_int(&world, "SELECT is_stale::int FROM dag WHERE dag_id = 'leaves'"), 1);
    assert_int_equal(put("two.yaml", both, 1, NULL, 0).gone_count, 0); /* said once */
}

static void a_mistake_in_a_file_takes_no_dag_away_and_is_shown(void **state)
{
    const struct compile_error error = { .dag_id = STR("oops"),
                                         .line = 3,
                                         .column = 5,
                                         .message = STR("no such key"),
                                         .advice = STR("did you mean tasks?"),
                                         .excerpt = STR("taks:\n^~~~") };
    struct answer answer;

    (void)state;
    (void)put_one("oops.yaml", "oops", "{}");
    answer = put("oops.yaml", NULL, 0, &error, 1);
    assert_int_equal(answer.rc, 0);
    assert_int_equal(answer.gone_count, 0);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM dag WHERE dag_id = 'oops' AND NOT is_stale"),
        1);
    assert_int_equal(
        store_world_int(
            &world,
            "SELECT count(*) FROM import_error WHERE path = 'oops.yaml' AND line = 3 AND col = 5"
            " AND dag_id = 'oops' AND message = 'no such key' AND seen_at < '1971-01-01'"),
        1);
    answer = put("oops.yaml", NULL, 0, &error, 1);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM import_error WHERE path = 'oops.yaml'"), 1);
    (void)put_one("oops.yaml", "oops", "{}");
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM import_error WHERE path = 'oops.yaml'"), 0);
}

static void a_file_that_is_gone_takes_its_dags_and_errors(void **state)
{
    struct answer before = put_one("bye.yaml", "bye", "{}"), after = gone("bye.yaml");

    (void)state;
    assert_int_equal(after.rc, 0);
    assert_int_equal(after.gone_count, 1);
    assert_int_equal(after.gone[0], before.dags[0].dag_no);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM dag_file WHERE path = 'bye.yaml'"), 0);
    /* Back again, it is the DAG that it was. */
    assert_int_equal(put_one("bye.yaml", "bye", "{}").dags[0].dag_no, before.dags[0].dag_no);
}

static void who_does_not_lead_records_nothing(void **state)
{
    (void)state;
    world.epoch--;
    assert_int_equal(put_one("late.yaml", "late", "{}").rc, ERR_LOST);
    assert_int_equal(gone("new.yaml").rc, ERR_LOST);
    world.epoch++;
    assert_int_equal(store_world_int(&world, "SELECT count(*) FROM dag WHERE dag_id = 'late'"), 0);
    assert_int_equal(
        store_world_int(&world, "SELECT count(*) FROM dag_file WHERE path = 'new.yaml'"), 1);
}

struct listing {
    char text[1024];
    int rc;
    bool done;
};

static void on_file(void *owner, const struct known_file *file)
{
    struct listing *listing = owner;
    size_t used = strlen(listing->text);

    if (str_starts(file->path, "known"))
        (void)snprintf(listing->text + used, sizeof listing->text - used,
                       "%.*s %.*s %lld %lld %d\n", STR_ARG(file->path), STR_ARG(file->content_hash),
                       (long long)file->size, (long long)file->parsed_ms, file->has_errors);
}

static void on_listed(void *owner, int rc, const struct err *err)
{
    struct listing *listing = owner;

    (void)err;
    listing->rc = rc;
    listing->done = true;
}

static void known_files_are_listed_with_their_hashes(void **state)
{
    const struct compile_error error = { .dag_id = STR_EMPTY,
                                         .line = 1,
                                         .column = 1,
                                         .message = STR("m"),
                                         .advice = STR_EMPTY,
                                         .excerpt = STR_EMPTY };
    struct listing listing = { 0 };

    (void)state;
    (void)put_one("known_b.yaml", "known_b", "{}");
    (void)put("known_a.yaml", NULL, 0, &error, 1);
    store_dag_files_read(world.store, on_file, on_listed, &listing);
    store_world_wait(&world, &listing.done);
    assert_int_equal(listing.rc, 0);
    assert_string_equal(listing.text, "known_a.yaml hash 10 1000 1\nknown_b.yaml hash 10 1000 0\n");
}

static int start_world(void **state)
{
    (void)state;
    store_world_open(&world);
    store_world_lead(&world);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    store_world_close(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_dag_gets_its_number_and_first_version),
        CASE(the_same_content_is_the_same_version),
        CASE(a_dag_that_was_unpaused_stays_so),
        CASE(a_dag_of_two_files_belongs_to_the_first_and_is_an_error_of_the_second),
        CASE(a_dag_that_left_its_file_is_stale),
        CASE(a_mistake_in_a_file_takes_no_dag_away_and_is_shown),
        CASE(a_file_that_is_gone_takes_its_dags_and_errors),
        CASE(who_does_not_lead_records_nothing),
        CASE(known_files_are_listed_with_their_hashes),
    };

    return cmocka_run_group_tests(tests, start_world, end_world);
}
