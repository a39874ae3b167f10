// SPDX-License-Identifier: Apache-2.0
/* request_store - the asking side of the inbox: what a user wants goes in as a row, together with
 * its audit row; what became of it is read by its number. inbox.h is the leader's side. */
#ifndef HEADRACE_REQUEST_STORE_H
#define HEADRACE_REQUEST_STORE_H

#include "common/base/id.h"
#include "common/model/state.h"
#include "common/store/audit_store.h"

/* Makes a repeated request one: under the same `key` (empty: none), the same `sent` gets the same
 * number again, and another is ERR_CONFLICT. `sent` is what the client sent: the body of the
 * request may hold what we made up, such as the id of a run. */
struct request_key {
    struct str key, sent;
};

/* `body` is what request_write made. `is_led`: whether a scheduler held the lease just then. */
void request_put(struct store *store, struct str body, const struct request_key *key,
                 const struct audit *audit,
                 void (*on_end)(void *owner, int rc, int64_t request_no, bool is_led,
                                const struct err *err),
                 void *owner);

struct request_answer {
    int64_t request_no;
    int code;          /* 0 or an ERR_ number */
    struct str answer; /* JSON */
};

/* Those of `request_nos` that have been answered. */
void request_answers(struct store *store, const int64_t *request_nos, uint32_t count,
                     void (*on_answer)(void *owner, const struct request_answer *answer),
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* The note of a run, or (task_id not empty) of the newest row of an instance. ERR_NOT_FOUND. */
void note_put(struct store *store, struct str dag_id, struct str run_id, struct str task_id,
              int32_t map_index, struct str note, const struct audit *audit,
              void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* The attempts of one try of an instance, newest first (try_no below 0: of the newest try). */
struct attempt_row {
    struct id128 attempt;
    int32_t try_no;
    enum task_state state;
    bool has_ended;
    int64_t queued_ms;
};

/* ERR_NOT_FOUND: there is no such instance. `count` 0: it was never started. */
void attempts_read(struct store *store, struct str dag_id, struct str run_id, struct str task_id,
                   int32_t map_index, int32_t try_no,
                   void (*on_end)(void *owner, int rc, const struct attempt_row *rows,
                                  uint32_t count, const struct err *err),
                   void *owner);

#endif
