// SPDX-License-Identifier: Apache-2.0
/* Groups as the kernel shows them, in folders of ours. */
#include "worker/shell/group.h"

#include "tests/support/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char root[64];

static int folder_make(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/headrace-group-XXXXXX");
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int drop(const char *path, const struct stat *stat_buf, int type, struct FTW *ftw)
{
    (void)stat_buf;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int folder_drop(void **state)
{
    (void)state;
    return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void given_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", root, folder);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void at(char *out, const char *folder)
{
    snprintf(out, CGROUP_PATH_MAX, "%s/%s", root, folder);
}

static void the_tightest_limit_above_counts_with_all_that_uses_it(void **state)
{
    struct group group = { 0 };
    struct meter_group seen;

    (void)state;
    at(group.unified, "slice/worker");
    given_file("slice", "memory.max", "1000000\n");
    given_file("slice", "memory.current", "700000\n");
    given_file("slice", "memory.stat", "anon 1\ninactive_file 200000\n");
    given_file("slice", "cpu.max", "max 100000\n");
    given_file("slice", "cpu.stat", "usage_usec 99\n");
    given_file("slice/worker", "memory.max", "max\n");
    given_file("slice/worker", "memory.current", "300000\n");
    given_file("slice/worker", "memory.stat", "inactive_file 0\n");
    given_file("slice/worker", "cpu.max", "150000 100000\n");
    given_file("slice/worker", "cpu.stat", "usage_usec 42\nuser_usec 40\n");
    group_read(&group, &seen);
    assert_int_equal(seen.memory_max_bytes, 1000000);
    assert_int_equal(seen.memory_used_bytes, 500000);
    assert_int_equal(seen.cpu_max_milli, 1500);
    assert_int_equal(seen.cpu_used_us, 42);
    given_file("slice/worker", "memory.max", "400000\n");
    given_file("slice", "cpu.max", "50000 100000\n");
    group_read(&group, &seen);
    assert_int_equal(seen.memory_max_bytes, 400000);
    assert_int_equal(seen.memory_used_bytes, 300000);
    assert_int_equal(seen.cpu_max_milli, 500);
    assert_int_equal(seen.cpu_used_us, 99);
}

static void the_controllers_of_version_1_are_read_too(void **state)
{
    struct group group = { 0 };
    struct meter_group seen;

    (void)state;
    at(group.memory, "memory");
    at(group.cpu, "cpu");
    at(group.cpuacct, "cpuacct");
    given_file("memory", "memory.limit_in_bytes", "800000\n");
    given_file("memory", "memory.usage_in_bytes", "500000\n");
    given_file("memory", "memory.stat", "cache 9\ntotal_inactive_file 100000\n");
    given_file("cpu", "cpu.cfs_quota_us", "200000\n");
    given_file("cpu", "cpu.cfs_period_us", "100000\n");
    given_file("cpuacct", "cpuacct.usage", "5000000\n");
    group_read(&group, &seen);
    assert_int_equal(seen.memory_max_bytes, 800000);
    assert_int_equal(seen.memory_used_bytes, 400000);
    assert_int_equal(seen.cpu_max_milli, 2000);
    assert_int_equal(seen.cpu_used_us, 5000);
}

static void where_nothing_is_limited_nothing_is_said(void **state)
{
    struct group group = { 0 };
    struct meter_group seen;

    (void)state;
    group_read(&group, &seen);
    assert_int_equal(seen.memory_max_bytes, 0);
    assert_int_equal(seen.cpu_max_milli, 0);
    at(group.unified, "free");
    given_file("free", "memory.max", "max\n");
    given_file("free", "memory.current", "1\n");
    given_file("free", "cpu.max", "max 100000\n");
    given_file("free", "cpu.stat", "usage_usec 1\n");
    group_read(&group, &seen);
    assert_int_equal(seen.memory_max_bytes, 0);
    assert_int_equal(seen.cpu_max_milli, 0);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_drop)

TESTS(IN_FOLDER(the_tightest_limit_above_counts_with_all_that_uses_it),
      IN_FOLDER(the_controllers_of_version_1_are_read_too),
      IN_FOLDER(where_nothing_is_limited_nothing_is_said))
