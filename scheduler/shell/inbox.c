// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/inbox.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/store/inbox.h"
#include "scheduler/shell/recover.h"

/* One request on its way to the core. */
struct entry {
    struct arena arena;
    struct request request;
};

struct inbox {
    struct shell *shell;
    struct timer poll;
    VEC(int64_t) in_hand;     /* read and not yet answered in the database */
    VEC(struct entry *) todo; /* read and not yet given to the core, by number */
    bool reading, look_again, loading;
    uint64_t epoch; /* answers of an earlier leadership are dropped */
    void *owner;
    void (*done)(void *owner);
};

static void give_next(struct inbox *inbox);

static void entry_free(struct entry *entry)
{
    arena_clear(&entry->arena);
    free(entry);
}

static void drop_first(struct inbox *inbox)
{
    entry_free(inbox->todo.items[0]);
    inbox->todo.count--;
    memmove(inbox->todo.items, inbox->todo.items + 1,
            inbox->todo.count * sizeof *inbox->todo.items);
}

static void give(struct inbox *inbox)
{
    struct entry *entry = inbox->todo.items[0];
    shell_step(inbox->shell,
               &(struct core_event) { .type = CORE_REQUEST, .request = &entry->request });
    if (inbox->todo.count > 0 &&
        inbox->todo.items[0] == entry) /* unless stepping ended the leadership */
        drop_first(inbox);
}

/* ---- a run that has ended comes back into memory before the request that names it ------------ */

static bool needs_run(const struct inbox *inbox, const struct request *request)
{
    bool about_run = request->kind == REQUEST_CLEAR || request->kind == REQUEST_MARK_TASKS ||
                     request->kind == REQUEST_MARK_RUN || request->kind == REQUEST_DELETE_RUN;
    return about_run && request->known_run_no != 0 &&
           !core_has_run(inbox->shell->core, request->known_run_no);
}

struct load {
    struct inbox *inbox;
    uint64_t epoch;
};

static bool load_is_stale(struct load *load)
{
    return load->epoch != load->inbox->epoch || !load->inbox->shell->is_leading;
}

static void on_run(void *owner, int rc, const struct recovered_run *run, const struct err *err)
{
    struct load *load = owner;
    struct inbox *inbox = load->inbox;
    bool stale = load_is_stale(load);
    free(load);
    if (stale)
        return;
    inbox->loading = false;
    if (rc == 0)
        shell_step(inbox->shell, &(struct core_event) { .type = CORE_RUN_RECOVERED, .run = run });
    else
        log_warn("run_read", LOG_ERR(err)); /* the core answers that it is not there */
    if (inbox->todo.count > 0)
        give(inbox);
    give_next(inbox);
}

/* The version is only known by the run; it is asked for first, so the run is read twice when the
 * version was not loaded. */
static void on_version(void *owner, int rc, const struct recovered_dag *dag, const struct err *err)
{
    struct load *load = owner;
    struct inbox *inbox = load->inbox;
    if (load_is_stale(load)) {
        free(load);
        return;
    }
    if (rc == 0)
        recover_dag(inbox->shell, dag);
    else
        log_warn("version_read", LOG_ERR(err));
    const struct request *request = &inbox->todo.items[0]->request;
    store_run_read(inbox->shell->store, request->dag_id, request->run_id, on_run, load);
}

static void on_run_first(void *owner, int rc, const struct recovered_run *run,
                         const struct err *err)
{
    struct load *load = owner;
    struct shell *shell = load->inbox->shell;
    if (load_is_stale(load) || rc < 0 || core_has_version(shell->core, run->version_no)) {
        on_run(load, rc, run, err);
        return;
    }
    store_dag_version_read(shell->store, run->version_no, on_version, load);
}

static struct load *load_new(struct inbox *inbox)
{
    struct load *load = calloc(1, sizeof *load);
    ASSERT(load != NULL);
    *load = (struct load) { inbox, inbox->epoch };
    inbox->loading = true;
    return load;
}

static void load_run(struct inbox *inbox)
{
    struct load *load = load_new(inbox);
    const struct request *request = &inbox->todo.items[0]->request;
    store_run_read(inbox->shell->store, request->dag_id, request->run_id, on_run_first, load);
}

