// SPDX-License-Identifier: Apache-2.0
/* help - the table of commands, told to people and to the shell's completion. */
#ifndef HEADRACE_CLI_HELP_H
#define HEADRACE_CLI_HELP_H

#include "cli/cli.h"

/* A group's commands; all groups for ""; one command when `verb` is given. Unknown words get the
 * list of all. */
void help_group(const struct cli *cli, const char *group, const char *verb);
void help_command(const struct cli *cli, const struct cli_command *command);

#endif
