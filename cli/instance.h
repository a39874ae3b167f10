// SPDX-License-Identifier: Apache-2.0
/* instance - what `headrace standalone` wrote down about the system that runs in this home:
 * $HEADRACE_HOME/run/instance.json. It is how commands in another terminal find it although its
 * ports came from flags or the environment. */
#ifndef HEADRACE_CLI_INSTANCE_H
#define HEADRACE_CLI_INSTANCE_H

#include "cli/cli.h"
#include "cli/process.h"

/* "url", "database"; empty when nothing is written. */
struct str instance_text(struct cli *cli, const char *key);
int64_t instance_number(struct cli *cli, const char *key); /* 0 when nothing is written */

/* The `headrace standalone` that wrote it; pid 0 when it has ended, however that came. */
struct process instance_supervisor(struct cli *cli);

/* The connection string to use: the setting, or what runs here when the setting is the default. */
const char *instance_database(struct cli *cli);

MUST_USE int instance_write(struct cli *cli, const struct value *map, struct err *err);
void instance_remove(struct cli *cli);

#endif
