// SPDX-License-Identifier: Apache-2.0
/* Rules that no oracle knows: our daylight-saving rules, intervals, bounds.
 * tests/oracle/timetable_test.py has the rest. */
#include "common/base/civil.h"
#include "common/model/timetable.h"
#include "tests/support/test.h"

static struct zone *load_zone(const char *name)
{
    char path[128];
    static char bytes[65536];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct zone *zone;
    assert_int_equal(zone_new((struct str) { bytes, size }, &zone, NULL), 0);
    return zone;
}

static int64_t at(const char *text)
{
    int64_t ms;
    bool has_zone;
    assert_int_equal(civil_parse(str_of(text), &ms, &has_zone), 0);
    return ms;
}

static struct timetable cron(const char *expression, const struct zone *zone)
{
    struct timetable t = { .kind = TIMETABLE_CRON,
                           .cron_count = 1,
                           .zone = zone,
                           .start_ms = INT64_MIN,
                           .end_ms = INT64_MAX };
    assert_int_equal(cron_parse(str_of(expression), &t.crons[0], NULL), 0);
    return t;
}

static void assert_fires(const struct timetable *t, const char *after, const char *const *expected,
                         int count)
{
    struct arena arena = { 0 };
    int64_t ms = at(after);
    for (int i = 0; i < count; i++) {
        struct firing firing;
        assert_true(timetable_next(t, ms, &firing));
        assert_str(civil_text(&arena, firing.fire_ms), expected[i]);
        ms = firing.fire_ms;
    }
    arena_clear(&arena);
}

static void a_time_that_does_not_exist_fires_at_the_next_instant_that_does(void **state)
{
    (void)state;
    struct zone *zone = load_zone("Europe/Berlin");
    struct timetable t = cron("30 2 * * *", zone);
    const char *expected[] = { "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
                               "2026-03-30T00:30:00Z" };
    assert_fires(&t, "2026-03-27T12:00:00Z", expected, 3);
    zone_free(zone);
}

static void a_time_that_exists_twice_fires_once(void **state)
{
    (void)state;
    struct zone *zone = load_zone("Europe/Berlin");
    struct timetable t = cron("30 2 * * *", zone);
    const char *expected[] = { "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z",
                               "2026-10-26T01:30:00Z" };
    assert_fires(&t, "2026-10-23T12:00:00Z", expected, 3);
    zone_free(zone);
}

