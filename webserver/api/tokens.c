// SPDX-License-Identifier: Apache-2.0
/* Personal tokens: made, listed, revoked. One's own under /tokens, somebody else's under
 * /users/{name}/tokens. */
#include "common/base/civil.h"
#include "common/store/access_store.h"
#include "common/text/json.h"
#include "webserver/api/access.h"
#include "webserver/api/handlers.h"

#include <sodium.h>

enum { DAYS_DEFAULT = 90, NAME_SIZE_MAX = 100, DAGS_MAX = 100 };

static struct str user_of(struct call *call)
{
    struct str name = http_param(call->request, "name");
    return name.bytes == NULL ? call->person.name : name;
}

/* The owner of the home is no account, though there may be one of that name. True after an answer.
 */
static bool refuse_nobody(struct call *call)
{
    bool is_nobody = call->person.user_no == 0 && http_param(call->request, "name").bytes == NULL;
    if (is_nobody)
        call_refuse(call, 409,
                    "the owner of the home is no account: make a token of one, by "
                    "/api/headrace/v1/users/NAME/tokens");
    return is_nobody;
}

void tokens_get(struct call *call)
{
    struct bind binds[] = { BIND_TEXT(user_of(call)), BIND_TEXT(STR_EMPTY) };
    if (!refuse_nobody(call))
        call_document(call, DOCUMENT_auth_tokens, binds, 2);
}

/* ---- making ---- */

struct making {
    struct new_token token;
    char secret[sizeof AUTH_TOKEN_PREFIX + STORE_TOKEN_SIZE];
};

/* {"id": 4, ...} -> {"token": "...", "id": 4, ...} */
static void on_row(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    const struct making *making = call->state;
    if (rc < 0)
        call_fail(call, rc, err);
    else
        call_json(call, 201,
                  str_format(call->arena, "{\"token\":\"%s\",%.*s", making->secret,
                             STR_ARG(str_slice(json, 1, json.size))));
}

static void on_put(void *owner, int rc, const struct err *err)
{
    struct call *call = owner;
    const struct new_token *token = &((struct making *)call->state)->token;
    struct bind binds[] = { BIND_TEXT(token->user), BIND_TEXT(token->name) };
    if (rc == ERR_EXISTS)
        call_refuse(call, 409, "%.*s has a token %.*s already", STR_ARG(token->user),
                    STR_ARG(token->name));
    else if (rc < 0)
        call_fail(call, rc, err);
    else
        document_read(call->api->options.store, DOCUMENT_auth_tokens, binds, 2, on_row, call);
}

/* Texts of a list of the body, at most `max`; NULL when there are none. */
static const struct str *texts_of(struct call *call, const char *name, uint32_t max,
                                  uint32_t *out_count)
{
    const struct value *list = body_list(call, name);
    *out_count = 0;
    if (list == NULL)
        return NULL;
    if (list->count > max)
        call_problem(call, "body", name, "too_long", "%u at most", max);
    struct str *texts = ARENA_ARRAY(call->arena, struct str, list->count);
    for (uint32_t i = 0; i < list->count && i < max; i++)
        texts[(*out_count)++] = value_text(list->items[i], STR_EMPTY);
    return texts;
}

/* What only looks. */
static const struct str *reading_rights(struct call *call, uint32_t *out_count)
{
    struct str *words = ARENA_ARRAY(call->arena, struct str, RIGHT_COUNT);
    *out_count = 0;
    for (int right = RIGHT_SIGNED_IN + 1; right < RIGHT_COUNT; right++)
        if (right == RIGHT_READ || str_ends(str_of(right_word((enum right)right)), ".read"))
            words[(*out_count)++] = str_of(right_word((enum right)right));
    return words;
}

static void read_rights(struct call *call, struct new_token *token)
{
    enum right right;
    token->rights = texts_of(call, "rights", RIGHT_COUNT, &token->right_count);
    for (uint32_t i = 0; i < token->right_count; i++)
        if (right_parse(token->rights[i], &right) < 0)
            call_problem(call, "body", "rights", "enum",
                         "there is no right %.*s: GET roles has all", STR_ARG(token->rights[i]));
    if (!body_bool(call, "read_only", false))
        return;
    if (token->right_count > 0)
        call_problem(call, "body", "read_only", "value_error",
                     "read_only is given, or rights, not both");
    token->rights = reading_rights(call, &token->right_count);
}

static void read_dags(struct call *call, struct new_token *token)
{
    token->dags = texts_of(call, "dags", DAGS_MAX, &token->dag_count);
    for (uint32_t i = 0; i < token->dag_count; i++)
        access_check_dags(call, token->dags[i]);
}

static void read_token(struct call *call, struct new_token *token)
{
    int64_t most = call->api->options.conf->api_token_lifetime_max_ms / MS_PER_DAY;
    *token = (struct new_token) { .user = user_of(call), .made_by = call->person.name };
    token->name = body_text(call, "name", STR_EMPTY);
    if (token->name.size == 0 || token->name.size > NAME_SIZE_MAX)
        call_problem(call, "body", "name", "value_error",
                     "a name of 1 to %d letters is needed, to know it by", NAME_SIZE_MAX);
    token->lifetime_ms = MS_PER_DAY * body_int(call, "expires_in_days", 1, most,
                                               most < DAYS_DEFAULT ? most : DAYS_DEFAULT);
    read_rights(call, token);
    read_dags(call, token);
}

void token_make(struct call *call)
{
    struct making *making = ARENA_NEW(call->arena, struct making);
    char random[STORE_TOKEN_SIZE];
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    read_token(call, &making->token);
    if (call_refuse_problems(call) || call_refuse_token(call) || refuse_nobody(call))
        return;
    store_token_make(random);
    snprintf(making->secret, sizeof making->secret, "%s%s", AUTH_TOKEN_PREFIX, random);
    store_token_hash(str_of(making->secret), hash);
    sodium_memzero(random, sizeof random);
    struct audit audit = access_audit(call, "create_token", making->token.user);
    call->state = making;
    token_put(call->api->options.store, hash, &making->token, &audit, on_put, call);
}

/* ---- revoking ---- */

void token_revoke(struct call *call)
{
    int64_t token_no = call_param_int(call, "token_id", 1, INT64_MAX);
    if (call_refuse_problems(call) || call_refuse_token(call) || refuse_nobody(call))
        return;
    struct audit audit = access_audit(call, "delete_token", user_of(call));
    token_delete(call->api->options.store, user_of(call), token_no, &audit, call_pass_empty, call);
}
