// SPDX-License-Identifier: Apache-2.0
/* inside - what the files of this room share and nobody else sees: a transaction's steps, dialling,
 * errors. */
#ifndef HEADRACE_PG_INSIDE_H
#define HEADRACE_PG_INSIDE_H

#include "common/base/rand.h"
#include "common/loop/poll.h"
#include "common/loop/timer.h"
#include "common/loop/work.h"
#include "common/pg/pg.h"
#include "common/pg/pg_tx.h"

#include <libpq-fe.h>

/* ---- transactions ---------------------------------------------------------------------------- */

/* A session begins with a transaction of its own, of steps that prepare and describe every
 * statement. */
enum step_type { STEP_STATEMENT, STEP_PREPARE, STEP_DESCRIBE, STEP_TEXT, STEP_KEEP };

struct step {
    enum step_type type;
    uint32_t statement;
    const char *text;          /* of STEP_TEXT; kept */
    char *owned_text;          /* of pg_tx_add_text and of STEP_KEEP; freed with the transaction */
    bool is_kept, is_prepared; /* of pg_tx_add_kept: `statement` is its index among the kept */
    struct pg_params params;
    void (*on_result)(void *owner, const struct pg_result *result);
    void (*on_rows)(void *owner, const struct pg_result *rows);
    void *owner;
    bool is_guarded;
    int64_t expected_rows;
};

struct pg_tx {
    struct pg_tx *next;
    VEC(struct step) steps;
    PGresult **results; /* one a step */
    uint32_t cursor;    /* the step whose answer comes next; steps.count: the Sync */
    bool is_sent, is_in_doubt;
    int64_t sent_ms;
    void (*on_end)(void *owner, const struct pg_outcome *outcome);
    void *owner;
    int rc;
    int32_t failed_index;
    char sqlstate[6];
    struct err err;
};

struct step *pg_tx_step(struct pg_tx *tx, enum step_type type);

/* Marks the failure; the first one counts. */
void pg_tx_fail(struct pg_tx *tx, int32_t index, const char *statement, const PGresult *result);

/* Calls back and frees. */
void pg_tx_deliver(struct pg_tx *tx);

/* ---- errors ---------------------------------------------------------------------------------- */

/* Fills `err` from a failed answer and gives its code. `doing` names the statement. */
int pg_error_of_result(struct err *err, const char *doing, const PGresult *result);
/* The same of a connection, whose message comes in several lines. */
int pg_error_of_conn(struct err *err, const char *doing, const PGconn *conn);

/* ---- dialling -------------------------------------------------------------------------------- */

/* libpq's descriptor in the loop. On the heap: libuv needs it a little longer than libpq. */
struct pg_socket;
MUST_USE int pg_socket_open(struct pg_socket **out, struct loop *loop, int fd,
                            void (*on_ready)(void *owner, int ready), void *owner, struct err *err);
void pg_socket_close(struct pg_socket *socket); /* before PQfinish; NULL allowed */
void pg_socket_want(struct pg_socket *socket, int wanted);

/* Parsed connection parameters with our own defaults and, for names, the addresses that were found.
 */
struct pg_target {
    struct arena arena;
    const char **keywords, **values; /* end with NULL */
};

MUST_USE int pg_target_check(const char *conninfo, struct err *err);
bool pg_target_has_names(const char *conninfo);

/* May wait for the resolver. ERR_DB_CONNECTION when no host can be found. Clear the arena in any
 * case. */
MUST_USE int pg_target_resolve(struct pg_target *target, const char *conninfo,
                               const char *application_name, struct err *err);

/* "SELECT set_config(...), ...": the session settings. */
struct str pg_session_sql(struct arena *arena, int64_t statement_timeout_ms,
                          int64_t lock_timeout_ms);

/* ---- texts that come again (pg_kept.c) ------------------------------------------------------- */

enum { PG_KEPT_MAX = 64, PG_SEEN_MAX = 256, PG_KEPT_NAME_SIZE = 16 };

struct pg_kept {
    uint64_t hash;
    char *text;
    bool is_ready;
};

struct pg_keeper {
    struct pg_kept kept[PG_KEPT_MAX]; /* of this session; the index is part of the name */
    uint32_t count;
    uint64_t seen[PG_SEEN_MAX]; /* hashes of texts that came once, each at its place */
};

/* Sets is_prepared when the text is. Else it is sent as it is; when it has come before, it is
 * prepared for the next time, which may find the connection broken. */
void pg_keep(struct pg *pg, struct step *step);
void pg_kept_clear(struct pg *pg); /* the session has ended */
void pg_kept_name(uint32_t index, char name[PG_KEPT_NAME_SIZE]);

/* ---- the connection -------------------------------------------------------------------------- */

struct pg {
    struct loop *loop;
    struct pg_options options;
    char *conninfo;
    enum pg_state state;

    struct work resolving;
    struct pg_target target;
    int resolve_rc;
    struct err resolve_err;
    PGconn *conn;
    struct pg_socket *socket;
    int64_t dial_began_ms, heard_ms;

    struct pg_tx *first, *last;             /* sent, in order of their answers */
    struct pg_tx *ended_first, *ended_last; /* to be called back by `deliver` */
    uint32_t in_flight;
    struct arena session; /* texts of the session's first transaction */
    struct pg_keeper keeper;
    uint32_t **types; /* of each statement: count, then oids; NULL until described */
    VEC(const char *) channels;

    struct defer deliver;
    bool tell_down, is_finishing;
    struct err down_err;
    struct timer retry, tick;
    int64_t backoff_ms;
    struct rand rand;

    void (*done)(void *owner);
    void *done_owner;
    int open_count;
    struct metric *committed, *failed, *unknown, *connects, *in_flight_gauge, *seconds;
};

/* Ends of transactions: counted, and called back from pg_on_deliver, never at once. */
void pg_count_end(struct pg *pg, const struct pg_tx *tx);
void pg_end_later(struct pg *pg, struct pg_tx *tx);
void pg_set_in_flight(struct pg *pg, uint32_t count);
void pg_on_deliver(struct defer *defer);

/* Goes down: what was sent and not answered ends as unknown, the next try is scheduled. No effect
 * when it is down. */
void pg_break_off(struct pg *pg, const struct err *why);
void pg_break_with(struct pg *pg, const char *sentence);
void pg_check_alive(struct pg *pg); /* goes down if libpq says that the connection is lost */

/* Coming up. */
void pg_dial(struct pg *pg);
void pg_advance_dial(struct pg *pg);
void pg_add_listen(struct pg *pg, struct pg_tx *tx, const char *channel);

/* Sending and answers. */
void pg_send_now(struct pg *pg, struct pg_tx *tx);
void pg_flush(struct pg *pg);
void pg_on_io(void *owner, int ready);

#endif
