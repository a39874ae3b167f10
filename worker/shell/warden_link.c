// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/warden_link.h"

#include "common/base/assert.h"
#include "common/log/log.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RETRY_FIRST_MS = 10, RETRY_MAX_MS = 1000 };

static void reconnect_later(struct warden_link *link)
{
    timer_once(&link->retry, link->retry_ms);
    link->retry_ms = link->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : link->retry_ms * 2;
}

static void on_poll_closed(void *owner)
{
    struct warden_link *link = owner;

    if (--link->open_handles == 0 && link->done != NULL)
        link->done(link->owner);
}

static void disconnect(struct warden_link *link)
{
    if (!link->is_connected)
        return;
    link->is_connected = link->is_ready = false;
    /* libuv forgets the descriptor here, so that it can be closed at once. */
    poll_close(&link->poll, on_poll_closed);
    warden_client_close(&link->client);
}

static void lost(struct warden_link *link, const struct err *err)
{
    log_warn("warden_lost", LOG_ERR(err));
    disconnect(link);
    link->on_down(link);
    link->retry_ms = RETRY_FIRST_MS;
    reconnect_later(link);
}

static void want(struct warden_link *link)
{
    poll_want(&link->poll,
              POLL_READABLE | (warden_client_wants_write(&link->client) ? POLL_WRITABLE : 0));
}

void warden_link_send(struct warden_link *link, const struct warden_message *message)
{
    ASSERT(link->is_connected);
    warden_client_queue(&link->client, message);
}

void warden_link_send_frame(struct warden_link *link, struct str frame)
{
    ASSERT(link->is_connected);
    buf_add_str(&link->client.out, frame);
}

void warden_link_flush(struct warden_link *link)
{
    struct err err = { 0 };

    if (!link->is_connected)
        return;
    if (warden_client_flush(&link->client, &err) < 0)
        lost(link, &err);
    else
        want(link);
}

static void take(struct warden_link *link, const struct warden_message *message)
{
    if (message->type == WARDEN_HELLO)
        return;
    if (message->type == WARDEN_LISTED)
        link->is_ready = true;
    link->on_message(link, message);
}

static void on_ready(struct poll *poll, int ready)
{
    struct warden_link *link = poll->owner;
    struct warden_message message;
    struct err err = { 0 };
    int rc = 1;

    (void)ready;
    /* To the end: what is left in our own buffer would wake nobody. */
    while (rc > 0 && link->is_connected) {
        rc = warden_client_receive(&link->client, &message, &err);
        if (rc > 0)
            take(link, &message);
    }
    if (link->is_connected && rc < 0)
        lost(link, &err);
    link->on_batch(link);
    warden_link_flush(link);
}

static void on_child_poll_closed(void *owner)
{
    struct warden_link *link = owner;

    close(link->pidfd);
    link->pidfd = -1;
    on_poll_closed(owner);
}

static void on_child_end(struct poll *poll, int ready)
{
    struct warden_link *link = poll->owner;
    int status = 0;

    (void)ready;
    if (waitpid(link->pid, &status, WNOHANG) == 0)
        return;
    if (status != 0)
        log_warn("warden_ended", LOG_INT("pid", link->pid),
                 LOG_INT("exit_code", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
                 LOG_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
    link->pid = 0;
    poll_close(&link->child_poll, on_child_poll_closed);
}

static void start_warden(struct warden_link *link)
{
    struct err err = { 0 };

    if (link->pid != 0 || link->pidfd >= 0)
        return;
    int rc = warden_spawn(link->program, link->spool, &link->pid, &err);
    if (rc == 0) {
        link->pidfd = (int)syscall(SYS_pidfd_open, link->pid, 0);
        rc = poll_open(&link->child_poll, link->loop, link->pidfd, on_child_end, link, &err);
    }
    if (rc < 0) {
        log_error("warden_start", LOG_STR("program", link->program), LOG_ERR(&err));
        link->pid = 0;
        return;
    }
    link->open_handles++;
    poll_want(&link->child_poll, POLL_READABLE);
    log_info("warden_started", LOG_INT("pid", link->pid));
}

static void try_connect(struct warden_link *link)
{
    struct warden_message list = { .type = WARDEN_LIST };
    struct err err = { 0 };

    if (warden_client_open(&link->client, link->spool, &err) < 0) {
        start_warden(link);
        reconnect_later(link);
        return;
    }
    if (poll_open(&link->poll, link->loop, link->client.fd, on_ready, link, &err) < 0) {
        log_error("warden_watch", LOG_ERR(&err));
        warden_client_close(&link->client);
        reconnect_later(link);
        return;
    }
    link->open_handles++;
    link->is_connected = true;
    link->retry_ms = RETRY_FIRST_MS;
    warden_link_send(link, &list);
    warden_link_flush(link);
}

static void on_retry(struct timer *timer)
{
    try_connect(timer->owner);
}

void warden_link_open(struct warden_link *link, struct loop *loop, const char *spool,
                      const char *program)
{
    link->loop = loop;
    link->spool = spool;
    link->program = program;
    link->client.fd = -1;
    link->pidfd = -1;
    link->retry_ms = RETRY_FIRST_MS;
    timer_open(&link->retry, loop, on_retry, link);
    link->open_handles = 1;
    timer_once(&link->retry, 0);
}

void warden_link_close(struct warden_link *link, bool stop, void (*done)(void *owner))
{
    struct warden_message message = { .type = WARDEN_STOP };
    struct err err;

    link->done = done;
    if (link->is_connected && stop) {
        warden_client_queue(&link->client, &message);
        (void)!warden_client_flush(&link->client, &err);
    }
    disconnect(link);
    if (link->pid != 0)
        poll_close(&link->child_poll, on_child_poll_closed);
    link->pid = 0;
    timer_close(&link->retry, on_poll_closed);
}
