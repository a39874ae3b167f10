// SPDX-License-Identifier: Apache-2.0
/* zone - one IANA time zone, read from the bytes of its TZif file (RFC 9636, version 2 or later)
 * with the POSIX TZ footer for the time after the last transition. Pure: whoever needs a zone reads
 * the file and gives the bytes.
 *
 * Instants are seconds since 1970 UTC; "local" is wall-clock time counted as if it were UTC. */
#ifndef HEADRACE_ZONE_H
#define HEADRACE_ZONE_H

#include "common/base/str.h"

struct zone;

/* *out is yours (zone_free). ERR_INVALID for bytes that are no TZif file of version 2 or later. */
MUST_USE int zone_new(struct str tzif, struct zone **out, struct err *err);
void zone_free(struct zone *zone);

/* Whether a name may be looked up below the zoneinfo folder: letters, digits, _ - + and single
 * slashes, no "..". */
bool zone_name_is_safe(struct str name);

/* Seconds east of UTC at an instant. */
int32_t zone_offset(const struct zone *zone, int64_t instant);

/* The first instant after `instant` at which the offset changes; INT64_MAX when none is known
 * within 40 years. */
int64_t zone_next_change(const struct zone *zone, int64_t instant);

/* The instants with this wall-clock time, ascending: 1, or 2 when clocks were set back, or 0 in a
 * gap; then out[0] is the first instant after the gap. */
int zone_instants(const struct zone *zone, int64_t local, int64_t out[2]);

#endif
