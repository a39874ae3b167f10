// SPDX-License-Identifier: Apache-2.0
/* asset - what tasks update, and the DAGs that wait for it. The success of a task with outlets is
 * an event of each of its assets, in the same transaction. Every DAG whose schedule names the asset
 * keeps the event until its condition holds; then one run takes all that it keeps. As in Airflow a
 * paused DAG keeps none. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

static uint32_t asset_index(struct core *core, struct str name)
{
    uint64_t index = core->assets.count;
    if (map_get_str(&core->asset_by_name, name, &index))
        return (uint32_t)index;
    map_put_str(&core->asset_by_name, name, index);
    VEC_ADD(&core->assets, (struct asset) { .name = str_copy(&core->names, name) });
    return (uint32_t)index;
}

/* ---- who waits for what ---------------------------------------------------------------------- */

static const struct value *condition_of(const struct core *core, const struct dag_entry *dag)
{
    return dag->version == NONE
               ? NULL
               : value_get(core->versions.items[dag->version].dag->schedule, "assets");
}

static void subscribe(struct core *core, uint32_t dag, const struct value *condition)
{
    if (condition->type == VALUE_STRING) {
        uint32_t index = asset_index(core, condition->string); /* first: it may move the array */
        struct asset *asset = &core->assets.items[index];
        if (asset->dags.count == 0 || VEC_LAST(&asset->dags) != dag)
            VEC_ADD(&asset->dags, dag);
    }
    for (uint32_t i = 0; condition->type == VALUE_LIST && i < condition->count; i++)
        subscribe(core, dag, condition->items[i]);
    for (uint32_t i = 0; condition->type == VALUE_MAP && i < condition->count; i++)
        subscribe(core, dag, condition->entries[i].value);
}

/* By the newest version of the DAG. */
void asset_subscribe(struct core *core, struct dag_entry *dag)
{
    const struct value *condition = condition_of(core, dag);
    VEC_EACH (&core->assets, i) {
        struct asset *asset = &core->assets.items[i];
        uint32_t kept = 0;
        VEC_EACH (&asset->dags, k)
            if (asset->dags.items[k] != dag_index(core, dag))
                asset->dags.items[kept++] = asset->dags.items[k];
        asset->dags.count = kept;
    }
    if (condition != NULL && condition->type != VALUE_NULL)
        subscribe(core, dag_index(core, dag), condition);
}

static bool is_kept(const struct core *core, const struct dag_entry *dag, struct str name)
{
    VEC_EACH (&dag->kept, i)
        if (str_eq(core->assets.items[dag->kept.items[i].asset].name, name))
            return true;
    return false;
}

/* A list is all of them. */
static bool holds(const struct core *core, const struct dag_entry *dag,
                  const struct value *condition, bool any)
{
    if (condition->type == VALUE_STRING)
        return is_kept(core, dag, condition->string);
    if (condition->type == VALUE_MAP)
        return condition->count > 0 && holds(core, dag, condition->entries[0].value,
                                             str_is(condition->entries[0].key, "any"));
    for (uint32_t i = 0; condition->type == VALUE_LIST && i < condition->count; i++)
        if (holds(core, dag, condition->items[i], false) == any)
            return any;
    return condition->type == VALUE_LIST && !any;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void take_events(struct core *core, struct dag_entry *dag, const struct run *run)
{
    VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_ASSET_TAKEN });
    struct record *record = &VEC_LAST(&core->open->writes);
    record->asset_taken.dag_no = dag->dag_no;
    record->asset_taken.run_no = run->run_no;
    record->asset_taken.last_event_no = VEC_LAST(&dag->kept).event_no;
    if (!MUTANT(CORE_ASSET_TWICE))
        VEC_RESET(&dag->kept);
}

