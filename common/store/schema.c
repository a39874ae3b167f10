// SPDX-License-Identifier: Apache-2.0
#include "common/store/schema.h"

#include "common/base/assert.h"
#include "common/pg/pg_sync.h"
#include "common/store/schema_list.h"
#include "common/store/statement.h"

#include <sodium.h>
#include <time.h>

enum {
    LOCK_WAIT_MS = 60000,
    LOCK_POLL_MS = 100,
    HASH_SIZE = 32,
    HASH_TEXT_SIZE = 2 * HASH_SIZE + 1
};

static const struct migration migrations[] = {
#define MIGRATION(number, title, text) { number, title, text },
#include "sql/migrations.def"
#undef MIGRATION
};

enum { MIGRATION_COUNT = sizeof migrations / sizeof *migrations };

static void hash_text(const char *text, char out[HASH_TEXT_SIZE])
{
    uint8_t hash[HASH_SIZE];

    (void)crypto_generichash(hash, sizeof hash, (const uint8_t *)text, strlen(text), NULL, 0);
    (void)sodium_bin2hex(out, HASH_TEXT_SIZE, hash, sizeof hash);
}

/* ---- small questions ------------------------------------------------------------------------- */

static int ask_int(struct pg_sync *sync, const char *sql, int64_t *out, struct err *err)
{
    struct pg_result *result;
    int rc = pg_sync_query(sync, sql, NULL, &result, err);

    if (rc < 0)
        return rc;
    ASSERT(pg_row_count(result) == 1);
    *out = pg_get_int(result, 0, 0);
    pg_result_free(result);
    return 0;
}

/* One migrating process at a time; polled, because waiting inside a query would hold back vacuum
 * everywhere. */
static int lock(struct pg_sync *sync, struct err *err)
{
    const struct timespec pause = { 0, LOCK_POLL_MS * 1000000L };

    for (int waited_ms = 0; waited_ms < LOCK_WAIT_MS; waited_ms += LOCK_POLL_MS) {
        int64_t is_locked;
        int rc = ask_int(sync, "SELECT pg_try_advisory_lock(1212498244, -1)::int", &is_locked, err);

        if (rc < 0 || is_locked != 0)
            return rc;
        (void)nanosleep(&pause, NULL);
    }
    return err_set(err, ERR_UNAVAILABLE,
                   "another process has been migrating this database for a minute");
}

/* ---- what is there --------------------------------------------------------------------------- */

static int check_applied(const struct pg_result *result, uint32_t row, const struct migration *list,
                         int32_t count, struct err *err)
{
    int32_t number = (int32_t)pg_get_int(result, row, 0);
    struct str title = pg_get_text(result, row, 1), release = pg_get_text(result, row, 3);
    char hash[HASH_TEXT_SIZE];

    if (number > count) {
        (void)err_set(err, ERR_CONFLICT,
                      "the database is newer than this program: it has migration %d (%.*s) of "
                      "release %.*s, this program knows %d",
                      number, STR_ARG(title), STR_ARG(release), count);
        (void)err_hint(err, "install release %.*s or later", STR_ARG(release));
        return ERR_CONFLICT;
    }
    if (number != (int32_t)row + 1)
        return err_set(err, ERR_CONFLICT, "migration %d is missing, although %d is there", row + 1,
                       number);
    hash_text(list[number - 1].text, hash);
    if (!str_is(pg_get_text(result, row, 2), hash)) {
        (void)err_set(err, ERR_CONFLICT,
                      "migration %d (%.*s) was applied with another text than this program's",
                      number, STR_ARG(title));
        (void)err_hint(err,
                       "it was applied by release %.*s, perhaps by a build between releases: "
                       "restore a backup, or "
                       "`headrace db reset` if nothing in it matters",
                       STR_ARG(release));
        return ERR_CONFLICT;
    }
    return 0;
}

static int check_empty(struct pg_sync *sync, struct err *err)
{
    int64_t tables;
    int rc =
        ask_int(sync, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", &tables, err);

    if (rc < 0 || tables == 0)
        return rc;
    (void)err_set(err, ERR_CONFLICT, "the database holds %d tables that are not Headrace's",
                  (int)tables);
    (void)err_hint(err, "give it a database of its own: createdb headrace, and set database.conn");
    return ERR_CONFLICT;
}

static int read_applied(struct pg_sync *sync, const struct migration *list, int32_t count,
                        struct schema_state *state, struct err *err)
{
    struct pg_result *result;
    int rc = pg_sync_query(
        sync, "SELECT number, title, hash, release FROM schema_migration ORDER BY number", NULL,
        &result, err);

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; rc == 0 && i < pg_row_count(result); i++)
        rc = check_applied(result, i, list, count, err);
    state->applied = (int32_t)pg_row_count(result);
    pg_result_free(result);
    return rc;
}

