// SPDX-License-Identifier: Apache-2.0
/* job - what the verbs of headrace-task share: the payload on stdin, the output, the error that the
 * worker's warden reads.
 *
 * A failed task says "HEADRACE_ERROR Name: sentence" on stderr (HEADRACE_HARD_ERROR when a retry is
 * of no use) and exits 1; sdk/README.md is the contract. */
#ifndef HEADRACE_JOB_H
#define HEADRACE_JOB_H

#include "common/base/buf.h"
#include "common/text/value.h"

struct job {
    struct arena arena;
    const struct value *payload; /* a map */
    struct str input;            /* the payload's text */
};

enum { JOB_INPUT_MAX = 16 << 20 };

/* Reads the payload; on failure says so as job_fail does. 0 or 1. */
MUST_USE int job_begin(struct job *job);
void job_end(struct job *job);

/* A field of the payload, or the empty str; whatever type it has, as text. */
struct str job_text(struct job *job, const struct value *map, const char *name);

/* The same, zero-terminated; NULL when there is none or it is empty. */
const char *job_cstr(struct job *job, const struct value *map, const char *name);

/* Writes what becomes the task's output to $HEADRACE_OUTPUT. Without the variable (run by hand) it
 * goes to stdout. 0, or 1 after job_fail. */
MUST_USE int job_output(struct str text);

/* An error that is kept for who asks, not printed. */
struct job_failure {
    bool is_set, is_hard;
    char name[64];
    char sentence[500];
};

/* From now on errors go there; NULL: they are printed again. */
void job_capture(struct job_failure *failure);

/* Prints the error and returns 1, the exit status. */
int job_fail(const char *name, const char *fmt, ...) FORMAT(2, 3);
int job_fail_hard(const char *name, const char *fmt, ...) FORMAT(2, 3);

int sql_main(struct job *job);
int http_main(struct job *job);
int notify_main(struct job *job);
int connect_main(struct job *job);
int errands_main(void);

#endif
