// SPDX-License-Identifier: Apache-2.0
/* headrace-webserver: settings, database, sign-in, API and port, put together; and how they end. */
#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/conf/conf.h"
#include "common/conf/place.h"
#include "common/log/log.h"
#include "common/loop/signal.h"
#include "common/loop/timer.h"
#include "common/store/schema.h"
#include "webserver/api/api.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GRACE_MS = 5000, CLI_TOKEN_MS = 3600 * 1000 };

struct webserver {
    struct loop *loop;
    struct conf *conf;
    VEC(struct conf *) old_confs; /* after a reload: requests under way may hold their texts */
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
    struct signal term, interrupt, hangup;
    struct arena arena; /* lives as long as the process */
    bool is_ending;
    int argc;
    char **argv;
};

extern char **environ;

/* ---- ending: from the port down to the loop ---- */

static void on_wire_closed(void *owner)
{
    struct webserver *web = owner;
    loop_stop(web->loop);
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

static void on_end_signal(struct signal *signal, int signum)
{
    struct webserver *web = signal->owner;
    if (web->is_ending)
        return;
    web->is_ending = true;
    log_info("ending", LOG_INT("signal", signum));
    signal_close(&web->term, NULL);
    signal_close(&web->interrupt, NULL);
    signal_close(&web->hangup, NULL);
    /* Streams end first: they would hold the server for all of its grace. */
    api_end_streams(web->api);
    http_server_close(web->server, GRACE_MS, on_server_closed, web);
}

/* ---- settings ---- */

static void setup_log(const struct conf *conf)
{
    struct log_options options = { .program = "webserver" };
    (void)!log_level_parse(conf->logging_level, &options.level);
    (void)!log_format_parse(conf->logging_format, &options.format);
    log_setup(&options);
}

static const char *text_of(struct webserver *web, struct str text)
{
    return str_cstr(&web->arena, text);
}

/* SIGHUP: settings that may change while it runs, and the certificate. */
static void on_hangup(struct signal *signal, int signum)
{
    struct webserver *web = signal->owner;
    struct conf *fresh;
    struct err err = { 0 };
    uint32_t waiting = 0;
    (void)signum;
    if (conf_reload(web->conf, &fresh, &waiting, &err) < 0) {
        log_error("reload_failed", LOG_ERR(&err));
        return;
    }
    setup_log(fresh);
    api_set_conf(web->api, fresh);
    VEC_ADD(&web->old_confs, web->conf);
    web->conf = fresh;
    if (http_server_is_tls(web->server) &&
        http_server_reload_tls(web->server, text_of(web, fresh->api_tls_cert),
                               text_of(web, fresh->api_tls_key), &err) < 0)
        log_error("certificate_not_reloaded", LOG_ERR(&err));
    log_info("reloaded", LOG_INT("settings_that_wait_for_a_restart", waiting));
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
                        "TLS and keep api.host = 127.0.0.1");
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

static int open_auth(struct webserver *web, struct err *err)
{
    const struct conf *conf = web->conf;
    struct auth_options options = {
        .store = web->store,
        .home = text_of(web, conf->home),
        .is_tls = conf->api_tls_cert.size > 0,
        .session_lifetime_ms = conf->api_session_lifetime_ms,
        .session_idle_ms = conf->api_session_idle_ms,
        .sessions_max = conf->api_sessions_max,
        .cli_lifetime_ms = CLI_TOKEN_MS,
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

static int open_server(struct webserver *web, struct err *err)
{
    const struct conf *conf = web->conf;
    struct http_server_options options = {
        .host = text_of(web, conf->api_host),
        .port = (int)conf->api_port,
        .tls_cert = text_of(web, conf->api_tls_cert),
        .tls_key = text_of(web, conf->api_tls_key),
        .connections_max = (uint32_t)conf->api_connections_max,
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

static int open_signals(struct webserver *web, struct err *err)
{
    int rc = signal_open(&web->term, web->loop, SIGTERM, on_end_signal, web, err);
    if (rc == 0)
        rc = signal_open(&web->interrupt, web->loop, SIGINT, on_end_signal, web, err);
    if (rc == 0)
        rc = signal_open(&web->hangup, web->loop, SIGHUP, on_hangup, web, err);
    return rc;
}

static int begin(struct webserver *web, struct err *err)
{
    static int (*const STEPS[])(struct webserver * web, struct err * err) = {
        open_seal, open_store, open_auth, open_wire, open_api, open_server, open_signals,
    };
    int rc = check_exposure(web->conf, err);
    if (rc == 0)
        rc = loop_new(&web->loop, err);
    web->metrics = metrics_new();
    load_files(web);
    for (size_t i = 0; rc == 0 && i < sizeof STEPS / sizeof *STEPS; i++)
        rc = STEPS[i](web, err);
    return rc;
}

static int fail(const struct err *err)
{
    fprintf(stderr, "headrace-webserver: %s\n", err->sentence);
    if (err->hint[0] != 0)
        fprintf(stderr, "  %s\n", err->hint);
    return 1;
}

static const char usage[] =
    "headrace-webserver: serves the REST API and the web interface\n"
    "\n"
    "  headrace-webserver [--section.key=value ...]   settings: headrace config list\n"
    "  headrace-webserver --version | --help\n";

int main(int argc, char **argv)
{
    struct webserver web = { .argc = argc, .argv = argv };
    struct err err = { 0 };
    struct conf_source source = { .env = (const char *const *)environ, .argc = argc, .argv = argv };
    umask(0027);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("headrace-webserver " HEADRACE_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    ASSERT(sodium_init() >= 0); /* before any thread */
    loop_raise_descriptors();
    if (conf_new(&web.conf, &source, NULL, &err) < 0)
        return fail(&err);
    setup_log(web.conf);
    (void)mkdir(text_of(&web, web.conf->home), 0750);
    if (begin(&web, &err) < 0)
        return fail(&err);
    loop_run(web.loop);
    http_static_free(web.files);
    seal_free(web.seal);
    metrics_free(web.metrics);
    conf_free(web.conf);
    VEC_EACH (&web.old_confs, i)
        conf_free(web.old_confs.items[i]);
    VEC_CLEAR(&web.old_confs);
    loop_free(web.loop);
    arena_clear(&web.arena);
    return 0;
}
