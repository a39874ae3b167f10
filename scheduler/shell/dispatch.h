// SPDX-License-Identifier: Apache-2.0
/* dispatch - messages out: what the core sends becomes a message to a worker or a wish to a
 * provider. */
#ifndef HEADRACE_DISPATCH_H
#define HEADRACE_DISPATCH_H

#include "scheduler/shell/shell.h"

/* A message that cannot be sent (its worker is gone, its queue full) is dropped: the core sends
 * again when the worker's next inventory shows that it did not arrive. */
void dispatch_send(struct shell *shell, const struct core_send *send);

#endif
