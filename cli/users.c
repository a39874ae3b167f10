// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/output.h"
#include "common/store/owner.h"

enum { PASSWORD_LETTERS = 16 };

int cli_users_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "username", "NAME", CELL_TEXT },           { "role", "ROLE", CELL_TEXT },
        { "disabled", "DISABLED", CELL_TEXT },       { "created_at", "CREATED", CELL_TIME },
        { "last_login_at", "LAST_SEEN", CELL_TIME },
    };
    const struct value *answer;
    int rc = client_get(cli, STR("/api/headrace/v1/users"), &answer, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, value_get(answer, "users"));
    return rc;
}

/* The one that was given (- is standard input), or a new one. */
static int choose_password(struct cli *cli, struct str *out, bool *out_is_new, struct err *err)
{
    char token[STORE_TOKEN_SIZE];
    int rc = 0;

    *out_is_new = !cli_has(cli, "--password");
    *out = cli_arg(cli, "--password");
    if (*out_is_new) {
        store_token_make(token);
        *out = str_copy(cli->arena, (struct str) { token, PASSWORD_LETTERS });
    } else if (str_is(*out, "-")) {
        rc = file_read(cli->arena, "-", out, err);
        *out = str_trim(*out);
    }
    return rc;
}

int cli_users_create(struct cli *cli, struct err *err)
{
    struct arena *arena = cli->arena;
    struct value *body = value_map(arena);
    struct str password, name = cli_arg(cli, cli_has(cli, "--username") ? "--username" : "NAME");
    bool is_new;
    int rc = choose_password(cli, &password, &is_new, err);

    if (rc < 0)
        return rc;
    if (name.size == 0)
        return cli_wrong_use(cli, err, "NAME is missing");
    value_put(arena, body, STR("username"), value_string(arena, name));
    value_put(arena, body, STR("password"), value_string(arena, password));
    value_put(arena, body, STR("role"),
              value_string(arena, cli_has(cli, "--role") ? cli_arg(cli, "--role") : STR("Viewer")));
    if (cli_has(cli, "--email"))
        value_put(arena, body, STR("email"), value_string(arena, cli_arg(cli, "--email")));
    rc = client_call(cli, "POST", STR("/api/headrace/v1/users"), body, NULL, err);
    if (rc == 0)
        output_note(cli, "user %.*s is made", STR_ARG(name));
    if (rc == 0 && is_new)
        printf("%.*s\n", STR_ARG(password));
    return rc;
}

int cli_users_set(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    struct str name = cli_arg(cli, "NAME");

    if (cli_has(cli, "--disable") && cli_has(cli, "--enable"))
        return cli_wrong_use(cli, err, "--disable and --enable are opposites");
    if (cli_has(cli, "--role"))
        value_put(cli->arena, body, STR("role"), value_string(cli->arena, cli_arg(cli, "--role")));
    if (cli_has(cli, "--email"))
        value_put(cli->arena, body, STR("email"),
                  value_string(cli->arena, cli_arg(cli, "--email")));
    if (cli_has(cli, "--disable") || cli_has(cli, "--enable"))
        value_put(cli->arena, body, STR("disabled"),
                  value_bool(cli->arena, cli_has(cli, "--disable")));
    int rc = client_call(cli, "PATCH", client_path(cli, "/api/headrace/v1/users/%s", name), body,
                         NULL, err);
    if (rc == 0)
        output_note(cli, "user %.*s is changed", STR_ARG(name));
    return rc;
}

int cli_users_delete(struct cli *cli, struct err *err)
{
    struct str name = cli_arg(cli, "NAME");
    int rc = cli_confirm(cli, err, "Remove the account %.*s?", STR_ARG(name));

    if (rc == 0)
        rc = client_call(cli, "DELETE", client_path(cli, "/api/headrace/v1/users/%s", name), NULL,
                         NULL, err);
    if (rc == 0)
        output_note(cli, "user %.*s is deleted", STR_ARG(name));
    return rc;
}

int cli_users_reset_password(struct cli *cli, struct err *err)
{
    struct value *body = value_map(cli->arena);
    struct str password,
        path = client_path(cli, "/api/headrace/v1/users/%s/password", cli_arg(cli, "NAME"));
    bool is_new;
    int rc = choose_password(cli, &password, &is_new, err);

    if (rc < 0)
        return rc;
    value_put(cli->arena, body, STR("password"), value_string(cli->arena, password));
    rc = client_call(cli, "POST", path, body, NULL, err);
    if (rc == 0)
        output_note(cli, "%.*s has a new password; sessions with the old one are ended",
                    STR_ARG(cli_arg(cli, "NAME")));
    if (rc == 0 && is_new)
        printf("%.*s\n", STR_ARG(password));
    return rc;
}
