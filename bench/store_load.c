// SPDX-License-Identifier: Apache-2.0
/* store_load - batches through store_apply as a busy leader sends them: each ends the attempts that
 * the one before placed, and places as many. Prints one JSON object.
 *
 *     store_load CONNINFO PARTITIONS BATCH SECONDS        (an empty database) */
#include "common/base/id.h"
#include "common/loop/loop.h"
#include "common/pg/pg_sync.h"
#include "common/store/apply.h"
#include "common/store/lease.h"
#include "common/store/schema.h"

#include <sys/resource.h>

enum { WARM_UP_BATCHES = 30 };

struct load {
    struct loop *loop;
    struct store *store;
    struct pg_sync *sync;
    uint64_t epoch;
    int64_t run_no;
    uint32_t batch_size;
    uint64_t attempts, batches;
    struct record *records;
    bool is_up, done;
};

static _Noreturn void give_up(const struct err *err)
{
    fprintf(stderr, "store_load: %s\n", err->sentence);
    exit(1);
}

static void on_state(struct store *store, bool is_up, const struct err *err)
{
    struct load *load = store_owner(store);

    if (!is_up)
        give_up(err);
    load->is_up = true;
}

static void on_lease(void *owner, const struct store_lease *lease)
{
    struct load *load = owner;

    if (lease->rc < 0)
        give_up(lease->err);
    load->epoch = lease->epoch;
    load->done = true;
}

static void on_applied(void *owner, const struct store_applied *applied)
{
    struct load *load = owner;

    if (applied->rc < 0)
        give_up(applied->err);
    load->done = true;
}

static void on_closed(void *owner)
{
    *(bool *)owner = true;
}

static void wait_for(struct load *load, const bool *done)
{
    if (!loop_run_until(load->loop, done, 60000))
        give_up(&(struct err) { .sentence = "nothing happened for a minute" });
}

static double ask(struct load *load, const char *sql)
{
    struct pg_result *result;
    struct err err = { 0 };
    double number;

    if (pg_sync_query(load->sync, sql, NULL, &result, &err) < 0)
        give_up(&err);
    number = pg_get_float8(result, 0, 0);
    pg_result_free(result);
    return number;
}

static struct record placed(const struct load *load, uint32_t task)
{
    return (struct record) { .type = WRITE_TRY_PLACED,
                             .try = { .run_no = load->run_no,
                                      .dag_no = 1,
                                      .task = task,
                                      .map_index = -1,
                                      .try_no = 1,
                                      .state = TASK_QUEUED,
                                      .cause = CAUSE_PLACED,
                                      .attempt = id_v7(1770000000000 + (int64_t)load->batches,
                                                       load->batches, task),
                                      .worker_no = 3,
                                      .credit = { 9, load->attempts },
                                      .pool = STR("default_pool"),
                                      .queue = STR("default"),
                                      .priority = 1,
                                      .queued_ms = 1770000000000,
                                      .error = STR_EMPTY,
                                      .map_label = STR_EMPTY } };
}

static struct record ended(struct record of)
{
    of.type = WRITE_TRY_ENDED;
    of.try.state = TASK_SUCCESS;
    of.try.cause = CAUSE_EXIT_OK;
    of.try.started_ms = 1770000000100;
    of.try.ended_ms = 1770000000200;
    of.try.cpu_ms = 12;
    of.try.memory_peak_bytes = 4 << 20;
    return of;
}

static void send_batch(struct load *load)
{
    uint32_t before = load->batches > 0 ? load->batch_size : 0;

    for (uint32_t i = 0; i < before; i++)
        load->records[i] = ended(load->records[before + i]);
    load->run_no++;
    for (uint32_t i = 0; i < load->batch_size; i++)
        load->records[load->batch_size + i] = placed(load, i);
    load->done = false;
    store_apply(load->store, load->epoch, load->records + (load->batch_size - before),
                before + load->batch_size, on_applied, load);
    wait_for(load, &load->done);
    load->batches++;
    load->attempts += load->batch_size;
}

