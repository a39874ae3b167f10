// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test.h"
#include "worker/warden/mask.h"

static void assert_masked(const struct str *secrets, uint32_t count, struct str text,
                          const char *expected)
{
    struct mask mask;

    mask_init(&mask, secrets, count);
    /* Every way to cut the text in three. */
    for (size_t first = 0; first <= text.size; first++) {
        for (size_t second = first; second <= text.size; second++) {
            struct buf held = { 0 }, out = { 0 };
            mask_stream(&mask, &held, str_slice(text, 0, first), false, &out);
            mask_stream(&mask, &held, str_slice(text, first, second), false, &out);
            mask_stream(&mask, &held, str_slice(text, second, text.size), false, &out);
            mask_stream(&mask, &held, STR_EMPTY, true, &out);
            assert_str(buf_str(&out), expected);
            buf_clear(&held);
            buf_clear(&out);
        }
    }
    mask_clear(&mask);
}

static void a_secret_is_masked_wherever_the_stream_is_cut(void **state)
{
    struct str secrets[] = { STR("swordfish") };

    (void)state;
    assert_masked(secrets, 1, STR("a swordfish, swordfis; swswordfish"), "a ***, swordfis; sw***");
}

static void the_longest_secret_wins(void **state)
{
    struct str secrets[] = { STR("abcde"), STR("abcdefgh"), STR("bcdefghij") };

    (void)state;
    assert_masked(secrets, 3, STR("abcdefg abcdefgh abcdefghij"), "***fg *** ***ij");
}

static void escaped_forms_are_masked_too(void **state)
{
    struct str secrets[] = { STR("p@ss w\"rd/1") };

    (void)state;
    assert_masked(secrets, 1, STR("p%40ss%20w%22rd%2F1 p%40ss+w%22rd%2F1 p%40ss%20w%22rd%2f1"),
                  "*** *** ***");
    assert_masked(secrets, 1, STR("{\"k\": \"p@ss w\\\"rd/1\"} p@ss w\\\"rd\\/1"),
                  "{\"k\": \"***\"} ***");
}

static void base64_is_masked_at_each_alignment(void **state)
{
    struct str secrets[] = { STR("swordfish") };

    (void)state;
    /* "swordfish", "xswordfish", "xxswordfishyyy", as base64 writes them. What mixes with foreign
     * bytes may stay. */
    assert_masked(secrets, 1, STR("c3dvcmRmaXNo"), "***");
    assert_masked(secrets, 1, STR("eHN3b3JkZmlzaA=="), "eH***A==");
    assert_masked(secrets, 1, STR("eHhzd29yZGZpc2h5eXk="), "eHh***h5eXk=");
}

static void short_values_are_left_alone(void **state)
{
    struct str secrets[] = { STR("a"), STR("1234"), STR("") };

    (void)state;
    assert_masked(secrets, 3, STR("a banana 1234"), "a banana 1234");
}

static void a_key_of_several_lines_is_masked_line_by_line(void **state)
{
    struct str secrets[] = { STR("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQ\n") };

    (void)state;
    assert_masked(secrets, 1, STR("  MIIEvQIBADANBgkqhkiG\n"), "  ***\n");
}

TESTS(CASE(a_secret_is_masked_wherever_the_stream_is_cut), CASE(the_longest_secret_wins),
      CASE(escaped_forms_are_masked_too), CASE(base64_is_masked_at_each_alignment),
      CASE(short_values_are_left_alone), CASE(a_key_of_several_lines_is_masked_line_by_line))
