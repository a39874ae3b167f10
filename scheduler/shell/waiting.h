// SPDX-License-Identifier: Apache-2.0
/* waiting - what waits to be placed, for web servers that ask. */
#ifndef HEADRACE_WAITING_H
#define HEADRACE_WAITING_H

#include "common/base/buf.h"
#include "scheduler/core/core.h"

/* {"total": 120, "items": [...]} as docs/api/ui.md has it, of a queue and a pool (empty: any), the
 * first `limit` of at most 200. */
void waiting_render(const struct core *core, struct str queue, struct str pool, uint32_t limit,
                    struct buf *out);

#endif
