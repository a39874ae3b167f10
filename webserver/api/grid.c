// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/grid.h"

#include "common/text/json.h"
#include "webserver/api/cells.h"

#include <string.h>

struct grid {
    struct arena arena; /* not the call's, which lives until the client has read the answer */
    struct cells_known known;
};

/* One a run, in the order of the page. */
struct lines {
    struct cell_line *items;
    uint32_t count;
};

static struct cell_line line_read(const struct value *line, int64_t run_no,
                                  const struct value *mark)
{
    return (struct cell_line) { .run_no = run_no,
                                .mark = value_text(mark, STR_EMPTY),
                                .letters = value_text(line->items[0], STR_EMPTY),
                                .tries = value_text(line->items[1], STR_EMPTY),
                                .mapped = value_text(line->items[2], STR_EMPTY) };
}

/* What was not read is known. */
static struct lines merge(struct arena *arena, const struct value *answer,
                          const struct cells_known *known)
{
    const struct value *keys = value_get(value_get(value_get(answer, "page"), "runs"), "key");
    const struct value *marks = value_get(answer, "marks"), *read = value_get(answer, "lines");
    struct lines lines = { ARENA_ARRAY(arena, struct cell_line, keys->count), keys->count };
    struct map known_at = { 0 };
    for (uint32_t i = 0; i < known->count; i++)
        map_put(&known_at, (uint64_t)known->lines[i].run_no, i);
    for (uint32_t i = 0; i < keys->count; i++) {
        int64_t run_no = value_integer(keys->items[i], 0);
        uint64_t at;
        if (read->items[i]->type == VALUE_LIST)
            lines.items[i] = line_read(read->items[i], run_no, marks->items[i]);
        else if (map_get(&known_at, (uint64_t)run_no, &at))
            lines.items[i] = known->lines[at];
    }
    map_clear(&known_at);
    return lines;
}

/* "[4,2],[7,3]" of the run at `place` is "[place,4,2],[place,7,3]" among those of all. */
static void add_placed(struct buf *out, struct str lists, uint32_t place)
{
    if (lists.size > 0 && out->bytes[out->size - 1] != '[')
        buf_add_byte(out, ',');
    for (size_t i = 0; i < lists.size; i++) {
        buf_add_byte(out, lists.bytes[i]);
        if (lists.bytes[i] == '[')
            buf_printf(out, "%u,", place);
    }
}

static void write_page(struct buf *out, const struct value *page, struct lines lines)
{
    json_write(out, page);
    out->size--; /* its closing brace comes last */
    buf_add_cstr(out, ",\"st\":[");
    for (uint32_t i = 0; i < lines.count; i++) {
        buf_add_cstr(out, i == 0 ? "" : ",");
        json_write_string(out, lines.items[i].letters);
    }
    buf_add_cstr(out, "],\"tries\":[");
    for (uint32_t i = 0; i < lines.count; i++)
        add_placed(out, lines.items[i].tries, i);
    buf_add_cstr(out, "],\"mapped\":[");
    for (uint32_t i = 0; i < lines.count; i++)
        add_placed(out, lines.items[i].mapped, i);
    buf_add_cstr(out, "]}");
}

/* PostgreSQL's own answer: what it could hold, we can. */
static const struct json_limits LIMITS = { SIZE_MAX, JSON_DEPTH_MAX };

static void on_cells(void *owner, int rc, struct str json, const struct err *err)
{
    struct call *call = owner;
    struct grid *grid = call->state;
    struct buf out = { 0 };
    const struct value *answer = NULL;
    if (rc == 0)
        rc = json_parse(&grid->arena, json, &LIMITS, &answer, NULL);
    if (rc == 0) {
        struct lines lines = merge(&grid->arena, answer, &grid->known);
        cells_keep(call->api->cells, call_param(call, "dag_id"),
                   value_integer(value_get(answer, "version_no"), 0), lines.items, lines.count);
        write_page(&out, value_get(answer, "page"), lines);
        http_pile_add(call->request, buf_str(&out));
    }
    buf_clear(&out);
    arena_clear(&grid->arena);
    call_pass_read(call, rc, err);
}

void grid_answer(struct call *call, const struct bind binds[GRID_BINDS])
{
    struct grid *grid = ARENA_NEW(call->arena, struct grid);
    struct cells_known *known = &grid->known;
    call->state = grid;
    cells_known(call->api->cells, &grid->arena, call_param(call, "dag_id"), known);
    int64_t *runs = ARENA_ARRAY(&grid->arena, int64_t, known->count);
    struct str *marks = ARENA_ARRAY(&grid->arena, struct str, known->count);
    for (uint32_t i = 0; i < known->count; i++) {
        runs[i] = known->lines[i].run_no;
        marks[i] = known->lines[i].mark;
    }
    struct bind all[GRID_BINDS + 3];
    memcpy(all, binds, GRID_BINDS * sizeof *binds);
    all[GRID_BINDS] = BIND_NUMBERS(runs, known->count);
    all[GRID_BINDS + 1] = BIND_TEXTS(marks, known->count);
    all[GRID_BINDS + 2] = BIND_NUMBER(known->version_no);
    /* For everybody: that the DAG may be read was asked before (reach.h). */
    document_read(call->api->options.store, DOCUMENT_ui_cells, all, GRID_BINDS + 3, on_cells, call);
}