/* ---- what changed is read before its request is answered ------------------------------------- */

static void on_reloaded(void *owner)
{
    struct load *load = owner;
    struct inbox *inbox = load->inbox;
    bool stale = load_is_stale(load);
    free(load);
    if (stale)
        return;
    inbox->loading = false;
    give(inbox);
    give_next(inbox);
}

static void reload(struct inbox *inbox)
{
    struct load *load = load_new(inbox);
    recover_reload(inbox->shell, inbox->todo.items[0]->request.what, on_reloaded, load);
}

static void give_next(struct inbox *inbox)
{
    while (inbox->todo.count > 0 && !inbox->loading && inbox->shell->is_leading) {
        const struct request *request = &inbox->todo.items[0]->request;
        if (needs_run(inbox, request))
            load_run(inbox);
        else if (request->kind == REQUEST_RELOAD)
            reload(inbox);
        else
            give(inbox);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static void on_row(void *owner, const struct inbox_row *row)
{
    struct inbox *inbox = owner;
    if (!inbox->shell->is_leading)
        return;
    struct entry *entry = calloc(1, sizeof *entry);
    ASSERT(entry != NULL);
    struct err err = { 0 };
    if (request_parse(str_copy(&entry->arena, row->body), &entry->arena, &entry->request, &err) <
        0) {
        /* Written by a newer web server, perhaps; it stays for a newer leader. */
        log_error("request_unreadable", LOG_INT("request", row->request_no), LOG_ERR(&err));
        entry_free(entry);
    } else {
        entry->request.request_no = row->request_no;
        entry->request.known_run_no = row->run_no;
        if (entry->request.actor.size == 0)
            entry->request.actor = str_copy(&entry->arena, row->actor);
        VEC_ADD(&inbox->todo, entry);
    }
    VEC_ADD(&inbox->in_hand, row->request_no);
}

static void on_rows_end(void *owner, int rc, uint32_t row_count, const struct err *err)
{
    struct inbox *inbox = owner;
    inbox->reading = false;
    if (rc < 0)
        log_warn("inbox_read", LOG_ERR(err));
    if (!inbox->shell->is_leading)
        return;
    give_next(inbox);
    if (row_count == STORE_INBOX_MAX || inbox->look_again)
        inbox_look(inbox);
}

void inbox_look(struct inbox *inbox)
{
    if (!inbox->shell->is_leading)
        return;
    inbox->look_again = inbox->reading;
    if (inbox->reading)
        return;
    inbox->reading = true;
    timer_once(&inbox->poll, inbox->shell->conf->scheduler_inbox_poll_ms);
    store_inbox_read(inbox->shell->store, inbox->in_hand.items, inbox->in_hand.count, on_row,
                     on_rows_end, inbox);
}

static void on_poll(struct timer *timer)
{
    inbox_look(timer->owner);
}

void inbox_answered(struct inbox *inbox, int64_t request_no)
{
    VEC_EACH (&inbox->in_hand, i) {
        if (inbox->in_hand.items[i] == request_no) {
            inbox->in_hand.items[i] = VEC_LAST(&inbox->in_hand);
            inbox->in_hand.count--;
            return;
        }
    }
}

void inbox_forget(struct inbox *inbox)
{
    timer_stop(&inbox->poll);
    while (inbox->todo.count > 0)
        drop_first(inbox);
    VEC_RESET(&inbox->in_hand);
    inbox->loading = inbox->look_again = false;
    inbox->epoch++;
}

struct inbox *inbox_new(struct shell *shell)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    ASSERT(inbox != NULL);
    inbox->shell = shell;
    timer_open(&inbox->poll, shell->loop, on_poll, inbox);
    return inbox;
}

static void on_closed(void *owner)
{
    struct inbox *inbox = owner;
    void (*done)(void *) = inbox->done;
    void *done_owner = inbox->owner;
    VEC_CLEAR(&inbox->in_hand);
    VEC_CLEAR(&inbox->todo);
    free(inbox);
    done(done_owner);
}

void inbox_close(struct inbox *inbox, void (*done)(void *owner), void *owner)
{
    inbox_forget(inbox);
    inbox->done = done;
    inbox->owner = owner;
    timer_close(&inbox->poll, on_closed);
}
