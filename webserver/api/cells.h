// SPDX-License-Identifier: Apache-2.0
/* cells - what a grid shows of runs that have ended, kept from one reading to the next: a run's
 * cells are read from as many rows as it has tasks, and then stay as they are.
 *
 * Kept by DAG, for the tasks of one version, each with the mark that ui_cells reads of the run's
 * row. Whatever changes a state in a run that has ended changes that row, too (the simulator's
 * I27): a line with the mark of now is the line of now.
 *
 * Bounded: of a DAG the newest CELLS_RUNS_MAX are kept, more than a grid shows; beyond
 * CELLS_BYTES_MAX everything is forgotten, and read again once. */
#ifndef HEADRACE_CELLS_H
#define HEADRACE_CELLS_H

#include "common/base/arena.h"
#include "common/base/str.h"

enum { CELLS_BYTES_MAX = 64 << 20, CELLS_RUNS_MAX = 400 };

struct cells;

/* Of one run. `letters`: one a task; `tries`, `mapped`: the inside of JSON lists of lists, each
 * without the run's place. */
struct cell_line {
    int64_t run_no;
    struct str mark; /* empty: it has not ended, and is not kept */
    struct str letters, tries, mapped;
};

/* What is known of a DAG when it is asked for. */
struct cells_known {
    int64_t version_no;
    struct cell_line *lines;
    uint32_t count;
};

struct cells *cells_new(void);
void cells_free(struct cells *cells);

/* Copies what is known into `arena`: of the marks some may be old. */
void cells_known(const struct cells *cells, struct arena *arena, struct str dag_id,
                 struct cells_known *out);

/* Keeps the lines that have a mark. Copies. */
void cells_keep(struct cells *cells, struct str dag_id, int64_t version_no,
                const struct cell_line *lines, uint32_t count);

#endif
