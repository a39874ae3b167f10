// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_server.h"

#include "common/base/assert.h"
#include "webserver/http/http_conn.h"

#include <sys/random.h>

static void check_closed(struct http_server *server)
{
    if (!server->is_closing || server->open_handles > 0 || server->first != NULL)
        return;
    http_tls_context_free(server->tls);
    void (*done)(void *owner) = server->done;
    void *owner = server->done_owner;
    free(server);
    if (done != NULL)
        done(owner);
}

static void on_handle_closed(void *owner)
{
    struct http_server *server = owner;
    server->open_handles--;
    check_closed(server);
}

static void sweep(struct timer *timer)
{
    struct http_server *server = timer->owner;
    int64_t now_ms = loop_now_ms();
    bool is_over = server->is_closing && now_ms >= server->close_at_ms;
    for (struct http_conn *conn = server->first, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (is_over)
            http_conn_break(conn);
        else
            http_conn_sweep(conn, now_ms);
    }
    if (server->is_closing && server->first == NULL && timer_is_set(timer)) {
        timer_stop(timer);
        timer_close(timer, on_handle_closed);
    }
}

static void on_connection(struct listener *listener)
{
    http_conn_accept(listener->owner);
}

static void make_metrics(struct http_server *server, struct metrics *metrics)
{
    server->requests = metrics_counter(metrics, "headrace_http_requests_total",
                                       "Requests answered, by class of status.");
    server->refusals = metrics_counter(metrics, "headrace_http_refusals_total",
                                       "Requests that were not HTTP, too large or too slow.");
    server->gave_way = metrics_counter(metrics, "headrace_http_gave_way_total",
                                       "Connections closed for others, all places being taken.");
    server->seconds =
        metrics_histogram(metrics, "headrace_http_request_seconds",
                          "From the complete request to the end of its answer.", NULL, 0);
    server->open = metrics_gauge(metrics, "headrace_http_connections", "Open connections.");
}

static int open_tls(struct http_server *server, const struct http_server_options *options,
                    struct err *err)
{
    if (options->tls_cert == NULL || options->tls_cert[0] == 0)
        return 0;
    return http_tls_context_new(&server->tls, options->tls_cert, options->tls_key, err);
}

int http_server_open(struct http_server **out, struct loop *loop,
                     const struct http_server_options *options, struct err *err)
{
    struct http_server *server = calloc(1, sizeof *server);
    ASSERT(server != NULL);
    server->loop = loop;
    server->options = *options;
    int rc = open_tls(server, options, err);
    if (rc >= 0)
        rc = listener_open_tcp(&server->listener, loop, options->host, options->port, on_connection,
                               server, err);
    if (rc < 0) {
        http_tls_context_free(server->tls);
        free(server);
        return err_wrap(err, rc, "serving HTTP");
    }
    if (getrandom(&server->id_seed, sizeof server->id_seed, 0) < 0)
        server->id_seed = (uint64_t)loop_wall_ms();
    make_metrics(server, options->metrics);
    timer_open(&server->sweep, loop, sweep, server);
    int64_t divisor = options->time_divisor > 1 ? options->time_divisor : 1;
    timer_every(&server->sweep, 1000 / divisor < 10 ? 10 : 1000 / divisor);
    server->open_handles = 2;
    *out = server;
    return 0;
}

void http_server_close(struct http_server *server, int64_t grace_ms, void (*done)(void *owner),
                       void *owner)
{
    ASSERT(!server->is_closing);
    server->is_closing = true;
    server->close_at_ms = loop_now_ms() + grace_ms;
    server->done = done;
    server->done_owner = owner;
    listener_close(&server->listener, on_handle_closed);
    for (struct http_conn *conn = server->first, *next; conn != NULL; conn = next) {
        next = conn->next;
        http_conn_shut(conn);
    }
    timer_every(&server->sweep, 20);
}

int http_server_reload_tls(struct http_server *server, const char *cert, const char *key,
                           struct err *err)
{
    struct http_tls_context *fresh = NULL;
    int rc = http_tls_context_new(&fresh, cert, key, err);
    if (rc < 0)
        return err_wrap(err, rc, "reloading the certificate");
    http_tls_context_free(server->tls);
    server->tls = fresh;
    return 0;
}

int http_server_port(const struct http_server *server)
{
    return listener_port(&server->listener);
}

bool http_server_is_tls(const struct http_server *server)
{
    return server->tls != NULL;
}
