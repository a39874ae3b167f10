// SPDX-License-Identifier: Apache-2.0
/* fake_scheduler - a scheduler and a log intake in the test's own process, opposite a real
 * headrace-worker: it hears inventories, grants, acknowledges, and keeps the logs. Decides nothing
 * by itself but to acknowledge what it is told to. */
#ifndef HEADRACE_FAKE_SCHEDULER_H
#define HEADRACE_FAKE_SCHEDULER_H

#include "common/base/vec.h"
#include "common/wire/wire.h"

#include <sys/types.h>

struct fake_log {
    struct id128 attempt;
    struct buf text;
    bool complete;
    uint32_t chunks;
};

struct fake_result {
    struct id128 attempt;
    bool ended;
    uint32_t started; /* STARTED messages */
    uint64_t incarnation;
    struct result result;
};

struct fake_scheduler {
    struct loop *loop;
    struct wire *wire;
    struct wire_server *server, *intake;
    char home[64];
    char worker[64]; /* its identity */
    struct arena arena;
    uint64_t epoch, next_id;
    struct message_inventory inventory; /* the last; its attempts are in `results` */
    uint32_t inventories;
    VEC(uint64_t) open;
    VEC(struct fake_result) results; /* all that was ever heard of */
    VEC(struct id128) listed;        /* by the last inventory */
    VEC(struct fake_log) logs;
    bool acknowledges, takes_logs;
    int64_t credit_ttl_ms, lease_ms;
    pid_t pid; /* of the worker */
};

void fake_scheduler_open(struct fake_scheduler *fake);
void fake_scheduler_close(struct fake_scheduler *fake); /* ends worker and warden */

/* Starts a worker; `flag` (may be NULL) is one more. */
void fake_scheduler_launch(struct fake_scheduler *fake, const char *flag);

/* SIGKILL, or another signal, and its exit status as waitpid gives it. */
int fake_scheduler_end_worker(struct fake_scheduler *fake, int signum);
pid_t fake_scheduler_warden(struct fake_scheduler *fake); /* of our spool; 0 = none */

/* Runs the loop until `done` (a minute at most, then the test fails with `what`). */
void fake_scheduler_until(struct fake_scheduler *fake, bool (*done)(struct fake_scheduler *fake),
                          const char *what);
void fake_scheduler_turn(struct fake_scheduler *fake, int64_t ms);

/* Grants a shell script under an open credit (waits for one). */
struct id128 fake_scheduler_grant(struct fake_scheduler *fake, const char *script);
void fake_scheduler_send(struct fake_scheduler *fake, struct message *message);
void fake_scheduler_ack(struct fake_scheduler *fake, struct id128 attempt);

struct fake_result *fake_scheduler_find(struct fake_scheduler *fake,
                                        struct id128 attempt); /* NULL: never heard */
const struct result *fake_scheduler_wait(struct fake_scheduler *fake, struct id128 attempt);
bool fake_scheduler_lists(const struct fake_scheduler *fake, struct id128 attempt);
struct fake_log *fake_scheduler_log(struct fake_scheduler *fake, struct id128 attempt);
const struct fake_log *fake_scheduler_wait_log(struct fake_scheduler *fake,
                                               struct id128 attempt); /* until it is complete */

#endif
