// SPDX-License-Identifier: Apache-2.0
/* session - messages in: what workers and web servers say becomes events, subscriptions and
 * answers. */
#ifndef HEADRACE_SESSION_H
#define HEADRACE_SESSION_H

#include "scheduler/shell/shell.h"

/* Binds the port. The allow list is asked for each key of a peer that connects. */
MUST_USE int session_open(struct shell *shell, struct err *err);

#endif
