// SPDX-License-Identifier: Apache-2.0
/* scale - the provider `process`: workers as processes of this host, so many as the core wants for
 * each queue.
 *
 * A worker outlives its scheduler: each has a file $HEADRACE_HOME/run/workers/NAME with its pid and
 * start time, by which the next scheduler finds it again. Scale-in is the core's: it drains and
 * stops a worker by message; here its end is noticed. A worker that dies unasked is started anew
 * with a growing pause, and the core is told that the provider is failing. */
#ifndef HEADRACE_SCALE_H
#define HEADRACE_SCALE_H

#include "scheduler/shell/shell.h"

/* Finds the workers that are there. */
struct scale *scale_new(struct shell *shell);
/* Leaves the workers running. */
void scale_close(struct scale *scale, void (*done)(void *owner), void *owner);

/* Tells the core the limits of each queue and what is present: at the start of leading. */
void scale_report(struct scale *scale);

void scale_want(struct scale *scale, struct str queue, uint32_t wanted, struct str reason);

#endif
