// SPDX-License-Identifier: Apache-2.0
#include "common/text/base64.h"
#include "common/text/duration.h"
#include "common/text/size.h"
#include "tests/support/test.h"

static void durations_are_read_in_every_notation(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        { "10s", 10000 },
        { "5m", 300000 },
        { "1h30m", 5400000 },
        { "250ms", 250 },
        { "1d", 86400000 },
        { "7d", 604800000 },
        { "2w", 1209600000 },
        { "1.5h", 5400000 },
        { "0.25s", 250 },
        { "0", 0 },
        { "0s", 0 },
        { " 3s ", 3000 },
        { "1d2h3m4s5ms", 93784005 },
        { "PT10S", 10000 },
        { "P1DT2H", 93600000 },
        { "PT1H30M", 5400000 },
        { "P2W", 1209600000 },
        { "PT0.5S", 500 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -1;
        struct err err = { 0 };
        if (duration_parse(str_of(rows[i].text), &ms, &err) < 0 || ms != rows[i].ms)
            fail_msg("%s: %lld %s", rows[i].text, (long long)ms, err.sentence);
    }
}

static void durations_without_unit_or_sense_are_refused_with_advice(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "10",
                                       "s",
                                       "10 s",
                                       "10x",
                                       "-5m",
                                       "5m1h",
                                       "5m5m",
                                       "1.h",
                                       ".5h",
                                       "1e3s",
                                       "P",
                                       "PT",
                                       "P1Y",
                                       "P1M",
                                       "PT1D",
                                       "P1H",
                                       "PT5S1M",
                                       "99999999999999999999d",
                                       "300000000000w",
                                       "1h30" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = -7;
        struct err err = { 0 };
        if (duration_parse(str_of(bad[i]), &ms, &err) != ERR_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.hint, "10s, 5m"));
        assert_true(ms == -7);
    }
    struct err err = { 0 };
    int64_t ms;
    assert_int_equal(duration_parse(STR("P1M"), &ms, &err), ERR_INVALID);
    assert_string_equal(err.sentence,
                        "'P1M' is not a duration: months and years have no fixed length");
}

static void durations_are_written_so_that_they_read_back(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    assert_str(duration_text(&arena, 5400000), "1h30m");
    assert_str(duration_text(&arena, 0), "0s");
    assert_str(duration_text(&arena, 604800000), "7d");
    int64_t samples[] = { 1, 999, 1000, 61001, 86399999, 86400000, 123456789012, INT64_MAX };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int64_t back = 0;
        assert_int_equal(duration_parse(duration_text(&arena, samples[i]), &back, NULL), 0);
        assert_true(back == samples[i]);
    }
    arena_clear(&arena);
}

static void sizes_are_read_with_binary_and_decimal_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {
        { "512Mi", 536870912 }, { "2G", 2000000000 },   { "1.5GiB", 1610612736 },
        { "64k", 64000 },       { "1048576", 1048576 }, { "3Ti", 3298534883328 },
        { "10B", 10 },          { "7 Ki", 7168 },       { "0", 0 },
        { "1MB", 1000000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes = -1;
        if (size_parse(str_of(rows[i].text), &bytes, NULL) < 0 || bytes != rows[i].bytes)
            fail_msg("%s: %lld", rows[i].text, (long long)bytes);
    }
    static const char *const bad[] = {
        "", "Mi", "-1", "1Q", "1mb", "1.2.3k", "99999999999999999999", "9999999999Gi", "1e30T"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t bytes;
        struct err err = { 0 };
        if (size_parse(str_of(bad[i]), &bytes, &err) != ERR_INVALID)
            fail_msg("%s was taken", bad[i]);
        assert_non_null(strstr(err.hint, "512Mi"));
    }
}

static void sizes_are_written_so_that_they_read_back(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    assert_str(size_text(&arena, 536870912), "512Mi");
    assert_str(size_text(&arena, 1536), "1536");
    assert_str(size_text(&arena, 0), "0");
    assert_str(size_text(&arena, 1LL << 40), "1Ti");
    arena_clear(&arena);
}

static void base64_goes_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *standard, *url;
    } rows[] = {
        /* RFC 4648, section 10, and the two digits that differ */
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xFB\xFF", "+/8=", "-_8" },
    };
    struct arena arena = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str bytes = str_of(rows[i].bytes), back;
        assert_str(base64_encode(&arena, bytes), rows[i].standard);
        assert_str(base64url_encode(&arena, bytes), rows[i].url);
        assert_int_equal(base64_decode(&arena, str_of(rows[i].standard), &back), 0);
        assert_true(str_eq(back, bytes));
        assert_int_equal(base64url_decode(&arena, str_of(rows[i].url), &back), 0);
        assert_true(str_eq(back, bytes));
    }
    arena_clear(&arena);
}

static void base64_has_one_spelling_for_each_text(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct str out;
    static const char *const bad[] = { "Zg",        "Zg=",      "Zh==",     "Z===", "====", "Zm8",
                                       "Zm9v Zm9v", "Zm9vYg=a", "Zg==Zg==", "Zm-v", "Zm\nv" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (base64_decode(&arena, str_of(bad[i]), &out) != ERR_INVALID)
            fail_msg("%s was taken", bad[i]);
    assert_int_equal(base64url_decode(&arena, STR("Zg=="), &out), ERR_INVALID);
    assert_int_equal(base64url_decode(&arena, STR("Z+"), &out), ERR_INVALID);
    assert_int_equal(base64url_decode(&arena, STR("Z"), &out), ERR_INVALID);
    arena_clear(&arena);
}

TESTS(CASE(durations_are_read_in_every_notation),
      CASE(durations_without_unit_or_sense_are_refused_with_advice),
      CASE(durations_are_written_so_that_they_read_back),
      CASE(sizes_are_read_with_binary_and_decimal_units),
      CASE(sizes_are_written_so_that_they_read_back), CASE(base64_goes_there_and_back),
      CASE(base64_has_one_spelling_for_each_text))
