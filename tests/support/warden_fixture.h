// SPDX-License-Identifier: Apache-2.0
/* warden_fixture - a real warden on a spool of its own, and a client that collects what it says. */
#ifndef HEADRACE_WARDEN_FIXTURE_H
#define HEADRACE_WARDEN_FIXTURE_H

#include "worker/warden/warden_client.h"

#include "common/base/vec.h"

struct warden_fixture {
    char spool[64];
    bool no_cgroup;
    pid_t pid;
    struct warden_client client;
    struct arena arena;
    VEC(struct warden_message) started, ended, logs;
    bool listed;
    uint64_t next_id;
};

/* Starts a warden; asserts that all goes well, as everything here does. */
void warden_fixture_open(struct warden_fixture *fixture, bool no_cgroup);
void warden_fixture_close(struct warden_fixture *fixture);

/* SIGKILL to the warden; a new one, with a new connection; a new connection alone. */
void warden_fixture_kill(struct warden_fixture *fixture);
void warden_fixture_launch(struct warden_fixture *fixture);
void warden_fixture_reconnect(struct warden_fixture *fixture);

/* A task that runs `script` with /bin/sh, with a far deadline; change what you need. */
struct warden_message warden_fixture_task(struct warden_fixture *fixture, const char *script);
void warden_fixture_send(struct warden_fixture *fixture, const struct warden_message *message);

/* Waits (30 s at most) for the end of an attempt. */
const struct warden_result *warden_fixture_wait(struct warden_fixture *fixture,
                                                struct id128 attempt);
const struct warden_result *warden_fixture_run(struct warden_fixture *fixture,
                                               const struct warden_message *start);

/* Reads messages until `done` says so. */
void warden_fixture_until(struct warden_fixture *fixture, bool (*done)(struct warden_fixture *));

/* The log of an attempt without the time stamps: "O text\n..."; "" when there is none. */
const char *warden_fixture_log(struct warden_fixture *fixture, struct id128 attempt);

/* A file's content, or NULL; waits until it is there and not empty. */
const char *warden_fixture_file(struct warden_fixture *fixture, const char *path);
const char *warden_fixture_await_file(struct warden_fixture *fixture, const char *path);

int64_t warden_fixture_boottime_ms(void);
bool warden_fixture_is_alive(int64_t pid); /* a zombie is not */

#endif
