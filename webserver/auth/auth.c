// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/auth.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/access_store.h"
#include "common/store/session_store.h"
#include "common/store/user_store.h"
#include "webserver/auth/hasher.h"
#include "webserver/auth/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_SIZE = 250, AGENT_MAX_SIZE = 200 };

/* A sign-in: five at once for an account, then one each 12 s; an address may stand for an office.
 */
enum { ACCOUNT_BURST = 5, ACCOUNT_EVERY_MS = 12000, ADDRESS_BURST = 30, ADDRESS_EVERY_MS = 2000 };

struct auth {
    struct loop *loop;
    struct auth_options options;
    uint8_t owner_hash[STORE_TOKEN_HASH_SIZE];
    char dummy_hash[STORE_PASSWORD_HASH_SIZE]; /* for accounts that are not there */
    struct throttle accounts, addresses;
    struct hasher hasher;
    void (*done)(void *owner);
    void *done_owner;
};

/* ---- opening ---- */

static int make_token_file(const char *path, char token[STORE_TOKEN_SIZE], struct err *err)
{
    store_token_make(token);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t size = strlen(token);
    bool is_written = fd >= 0 && write(fd, token, size) == (ssize_t)size && write(fd, "\n", 1) == 1;
    int reason = errno;
    if (fd >= 0)
        close(fd);
    return is_written ? 0 : err_set(err, ERR_IO, "making %s: %s", path, strerror(reason));
}

static int read_owner_token(struct auth *auth, struct err *err)
{
    char path[4096], token[STORE_TOKEN_SIZE + 64];
    snprintf(path, sizeof path, "%s/cli-token", auth->options.home);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        int rc = make_token_file(path, token, err);
        if (rc < 0)
            return rc;
        store_token_hash(str_of(token), auth->owner_hash);
        sodium_memzero(token, sizeof token);
        return 0;
    }
    ssize_t size = fd < 0 ? -1 : read(fd, token, sizeof token - 1);
    struct stat status;
    bool is_private =
        fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    if (fd >= 0)
        close(fd);
    if (size < 0)
        return err_set(err, ERR_IO, "reading %s: %s", path, strerror(errno));
    struct str text = str_trim((struct str) { token, (size_t)size });
    if (!is_private || text.size < STORE_TOKEN_SIZE - 1) {
        (void)err_set(err, ERR_INVALID, "%s %s", path,
                      is_private ? "holds no token" : "can be read by others");
        (void)err_hint(err, is_private ? "remove it: a new one is made" : "chmod 600 %s", path);
        return ERR_INVALID;
    }
    store_token_hash(text, auth->owner_hash);
    sodium_memzero(token, sizeof token);
    return 0;
}

int auth_open(struct auth **out, struct loop *loop, const struct auth_options *options,
              struct err *err)
{
    struct auth *auth = calloc(1, sizeof *auth);
    ASSERT(auth != NULL);
    ASSERT(sodium_init() >= 0);
    auth->loop = loop;
    auth->options = *options;
    int rc = read_owner_token(auth, err);
    if (rc == 0)
        rc = store_password_hash(STR("nobody has this password"), auth->dummy_hash, err);
    if (rc < 0) {
        free(auth);
        return err_wrap(err, rc, "opening sign-in");
    }
    hasher_open(&auth->hasher, loop);
    throttle_init(&auth->accounts, ACCOUNT_BURST, ACCOUNT_EVERY_MS);
    throttle_init(&auth->addresses, ADDRESS_BURST, ADDRESS_EVERY_MS);
    *out = auth;
    return 0;
}

static void on_closed(void *owner)
{
    struct auth *auth = owner;
    void (*done)(void *owner) = auth->done;
    void *done_owner = auth->done_owner;
    throttle_clear(&auth->accounts);
    throttle_clear(&auth->addresses);
    free(auth);
    if (done != NULL)
        done(done_owner);
}

