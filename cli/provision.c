// SPDX-License-Identifier: Apache-2.0
#include "cli/provision.h"

#include "cli/files.h"
#include "cli/vault_wait.h"
#include "common/store/owner.h"

void provision_password(char out[PROVISION_PASSWORD_SIZE])
{
    char token[STORE_TOKEN_SIZE];

    store_token_make(token);
    memcpy(out, token, PROVISION_PASSWORD_SIZE - 1);
    out[PROVISION_PASSWORD_SIZE - 1] = '\0';
}

struct warehouse_look {
    const char *host; /* where it should be */
    bool is_there;
};

static void look_at_warehouse(void *owner, const struct connection_row *connection)
{
    struct warehouse_look *look = owner;

    look->is_there |=
        str_is(connection->connection_id, "warehouse") && str_is(connection->host, look->host);
}

static int make_warehouse(struct vault_wait *vault, struct private_pg *pg,
                          void (*on_note)(const char *sentence), struct err *err)
{
    struct warehouse_look look = { .host = pg->run };
    char password[PROVISION_PASSWORD_SIZE];
    int rc = vault_wait_connections(vault, look_at_warehouse, &look, err);

    if (rc < 0 || look.is_there)
        return rc;
    provision_password(password);
    rc = private_pg_database(pg, "warehouse", password, err);
    if (rc < 0)
        return rc;
    struct connection_row row = {
        .connection_id = STR("warehouse"),
        .conn_type = STR("postgres"),
        .description =
            STR("a database for the results of tasks, in the private PostgreSQL of this home"),
        .host = str_of(pg->run),
        .port = 5432,
        .schema = STR("warehouse"),
        .login = STR("warehouse"),
        .password = str_of(password),
    };
    rc = vault_wait_put_connection(vault, &row, err);
    if (rc == 0)
        on_note("connection warehouse: a second database, for the results of tasks");
    return rc;
}

static int make_variable(struct vault_wait *vault, const char *key, const char *value,
                         const char *description, struct err *err)
{
    struct variable_row row = { .key = str_of(key),
                                .value = str_of(value),
                                .description = str_of(description) };

    return vault_wait_put_variable(vault, &row, err);
}

/* Beside an installed program, or in the source tree of one in build/PRESET/bin. */
static const char *find_examples(struct cli *cli)
{
    static const char *const places[] = { "../share/headrace/examples", "../../../examples" };

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = realpath(cli_program_path(cli->arena, places[i]), NULL);
        if (path != NULL) {
            const char *kept = str_copy(cli->arena, str_of(path)).bytes;
            free(path);
            return kept;
        }
    }
    return NULL;
}

int provision(struct cli *cli, const char *conninfo, struct private_pg *pg,
              void (*on_note)(const char *sentence), struct err *err)
{
    const char *examples = find_examples(cli);
    struct vault_wait *vault = NULL;
    int rc = folder_make(cli_home_path(cli, "data"), 0700, err);

    if (rc == 0)
        rc = vault_wait_open(&vault, conninfo, cli_home_path(cli, "secret.key"), err);
    if (rc == 0)
        rc = make_variable(vault, "data_folder", cli_home_path(cli, "data"),
                           "where examples keep their files", err);
    if (rc == 0 && examples != NULL)
        rc = make_variable(vault, "examples_folder", examples,
                           "the examples that came with this release", err);
    if (rc == 0 && pg != NULL)
        rc = make_warehouse(vault, pg, on_note, err);
    vault_wait_close(vault);
    return rc < 0 ? err_wrap(err, rc, "making what examples use") : 0;
}
