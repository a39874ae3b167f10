// SPDX-License-Identifier: Apache-2.0
/* provision - what a new standalone installation finds ready for its DAGs: the connection
 * `warehouse`, a second database for the results of tasks, and the variables `examples_folder` and
 * `data_folder`. What is there already stays as it is, unless it leads to another home. */
#ifndef HEADRACE_CLI_PROVISION_H
#define HEADRACE_CLI_PROVISION_H

#include "cli/cli.h"
#include "cli/private_pg.h"

enum { PROVISION_PASSWORD_SIZE = 21 };

/* Before the programs start, so that the first run finds it all. `pg` NULL: the database is
 * somebody else's; then there is no warehouse. */
MUST_USE int provision(struct cli *cli, const char *conninfo, struct private_pg *pg,
                       void (*on_note)(const char *sentence), struct err *err);

/* Letters, digits, - and _. */
void provision_password(char out[PROVISION_PASSWORD_SIZE]);

#endif
