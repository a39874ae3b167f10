// SPDX-License-Identifier: Apache-2.0
#include "tests/store/conformance/rows.h"

/* ---- lines ----------------------------------------------------------------------------------- */

void lines_add(struct lines *lines, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    VEC_ADD(&lines->texts, str_formatv(&lines->arena, fmt, args));
    va_end(args);
}

static int compare_texts(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

void lines_join(struct lines *lines, struct buf *out)
{
    if (lines->texts.count > 1)
        qsort(lines->texts.items, lines->texts.count, sizeof *lines->texts.items, compare_texts);
    VEC_EACH (&lines->texts, i) {
        buf_add_str(out, lines->texts.items[i]);
        buf_add_str(out, STR("\n"));
    }
    VEC_CLEAR(&lines->texts);
    arena_clear(&lines->arena);
}

/* ---- the database's rows --------------------------------------------------------------------- */

/* A row becomes its table's name and these columns. */
#define MS(column)  "coalesce((extract(epoch FROM " column ") * 1000)::bigint, 0)"
#define NO(column)  "coalesce(" column ", 0)"
#define ID(column)  "coalesce(('x' || right(" column "::text, 12))::bit(48)::bigint, 0)"
#define BIT(column) "(" column ")::int"

static const struct {
    const char *name, *columns;
} tables[] = {
    { "run",
      ("run_no, dag_no, version_no, run_id, run_type, state, cause, " MS("logical_at") ", " MS(
          "int"
          "erv"
          "al_"
          "sta"
          "rt") ", " MS("interval_end") ", " MS("run_after") ", " MS("queued_at") ", " MS("started_"
                                                                                          "at") ","
                                                                                                " " MS(
                                                                                                    "ended_at") ", "
                                                                                                                "n_success, "
                                                                                                                "n_failed, "
                                                                                                                "n_skipped, "
                                                                                                                "conf, "
                                                                                                                "triggered_"
                                                                                                                "by, note") },
    { "run_key", "dag_no, run_id, run_no" },
    { "live_run", "run_no" },
    { "try",
      ("run_no, task, map_index, row_no, dag_no, try_no, infra_tries, " ID("attempt") ", " NO(
          "work"
          "er_"
          "no") ", " NO("incarnation") ", " NO("credit_seq") ", "
                                                             "priority, pool, queue, "
                                                             "map_label, state, cause, " BIT(
                                                                 "c"
                                                                 "l"
                                                                 "e"
                                                                 "a"
                                                                 "r"
                                                                 "e"
                                                                 "d") ", " MS("queued_at") ", " MS("started_at") ", " MS("ended_at") ", " MS("retry_at") ", " NO("exit_"
                                                                                                                                                                 "code") ","
                                                                                                                                                                         " " NO("cpu_ms") ", " NO(
                                                                                                                                                                             "memory_peak") ", error") },
    { "output", "run_no, task, map_index, value" },
    { "expansion", "run_no, task, length, items" },
    { "inbox_answer", "request_no, code, answer" },
    { "dag", ("dag_no, " BIT("is_paused") ", " MS("last_fire_at") ", " MS("next_fire_at")) },
    { "worker",
      ("worker_no, identity, name, host, release, array_to_string(queues, ','), slots, "
       "incarnation, state, reason, " MS("seen_at") ", cpu_permille, memory_used, memory_total") },
    { "autoscale_event", ("queue, " MS("at") ", demand, wanted, present, reason") },
    { "backfill",
      ("backfill_no, dag_no, " MS("from_at") ", " MS(
          "to_at") ", max_active_runs, "
                   "reprocess, " BIT("is_backwards") ", " BIT(
                       "is_paused") ", conf, triggered_by, " MS("cursor_at") ", " MS("created_"
                                                                                     "at") ","
                                                                                           " " MS(
                                                                                               "end"
                                                                                               "ed_"
                                                                                               "a"
                                                                                               "t")) },
    { "backfill_run", ("backfill_no, " MS("logical_at") ", " NO("run_no") ", reason") },
    { "asset_event", ("event_no, (SELECT name FROM asset a WHERE a.asset_no = x.asset_no), " MS(
                         "at") ", " NO("dag_no") ", " NO("run_no") ", task, map_index, extra") },
    { "asset_kept", "dag_no, event_no" },
    { "asset_taken", "run_no, event_no" },
    { "file_taken", ("dag_no, " ID("content") ", path, size, " MS("mtime") ", run_no") },
    { "notification",
      (ID("id") ", run_no, dag_no, task, map_index, try_no, event, kind, target, "
                "queue, state, tries, " MS("made_at") ", " MS("next_at") ", error") },
};

enum { TABLES = sizeof tables / sizeof *tables };

int rows_of_database(struct pg_sync *sync, struct buf *out, struct err *err)
{
    struct lines lines = { 0 };
    struct pg_result *result;
    struct buf sql = { 0 };
    int rc;

    for (size_t i = 0; i < TABLES; i++)
        buf_printf(&sql, "%sSELECT concat_ws('|', '%s', %s) FROM %s x", i > 0 ? " UNION ALL " : "",
                   tables[i].name, tables[i].columns, tables[i].name);
    rc = pg_sync_query(sync, str_cstr(&lines.arena, buf_str(&sql)), NULL, &result, err);
    buf_clear(&sql);
    if (rc < 0)
        return rc;
    for (uint32_t row = 0; row < pg_row_count(result); row++)
        lines_add(&lines, "%.*s", STR_ARG(pg_get_text(result, row, 0)));
    pg_result_free(result);
    lines_join(&lines, out);
    return 0;
}

/* What is asked for goes out of `inbox`; `asset` only gives numbers to names. */
static bool is_compared(struct str table)
{
    bool is_known = str_is(table, "inbox") || str_is(table, "asset");

    for (size_t i = 0; i < TABLES; i++)
        is_known |= str_is(table, tables[i].name);
    return is_known;
}

/* The name behind a verb that writes; names are small, so that the SET of an upsert is none. */
static struct str written_table(struct str sql)
{
    static const char *const verbs[] = { "INSERT INTO ", "DELETE FROM ", "UPDATE " };

    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        size_t from = strlen(verbs[i]), to = from;

        if (!str_starts(sql, verbs[i]))
            continue;
        while (to < sql.size && strchr("abcdefghijklmnopqrstuvwxyz_", sql.bytes[to]) != NULL)
            to++;
        return str_slice(sql, from, to);
    }
    return STR_EMPTY;
}

