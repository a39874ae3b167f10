// SPDX-License-Identifier: Apache-2.0
/* key - the table of keys (keys.def) as data: what stands where, of which type, and what to say
 * about it. */
#ifndef HEADRACE_COMPILE_KEY_H
#define HEADRACE_COMPILE_KEY_H

#include "common/model/dag.h"

/* PLACE(name, "what it is called in sentences") */
#define KEY_PLACES(PLACE)                                                                          \
    PLACE(DAG, "a DAG")                                                                            \
    PLACE(GROUP, "a group")                                                                        \
    PLACE(TASK, "a task")                                                                          \
    PLACE(BASH, "bash")                                                                            \
    PLACE(EXEC, "exec")                                                                            \
    PLACE(PYTHON, "python")                                                                        \
    PLACE(SQL, "sql")                                                                              \
    PLACE(HTTP, "http")                                                                            \
    PLACE(EMPTY, "empty")                                                                          \
    PLACE(BRANCH, "branch")                                                                        \
    PLACE(BRANCH_CASE, "a case of branch")                                                         \
    PLACE(SHORT_CIRCUIT, "short_circuit")                                                          \
    PLACE(WAIT_FOR, "wait_for")                                                                    \
    PLACE(WAIT_FOR_TASK, "wait_for.task")                                                          \
    PLACE(TRIGGER_DAG, "trigger_dag")                                                              \
    PLACE(NOTIFY, "a notification")                                                                \
    PLACE(RESOURCES, "resources")                                                                  \
    PLACE(SCHEDULE, "schedule")                                                                    \
    PLACE(FILES, "files")

/* TYPE(name, "what it takes, for sentences and documentation") */
#define KEY_TYPES(TYPE)                                                                            \
    TYPE(ID, "an id of letters, digits, _ - and dots")                                             \
    TYPE(NAME, "a name")                                                                           \
    TYPE(TEXT, "text")                                                                             \
    TYPE(TEXTS, "a list of texts")                                                                 \
    TYPE(TEMPLATE, "text, templates allowed")                                                      \
    TYPE(TEMPLATES, "a text or a list of texts, templates allowed")                                \
    TYPE(TEMPLATE_MAP, "a mapping of texts, templates allowed")                                    \
    TYPE(ARGV, "a list that begins with a program, templates allowed")                             \
    TYPE(ENV, "a mapping from names of variables to texts, templates allowed")                     \
    TYPE(VALUE, "any value")                                                                       \
    TYPE(VALUES, "a list")                                                                         \
    TYPE(VALUE_MAP, "a mapping")                                                                   \
    TYPE(FIELDS, "a mapping of its fields, or a text for the first of them")                       \
    TYPE(BOOL, "true or false")                                                                    \
    TYPE(CHOICE, "true or false")                                                                  \
    TYPE(COUNT, "a whole number")                                                                  \
    TYPE(NUMBER, "a whole number")                                                                 \
    TYPE(REAL, "a number")                                                                         \
    TYPE(DURATION, "a length of time such as 10s, 5m or 1h30m")                                    \
    TYPE(SIZE, "an amount of bytes such as 512Mi or 2G")                                           \
    TYPE(CPU, "a number of processors such as 0.5 or 500m")                                        \
    TYPE(DATE, "a date or time such as 2026-01-31 or 2026-01-31T06:00:00Z")                        \
    TYPE(DATES, "a list of dates or times")                                                        \
    TYPE(ZONE, "the name of a time zone such as Europe/Lisbon")                                    \
    TYPE(RULE, "a trigger rule")                                                                   \
    TYPE(WEIGHT_RULE, "downstream, upstream or absolute")                                          \
    TYPE(JITTER, "none or full")                                                                   \
    TYPE(CODES, "a list of exit codes and error names")                                            \
    TYPE(STATUSES, "a list of HTTP statuses")                                                      \
    TYPE(CONDITION, "an expression")                                                               \
    TYPE(TOLERANCE, "a whole number, or a share such as 5%")                                       \
    TYPE(FOR_EACH, "a list, a template that gives a list, or a mapping of lists")                  \
    TYPE(CRONS, "a cron text or a list of them")                                                   \
    TYPE(SCHEDULE, "a cron text, a macro such as @daily, or a mapping")                            \
    TYPE(FILES, "a mapping with path")                                                             \
    TYPE(PARAMS, "a mapping from names to JSON Schemas")                                           \
    TYPE(DEFAULTS, "a mapping of keys of tasks")                                                   \
    TYPE(RESOURCES, "a mapping of limits")                                                         \
    TYPE(TASKS, "a mapping from task ids to tasks")                                                \
    TYPE(GROUPS, "a mapping from group ids to groups")                                             \
    TYPE(DEPENDS, "a list of ids of tasks or groups")                                              \
    TYPE(TASK_IDS, "a list of task ids")                                                           \
    TYPE(CHOSEN, "a list of ids of tasks or groups")                                               \
    TYPE(CASES, "a list of cases")                                                                 \
    TYPE(NOTIFICATIONS, "a list of notifications")                                                 \
    TYPE(OPERATOR, "a mapping, or a text for its first key")

enum place {
#define PLACE_ENUM(name, words) PLACE_##name,
    KEY_PLACES(PLACE_ENUM)
#undef PLACE_ENUM
        PLACE_COUNT
};

enum key_type {
#define TYPE_ENUM(name, words) TYPE_##name,
    KEY_TYPES(TYPE_ENUM)
#undef TYPE_ENUM
        KEY_TYPE_TOTAL
};

/* Instead of an offset. */
#define KEY_ARGS    SIZE_MAX
#define KEY_SPECIAL (SIZE_MAX - 1)

struct key {
    enum place place;
    const char *name;
    enum key_type type;
    int64_t min, max;
    size_t field;          /* offset in struct dag or struct task, KEY_ARGS or KEY_SPECIAL */
    const char *otherwise; /* the default as shown; NULL: the key is required */
    const char *help;
};

/* The keys of a place, in the order of the table; NULL behind the last. */
const struct key *key_first(enum place place);
const struct key *key_next(const struct key *key);

/* NULL when there is none. */
const struct key *key_find(enum place place, struct str name);

/* What to write instead of a word that is no key of `place`: words of other tools, or the nearest
 * key; may be empty. */
struct str key_advice(struct arena *arena, enum place place, struct str word);

const char *place_words(enum place place);
const char *key_type_words(enum key_type type);

/* The place of an operator's fields. */
enum place place_of_operator(enum operator_kind kind);

/* The words of TYPE_RULE, TYPE_WEIGHT_RULE and TYPE_JITTER; NULL behind the last. */
const char *key_word(enum key_type type, int number);

/* Whether a key of a task may stand in `defaults`. */
bool key_may_be_default(const struct key *key);

#endif
