// SPDX-License-Identifier: Apache-2.0
/* recovered - what recovery gives, as text: of the model store, which steps a core with events, and
 * of PostgreSQL, which calls a handler. One thing a line, sorted. */
#ifndef HEADRACE_CONFORMANCE_RECOVERED_H
#define HEADRACE_CONFORMANCE_RECOVERED_H

#include "tests/store/conformance/rows.h"
#include "tests/support/store_world.h"

void recovered_of_model(struct model_store *store, struct buf *out);
void recovered_of_database(struct store_world *world, struct buf *out);

/* One run, into a line. */
void recovered_run_line(struct lines *lines, const struct recovered_run *run);

#endif
