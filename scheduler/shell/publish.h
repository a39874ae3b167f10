// SPDX-License-Identifier: Apache-2.0
/* publish - tells web servers what changed: the core's notes, numbered, to every subscriber. A
 * subscriber that missed some sees the gap in the numbers and reads the database again. */
#ifndef HEADRACE_PUBLISH_H
#define HEADRACE_PUBLISH_H

#include "scheduler/shell/shell.h"

struct publish *publish_new(struct shell *shell);
void publish_free(struct publish *publish);

void publish_subscribe(struct publish *publish, struct str peer);
void publish_notes(struct publish *publish, const struct core_note *notes, uint32_t count);

/* A new leader: what was known may be stale. */
void publish_restart(struct publish *publish);

#endif