static double cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return 1e6 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void start(struct load *load, const char *conninfo, int partitions)
{
    struct store_options options = { .conninfo = conninfo,
                                     .application_name = "store_load",
                                     .is_writing = true,
                                     .readers = 1,
                                     .on_state = on_state,
                                     .owner = load };
    struct err err = { 0 };
    char sql[128];

    if (store_migrate(conninfo, 128, NULL, NULL, &err) < 0 ||
        pg_sync_open(&load->sync, conninfo, &err) < 0)
        give_up(&err);
    /* The migration makes nine days of them; the others lie behind. */
    (void)snprintf(sql, sizeof sql,
                   "SELECT ensure_partitions(current_date - %d, current_date)::float8",
                   partitions - 8);
    (void)ask(load, sql);
    if (loop_new(&load->loop, &err) < 0 || store_open(&load->store, load->loop, &options, &err) < 0)
        give_up(&err);
    wait_for(load, &load->is_up);
    store_lease_try(load->store, "bench", 600000, on_lease, load);
    wait_for(load, &load->done);
    load->run_no =
        RUN_NO((int64_t)ask(load, "SELECT (current_date - date '1970-01-01')::float8"), 0, 1);
    load->records = calloc(2 * load->batch_size, sizeof *load->records);
}

static void measure(struct load *load, int64_t seconds)
{
    double cpu_before, wal_before, took_ms;
    int64_t began_ms;

    for (int i = 0; i < WARM_UP_BATCHES; i++)
        send_batch(load);
    wal_before = ask(load, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8");
    load->attempts = 0;
    uint64_t batches_before = load->batches;
    cpu_before = cpu_us();
    began_ms = loop_now_ms();
    while (loop_now_ms() < began_ms + seconds * 1000)
        send_batch(load);
    took_ms = (double)(loop_now_ms() - began_ms);
    double batches = (double)(load->batches - batches_before), attempts = (double)load->attempts;
    printf("{\"batches_per_s\": %.1f, \"attempts_per_s\": %.1f, \"cpu_us_per_attempt\": %.2f, "
           "\"wal_bytes_per_attempt\": %.1f, ",
           1000 * batches / took_ms, 1000 * attempts / took_ms, (cpu_us() - cpu_before) / attempts,
           (ask(load, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8") -
            wal_before) /
               attempts);
}

static void finish(struct load *load)
{
    bool is_closed = false;

    /* Its statistics are complete once the session that made them is gone. */
    store_close(load->store, on_closed, &is_closed);
    wait_for(load, &is_closed);
    loop_free(load->loop);
    while (
        ask(load,
            "SELECT count(*)::float8 FROM pg_stat_activity WHERE application_name = 'store_load'") >
        0)
        ;
    printf("\"hot_share\": %.4f, \"disk_bytes_per_attempt\": %.1f}\n",
           ask(load, "SELECT sum(n_tup_hot_upd)::float8 / sum(n_tup_upd) FROM pg_stat_user_tables "
                     "WHERE relname LIKE 'try%'"),
           ask(load, "SELECT sum(pg_total_relation_size(inhrelid))::float8 / (SELECT count(*) FROM "
                     "try) FROM pg_inherits"
                     " WHERE inhparent = 'try'::regclass"));
    pg_sync_close(load->sync);
    free(load->records);
}

int main(int argc, char **argv)
{
    struct load load = { 0 };
    int64_t partitions, batch_size, seconds;

    if (argc != 5 || str_to_int(str_of(argv[2]), 9, 1000, &partitions) < 0 ||
        str_to_int(str_of(argv[3]), 1, 4096, &batch_size) < 0 ||
        str_to_int(str_of(argv[4]), 1, 600, &seconds) < 0) {
        fprintf(stderr, "usage: store_load CONNINFO PARTITIONS(9..) BATCH SECONDS\n");
        return 2;
    }
    load.batch_size = (uint32_t)batch_size;
    start(&load, argv[1], (int)partitions);
    measure(&load, seconds);
    finish(&load);
    return 0;
}
