// SPDX-License-Identifier: Apache-2.0
/* errand - something small that is done beside the slots: one look for what a task waits for,
 * one delivery of a notification, or one test of a connection. The scheduler's core gives it, a
 * worker or a child of the scheduler runs it, many at once on one loop (headrace-task errands), and
 * its answer is an event of the core. Nothing about an errand is remembered by whoever runs it: one
 * that is lost is given again.
 *
 * errand_payload makes what an errand needs, rendered and self-contained; the two pairs of lines
 * are how a process of ours tells the helper about errands and hears of them. */
#ifndef HEADRACE_ERRAND_H
#define HEADRACE_ERRAND_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/model/context.h"

/* Numbers travel and never change. */
#define ERRANDS(ERRAND)                                                                            \
    ERRAND(FILE, 0, "file") /* is there such a file? */                                            \
    ERRAND(HTTP, 1, "http") /* is this request answered as expected? */                            \
    ERRAND(SQL, 2, "sql")   /* does this statement give a row? */                                  \
    ERRAND(                                                                                        \
        TASK, 3,                                                                                   \
        "task") /* does the database know that this task has succeeded? Of the scheduler alone */  \
    ERRAND(NOTIFY, 4, "notify") /* deliver this */                                                 \
    ERRAND(ASSET, 5,                                                                               \
           "asset") /* does the database know an update of this asset? Of the scheduler alone */   \
    ERRAND(CONNECT, 6, "connect") /* can this connection be opened? */

enum errand_kind {
#define ERRAND_ENUM(NAME, number, word) ERRAND_##NAME = (number),
    ERRANDS(ERRAND_ENUM)
#undef ERRAND_ENUM
        ERRAND_KIND_COUNT
};

enum errand_outcome {
    ERRAND_DONE = 0,        /* it is there; it is delivered */
    ERRAND_NOT_YET = 1,     /* not now: look or try again later */
    ERRAND_UNREACHABLE = 2, /* whoever would know or take it does not answer */
    ERRAND_HOPELESS = 3,    /* asked like this it will never be */
    ERRAND_OUTCOME_COUNT
};

struct errand {
    struct id128 id; /* of the attempt that waits, the notification, or the test */
    uint32_t number; /* rises with each errand of the same id: an answer to an earlier one says
                        nothing */
    enum errand_kind kind;
    struct str payload; /* JSON, one line; may hold secrets */
};

struct errand_answer {
    struct id128 id;
    uint32_t number;
    enum errand_outcome outcome;
    struct str output; /* JSON, or empty: what was found */
    struct str text;   /* why not, a sentence; or empty */
};

const char *errand_kind_name(enum errand_kind kind);
const char *errand_outcome_name(enum errand_outcome outcome);

/* For a look: the field of the task's wait_for that `kind` is named after. ERR_INVALID and the like
 * when it cannot be rendered, ERR_NOT_FOUND when there is no such connection. */
MUST_USE int errand_look(struct context *context, enum errand_kind kind, struct arena *arena,
                         struct str *out, struct err *err);

/* For a notification, from one mapping of on_failure: and the like: all fields rendered, {"email" |
 * "webhook" | "exec": ..., "subject", "message", "about": who and what}. `otherwise` is the message
 * when it names none. */
MUST_USE int errand_notification(struct context *context, const struct value *fields,
                                 const char *event, struct str otherwise, struct arena *arena,
                                 const struct value **out, struct err *err);

/* "ID NUMBER KIND PAYLOAD" and "ID NUMBER OUTCOME<tab>OUTPUT<tab>TEXT", each with its line end.
 * Reading borrows `line`, which has none; ERR_INVALID. */
void errand_write(const struct errand *errand, struct buf *out);
MUST_USE int errand_read(struct str line, struct errand *out);
void errand_answer_write(const struct errand_answer *answer, struct buf *out);
MUST_USE int errand_answer_read(struct str line, struct errand_answer *out);

#endif
