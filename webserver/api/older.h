// SPDX-License-Identifier: Apache-2.0
/* older - answers as the release of Airflow that a client was made for knows them. Its models
 * refuse a whole list for one word or field that came later. */
#ifndef HEADRACE_OLDER_H
#define HEADRACE_OLDER_H

#include "webserver/api/call.h"

/* Whether the client is made for a release that does not know all that we know. */
bool older_is_asking(const struct call *call);

/* Whether the answer is a list of what such a client does not know all of. */
bool older_may_differ(const struct call *call);

/* `json` without what the client of `call` does not know; in `arena` when that is less. */
struct str older_text(const struct call *call, struct arena *arena, struct str json);

#endif
