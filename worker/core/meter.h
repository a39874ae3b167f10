// SPDX-License-Identifier: Apache-2.0
/* meter - makes a load of two looks at a machine: counters tell how busy it was between them.
 *
 * Where a control group limits the worker, the group is its machine: then the processors and the
 * memory that the group may use are the whole, and only what the group uses counts. */
#ifndef HEADRACE_METER_H
#define HEADRACE_METER_H

#include "common/model/machine_load.h"

/* What the group may use: 0 = as much as there is. */
struct meter_group {
    int64_t memory_max_bytes, memory_used_bytes;
    int64_t cpu_max_milli, cpu_used_us; /* thousandths of a processor; counted since its start */
};

struct meter_look {
    int64_t at_ms; /* CLOCK_BOOTTIME; 0 = not looked yet */
    int64_t cpu_count;
    int64_t busy_ms, idle_ms; /* of all processors since the machine started */
    int64_t memory_total_bytes, memory_available_bytes;
    struct meter_group group;
};

/* False, with *out untouched, where the looks say nothing: no time lies between them, or the
 * machine could not be read. */
bool meter_load(const struct meter_look *before, const struct meter_look *now,
                struct machine_load *out);

#endif
