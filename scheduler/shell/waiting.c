// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/waiting.h"

#include "common/text/json.h"
#include "common/wire/message.h"

static const char *const HOLDS[HOLD_COUNT] = {
    [HOLD_NONE] = "none",       [HOLD_PARALLELISM] = "parallelism", [HOLD_WORKER] = "worker",
    [HOLD_SLOTS] = "slots",     [HOLD_PAUSED] = "paused",           [HOLD_RUN] = "run_limit",
    [HOLD_TASK] = "task_limit",
};

static void write_text(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, "\"%s\":", name);
    json_write_string(out, text);
    buf_add_byte(out, ',');
}

/* `position`: among those that do not step aside; 0: it does. */
static void write_item(struct buf *out, const struct core_waiting *item, uint32_t position)
{
    buf_add_cstr(out, "{\"position\":");
    if (position > 0)
        buf_printf(out, "%u,", position);
    else
        buf_add_cstr(out, "null,");
    write_text(out, "dag_id", item->dag_id);
    write_text(out, "run_id", item->run_id);
    write_text(out, "task_id", item->task_id);
    write_text(out, "queue", item->queue);
    write_text(out, "pool", item->pool);
    buf_printf(out,
               "\"map_index\":%d,\"pool_slots\":%d,\"priority\":%d,\"weight\":%d,"
               "\"run_queued_at\":%lld,\"hold\":\"%s\"}",
               item->map_index, item->pool_slots, item->priority, item->weight,
               (long long)item->run_queued_ms, HOLDS[item->hold]);
}

void waiting_render(const struct core *core, struct str queue, struct str pool, uint32_t limit,
                    struct buf *out)
{
    struct core_waiting items[MESSAGE_WAITING_MAX];
    uint64_t total;
    uint32_t position = 0;
    uint32_t count =
        core_waiting(core, queue, pool, limit < MESSAGE_WAITING_MAX ? limit : MESSAGE_WAITING_MAX,
                     items, &total);
    buf_printf(out, "{\"total\":%llu,\"items\":[", (unsigned long long)total);
    for (uint32_t i = 0; i < count; i++) {
        bool steps_aside = items[i].hold >= HOLD_PAUSED;
        if (i > 0)
            buf_add_byte(out, ',');
        write_item(out, &items[i], steps_aside ? 0 : ++position);
    }
    buf_add_cstr(out, "]}");
}