struct str rows_unknown_tables(struct str sql, struct arena *arena)
{
    struct str unknown = STR_EMPTY;

    for (size_t at = 0; at < sql.size; at++) {
        struct str table = written_table(str_slice(sql, at, sql.size));

        if (table.size > 0 && !is_compared(table))
            unknown = str_format(arena, "%.*s %.*s", STR_ARG(unknown), STR_ARG(table));
    }
    return unknown;
}

/* ---- the model's rows ------------------------------------------------------------------------ */

/* concat_ws passes over what is NULL, which is how an empty text is stored. */
struct maybe {
    char text[80];
};

static struct maybe maybe(struct str text)
{
    struct maybe maybe = { "" };

    if (text.size > 0)
        (void)snprintf(maybe.text, sizeof maybe.text, "|%.*s", STR_ARG(text));
    return maybe;
}

static void try_line(struct lines *lines, const struct model_try *try)
{
    const struct try_row *row = &try->row;

    lines_add(lines,
              "try|%lld|%u|%d|%u|%d|%u|%u|%llu|%lld|%llu|%llu|%d|%.*s|%.*s%s|%d|%d|%d|%lld|%lld|%"
              "lld|%lld|%d|%lld|%lld%s",
              (long long)row->run_no, row->task, row->map_index, row->row_no, row->dag_no,
              row->try_no, row->infra_tries, (unsigned long long)row->attempt.low,
              (long long)row->worker_no, (unsigned long long)row->credit.incarnation,
              (unsigned long long)row->credit.seq, row->priority, STR_ARG(row->pool),
              STR_ARG(row->queue), maybe(row->map_label).text, (int)row->state, (int)row->cause,
              try->cleared, (long long)row->queued_ms, (long long)row->started_ms,
              (long long)row->ended_ms, (long long)row->retry_ms, row->exit_code,
              (long long)row->cpu_ms, (long long)row->memory_peak_bytes, maybe(row->error).text);
}