static void a_star_in_the_hour_fires_in_every_real_hour(void **state)
{
    (void)state;
    struct zone *zone = load_zone("Europe/Berlin");
    struct timetable t = cron("15 * * * *", zone);
    const char *autumn[] = { "2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z",
                             "2026-10-25T02:15:00Z" };
    assert_fires(&t, "2026-10-24T23:30:00Z", autumn, 3);
    const char *spring[] = { "2026-03-29T00:15:00Z", "2026-03-29T01:15:00Z",
                             "2026-03-29T02:15:00Z" };
    assert_fires(&t, "2026-03-28T23:30:00Z", spring, 3);
    struct timetable half = cron("*/30 * * * *", zone);
    const char *edge[] = { "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                           "2026-10-25T02:00:00Z" };
    assert_fires(&half, "2026-10-25T00:00:00Z", edge, 4);
    zone_free(zone);
}

static void an_interval_covers_the_time_that_has_just_ended(void **state)
{
    (void)state;
    struct timetable t = cron("0 2 * * *", NULL);
    t.interval = true;
    t.start_ms = at("2026-01-01T02:00:00Z");
    struct firing firing;
    assert_true(timetable_next(&t, at("2025-12-01"), &firing));
    assert_true(firing.fire_ms == at("2026-01-02T02:00:00Z"));
    assert_true(firing.logical_ms == at("2026-01-01T02:00:00Z"));
    assert_true(firing.interval_start_ms == firing.logical_ms &&
                firing.interval_end_ms == firing.fire_ms);
}

static void start_and_end_bound_the_logical_date(void **state)
{
    (void)state;
    struct timetable t = cron("0 0 * * *", NULL);
    t.start_ms = at("2026-01-10");
    t.end_ms = at("2026-01-12");
    const char *expected[] = { "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z",
                               "2026-01-12T00:00:00Z" };
    assert_fires(&t, "2020-01-01", expected, 3);
    struct firing firing;
    assert_false(timetable_next(&t, at("2026-01-12"), &firing));
}

static void without_catch_up_only_the_latest_missed_one_counts(void **state)
{
    (void)state;
    struct timetable t = cron("*/10 * * * *", NULL);
    struct firing firing;
    assert_true(timetable_latest(&t, at("2026-01-01"), at("2026-06-01T12:34:00Z"), &firing));
    assert_true(firing.fire_ms == at("2026-06-01T12:30:00Z"));
    assert_false(
        timetable_latest(&t, at("2026-06-01T12:30:00Z"), at("2026-06-01T12:34:00Z"), &firing));
}

static void fixed_distances_count_from_the_start(void **state)
{
    (void)state;
    struct timetable t = { .kind = TIMETABLE_EVERY,
                           .every_ms = 7 * MS_PER_MINUTE,
                           .start_ms = at("2026-01-01T00:03:00Z"),
                           .end_ms = INT64_MAX };
    const char *expected[] = { "2026-01-01T00:03:00Z", "2026-01-01T00:10:00Z",
                               "2026-01-01T00:17:00Z" };
    assert_fires(&t, "2025-06-01", expected, 3);
}

static void mistakes_in_a_cron_name_the_field(void **state)
{
    (void)state;
    struct {
        const char *text, *says;
    } cases[] = {
        { "* * * *", "5 fields" },
        { "61 * * * *", "no minute" },
        { "* 24 * * *", "no hour" },
        { "* * 0 * *", "day of month" },
        { "* * * 13 *", "no month" },
        { "* * * * mon#6", "DAY#N" },
        { "*/0 * * * *", "step" },
        { "1,,2 * * * *", "empty part" },
        { "x * * * *", "no minute" },
        { "* * * * * *", "has 6" },
        { "", "has 0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron out;
        struct err err = { 0 };
        assert_int_equal(cron_parse(str_of(cases[i].text), &out, &err), ERR_INVALID);
        if (strstr(err.sentence, cases[i].says) == NULL)
            fail_msg("'%s': %s", cases[i].text, err.sentence);
    }
}

static void a_cron_that_never_fires_ends(void **state)
{
    (void)state;
    struct timetable t = cron("0 0 30 2 *", NULL);
    struct firing firing;
    assert_false(timetable_next(&t, at("2026-01-01"), &firing));
}

static void zone_names_cannot_leave_their_folder(void **state)
{
    (void)state;
    assert_true(zone_name_is_safe(STR("America/Argentina/Buenos_Aires")));
    const char *bad[] = {
        "",        "/etc/passwd", "../etc/passwd", "Europe/../x", "Europe//Berlin",
        "Europe/", "a b",         "x\ny"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(zone_name_is_safe(str_of(bad[i])));
}

static void bytes_that_are_no_zone_are_refused(void **state)
{
    (void)state;
    struct zone *zone;
    char bytes[200];
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(zone_new((struct str) { bytes, sizeof bytes }, &zone, NULL), ERR_INVALID);
    memcpy(bytes, "TZif2", 5);
    for (size_t size = 0; size < sizeof bytes; size++)
        assert_int_equal(zone_new((struct str) { bytes, size }, &zone, NULL), ERR_INVALID);
}

TESTS(CASE(a_time_that_does_not_exist_fires_at_the_next_instant_that_does),
      CASE(a_time_that_exists_twice_fires_once), CASE(a_star_in_the_hour_fires_in_every_real_hour),
      CASE(an_interval_covers_the_time_that_has_just_ended),
      CASE(start_and_end_bound_the_logical_date),
      CASE(without_catch_up_only_the_latest_missed_one_counts),
      CASE(fixed_distances_count_from_the_start), CASE(mistakes_in_a_cron_name_the_field),
      CASE(a_cron_that_never_fires_ends), CASE(zone_names_cannot_leave_their_folder),
      CASE(bytes_that_are_no_zone_are_refused))