static int is_ours(struct pg_sync *sync, int64_t *out, struct err *err)
{
    return ask_int(sync, "SELECT (to_regclass('public.schema_migration') IS NOT NULL)::int", out,
                   err);
}

static int read_state(struct pg_sync *sync, const struct migration *list, int32_t count,
                      struct schema_state *out, struct err *err)
{
    struct schema_state state = { .known = count };
    int64_t ours;
    int rc = is_ours(sync, &ours, err);

    if (rc == 0)
        rc = ours != 0 ? read_applied(sync, list, count, &state, err) : check_empty(sync, err);
    if (rc == 0)
        *out = state;
    return rc;
}

int schema_list_state(const char *conninfo, const struct migration *list, int32_t count,
                      struct schema_state *out, struct err *err)
{
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    rc = read_state(sync, list, count, out, err);
    pg_sync_close(sync);
    return rc;
}

int store_schema(const char *conninfo, struct schema_state *out, struct err *err)
{
    return schema_list_state(conninfo, migrations, MIGRATION_COUNT, out, err);
}

int store_schema_check(const char *conninfo, struct err *err)
{
    struct schema_state state;
    int rc = store_schema(conninfo, &state, err);

    if (rc < 0 || state.applied == state.known)
        return rc;
    if (state.applied == 0)
        (void)err_set(err, ERR_CONFLICT, "the database is empty");
    else
        (void)err_set(err, ERR_CONFLICT, "the database has migration %d, this program needs %d",
                      state.applied, state.known);
    (void)err_hint(err, "run `headrace db migrate`");
    return ERR_CONFLICT;
}

/* ---- migrating ------------------------------------------------------------------------------- */

static int apply_one(struct pg_sync *sync, const struct migration *migration, struct err *err)
{
    struct buf script = { 0 };
    char hash[HASH_TEXT_SIZE];
    int rc;

    hash_text(migration->text, hash);
    /* One message is one transaction: the migration and the note of it, or neither. */
    buf_add_cstr(&script, migration->text);
    buf_printf(&script,
               "\n;INSERT INTO schema_migration (number, title, hash, release) VALUES (%d, '%s', "
               "'%s', '%s')",
               migration->number, migration->title, hash, HEADRACE_VERSION);
    rc = pg_sync_exec(sync, script.bytes, err);
    buf_clear(&script);
    if (rc < 0)
        return err_wrap(err, rc, "applying migration %04d_%s", migration->number, migration->title);
    return 0;
}

static int apply_missing(struct pg_sync *sync, const struct migration *list, int32_t count,
                         void (*on_step)(void *owner, int32_t number, const char *title),
                         void *owner, struct err *err)
{
    struct schema_state state;
    int rc = read_state(sync, list, count, &state, err);

    if (rc < 0)
        return rc;
    rc = pg_sync_exec(
        sync,
        "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, title text NOT NULL,"
        " hash text NOT NULL, release text NOT NULL, applied_at timestamptz NOT NULL DEFAULT "
        "now())",
        err);
    for (int32_t i = state.applied; rc == 0 && i < count; i++) {
        ASSERT(list[i].number == i + 1);
        rc = apply_one(sync, &list[i], err);
        if (rc == 0 && on_step != NULL)
            on_step(owner, list[i].number, list[i].title);
    }
    return rc;
}

int schema_list_apply(const char *conninfo, const struct migration *list, int32_t count,
                      void (*on_step)(void *owner, int32_t number, const char *title), void *owner,
                      struct err *err)
{
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    rc = lock(sync, err);
    if (rc == 0)
        rc = apply_missing(sync, list, count, on_step, owner, err);
    pg_sync_close(sync); /* and the lock with it */
    return rc;
}

static int exec_once(const char *conninfo, const char *sql, int64_t *out, struct err *err)
{
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    rc = ask_int(sync, sql, out, err);
    pg_sync_close(sync);
    return rc;
}

static int set_default_pool(const char *conninfo, int64_t slots, struct err *err)
{
    struct pg_result *result;
    struct pg_params params = { 0 };
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    pg_put_int4(&params, (int32_t)slots);
    rc = pg_sync_query(sync, store_statements[SQL_pool_set_default].sql, &params, &result, err);
    pg_params_clear(&params);
    if (rc == 0)
        pg_result_free(result);
    pg_sync_close(sync);
    return rc;
}

