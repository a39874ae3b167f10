// SPDX-License-Identifier: Apache-2.0
#include "cli/handlers.h"

int cli_version(struct cli *cli, struct err *err)
{
    (void)cli;
    (void)err;
    puts(HEADRACE_VERSION);
    return 0;
}
