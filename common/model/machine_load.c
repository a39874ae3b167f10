// SPDX-License-Identifier: Apache-2.0
#include "common/model/machine_load.h"

#include <stdlib.h>

enum { CPU_STEP_PERMILLE = 50, MEMORY_STEPS = 50 };

bool machine_load_has_moved(const struct machine_load *before, const struct machine_load *now)
{
    int64_t memory_step_bytes = now->memory_total_bytes / MEMORY_STEPS;

    if (before->memory_total_bytes != now->memory_total_bytes)
        return true;
    return abs(now->cpu_permille - before->cpu_permille) >= CPU_STEP_PERMILLE ||
           llabs(now->memory_used_bytes - before->memory_used_bytes) > memory_step_bytes;
}
