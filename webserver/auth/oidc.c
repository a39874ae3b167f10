// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/oidc.h"

#include "common/base/assert.h"
#include "common/loop/work.h"
#include "common/text/base64.h"
#include "common/text/json.h"
#include "webserver/auth/fetch.h"
#include "webserver/auth/jwt.h"
#include "webserver/auth/oidc_claims.h"
#include "webserver/http/http_text.h"

#include <sodium.h>

enum { FRESH_MS = 3600 * 1000, DOCUMENT_MAX = 1 << 20 };

#define CALLBACK_PATH "/auth/oidc/callback"

/* A provider that does not answer holds a thread for seconds: it gets two, passwords have the
 * others. */
enum { AT_ONCE = 2, WAITING_MAX = 64 };

struct oidc {
    struct loop *loop;
    struct oidc_options options;
    char *discovery, *keys; /* as the provider sent them; NULL: not asked yet */
    int64_t discovered_ms;
    struct job *first, *last; /* waiting for a thread */
    uint32_t waiting, running;
    bool is_closing;
    struct defer closed;
    void (*done)(void *owner);
    void *done_owner;
};

/* What a thread works on: it sees this and the options. */
struct job {
    struct work work;
    struct job *next;
    struct oidc *oidc;
    struct arena arena;
    void (*run)(struct job *job); /* once it has the discovery */
    struct str secret, code;      /* there, and back */
    struct str id_token;          /* away */
    struct str discovery_text, keys_text;
    bool has_fresh_discovery, has_fresh_keys;
    const struct value *discovery, *keys;
    struct str url;
    struct oidc_person person;
    int rc;
    struct err err;
    void (*on_url)(void *owner, int rc, struct str url, const struct err *err);
    void (*on_person)(void *owner, int rc, const struct oidc_person *person, const struct err *err);
    void *owner;
};

/* ---- what is derived from the browser's secret ---- */

/* base64url(SHA-256(purpose ":" secret)): one cannot be told from another. */
static struct str derive(struct arena *arena, const char *purpose, struct str secret)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    struct str text = str_format(arena, "%s:%.*s", purpose, STR_ARG(secret));
    crypto_hash_sha256(hash, (const unsigned char *)text.bytes, text.size);
    return base64url_encode(arena, (struct str) { (char *)hash, sizeof hash });
}

static struct str challenge_of(struct arena *arena, struct str verifier)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)verifier.bytes, verifier.size);
    return base64url_encode(arena, (struct str) { (char *)hash, sizeof hash });
}

bool oidc_is_state(struct str secret, struct str state)
{
    struct arena arena = { 0 };
    struct str ours = derive(&arena, "state", secret);
    bool is_it = secret.size > 0 && state.size == ours.size &&
                 sodium_memcmp(state.bytes, ours.bytes, ours.size) == 0;
    arena_clear(&arena);
    return is_it;
}

/* ---- what the provider publishes ---- */

static int read_document(struct job *job, const struct fetch *fetch, struct str *out_text,
                         const struct value **out)
{
    static const struct json_limits LIMITS = { DOCUMENT_MAX, 32 };
    struct buf body = { 0 };
    int rc = fetch_run(fetch, &body, &job->err);
    if (rc == 0)
        *out_text = str_copy(&job->arena, buf_str(&body));
    buf_clear(&body);
    if (rc == 0 && json_parse(&job->arena, *out_text, &LIMITS, out, NULL) < 0)
        rc = err_set(&job->err, ERR_INVALID, "what %s answered is not JSON", fetch->url);
    return rc;
}

static const char *endpoint(struct job *job, const char *name)
{
    return str_cstr(&job->arena, value_text(value_get(job->discovery, name), STR_EMPTY));
}

static int discover(struct job *job)
{
    const struct oidc_options *options = &job->oidc->options;
    struct str issuer = options->issuer;
    struct str stem = str_ends(issuer, "/") ? str_slice(issuer, 0, issuer.size - 1) : issuer;
    struct fetch fetch = {
        .url = str_format(&job->arena, "%.*s/.well-known/openid-configuration", STR_ARG(stem)).bytes
    };
    if (job->discovery_text.size > 0)
        return json_parse(&job->arena, job->discovery_text, NULL, &job->discovery, &job->err);
    int rc = read_document(job, &fetch, &job->discovery_text, &job->discovery);
    if (rc < 0)
        return rc;
    if (!str_eq(value_text(value_get(job->discovery, "issuer"), STR_EMPTY), issuer))
        return err_set(&job->err, ERR_INVALID, "%s is of another issuer", fetch.url);
    job->has_fresh_discovery = true;
    return 0;
}

