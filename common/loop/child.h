// SPDX-License-Identifier: Apache-2.0
/* child - a process of our own programs, supervised: compile children, the parts of `headrace
 * standalone`, the commands of an autoscaling provider. Not for tasks: those belong to the warden.
 */
#ifndef HEADRACE_CHILD_H
#define HEADRACE_CHILD_H

#include "common/loop/loop.h"

enum child_output { CHILD_INHERIT, CHILD_NULL, CHILD_PIPE };

struct child_options {
    const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH when it has no slash */
    const char *const *env;  /* "NAME=value", ends with NULL; NULL = ours */
    const char *cwd;         /* NULL = ours */
    struct str input;        /* given on stdin, which then ends; empty = /dev/null */
    bool keep_input;         /* stdin stays open for child_write */
    enum child_output out, err;
    bool own_session; /* setsid: a terminal's Ctrl-C does not reach it */
};

struct child_handles;

struct child {
    struct child_handles *handles; /* outlive a failed child_open */
    void *owner;
    /* `fd` is 1 or 2; borrowed bytes; size 0 = this pipe has ended. */
    void (*on_output)(struct child *child, int fd, struct str bytes);
    /* exit_status when signum is 0. Output that is still in the pipes comes later; a grandchild may
     * hold them open. */
    void (*on_exit)(struct child *child, int exit_status, int signum);
    void (*done)(void *owner);
    int pid; /* 0 after the end */
    bool own_session;
};

/* Borrows `options`. on_output may be NULL without CHILD_PIPE. On failure (the program is not
 * there, ...) nothing is to be closed. */
MUST_USE int child_open(struct child *child, struct loop *loop, const struct child_options *options,
                        void (*on_exit)(struct child *child, int exit_status, int signum),
                        void (*on_output)(struct child *child, int fd, struct str bytes),
                        void *owner, struct err *err);

/* Does not kill: a child that still runs goes on, unwatched, and its end is not collected. Its
 * pipes are closed. */
void child_close(struct child *child, void (*done)(void *owner));

/* More for its stdin, with keep_input; copied. No effect when it has ended already. */
void child_write(struct child *child, struct str bytes);

/* No effect when it has ended already. */
void child_kill(struct child *child, int signum);

#endif
