// SPDX-License-Identifier: Apache-2.0
/* Every file below tests/golden/dags: bad ones give exactly the problems that stand beside them in
 * *.expected, good ones exactly the intermediate form in *.json. HEADRACE_UPDATE_GOLDEN=1 writes
 * what is given instead of comparing it. */
#include "common/base/vec.h"
#include "common/compile/compile.h"
#include "common/text/json.h"
#include "tests/common/compile/zones.h"
#include "tests/support/test.h"

#include <dirent.h>
#include <stdlib.h>

#define FOLDER HEADRACE_SOURCE_DIR "/tests/golden/dags/"

static struct arena arena;

static bool read_file(const char *path, struct str *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    struct buf buf;
    buf_init(&buf);
    char part[4096];
    size_t size;
    while ((size = fread(part, 1, sizeof part, file)) > 0)
        buf_add(&buf, part, size);
    fclose(file);
    *out = str_copy(&arena, buf_str(&buf));
    buf_clear(&buf);
    return true;
}

static void compare(const char *path, struct str given)
{
    struct str expected = STR_EMPTY;
    if (getenv("HEADRACE_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(given.bytes, 1, given.size, file), given.size);
        assert_int_equal(fclose(file), 0);
        return;
    }
    if (!read_file(path, &expected))
        fail_msg("%s is missing; this is given:\n%.*s", path, STR_ARG(given));
    if (!str_eq(given, expected))
        fail_msg("%s differs; given:\n%.*sexpected:\n%.*s", path, STR_ARG(given),
                 STR_ARG(expected));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the *.yaml files of a folder, without their ending, in order. */
static uint32_t list_files(const char *folder, const char ***out)
{
    VEC(const char *) names = { 0 };
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct str name = str_of(entry->d_name);
        if (str_ends(name, ".yaml"))
            VEC_ADD(&names, str_cstr(&arena, str_slice(name, 0, name.size - 5)));
    }
    closedir(dir);
    qsort(names.items, names.count, sizeof *names.items, by_name);
    *out = arena_copy(&arena, names.items, names.count * sizeof *names.items);
    uint32_t count = names.count;
    VEC_CLEAR(&names);
    return count;
}

static struct str problems_of(const struct compile_result *result)
{
    struct buf buf;
    buf_init(&buf);
    for (uint32_t i = 0; i < result->problem_count; i++) {
        struct compile_problem problem = result->problems[i];
        problem.file = STR_EMPTY;
        struct str text = compile_problem_text(&arena, &problem);
        buf_printf(&buf, "%.*s\n", STR_ARG(str_slice(text, problem.line > 0 ? 1 : 2, text.size)));
    }
    struct str text = str_copy(&arena, buf_str(&buf));
    buf_clear(&buf);
    return text;
}

/* Each dag as JSON; what was written must read back to the same. */
static struct str dags_of(const struct compile_result *result)
{
    struct buf buf;
    buf_init(&buf);
    for (uint32_t i = 0; i < result->dag_count; i++) {
        struct str json = dag_to_json(result->dags[i], &arena);
        struct dag *back = NULL;
        struct err err = { 0 };
        if (dag_from_json(json, &back, &err) < 0)
            fail_msg("%s", err.sentence);
        assert_true(str_eq(dag_to_json(back, &arena), json));
        dag_free(back);
        const struct value *value = NULL;
        assert_int_equal(json_parse(&arena, json, NULL, &value, NULL), 0);
        json_write_pretty(&buf, value);
    }
    struct str text = str_copy(&arena, buf_str(&buf));
    buf_clear(&buf);
    return text;
}

static void compile_one(const char *folder, const char *name, struct compile_result *out)
{
    struct str text = STR_EMPTY;
    struct compile_options options = { .zone = zones_find };
    assert_true(read_file(str_format(&arena, "%s%s.yaml", folder, name).bytes, &text));
    int rc = compile_file(&arena, str_format(&arena, "%s.yaml", name), text, &options, out);
    assert_int_equal(rc == 0, out->problem_count == 0);
}

static void bad_files_give_the_problems_beside_them(void **state)
{
    (void)state;
    const char **names;
    uint32_t count = list_files(FOLDER "bad/", &names);
    assert_true(count >= 90);
    for (uint32_t i = 0; i < count; i++) {
        struct compile_result result;
        compile_one(FOLDER "bad/", names[i], &result);
        if (result.problem_count == 0)
            fail_msg("%s was taken", names[i]);
        compare(str_format(&arena, FOLDER "bad/%s.expected", names[i]).bytes, problems_of(&result));
        compile_clear(&result);
    }
}

static void good_files_give_the_intermediate_form_beside_them(void **state)
{
    (void)state;
    const char **names;
    uint32_t count = list_files(FOLDER "good/", &names);
    assert_true(count >= 10);
    for (uint32_t i = 0; i < count; i++) {
        struct compile_result result;
        compile_one(FOLDER "good/", names[i], &result);
        if (result.problem_count > 0)
            fail_msg("%s: %.*s", names[i], STR_ARG(problems_of(&result)));
        compare(str_format(&arena, FOLDER "good/%s.json", names[i]).bytes, dags_of(&result));
        compile_clear(&result);
    }
}

/* A problem that is nowhere cannot be found by its reader. */
static void every_problem_has_a_place_and_a_sentence(void **state)
{
    (void)state;
    const char **names;
    uint32_t count = list_files(FOLDER "bad/", &names);
    for (uint32_t i = 0; i < count; i++) {
        struct compile_result result;
        compile_one(FOLDER "bad/", names[i], &result);
        for (uint32_t k = 0; k < result.problem_count; k++) {
            assert_true(result.problems[k].line > 0 && result.problems[k].column > 0);
            assert_true(result.problems[k].sentence.size > 10);
            assert_true(str_is_utf8(result.problems[k].sentence));
        }
        compile_clear(&result);
    }
}

static int clear(void **state)
{
    (void)state;
    arena_clear(&arena);
    zones_clear();
    return 0;
}

#define EACH(name) cmocka_unit_test_teardown(name, clear)

TESTS(EACH(bad_files_give_the_problems_beside_them),
      EACH(good_files_give_the_intermediate_form_beside_them),
      EACH(every_problem_has_a_place_and_a_sentence))