int store_migrate(const char *conninfo, int64_t default_pool_slots,
                  void (*on_step)(void *owner, int32_t number, const char *title), void *owner,
                  struct err *err)
{
    int64_t made;
    struct schema_state before;
    int rc = store_schema(conninfo, &before, err);

    if (rc == 0)
        rc = schema_list_apply(conninfo, migrations, MIGRATION_COUNT, on_step, owner, err);
    if (rc == 0 && before.applied == 0)
        rc = set_default_pool(conninfo, default_pool_slots, err);
    if (rc < 0)
        return rc;
    rc = exec_once(conninfo,
                   "SELECT ensure_partitions((now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME "
                   "ZONE 'UTC')::date + 7)",
                   &made, err);
    if (rc < 0)
        return err_wrap(err, rc, "making the partitions of the coming week");
    return 0;
}

/* ---- taking away ----------------------------------------------------------------------------- */

/* A leader whose tables go away under it ends in the middle of what it does. */
static int check_nobody_leads(struct pg_sync *sync, struct err *err)
{
    int64_t leaders;
    int rc = ask_int(sync, "SELECT count(*) FROM lease WHERE expires_at > clock_timestamp()",
                     &leaders, err);

    if (rc < 0 || leaders == 0)
        return rc;
    (void)err_set(err, ERR_CONFLICT, "a scheduler works on this database");
    (void)err_hint(err,
                   "stop it first: headrace standalone --stop, or the service headrace-scheduler");
    return ERR_CONFLICT;
}

int store_schema_reset(const char *conninfo, struct err *err)
{
    struct pg_sync *sync;
    int64_t ours = 0;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    rc = lock(sync, err);
    if (rc == 0)
        rc = is_ours(sync, &ours, err);
    if (rc == 0)
        rc = ours == 0 ? check_empty(sync, err) : check_nobody_leads(sync, err);
    if (rc == 0 && ours != 0)
        rc = pg_sync_exec(
            sync,
            "DO $$ DECLARE one record; BEGIN"
            " FOR one IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = "
            "'public'::regnamespace"
            "            AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP"
            "   EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', one.name); END LOOP;"
            " FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = "
            "'public'::regnamespace"
            "            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND "
            "d.deptype = 'e') LOOP"
            "   EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', one.name); END LOOP;"
            "END $$",
            err);
    pg_sync_close(sync);
    if (rc < 0)
        return err_wrap(err, rc, "dropping the tables");
    return 0;
}

/* Runs `statement` with `days` as its parameter. */
static int run_with_days(struct pg_sync *sync, enum statement statement, int32_t days,
                         struct pg_result **out, struct err *err)
{
    struct pg_params params = { 0 };
    int rc;

    pg_put_int4(&params, days);
    rc = pg_sync_query(sync, store_statements[statement].sql, &params, out, err);
    pg_params_clear(&params);
    return rc;
}

/* Until there are no more: a statement takes so many rows at a time. */
static int drop_rows(struct pg_sync *sync, enum statement statement, int32_t days, struct err *err)
{
    int64_t dropped = 1;

    while (dropped > 0) {
        struct pg_result *result;
        int rc = run_with_days(sync, statement, days, &result, err);

        if (rc < 0)
            return rc;
        dropped = pg_affected(result);
        pg_result_free(result);
    }
    return 0;
}

int store_clean(const char *conninfo, int32_t days, int32_t *out_dropped, struct err *err)
{
    static const enum statement by_row[] = { SQL_OF_RETENTION };
    struct pg_result *result;
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, conninfo, err);

    ASSERT(days > 0);
    if (rc < 0)
        return rc;
    /* A leader's writes wait behind us for as long as we wait for a reader. */
    rc = pg_sync_exec(sync, "SET lock_timeout = '2s'", err);
    if (rc == 0)
        rc = run_with_days(sync, SQL_partitions_drop, days, &result, err);
    if (rc == 0) {
        *out_dropped = (int32_t)pg_get_int(result, 0, 0);
        pg_result_free(result);
    }
    for (size_t i = 0; rc == 0 && i < sizeof by_row / sizeof *by_row; i++)
        rc = drop_rows(sync, by_row[i], days, err);
    pg_sync_close(sync);
    if (rc < 0)
        return err_wrap(err, rc, "dropping what is older than %d days", days);
    return 0;
}
