// SPDX-License-Identifier: Apache-2.0
#include "common/base/civil.h"
#include "tests/support/test.h"

static void every_day_of_eight_centuries_goes_there_and_back(void **state)
{
    (void)state;
    int64_t days = civil_days(1600, 1, 1);
    for (int32_t year = 1600; year < 2400; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= civil_days_in_month(year, month); day++, days++) {
                assert_int_equal(civil_days(year, month, day), days);
                struct civil c = civil_of_ms(days * MS_PER_DAY + 1);
                assert_true(c.year == year && c.month == month && c.day == day &&
                            c.millisecond == 1);
            }
    assert_int_equal(civil_weekday(civil_days(2026, 11, 21)), 6);
}

static void timestamps_are_read_as_people_write_them(void **state)
{
    (void)state;
    struct {
        const char *text;
        int64_t ms;
        bool has_zone;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0, true },      { "1970-01-02", MS_PER_DAY, false },
        { "1970-01-01T02:00:00+02:00", 0, true }, { "1970-01-01 01:02:03.456Z", 3723456, true },
        { "1970-01-01T00:30", 1800000, false },   { "1969-12-31T23:59:59.123456-0000", -877, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms;
        bool has_zone;
        assert_int_equal(civil_parse(str_of(cases[i].text), &ms, &has_zone), 0);
        assert_int_equal(ms, cases[i].ms);
        assert_int_equal(has_zone, cases[i].has_zone);
    }
    const char *bad[] = { "",
                          "2026",
                          "2026-13-01",
                          "2026-02-29",
                          "2026-01-01T24:00",
                          "2026-01-01T00:00:00+25:00",
                          "2026-01-01T00:00:00Zx",
                          "2026-1-1",
                          "0000-12-31",
                          "0001-01-01T00:00:00+10:00",
                          "9999-12-31T23:59:59-10:00",
                          "2026-01-01T00:00:00." };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms;
        bool has_zone;
        assert_int_equal(civil_parse(str_of(bad[i]), &ms, &has_zone), ERR_INVALID);
    }
}

static void text_shows_milliseconds_only_where_there_are_some(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    assert_str(civil_text(&arena, 0), "1970-01-01T00:00:00Z");
    assert_str(civil_text(&arena, 1795231000123), "2026-11-21T03:16:40.123Z");
    arena_clear(&arena);
}

TESTS(CASE(every_day_of_eight_centuries_goes_there_and_back),
      CASE(timestamps_are_read_as_people_write_them),
      CASE(text_shows_milliseconds_only_where_there_are_some))
