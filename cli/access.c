// SPDX-License-Identifier: Apache-2.0
/* Who may do what: personal tokens, grants on DAGs, roles, and the check of the audit log. */
#include "cli/client.h"
#include "cli/handlers.h"
#include "cli/output.h"

/* PART_ROWS: of the audit log, in a request. */
enum { DAYS_MAX = 3650, PART_ROWS = 20000 };

/* ---- tokens ---- */

/* Of --user, or of whoever this command acts for. */
static struct str tokens_path(struct cli *cli)
{
    return cli_has(cli, "--user")
               ? client_path(cli, "/api/headrace/v1/users/%s/tokens", cli_arg(cli, "--user"))
               : STR("/api/headrace/v1/tokens");
}

int cli_tokens_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "id", "ID", CELL_TEXT },
        { "name", "NAME", CELL_TEXT },
        { "rights", "RIGHTS", CELL_TEXT },
        { "dags", "DAGS", CELL_TEXT },
        { "created_at", "CREATED", CELL_TIME },
        { "last_used_at", "LAST_USED", CELL_TIME },
        { "expires_at", "EXPIRES", CELL_TIME },
    };
    const struct value *answer;
    int rc = client_get(cli, tokens_path(cli), &answer, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, value_get(answer, "tokens"));
    return rc;
}

static void put_texts(struct cli *cli, struct value *body, const char *key, const char *option)
{
    struct value *list = value_list(cli->arena);
    const struct arg *arg;

    for (uint32_t i = 0; (arg = args_nth(&cli->args, option, i)) != NULL; i++)
        value_add(cli->arena, list, value_string(cli->arena, arg->value));
    if (list->count > 0)
        value_put(cli->arena, body, str_of(key), list);
}

int cli_tokens_create(struct cli *cli, struct err *err)
{
    struct arena *arena = cli->arena;
    struct value *body = value_map(arena);
    struct reply reply;
    int64_t days;
    int rc = cli_number(cli, "--days", 1, DAYS_MAX, 0, &days, err);

    if (rc < 0)
        return rc;
    value_put(arena, body, STR("name"), value_string(arena, cli_arg(cli, "NAME")));
    if (days > 0)
        value_put(arena, body, STR("expires_in_days"), value_int(arena, days));
    if (cli_has(cli, "--read-only"))
        value_put(arena, body, STR("read_only"), value_bool(arena, true));
    put_texts(cli, body, "rights", "--right");
    put_texts(cli, body, "dags", "--dag");
    rc = client_call(cli, "POST", tokens_path(cli), body, &reply, err);
    if (rc < 0)
        return rc;
    output_note(cli, "this is the token; it is not shown again");
    struct str token = value_text(value_get(reply.body, "token"), STR_EMPTY);
    printf("%.*s\n", STR_ARG(token));
    return 0;
}

int cli_tokens_revoke(struct cli *cli, struct err *err)
{
    struct str id = cli_arg(cli, "ID");
    struct str path = str_format(cli->arena, "%.*s/%.*s", STR_ARG(tokens_path(cli)),
                                 STR_ARG(client_encode(cli->arena, id)));
    int rc = client_call(cli, "DELETE", path, NULL, NULL, err);

    if (rc == 0)
        output_note(cli, "token %.*s is revoked", STR_ARG(id));
    return rc;
}

/* ---- grants and roles ---- */

int cli_grants_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "id", "ID", CELL_TEXT },
        { "username", "USER", CELL_TEXT },
        { "role", "ROLE", CELL_TEXT },
        { "dags", "DAGS", CELL_TEXT },
        { "level", "LEVEL", CELL_TEXT },
        { "created_by", "BY", CELL_TEXT },
        { "created_at", "CREATED", CELL_TIME },
    };
    const struct value *answer;
    int rc = client_get(cli, STR("/api/headrace/v1/grants"), &answer, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, value_get(answer, "grants"));
    return rc;
}

