// SPDX-License-Identifier: Apache-2.0
/* headrace-webserver: settings, database, sign-in, API and port, put together; and how they end. */
#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/conf/place.h"
#include "common/log/log.h"
#include "common/service/service.h"
#include "common/store/schema.h"
#include "webserver/api/api.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GRACE_MS = 5000, CLI_TOKEN_MS = 3600 * 1000 };

struct webserver {
    struct service *service;
    struct loop *loop;
    const struct conf *conf;
    struct metrics *metrics;
    struct seal *seal;
    struct store *store;
    struct wire *wire;
    struct wire_key key;
    bool has_key;
    struct auth *auth;
    struct http_static *files;
    struct api *api;
    struct http_server *server;
    struct http_network *proxies;
    struct arena arena; /* lives as long as the process */
    bool is_ending;
};

/* ---- ending: from the port down to the loop ---- */

static void on_wire_closed(void *owner)
{
    struct webserver *web = owner;
    service_stop(web->service);
}

static void on_store_closed(void *owner)
{
    struct webserver *web = owner;
    wire_close(web->wire, on_wire_closed, web);
}

static void on_auth_closed(void *owner)
{
    struct webserver *web = owner;
    store_close(web->store, on_store_closed, web);
}

static void on_api_closed(void *owner)
{
    struct webserver *web = owner;
    auth_close(web->auth, on_auth_closed, web);
}

static void on_server_closed(void *owner)
{
    struct webserver *web = owner;
    api_close(web->api, on_api_closed, web);
}

static void on_end(struct service *service)
{
    struct webserver *web = service_owner(service);
    if (web->is_ending)
        return;
    web->is_ending = true;
    /* Streams end first: they would hold the server for all of its grace. */
    api_end_streams(web->api);
    http_server_close(web->server, GRACE_MS, on_server_closed, web);
}

/* ---- settings ---- */

static const char *text_of(struct webserver *web, struct str text)
{
    return str_cstr(&web->arena, text);
}

/* The settings that may change while it runs, and the certificate. */
static void on_conf(struct service *service, const struct conf *fresh)
{
    struct webserver *web = service_owner(service);
    struct err err = { 0 };
    if (web->is_ending)
        return;
    api_set_conf(web->api, fresh);
    web->conf = fresh;
    if (http_server_is_tls(web->server) &&
        http_server_reload_tls(web->server, text_of(web, fresh->api_tls_cert),
                               text_of(web, fresh->api_tls_key), &err) < 0)
        log_error("certificate_not_reloaded", LOG_ERR(&err));
}

/* ---- beginning ---- */

static bool is_loopback(struct str host)
{
    return str_is(host, "localhost") || str_starts(host, "127.") || str_is(host, "::1") ||
           str_is(host, "[::1]");
}

static bool all_are_local(struct webserver *web)
{
    for (uint32_t i = 0; i < web->conf->api_schedulers.count; i++) {
        struct str endpoint;
        if (wire_endpoint(&web->arena, web->conf->api_schedulers.items[i], &endpoint, NULL) < 0 ||
            !wire_endpoint_is_local(endpoint))
            return false;
    }
    return true;
}

static int check_exposure(const struct conf *conf, struct err *err)
{
    if (is_loopback(conf->api_host) || conf->api_tls_cert.size > 0)
        return 0;
    if (getenv("HEADRACE_SERVE_WITHOUT_TLS_I_KNOW_WHAT_I_DO") != NULL) {
        log_warn("serving_without_tls", LOG_STR("host", conf->api_host));
        return 0;
    }
    (void)err_set(err, ERR_INVALID,
                  "api.host is %.*s, and there is no certificate: passwords and tokens would "
                  "travel in the clear",
                  STR_ARG(conf->api_host));
    (void)err_hint(err, "set api.tls_cert and api.tls_key, or let a proxy on this machine speak "
                        "TLS, keep api.host = 127.0.0.1 and set api.behind_tls");
    return ERR_INVALID;
}

