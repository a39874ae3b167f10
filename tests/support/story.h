// SPDX-License-Identifier: Apache-2.0
/* story - a scheduler core on a virtual clock, a database that commits at once, and workers that do
 * as they are told. What happens is written down as text: the trace is what a test compares.
 *
 *     [    0] run r1: none -> queued (requested by a user)
 *     [    0] a: none -> queued (given to a worker)
 *     [  120] a: queued -> failed (its process failed)
 *
 * Task names are followed by [map index] where there is one. Lines that begin with -> are messages,
 * when they are asked for. */
#ifndef HEADRACE_TESTS_STORY_H
#define HEADRACE_TESTS_STORY_H

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/vec.h"
#include "scheduler/core/core.h"
#include "tests/support/model_store.h"

struct story_attempt {
    struct id128 id;
    struct credit credit;
    int64_t run_no; /* 0: not known */
    char run[64], task[64];
    int32_t map_index;
    uint16_t try_no;
    bool ended, told_kill;
    struct result result;
    char command[256]; /* argv's last */
};

struct story_worker {
    char name[32], queues[64];
    uint32_t slots;
    uint64_t incarnation, epoch, next_seq;
    VEC(uint64_t) open;
    VEC(struct story_attempt) attempts;
    bool draining, stopped, leaving;
    struct machine_load load;
};

struct story_errand {
    struct id128 id;
    uint32_t number;
    enum errand_kind kind;
    char worker[32]; /* empty: the scheduler's own */
    char payload[1024];
};

struct story {
    struct core *core;
    struct core_limits limits;
    int64_t now_ms, wall_ms;
    uint64_t epoch;
    int64_t stamp; /* of inventories: rises with each */
    struct buf trace;
    bool show_sends;   /* messages too */
    bool hold_commits; /* story_commit says when */
    uint64_t pending;  /* batch that waits for it; 0 = none */
    bool answers_finds;
    bool hold_finds; /* the database answers questions only when story_answer says so */
    bool lose_grants;
    bool commits_may_be_lost; /* what the next takeover says */
    int64_t request_no;
    VEC(struct core_find) finds; /* not answered yet */
    uint32_t find_count;         /* all that were asked */
    VEC(struct story_worker *) workers;
    VEC(struct dag *) dags; /* by dag_no - 1: copies of the newest versions */
    int64_t version_no;
    struct map states; /* of instances, for the "from" of a line */
    struct model_store store;
    int answer_code;
    char answer[512];
    VEC(struct story_errand) errands; /* given and not answered */
    char scale[256];                  /* the last SEND_SCALE */
    uint32_t scale_wanted;
    struct arena arena;
};

#define STORY_WALL 1767225600000 /* 2026-01-01T00:00:00Z, at [0] */

struct story *story_new(void); /* with limits for small stories */
struct story *story_new_with(const struct core_limits *limits);
struct core_limits story_limits(void);
void story_free(struct story *story);

void story_dag(struct story *story,
               struct dag *dag); /* taken; its dag_no is the order of coming, from 1 */
void story_dag_paused(struct story *story, struct dag *dag);
void story_dag_gone(struct story *story, int32_t dag_no);
void story_autoscale(struct story *story, const char *queue, uint32_t min, uint32_t max,
                     uint32_t slots, int64_t quiet_ms, uint32_t present);
void story_event(struct story *story, struct core_event event); /* any; the times are set here */
void story_pool(struct story *story, const char *name, int32_t slots);
struct story_worker *story_worker(struct story *story, const char *name,
                                  uint32_t slots); /* of queue default, and synced */
struct story_worker *story_worker_of(struct story *story, const char *name, uint32_t slots,
                                     const char *queues);
void story_file(struct story *story, int32_t dag_no, struct id128 content,
                const char *path); /* of 5 bytes; found */
void story_trigger(struct story *story, const char *dag_id, const char *run_id);
void story_request(struct story *story, struct request request);
void story_request_json(struct story *story, const char *json);

/* The attempt of a task that is on a worker; `task` may be "t[3]". Asserts that there is one. */
struct story_attempt *story_attempt(struct story *story, const char *task);
bool story_is_placed(struct story *story, const char *task);
void story_starts(struct story *story, const char *task);
void story_ends(struct story *story, const char *task, enum outcome outcome, int exit_code);
void story_succeeds(struct story *story, const char *task);
void story_outputs(struct story *story, const char *task,
                   const char *json); /* succeeds with an output */
void story_result(struct story *story, const char *task, struct result result);
void story_inventory(struct story *story, struct story_worker *worker);

/* The first errand whose payload holds `text`; NULL: there is none. Answering takes it away. */
struct story_errand *story_errand(struct story *story, const char *text);
void story_answers(struct story *story, const char *text, enum errand_outcome outcome,
                   const char *output, const char *why);
void story_database_answers(struct story *story); /* to all that ask it about tasks */
/* "on_failure webhook https://h: pending", one a line, of all notifications. */
const char *story_notifications(struct story *story);

void story_wait(struct story *story,
                int64_t ms); /* lets timers fire on the way; workers report every 5 s */
void story_commit(struct story *story);
void story_answer(struct story *story);

/* Leads anew, with rows as the store would give them back. */
void story_takeover(struct story *story);
void story_takeover_silently(struct story *story); /* no worker has reported yet */

const char *story_trace(struct story *story); /* since the last call */
const char *story_why(struct story *story, const char *run_id, uint32_t task, int32_t map_index);
enum task_state story_state(struct story *story, const char *task); /* of the newest run */
struct str story_output(struct story *story, const char *task);

#define TRACE(story, expected)                                                                     \
    do {                                                                                           \
        const char *trace = story_trace(story);                                                    \
        if (strcmp(trace, (expected)) != 0)                                                        \
            fail_msg("the trace is\n%s\nand not\n%s", trace, (expected));                          \
    } while (0)

#endif
