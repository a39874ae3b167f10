// SPDX-License-Identifier: Apache-2.0
/* file - DAGs that wait for files. The shell looks and says what it has found; here it is decided
 * whether that starts a run. A file is its content: what has started a run once does not start
 * another one, under whatever name and whoever leads. */
#include "common/text/json.h"
#include "scheduler/core/core_calls.h"

static const struct value *files_of(const struct core *core, const struct dag_entry *dag)
{
    return dag->version == NONE
               ? NULL
               : value_get(core->versions.items[dag->version].dag->schedule, "files");
}

static struct str content_key(const struct id128 *content)
{
    return (struct str) { (const char *)content, sizeof *content };
}

static bool takes_files(const struct core *core, const struct dag_entry *dag)
{
    return dag->used && !dag->gone && !dag->paused && files_of(core, dag) != NULL &&
           core->runs_live < core->limits.runs_max;
}

static const struct value *conf_of(struct core *core, const struct core_event *event)
{
    struct value *conf = value_map(&core->step);
    value_put(&core->step, conf, STR("path"),
              value_string(&core->step, str_clean(&core->step, event->file.path)));
    value_put(&core->step, conf, STR("size"), value_int(&core->step, event->file.size));
    value_put(&core->step, conf, STR("mtime"),
              value_string(&core->step, context_time(&core->step, event->file.mtime_ms)));
    return conf;
}

static void write_taken(struct core *core, const struct dag_entry *dag,
                        const struct core_event *event, int64_t run_no)
{
    VEC_ADD(&core->open->writes, (struct record) { .type = WRITE_FILE_TAKEN });
    struct record *record = &VEC_LAST(&core->open->writes);
    record->file.dag_no = dag->dag_no;
    record->file.content = event->file.content;
    record->file.path = str_clean(batch_arena(core), event->file.path);
    record->file.size = event->file.size;
    record->file.mtime_ms = event->file.mtime_ms;
    record->file.run_no = run_no;
}

void file_found(struct core *core, const struct core_event *event)
{
    uint64_t index = 0;
    struct run *run = NULL;
    if (!core->deciding || !map_get(&core->dag_by_no, (uint64_t)event->file.dag_no, &index))
        return;
    struct dag_entry *dag = &core->dags.items[index];
    struct str key = content_key(&event->file.content);
    if (!takes_files(core, dag) ||
        (map_get_str(&dag->files, key, NULL) && !MUTANT(CORE_FILE_TWICE)))
        return;
    if (!event->file.known || MUTANT(CORE_FILE_TWICE)) {
        struct run_wish wish = { .dag = dag_index(core, dag),
                                 .run_id = STR_EMPTY,
                                 .type = RUN_ASSET_TRIGGERED,
                                 .run_after_ms = core->wall_ms,
                                 .conf = conf_of(core, event),
                                 .triggered_by = STR("files"),
                                 .note = STR_EMPTY,
                                 .cause = CAUSE_SCHEDULE };
        if (run_create(core, &wish, &run, NULL) < 0)
            return;
        write_taken(core, dag, event, run->run_no);
    }
    map_put_str(&core->dags.items[index].files, key, 1);
}

/* ---- questions ------------------------------------------------------------------------------- */

uint32_t core_file_schedules(const struct core *core, struct core_file_schedule *out, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->dags.count && count < max; i++) {
        const struct dag_entry *dag = &core->dags.items[i];
        if (!takes_files(core, dag))
            continue;
        const struct value *files = files_of(core, dag);
        out[count++] =
            (struct core_file_schedule) { dag->dag_no,
                                          value_text(value_get(files, "path"), STR_EMPTY),
                                          value_integer(value_get(files, "settle_ms"), 0) };
    }
    return count;
}

bool core_file_is_done(const struct core *core, int32_t dag_no, struct id128 content)
{
    uint64_t index = 0;
    return map_get(&core->dag_by_no, (uint64_t)dag_no, &index) &&
           map_get_str(&core->dags.items[index].files, content_key(&content), NULL);
}
