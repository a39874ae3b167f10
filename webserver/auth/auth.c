// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/auth.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/loop/work.h"
#include "common/store/session_store.h"
#include "common/store/user_store.h"
#include "webserver/auth/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HASHES_AT_ONCE = 2,
    HASHES_WAITING = 32,
    PASSWORD_MIN = 8,
    PASSWORD_MAX = 1024,
    NAME_MAX_SIZE = 250
};

/* A sign-in: five at once for an account, then one each 12 s; an address may stand for an office.
 */
enum { ACCOUNT_BURST = 5, ACCOUNT_EVERY_MS = 12000, ADDRESS_BURST = 30, ADDRESS_EVERY_MS = 2000 };

struct job;

struct auth {
    struct loop *loop;
    struct auth_options options;
    uint8_t owner_hash[STORE_TOKEN_HASH_SIZE];
    char dummy_hash[STORE_PASSWORD_HASH_SIZE]; /* for accounts that are not there */
    struct throttle accounts, addresses;
    struct job *first, *last; /* waiting for a thread */
    uint32_t waiting, running;
    bool is_closing;
    struct defer closed;
    void (*done)(void *owner);
    void *done_owner;
};

/* ---- hashing, off the loop ---- */

struct job {
    struct work work;
    struct job *next;
    struct auth *auth;
    char password[PASSWORD_MAX + 1];
    size_t password_size;
    char hash[STORE_PASSWORD_HASH_SIZE]; /* to check; empty: make one */
    bool fits;
    int rc;
    struct err err;
    char new_hash[STORE_PASSWORD_HASH_SIZE];
    void *owner;
    void (*on_end)(struct job *job);
};

static void run_job(struct work *work)
{
    struct job *job = work->owner;
    struct str password = { job->password, job->password_size };
    if (job->hash[0] == 0) {
        job->rc = store_password_hash(password, job->new_hash, &job->err);
        return;
    }
    job->fits = store_password_fits(password, job->hash);
    bool is_old =
        job->fits && crypto_pwhash_str_needs_rehash(job->hash, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                                    crypto_pwhash_MEMLIMIT_INTERACTIVE) == 1;
    if (is_old && store_password_hash(password, job->new_hash, NULL) < 0)
        job->new_hash[0] = 0;
}

static void check_closed(struct auth *auth);
static void start_jobs(struct auth *auth);

static void on_job(struct work *work)
{
    struct job *job = work->owner;
    struct auth *auth = job->auth;
    auth->running--;
    job->on_end(job);
    sodium_memzero(job->password, sizeof job->password);
    free(job);
    start_jobs(auth);
    check_closed(auth);
}

static void start_jobs(struct auth *auth)
{
    while (auth->first != NULL && auth->running < HASHES_AT_ONCE) {
        struct job *job = auth->first;
        auth->first = job->next;
        if (auth->first == NULL)
            auth->last = NULL;
        auth->waiting--;
        auth->running++;
        loop_work(auth->loop, &job->work, run_job, on_job, job);
    }
}

static struct job *job_new(struct auth *auth, struct str password, void (*on_end)(struct job *job),
                           void *owner)
{
    if (auth->waiting >= HASHES_WAITING || password.size > PASSWORD_MAX || auth->is_closing)
        return NULL;
    struct job *job = calloc(1, sizeof *job);
    ASSERT(job != NULL);
    job->auth = auth;
    memcpy(job->password, password.bytes, password.size);
    job->password_size = password.size;
    job->on_end = on_end;
    job->owner = owner;
    return job;
}

static void job_start(struct job *job)
{
    struct auth *auth = job->auth;
    if (auth->last != NULL)
        auth->last->next = job;
    else
        auth->first = job;
    auth->last = job;
    auth->waiting++;
    start_jobs(auth);
}

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
    throttle_init(&auth->accounts, ACCOUNT_BURST, ACCOUNT_EVERY_MS);
    throttle_init(&auth->addresses, ADDRESS_BURST, ADDRESS_EVERY_MS);
    *out = auth;
    return 0;
}

static void on_closed(struct defer *defer)
{
    struct auth *auth = defer->owner;
    void (*done)(void *owner) = auth->done;
    void *owner = auth->done_owner;
    throttle_clear(&auth->accounts);
    throttle_clear(&auth->addresses);
    free(auth);
    if (done != NULL)
        done(owner);
}

static void check_closed(struct auth *auth)
{
    if (auth->is_closing && auth->running == 0 && auth->waiting == 0)
        defer_call(&auth->closed, auth->loop, on_closed, auth);
}

