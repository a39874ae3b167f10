// SPDX-License-Identifier: Apache-2.0
/* zones - the host's time zones for tests of the compiler: struct compile_options.zone. */
#ifndef HEADRACE_TESTS_ZONES_H
#define HEADRACE_TESTS_ZONES_H

#include "common/base/buf.h"
#include "common/model/zone.h"

#include <stdio.h>

enum { ZONES_MAX = 16 };

static struct zone *zones[ZONES_MAX];
static int zone_count;

static inline bool zones_find(void *owner, struct str name, const struct zone **out)
{
    (void)owner;
    char path[256];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    FILE *file = fopen(path, "rb");
    if (file == NULL || zone_count == ZONES_MAX)
        return false;
    char bytes[65536];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (zone_new((struct str) { bytes, size }, &zones[zone_count], NULL) < 0)
        return false;
    *out = zones[zone_count++];
    return true;
}

static inline void zones_clear(void)
{
    while (zone_count > 0)
        zone_free(zones[--zone_count]);
}

#endif
