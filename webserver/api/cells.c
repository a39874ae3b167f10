// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/cells.h"

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/vec.h"

#include <stdlib.h>

struct dag_cells {
    int64_t version_no;
    VEC(struct cell_line) lines; /* each in one block, which its mark begins */
};

struct cells {
    struct map by_id; /* DAG id -> index */
    VEC(struct dag_cells) dags;
    size_t bytes;
};

struct cells *cells_new(void)
{
    struct cells *cells = calloc(1, sizeof *cells);
    ASSERT(cells != NULL);
    return cells;
}

static size_t line_size(const struct cell_line *line)
{
    return line->mark.size + line->letters.size + line->tries.size + line->mapped.size;
}

/* What keeping it takes: besides its text, the line in an array that may be half empty, and what
 * the allocator adds. */
static size_t line_cost(const struct cell_line *line)
{
    return line_size(line) + 2 * sizeof *line + 32;
}

static struct cell_line line_at(char *block, const struct cell_line *line)
{
    struct cell_line copy = { .run_no = line->run_no };
    copy.mark = str_place(&block, line->mark);
    copy.letters = str_place(&block, line->letters);
    copy.tries = str_place(&block, line->tries);
    copy.mapped = str_place(&block, line->mapped);
    return copy;
}

static void drop_line(struct cells *cells, struct dag_cells *dag, uint32_t index)
{
    struct cell_line *line = &dag->lines.items[index];
    cells->bytes -= line_cost(line);
    free((char *)line->mark.bytes);
    *line = dag->lines.items[--dag->lines.count];
}

static void drop_all(struct cells *cells)
{
    VEC_EACH (&cells->dags, i) {
        while (cells->dags.items[i].lines.count > 0)
            drop_line(cells, &cells->dags.items[i], 0);
        VEC_CLEAR(&cells->dags.items[i].lines);
    }
    VEC_CLEAR(&cells->dags);
    map_clear(&cells->by_id);
    ASSERT(cells->bytes == 0);
}

void cells_free(struct cells *cells)
{
    drop_all(cells);
    free(cells);
}

void cells_known(const struct cells *cells, struct arena *arena, struct str dag_id,
                 struct cells_known *out)
{
    *out = (struct cells_known) { 0 };
    uint64_t index;
    if (!map_get_str(&cells->by_id, dag_id, &index))
        return;
    const struct dag_cells *dag = &cells->dags.items[index];
    out->version_no = dag->version_no;
    out->lines = ARENA_ARRAY(arena, struct cell_line, dag->lines.count);
    for (; out->count < dag->lines.count; out->count++) {
        const struct cell_line *line = &dag->lines.items[out->count];
        out->lines[out->count] = line_at(arena_alloc(arena, line_size(line)), line);
    }
}

static struct dag_cells *dag_of(struct cells *cells, struct str dag_id)
{
    uint64_t index = cells->dags.count;
    if (!map_get_str(&cells->by_id, dag_id, &index)) {
        VEC_ADD(&cells->dags, (struct dag_cells) { 0 });
        map_put_str(&cells->by_id, dag_id, index);
    }
    return &cells->dags.items[index];
}

static void drop_oldest(struct cells *cells, struct dag_cells *dag)
{
    uint32_t oldest = 0;
    VEC_EACH (&dag->lines, i)
        if (dag->lines.items[i].run_no < dag->lines.items[oldest].run_no)
            oldest = i;
    drop_line(cells, dag, oldest);
}

static void keep(struct cells *cells, struct str dag_id, int64_t version_no,
                 const struct cell_line *line)
{
    struct dag_cells *dag = dag_of(cells, dag_id);
    while (dag->version_no != version_no && dag->lines.count > 0)
        drop_line(cells, dag, 0);
    dag->version_no = version_no;
    VEC_EACH (&dag->lines, i) {
        if (dag->lines.items[i].run_no != line->run_no)
            continue;
        if (str_eq(dag->lines.items[i].mark, line->mark))
            return;
        drop_line(cells, dag, i);
        break;
    }
    char *block = malloc(line_size(line));
    ASSERT(block != NULL);
    VEC_ADD(&dag->lines, line_at(block, line));
    cells->bytes += line_cost(line);
    if (dag->lines.count > CELLS_RUNS_MAX)
        drop_oldest(cells, dag);
}

void cells_keep(struct cells *cells, struct str dag_id, int64_t version_no,
                const struct cell_line *lines, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (lines[i].mark.size > 0)
            keep(cells, dag_id, version_no, &lines[i]);
    if (cells->bytes > CELLS_BYTES_MAX)
        drop_all(cells);
}
