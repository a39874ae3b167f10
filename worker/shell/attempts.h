// SPDX-License-Identifier: Apache-2.0
/* attempts - what becomes of each attempt between the core's word and its result in the journal. */
#ifndef HEADRACE_ATTEMPTS_H
#define HEADRACE_ATTEMPTS_H

#include "worker/shell/shell.h"

/* The core's orders. */
void attempts_start(struct worker_shell *shell, const struct worker_do *order);
void attempts_kill(struct worker_shell *shell, struct id128 attempt);
void attempts_deadline(struct worker_shell *shell, struct id128 attempt, int64_t deadline_ms);
void attempts_report_started(struct worker_shell *shell, struct id128 attempt);
void attempts_forget(struct worker_shell *shell, struct id128 attempt);

/* The warden's word. */
void attempts_on_message(struct warden_link *link, const struct warden_message *message);
void attempts_on_batch(struct warden_link *link);
void attempts_on_down(struct warden_link *link);

/* Ends those that turned out to be lost. */
void attempts_settle_lost(struct worker_shell *shell);
void attempts_clear(struct worker_shell *shell);

#endif
