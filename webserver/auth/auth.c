// SPDX-License-Identifier: Apache-2.0
#include "common/base/assert.h"
#include "common/file/file.h"
#include "common/log/log.h"
#include "common/store/access_store.h"
#include "common/store/session_store.h"
#include "webserver/auth/auth_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sign-in: five at once for an account, then one each 12 s; an address may stand for an office.
 */
enum { ACCOUNT_BURST = 5, ACCOUNT_EVERY_MS = 12000, ADDRESS_BURST = 30, ADDRESS_EVERY_MS = 2000 };

/* ---- opening ---- */

/* Another web server of this home may be making one: the first stays. */
static int make_token_file(const char *path, struct err *err)
{
    char token[STORE_TOKEN_SIZE], line[STORE_TOKEN_SIZE + 1];
    store_token_make(token);
    int size = snprintf(line, sizeof line, "%s\n", token);
    int rc = file_save(path, 0600, (struct str) { line, (size_t)size }, FILE_KEEP, err);
    sodium_memzero(token, sizeof token);
    sodium_memzero(line, sizeof line);
    return rc;
}

static int read_owner_token(struct auth *auth, struct err *err)
{
    char path[4096], token[STORE_TOKEN_SIZE + 64];
    snprintf(path, sizeof path, "%s/cli-token", auth->options.home);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        int rc = make_token_file(path, err);
        if (rc < 0)
            return rc;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
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
    if (rc == 0 && options->oidc != NULL)
        rc = oidc_open(&auth->oidc, loop, options->oidc, err);
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

static void on_part_closed(void *owner)
{
    struct auth *auth = owner;
    if (--auth->open_parts > 0)
        return;
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
    auth->open_parts = auth->oidc == NULL ? 1 : 2;
    hasher_close(&auth->hasher, on_part_closed, auth);
    if (auth->oidc != NULL)
        oidc_close(auth->oidc, on_part_closed, auth);
}

/* ---- who asks ---- */

struct checking {
    struct auth *auth;
    struct http_request *request;
    bool wants_browser;
    void (*on_end)(struct http_request *request, int rc, const struct person *person,
                   const struct err *err);
};

/* The secret that came along; *out_is_browser says how. Empty when none did. */
static struct str secret_of(const struct auth *auth, struct http_request *request,
                            bool *out_is_browser)
{
    struct str header = http_header(request, "Authorization");
    *out_is_browser = false;
    if (header.size > 7 && strncasecmp(header.bytes, "Bearer ", 7) == 0)
        return str_trim(str_slice(header, 7, header.size));
    struct str cookie = http_cookie(request, auth_session_cookie(auth));
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

/* ---- signing out ---- */

struct leaving {
    struct auth *auth;
    struct http_request *request;
    void (*on_end)(struct http_request *request, int rc, struct str url, const struct err *err);
};

/* Here they have signed out, whatever the provider says. */
static void on_leaving_url(void *owner, int rc, struct str url, const struct err *err)
{
    struct leaving *leaving = owner;
    if (rc < 0)
        log_warn("oidc_failed", LOG_STR("why", err->sentence));
    leaving->on_end(leaving->request, 0, rc < 0 ? STR_EMPTY : url, NULL);
}

static void on_left(void *owner, int rc, struct str id_token, const struct err *err)
{
    struct leaving *leaving = owner;
    if (rc == 0 && id_token.size > 0 && leaving->auth->oidc != NULL)
        oidc_leave(leaving->auth->oidc, id_token, on_leaving_url, leaving);
    else
        leaving->on_end(leaving->request, rc, STR_EMPTY, err);
}

void auth_sign_out(struct auth *auth, struct http_request *request, const struct person *person,
                   void (*on_end)(struct http_request *request, int rc, struct str url,
                                  const struct err *err))
{
    bool is_browser;
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    struct str secret = secret_of(auth, request, &is_browser);
    store_token_hash(secret, hash);
    struct leaving *leaving = ARENA_NEW(&request->arena, struct leaving);
    *leaving = (struct leaving) { auth, request, on_end };
    auth_set_cookie(auth, request, COOKIE_SESSION, STR_EMPTY, 0);
    struct audit audit = { .actor = person->name,
                           .event = STR("sign_out"),
                           .map_index = AUDIT_NO_MAP_INDEX,
                           .allowed = true,
                           .address = str_of(request->peer) };
    session_delete(auth->options.store, hash, &audit, on_left, leaving);
}
