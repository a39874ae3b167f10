// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/find.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/date_store.h"
#include "common/store/recover.h"
#include "scheduler/shell/recover.h"

/* One question on its way. */
struct search {
    struct shell *shell;
    uint64_t epoch; /* of the leadership that asked */
    struct core_find find;
};

static void answer(struct search *search, const struct recovered_run *run, bool failed)
{
    struct search ended = *search;
    free(search);
    if (ended.epoch == ended.shell->epoch)
        shell_step(
            ended.shell,
            &(struct core_event) { .type = CORE_FOUND,
                                   .found = { .find = ended.find, .run = run, .failed = failed } });
}

static void on_run(void *owner, int rc, const struct recovered_run *run, const struct err *err)
{
    struct search *search = owner;
    if (rc < 0 && rc != ERR_NOT_FOUND)
        log_warn("run_find", LOG_INT("dag", search->find.dag_no), LOG_ERR(err));
    answer(search, rc == 0 ? run : NULL, rc < 0 && rc != ERR_NOT_FOUND);
}

static void read_run(struct search *search,
                     void (*on_end)(void *owner, int rc, const struct recovered_run *run,
                                    const struct err *err))
{
    store_run_before(search->shell->store, search->find.dag_no, search->find.logical_ms,
                     search->find.scheduled, on_end, search);
}

/* The version is only known by the run; so the run is read once more when its version was not
 * loaded. */
static void on_version(void *owner, int rc, const struct recovered_dag *dag, const struct err *err)
{
    struct search *search = owner;
    if (rc < 0) {
        log_warn("version_read", LOG_ERR(err));
        answer(search, NULL, true);
        return;
    }
    if (search->epoch == search->shell->epoch)
        recover_dag(search->shell, dag);
    read_run(search, on_run);
}

static void on_run_first(void *owner, int rc, const struct recovered_run *run,
                         const struct err *err)
{
    struct search *search = owner;
    if (rc < 0 || search->epoch != search->shell->epoch ||
        core_has_version(search->shell->core, run->version_no))
        on_run(search, rc, run, err);
    else
        store_dag_version_read(search->shell->store, run->version_no, on_version, search);
}

static void on_dates(void *owner, int rc, const struct dated_run *runs, uint32_t count,
                     const struct err *err)
{
    struct search search = *(struct search *)owner;
    free(owner);
    if (rc < 0)
        log_warn("dates_find", LOG_INT("dag", search.find.dag_no), LOG_ERR(err));
    if (search.epoch == search.shell->epoch)
        shell_step(search.shell, &(struct core_event) { .type = CORE_FOUND,
                                                        .found = { .find = search.find,
                                                                   .failed = rc < 0,
                                                                   .dates = runs,
                                                                   .date_count = count } });
}

void find_run(struct shell *shell, const struct core_find *find)
{
    struct search *search = malloc(sizeof *search);
    ASSERT(search != NULL);
    *search = (struct search) { shell, shell->epoch, *find };
    if (find->what == FIND_DATES)
        store_dated_runs(shell->store, find->dag_no, find->dates, find->date_count, on_dates,
                         search);
    else
        read_run(search, on_run_first);
}
