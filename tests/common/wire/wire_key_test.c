// SPDX-License-Identifier: Apache-2.0
#include "common/wire/wire_key.h"

#include "common/loop/loop.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/headrace-key-XXXXXX");
    snprintf(path, sizeof path, "%s/keys/a.key", mkdtemp(folder));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char keys[96];
    snprintf(keys, sizeof keys, "%s/keys", folder);
    unlink(path);
    rmdir(keys);
    rmdir(folder);
    return 0;
}

static void a_missing_key_file_is_made_for_its_owner_alone(void **state)
{
    (void)state;
    struct wire_key first, second;
    struct stat status;
    assert_int_equal(wire_key_load(path, &first, NULL), 0);
    assert_int_equal(strlen(first.public_key), 40);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(wire_key_load(path, &second, NULL), 0);
    assert_memory_equal(&first, &second, sizeof first);
}

static void a_key_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    struct wire_key key;
    struct err err = { 0 };
    assert_int_equal(wire_key_load(path, &key, NULL), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(wire_key_load(path, &key, &err), ERR_FORBIDDEN);
    assert_non_null(strstr(err.hint, "chmod 600"));
}

static void a_damaged_key_file_is_refused(void **state)
{
    (void)state;
    struct wire_key key;
    struct err err = { 0 };
    assert_int_equal(wire_key_load(path, &key, NULL), 0);
    FILE *file = fopen(path, "we");
    fprintf(file, "public = %s\nprivate = 0123456789012345678901234567890123456789\n",
            key.public_key);
    fclose(file);
    assert_int_equal(wire_key_load(path, &key, &err), ERR_INVALID);
    assert_non_null(strstr(err.sentence, "no CURVE key pair"));
}

static void the_identity_belongs_to_the_key(void **state)
{
    (void)state;
    struct wire_key a, b;
    char first[WIRE_IDENTITY_SIZE], second[WIRE_IDENTITY_SIZE];
    wire_key_make(&a);
    wire_key_make(&b);
    assert_int_equal(wire_key_identity(a.public_key, first, NULL), 0);
    assert_int_equal(wire_key_identity(a.public_key, second, NULL), 0);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), 32);
    assert_int_equal(wire_key_identity(b.public_key, second, NULL), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(wire_key_identity("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", first, NULL), 0);
    assert_string_equal(first, "f4cce7d6987fc4fac2432b746db272bd");
    assert_int_equal(wire_key_identity("short", first, NULL), ERR_INVALID);
    assert_int_equal(wire_key_identity("~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", first, NULL),
                     ERR_INVALID);
}

static void add_line(const char *line, const char *remark)
{
    char keys[80];
    snprintf(keys, sizeof keys, "%s/keys", folder);
    (void)mkdir(keys, 0700);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    fprintf(file, "%s %s\n", line, remark);
    fclose(file);
}

/* Until the list is looked at again, which it is once a second. */
static bool comes_to(struct wire_allowed *allowed, const char *key, bool wanted, struct err *err)
{
    for (int64_t limit = loop_now_ms() + 60000; loop_now_ms() < limit; usleep(10000))
        if (wire_allowed_has(allowed, key, err) == wanted && (err == NULL || err->code < 0))
            return true;
    return false;
}

static void the_allow_list_follows_its_file(void **state)
{
    (void)state;
    struct wire_key a, b;
    struct wire_allowed *allowed;
    wire_key_make(&a);
    wire_key_make(&b);
    assert_int_equal(wire_allowed_open(path, &allowed, NULL), 0); /* no file: nobody */
    assert_false(wire_allowed_has(allowed, a.public_key, NULL));
    add_line(a.public_key, "worker one");
    assert_true(comes_to(allowed, a.public_key, true, NULL));
    assert_false(wire_allowed_has(allowed, b.public_key, NULL));
    add_line(b.public_key, "worker two");
    assert_true(comes_to(allowed, b.public_key, true, NULL));
    assert_int_equal(unlink(path), 0);
    assert_true(comes_to(allowed, a.public_key, false, NULL));
    wire_allowed_free(allowed);
}

static void a_wrong_line_of_the_allow_list_is_located_and_changes_nothing(void **state)
{
    (void)state;
    struct wire_key a, b;
    struct wire_allowed *allowed, *second;
    struct err err = { 0 };
    wire_key_make(&a);
    wire_key_make(&b);
    add_line(a.public_key, "fine");
    assert_int_equal(wire_allowed_open(path, &allowed, &err), 0);
    add_line("# a comment\n\nwho", "is this");
    add_line(b.public_key, "behind it");
    assert_true(comes_to(allowed, a.public_key, true, &err));
    assert_non_null(strstr(err.sentence, "a.key:4:"));
    assert_false(wire_allowed_has(allowed, b.public_key, NULL));
    wire_allowed_free(allowed);
    assert_int_equal(wire_allowed_open(path, &second, &err), ERR_INVALID);
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(CASE(a_missing_key_file_is_made_for_its_owner_alone),
      CASE(a_key_file_that_others_may_read_is_refused), CASE(a_damaged_key_file_is_refused),
      CASE(the_identity_belongs_to_the_key), CASE(the_allow_list_follows_its_file),
      CASE(a_wrong_line_of_the_allow_list_is_located_and_changes_nothing))
