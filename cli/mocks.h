// SPDX-License-Identifier: Apache-2.0
/* mocks - made-up results of tasks for `dags test`, from a file: the run decides as it would with
 * real ones, and nothing of the task is run.
 *
 *     extract: {output: {rows: 3}}
 *     load:                                    # one a try; the last one stays
 *       - {error: "ConnectionError: refused"}
 *       - {output: 7}
 *     each[2]: {outcome: skipped}              # of one instance of a mapped task
 *
 * Fields: output, error, hard, exit_code, outcome (success, failed, skipped, timed_out,
 * out_of_memory, lost). Without an outcome an error or an exit code other than 0 is a failure. */
#ifndef HEADRACE_CLI_MOCKS_H
#define HEADRACE_CLI_MOCKS_H

#include "cli/cli.h"
#include "common/model/dag.h"
#include "common/model/spec.h"

/* Reads and checks the file, prints all that is wrong with it, each with its line; ERR_INVALID.
 * *out lives as long as the cli's arena. */
MUST_USE int mocks_read(struct cli *cli, const char *path, const struct dag *dag,
                        const struct value **out, struct err *err);

/* For who tests one task: every other one of `dag` that `mocks` (NULL allowed) says nothing of is
 * made up as done. ERR_NOT_FOUND when there is no such task. */
MUST_USE int mocks_add_others(struct cli *cli, const struct dag *dag, struct str task_id,
                              const struct value *mocks, const struct value **out, struct err *err);

/* What is made up needs nothing that the real task needs: no template of it is rendered. */
void mocks_replace(const struct value *mocks, struct dag *dag);

/* Whether the try has a made-up result; its texts live in `arena`. */
bool mocks_answer(const struct value *mocks, struct str task_id, int32_t map_index, uint32_t try_no,
                  struct arena *arena, struct result *out);

#endif