static int read_keys(struct job *job)
{
    struct fetch fetch = { .url = endpoint(job, "jwks_uri") };
    int rc = read_document(job, &fetch, &job->keys_text, &job->keys);
    job->has_fresh_keys = rc == 0;
    return rc;
}

/* ---- there ---- */

static void add_pair(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "%s=", name);
    http_encode(out, value);
}

static void write_url(struct job *job)
{
    const struct oidc_options *options = &job->oidc->options;
    struct buf out = { 0 };
    const char *where = endpoint(job, "authorization_endpoint");
    struct str verifier = derive(&job->arena, "verifier", job->secret);
    buf_printf(&out, "%s%cresponse_type=code&code_challenge_method=S256&", where,
               strchr(where, '?') == NULL ? '?' : '&');
    add_pair(&out, "client_id", options->client_id);
    add_pair(&out, "&redirect_uri", options->redirect_url);
    add_pair(&out, "&scope", options->scopes);
    add_pair(&out, "&state", derive(&job->arena, "state", job->secret));
    add_pair(&out, "&nonce", derive(&job->arena, "nonce", job->secret));
    add_pair(&out, "&code_challenge", challenge_of(&job->arena, verifier));
    job->url = str_copy(&job->arena, buf_str(&out));
    buf_clear(&out);
    if (!fetch_is_allowed(job->url))
        job->rc = err_set(&job->err, ERR_INVALID,
                          "the provider's authorization_endpoint is not "
                          "https");
}

/* ---- and back ---- */

static int exchange(struct job *job, struct str *out_id_token, struct str *out_access_token)
{
    const struct oidc_options *options = &job->oidc->options;
    struct buf form = { 0 }, user = { 0 }, password = { 0 };
    struct str text;
    const struct value *answer = NULL;
    add_pair(&form, "grant_type=authorization_code&code", job->code);
    add_pair(&form, "&redirect_uri", options->redirect_url);
    add_pair(&form, "&code_verifier", derive(&job->arena, "verifier", job->secret));
    struct fetch fetch = { .url = endpoint(job, "token_endpoint") };
    if (options->client_secret.size > 0) { /* RFC 6749, 2.3.1: encoded first */
        http_encode(&user, options->client_id);
        http_encode(&password, options->client_secret);
        fetch.user = user.bytes;
        fetch.password = password.bytes;
    } else {
        add_pair(&form, "&client_id", options->client_id);
    }
    fetch.form = form.bytes;
    int rc = read_document(job, &fetch, &text, &answer);
    *out_id_token = value_text(value_get(answer, "id_token"), STR_EMPTY);
    *out_access_token = value_text(value_get(answer, "access_token"), STR_EMPTY);
    if (rc == 0 && out_id_token->size == 0)
        rc = err_set(&job->err, ERR_INVALID, "the provider gave no id_token");
    if (password.size > 0)
        sodium_memzero(password.bytes, password.size);
    buf_clear(&form);
    buf_clear(&user);
    buf_clear(&password);
    return rc;
}

/* With keys that may be of yesterday, once more with today's. */
static int verify(struct job *job, struct str token, const struct value **out_claims)
{
    int rc = job->keys_text.size > 0
                 ? json_parse(&job->arena, job->keys_text, NULL, &job->keys, &job->err)
                 : read_keys(job);
    if (rc == 0)
        rc = jwt_verify(&job->arena, token, job->keys, out_claims, &job->err);
    if (rc == ERR_NOT_FOUND && !job->has_fresh_keys) {
        rc = read_keys(job);
        if (rc == 0)
            rc = jwt_verify(&job->arena, token, job->keys, out_claims, &job->err);
    }
    return rc;
}

