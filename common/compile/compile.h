// SPDX-License-Identifier: Apache-2.0
/* compile - a DAG file to its intermediate form (common/model/dag.h), or to a list of problems that
 * says for each where it is, what is wrong and what to write instead. All problems of a file are
 * found in one go.
 *
 * Every key of the format is a row of keys.def; the compiler, the JSON Schema and the reference
 * page are made from it. Fields of operators arrive in task.operator_args under their names, with a
 * bare text put under the operator's first field. What the scheduler itself evaluates has this
 * form:
 *
 *   branch         {cases: [{when: EXPRESSION, then: [task ids]}], default: [task ids]}
 *   short_circuit  {condition: EXPRESSION, respect_trigger_rules: true}
 *   trigger_dag    {dag_id: TEXT, conf: {...}, logical_date: TEXT, wait: true}
 *   task.when      EXPRESSION
 *   task.for_each  a list, a map of lists, or a text that is one single template; strings at any
 *                  depth may hold templates (template_render_value gives the elements)
 *
 * EXPRESSION stands without its braces. Ids are whole ("group.task"), groups already resolved to
 * tasks. Optional fields that were not given are absent. */
#ifndef HEADRACE_COMPILE_H
#define HEADRACE_COMPILE_H

#include "common/base/buf.h"
#include "common/model/dag.h"
#include "common/model/zone.h"

enum {
    COMPILE_BYTES_MAX = 1 << 20,
    COMPILE_DEPTH_MAX = 40,
    COMPILE_TASKS_MAX = 50000,
    COMPILE_EDGES_MAX = 2000000,
    COMPILE_PROBLEMS_MAX = 200,
    COMPILE_MAP_LENGTH_MAX = 1024,
};

struct compile_options {
    void *owner;

    /* The zone of an IANA name, borrowed until compile_file returns; false when there is none.
     * NULL: only UTC exists. */
    bool (*zone)(void *owner, struct str name, const struct zone **out);

    struct str default_timezone; /* core.default_timezone: of DAGs that name none; empty = UTC */

    struct str folder; /* of the file, absolute: what tasks read beside it (sql.file, python.path)
                          is named from there; empty = such paths stay as they are */

    /* Whether there is such a file or folder; asked of those beside the DAG's file. NULL: it is not
     * known here, as where workers have other disks. */
    bool (*has_file)(void *owner, struct str path);

    uint32_t map_length_max; /* core.max_map_length; 0 = COMPILE_MAP_LENGTH_MAX */
};

struct compile_problem {
    struct str file;
    uint32_t line, column; /* 1-based, in characters; 0 when the whole file is meant */
    struct str sentence;
    struct str advice; /* what to write instead; may be empty */
};

struct compile_result {
    struct dag **dags;   /* of the documents without problems, in a file that is sound YAML */
    struct str *sources; /* of each its own document of the text */
    uint32_t dag_count;
    struct compile_problem *problems; /* in the order of the file */
    uint32_t problem_count;
};

/* Compiles all documents of one file. `filename` is its path below the DAG folder; its last part
 * without ending is the default dag_id. `options` NULL: the defaults. 0, or ERR_INVALID when there
 * are problems. Problems live in `arena`; each dag owns its memory: take it out of the result (set
 * the place to NULL), or let compile_clear free it. */
MUST_USE int compile_file(struct arena *arena, struct str filename, struct str text,
                          const struct compile_options *options, struct compile_result *out);

void compile_clear(struct compile_result *result);

/* "etl.yaml:12:5: 'retris' is no key of a task. Did you mean 'retries'?" */
struct str compile_problem_text(struct arena *arena, const struct compile_problem *problem);

/* The published JSON Schema of the format, and the reference page (Markdown); both end with a line
 * end. */
void compile_schema(struct buf *out);
void compile_reference(struct buf *out);

#endif
