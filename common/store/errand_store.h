// SPDX-License-Identifier: Apache-2.0
/* errand_store - what waits and notifications ask of the database. What they write is part of
 * store_apply. */
#ifndef HEADRACE_ERRAND_STORE_H
#define HEADRACE_ERRAND_STORE_H

#include "common/model/record.h"
#include "common/store/store.h"

/* Whether the task of a run of this DAG with this logical date has succeeded; task_id empty: the
 * run itself. */
void store_task_succeeded(struct store *store, struct str dag_id, struct str task_id,
                          int64_t logical_ms, void (*on_end)(void *owner, int rc, bool succeeded),
                          void *owner);

/* Whether the asset was updated at or after that time. */
void store_asset_updated(struct store *store, struct str asset, int64_t since_ms,
                         void (*on_end)(void *owner, int rc, bool updated), void *owner);

/* Notifications that wait, and those about deadlines of live runs, oldest first: for recovery. One
 * whose payload cannot be unsealed comes as failed. */
void store_notifications_read(
    struct store *store, void (*on_notification)(void *owner, const struct notification_row *row),
    void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
