// SPDX-License-Identifier: Apache-2.0
/* dag_table - the DAGs and their versions that are in memory: the newest of each, and those that
 * live runs began with. */
#include "scheduler/core/core_calls.h"

uint32_t dag_index(const struct core *core, const struct dag_entry *dag)
{
    return (uint32_t)(dag - core->dags.items);
}

struct dag_entry *dag_by_id(struct core *core, struct str id)
{
    uint64_t index = 0;
    return map_get_str(&core->dag_by_id, id, &index) ? &core->dags.items[index] : NULL;
}

static uint32_t dag_gate_new(struct core *core, uint32_t limit)
{
    uint32_t gate = gate_new(core, limit);
    VEC_ADD(&core->dag_gates, gate);
    return gate;
}

static struct dag_entry *entry_of(struct core *core, const struct core_event *event)
{
    uint64_t index = core->dags.count;
    if (map_get(&core->dag_by_no, (uint64_t)event->dag.dag_no, &index))
        return &core->dags.items[index];
    map_put(&core->dag_by_no, (uint64_t)event->dag.dag_no, index);
    VEC_ADD(&core->dags, (struct dag_entry) { .used = true,
                                              .dag_no = event->dag.dag_no,
                                              .version = NONE,
                                              .first_run = NONE,
                                              .paused = event->dag.paused });
    struct dag_entry *dag = &core->dags.items[index];
    dag->pause_gate = dag_gate_new(core, dag->paused ? 0 : UINT32_MAX);
    return dag;
}

/* ---- which outputs anybody reads ------------------------------------------------------------- */

static bool is_path_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '.';
}

/* Marks what `xcom.a.b` may mean: a, and a.b. Any other way to write it may mean everything. */
static void reads_text(const struct dag *dag, bool *read, struct str text)
{
    static const char word[] = "xcom";
    for (size_t i = 0; i + 4 <= text.size; i++) {
        if (memcmp(text.bytes + i, word, 4) != 0)
            continue;
        size_t from = i + 5, to = i + 4;
        if (to >= text.size || text.bytes[to] != '.')
            memset(read, true, dag->task_count * sizeof *read);
        for (to = from; to <= text.size; to++) {
            if (to < text.size && is_path_byte(text.bytes[to]) && text.bytes[to] != '.')
                continue;
            int32_t task = dag_find_task(dag, str_slice(text, from, to));
            if (task >= 0)
                read[task] = true;
            if (to == text.size || text.bytes[to] != '.')
                break;
        }
    }
}

static void reads_value(const struct dag *dag, bool *read, const struct value *value)
{
    if (value == NULL)
        return;
    if (value->type == VALUE_STRING)
        reads_text(dag, read, value->string);
    for (uint32_t i = 0; value->type == VALUE_LIST && i < value->count; i++)
        reads_value(dag, read, value->items[i]);
    for (uint32_t i = 0; value->type == VALUE_MAP && i < value->count; i++)
        reads_value(dag, read, value->entries[i].value);
}

static bool *outputs_read(struct dag *dag)
{
    bool *read = ARENA_ARRAY(&dag->arena, bool, dag->task_count);
    reads_value(dag, read, dag->env);
    reads_value(dag, read, dag->notify);
    for (uint32_t t = 0; t < dag->task_count; t++) {
        const struct task *task = &dag->tasks[t];
        reads_value(dag, read, task->operator_args);
        reads_value(dag, read, task->for_each);
        reads_value(dag, read, task->env);
        reads_value(dag, read, task->notify);
        reads_text(dag, read, task->when);
        reads_text(dag, read, task->cwd);
        reads_text(dag, read, task->map_label);
        reads_text(dag, read, task->run_as_user);
    }
    for (uint32_t t = 0; t < dag->task_count; t++)
        if (dag->tasks[t].operator_kind == OPERATOR_BRANCH ||
            dag->tasks[t].operator_kind == OPERATOR_SHORT_CIRCUIT)
            read[t] = true; /* their decision */
    return read;
}

/* ---- versions -------------------------------------------------------------------------------- */

static void gates_make(struct core *core, struct version *version, struct dag_entry *entry)
{
    struct dag *dag = version->dag;
    for (uint32_t t = 0; t < dag->task_count; t++) {
        const struct task *task = &dag->tasks[t];
        uint64_t gate = 0;
        version->has_run_gates |= task->max_active_tis_per_dagrun > 0;
        if (task->max_active_tis_per_dag == 0)
            continue;
        if (version->dag_gates == NULL) {
            version->dag_gates = ARENA_ARRAY(&dag->arena, uint32_t, dag->task_count);
            memset(version->dag_gates, 0xFF, dag->task_count * sizeof *version->dag_gates);
        }
        if (!map_get_str(&entry->task_gates, task->id, &gate)) {
            gate = dag_gate_new(core, task->max_active_tis_per_dag);
            map_put_str(&entry->task_gates, task->id, gate);
        }
        gate_limit(core, (uint32_t)gate, task->max_active_tis_per_dag);
        version->dag_gates[t] = (uint32_t)gate;
    }
}