void asset_check(struct core *core, struct dag_entry *dag)
{
    const struct value *condition = condition_of(core, dag);
    struct run *run = NULL;
    if (!core->deciding || dag->paused || dag->gone || dag->kept.count == 0 || condition == NULL)
        return;
    if (!holds(core, dag, condition, false))
        return;
    struct run_wish wish = { .dag = dag_index(core, dag),
                             .run_id = STR_EMPTY,
                             .type = RUN_ASSET_TRIGGERED,
                             .run_after_ms = core->wall_ms,
                             .triggered_by = STR("assets"),
                             .note = STR_EMPTY,
                             .cause = CAUSE_SCHEDULE };
    if (core->runs_live < core->limits.runs_max && run_create(core, &wish, &run, NULL) == 0)
        take_events(core, dag, run);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void keep(struct core *core, struct dag_entry *dag, uint32_t asset, int64_t event_no)
{
    VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_ASSET_KEPT });
    struct record *record = &VEC_LAST(&core->open->writes);
    record->asset_kept.dag_no = dag->dag_no;
    record->asset_kept.event_no = event_no;
    VEC_ADD(&dag->kept, (struct kept_event) { asset, event_no });
}

int64_t asset_event(struct core *core, const struct asset_event *event)
{
    uint32_t index = asset_index(core, event->asset);
    struct arena *arena = batch_arena(core);
    VEC_ADD(&core->open->writes,
            (struct record) { .type = WRITE_ASSET_EVENT, .asset_event = *event });
    struct asset_event *row = &VEC_LAST(&core->open->writes).asset_event;
    int64_t event_no = core->event_no_next++;
    row->event_no = event_no;
    row->at_ms = core->wall_ms;
    row->asset = str_copy(arena, event->asset);
    row->extra = str_copy(arena, event->extra);
    for (uint32_t i = 0; i < core->assets.items[index].dags.count; i++) {
        struct dag_entry *dag = &core->dags.items[core->assets.items[index].dags.items[i]];
        if (!dag->used || dag->paused || dag->gone)
            continue;
        keep(core, dag, index, event_no);
        asset_check(core, dag);
    }
    wait_asset_updated(core, core->assets.items[index].name);
    return event_no;
}

void asset_drop(struct core *core, struct dag_entry *dag, struct str name, int64_t last_event_no)
{
    uint32_t left = 0;
    VEC_EACH (&dag->kept, i) {
        struct kept_event kept = dag->kept.items[i];
        bool is_meant = name.size == 0 || str_eq(core->assets.items[kept.asset].name, name);
        if (!is_meant || (last_event_no > 0 && kept.event_no > last_event_no)) {
            dag->kept.items[left++] = kept;
            continue;
        }
        VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_ASSET_DROPPED });
        struct record *record = &VEC_LAST(&core->open->writes);
        record->asset_kept.dag_no = dag->dag_no;
        record->asset_kept.event_no = kept.event_no;
    }
    dag->kept.count = left;
}

/* A task that a user has called a success has updated nothing. */
void asset_outlets(struct core *core, struct ref ref)
{
    const struct task *task = task_at(core, ref);
    const struct instance *instance = instance_at(core, ref);
    if (instance->state != TASK_SUCCESS || instance->cause == CAUSE_MARKED ||
        MUTANT(CORE_ASSET_LOST))
        return;
    for (uint32_t i = 0; task->outlets != NULL && i < task->outlets->count; i++) {
        const struct run *run = run_get(core, ref.run);
        (void)asset_event(
            core, &(struct asset_event) { .asset = value_text(task->outlets->items[i], STR_EMPTY),
                                          .extra = STR("{}"),
                                          .dag_no = core->dags.items[run->dag].dag_no,
                                          .run_no = run->run_no,
                                          .task = (int32_t)ref.task,
                                          .map_index = ref.map });
    }
}

void asset_recover(struct core *core, const struct recovered_event *event)
{
    uint64_t dag = 0;
    if (map_get(&core->dag_by_no, (uint64_t)event->dag_no, &dag))
        VEC_ADD(&core->dags.items[dag].kept,
                (struct kept_event) { asset_index(core, event->asset), event->event_no });
}
