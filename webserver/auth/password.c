// SPDX-License-Identifier: Apache-2.0
/* What may be a password: long enough, and not what everybody tries first. Nothing else is asked
 * for: rules about digits and signs make passwords worse.
 *
 * What is tried first is short lists put together: a word, a row of keys, a year, the name of who
 * signs in, the same again. Each of these counts as one letter; what is left has to be some of its
 * own. A dictionary knows less of it: cracklib (2.9.6, its own list) takes password1234,
 * liverpool2024 and Summer2024!! for good ones. */
#include "webserver/auth/auth.h"
#include "webserver/auth/hasher.h"

#include <ctype.h>
#include <strings.h>

/* PART_MIN: shorter ones come about by chance. OWN_MIN: three words with something between them
 * are below it, "welcome to the machine, my son" is not. */
enum { PART_MIN = 3, OWN_MIN = 6 };

/* What the most common passwords are made of. Small letters. */
static const char *const WORDS[] = {
    "password",  "passwort",   "passwd",   "pass",         "secret",    "login",
    "welcome",   "letmein",    "changeme", "changeit",     "default",   "administrator",
    "admin",     "root",       "user",     "guest",        "test",      "master",
    "masterkey", "server",     "computer", "internet",     "windows",   "google",
    "facebook",  "samsung",    "office",   "company",      "database",  "oracle",
    "headrace",  "airflow",    "apache",   "scheduler",    "workflow",  "pipeline",
    "iloveyou",  "iloveu",     "love",     "lovely",       "forever",   "hello",
    "whatever",  "nothing",    "trustno",  "unbelievable", "sunshine",  "sunflower",
    "princess",  "superman",   "batman",   "spiderman",    "pokemon",   "spongebob",
    "starwars",  "metallica",  "blink182", "michael",      "jennifer",  "jessica",
    "charlie",   "jordan",     "daniel",   "thomas",       "andrew",    "football",
    "baseball",  "basketball", "hockey",   "soccer",       "liverpool", "manchester",
    "united",    "chelsea",    "arsenal",  "barcelona",    "yankees",   "dragon",
    "monkey",    "shadow",     "tigger",   "butterfly",    "chocolate", "cookie",
    "banana",    "cheese",     "flower",   "freedom",      "killer",    "hunter",
    "ninja",     "mustang",    "ferrari",  "porsche",      "mercedes",  "harley",
    "london",    "berlin",     "newyork",  "america",      "spring",    "summer",
    "autumn",    "winter",     "january",  "february",     "march",     "april",
    "june",      "july",       "august",   "september",    "october",   "november",
    "december",  "monday",     "tuesday",  "wednesday",    "thursday",  "friday",
    "saturday",  "sunday",     "hallo",    "schatz",       "contrase",  "administrador",
    "azerty",    "motdepasse", "bonjour",  "soleil",       "qwerty",    "qwertz",
};

/* Keys that are pressed one after the other, and what is counted off; backwards too. */
static const char *const ROWS[] = {
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "!@#$%^&*()",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1qazxsw23edcvfr45tgbnhy67ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
};

/* "p4$$w0rd" is a word, too. */
static bool is_written_for(char byte, char letter)
{
    static const char *const SIGNS[] = { "0o", "1l", "1i", "!i", "3e", "4a",
                                         "@a", "5s", "$s", "7t", "8b" };
    if (tolower((unsigned char)byte) == letter)
        return true;
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (SIGNS[i][0] == byte && SIGNS[i][1] == letter)
            return true;
    return false;
}

static size_t longer(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* How many bytes `text` begins with that are these letters; 0 unless all are. */
static size_t word_size(struct str text, struct str word)
{
    if (word.size < PART_MIN || text.size < word.size)
        return 0;
    for (size_t i = 0; i < word.size; i++)
        if (!is_written_for(text.bytes[i], (char)tolower((unsigned char)word.bytes[i])))
            return 0;
    return word.size;
}

static size_t common_word(struct str text)
{
    size_t size = 0;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        size = longer(size, word_size(text, str_of(WORDS[i])));
    return size;
}

/* Of the name, or of a part of it: "ada.lovelace@example.org" has four. */
static size_t part_of_name(struct str text, struct str name)
{
    size_t size = word_size(text, name), begin = 0;
    for (size_t i = 0; i <= name.size; i++) {
        if (i < name.size && isalnum((unsigned char)name.bytes[i]))
            continue;
        size = longer(size, word_size(text, str_slice(name, begin, i)));
        begin = i + 1;
    }
    return size;
}

/* How far `text` goes along a row from its letter `at`, by `step`. */
static size_t along_row(struct str text, struct str row, size_t at, int step)
{
    size_t size = 0;
    while (size < text.size && at < row.size &&
           tolower((unsigned char)text.bytes[size]) == row.bytes[at]) {
        size++;
        at += (size_t)step; /* below 0 is beyond its end */
    }
    return size;
}

static size_t row_of_keys(struct str text)
{
    size_t size = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (size_t at = 0; ROWS[i][at] != '\0'; at++)
            size = longer(size, longer(along_row(text, str_of(ROWS[i]), at, 1),
                                       along_row(text, str_of(ROWS[i]), at, -1)));
    return size;
}

static size_t year(struct str text)
{
    bool is_one = text.size >= 4 && (str_starts(text, "19") || str_starts(text, "20")) &&
                  isdigit((unsigned char)text.bytes[2]) && isdigit((unsigned char)text.bytes[3]);
    return is_one ? 4 : 0;
}

/* What has been there already; "aaaa" is an a, and then three more. */
static size_t same_again(struct str text, size_t at)
{
    size_t size = 0;
    for (size_t from = 0; from < at; from++) {
        size_t same = 0;
        while (at + same < text.size && text.bytes[from + same] == text.bytes[at + same])
            same++;
        size = longer(size, same);
    }
    return size;
}

static size_t part_size(struct str password, size_t at, struct str name)
{
    struct str rest = str_slice(password, at, password.size);
    size_t size = longer(common_word(rest), part_of_name(rest, name));
    size = longer(size, longer(row_of_keys(rest), year(rest)));
    return longer(size, same_again(password, at));
}

static bool begins_letter(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static uint32_t letters_of(struct str text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += begins_letter(text.bytes[i]);
    return count;
}

static bool is_common(struct str password, struct str name)
{
    uint32_t own = 0;
    for (size_t at = 0; at < password.size && own < OWN_MIN;) {
        size_t size = part_size(password, at, name);
        bool is_part = size >= PART_MIN;
        own += is_part || begins_letter(password.bytes[at]);
        at += is_part ? size : 1;
    }
    return own < OWN_MIN;
}

int auth_check_password(struct str password, struct str name, struct err *err)
{
    if (letters_of(password) < PASSWORD_MIN)
        return err_set(err, ERR_UNPROCESSABLE, "a password has %d letters at least", PASSWORD_MIN);
    if (password.size > PASSWORD_MAX)
        return err_set(err, ERR_UNPROCESSABLE, "a password has %d bytes at most", PASSWORD_MAX);
    if (is_common(password, name))
        return err_set(err, ERR_UNPROCESSABLE,
                       "this password is among the first that are tried; some words that nobody "
                       "puts together are a good one");
    return 0;
}
