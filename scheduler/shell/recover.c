// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/recover.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "common/model/context.h"
#include "common/store/vault.h"
#include "common/text/json.h"
#include "scheduler/shell/zones.h"

#include <sys/random.h>

/* One recovery, or one reading again: what it has given so far. */
struct recovery {
    struct shell *shell;
    uint64_t epoch; /* of the leadership that asked */
    uint32_t dags, runs;
    bool has_forgotten;          /* reloads: the old ones, at the first row */
    void (*on_end)(void *owner); /* reloads */
    void *owner;
    int64_t began_ms;
};

static struct recovery *recovery_new(struct shell *shell)
{
    struct recovery *recovery = calloc(1, sizeof *recovery);
    ASSERT(recovery != NULL);
    recovery->shell = shell;
    recovery->epoch = shell->epoch;
    recovery->began_ms = loop_now_ms();
    return recovery;
}

/* The leadership that asked may be over when the answer comes. */
static void step(struct recovery *recovery, struct core_event *event)
{
    if (recovery->epoch == recovery->shell->epoch)
        shell_step(recovery->shell, event);
}

static void put_text(struct arena *arena, struct value *map, const char *key, struct str text)
{
    if (text.size > 0)
        value_put(arena, map, str_of(key), value_string(arena, text));
}

/* The settings' section [smtp] as a connection, as Airflow's provider for SMTP names it; one of
 * that name that somebody made takes its place. */
static void give_smtp(struct recovery *recovery)
{
    const struct conf *conf = recovery->shell->conf;
    struct arena arena = { 0 };
    if (conf->smtp_smtp_host.size == 0)
        return;
    struct value *map = value_map(&arena), *extra = value_map(&arena);
    put_text(&arena, map, "host", conf->smtp_smtp_host);
    value_put(&arena, map, STR("port"), value_int(&arena, conf->smtp_smtp_port));
    put_text(&arena, map, "login", conf->smtp_smtp_user);
    put_text(&arena, map, "password", conf->smtp_smtp_password.value);
    put_text(&arena, extra, "from_email", conf->smtp_smtp_mail_from);
    value_put(&arena, extra, STR("ssl"), value_bool(&arena, conf->smtp_smtp_ssl));
    value_put(&arena, extra, STR("starttls"),
              value_bool(&arena, conf->smtp_smtp_starttls && !conf->smtp_smtp_ssl));
    value_put(&arena, extra, STR("disable_tls"),
              value_bool(&arena, !conf->smtp_smtp_starttls && !conf->smtp_smtp_ssl));
    value_put(&arena, map, STR("extra"), extra);
    step(recovery, &(struct core_event) { .type = CORE_CONNECTION,
                                          .connection = { STR("smtp_default"), map } });
    arena_clear(&arena);
}

static void on_numbers(void *owner, const struct recovered_numbers *numbers)
{
    struct recovery *recovery = owner;
    uint64_t seed;
    ssize_t got = getrandom(&seed, sizeof seed, 0);
    ASSERT(got == sizeof seed);
    step(recovery,
         &(struct core_event) { .type = CORE_LED,
                                .led = { .epoch = recovery->shell->epoch,
                                         .seed = seed,
                                         .run_no_next = numbers->run_no_next,
                                         .worker_no_next = numbers->worker_no_next,
                                         .failover_age_ms = recovery->shell->failover_age_ms,
                                         .event_no_next = numbers->event_no_next } });
    give_smtp(recovery);
}

void recover_dag(struct shell *shell, const struct recovered_dag *row)
{
    struct dag *dag;
    struct err err = { 0 };
    if (dag_from_json(row->ir, &dag, &err) < 0) {
        log_error("dag_unreadable", LOG_STR("dag", row->dag_id),
                  LOG_INT("version", row->version_no), LOG_ERR(&err));
        return;
    }
    const struct zone *zone = zones_get(dag->timezone, &err);
    if (zone == NULL)
        log_error("zone_unknown", LOG_STR("dag", row->dag_id), LOG_ERR(&err));
    shell_step(shell, &(struct core_event) { .type = CORE_DAG,
                                             .dag = { .dag_no = row->dag_no,
                                                      .version_no = row->version_no,
                                                      .dag = dag,
                                                      .zone = zone,
                                                      .paused = row->is_paused,
                                                      .newest = row->is_newest,
                                                      .gone = row->is_stale,
                                                      .has_last = row->has_last,
                                                      .last_fire_ms = row->last_fire_ms } });
}

static void on_dag(void *owner, const struct recovered_dag *row)
{
    struct recovery *recovery = owner;
    recovery->dags++;
    if (recovery->epoch == recovery->shell->epoch)
        recover_dag(recovery->shell, row);
}

static void on_pool(void *owner, const struct pool_row *pool)
{
    struct recovery *recovery = owner;
    step(recovery, &(struct core_event) {
                       .type = CORE_POOL,
                       .pool = { pool->name, pool->slots, pool->include_deferred, false } });
}

static void on_variable(void *owner, const struct variable_row *row)
{
    struct recovery *recovery = owner;
    if (!recovery->has_forgotten)
        step(recovery,
             &(struct core_event) { .type = CORE_VARIABLE, .variable = { .key = STR_EMPTY } });
    recovery->has_forgotten = true;
    if (row->is_unreadable) {
        log_warn("variable_unreadable", LOG_STR("key", row->key));
        return;
    }
    struct arena arena = { 0 };
    const struct value *value = value_string(&arena, row->value);
    step(recovery, &(struct core_event) {
                       .type = CORE_VARIABLE,
                       .variable = { row->key, value, context_name_is_secret(row->key) } });
    arena_clear(&arena);
}

