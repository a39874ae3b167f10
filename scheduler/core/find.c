// SPDX-License-Identifier: Apache-2.0
/* find - questions to the database about runs that may have ended and are not in memory. The answer
 * speaks of the moment at which it was read: when a run of the DAG was forgotten meanwhile, or one
 * deleted, it may be an old one, and is asked for again. */
#include "scheduler/core/core_calls.h"

enum { RETRY_MS = 1000 };

/* Rises with everything that makes an answer an old one. */
static uint64_t forgotten(const struct core *core, uint64_t dag)
{
    return core->dags.items[dag].forgotten + core->deletions;
}

void find_ask(struct core *core, struct core_find find)
{
    uint64_t index = 0;
    if (!map_get(&core->dag_by_no, (uint64_t)find.dag_no, &index))
        return;
    find.forgotten = forgotten(core, index);
    send_now(core, (struct core_send) { .type = SEND_FIND, .worker = STR_EMPTY, .find = find });
}

/* In memory already, or recovered from its row. */
static struct run *run_of(struct core *core, const struct recovered_run *row)
{
    if (row == NULL)
        return NULL;
    recover_run(core, row);
    return run_by_no(core, row->run_no);
}

static void ask_later(struct core *core, const struct core_find *find)
{
    timer_set(core, core->now_ms + RETRY_MS,
              (struct timer) { .kind = TIMER_FIND, .index = find->what, .number = find->number });
}

static void run_answer(struct core *core, const struct core_find *find,
                       const struct recovered_run *row, uint64_t index)
{
    if (MUTANT(CORE_PAST_FORGOTTEN))
        row = NULL;
    bool deleted = row != NULL && map_get(&core->deleted, (uint64_t)row->run_no, NULL);
    bool stale = find->forgotten != forgotten(core, index) || deleted;
    if (stale && !MUTANT(CORE_FIND_STALE)) {
        find_ask(core, *find);
        return;
    }
    struct run *run = run_of(core, row);
    if (row != NULL && run == NULL) { /* its version is not there */
        ask_later(core, find);
        return;
    }
    switch (find->what) {
    case FIND_PAST:
        past_found(core, find->number, run);
        break;
    case FIND_BACKFILL:
        backfill_found(core, find->number, find->logical_ms, run);
        break;
    case FIND_DATES:
        UNREACHABLE();
    }
    run_forget_if_unchanged(core, row != NULL ? run_by_no(core, row->run_no) : NULL);
}

static void dates_answer(struct core *core, const struct core_event *event, uint64_t index)
{
    const struct core_find *find = &event->found.find;
    if (find->forgotten != forgotten(core, index))
        backfill_again(core, find->number);
    else
        backfill_dates_found(core, find, event->found.dates, event->found.date_count);
}

void find_answer(struct core *core, const struct core_event *event)
{
    const struct core_find *find = &event->found.find;
    uint64_t index = 0;
    if (!core->deciding || !map_get(&core->dag_by_no, (uint64_t)find->dag_no, &index))
        return;
    if (event->found.failed)
        ask_later(core, find);
    else if (find->what == FIND_DATES)
        dates_answer(core, event, index);
    else
        run_answer(core, find, event->found.run, index);
}

void find_again(struct core *core, const struct timer *timer)
{
    switch ((enum core_find_what)timer->index) {
    case FIND_PAST:
        past_ask_again(core, timer->number);
        break;
    case FIND_BACKFILL:
    case FIND_DATES:
        backfill_again(core, timer->number);
        break;
    }
}
