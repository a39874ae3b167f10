// SPDX-License-Identifier: Apache-2.0
/* compiler - the state of compiling one file, shared by the sources of this room and nobody else.
 *
 * compile.c  files and documents           read*.c     values by their type
 * task.c     tasks, defaults, groups       operator.c  the fields of operators
 * schedule.c schedules, dates, zones       params.c    params
 * graph.c    dependencies and cycles       names.c     what expressions ask for
 * place.c    problems and where they are */
#ifndef HEADRACE_COMPILE_COMPILER_H
#define HEADRACE_COMPILE_COMPILER_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/compile/compile.h"
#include "common/compile/key.h"
#include "common/text/template.h"

/* A task or group as found in the document, before and while it is read. */
struct found_task {
    struct str id; /* whole */
    const struct value_entry *entry;
    int32_t group; /* -1 = top */
    VEC(uint32_t) upstream;
};

struct found_group {
    struct str id;
    const struct value_entry *entry;
    int32_t parent;
    uint32_t first_task,
        end_task;             /* its tasks, those of inner groups included, have these numbers */
    uint32_t *roots, *leaves; /* graph.c */
    uint32_t root_count, leaf_count;
};

/* An id in `depends_on`: from a task or group to a task or group. */
struct found_edge {
    bool from_group, to_group;
    uint32_t from, to;
    uint32_t line, column;
};

struct compiler {
    struct arena *arena; /* the caller's: problems live here */
    struct str filename, text;
    struct compile_options options;
    VEC(struct compile_problem) problems;
    uint32_t problem_total;      /* those beyond the limit too */
    uint32_t yaml_problem_count; /* the first of them */
    VEC(uint32_t) lines;         /* byte offset of each line */

    /* ---- of the document in work ---- */
    struct dag *dag;
    struct arena scratch;
    const struct value *document;
    const struct value *params; /* as written; NULL = none */
    const struct zone *zone;    /* NULL = UTC */
    VEC(struct found_task) tasks;
    VEC(struct found_group) groups;
    struct map task_ids, group_ids;
    VEC(struct found_edge) edges;
    uint32_t
        *ancestor;   /* ancestor[t] == ancestors_of + 1: t is upstream of that task; see names.c */
    uint32_t *stack; /* room for every task once */
    uint32_t ancestors_of;
    uint64_t ancestor_steps;
};

/* ---- place.c ---- */

struct str place_document(struct compiler *compiler,
                          uint32_t line); /* the text of the document that holds the line */

struct place_in_file {
    uint32_t line, column;
};

#define PLACE_OF(node) ((struct place_in_file) { (node)->line, (node)->column })

/* Notes a problem; `advice` may be NULL or empty. The second takes an advice of any life (it is
 * copied). */
void problem(struct compiler *compiler, struct place_in_file at, const char *advice,
             const char *fmt, ...) FORMAT(4, 5);

/* False once so many problems were noted that no more will be shown: then places and advice need
 * not be searched for, which would cost a hostile file's reader its time. */
bool is_worth_a_look(const struct compiler *compiler);

/* Notes what an err says. */
void problem_err(struct compiler *compiler, struct place_in_file at, const char *doing,
                 const struct err *err);

/* Where byte `at` of the text that `value` means stands in the file: exact for what stands behind
 * {{, and for unbroken text; else the begin of the value. */
struct place_in_file place_inside(struct compiler *compiler, const struct value *value,
                                  uint32_t at);

/* ---- read.c ---- */

/* What is being read: a key's value, for whom, and where it goes. */
struct reading {
    struct compiler *compiler;
    const struct key *key;
    const struct value *value;
    void *record;       /* struct dag or struct task; NULL when all goes to args */
    struct value *args; /* for KEY_ARGS */
    int32_t task;       /* number of the task, -1 for a DAG, group or `defaults` */
};

/* Reads every key of `map` at `place`, noting what is unknown, refused, of the wrong type or
 * missing. Keys that are KEY_SPECIAL of type TASKS, GROUPS, DEPENDS and TOLERANCE are read
 * elsewhere and only passed over here. */
