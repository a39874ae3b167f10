// SPDX-License-Identifier: Apache-2.0
#include "scheduler/settings/core_limits.h"

struct core_limits core_limits_of(const struct conf *conf)
{
    return (struct core_limits) {
        .runs_max = 1000000,
        .workers_max = 10000,
        .batch_writes_max = 4096,
        .parallelism = (uint32_t)conf->core_parallelism,
        .map_length_max = (uint32_t)conf->core_max_map_length,
        .output_bytes_max = conf->core_max_output_bytes,
        .credit_ttl_ms = conf->scheduler_credit_ttl_ms,
        .credit_margin_ms = conf->scheduler_credit_ttl_ms / 5,
        .lease_ms = conf->scheduler_attempt_lease_ms,
        .lease_grace_ms = conf->scheduler_attempt_lease_grace_ms,
        /* The leader before may have renewed leases until its own was over. */
        .amnesty_ms = conf->scheduler_attempt_lease_ms + conf->scheduler_attempt_lease_grace_ms +
                      conf->scheduler_lease_ttl_ms,
        .join_settle_ms = conf->scheduler_join_settle_ms,
        .running_write_ms = conf->scheduler_running_write_ms,
        .infra_retries_max = (uint32_t)conf->scheduler_infra_retries,
        .ageing_ms = conf->scheduler_priority_ageing_ms,
        .paused_upon_creation = conf->core_dags_are_paused_at_creation,
        .default_pool_slots = (int32_t)conf->core_default_pool_slots,
        .notify_give_up_ms = conf->notifications_give_up_ms,
    };
}
