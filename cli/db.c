// SPDX-License-Identifier: Apache-2.0
/* headrace db ...: the metadata database itself, without a server. */
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/instance.h"
#include "cli/output.h"
#include "cli/private_pg.h"
#include "common/store/keyring.h"
#include "common/store/reseal.h"
#include "common/store/schema.h"
#include "common/store/seal.h"
#include "common/text/duration.h"

#include <errno.h>
#include <unistd.h>

enum { DAY_MS = 86400000, POSTGRES_GRACE_MS = 30000 };

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

/* Where nothing runs, the home's own PostgreSQL is started for this command: *out_pg is then to be
 * stopped, else it has no process. */
static int find_database(struct cli *cli, struct private_pg *out_pg, const char **out_conninfo,
                         struct err *err)
{
    struct conf_item item;
    bool is_private = conf_find(cli->conf, STR("database"), STR("conn"), &item, NULL) == 0 &&
                      item.origin == CONF_DEFAULT &&
                      file_exists(cli_home_path(cli, "postgres/data"));

    *out_conninfo = instance_database(cli);
    if (!is_private)
        return 0;
    int rc = private_pg_init(out_pg, cli->arena, cli->conf->home, err);
    if (rc < 0 || private_pg_find(out_pg)) {
        out_pg->process = (struct process) { 0 }; /* somebody else's to stop */
        return rc;
    }
    *out_conninfo = private_pg_conninfo(out_pg, "headrace");
    return private_pg_start(out_pg, err);
}

int cli_db_reset(struct cli *cli, struct err *err)
{
    struct private_pg pg = { 0 };
    const char *conninfo;
    int rc = cli_confirm(
        cli, err, "Empty the metadata database, with every run, variable, connection and user?");

    if (rc == 0)
        rc = find_database(cli, &pg, &conninfo, err);
    if (rc == 0)
        rc = store_schema_reset(conninfo, err);
    if (rc == 0)
        rc = store_migrate(conninfo, cli->conf->core_default_pool_slots, NULL, NULL, err);
    if (pg.process.pid > 0)
        private_pg_stop(&pg, POSTGRES_GRACE_MS);
    if (rc == 0)
        output_note(cli, "the database is empty and ready");
    return rc;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void on_part(void *owner, int64_t rows)
{
    (void)owner;
    fprintf(stderr, "%lld sealed anew\n", (long long)rows);
}

/* With what is left of a rotation that was stopped no new key is made. */
static int begin_rotation(struct cli *cli, const char *conninfo, const char *key_path,
                          struct err *err)
{
    struct seal *seal;
    int64_t stale = 0;
    int rc = seal_open(&seal, key_path, err);

    if (rc < 0)
        return rc;
    int32_t key_no = seal_key_no(seal);
    seal_free(seal);
    rc = store_stale_count(conninfo, key_no, &stale, err);
    if (rc == 0 && stale > 0)
        output_note(cli, "%lld values have an older key than key %d: they come first",
                    (long long)stale, key_no);
    else if (rc == 0)
        rc = keyring_change(key_path, KEYRING_ROTATE, err);
    return rc;
}

static int reseal(struct cli *cli, const char *conninfo, const char *key_path, struct err *err)
{
    struct resealed resealed;
    struct seal *seal;
    int rc = seal_open(&seal, key_path, err);

    if (rc < 0)
        return rc;
    rc = store_reseal(conninfo, seal, on_part, NULL, &resealed, err);
    if (rc == 0)
        output_note(cli, "everything is sealed with key %d, %lld of it now", seal_key_no(seal),
                    (long long)resealed.rows);
    seal_free(seal);
    if (rc < 0 || resealed.unreadable == 0)
        return rc;
    (void)err_set(err, ERR_CONFLICT, "%lld values do not open, the first is the %s",
                  (long long)resealed.unreadable, resealed.first);
    (void)err_hint(err, "put back the key file that they were sealed with, or set them anew");
    return ERR_CONFLICT;
}

int cli_db_rotate_key(struct cli *cli, struct err *err)
{
    const char *conninfo = instance_database(cli), *key_path = cli_home_path(cli, "secret.key");
    int rc = 0;

    if (!file_exists(key_path)) {
        (void)err_set(err, ERR_NOT_FOUND, "there is no %s", key_path);
        (void)err_hint(err, "run it where a scheduler runs");
        return ERR_NOT_FOUND;
    }
    if (cli_has(cli, "--prepare")) {
        rc = keyring_change(key_path, KEYRING_PREPARE, err);
        if (rc == 0)
            output_note(cli, "a new key stands in %s: copy it to the other schedulers", key_path);
        return rc;
    }
    if (!cli_has(cli, "--drop-old"))
        rc = begin_rotation(cli, conninfo, key_path, err);
    if (rc == 0)
        rc = reseal(cli, conninfo, key_path, err);
    if (rc == 0 && cli_has(cli, "--drop-old"))
        rc = keyring_change(key_path, KEYRING_DROP, err);
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
