// SPDX-License-Identifier: Apache-2.0
#include "common/store/owner.h"
#include "webserver/auth/auth.h"

#include "tests/support/test.h"

static void assert_refused_of(const char *name, const char *password, const char *says)
{
    struct err err = { 0 };
    if (auth_check_password(str_of(password), str_of(name), &err) == 0)
        fail_msg("%s may be a password of %s", password, name);
    assert_int_equal(err.code, ERR_UNPROCESSABLE);
    assert_non_null(strstr(err.sentence, says));
}

static void assert_taken(const char *password)
{
    struct err err = { 0 };
    if (auth_check_password(str_of(password), STR("ada"), &err) < 0)
        fail_msg("%s: %s", password, err.sentence);
}

static void a_password_has_twelve_letters_at_least(void **state)
{
    (void)state;
    assert_refused_of("ada", "", "12 letters at least");
    assert_refused_of("ada", "shorter-one", "12 letters at least");
    assert_refused_of("ada", "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC",
                      "12 letters at least");
    assert_taken("longer-by-one");
}

static void what_everybody_tries_first_is_refused(void **state)
{
    static const char *const FIRST[] = {
        "password1234",  "Passw0rd2026",     "p@$$w0rd!234", "123456789012",    "qwertyuiop123",
        "administrator", "changeme2026",     "aaaaaaaaaaaa", "121212121212",    "letmein12345",
        "1q2w3e4r5t6y",  "q1w2e3r4t5y6",     "zaq12wsxcde3", "123qweasdzxc",    "poiuytrewq12",
        "987654321098",  "asdfghjkl123",     "1qazxsw23edc", "abcdefghijkl",    "abcabcabcabc",
        "iloveyou1234",  "iloveyouforever",  "spongebob123", "superman1234",    "Summer2024!!",
        "december2023",  "manchesterunited", "basketball12", "liverpool2024",   "football2023",
        "starwars1977",  "passwordpassword", "headrace2026", "Airflow-admin-1", "Welcome@2024",
        "unbelievable",  "monkey123456",     "Admin@123456", "qwerty!@#$%^",    "azertyuiop12",
    };
    (void)state;
    for (size_t i = 0; i < sizeof FIRST / sizeof *FIRST; i++)
        assert_refused_of("ada", FIRST[i], "the first that are tried");
}

static void a_name_is_no_part_of_a_password_of_its_own(void **state)
{
    (void)state;
    assert_refused_of("ada.lovelace@example.org", "Lovelace2026!", "the first that are tried");
    assert_refused_of("ada.lovelace@example.org", "ada-l0velace-1915", "the first that are tried");
    assert_refused_of("barnabas", "barnabas-pass", "the first that are tried");
    assert_taken("barnabas-pass");
}

static void words_that_nobody_puts_together_are_a_password(void **state)
{
    static const char *const GOOD[] = {
        "welcome to the machine, my son",
        "correct horse battery staple",
        "\xC3\xA4pfel und b\xC3\xA4ume",
        "tr0ub4dor&3xyz",
        "x7Kq-92mPv-LLq",
        "summer rain on tin roofs",
        "sunshine dragon princess london",
    };
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_taken(GOOD[i]);
}

static void what_is_made_here_is_good_enough(void **state)
{
    char token[STORE_TOKEN_SIZE];
    (void)state;
    for (int i = 0; i < 100; i++) {
        store_token_make(token);
        assert_taken(token);
    }
}

TESTS(CASE(a_password_has_twelve_letters_at_least), CASE(what_everybody_tries_first_is_refused),
      CASE(a_name_is_no_part_of_a_password_of_its_own),
      CASE(words_that_nobody_puts_together_are_a_password), CASE(what_is_made_here_is_good_enough))
