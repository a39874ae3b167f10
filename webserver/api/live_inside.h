// SPDX-License-Identifier: Apache-2.0
/* live_inside - the parts of live: live.c has the clients and the ring, live_batch.c turns notes
 * into changes, live_marks.c looks for what nobody notes, live_holders.c whether who listens still
 * may. For these four alone. */
#ifndef HEADRACE_LIVE_INSIDE_H
#define HEADRACE_LIVE_INSIDE_H

#include "common/base/map.h"
#include "common/loop/timer.h"
#include "webserver/api/live.h"
#include "webserver/api/live_topic.h"

enum {
    COLLECT_MS = 100,
    PING_MS = 15000,
    MARKS_MS = 2000,
    SAMPLE_MS = 1000,
    WORKERS_EVERY_MS = 1000,
    RING_SIZE = 16384,
    LEFT_FOR_MS = 10000,      /* whoever went may come back: a page that is loaded again */
    NARROWED_FOR_MS = 60000,  /* then it asks again, and is narrowed to what it may read by then */
    TASKS_AT_ONCE_MAX = 2000, /* more for one stream: it reads everything again */
    PENDING_MAX = 50000,
    VERSIONS_MAX = 256,
    SAMPLES = 3,
};

/* One changed object, as it stands in an event. */
struct change {
    int64_t seq;
    enum topic_event event;
    struct str dag_id, run_id, json; /* one block, owned */
};

struct stream_client {
    struct stream_client *next, *prev;
    struct live *live;
    struct http_request *request;
    uint64_t number; /* never that of another one */
    struct topics topics;
    int64_t after; /* it has all up to this position */
    /* Of somebody who may not read every DAG. */
    bool is_narrowed;
    struct map dags; /* ids of those that it may */
    int64_t until_ms;
    /* What it came with: the hash of its secret and the role of its user. Empty: the owner's token,
     * which does not end. */
    struct str holder;
    bool is_asked_about;
    struct str person; /* whose it is */
};

/* The task ids of a DAG version: what notes call by number. */
struct version {
    int64_t version_no;
    struct arena arena;
    struct str *tasks;
    uint32_t count;
};

struct live {
    struct api *api;
    struct stream_client *first;
    uint64_t client_count; /* ever */
    int64_t left_ms;       /* when the last one went */
    struct timer flush_timer, ping_timer, marks_timer, sample_timer;
    int64_t seq, oldest_seq; /* what the ring can tell: everything after oldest_seq */
    int64_t samples[SAMPLES];
    struct change *ring; /* RING_SIZE */
    uint64_t ring_count; /* ever added */
    VEC(struct message_note) pending;
    struct map pending_index;
    bool is_overfull;
    /* The batch under way. */
    VEC(struct message_note) batch;
    const struct value *facts;
    struct arena batch_arena;
    bool is_busy, wants_workers, is_closing;
    int64_t workers_told_ms;
    VEC(struct version *) versions;
    struct map dag_marks; /* dag_id -> hash */
    char dags_mark[80], workers_mark[80], loads_mark[80];
    bool is_reading_marks, is_reading_holders;
    uint32_t resolving; /* topics whose attempt is being looked up, clients whose DAGs are */
    int open_timers;
    void (*done)(void *owner);
    void *done_owner;
};

/* Into the ring, as the position `seq`. Copies. */
void live_add(struct live *live, enum topic_event event, int64_t seq, struct str dag_id,
              struct str run_id, struct str json);

/* Brings every client up to date. */
void live_tell(struct live *live);

/* A look at what is pending, within COLLECT_MS. */
void live_wake(struct live *live);

/* A try was placed or runs: its log may be that of another attempt than before. */
void live_begins(struct live *live, struct str dag_id, struct str run_id, struct str task_id,
                 int32_t map_index);

/* Everything is to be read again by everybody. */
void live_reset(struct live *live);

/* The end of a client's stream; `client` is gone. */
void live_drop(struct stream_client *client);

/* live_holders.c: of `call`, in its arena. */
struct str live_holder(struct call *call);
/* Before it opens: true after a 429, when who asks listens to as many as they may. The client died
 * with the answer. */
bool live_refuse_one_more(struct stream_client *client, struct call *call);
void live_look_at_holders(struct live *live);

/* live_batch.c: what is pending, given names and told. */
void live_flush(struct live *live);
void live_forget_versions(struct live *live);

/* live_marks.c */
void live_look_at_marks(struct live *live);

#endif
