// SPDX-License-Identifier: Apache-2.0
/* dag_source - DAG files compiled here, without a server, with the zones of this host. */
#ifndef HEADRACE_CLI_DAG_SOURCE_H
#define HEADRACE_CLI_DAG_SOURCE_H

#include "cli/cli.h"
#include "common/base/vec.h"
#include "common/compile/compile.h"

struct dag_source {
    struct compile_result result;
    VEC(struct zone *) zones;
    VEC(struct str) zone_names;
    struct str folder; /* of the file, in the cli's arena; empty where there is none */
};

/* Reads and compiles a file ("-": standard input). ERR_INVALID when it has problems: they are in
 * the result. */
MUST_USE int dag_source_read(struct cli *cli, const char *path, struct dag_source *out,
                             struct err *err);
MUST_USE int dag_source_text(struct cli *cli, struct str name, struct str text,
                             struct dag_source *out, struct err *err);
void dag_source_clear(struct dag_source *source);

/* The zone of a DAG that was read; NULL is UTC. */
const struct zone *dag_source_zone(struct dag_source *source, struct str name);

/* Every problem on stderr, with its line of the file below. */
void dag_source_print_problems(struct cli *cli, const struct dag_source *source, struct str text);

/* Whether a word means a file: it has a slash or a YAML ending. */
bool dag_source_is_file(struct str word);

#endif
