// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/hasher.h"

#include "common/base/assert.h"
#include "common/loop/work.h"

#include <sodium.h>

enum { HASHES_AT_ONCE = 2, HASHES_WAITING = 32 };

struct hash_job {
    struct work work;
    struct hash_job *next;
    struct hasher *hasher;
    char password[PASSWORD_MAX + 1];
    size_t password_size;
    char hash[STORE_PASSWORD_HASH_SIZE]; /* to check; empty: make one */
    bool fits;
    int rc;
    struct err err;
    char new_hash[STORE_PASSWORD_HASH_SIZE];
    void *owner;
    void (*on_end)(void *owner, const struct hash_result *result);
};

static void run_job(struct work *work)
{
    struct hash_job *job = work->owner;
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

static void on_closed(struct defer *defer)
{
    struct hasher *hasher = defer->owner;
    hasher->done(hasher->done_owner);
}

static void check_closed(struct hasher *hasher)
{
    if (hasher->is_closing && hasher->running == 0 && hasher->waiting == 0)
        defer_call(&hasher->closed, hasher->loop, on_closed, hasher);
}

static void start_jobs(struct hasher *hasher);

static void on_job(struct work *work)
{
    struct hash_job *job = work->owner;
    struct hasher *hasher = job->hasher;
    struct hash_result result = { job->rc, job->fits, str_of(job->new_hash), &job->err };
    hasher->running--;
    job->on_end(job->owner, &result);
    sodium_memzero(job->password, sizeof job->password);
    free(job);
    start_jobs(hasher);
    check_closed(hasher);
}

static void start_jobs(struct hasher *hasher)
{
    while (hasher->first != NULL && hasher->running < HASHES_AT_ONCE) {
        struct hash_job *job = hasher->first;
        hasher->first = job->next;
        if (hasher->first == NULL)
            hasher->last = NULL;
        hasher->waiting--;
        hasher->running++;
        loop_work(hasher->loop, &job->work, run_job, on_job, job);
    }
}

static bool add_job(struct hasher *hasher, struct str password, struct str hash,
                    void (*on_end)(void *owner, const struct hash_result *result), void *owner)
{
    ASSERT(password.size <= PASSWORD_MAX);
    if (hasher->waiting >= HASHES_WAITING || hasher->is_closing)
        return false;
    struct hash_job *job = calloc(1, sizeof *job);
    ASSERT(job != NULL);
    ASSERT(hash.size < sizeof job->hash);
    job->hasher = hasher;
    memcpy(job->password, password.bytes, password.size);
    job->password_size = password.size;
    memcpy(job->hash, hash.bytes, hash.size);
    job->on_end = on_end;
    job->owner = owner;
    if (hasher->last != NULL)
        hasher->last->next = job;
    else
        hasher->first = job;
    hasher->last = job;
    hasher->waiting++;
    start_jobs(hasher);
    return true;
}

void hasher_open(struct hasher *hasher, struct loop *loop)
{
    *hasher = (struct hasher) { .loop = loop };
}

void hasher_close(struct hasher *hasher, void (*done)(void *owner), void *owner)
{
    hasher->is_closing = true;
    hasher->done = done;
    hasher->done_owner = owner;
    check_closed(hasher);
}

bool hasher_make(struct hasher *hasher, struct str password,
                 void (*on_end)(void *owner, const struct hash_result *result), void *owner)
{
    return add_job(hasher, password, STR_EMPTY, on_end, owner);
}

bool hasher_check(struct hasher *hasher, struct str password, struct str hash,
                  void (*on_end)(void *owner, const struct hash_result *result), void *owner)
{
    ASSERT(hash.size > 0);
    return add_job(hasher, password, hash, on_end, owner);
}