static void run_line(struct lines *lines, const struct run_row *row, bool has_name)
{
    lines_add(lines,
              "run|%lld|%d|%lld|%.*s|%d|%d|%d|%lld|%lld|%lld|%lld|%lld|%lld|%lld|%u|%u|%u|%.*s|%.*s"
              "%s",
              (long long)row->run_no, row->dag_no, (long long)row->version_no, STR_ARG(row->run_id),
              (int)row->type, (int)row->state, (int)row->cause, (long long)row->logical_ms,
              (long long)row->interval_start_ms, (long long)row->interval_end_ms,
              (long long)row->run_after_ms, (long long)row->queued_ms, (long long)row->started_ms,
              (long long)row->ended_ms, row->succeeded, row->failed, row->skipped,
              STR_ARG(row->conf), STR_ARG(row->triggered_by), maybe(row->note).text);
    if (has_name)
        lines_add(lines, "run_key|%d|%.*s|%lld", row->dag_no, STR_ARG(row->run_id),
                  (long long)row->run_no);
    if (!run_state_is_final(row->state))
        lines_add(lines, "live_run|%lld", (long long)row->run_no);
}

static void run_lines(struct lines *lines, const struct model_run *run)
{
    if (!run->deleted)
        run_line(lines, &run->row, run->has_name);
    VEC_EACH (&run->tries, i)
        try_line(lines, &run->tries.items[i]);
    VEC_EACH (&run->outputs, i) {
        const struct model_output *output = &run->outputs.items[i];

        if (output->json.size > 0)
            lines_add(lines, "output|%lld|%u|%d|%.*s", (long long)run->row.run_no, output->task,
                      output->map_index, STR_ARG(output->json));
    }
    VEC_EACH (&run->expansions, i)
        lines_add(lines, "expansion|%lld|%u|%u|%.*s", (long long)run->row.run_no,
                  run->expansions.items[i].task, run->expansions.items[i].length,
                  STR_ARG(run->expansions.items[i].items));
}

static void backfill_lines(struct lines *lines, const struct model_backfill *backfill)
{
    const struct backfill_row *row = &backfill->row;

    lines_add(lines, "backfill|%lld|%d|%lld|%lld|%d|%d|%d|%d|%.*s|%.*s|%lld|%lld|%lld",
              (long long)row->backfill_no, row->dag_no, (long long)row->from_ms,
              (long long)row->to_ms, row->max_active_runs, (int)row->reprocess, row->backwards,
              row->paused, STR_ARG(row->conf), STR_ARG(row->triggered_by),
              (long long)row->cursor_ms, (long long)row->created_ms, (long long)row->ended_ms);
    VEC_EACH (&backfill->dates, i)
        lines_add(lines, "backfill_run|%lld|%lld|%lld%s", (long long)row->backfill_no,
                  (long long)backfill->dates.items[i].backfill_run.logical_ms,
                  (long long)backfill->dates.items[i].backfill_run.run_no,
                  maybe(backfill->dates.items[i].backfill_run.reason).text);
}

