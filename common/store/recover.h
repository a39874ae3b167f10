// SPDX-License-Identifier: Apache-2.0
/* recover - reads back all that a leader decides on. After store_lease_try gave the lease, nobody
 * else writes it.
 *
 * The calls come in the order of the struct: numbers first, DAG versions before the runs that began
 * with them, on_end last. Runs come in portions, so that a long list does not stand in memory
 * twice. Each callback may be NULL. */
#ifndef HEADRACE_RECOVER_H
#define HEADRACE_RECOVER_H

#include "common/model/record.h"
#include "common/store/vault.h"

struct recovered_numbers {
    int64_t wall_ms;     /* the database's clock */
    int64_t run_no_next; /* of the day of wall_ms */
    int64_t worker_no_next;
    int64_t event_no_next; /* of asset events */
};

struct recovered_dag {
    int32_t dag_no;
    int64_t version_no;
    struct str dag_id;
    struct str path;
    struct str ir;  /* dag_from_json reads it */
    bool is_newest; /* else a live run began with it */
    bool is_stale;  /* its file is gone: no new runs */
    bool is_paused;
    bool has_last;
    int64_t last_fire_ms;
};

/* Also workers that are gone: a known identity keeps its number. */
struct recovered_worker {
    int64_t worker_no;
    struct str worker; /* identity */
    struct str name;
    enum worker_state state;
    uint64_t incarnation;
};

struct recover_handler {
    void (*on_numbers)(void *owner, const struct recovered_numbers *numbers);
    void (*on_dag)(void *owner, const struct recovered_dag *dag);
    void (*on_pool)(void *owner, const struct pool_row *pool);
    void (*on_variable)(void *owner, const struct variable_row *variable);
    void (*on_connection)(void *owner, const struct connection_row *connection);
    void (*on_worker)(void *owner, const struct recovered_worker *worker);
    void (*on_asset)(void *owner, const struct recovered_event *event);
    void (*on_backfill)(void *owner, const struct recovered_backfill *backfill);
    void (*on_run)(void *owner,
                   const struct recovered_run *run); /* with the newest row of each instance */
    void (*on_end)(void *owner, int rc, const struct err *err);
    void (*on_notification)(
        void *owner, const struct notification_row *row); /* after the runs; see errand_store.h */
    /* How long the last twenty successful runs took, the oldest first, of DAGs whose deadline is a
     * percentile of that; before the runs. */
    void (*on_length)(void *owner, int32_t dag_no, int64_t length_ms);
};

/* `handler` is kept until on_end. */
void store_recover(struct store *store, const struct recover_handler *handler, void *owner);

/* One DAG version, for a run that is cleared with another version than is loaded. ERR_NOT_FOUND. */
void store_dag_version_read(struct store *store, int64_t version_no,
                            void (*on_end)(void *owner, int rc, const struct recovered_dag *dag,
                                           const struct err *err),
                            void *owner);

/* One run that has ended, with its tries, outputs and expansions: a request wants to clear or mark
 * it. ERR_NOT_FOUND. */
void store_run_read(struct store *store, struct str dag_id, struct str run_id,
                    void (*on_end)(void *owner, int rc, const struct recovered_run *run,
                                   const struct err *err),
                    void *owner);

/* Likewise the latest run of a DAG whose logical date is not after `logical_ms`; of scheduled ones
 * only, if `scheduled`. */
void store_run_before(struct store *store, int32_t dag_no, int64_t logical_ms, bool scheduled,
                      void (*on_end)(void *owner, int rc, const struct recovered_run *run,
                                     const struct err *err),
                      void *owner);

#endif
