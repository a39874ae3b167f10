// SPDX-License-Identifier: Apache-2.0
/* grid - the answer of GET ui/grid/{dag_id}/cells, put together from what is kept of runs that have
 * ended (cells.h) and what PostgreSQL says of the others. */
#ifndef HEADRACE_GRID_H
#define HEADRACE_GRID_H

#include "webserver/api/call.h"

enum { GRID_BINDS = 6 };

/* Answers. `binds`: the first ones of ui_cells; borrowed until it returns. */
void grid_answer(struct call *call, const struct bind binds[GRID_BINDS]);

#endif
