// SPDX-License-Identifier: Apache-2.0
/* older - answers as the release of Airflow that a client was made for knows them. Its models
 * refuse a whole list for one word or field that came later. */
#ifndef HEADRACE_OLDER_H
#define HEADRACE_OLDER_H

#include "webserver/api/call.h"

/* `json` without what the client of `call` does not know; in the call's arena when that is less. */
struct str older_text(struct call *call, struct str json);

#endif
