// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/dag_folder.h"
#include "tests/support/test.h"

#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void make(const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", root, path);
    if (text == NULL) {
        assert_int_equal(mkdir(full, 0755), 0);
        return;
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/dag-folder-XXXXXX");
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static bool has(const struct dag_folder *folder, const char *relative)
{
    for (uint32_t i = 0; i < folder->files.count; i++)
        if (str_is(str_slice(folder->files.items[i].path, strlen(root) + 1, SIZE_MAX), relative))
            return true;
    return false;
}

static struct dag_folder look(void)
{
    struct dag_folder folder;
    struct str roots[] = { str_of(root) };
    dag_folder_read(&folder, roots, 1);
    return folder;
}

static void dag_files_are_found_at_any_depth_and_nothing_else(void **state)
{
    (void)state;
    make("a.yaml", "x");
    make("b.yml", "x");
    make("dag.py", "x");
    make("notes.txt", "x");
    make(".hidden.yaml", "x");
    make("team", NULL);
    make("team/deep", NULL);
    make("team/deep/c.yaml", "four");
    struct dag_folder folder = look();
    assert_true(folder.is_complete);
    assert_int_equal(folder.files.count, 4);
    assert_true(has(&folder, "dag.py") && has(&folder, "a.yaml") && has(&folder, "b.yml") &&
                has(&folder, "team/deep/c.yaml"));
    assert_int_equal(folder.folders.count, 3);
    dag_folder_clear(&folder);
}

static void what_the_ignore_file_names_is_left_out(void **state)
{
    (void)state;
    make(".headraceignore", "# ours\ndraft*\n/old/\n");
    make("draft-1.yaml", "x");
    make("keep.yaml", "x");
    make("old", NULL);
    make("old/a.yaml", "x");
    struct dag_folder folder = look();
    assert_int_equal(folder.files.count, 1);
    assert_true(has(&folder, "keep.yaml"));
    dag_folder_clear(&folder);
}

static void a_loop_of_links_ends(void **state)
{
    (void)state;
    make("sub", NULL);
    make("sub/a.yaml", "x");
    char link[128];
    snprintf(link, sizeof link, "%s/sub/again", root);
    assert_int_equal(symlink("..", link), 0);
    struct dag_folder folder = look();
    assert_true(folder.files.count >= 1 && folder.files.count <= DAG_FOLDER_DEPTH_MAX);
    dag_folder_clear(&folder);
}

static void a_folder_that_is_not_there_has_no_files(void **state)
{
    (void)state;
    struct dag_folder folder;
    struct str roots[] = { STR("/nowhere/at/all") };
    dag_folder_read(&folder, roots, 1);
    assert_int_equal(folder.files.count, 0);
    assert_true(folder.is_complete);
    dag_folder_clear(&folder);
}

#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TESTS(WITH_FOLDER(dag_files_are_found_at_any_depth_and_nothing_else),
      WITH_FOLDER(what_the_ignore_file_names_is_left_out), WITH_FOLDER(a_loop_of_links_ends),
      CASE(a_folder_that_is_not_there_has_no_files))
