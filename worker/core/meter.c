// SPDX-License-Identifier: Apache-2.0
#include "worker/core/meter.h"

/* Counters of processors are rounded each by itself, and groups may use more than their share for a
 * moment. */
static int32_t permille(int64_t part, int64_t whole)
{
    if (part <= 0)
        return 0;
    return part >= whole ? 1000 : (int32_t)(part * 1000 / whole);
}

static bool cpu_of(const struct meter_look *before, const struct meter_look *now, int32_t *out)
{
    int64_t busy_ms = now->busy_ms - before->busy_ms;
    int64_t counted_ms = busy_ms + now->idle_ms - before->idle_ms;

    bool is_limited =
        now->group.cpu_max_milli > 0 && now->group.cpu_max_milli < now->cpu_count * 1000;

    if (is_limited) {
        busy_ms = (now->group.cpu_used_us - before->group.cpu_used_us) / 1000;
        counted_ms = (now->at_ms - before->at_ms) * now->group.cpu_max_milli / 1000;
    }
    if (counted_ms <= 0)
        return false;
    *out = permille(busy_ms, counted_ms);
    return true;
}

static bool memory_of(const struct meter_look *now, int64_t *out_total_bytes,
                      int64_t *out_used_bytes)
{
    bool is_limited =
        now->group.memory_max_bytes > 0 && now->group.memory_max_bytes < now->memory_total_bytes;

    *out_total_bytes = is_limited ? now->group.memory_max_bytes : now->memory_total_bytes;
    *out_used_bytes = is_limited ? now->group.memory_used_bytes
                                 : now->memory_total_bytes - now->memory_available_bytes;
    return *out_total_bytes > 0 && *out_used_bytes >= 0;
}

bool meter_load(const struct meter_look *before, const struct meter_look *now,
                struct machine_load *out)
{
    struct machine_load load;

    if (before->at_ms == 0 || !cpu_of(before, now, &load.cpu_permille) ||
        !memory_of(now, &load.memory_total_bytes, &load.memory_used_bytes))
        return false;
    *out = load;
    return true;
}
