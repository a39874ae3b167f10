// SPDX-License-Identifier: Apache-2.0
/* recover - rows to events: everything a new leader must know, and what changed at a user's wish.
 */
#ifndef HEADRACE_SHELL_RECOVER_H
#define HEADRACE_SHELL_RECOVER_H

#include "common/store/recover.h"
#include "scheduler/shell/shell.h"

/* Reads all; ends with shell_led, or with shell_unlead when it failed. */
void recover_start(struct shell *shell);

/* "variables" or "connections": reads them again, then on_end, also when it failed. Anything else
 * ends at once. */
void recover_reload(struct shell *shell, struct str what, void (*on_end)(void *owner), void *owner);

/* One DAG version to the core. A version that cannot be read is logged, and its runs stay where
 * they are. */
void recover_dag(struct shell *shell, const struct recovered_dag *row);

#endif
