// SPDX-License-Identifier: Apache-2.0
/* What nobody notes: DAGs and workers. Their rows are summed up in hashes, looked at every
 * other second while somebody listens. */
#include "common/text/json.h"
#include "webserver/api/live_inside.h"

static void add_dag(struct live *live, struct str dag_id)
{
    struct buf json = { 0 };
    json_write_string(&json, dag_id);
    live_add(live, EVENT_DAG, live->seq, dag_id, STR_EMPTY, buf_str(&json));
    buf_clear(&json);
}

void live_dag_changed(struct live *live, struct str dag_id)
{
    live->seq++;
    add_dag(live, dag_id);
    live_tell(live);
}

static void on_dag_marks(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    struct arena arena = { 0 };
    const struct value *map = NULL;
    (void)err;
    live->is_reading_marks = false;
    if (rc == 0)
        rc = json_parse(&arena, json, NULL, &map, NULL);
    const struct value *dags = rc < 0 ? NULL : value_get(map, "dags");
    int64_t seq = live->seq + 1;
    for (uint32_t i = 0; dags != NULL && i < dags->count; i++) {
        struct str dag_id = value_text(dags->items[i]->items[0], STR_EMPTY);
        uint64_t mark = (uint64_t)value_integer(dags->items[i]->items[1], 0), known;
        bool is_known = map_get_str(&live->dag_marks, dag_id, &known);
        if (is_known && known == mark)
            continue;
        map_put_str(&live->dag_marks, dag_id, mark);
        live->seq = seq;
        add_dag(live, dag_id);
    }
    arena_clear(&arena);
    live_tell(live);
    if (live->is_closing)
        live_wake(live);
}

static bool mark_changed(char mark[80], struct str now)
{
    bool is_first = mark[0] == 0;
    bool is_same = str_is(now, mark);
    snprintf(mark, 80, "%.*s", STR_ARG(now));
    return !is_same && !is_first;
}

static void on_marks(void *owner, int rc, struct str json, const struct err *err)
{
    struct live *live = owner;
    struct arena arena = { 0 };
    const struct value *map = NULL;
    (void)err;
    if (rc == 0)
        rc = json_parse(&arena, json, NULL, &map, NULL);
    if (rc == 0 &&
        (mark_changed(live->workers_mark, value_text(value_get(map, "workers"), STR_EMPTY)) ||
         live->wants_workers)) {
        live->wants_workers = false;
        live->workers_told_ms = loop_now_ms();
        live_add(live, EVENT_WORKERS, ++live->seq, STR_EMPTY, STR_EMPTY, STR_EMPTY);
    }
    if (rc == 0 && mark_changed(live->loads_mark, value_text(value_get(map, "loads"), STR_EMPTY)))
        live_add(live, EVENT_LOADS, ++live->seq, STR_EMPTY, STR_EMPTY, STR_EMPTY);
    bool is_first = live->dags_mark[0] == 0;
    bool dags_changed =
        rc == 0 &&
        (mark_changed(live->dags_mark, value_text(value_get(map, "dags"), STR_EMPTY)) || is_first);
    arena_clear(&arena);
    if (dags_changed && !live->is_closing) {
        document_read(live->api->options.store, DOCUMENT_live_dag_marks, NULL, 0, on_dag_marks,
                      live);
        return;
    }
    live->is_reading_marks = false;
    live_tell(live);
    if (live->is_closing)
        live_wake(live);
}

void live_look_at_marks(struct live *live)
{
    if (live->first == NULL || live->is_reading_marks)
        return;
    live->is_reading_marks = true;
    document_read(live->api->options.store, DOCUMENT_live_marks, NULL, 0, on_marks, live);
}
