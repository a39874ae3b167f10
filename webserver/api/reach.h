// SPDX-License-Identifier: Apache-2.0
/* reach - which DAGs a request is about, and whether who asks may do that with them.
 *
 * A right that somebody has everywhere is enough. Else a route about one DAG asks what they are on
 * that DAG, found in the database; a list that can be narrowed is narrowed (call->reader). Whatever
 * is neither is refused: a new route is closed to them until it stands in the table of reach.c or
 * names its DAG in its path. */
#ifndef HEADRACE_REACH_H
#define HEADRACE_REACH_H

#include "webserver/api/command.h"

/* Goes on with `then`, or answers 403, or 404 for a DAG that who asks may not read: as for one that
 * is not there. May read the body. */
void reach_check(struct call *call, void (*then)(struct call *call));

/* For routes about many objects: whether who asks may do it on that DAG; a NULL refusal is a yes.
 * `call` may be a part of one, with an arena of its own. */
void reach_row(struct call *call, struct str dag_id,
               void (*on_end)(struct call *call, const struct refusal *refusal));

/* The reader of a call, whatever its reach: for those who ask more than one question. */
struct reader reach_reader(const struct call *call);

#endif
