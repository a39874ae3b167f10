// SPDX-License-Identifier: Apache-2.0
/* find - reads a run that the core asks for (SEND_FIND) and answers with CORE_FOUND. */
#ifndef HEADRACE_FIND_H
#define HEADRACE_FIND_H

#include "scheduler/shell/shell.h"

/* `find` is copied. */
void find_run(struct shell *shell, const struct core_find *find);

#endif
