// SPDX-License-Identifier: Apache-2.0
/* lead - takes the lease, keeps it, and steps down when it cannot be trusted any more.
 *
 * Standby: try, wait standby_poll, try again. Leading: recover, then renew each lease_renew; a
 * renewal that is late beyond the trusted time, a lost connection or a refused batch ends it, and
 * it is a standby again. */
#ifndef HEADRACE_LEAD_H
#define HEADRACE_LEAD_H

#include "scheduler/shell/shell.h"

struct lead *lead_new(struct shell *shell);
void lead_close(struct lead *lead, void (*done)(void *owner),
                void *owner); /* gives the lease back first */

/* The database is there (again). */
void lead_up(struct lead *lead);

/* Leadership is over: back to standby. */
void lead_lost(struct lead *lead);

#endif
