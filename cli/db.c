// SPDX-License-Identifier: Apache-2.0
/* headrace db ...: the metadata database itself, without a server. */
#include "cli/handlers.h"
#include "cli/instance.h"
#include "cli/output.h"
#include "common/store/schema.h"
#include "common/text/duration.h"

#include <errno.h>
#include <unistd.h>

enum { DAY_MS = 86400000 };

extern char **environ;

static void on_migration(void *owner, int32_t number, const char *title)
{
    (void)owner;
    printf("applied %04d %s\n", number, title);
}

int cli_db_migrate(struct cli *cli, struct err *err)
{
    struct schema_state state;
    const char *conninfo = instance_database(cli);
    int rc = store_migrate(conninfo, cli->conf->core_default_pool_slots, on_migration, NULL, err);

    if (rc == 0)
        rc = store_schema(conninfo, &state, err);
    if (rc == 0)
        output_note(cli, "the schema is at %04d, which is what this release needs", state.applied);
    return rc;
}

int cli_db_check(struct cli *cli, struct err *err)
{
    int rc = store_schema_check(instance_database(cli), err);

    if (rc == 0)
        output_note(cli, "the database answers and fits this release");
    return rc;
}

int cli_db_clean(struct cli *cli, struct err *err)
{
    int64_t age_ms = cli->conf->database_retention_ms;
    int32_t dropped = 0;

    if (cli_has(cli, "--older-than") &&
        duration_parse(cli_arg(cli, "--older-than"), &age_ms, err) < 0)
        return cli_wrong_use(cli, err, "--older-than takes a duration such as 30d, not %.*s",
                             STR_ARG(cli_arg(cli, "--older-than")));
    int32_t days = (int32_t)(age_ms / DAY_MS);
    if (days < 1)
        return cli_wrong_use(cli, err,
                             "--older-than must be a day at least: what is dropped are whole days");
    int rc = cli_confirm(cli, err, "Drop ended runs that are older than %d days?", days);
    if (rc == 0)
        rc = store_clean(instance_database(cli), days, &dropped, err);
    if (rc == 0)
        output_note(cli, "%d partitions dropped", dropped);
    return rc;
}

int cli_db_reset(struct cli *cli, struct err *err)
{
    const char *conninfo = instance_database(cli);
    int rc = cli_confirm(
        cli, err, "Empty the metadata database, with every run, variable, connection and user?");

    if (rc == 0)
        rc = store_schema_reset(conninfo, err);
    if (rc == 0)
        rc = store_migrate(conninfo, cli->conf->core_default_pool_slots, NULL, NULL, err);
    if (rc == 0)
        output_note(cli, "the database is empty and ready");
    return rc;
}

int cli_db_shell(struct cli *cli, struct err *err)
{
    struct conf_source source = { .env = (const char *const *)environ };
    char **words = ARENA_ARRAY(cli->arena, char *, cli->argc + 3);
    int rc = conf_new(&cli->conf, &source, NULL, err);

    if (rc < 0)
        return rc;
    words[0] = (char *)"psql";
    words[1] = (char *)instance_database(cli);
    memcpy(words + 2, cli->argv, sizeof(char *) * (size_t)cli->argc);
    (void)execvp("psql", words);
    rc = err_set(err, ERR_NOT_FOUND, "starting psql: %s", strerror(errno));
    err_hint(err, "apt-get install postgresql-client");
    return rc;
}
