// SPDX-License-Identifier: Apache-2.0
#include "common/store/owner.h"
#include "webserver/auth/auth.h"

#include "tests/support/test.h"

static void assert_refused(const char *password, const char *says)
{
    struct err err = { 0 };
    assert_int_equal(auth_check_password(str_of(password), &err), ERR_UNPROCESSABLE);
    assert_non_null(strstr(err.sentence, says));
}

static void a_password_has_twelve_letters_at_least(void **state)
{
    (void)state;
    assert_refused("", "12 letters at least");
    assert_refused("shorter-one", "12 letters at least");
    assert_refused("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\xC3\xBC", "12 letters at least");
    assert_int_equal(auth_check_password(STR("longer-by-one"), NULL), 0);
}

static void what_everybody_tries_first_is_refused(void **state)
{
    static const char *const WORDS[] = { "password1234",  "Passw0rd2026",  "123456789012",
                                         "qwertyuiop123", "administrator", "changeme2026",
                                         "aaaaaaaaaaaa",  "121212121212",  "letmein12345" };
    (void)state;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        assert_refused(WORDS[i], "the first that are tried");
    assert_int_equal(auth_check_password(STR("welcome to the machine, my son"), NULL), 0);
}

static void what_is_made_here_is_good_enough(void **state)
{
    char token[STORE_TOKEN_SIZE];
    (void)state;
    for (int i = 0; i < 100; i++) {
        store_token_make(token);
        assert_int_equal(auth_check_password(str_of(token), NULL), 0);
    }
}

TESTS(CASE(a_password_has_twelve_letters_at_least), CASE(what_everybody_tries_first_is_refused),
      CASE(what_is_made_here_is_good_enough))
