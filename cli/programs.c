// SPDX-License-Identifier: Apache-2.0
/* headrace scheduler | worker | webserver: the program beside this one, with the words that were
 * given. */
#include "cli/handlers.h"

#include <errno.h>
#include <unistd.h>

static int run_program(struct cli *cli, const char *name, struct err *err)
{
    char **words = ARENA_ARRAY(cli->arena, char *, cli->argc + 2);

    words[0] = (char *)cli_program_path(cli->arena, name);
    memcpy(words + 1, cli->argv, sizeof(char *) * (size_t)cli->argc);
    (void)execv(words[0], words);
    int rc = err_set(err, ERR_NOT_FOUND, "starting %s: %s", words[0], strerror(errno));
    err_hint(err, "it belongs beside this program; ./dev build release makes all of them");
    return rc;
}

int cli_scheduler(struct cli *cli, struct err *err)
{
    return run_program(cli, "headrace-scheduler", err);
}

int cli_worker(struct cli *cli, struct err *err)
{
    return run_program(cli, "headrace-worker", err);
}

int cli_webserver(struct cli *cli, struct err *err)
{
    return run_program(cli, "headrace-webserver", err);
}
