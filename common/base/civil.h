// SPDX-License-Identifier: Apache-2.0
/* civil - the proleptic Gregorian calendar in UTC: milliseconds since 1970 to fields and back, and
 * RFC 3339 text. Day arithmetic after Howard Hinnant, "chrono-compatible low-level date
 * algorithms". No zones: see common/model/zone.h. */
#ifndef HEADRACE_CIVIL_H
#define HEADRACE_CIVIL_H

#include "common/base/str.h"

#define MS_PER_SECOND 1000LL
#define MS_PER_MINUTE 60000LL
#define MS_PER_HOUR   3600000LL
#define MS_PER_DAY    86400000LL

struct civil {
    int32_t year;
    int month, day;                        /* 1.. */
    int hour, minute, second, millisecond; /* 0.. */
};

int64_t civil_days(int32_t year, int month, int day); /* since 1970-01-01 */
int64_t civil_to_ms(const struct civil *civil);
struct civil civil_of_ms(int64_t unix_ms);
int civil_weekday(int64_t days); /* 0 = Sunday */
int civil_days_in_month(int32_t year, int month);

/* "2026-11-21T03:33:47.123Z"; the fraction is left out when it is zero. */
struct str civil_text(struct arena *arena, int64_t unix_ms);

/* RFC 3339, also with a blank for T, without seconds, or a bare date. *out_ms is UTC when the text
 * has Z or an offset
 * (*out_has_zone true); else the wall-clock time as if it were UTC. ERR_INVALID outside of the
 * years 1 to 9999. */
MUST_USE int civil_parse(struct str text, int64_t *out_ms, bool *out_has_zone);

#endif