/* The scheduler's key on the machine where it is, the public half elsewhere. */
static int open_seal(struct webserver *web, struct err *err)
{
    const char *key = str_format(&web->arena, "%.*s/secret.key", STR_ARG(web->conf->home)).bytes;
    const char *public_half =
        str_format(&web->arena, "%.*s/secret.pub", STR_ARG(web->conf->home)).bytes;
    bool has_key = access(key, R_OK) == 0, has_public = access(public_half, R_OK) == 0;
    if (has_key || (!has_public && all_are_local(web)))
        return seal_open(&web->seal, key, err);
    if (has_public)
        return seal_open_public(&web->seal, public_half, err);
    log_warn("no_seal", LOG_STR("hint", "copy secret.pub from the scheduler's home: variables and "
                                        "connections cannot be written without it"));
    return 0;
}

static void on_store_state(struct store *store, bool is_up, const struct err *err)
{
    struct webserver *web = store_owner(store);
    if (is_up)
        log_info("database_up");
    else
        log_warn("database_down", LOG_STR("why", err == NULL ? "" : err->sentence));
    if (web->api != NULL)
        api_on_store(web->api, is_up);
}

static int open_store(struct webserver *web, struct err *err)
{
    struct store_options options = {
        .conninfo = text_of(web, web->conf->database_conn.value),
        .application_name = "headrace-webserver",
        .seal = web->seal,
        .metrics = web->metrics,
        .readers = (uint32_t)web->conf->database_pool_size,
        .statement_timeout_ms = web->conf->database_statement_timeout_ms,
        .lock_timeout_ms = web->conf->database_lock_timeout_ms,
        .on_state = on_store_state,
        .owner = web,
    };
    return store_open(&web->store, web->loop, &options, err);
}

static struct oidc_options oidc_options(const struct conf *conf)
{
    struct oidc_options options = {
        .issuer = conf->oidc_issuer,
        .client_id = conf->oidc_client_id,
        .client_secret = conf->oidc_client_secret.value,
        .redirect_url = conf->oidc_redirect_url,
        .scopes = conf->oidc_scopes,
        .username_claim = conf->oidc_username_claim,
        .groups_claim = conf->oidc_groups_claim,
        .roles = conf->oidc_roles.items,
        .role_count = conf->oidc_roles.count,
        .signs_out = conf->oidc_sign_out,
    };
    (void)!role_parse(conf->oidc_default_role, &options.default_role);
    return options;
}

static int open_auth(struct webserver *web, struct err *err)
{
    const struct conf *conf = web->conf;
    struct oidc_options oidc = oidc_options(conf);
    struct auth_options options = {
        .store = web->store,
        .home = text_of(web, conf->home),
        .is_tls = conf->api_tls_cert.size > 0 || conf->api_behind_tls,
        .session_lifetime_ms = conf->api_session_lifetime_ms,
        .session_idle_ms = conf->api_session_idle_ms,
        .sessions_max = conf->api_sessions_max,
        .cli_lifetime_ms = CLI_TOKEN_MS,
        .oidc = conf->oidc_issuer.size > 0 ? &oidc : NULL,
    };
    return auth_open(&web->auth, web->loop, &options, err);
}

/* CURVE where a scheduler is not on this machine, where the log intake is open to others, or where
 * it is demanded. */
static int open_wire(struct webserver *web, struct err *err)
{
    const struct conf *conf = web->conf;
    bool needs_key = conf->scheduler_curve || conf->api_scheduler_key.size > 0 ||
                     !is_loopback(conf->logging_host);
    int rc = needs_key ? wire_key_load(text_of(web, conf->api_key_file), &web->key, err) : 0;
    web->has_key = needs_key;
    if (rc == 0 && needs_key)
        log_info("webserver_key", LOG_STR("public", web->key.public_key));
    return rc < 0 ? rc : wire_open(&web->wire, web->loop, web->metrics, err);
}

