// SPDX-License-Identifier: Apache-2.0
/* hasher - passwords, made into argon2id texts and compared with them, off the loop.
 *
 * Each takes 50 ms and 64 MiB: two at once, and a short queue, so that a flood of sign-ins costs
 * neither the machine nor those who are signed in. */
#ifndef HEADRACE_HASHER_H
#define HEADRACE_HASHER_H

#include "common/loop/loop.h"
#include "common/store/owner.h"

struct hash_job;

struct hasher {
    struct loop *loop;
    struct hash_job *first, *last; /* waiting for a thread */
    uint32_t waiting, running;
    bool is_closing;
    struct defer closed;
    void (*done)(void *owner);
    void *done_owner;
};

struct hash_result {
    int rc;
    bool fits;
    struct str new_hash; /* the one that was made; of a check: one of today's cost, or empty */
    const struct err *err;
};

enum { PASSWORD_MIN = 12, PASSWORD_MAX = 1024 };

void hasher_open(struct hasher *hasher, struct loop *loop);
void hasher_close(struct hasher *hasher, void (*done)(void *owner), void *owner);

/* Both copy PASSWORD_MAX bytes at most; `result` dies when on_end returns. False, without on_end,
 * when too many wait. */
MUST_USE bool hasher_make(struct hasher *hasher, struct str password,
                          void (*on_end)(void *owner, const struct hash_result *result),
                          void *owner);
MUST_USE bool hasher_check(struct hasher *hasher, struct str password, struct str hash,
                           void (*on_end)(void *owner, const struct hash_result *result),
                           void *owner);

#endif