void auth_close(struct auth *auth, void (*done)(void *owner), void *owner)
{
    auth->is_closing = true;
    auth->done = done;
    auth->done_owner = owner;
    check_closed(auth);
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

static void on_session(void *owner, int rc, const struct session_row *row, const struct err *err)
{
    struct checking checking = *(struct checking *)owner;
    free(owner);
    struct http_request *request = checking.request;
    struct person person = { 0 };
    struct err refusal = { 0 };
    bool is_known = rc == 0 && row->is_browser == checking.wants_browser &&
                    role_parse(row->role, &person.role) == 0;
    if (rc == ERR_NOT_FOUND || (rc == 0 && !is_known)) {
        rc = err_set(&refusal, ERR_UNAUTHENTICATED,
                     "the session or token is not known here, or is over");
        err = &refusal;
    }
    if (rc < 0) {
        checking.on_end(request, rc, NULL, err);
        return;
    }
    person.user_no = row->user_no;
    person.name = str_copy(&request->arena, row->name);
    person.csrf = str_copy(&request->arena, row->csrf);
    person.is_browser = row->is_browser;
    checking.on_end(request, 0, &person, NULL);
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
        struct person owner = { .name = STR("owner"), .role = ROLE_ADMIN, .csrf = STR_EMPTY };
        on_end(request, 0, &owner, NULL);
        return;
    }
    struct checking *checking = calloc(1, sizeof *checking);
    ASSERT(checking != NULL);
    *checking = (struct checking) { auth, request, is_browser, on_end };
    session_read(auth->options.store, hash, auth->options.session_idle_ms, on_session, checking);
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
    struct job *job;
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
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    store_token_make(signing->token);
    store_token_make(signing->csrf);
    store_token_hash(str_of(signing->token), hash);
    struct audit audit = sign_in_audit(signing, true);
    session_put(
        options->store, hash, signing->user_no, is_browser ? str_of(signing->csrf) : STR_EMPTY,
        is_browser ? STR("browser") : STR("/auth/token"),
        signing->how == SIGN_IN_CLI ? options->cli_lifetime_ms : options->session_lifetime_ms,
        options->sessions_max, &audit, on_session_put, signing);
}

static void on_password(struct job *job)
{
    struct signing *signing = job->owner;
    struct auth *auth = signing->auth;
    struct str account = str_format(&signing->request->arena, "%.*s", STR_ARG(signing->name));
    if (!job->fits || signing->in.role == ROLE_NONE) {
        struct err err = { 0 };
        struct audit audit = sign_in_audit(signing, false);
        audit_write(auth->options.store, &audit, NULL, NULL);
        log_warn("sign_in_refused", LOG_STR("user", signing->name),
                 LOG_STR("address", signing->request->peer));
        int rc = err_set(&err, ERR_UNAUTHENTICATED, "the name or the password is wrong");
        end_sign_in(signing, rc, 0, &err);
        return;
    }
    throttle_return(&auth->accounts, account);
    throttle_return(&auth->addresses, str_of(signing->request->peer));
    user_seen(auth->options.store, signing->user_no, str_of(job->new_hash));
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
    struct job *job = job_new(auth, signing->password, on_password, signing);
    if (job == NULL) {
        struct err busy = { 0 };
        rc = err_set(&busy, ERR_TOO_MANY, "too many people are signing in at the moment");
        end_sign_in(signing, rc, 2000, &busy);
        return;
    }
    bool is_usable = rc == 0 && user->is_active && user->password_hash.size > 0 &&
                     user->password_hash.size < STORE_PASSWORD_HASH_SIZE &&
                     role_parse(user->role, &signing->in.role) == 0;
    snprintf(job->hash, sizeof job->hash, "%.*s",
             STR_ARG(is_usable ? user->password_hash : str_of(auth->dummy_hash)));
    if (is_usable) {
        signing->user_no = user->user_no;
        signing->in.name = str_copy(&signing->request->arena, user->name);
    }
    job_start(job);
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

static void on_hash(struct job *job)
{
    struct hashing hashing = *(struct hashing *)job->owner;
    free(job->owner);
    hashing.on_end(hashing.owner, job->rc, str_of(job->new_hash), &job->err);
}

void auth_hash(struct auth *auth, struct str password, void *owner,
               void (*on_end)(void *owner, int rc, struct str hash, const struct err *err))
{
    struct hashing *hashing = calloc(1, sizeof *hashing);
    ASSERT(hashing != NULL);
    *hashing = (struct hashing) { owner, on_end };
    struct job *job = job_new(auth, password, on_hash, hashing);
    if (job != NULL) {
        job_start(job);
        return;
    }
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