static void load_files(struct webserver *web)
{
    struct err err = { 0 };
    struct str folder = web->conf->api_ui_folder;
    if (folder.size == 0 && !place_ui(&web->arena, &folder)) {
        log_warn("ui_not_built", LOG_STR("hint", "build it, or set api.ui_folder"));
        return;
    }
    if (http_static_load(&web->files, text_of(web, folder), &err) < 0)
        log_warn("ui_not_loaded", LOG_ERR(&err));
}

static int open_api(struct webserver *web, struct err *err)
{
    struct api_options options = {
        .loop = web->loop,
        .conf = web->conf,
        .store = web->store,
        .auth = web->auth,
        .wire = web->wire,
        .metrics = web->metrics,
        .seal = web->seal,
        .files = web->files,
        .key = web->has_key ? &web->key : NULL,
    };
    return api_open(&web->api, &options, err);
}

static int read_proxies(struct webserver *web, struct err *err)
{
    const struct conf_list *texts = &web->conf->api_trusted_proxies;
    web->proxies = ARENA_ARRAY(&web->arena, struct http_network, texts->count);
    for (uint32_t i = 0; i < texts->count; i++) {
        int rc = http_network_parse(texts->items[i], &web->proxies[i], err);
        if (rc < 0)
            return err_wrap(err, rc, "api.trusted_proxies");
    }
    return 0;
}

static int open_server(struct webserver *web, struct err *err)
{
    const struct conf *conf = web->conf;
    struct http_server_options options = {
        .host = text_of(web, conf->api_host),
        .port = (int)conf->api_port,
        .tls_cert = text_of(web, conf->api_tls_cert),
        .tls_key = text_of(web, conf->api_tls_key),
        .connections_max = (uint32_t)conf->api_connections_max,
        .proxies = web->proxies,
        .proxy_count = conf->api_trusted_proxies.count,
        .folder = text_of(web, conf->home),
        .metrics = web->metrics,
        .body_max = api_body_max,
        .on_request = api_on_request,
        .on_answered = api_on_answered,
        .owner = web->api,
    };
    int rc = http_server_open(&web->server, web->loop, &options, err);
    if (rc == 0)
        log_info("listening", LOG_STR("host", conf->api_host),
                 LOG_INT("port", http_server_port(web->server)),
                 LOG_BOOL("tls", http_server_is_tls(web->server)));
    return rc;
}

static int prepare(const struct conf *conf, struct err *err)
{
    struct arena arena = { 0 };
    umask(0027);
    ASSERT(sodium_init() >= 0); /* before any thread */
    (void)mkdir(str_cstr(&arena, conf->home), 0750);
    arena_clear(&arena);
    return check_exposure(conf, err);
}

static int begin(struct service *service, struct err *err)
{
    static int (*const STEPS[])(struct webserver * web, struct err * err) = {
        read_proxies, open_seal, open_store, open_auth, open_wire, open_api, open_server,
    };
    struct webserver *web = service_owner(service);
    int rc = 0;
    web->service = service;
    web->loop = service_loop(service);
    web->conf = service_conf(service);
    web->metrics = metrics_new();
    load_files(web);
    for (size_t i = 0; rc == 0 && i < sizeof STEPS / sizeof *STEPS; i++)
        rc = STEPS[i](web, err);
    if (rc < 0)
        service_stop(service);
    return rc;
}

static const char usage[] =
    "headrace-webserver: serves the REST API and the web interface\n"
    "\n"
    "  headrace-webserver [--section.key=value ...]   settings: headrace config list\n"
    "  headrace-webserver --version | --help\n";

int main(int argc, char **argv)
{
    static const struct service_type TYPE = {
        .program = "headrace-webserver",
        .usage = usage,
        .prepare = prepare,
        .open = begin,
        .on_end = on_end,
        .on_conf = on_conf,
    };
    struct webserver web = { 0 };
    int status = service_main(&TYPE, &web, argc, argv);
    http_static_free(web.files);
    seal_free(web.seal);
    metrics_free(web.metrics);
    arena_clear(&web.arena);
    return status;
}
