// SPDX-License-Identifier: Apache-2.0
/* machine_load - how much of its machine a worker finds in use, as it tells the scheduler and as
 * people see it. What a control group grants counts as the whole machine. All-zero is a load that
 * nobody told.
 */
#ifndef HEADRACE_MACHINE_LOAD_H
#define HEADRACE_MACHINE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct machine_load {
    int64_t memory_total_bytes; /* 0: nothing was told */
    int64_t memory_used_bytes;  /* what cannot be had without taking it from somebody */
    int32_t cpu_permille;       /* of all processors together, over the last seconds */
};

/* Whether who looked at `before` should look again: small movements are noise. */
bool machine_load_has_moved(const struct machine_load *before, const struct machine_load *now);

#endif
