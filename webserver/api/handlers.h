// SPDX-License-Identifier: Apache-2.0
/* handlers - what routes.def names: one function a route, in one file a resource. */
#ifndef HEADRACE_HANDLERS_H
#define HEADRACE_HANDLERS_H

#include "webserver/api/call.h"

#define ROUTE(verb, pattern, handler, right, operation, aux) void handler(struct call *call);
#include "webserver/api/routes.def"
#undef ROUTE

/* The map index of the path, of the query, or `otherwise`. */
int32_t call_map_index(struct call *call, int32_t otherwise);

/* The fields of a .../list body as filters of a list. */
void list_body(struct call *call, struct list_query *query);

/* Makes a run of a DAG as the body says, and answers it. `event` is for the audit log. */
void trigger_run(struct call *call, struct str dag_id, const char *event);

/* Ends every wait for a run's end: the server stops. */
void run_waits_end(struct api *api);

#endif
