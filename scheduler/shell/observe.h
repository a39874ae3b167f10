// SPDX-License-Identifier: Apache-2.0
/* observe - what the scheduler says of itself: its figures as metrics, asked for by web servers,
 * and once a minute (and at its end) as one line of the log. Decides nothing and is asked by nobody
 * of this room what to do. */
#ifndef HEADRACE_OBSERVE_H
#define HEADRACE_OBSERVE_H

#include "scheduler/shell/shell.h"

struct observe *observe_new(struct shell *shell);           /* also sets shell->metrics */
void observe_step(struct observe *observe, double seconds); /* an event was dealt with */
void observe_renewed(struct observe *observe);              /* the lease was */
void observe_notes(struct observe *observe, const struct core_note *notes, uint32_t count);

/* Brings the core's figures into shell->metrics; observe_render does so too. */
void observe_refresh(struct observe *observe);

/* Prometheus text; headrace_ is headrace_scheduler_ in it. */
void observe_render(struct observe *observe, struct buf *out);

/* Frees it and the metrics, which nobody may use any more. */
void observe_close(struct observe *observe, void (*done)(void *owner), void *owner);

#endif
