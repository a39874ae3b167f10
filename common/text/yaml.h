// SPDX-License-Identifier: Apache-2.0
/* yaml - YAML 1.2 text, possibly hostile, to values with positions.
 *
 * Core schema: only null ~ true false, numbers and quoted or other text; `no`, `on` and `1.10.2`
 * stay text. Duplicate keys are refused. Anchors, aliases and merge keys (<<) work, under a budget
 * of nodes that aliases may add; an aliased node is shared, not copied. All problems that can be
 * told apart are collected, each with its place. */
#ifndef HEADRACE_YAML_H
#define HEADRACE_YAML_H

#include "common/text/value.h"

struct yaml_limits {
    size_t bytes_max;
    uint32_t depth_max;       /* nested collections, aliases followed */
    uint32_t alias_nodes_max; /* nodes that a reader sees more than once because of aliases */
    uint32_t problems_max;
};

enum {
    YAML_BYTES_MAX = 1 << 20,
    YAML_DEPTH_MAX = 64,
    YAML_ALIAS_NODES_MAX = 50000,
    YAML_PROBLEMS_MAX = 100,
};

struct yaml_problem {
    uint32_t line, column; /* 1-based; 0 when the whole file is meant */
    struct str sentence;
    struct str advice; /* what to do; may be empty */
};

struct yaml {
    const struct value **documents; /* an empty document is a null value */
    uint32_t document_count;
    struct yaml_problem *problems; /* in the order of the file */
    uint32_t problem_count;
};

/* Reads all documents of `text`. `limits` NULL means the constants above. 0, or ERR_INVALID when
 * there are problems; documents that could be read to their end are given even then, for more
 * checks. Everything is in `arena`. Prints nothing. */
MUST_USE int yaml_parse(struct arena *arena, struct str text, const struct yaml_limits *limits,
                        struct yaml *out);

#endif
