// SPDX-License-Identifier: Apache-2.0
/* handlers - every command's function, declared from the table. */
#ifndef HEADRACE_CLI_HANDLERS_H
#define HEADRACE_CLI_HANDLERS_H

#include "cli/cli.h"

#define COMMAND(group, verb, args, handler, needs, help)                                           \
    int cli_##handler(struct cli *cli, struct err *err);
#include "cli/commands.def"
#undef COMMAND

#endif
