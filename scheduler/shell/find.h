// SPDX-License-Identifier: Apache-2.0
/* find - reads what the core asks for (SEND_FIND), a run or the runs of many dates, and answers
 * with CORE_FOUND. */
#ifndef HEADRACE_FIND_H
#define HEADRACE_FIND_H

#include "scheduler/shell/shell.h"

/* `find` is copied; its dates are borrowed until it returns. */
void find_run(struct shell *shell, const struct core_find *find);

#endif