/* What the ID token leaves out may be had at the userinfo endpoint, where there is one. */
static int complete(struct job *job, struct str access_token, const struct value **claims)
{
    const struct value *userinfo = NULL;
    struct str text;
    struct fetch fetch = { .url = endpoint(job, "userinfo_endpoint"),
                           .bearer = access_token.bytes };
    if (fetch.url[0] == '\0' || access_token.size == 0 ||
        !oidc_lacks_claims(&job->oidc->options, *claims))
        return 0;
    int rc = read_document(job, &fetch, &text, &userinfo);
    if (rc < 0 && !oidc_lacks_groups(&job->oidc->options, *claims)) {
        job->err = (struct err) { 0 }; /* the name and the address can be done without */
        return 0;
    }
    return rc < 0 ? rc : oidc_join_claims(&job->arena, *claims, userinfo, claims, &job->err);
}

static void come_back(struct job *job)
{
    const struct oidc_options *options = &job->oidc->options;
    const struct value *claims = NULL;
    struct str id_token = STR_EMPTY, access_token = STR_EMPTY;
    job->rc = exchange(job, &id_token, &access_token);
    if (job->rc == 0)
        job->rc = verify(job, id_token, &claims);
    if (job->rc == 0)
        job->rc = oidc_check_claims(options, claims, derive(&job->arena, "nonce", job->secret),
                                    access_token, loop_wall_ms() / 1000, &job->err);
    if (job->rc == 0)
        job->rc = complete(job, access_token, &claims);
    if (job->rc < 0)
        return;
    oidc_read_person(options, claims, &job->person);
    job->person.id_token = options->signs_out ? id_token : STR_EMPTY;
}

/* ---- and away ---- */

/* RP-Initiated Logout 1.0. Empty where the provider has no such endpoint. */
static void write_leaving_url(struct job *job)
{
    const struct oidc_options *options = &job->oidc->options;
    struct str where = str_of(endpoint(job, "end_session_endpoint"));
    struct str home =
        str_slice(options->redirect_url, 0, options->redirect_url.size - strlen(CALLBACK_PATH));
    struct buf out = { 0 };
    if (!fetch_is_allowed(where))
        return;
    buf_printf(&out, "%.*s%c", STR_ARG(where), str_find(where, '?') < 0 ? '?' : '&');
    add_pair(&out, "id_token_hint", job->id_token);
    add_pair(&out, "&client_id", options->client_id);
    add_pair(&out, "&post_logout_redirect_uri",
             str_format(&job->arena, "%.*s/sign-in", STR_ARG(home)));
    job->url = str_copy(&job->arena, buf_str(&out));
    buf_clear(&out);
}

/* ---- threads ---- */

static void run_job(struct work *work)
{
    struct job *job = work->owner;
    job->rc = discover(job);
    if (job->rc == 0)
        job->run(job);
}

static void on_closed(struct defer *defer)
{
    struct oidc *oidc = defer->owner;
    void (*done)(void *owner) = oidc->done;
    void *owner = oidc->done_owner;
    free(oidc->discovery);
    free(oidc->keys);
    free(oidc);
    done(owner);
}

static void check_closed(struct oidc *oidc)
{
    if (oidc->is_closing && oidc->running == 0 && oidc->waiting == 0)
        defer_call(&oidc->closed, oidc->loop, on_closed, oidc);
}

static void keep(char **kept, struct str text)
{
    free(*kept);
    *kept = strndup(text.bytes, text.size);
    ASSERT(*kept != NULL);
}

static void start_jobs(struct oidc *oidc);

static void end_job(struct job *job)
{
    if (job->on_url != NULL)
        job->on_url(job->owner, job->rc, job->url, &job->err);
    else
        job->on_person(job->owner, job->rc, &job->person, &job->err);
    arena_clear(&job->arena);
    free(job);
}

static void on_job(struct work *work)
{
    struct job *job = work->owner;
    struct oidc *oidc = job->oidc;
    if (job->has_fresh_discovery) {
        keep(&oidc->discovery, job->discovery_text);
        oidc->discovered_ms = loop_now_ms();
    }
    if (job->has_fresh_keys)
        keep(&oidc->keys, job->keys_text);
    oidc->running--;
    end_job(job);
    start_jobs(oidc);
    check_closed(oidc);
}

