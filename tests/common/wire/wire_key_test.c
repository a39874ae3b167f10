// SPDX-License-Identifier: Apache-2.0
#include "common/wire/wire_key.h"

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

static void the_allow_list_grows_by_one_line_a_key(void **state)
{
    (void)state;
    struct wire_key a, b;
    struct wire_allowed *allowed;
    wire_key_make(&a);
    wire_key_make(&b);
    assert_int_equal(wire_allowed_load(path, &allowed, NULL), 0); /* no file: nobody */
    assert_false(wire_allowed_has(allowed, a.public_key));
    wire_allowed_free(allowed);
    assert_int_equal(wire_allowed_add(path, a.public_key, "worker one", NULL), 0);
    assert_int_equal(wire_allowed_add(path, a.public_key, "again", NULL), 0);
    assert_int_equal(wire_allowed_add(path, "nonsense", "x", NULL), ERR_INVALID);
    assert_int_equal(wire_allowed_load(path, &allowed, NULL), 0);
    assert_true(wire_allowed_has(allowed, a.public_key));
    assert_false(wire_allowed_has(allowed, b.public_key));
    wire_allowed_free(allowed);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 40 + 1 + 10 + 1);
}

static void a_wrong_line_of_the_allow_list_is_located(void **state)
{
    (void)state;
    struct wire_key a;
    struct wire_allowed *allowed;
    struct err err = { 0 };
    wire_key_make(&a);
    assert_int_equal(wire_allowed_add(path, a.public_key, "fine", NULL), 0);
    FILE *file = fopen(path, "ae");
    fputs("# a comment\n\nwho is this\n", file);
    fclose(file);
    assert_int_equal(wire_allowed_load(path, &allowed, &err), ERR_INVALID);
    assert_non_null(strstr(err.sentence, "a.key:4:"));
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(CASE(a_missing_key_file_is_made_for_its_owner_alone),
      CASE(a_key_file_that_others_may_read_is_refused), CASE(a_damaged_key_file_is_refused),
      CASE(the_identity_belongs_to_the_key), CASE(the_allow_list_grows_by_one_line_a_key),
      CASE(a_wrong_line_of_the_allow_list_is_located))
