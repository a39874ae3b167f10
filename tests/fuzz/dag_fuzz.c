// SPDX-License-Identifier: Apache-2.0
/* DAG files: the compiler ends and says of every problem what and where; what it takes can be
 * written, read back and is the same. */
#include "common/base/assert.h"
#include "common/compile/compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_problem(const struct compile_problem *problem)
{
    ASSERT(problem->sentence.size > 0);
    ASSERT((problem->line == 0) == (problem->column == 0));
}

static void check_dag(struct arena *arena, const struct dag *dag)
{
    struct dag *back = NULL;
    struct err err = { 0 };
    struct str json = dag_to_json(dag, arena);
    ASSERT(dag_from_json(json, &back, &err) == 0);
    ASSERT(str_eq(dag_to_json(back, arena), json));
    dag_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 1 << 16)
        return 0;
    struct arena arena = { 0 };
    struct compile_result result;
    int rc = compile_file(&arena, STR("dir/name.yaml"), (struct str) { (const char *)bytes, size },
                          NULL, &result);
    ASSERT((rc == 0) == (result.problem_count == 0));
    for (uint32_t i = 0; i < result.problem_count; i++)
        check_problem(&result.problems[i]);
    for (uint32_t i = 0; i < result.dag_count; i++)
        check_dag(&arena, result.dags[i]);
    compile_clear(&result);
    arena_clear(&arena);
    return 0;
}
