// SPDX-License-Identifier: Apache-2.0
#include "common/file/file.h"

#include "tests/support/test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/headrace-file-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.key", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder); /* nothing was left beside it */
}

static void check(const char *wanted, mode_t mode)
{
    char bytes[64] = "";
    struct stat status;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    (void)!fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    assert_string_equal(bytes, wanted);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, mode);
}

static void what_is_there_gives_way_or_stays(void **state)
{
    (void)state;
    assert_int_equal(file_save(path, 0600, STR("one"), FILE_KEEP, NULL), 0);
    check("one", 0600);
    assert_int_equal(file_save(path, 0600, STR("two"), FILE_KEEP, NULL), 0);
    check("one", 0600);
    assert_int_equal(file_save(path, 0640, STR("three"), FILE_REPLACE, NULL), 0);
    check("three", 0640);
}

static void what_cannot_be_written_is_named_and_leaves_nothing(void **state)
{
    (void)state;
    char nowhere[128];
    struct err err = { 0 };
    assert_int_equal(file_save(path, 0600, STR("one"), FILE_KEEP, NULL), 0);
    snprintf(nowhere, sizeof nowhere, "%s/none/a.key", folder);
    assert_int_equal(file_save(nowhere, 0600, STR("x"), FILE_REPLACE, &err), ERR_IO);
    assert_non_null(strstr(err.sentence, nowhere));
    snprintf(nowhere, sizeof nowhere, "%s/a.key/b", folder);
    assert_int_equal(file_save(nowhere, 0600, STR("x"), FILE_KEEP, &err), ERR_IO);
    check("one", 0600);
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(CASE(what_is_there_gives_way_or_stays),
      CASE(what_cannot_be_written_is_named_and_leaves_nothing))
