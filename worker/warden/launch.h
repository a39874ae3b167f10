// SPDX-License-Identifier: Apache-2.0
/* launch - from a START message to a running process: environment, user, pipes, folder, limits. */
#ifndef HEADRACE_LAUNCH_H
#define HEADRACE_LAUNCH_H

#include "worker/warden/attempt.h"

#define LAUNCH_OUTPUT_NAME ".headrace_output"

/* Fills pid, pipes and the times of `attempt`. On failure nothing runs and `err` says why, for the
 * task's author: ERR_NOT_FOUND when there is no such command, ERR_UNPROCESSABLE when it is no
 * program that can be run; anything else is this machine's fault. */
MUST_USE int launch(struct attempt *attempt, const struct warden_message *start, struct err *err);

#endif