int cli_grants_add(struct cli *cli, struct err *err)
{
    struct arena *arena = cli->arena;
    struct value *body = value_map(arena);
    struct str dags = cli_arg(cli, "DAGS"), level = cli_arg(cli, "LEVEL");

    if (cli_has(cli, "--user") == cli_has(cli, "--role"))
        return cli_wrong_use(cli, err, "a grant is for --user NAME or for --role ROLE");
    value_put(arena, body, STR("dags"), value_string(arena, dags));
    value_put(arena, body, STR("level"), value_string(arena, level));
    if (cli_has(cli, "--user"))
        value_put(arena, body, STR("username"), value_string(arena, cli_arg(cli, "--user")));
    else
        value_put(arena, body, STR("role"), value_string(arena, cli_arg(cli, "--role")));
    int rc = client_call(cli, "POST", STR("/api/headrace/v1/grants"), body, NULL, err);
    if (rc == 0)
        output_note(cli, "%.*s on %.*s is granted", STR_ARG(level), STR_ARG(dags));
    return rc;
}

int cli_grants_remove(struct cli *cli, struct err *err)
{
    struct str id = cli_arg(cli, "ID");
    int rc = client_call(cli, "DELETE", client_path(cli, "/api/headrace/v1/grants/%s", id), NULL,
                         NULL, err);

    if (rc == 0)
        output_note(cli, "grant %.*s is taken back", STR_ARG(id));
    return rc;
}

int cli_roles_list(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "role", "ROLE", CELL_TEXT },
        { "rights", "RIGHTS", CELL_TEXT },
    };
    const struct value *answer;
    int rc = client_get(cli, STR("/api/headrace/v1/roles"), &answer, err);

    if (rc == 0)
        OUTPUT_ROWS(cli, columns, value_get(answer, "roles"));
    return rc;
}

/* ---- the audit log ---- */

/* The part from row `from` on; 0: the first. */
static struct str verify_path(struct cli *cli, int64_t from)
{
    struct str rest = cli_arg(cli, "--expect"), id = STR_EMPTY;
    struct str path = str_format(cli->arena, "/api/headrace/v1/audit/verify?limit=%d", PART_ROWS);

    if (from > 0)
        path = str_format(cli->arena, "%.*s&from=%lld", STR_ARG(path), (long long)from);
    if (!cli_has(cli, "--expect"))
        return path;
    (void)str_split(&rest, ':', &id);
    return str_format(cli->arena, "%.*s&id=%.*s&hash=%.*s", STR_ARG(path),
                      STR_ARG(client_encode(cli->arena, id)),
                      STR_ARG(client_encode(cli->arena, rest.bytes == NULL ? STR_EMPTY : rest)));
}

static int check_part(const struct value *part, struct err *err)
{
    if (!value_boolean(value_get(part, "noted_is_there"), true))
        return err_set(err, ERR_CONFLICT,
                       "the row of --expect is gone, or is another: rows were cut "
                       "off or written anew");
    if (!value_boolean(value_get(part, "ok"), false))
        return err_set(err, ERR_CONFLICT,
                       "the audit log was changed: row %lld does not follow from the one before it",
                       (long long)value_integer(value_get(part, "broken_at"), 0));
    return 0;
}

int cli_audit_verify(struct cli *cli, struct err *err)
{
    const struct value *part;
    int64_t next = 0, rows = 0;

    do {
        int rc = client_get(cli, verify_path(cli, next), &part, err);
        if (rc == 0)
            rc = check_part(part, err);
        if (rc < 0)
            return rc;
        rows += value_integer(value_get(part, "rows"), 0);
        next = value_integer(value_get(part, "next"), 0);
        if (next > 0)
            output_note(cli, "%lld rows are as they were written; going on with row %lld",
                        (long long)rows, (long long)next);
    } while (next > 0);
    const struct value *head = value_get(part, "head");
    struct str hash = value_text(value_get(head, "hash"), STR_EMPTY);
    output_note(cli, "%lld rows, each follows from the one before it; --expect checks this later:",
                (long long)rows);
    printf("%lld:%.*s\n", (long long)value_integer(value_get(head, "id"), 0), STR_ARG(hash));
    return 0;
}
