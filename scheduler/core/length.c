// SPDX-License-Identifier: Apache-2.0
/* length - how long the last runs of a DAG took, for a deadline that is a percentile of them. */
#include "scheduler/core/core_calls.h"

enum { LENGTHS_MAX = 20 };

/* Only of DAGs that ask for it, oldest first. */
void length_note(struct core *core, struct dag_entry *dag, int64_t length_ms)
{
    if (dag->version == NONE || core->versions.items[dag->version].dag->deadline_percentile == 0)
        return;
    if (dag->lengths.count == LENGTHS_MAX)
        memmove(dag->lengths.items, dag->lengths.items + 1,
                --dag->lengths.count * sizeof *dag->lengths.items);
    VEC_ADD(&dag->lengths, length_ms);
}

void length_recover(struct core *core, int32_t dag_no, int64_t length_ms)
{
    uint64_t dag = 0;
    if (map_get(&core->dag_by_no, (uint64_t)dag_no, &dag))
        length_note(core, &core->dags.items[dag], length_ms);
}

static int by_length(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The smallest length that so many percent of them do not exceed. */
static int64_t percentile(const struct dag_entry *dag, uint32_t percent)
{
    int64_t sorted[LENGTHS_MAX];
    memcpy(sorted, dag->lengths.items, sizeof sorted);
    qsort(sorted, LENGTHS_MAX, sizeof *sorted, by_length);
    uint32_t rank = (percent * LENGTHS_MAX + 99) / 100;
    return sorted[rank == 0 ? 0 : rank - 1];
}

int64_t length_deadline_ms(const struct core *core, const struct run *run)
{
    const struct dag *model = run_dag(core, run);
    const struct dag_entry *dag = &core->dags.items[run->dag];
    if (model->deadline_percentile == 0 || dag->lengths.count < LENGTHS_MAX)
        return model->deadline_ms;
    int64_t usual_ms = percentile(dag, model->deadline_percentile);
    return usual_ms > 0 ? usual_ms : 1;
}
