// SPDX-License-Identifier: Apache-2.0
#include "cli/provision.h"

#include "cli/client.h"
#include "cli/files.h"
#include "common/store/owner.h"

void provision_password(char out[PROVISION_PASSWORD_SIZE])
{
    char token[STORE_TOKEN_SIZE];

    store_token_make(token);
    memcpy(out, token, PROVISION_PASSWORD_SIZE - 1);
    out[PROVISION_PASSWORD_SIZE - 1] = '\0';
}

static void put(struct cli *cli, struct value *body, const char *key, const char *text)
{
    value_put(cli->arena, body, str_of(key), value_string(cli->arena, str_of(text)));
}

static int make_warehouse(struct cli *cli, struct private_pg *pg,
                          void (*on_note)(const char *sentence), struct err *err)
{
    static const char path[] = "/api/v2/connections/warehouse";
    struct value *body = value_map(cli->arena);
    const struct value *there;
    char password[PROVISION_PASSWORD_SIZE];
    int rc = client_get(cli, str_of(path), &there, err);

    if (rc == 0 && str_is(value_text(value_get(there, "host"), STR_EMPTY), pg->run))
        return 0;
    if (rc < 0 && rc != ERR_NOT_FOUND)
        return err_wrap(err, rc, "looking for the connection warehouse");
    bool is_new = rc == ERR_NOT_FOUND;
    provision_password(password);
    rc = private_pg_database(pg, "warehouse", password, err);
    if (rc < 0)
        return rc;
    put(cli, body, "connection_id", "warehouse");
    put(cli, body, "conn_type", "postgres");
    put(cli, body, "host", pg->run);
    value_put(cli->arena, body, STR("port"), value_int(cli->arena, 5432));
    put(cli, body, "schema", "warehouse");
    put(cli, body, "login", "warehouse");
    put(cli, body, "password", password);
    put(cli, body, "description",
        "a database for the results of tasks, in the private PostgreSQL of this home");
    rc = client_call(cli, is_new ? "POST" : "PATCH",
                     is_new ? STR("/api/v2/connections") : str_of(path), body, NULL, err);
    if (rc < 0)
        return err_wrap(err, rc, "making the connection warehouse");
    on_note("connection warehouse: a second database, for the results of tasks");
    return 0;
}

static int make_variable(struct cli *cli, const char *key, const char *value,
                         const char *description, struct err *err)
{
    struct value *body = value_map(cli->arena);
    const struct value *there;
    struct str path = client_path(cli, "/api/v2/variables/%s", str_of(key));
    int rc = client_get(cli, path, &there, err);

    if (rc == 0 && str_is(value_text(value_get(there, "value"), STR_EMPTY), value))
        return 0;
    put(cli, body, "key", key);
    put(cli, body, "value", value);
    put(cli, body, "description", description);
    if (rc == 0)
        rc = client_call(cli, "PATCH", path, body, NULL, err);
    else if (rc == ERR_NOT_FOUND)
        rc = client_call(cli, "POST", STR("/api/v2/variables"), body, NULL, err);
    return rc < 0 ? err_wrap(err, rc, "making the variable %s", key) : 0;
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

int provision(struct cli *cli, struct private_pg *pg, void (*on_note)(const char *sentence),
              struct err *err)
{
    const char *examples = find_examples(cli);
    int rc = folder_make(cli_home_path(cli, "data"), 0700, err);

    if (rc == 0)
        rc = make_variable(cli, "data_folder", cli_home_path(cli, "data"),
                           "where examples keep their files", err);
    if (rc == 0 && examples != NULL)
        rc = make_variable(cli, "examples_folder", examples,
                           "the examples that came with this release", err);
    if (rc == 0 && pg != NULL)
        rc = make_warehouse(cli, pg, on_note, err);
    return rc;
}