static void start_job(struct oidc *oidc, struct job *job)
{
    bool is_fresh = oidc->discovery != NULL && loop_now_ms() - oidc->discovered_ms < FRESH_MS;
    job->discovery_text = str_copy(&job->arena, is_fresh ? str_of(oidc->discovery) : STR_EMPTY);
    job->keys_text = str_copy(&job->arena, str_of(oidc->keys));
    oidc->running++;
    loop_work(oidc->loop, &job->work, run_job, on_job, job);
}

static void start_jobs(struct oidc *oidc)
{
    while (oidc->first != NULL && oidc->running < AT_ONCE) {
        struct job *job = oidc->first;
        oidc->first = job->next;
        oidc->waiting--;
        start_job(oidc, job);
    }
}

/* Ends it at once when too many wait. Its texts are copied. */
static void add_job(struct oidc *oidc, const struct job *wanted)
{
    struct job *job = calloc(1, sizeof *job);
    ASSERT(job != NULL);
    *job = *wanted;
    job->oidc = oidc;
    job->secret = str_copy(&job->arena, wanted->secret);
    job->code = str_copy(&job->arena, wanted->code);
    job->id_token = str_copy(&job->arena, wanted->id_token);
    if (oidc->waiting >= WAITING_MAX || oidc->is_closing) {
        job->rc = err_set(&job->err, ERR_TOO_MANY, "too many people are signing in at the moment");
        end_job(job);
        return;
    }
    if (oidc->first == NULL)
        oidc->first = job;
    else
        oidc->last->next = job;
    oidc->last = job;
    oidc->waiting++;
    start_jobs(oidc);
}

void oidc_begin(struct oidc *oidc, struct str secret,
                void (*on_end)(void *owner, int rc, struct str url, const struct err *err),
                void *owner)
{
    struct job job = { .run = write_url, .secret = secret, .on_url = on_end, .owner = owner };
    add_job(oidc, &job);
}

void oidc_finish(struct oidc *oidc, struct str secret, struct str code,
                 void (*on_end)(void *owner, int rc, const struct oidc_person *person,
                                const struct err *err),
                 void *owner)
{
    struct job job = {
        .run = come_back, .secret = secret, .code = code, .on_person = on_end, .owner = owner
    };
    ASSERT(code.size > 0);
    add_job(oidc, &job);
}

void oidc_leave(struct oidc *oidc, struct str id_token,
                void (*on_end)(void *owner, int rc, struct str url, const struct err *err),
                void *owner)
{
    struct job job = {
        .run = write_leaving_url, .id_token = id_token, .on_url = on_end, .owner = owner
    };
    add_job(oidc, &job);
}

/* ---- opening ---- */

static int check_options(const struct oidc_options *options, struct err *err)
{
    struct str group;
    enum role role;
    if (!fetch_is_allowed(options->issuer))
        return err_set(err, ERR_INVALID, "oidc.issuer is %.*s: https is needed",
                       STR_ARG(options->issuer));
    if (options->client_id.size == 0)
        return err_set(err, ERR_INVALID, "oidc.issuer is set, and oidc.client_id is not");
    if (!str_ends(options->redirect_url, CALLBACK_PATH))
        return err_set(err, ERR_INVALID,
                       "oidc.redirect_url is '%.*s': it is the address of this web server as "
                       "browsers see it, and /auth/oidc/callback",
                       STR_ARG(options->redirect_url));
    for (uint32_t i = 0; i < options->role_count; i++)
        if (oidc_read_rule(options->roles[i], &group, &role) < 0)
            return err_set(err, ERR_INVALID,
                           "oidc.roles has '%.*s': group=Role is expected, as in admins=Admin",
                           STR_ARG(options->roles[i]));
    return 0;
}

int oidc_open(struct oidc **out, struct loop *loop, const struct oidc_options *options,
              struct err *err)
{
    int rc = check_options(options, err);
    if (rc < 0)
        return rc;
    fetch_setup();
    struct oidc *oidc = calloc(1, sizeof *oidc);
    ASSERT(oidc != NULL);
    oidc->loop = loop;
    oidc->options = *options;
    *out = oidc;
    return 0;
}

void oidc_close(struct oidc *oidc, void (*done)(void *owner), void *owner)
{
    oidc->is_closing = true;
    oidc->done = done;
    oidc->done_owner = owner;
    check_closed(oidc);
}
