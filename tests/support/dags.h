// SPDX-License-Identifier: Apache-2.0
/* dags - small DAGs for tests. All tasks are `bash: "true"` without retries; change them before
 * dag_build. */
#ifndef HEADRACE_TESTS_DAGS_H
#define HEADRACE_TESTS_DAGS_H

#include "common/model/dag.h"

/* Tasks "a", "b", "c" ... one after the other. */
struct dag *dag_chain(uint32_t count);

/* A graph in words: "a b:a c:a d:b,c?all_done e:d=empty" - id, upstream ids after :, trigger rule
 * after ?, operator after =. Built already. */
struct dag *dag_words(const char *words);

/* The task of that id, to change what dag_build does not look at. */
struct task *dag_task(struct dag *dag, const char *id);

/* JSON text as a value in the dag's arena. */
const struct value *dag_value(struct dag *dag, const char *json);

#endif
