// SPDX-License-Identifier: Apache-2.0
/* zones - the zones of this host, read once from /usr/share/zoneinfo and kept. */
#ifndef HEADRACE_ZONES_H
#define HEADRACE_ZONES_H

#include "common/model/zone.h"

/* NULL and *err for a name that is none. Borrowed until zones_clear. */
const struct zone *zones_get(struct str name, struct err *err);
void zones_clear(void);

#endif