void auth_close(struct auth *auth, void (*done)(void *owner), void *owner)
{
    auth->done = done;
    auth->done_owner = owner;
    hasher_close(&auth->hasher, on_closed, auth);
}

/* ---- who asks ---- */

struct checking {
    struct auth *auth;
    struct http_request *request;
    bool wants_browser;
    void (*on_end)(struct http_request *request, int rc, const struct person *person,
                   const struct err *err);
};

static const char *cookie_name(const struct auth *auth)
{
    return auth->options.is_tls ? "__Host-headrace" : "headrace_session";
}

/* The secret that came along; *out_is_browser says how. Empty when none did. */
static struct str secret_of(const struct auth *auth, const struct http_request *request,
                            bool *out_is_browser)
{
    struct str header = http_header(request, "Authorization");
    *out_is_browser = false;
    if (header.size > 7 && strncasecmp(header.bytes, "Bearer ", 7) == 0)
        return str_trim(str_slice(header, 7, header.size));
    struct str cookie = http_cookie(request, cookie_name(auth));
    *out_is_browser = true;
    return cookie.bytes == NULL ? STR_EMPTY : cookie;
}

/* Frees `checking`. `err` is asked for when rc < 0. */
static void end_check(struct checking *checking, int rc, const struct person *person,
                      const struct err *err)
{
    struct err refusal = { 0 };
    if (rc == ERR_NOT_FOUND) {
        rc = err_set(&refusal, ERR_UNAUTHENTICATED,
                     "the session or token is not known here, or is over");
        err = &refusal;
    }
    struct checking ended = *checking;
    free(checking);
    ended.on_end(ended.request, rc, rc < 0 ? NULL : person, err);
}

static void on_session(void *owner, int rc, const struct session_row *row, const struct err *err)
{
    struct checking *checking = owner;
    struct person person = { .rights = RIGHTS_ALL };
    if (rc == 0 &&
        (row->is_browser != checking->wants_browser || role_parse(row->role, &person.role) < 0))
        rc = ERR_NOT_FOUND;
    if (rc == 0) {
        person.user_no = row->user_no;
        person.name = str_copy(&checking->request->arena, row->name);
        person.csrf = str_copy(&checking->request->arena, row->csrf);
        person.is_browser = row->is_browser;
    }
    end_check(checking, rc, &person, err);
}

/* What a token of a later release is held to and we do not know is held to nothing we have. */
static rights_set held_to(const struct token_row *row)
{
    rights_set held = row->right_count == 0 ? RIGHTS_ALL : 0;
    for (uint32_t i = 0; i < row->right_count; i++) {
        enum right right;
        if (right_parse(row->rights[i], &right) == 0)
            held |= (rights_set)1 << right;
    }
    return held | (rights_set)1 << RIGHT_SIGNED_IN;
}

static void on_token(void *owner, int rc, const struct token_row *row, const struct err *err)
{
    struct checking *checking = owner;
    struct arena *arena = &checking->request->arena;
    struct person person = { .is_token = true, .csrf = STR_EMPTY };
    if (rc == 0 && role_parse(row->role, &person.role) < 0)
        rc = ERR_NOT_FOUND;
    if (rc == 0) {
        struct str *dags = ARENA_ARRAY(arena, struct str, row->dag_count);
        for (uint32_t i = 0; i < row->dag_count; i++)
            dags[i] = str_copy(arena, row->dags[i]);
        person.user_no = row->user_no;
        person.name = str_copy(arena, row->name);
        person.rights = held_to(row);
        person.dags = dags;
        person.dag_count = row->dag_count;
    }
    end_check(checking, rc, &person, err);
}

