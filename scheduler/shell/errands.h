// SPDX-License-Identifier: Apache-2.0
/* errands - those that this scheduler runs itself: questions to the database, and deliveries of
 * notifications by a helper process (common/helper), so that nobody who does not answer holds it
 * up. */
#ifndef HEADRACE_SHELL_ERRANDS_H
#define HEADRACE_SHELL_ERRANDS_H

#include "scheduler/shell/shell.h"

struct errands *errands_new(struct shell *shell);
void errands_close(struct errands *errands, void (*done)(void *owner), void *owner);

void errands_run(struct errands *errands, const struct errand *items, uint32_t count);

#endif
