// SPDX-License-Identifier: Apache-2.0
/* What may be a password: long enough, and not what everybody tries first. Nothing else is asked
 * for: rules about digits and signs make passwords worse. */
#include "webserver/auth/auth.h"
#include "webserver/auth/hasher.h"

#include <strings.h>

/* Letters that have to differ: "aaaaaaaaaaaa" and "121212121212" have fewer. */
enum { DIFFERENT_MIN = 5 };

/* The beginnings of the most common passwords of PASSWORD_MIN letters and more; whatever follows
 * makes no better one of them unless it is as long again. Small letters. */
static const char *const COMMON[] = {
    "password",   "passw0rd",      "p@ssw0rd",      "p@ssword",    "123456789",    "1234567890",
    "0123456789", "987654321",     "0987654321",    "12345678910", "1q2w3e4r5t",   "1qaz2wsx3edc",
    "q1w2e3r4t5", "qwertyuiop",    "qwerty123456",  "qwerty12345", "qwertyqwerty", "asdfghjkl",
    "zxcvbnm",    "abcdefghijkl",  "abcd1234",      "abc123456",   "iloveyou",     "letmein",
    "welcome",    "administrator", "administrador", "adminadmin",  "admin123",     "changeme",
    "changeit",   "trustno1",      "superman",      "sunshine",    "princess",     "football",
    "baseball",   "liverpool",     "manchester",    "metallica",   "unbelievable", "internet",
    "computer",   "masterkey",     "secret123",     "headrace",    "airflow",      "testtest",
    "test1234",   "default",       "qazwsxedc",     "1111111111",  "a123456789",   "q123456789",
};

static uint32_t letters_of(struct str text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
    return count;
}

static uint32_t different_bytes(struct str text)
{
    bool seen[256] = { false };
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += !seen[(unsigned char)text.bytes[i]];
        seen[(unsigned char)text.bytes[i]] = true;
    }
    return count;
}

static bool is_common(struct str password)
{
    for (size_t i = 0; i < sizeof COMMON / sizeof *COMMON; i++) {
        size_t size = strlen(COMMON[i]);
        if (password.size >= size && password.size < 2 * size &&
            strncasecmp(password.bytes, COMMON[i], size) == 0)
            return true;
    }
    return different_bytes(password) < DIFFERENT_MIN;
}

int auth_check_password(struct str password, struct err *err)
{
    if (letters_of(password) < PASSWORD_MIN)
        return err_set(err, ERR_UNPROCESSABLE, "a password has %d letters at least", PASSWORD_MIN);
    if (password.size > PASSWORD_MAX)
        return err_set(err, ERR_UNPROCESSABLE, "a password has %d bytes at most", PASSWORD_MAX);
    if (is_common(password))
        return err_set(err, ERR_UNPROCESSABLE,
                       "this password is among the first that are tried; some words that nobody "
                       "puts together are a good one");
    return 0;
}