static void forget_connections(struct recovery *recovery)
{
    step(recovery,
         &(struct core_event) { .type = CORE_CONNECTION, .connection = { .id = STR_EMPTY } });
    give_smtp(recovery);
}

static void on_connection(void *owner, const struct connection_row *row)
{
    struct recovery *recovery = owner;
    if (!recovery->has_forgotten)
        forget_connections(recovery);
    recovery->has_forgotten = true;
    if (row->is_unreadable) {
        log_warn("connection_unreadable", LOG_STR("connection", row->connection_id));
        return;
    }
    struct arena arena = { 0 };
    struct value *map = value_map(&arena);
    put_text(&arena, map, "conn_type", row->conn_type);
    put_text(&arena, map, "host", row->host);
    put_text(&arena, map, "login", row->login);
    put_text(&arena, map, "password", row->password);
    put_text(&arena, map, "schema", row->schema);
    if (row->port != 0)
        value_put(&arena, map, STR("port"), value_int(&arena, row->port));
    const struct value *extra;
    if (row->extra.size > 0 && json_parse(&arena, row->extra, NULL, &extra, NULL) == 0)
        value_put(&arena, map, STR("extra"), extra);
    else
        put_text(&arena, map, "extra", row->extra);
    step(recovery, &(struct core_event) { .type = CORE_CONNECTION,
                                          .connection = { row->connection_id, map } });
    arena_clear(&arena);
}

static void on_worker(void *owner, const struct recovered_worker *row)
{
    struct recovery *recovery = owner;
    step(recovery, &(struct core_event) { .type = CORE_WORKER_RECOVERED,
                                          .worker = { row->worker_no, row->worker, row->state } });
}

static void on_asset(void *owner, const struct recovered_event *event)
{
    step(owner, &(struct core_event) { .type = CORE_ASSET_RECOVERED, .asset = event });
}

static void on_length(void *owner, int32_t dag_no, int64_t length_ms)
{
    step(owner, &(struct core_event) { .type = CORE_LENGTH, .length = { dag_no, length_ms } });
}

static void on_backfill(void *owner, const struct recovered_backfill *backfill)
{
    step(owner, &(struct core_event) { .type = CORE_BACKFILL_RECOVERED, .backfill = backfill });
}

static void on_run(void *owner, const struct recovered_run *run)
{
    struct recovery *recovery = owner;
    recovery->runs++;
    step(recovery, &(struct core_event) { .type = CORE_RUN_RECOVERED, .run = run });
}

static void on_notification(void *owner, const struct notification_row *row)
{
    step(owner, &(struct core_event) { .type = CORE_NOTIFICATION, .notification = row });
}

static void on_end(void *owner, int rc, const struct err *err)
{
    struct recovery *recovery = owner;
    struct shell *shell = recovery->shell;
    if (recovery->epoch != shell->epoch) {
        log_debug("recovery_superseded");
    } else if (rc < 0) {
        shell_unlead(shell, err);
    } else {
        log_info("recovered", LOG_INT("dags", recovery->dags), LOG_INT("runs", recovery->runs),
                 LOG_INT("ms", loop_now_ms() - recovery->began_ms));
        shell_led(shell);
    }
    free(recovery);
}

/* Connections and variables are forgotten and read by the same callbacks at start and again. */
static void on_first_connection(void *owner, const struct connection_row *row)
{
    struct recovery *recovery = owner;
    recovery->has_forgotten = true; /* CORE_LED has emptied everything */
    on_connection(recovery, row);
}

static void on_first_variable(void *owner, const struct variable_row *row)
{
    struct recovery *recovery = owner;
    recovery->has_forgotten = true;
    on_variable(recovery, row);
}

void recover_start(struct shell *shell)
{
    static const struct recover_handler handler = {
        .on_numbers = on_numbers,
        .on_dag = on_dag,
        .on_pool = on_pool,
        .on_variable = on_first_variable,
        .on_connection = on_first_connection,
        .on_worker = on_worker,
        .on_asset = on_asset,
        .on_length = on_length,
        .on_backfill = on_backfill,
        .on_run = on_run,
        .on_notification = on_notification,
        .on_end = on_end,
    };
    store_recover(shell->store, &handler, recovery_new(shell));
}

static void on_reloaded(void *owner, int rc, const struct err *err, enum core_event_type type)
{
    struct recovery *recovery = owner;
    if (rc < 0)
        log_warn("reload", LOG_ERR(err));
    else if (!recovery->has_forgotten && type == CORE_CONNECTION) /* none is left */
        forget_connections(recovery);
    else if (!recovery->has_forgotten)
        step(recovery, &(struct core_event) { .type = type });
    void (*on_reload_end)(void *) = recovery->on_end;
    void *end_owner = recovery->owner;
    free(recovery);
    on_reload_end(end_owner);
}

static void on_variables_reloaded(void *owner, int rc, const struct err *err)
{
    on_reloaded(owner, rc, err, CORE_VARIABLE);
}

static void on_connections_reloaded(void *owner, int rc, const struct err *err)
{
    on_reloaded(owner, rc, err, CORE_CONNECTION);
}

void recover_reload(struct shell *shell, struct str what, void (*on_reload_end)(void *owner),
                    void *owner)
{
    bool variables = str_is(what, "variables");
    if (!variables && !str_is(what, "connections")) {
        on_reload_end(owner);
        return;
    }
    struct recovery *recovery = recovery_new(shell);
    recovery->on_end = on_reload_end;
    recovery->owner = owner;
    if (variables)
        store_variables_read(shell->store, on_variable, on_variables_reloaded, recovery);
    else
        store_connections_read(shell->store, on_connection, on_connections_reloaded, recovery);
}
