// SPDX-License-Identifier: Apache-2.0
/* warden - owns the children of one worker: starts them, watches them, keeps their deadlines, kills
 * their trees, keeps their results until the worker has them. Single-threaded, one epoll. Outlives
 * its worker; when it dies itself, its children die with it, and the next warden reports their
 * attempts as lost.
 *
 * It ends when it was told to stop and nothing runs, or when for WARDEN_ALONE_MS it had neither
 * worker nor children. */
#ifndef HEADRACE_WARDEN_H
#define HEADRACE_WARDEN_H

#include "worker/warden/attempt.h"
#include "worker/warden/ledger.h"
#include "worker/warden/session.h"

enum { WARDEN_SLOTS_MAX = 10000, WARDEN_ALONE_MS = 10000 };

struct warden_options {
    const char *spool;
    bool no_cgroup;   /* walk /proc even where there are control groups */
    int64_t alone_ms; /* 0 = WARDEN_ALONE_MS */
};

/* Runs until its end: 0, or a negative code. ERR_EXISTS when the spool has a warden. */
MUST_USE int warden_run(const struct warden_options *options, struct err *err);

#endif