void read_keys(struct compiler *compiler, const struct value *map, enum place place, void *record,
               struct value *args, int32_t task);

/* The row of a key that may be used at `place`, or NULL and a noted problem. */
const struct key *usable_key(struct compiler *compiler, const struct value_entry *entry,
                             enum place place);

/* Whether a key of `map` that does not exist got the advice to write `name` instead: then nothing
 * more need be said. */
bool is_meant(struct compiler *compiler, const struct value *map, enum place place,
              const char *name);

/* One value by the type of its key. */
void read_key(struct reading *reading);

/* Notes that a key's value is not of its type. */
void refuse_type(const struct reading *reading);

/* A scalar as the text it was written as (1.10, True); false for lists, maps and null. */
bool scalar_text(const struct value *value, struct str *out);

bool id_is_valid(struct str id);

/* Copies into the dag's memory. */
struct str keep(struct compiler *compiler, struct str text);
const struct value *keep_value(struct compiler *compiler, const struct value *value);

/* Puts a value where the key's row says. */
void put_value(struct reading *reading, const struct value *value);

/* A whole number within the key's range, or a noted problem. */
bool read_whole(const struct reading *reading, const struct value *value, int64_t *out);
bool read_duration(const struct reading *reading, int64_t *out);

/* ---- schedule.c ---- */

void read_zone_first(struct compiler *compiler, const struct value *document);
bool read_date(const struct reading *reading, const struct value *value, int64_t *out_ms);
void read_schedule(struct reading *reading);

/* ---- params.c ---- */

void read_params(struct reading *reading);

/* ---- task.c ---- */

/* Lists tasks and groups with their whole ids. */
void find_tasks(struct compiler *compiler, const struct value *map, struct str prefix,
                int32_t group);
void read_tasks(struct compiler *compiler);

/* ---- operator.c ---- */

void read_operator(struct compiler *compiler, uint32_t task, const struct key *key,
                   const struct value_entry *entry);
void read_cases(struct reading *reading);
void read_chosen(struct reading *reading);
void read_task_ids(struct reading *reading);
void read_fields(struct reading *reading);
void read_notifications(struct reading *reading);

/* ---- setup.c ---- */

/* Whether setups and teardowns fit together; when all tasks are read. */
void check_setups(struct compiler *compiler);

/* ---- graph.c ---- */

/* Resolves `depends_on` of tasks and groups and fills the tasks' upstream; notes unknown ids and
 * cycles. */
void read_graph(struct compiler *compiler);

/* An id as written in a task or group that stands in `group`: searched there, then outwards, then
 * as a whole id. */
struct resolved {
    bool found, is_group;
    uint32_t number;
};

struct resolved resolve(struct compiler *compiler, struct str id, int32_t group);
/* The id of a task that may have been meant, by spelling or in another group; or empty. */
struct str suggest_id(struct compiler *compiler, struct str id, int32_t group);
void refuse_id(struct compiler *compiler, struct place_in_file at, struct str id, int32_t group);

/* Whether task `chosen` waits for `task` directly. */
bool is_direct_upstream(struct compiler *compiler, uint32_t task, uint32_t chosen);

/* ---- names.c ---- */

enum names_where {
    NAMES_PLAIN,    /* everything but item, unless the task has for_each */
    NAMES_NO_ITEM,  /* `when` and `for_each`: no element yet */
    NAMES_DEFAULTS, /* of no task in particular: item and outputs are not checked */
};

void check_template(struct compiler *compiler, const struct value *value, int32_t task,
                    enum names_where where);

/* The same for every string inside a value. */
void check_templates(struct compiler *compiler, const struct value *value, int32_t task,
                     enum names_where where);

/* A condition: an expression, with or without {{ }} around. Gives the bare expression in the dag's
 * memory, or an empty str and a noted problem. */
struct str read_condition(struct compiler *compiler, const struct value *value, int32_t task,
                          enum names_where where);

#endif
