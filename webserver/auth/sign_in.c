// SPDX-License-Identifier: Apache-2.0
/* Signing in with a password, and the passwords of accounts. */
#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/session_store.h"
#include "common/store/user_store.h"
#include "webserver/auth/auth_inside.h"

#include <sodium.h>

enum { NAME_MAX_SIZE = 250, AGENT_MAX_SIZE = 200 };

static struct audit sign_in_audit(const struct signing *signing, bool allowed)
{
    return (struct audit) { .actor = signing->name,
                            .event = STR("sign_in"),
                            .map_index = AUDIT_NO_MAP_INDEX,
                            .allowed = allowed,
                            .address = str_of(signing->request->peer) };
}

void auth_record_refusal(const struct signing *signing, const char *why)
{
    struct audit audit = sign_in_audit(signing, false);
    audit_write(signing->auth->options.store, &audit, NULL, NULL);
    log_warn("sign_in_refused", LOG_STR("user", signing->name),
             LOG_STR("address", signing->request->peer), LOG_STR("why", why));
}

static void end_sign_in(struct signing *signing, int rc, int64_t retry_ms, const struct err *err)
{
    sodium_memzero((char *)signing->password.bytes, signing->password.size);
    if (signing->then != NULL)
        signing->then(signing, rc, err);
    else
        signing->on_end(signing->request, rc, &signing->in, retry_ms, err);
}

static void on_session_put(void *owner, int rc, const struct err *err)
{
    struct signing *signing = owner;
    if (rc == 0 && signing->how == SIGN_IN_BROWSER)
        auth_set_cookie(signing->auth, signing->request, COOKIE_SESSION, str_of(signing->token),
                        signing->auth->options.session_lifetime_ms / 1000);
    signing->in.token = str_of(signing->token);
    end_sign_in(signing, rc, 0, err);
}

void auth_open_session(struct signing *signing)
{
    const struct auth_options *options = &signing->auth->options;
    bool is_browser = signing->how == SIGN_IN_BROWSER;
    struct str agent = http_header(signing->request, "User-Agent");
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    store_token_make(signing->token);
    store_token_make(signing->csrf);
    store_token_hash(str_of(signing->token), hash);
    struct audit audit = sign_in_audit(signing, true);
    struct new_session session = {
        .user_no = signing->user_no,
        .csrf = is_browser ? str_of(signing->csrf) : STR_EMPTY,
        .name = is_browser ? STR("browser") : STR("/auth/token"),
        .address = str_of(signing->request->peer),
        .agent = str_clean(&signing->request->arena, str_cut(agent, AGENT_MAX_SIZE)),
        .lifetime_ms =
            signing->how == SIGN_IN_CLI ? options->cli_lifetime_ms : options->session_lifetime_ms,
        .id_token = signing->id_token,
    };
    session_put(options->store, hash, &session, options->sessions_max, &audit, on_session_put,
                signing);
}

static void refuse(struct signing *signing)
{
    struct err err = { 0 };
    int rc = err_set(&err, ERR_UNAUTHENTICATED, "the name or the password is wrong");
    auth_record_refusal(signing, err.sentence);
    end_sign_in(signing, rc, 0, &err);
}

static void on_password(void *owner, const struct hash_result *result)
{
    struct signing *signing = owner;
    struct auth *auth = signing->auth;
    if (!result->fits || signing->in.role == ROLE_NONE) {
        refuse(signing);
        return;
    }
    throttle_return(&auth->accounts, signing->name);
    throttle_return(&auth->addresses, http_client_key(signing->request));
    user_seen(auth->options.store, signing->user_no, result->new_hash);
    if (signing->how == SIGN_IN_PROVE)
        end_sign_in(signing, 0, 0, NULL);
    else
        auth_open_session(signing);
}

static void on_user(void *owner, int rc, const struct user_row *user, const struct err *err)
{
    struct signing *signing = owner;
    struct auth *auth = signing->auth;
    if (rc < 0 && rc != ERR_NOT_FOUND) {
        end_sign_in(signing, rc, 0, err);
        return;
    }
    bool is_usable = rc == 0 && user->is_active && user->password_hash.size > 0 &&
                     user->password_hash.size < STORE_PASSWORD_HASH_SIZE &&
                     role_parse(user->role, &signing->in.role) == 0;
    if (is_usable) {
        signing->user_no = user->user_no;
        signing->in.name = str_copy(&signing->request->arena, user->name);
    }
    if (!hasher_check(&auth->hasher, signing->password,
                      is_usable ? user->password_hash : str_of(auth->dummy_hash), on_password,
                      signing)) {
        struct err busy = { 0 };
        rc = err_set(&busy, ERR_TOO_MANY, "too many people are signing in at the moment");
        end_sign_in(signing, rc, 2000, &busy);
    }
}

static int64_t take(struct throttle *throttle, struct str key, struct err *err)
{
    int64_t wait_ms = throttle_take(throttle, key, loop_now_ms());
    if (wait_ms > 0)
        (void)err_set(err, ERR_TOO_MANY, "too many tries; wait %lld s",
                      (long long)(wait_ms + 999) / 1000);
    return wait_ms;
}

int64_t auth_throttle(struct auth *auth, struct http_request *request, struct err *err)
{
    return take(&auth->addresses, http_client_key(request), err);
}

void auth_sign_in(struct auth *auth, struct http_request *request, enum sign_in how,
                  struct str name, struct str password,
                  void (*on_end)(struct http_request *request, int rc, const struct signed_in *in,
                                 int64_t retry_ms, const struct err *err))
{
    struct signing *signing = ARENA_NEW(&request->arena, struct signing);
    *signing = (struct signing) { .auth = auth, .request = request, .how = how, .on_end = on_end };
    signing->name = str_copy(&request->arena, str_cut(name, NAME_MAX_SIZE));
    signing->password = str_copy(&request->arena, password);
    struct err err = { 0 };
    int64_t wait_ms = auth_throttle(auth, request, &err);
    if (wait_ms == 0)
        wait_ms = take(&auth->accounts, signing->name, &err);
    if (wait_ms > 0) {
        end_sign_in(signing, err.code, wait_ms, &err);
        return;
    }
    if (password.size > PASSWORD_MAX) /* nobody has one: it need not wait to be compared */
        refuse(signing);
    else
        user_read(auth->options.store, signing->name, on_user, signing);
}

/* ---- passwords of accounts ---- */

struct hashing {
    void *owner;
    void (*on_end)(void *owner, int rc, struct str hash, const struct err *err);
};

static void on_hash(void *owner, const struct hash_result *result)
{
    struct hashing hashing = *(struct hashing *)owner;
    free(owner);
    hashing.on_end(hashing.owner, result->rc, result->new_hash, result->err);
}

void auth_hash(struct auth *auth, struct str password, void *owner,
               void (*on_end)(void *owner, int rc, struct str hash, const struct err *err))
{
    struct hashing *hashing = calloc(1, sizeof *hashing);
    ASSERT(hashing != NULL);
    *hashing = (struct hashing) { owner, on_end };
    if (hasher_make(&auth->hasher, password, on_hash, hashing))
        return;
    struct err err = { 0 };
    free(hashing);
    int rc = err_set(&err, ERR_TOO_MANY, "too many passwords are being hashed at the moment");
    on_end(owner, rc, STR_EMPTY, &err);
}

bool auth_name_is_good(struct str name)
{
    if (name.size == 0 || name.size > 100 || !str_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.bytes[i] <= ' ' || name.bytes[i] == 0x7F ||
            strchr("/\\\"'<>,;", name.bytes[i]) != NULL)
            return false;
    return true;
}
