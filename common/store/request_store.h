// SPDX-License-Identifier: Apache-2.0
/* request_store - the asking side of the inbox: what a user wants goes in as a row, together with its audit row; what became
 * of it is read by its number. inbox.h is the leader's side. */
#ifndef HEADRACE_REQUEST_STORE_H
#define HEADRACE_REQUEST_STORE_H

#include "common/store/audit_store.h"

/* `body` is what request_write made. With an idempotency key (else empty) the same request gets the same number again; the
 * same key with another body is ERR_CONFLICT. */
void request_put(struct store *store, struct str body, struct str key, const struct audit *audit,
                 void (*on_end)(void *owner, int rc, int64_t request_no, const struct err *err), void *owner);

struct request_answer {
    int64_t request_no;
    int code;          /* 0 or an ERR_ number */
    struct str answer; /* JSON */
};

/* Those of `request_nos` that have been answered. */
void request_answers(struct store *store, const int64_t *request_nos, uint32_t count,
                     void (*on_answer)(void *owner, const struct request_answer *answer),
                     void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