static uint32_t version_add(struct core *core, const struct core_event *event,
                            struct dag_entry *entry)
{
    struct dag *dag = event->dag.dag;
    uint32_t index = core->versions.count;
    if (core->versions_free.count > 0)
        index = core->versions_free.items[--core->versions_free.count];
    else
        VEC_ADD(&core->versions, (struct version) { 0 });
    struct version *version = &core->versions.items[index];
    *version = (struct version) { .used = true,
                                  .version_no = event->dag.version_no,
                                  .dag = dag,
                                  .dag_index = dag_index(core, entry) };
    version->lanes = ARENA_ARRAY(&dag->arena, uint32_t, dag->task_count);
    for (uint32_t t = 0; t < dag->task_count; t++)
        version->lanes[t] =
            lane_index(core, queue_index(core, dag->tasks[t].queue),
                       pool_index(core, dag->tasks[t].pool), dag->tasks[t].pool_slots);
    gates_make(core, version, entry);
    version->output_read = outputs_read(dag);
    version->reads_past = past_is_read(dag);
    map_put(&core->version_by_no, (uint64_t)event->dag.version_no, index);
    return index;
}

static void version_free(struct core *core, uint32_t index)
{
    struct version *version = &core->versions.items[index];
    bool known = map_remove(&core->version_by_no, (uint64_t)version->version_no);
    ASSERT(known);
    dag_free(version->dag);
    *version = (struct version) { 0 };
    VEC_ADD(&core->versions_free, index);
}

static void release_if_unused(struct core *core, uint32_t index)
{
    const struct version *version = &core->versions.items[index];
    if (version->used && version->runs == 0 &&
        core->dags.items[version->dag_index].version != index)
        version_free(core, index);
}

/* A run that used it is gone. */
void version_release(struct core *core, uint32_t index)
{
    ASSERT(core->versions.items[index].runs > 0);
    core->versions.items[index].runs--;
    release_if_unused(core, index);
}

static void newest_set(struct core *core, struct dag_entry *entry, uint32_t version,
                       const struct core_event *event)
{
    uint32_t before = entry->version;
    const struct dag *dag = core->versions.items[version].dag;
    entry->version = version;
    entry->gone = event->dag.gone;
    entry->id = dag->id;
    map_put_str(&core->dag_by_id, dag->id, dag_index(core, entry));
    if (before != NONE && before != version)
        release_if_unused(core, before);
    if (event->dag.has_last &&
        (!entry->has_last || event->dag.last_fire_ms > entry->last_fire_ms)) {
        entry->has_last = true;
        entry->last_fire_ms = event->dag.last_fire_ms;
    }
    entry->zone = event->dag.zone;
    entry->has_timetable = !entry->gone &&
                           timetable_read(dag->schedule, entry->zone, dag->start_ms, dag->end_ms,
                                          &entry->timetable, NULL) == 0 &&
                           entry->timetable.kind != TIMETABLE_NONE;
    asset_subscribe(core, entry);
    if (core->deciding) {
        runs_start(core, entry);
        backfills_check(core, entry);
        schedule_check(core, entry);
    }
}

void dag_load(struct core *core, const struct core_event *event)
{
    struct dag_entry *entry = entry_of(core, event);
    uint64_t version = 0;
    if (map_get(&core->version_by_no, (uint64_t)event->dag.version_no, &version))
        dag_free(event->dag.dag);
    else
        version = version_add(core, event, entry);
    if (event->dag.newest)
        newest_set(core, entry, (uint32_t)version, event);
}

void dag_gone(struct core *core, int32_t dag_no)
{
    uint64_t index = 0;
    if (!map_get(&core->dag_by_no, (uint64_t)dag_no, &index))
        return;
    core->dags.items[index].gone = true;
    core->dags.items[index].has_timetable = false;
    core->dags.items[index].has_next = false;
}

void dag_pause(struct core *core, struct dag_entry *dag, bool paused)
{
    dag->paused = paused;
    gate_limit(core, dag->pause_gate, paused ? 0 : UINT32_MAX);
    dag->has_next = false;
    for (uint32_t i = dag->first_run; i != NONE; i = core->runs.items[i]->next_of_dag)
        demand_update(core, core->runs.items[i]);
    if (!paused) {
        runs_start(core, dag);
        backfills_check(core, dag);
        schedule_check(core, dag);
    }
    write_dag_state(core, dag);
}

void dag_entry_clear(struct dag_entry *dag)
{
    heap_clear(&dag->queued);
    map_clear(&dag->task_gates);
    map_clear(&dag->run_ids);
    VEC_CLEAR(&dag->taken);
    VEC_CLEAR(&dag->kept);
    VEC_CLEAR(&dag->lengths);
    map_clear(&dag->files);
}

/* Its rows are gone with it: no run may be left. */
void dag_drop(struct core *core, struct dag_entry *dag)
{
    ASSERT(dag->live == 0);
    uint32_t version = dag->version;
    backfills_drop(core, dag_index(core, dag));
    bool known = map_remove(&core->dag_by_no, (uint64_t)dag->dag_no);
    ASSERT(known);
    if (version != NONE)
        (void)map_remove_str(&core->dag_by_id, dag->id);
    dag->version = NONE;
    dag_entry_clear(dag);
    dag->used = false;
    if (version != NONE)
        release_if_unused(core, version);
}
