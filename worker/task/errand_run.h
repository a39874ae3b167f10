// SPDX-License-Identifier: Apache-2.0
/* errand_run - errands under way in one process: looks for files, for answers of HTTP, for rows of
 * SQL, and deliveries of notifications. Nothing here waits: each kind has a begin, something to
 * watch, and a step.
 *
 * errands.c is the loop; errand_http.c, errand_sql.c and errand_child.c are what it runs. */
#ifndef HEADRACE_ERRAND_RUN_H
#define HEADRACE_ERRAND_RUN_H

#include "common/base/vec.h"
#include "common/model/errand.h"
#include "worker/task/request.h"
#include "worker/task/sql.h"

#include <poll.h>

enum { ERRAND_LIMIT_MS = 30000, ERRAND_OUTPUT_MAX = 256 << 10 };

struct errand_run {
    struct errand errand;
    char *text; /* that the errand's payload stands in */
    struct job job;
    int64_t until_ms;
    /* http */
    struct request request;
    struct transfer transfer;
    struct answer answer;
    /* sql */
    struct sql sql;
    PostgresPollingStatusType polling;
    bool is_sent, is_found, has_value;
    /* a process */
    int pid, fd;
    struct buf said;
};

struct errand_loop;

/* Writes the answer; the run is over. `output` is JSON or empty. */
void errand_answer(struct errand_loop *loop, struct errand_run *run, enum errand_outcome outcome,
                   struct str output, const char *fmt, ...) FORMAT(5, 6);

/* The answer that a captured failure makes. */
void errand_fail(struct errand_loop *loop, struct errand_run *run,
                 const struct job_failure *failure);

int64_t errand_now_ms(void);

/* True: it goes on. False: it is answered. */
bool errand_http_begin(struct errand_loop *loop, struct errand_run *run, CURLM *multi);
void errand_http_end(struct errand_loop *loop, struct errand_run *run, CURLM *multi, CURLcode code);
void errand_http_drop(struct errand_run *run, CURLM *multi);

bool errand_sql_begin(struct errand_loop *loop, struct errand_run *run);
short errand_sql_watch(const struct errand_run *run, int *out_fd);
bool errand_sql_step(struct errand_loop *loop, struct errand_run *run);

bool errand_child_begin(struct errand_loop *loop, struct errand_run *run);
bool errand_child_step(struct errand_loop *loop, struct errand_run *run);

void errand_file(struct errand_loop *loop, struct errand_run *run);

#endif