static void asset_lines(struct lines *lines, const struct model_store *store)
{
    VEC_EACH (&store->events, i) {
        const struct asset_event *event = &store->events.items[i];

        lines_add(lines, "asset_event|%lld|%.*s|%lld|%d|%lld|%d|%d|%.*s",
                  (long long)event->event_no, STR_ARG(event->asset), (long long)event->at_ms,
                  event->dag_no, (long long)event->run_no, event->task, event->map_index,
                  STR_ARG(event->extra));
    }
    VEC_EACH (&store->kept, i) {
        const struct model_kept *kept = &store->kept.items[i];

        if (kept->run_no == 0)
            lines_add(lines, "asset_kept|%d|%lld", kept->dag_no, (long long)kept->event_no);
        else
            lines_add(lines, "asset_taken|%lld|%lld", (long long)kept->run_no,
                      (long long)kept->event_no);
    }
}

static void notification_line(struct lines *lines, const struct notification_row *row)
{
    lines_add(lines, "notification|%llu|%lld|%d|%d|%d|%d|%.*s|%.*s|%.*s|%.*s|%d|%u|%lld|%lld|%.*s",
              (unsigned long long)row->id.low, (long long)row->run_no, row->dag_no, row->task,
              row->map_index, row->try_no, STR_ARG(row->event), STR_ARG(row->kind),
              STR_ARG(row->target), STR_ARG(row->queue), (int)row->state, row->tries,
              (long long)row->made_ms, (long long)row->next_ms, STR_ARG(row->error));
}

static void worker_line(struct lines *lines, const struct model_store *store,
                        const struct record *record)
{
    const typeof(record->worker) *row = &record->worker;
    struct machine_load load = model_store_load(store, row->worker_no);

    lines_add(lines, "worker|%lld|%.*s|%.*s|%.*s|%.*s|%.*s|%u|%llu|%d|%.*s|%lld|%d|%lld|%lld",
              (long long)row->worker_no, STR_ARG(row->worker), STR_ARG(row->name),
              STR_ARG(row->host), STR_ARG(row->version), STR_ARG(row->queues), row->slots,
              (unsigned long long)row->incarnation, (int)row->state, STR_ARG(row->reason),
              (long long)row->seen_ms, load.cpu_permille, (long long)load.memory_used_bytes,
              (long long)load.memory_total_bytes);
}

void rows_of_model(const struct model_store *store, struct buf *out)
{
    struct lines lines = { 0 };

    VEC_EACH (&store->runs, i)
        run_lines(&lines, &store->runs.items[i]);
    VEC_EACH (&store->dags, i) {
        const struct model_dag *dag = &store->dags.items[i];

        if (!dag->deleted)
            lines_add(&lines, "dag|%d|%d|%lld|%lld", dag->dag_no, dag->paused,
                      dag->has_last ? (long long)dag->last_fire_ms : 0,
                      (long long)dag->next_fire_ms);
    }
    VEC_EACH (&store->workers, i)
        worker_line(&lines, store, &store->workers.items[i]);
    VEC_EACH (&store->autoscales, i) {
        const typeof(store->autoscales.items->autoscale) *row =
            &store->autoscales.items[i].autoscale;

        lines_add(&lines, "autoscale_event|%.*s|%lld|%u|%u|%u|%.*s", STR_ARG(row->queue),
                  (long long)row->at_ms, row->demand, row->wanted, row->present,
                  STR_ARG(row->reason));
    }
    VEC_EACH (&store->requests, i)
        lines_add(&lines, "inbox_answer|%lld|%d|%.*s",
                  (long long)store->requests.items[i].request_no, store->requests.items[i].code,
                  STR_ARG(store->requests.items[i].answer));
    VEC_EACH (&store->backfills, i)
        backfill_lines(&lines, &store->backfills.items[i]);
    asset_lines(&lines, store);
    VEC_EACH (&store->files, i) {
        const typeof(store->files.items->file) *row = &store->files.items[i].file;

        lines_add(&lines, "file_taken|%d|%llu|%.*s|%lld|%lld|%lld", row->dag_no,
                  (unsigned long long)row->content.low, STR_ARG(row->path), (long long)row->size,
                  (long long)row->mtime_ms, (long long)row->run_no);
    }
    VEC_EACH (&store->notifications, i)
        notification_line(&lines, &store->notifications.items[i]);
    lines_join(&lines, out);
}