void auth_check(struct auth *auth, struct http_request *request,
                void (*on_end)(struct http_request *request, int rc, const struct person *person,
                               const struct err *err))
{
    bool is_browser;
    struct str secret = secret_of(auth, request, &is_browser);
    struct err err = { 0 };
    if (secret.size == 0) {
        int rc = err_set(&err, ERR_UNAUTHENTICATED,
                         "sign in first: a token from POST /auth/token, or a session");
        on_end(request, rc, NULL, &err);
        return;
    }
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    store_token_hash(secret, hash);
    if (!is_browser && sodium_memcmp(hash, auth->owner_hash, sizeof hash) == 0) {
        struct person owner = {
            .name = STR("owner"), .role = ROLE_ADMIN, .rights = RIGHTS_ALL, .csrf = STR_EMPTY
        };
        on_end(request, 0, &owner, NULL);
        return;
    }
    struct checking *checking = calloc(1, sizeof *checking);
    ASSERT(checking != NULL);
    *checking = (struct checking) { auth, request, is_browser, on_end };
    if (!is_browser && str_starts(secret, AUTH_TOKEN_PREFIX))
        token_read(auth->options.store, hash, on_token, checking);
    else
        session_read(auth->options.store, hash, auth->options.session_idle_ms, on_session,
                     checking);
}

struct str auth_secret_hash(const struct auth *auth, struct http_request *request)
{
    bool is_browser;
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    char *hex = arena_alloc(&request->arena, 2 * sizeof hash + 1);
    store_token_hash(secret_of(auth, request, &is_browser), hash);
    return str_of(sodium_bin2hex(hex, 2 * sizeof hash + 1, hash, sizeof hash));
}

enum role person_role(const struct person *person)
{
    return person->dag_count > 0 ? ROLE_PUBLIC : person->role;
}

bool person_may(const struct person *person, enum role role, enum right right)
{
    return role_has(role, right) && (person->rights >> right & 1) != 0;
}

int auth_check_csrf(const struct http_request *request, const struct person *person,
                    struct err *err)
{
    bool changes = request->verb != VERB_GET && request->verb != VERB_HEAD;
    if (!changes || !person->is_browser)
        return 0;
    struct str site = http_header(request, "Sec-Fetch-Site");
    struct str token = http_header(request, "X-Headrace-CSRF");
    bool is_ours = site.bytes == NULL || str_is(site, "same-origin");
    bool fits = token.size == person->csrf.size && token.size > 0 &&
                sodium_memcmp(token.bytes, person->csrf.bytes, token.size) == 0;
    if (is_ours && fits)
        return 0;
    return err_set(
        err, ERR_FORBIDDEN,
        "the request did not come from Headrace's own pages: X-Headrace-CSRF is missing or wrong");
}

/* ---- signing in ---- */

struct signing {
    struct auth *auth;
    struct http_request *request;
    enum sign_in how;
    struct str name, password; /* in the request's arena */
    int32_t user_no;
    struct signed_in in;
    char token[STORE_TOKEN_SIZE], csrf[STORE_TOKEN_SIZE];
    void (*on_end)(struct http_request *request, int rc, const struct signed_in *in,
                   int64_t retry_ms, const struct err *err);
};

static struct audit sign_in_audit(const struct signing *signing, bool allowed)
{
    return (struct audit) { .actor = signing->name,
                            .event = STR("sign_in"),
                            .map_index = AUDIT_NO_MAP_INDEX,
                            .allowed = allowed,
                            .address = str_of(signing->request->peer) };
}

static void end_sign_in(struct signing *signing, int rc, int64_t retry_ms, const struct err *err)
{
    sodium_memzero((char *)signing->password.bytes, signing->password.size);
    signing->on_end(signing->request, rc, &signing->in, retry_ms, err);
}

static void set_cookie(struct signing *signing)
{
    struct http_request *request = signing->request;
    const struct auth *auth = signing->auth;
    http_set_header(request, "Set-Cookie",
                    str_format(&request->arena,
                               "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
                               cookie_name(auth), signing->token,
                               (long long)(auth->options.session_lifetime_ms / 1000),
                               auth->options.is_tls ? "; Secure" : ""));
}

static void on_session_put(void *owner, int rc, const struct err *err)
{
    struct signing *signing = owner;
    if (rc == 0 && signing->how == SIGN_IN_BROWSER)
        set_cookie(signing);
    signing->in.token = str_of(signing->token);
    end_sign_in(signing, rc, 0, err);
}

