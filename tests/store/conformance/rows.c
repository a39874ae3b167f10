// SPDX-License-Identifier: Apache-2.0
#include "tests/store/conformance/rows.h"

/* ---- lines ----------------------------------------------------------------------------------- */

void lines_add(struct lines *lines, struct str text)
{
    VEC_ADD(&lines->texts, str_copy(&lines->arena, text));
}

static int compare_texts(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

void lines_join(struct lines *lines, struct buf *out)
{
    if (lines->texts.count > 1)
        qsort(lines->texts.items, lines->texts.count, sizeof *lines->texts.items, compare_texts);
    VEC_EACH (&lines->texts, i)
        buf_add_str(out, lines->texts.items[i]);
    VEC_CLEAR(&lines->texts);
    arena_clear(&lines->arena);
}

static void add(struct lines *lines, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    VEC_ADD(&lines->texts, str_formatv(&lines->arena, fmt, args));
    va_end(args);
}

/* ---- the model's rows ------------------------------------------------------------------------ */

static void run_lines(struct lines *lines, const struct model_run *run)
{
    const struct run_row *row = &run->row;
    long long run_no = (long long)row->run_no;

    add(lines, "run %lld %d %lld %.*s %d %d %lld %lld %u%s\n", run_no, row->dag_no,
        (long long)row->version_no, STR_ARG(row->run_id), (int)row->state, (int)row->cause,
        (long long)row->started_ms, (long long)row->ended_ms, row->succeeded,
        run_state_is_final(row->state) ? "" : " live");
    VEC_EACH (&run->tries, i) {
        const struct model_try *try = &run->tries.items[i];

        add(lines, "try %lld %u %d %u %llu %d %d%s %u %u %lld %lld %lld\n", run_no, try->row.task,
            try->row.map_index, try->row.row_no, (unsigned long long)try->row.attempt.low,
            (int)try->row.state, (int)try->row.cause, try->cleared ? " cleared" : "",
            try->row.try_no, try->row.infra_tries, (long long)try->row.started_ms,
            (long long)try->row.ended_ms, try->cleared ? 0LL : (long long)try->row.retry_ms);
    }
    VEC_EACH (&run->outputs, i) {
        const struct model_output *output = &run->outputs.items[i];

        if (output->json.size > 0)
            add(lines, "output %lld %u %d %.*s\n", run_no, output->task, output->map_index,
                STR_ARG(output->json));
    }
    VEC_EACH (&run->expansions, i)
        add(lines, "expansion %lld %u %.*s\n", run_no, run->expansions.items[i].task,
            STR_ARG(run->expansions.items[i].items));
}

void rows_of_model(const struct model_store *store, struct buf *out)
{
    struct lines lines = { 0 };

    VEC_EACH (&store->runs, i) {
        if (!store->runs.items[i].deleted)
            run_lines(&lines, &store->runs.items[i]);
    }
    VEC_EACH (&store->workers, i)
        add(&lines, "worker %lld %.*s %d\n", (long long)store->workers.items[i].worker_no,
            STR_ARG(store->workers.items[i].identity), (int)store->workers.items[i].state);
    VEC_EACH (&store->requests, i)
        add(&lines, "answer %lld %d %.*s\n", (long long)store->requests.items[i].request_no,
            store->requests.items[i].code, STR_ARG(store->requests.items[i].answer));
    lines_join(&lines, out);
}

#define MS(column) "coalesce((extract(epoch FROM " column ") * 1000)::bigint, 0)"

const char rows_sql[] =
    "SELECT coalesce(string_agg(line || E'\\n', '' ORDER BY line COLLATE \"C\"), '') FROM ("
    " SELECT format('run %s %s %s %s %s %s %s %s %s%s', r.run_no, dag_no, version_no, "
    "run_id, state, cause, " MS("started_at") ", " MS(
        "ended_at") ", n_success, CASE WHEN l.run_no IS NULL THEN '' ELSE ' live' END) AS "
                    "line"
                    " FROM run r LEFT JOIN live_run l ON l.run_no = r.run_no"
                    " UNION ALL SELECT format('try %s %s %s %s %s %s %s%s %s %s %s %s %s', "
                    "run_no, task, map_index, row_no,"
                    " coalesce(('x' || right(attempt::text, 12))::bit(48)::bigint, 0), "
                    "state, cause,"
                    " CASE WHEN cleared THEN ' cleared' ELSE '' END, try_no, "
                    "infra_tries, " MS("started_at") ", " MS(
                        "ended_at") ", "
                                    " CASE WHEN cleared THEN 0 ELSE " MS(
                                        "retry_at") " END) FROM try"
                                                    " UNION ALL SELECT format('output %s "
                                                    "%s %s %s', run_no, task, map_index, "
                                                    "value) FROM output"
                                                    " UNION ALL SELECT format('expansion "
                                                    "%s %s %s', run_no, task, items) FROM "
                                                    "expansion"
                                                    " UNION ALL SELECT format('worker %s "
                                                    "%s %s', worker_no, identity, state) "
                                                    "FROM worker"
                                                    " UNION ALL SELECT format('answer %s "
                                                    "%s %s', request_no, code, answer) "
                                                    "FROM inbox_answer) lines";

/* ---- recovered ------------------------------------------------------------------------------- */

struct str rows_recovered_run(struct arena *arena, const struct recovered_run *run)
{
    struct buf text = { 0 };
    struct str copy;

    buf_printf(&text,
               "%lld dag %d version %lld %.*s %d %d %s %lld %lld %lld after %lld queued %lld "
               "started %lld %.*s\n",
               (long long)run->run_no, run->dag_no, (long long)run->version_no,
               STR_ARG(run->run_id), (int)run->state, (int)run->type,
               run->has_logical ? "logical" : "", (long long)run->logical_ms,
               (long long)run->interval_start_ms, (long long)run->interval_end_ms,
               (long long)run->run_after_ms, (long long)run->queued_wall_ms,
               (long long)run->started_wall_ms, STR_ARG(run->conf));
    for (uint32_t i = 0; i < run->try_count; i++) {
        const struct recovered_try *try = &run->tries[i];

        buf_printf(&text,
                   " %u[%d] row %u try %u %u+%u state %d %d%s attempt %llx%016llx %lld %llu/%llu "
                   "%lld %lld %lld %lld %.*s\n",
                   try->task, try->map_index, try->row_no, try->try_no, try->try_base,
                   try->infra_tries, (int)try->state, (int)try->cause,
                   try->cleared ? " cleared" : "", (unsigned long long)try->attempt.high,
                   (unsigned long long)try->attempt.low, (long long)try->worker_no,
                   (unsigned long long)try->credit.incarnation, (unsigned long long)try->credit.seq,
                   (long long)try->queued_wall_ms, (long long)try->started_wall_ms,
                   (long long)try->ended_wall_ms,
                   try->cleared ? 0LL : (long long)try->retry_wall_ms, STR_ARG(try->output));
    }
    /* The model gives expansions as they came, the database by task. */
    for (uint32_t task = 0; task < 16; task++) {
        for (uint32_t i = 0; i < run->expansion_count; i++) {
            if (run->expansions[i].task == task)
                buf_printf(&text, " expansion %u %.*s\n", task, STR_ARG(run->expansions[i].items));
        }
    }
    copy = str_copy(arena, buf_str(&text));
    buf_clear(&text);
    return copy;
}
