// SPDX-License-Identifier: Apache-2.0
/* schedulers - the worker's connections: it says everything to each scheduler, and the one that
 * leads answers. */
#ifndef HEADRACE_SCHEDULERS_H
#define HEADRACE_SCHEDULERS_H

#include "worker/shell/shell.h"

/* Opens a client for each address. The addresses were checked by schedulers_check. */
MUST_USE int schedulers_check(const struct conf *conf, struct err *err);
void schedulers_connect(struct worker_shell *shell);
void schedulers_close(struct worker_shell *shell);

/* To all that are connected. What does not get through is repeated by the next inventory. */
void schedulers_send(struct worker_shell *shell, struct message *message);
bool schedulers_any_up(const struct worker_shell *shell);

/* The snapshot of the core, to all. */
void schedulers_send_inventory(struct worker_shell *shell);

#endif
