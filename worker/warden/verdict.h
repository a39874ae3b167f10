// SPDX-License-Identifier: Apache-2.0
/* verdict - what an ended attempt amounts to: outcome, exit code, output, error. */
#ifndef HEADRACE_VERDICT_H
#define HEADRACE_VERDICT_H

#include "worker/warden/attempt.h"

void verdict(struct attempt *attempt, struct arena *arena, struct warden_result *out);

#endif