static void open_session(struct signing *signing)
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
    };
    session_put(options->store, hash, &session, options->sessions_max, &audit, on_session_put,
                signing);
}

static void on_password(void *owner, const struct hash_result *result)
{
    struct signing *signing = owner;
    struct auth *auth = signing->auth;
    if (!result->fits || signing->in.role == ROLE_NONE) {
        struct err err = { 0 };
        struct audit audit = sign_in_audit(signing, false);
        audit_write(auth->options.store, &audit, NULL, NULL);
        log_warn("sign_in_refused", LOG_STR("user", signing->name),
                 LOG_STR("address", signing->request->peer));
        int rc = err_set(&err, ERR_UNAUTHENTICATED, "the name or the password is wrong");
        end_sign_in(signing, rc, 0, &err);
        return;
    }
    throttle_return(&auth->accounts, signing->name);
    throttle_return(&auth->addresses, str_of(signing->request->peer));
    user_seen(auth->options.store, signing->user_no, result->new_hash);
    if (signing->how == SIGN_IN_PROVE)
        end_sign_in(signing, 0, 0, NULL);
    else
        open_session(signing);
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

void auth_sign_in(struct auth *auth, struct http_request *request, enum sign_in how,
                  struct str name, struct str password,
                  void (*on_end)(struct http_request *request, int rc, const struct signed_in *in,
                                 int64_t retry_ms, const struct err *err))
{
    struct signing *signing = ARENA_NEW(&request->arena, struct signing);
    *signing = (struct signing) { .auth = auth, .request = request, .how = how, .on_end = on_end };
    signing->name = str_copy(&request->arena, str_slice(name, 0, NAME_MAX_SIZE));
    signing->password = str_copy(&request->arena, password);
    int64_t now_ms = loop_now_ms();
    int64_t wait_ms = throttle_take(&auth->addresses, str_of(request->peer), now_ms);
    if (wait_ms == 0)
        wait_ms = throttle_take(&auth->accounts, signing->name, now_ms);
    if (wait_ms > 0) {
        struct err err = { 0 };
        int rc = err_set(&err, ERR_TOO_MANY, "too many tries; wait %lld s",
                         (long long)(wait_ms + 999) / 1000);
        end_sign_in(signing, rc, wait_ms, &err);
        return;
    }
    user_read(auth->options.store, signing->name, on_user, signing);
}

/* ---- signing out ---- */

struct leaving {
    struct http_request *request;
    void (*on_end)(struct http_request *request, int rc, const struct err *err);
};

static void on_left(void *owner, int rc, const struct err *err)
{
    struct leaving *leaving = owner;
    leaving->on_end(leaving->request, rc, err);
}

void auth_sign_out(struct auth *auth, struct http_request *request, const struct person *person,
                   void (*on_end)(struct http_request *request, int rc, const struct err *err))
{
    bool is_browser;
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    struct str secret = secret_of(auth, request, &is_browser);
    store_token_hash(secret, hash);
    struct leaving *leaving = ARENA_NEW(&request->arena, struct leaving);
    *leaving = (struct leaving) { request, on_end };
    http_set_header(request, "Set-Cookie",
                    str_format(&request->arena,
                               "%s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0%s",
                               cookie_name(auth), auth->options.is_tls ? "; Secure" : ""));
    struct audit audit = { .actor = person->name,
                           .event = STR("sign_out"),
                           .map_index = AUDIT_NO_MAP_INDEX,
                           .allowed = true,
                           .address = str_of(request->peer) };
    session_delete(auth->options.store, hash, &audit, on_left, leaving);
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

int auth_check_password(struct str password, struct err *err)
{
    if (password.size < PASSWORD_MIN || password.size > PASSWORD_MAX)
        return err_set(err, ERR_UNPROCESSABLE, "a password has %d letters at least", PASSWORD_MIN);
    return 0;
}
