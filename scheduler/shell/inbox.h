// SPDX-License-Identifier: Apache-2.0
/* inbox - requests of users, from their rows to the core, one after the other in the order of their
 * numbers. Looked at when a web server nudges, and now and then without. */
#ifndef HEADRACE_SHELL_INBOX_H
#define HEADRACE_SHELL_INBOX_H

#include "scheduler/shell/shell.h"

struct inbox *inbox_new(struct shell *shell);
void inbox_close(struct inbox *inbox, void (*done)(void *owner), void *owner);

void inbox_look(struct inbox *inbox);

/* The batch that answers it is committed. */
void inbox_answered(struct inbox *inbox, int64_t request_no);

/* Leadership is over: what is in hand belongs to the next leader. */
void inbox_forget(struct inbox *inbox);

#endif
