// SPDX-License-Identifier: Apache-2.0
#include "common/store/reseal.h"

#include "common/base/assert.h"
#include "common/pg/pg_sync.h"
#include "common/store/keyring.h"
#include "common/store/seal.h"
#include "common/store/statement.h"

enum { PART_ROWS = 200 };

enum { STALE_KIND, STALE_NAME, STALE_SEALED, STALE_KEY_NO };

static const struct {
    const char *kind;
    enum statement update;
} KINDS[] = {
    { "connection", SQL_connection_reseal },
    { "notification", SQL_notification_reseal },
    { "variable", SQL_variable_reseal },
};

struct resealing {
    struct pg_sync *sync;
    const struct seal *seal;
    struct resealed *out;
    struct arena arena;    /* of one part */
    struct str kind, name; /* of the row that was looked at last */
    struct buf place;      /* that they stand in */
};

static enum statement update_of(struct str kind)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (str_is(kind, KINDS[i].kind))
            return KINDS[i].update;
    UNREACHABLE();
}

/* Guarded by what was read: a row that was sealed anew since then is left alone. */
static int put(struct resealing *resealing, struct str kind, struct str name, struct str old,
               struct str sealed, struct err *err)
{
    struct pg_params params = { 0 };
    struct pg_result *result;

    pg_put_text(&params, name);
    pg_put_bytea(&params, sealed);
    pg_put_int4(&params, seal_key_no(resealing->seal));
    pg_put_bytea(&params, old);
    int rc = pg_sync_query(resealing->sync, store_statements[update_of(kind)].sql, &params, &result,
                           err);
    pg_params_clear(&params);
    if (rc < 0)
        return rc;
    resealing->out->rows += pg_affected(result);
    pg_result_free(result);
    return 0;
}

static int reseal_row(struct resealing *resealing, const struct pg_result *rows, uint32_t row,
                      struct err *err)
{
    struct str kind = pg_get_text(rows, row, STALE_KIND), name = pg_get_text(rows, row, STALE_NAME),
               old = pg_get_text(rows, row, STALE_SEALED);
    struct str label = str_format(&resealing->arena, "%.*s:%.*s", STR_ARG(kind), STR_ARG(name));
    struct buf plain = { 0 }, sealed = { 0 };
    struct resealed *out = resealing->out;
    int rc = 0;

    if (seal_read(resealing->seal, (int32_t)pg_get_int(rows, row, STALE_KEY_NO), label, old, &plain,
                  NULL) == 0) {
        seal_close(resealing->seal, label, buf_str(&plain), &sealed);
        rc = put(resealing, kind, name, old, buf_str(&sealed), err);
    } else if (out->unreadable++ == 0) {
        (void)snprintf(out->first, sizeof out->first, "%.*s %.*s", STR_ARG(kind), STR_ARG(name));
    }
    keyring_wipe(&plain);
    buf_clear(&sealed);
    return rc;
}

static int read_part(struct resealing *resealing, struct pg_result **out, struct err *err)
{
    struct pg_params params = { 0 };

    pg_put_int4(&params, seal_key_no(resealing->seal));
    pg_put_text(&params, resealing->kind);
    pg_put_text(&params, resealing->name);
    pg_put_int4(&params, PART_ROWS);
    int rc =
        pg_sync_query(resealing->sync, store_statements[SQL_stale_read].sql, &params, out, err);
    pg_params_clear(&params);
    return rc;
}

/* The place where it goes on: rows that do not open must not be found again. */
static void remember(struct resealing *resealing, const struct pg_result *rows, uint32_t row)
{
    struct str kind = pg_get_text(rows, row, STALE_KIND), name = pg_get_text(rows, row, STALE_NAME);

    buf_reset(&resealing->place);
    buf_add_str(&resealing->place, kind);
    buf_add_str(&resealing->place, name);
    resealing->kind = str_slice(buf_str(&resealing->place), 0, kind.size);
    resealing->name = str_slice(buf_str(&resealing->place), kind.size, resealing->place.size);
}

static int reseal_part(struct resealing *resealing, uint32_t *out_count, struct err *err)
{
    struct pg_result *rows;
    int rc = read_part(resealing, &rows, err);

    if (rc < 0)
        return rc;
    *out_count = pg_row_count(rows);
    rc = pg_sync_exec(resealing->sync, "BEGIN", err);
    for (uint32_t i = 0; rc == 0 && i < *out_count; i++)
        rc = reseal_row(resealing, rows, i, err);
    if (rc == 0)
        rc = pg_sync_exec(resealing->sync, "COMMIT", err);
    if (rc == 0 && *out_count > 0)
        remember(resealing, rows, *out_count - 1);
    pg_result_free(rows);
    arena_reset(&resealing->arena);
    return rc;
}

int store_stale_count(const char *conninfo, int32_t key_no, int64_t *out, struct err *err)
{
    struct pg_params params = { 0 };
    struct pg_result *result;
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    pg_put_int4(&params, key_no);
    rc = pg_sync_query(sync, store_statements[SQL_stale_count].sql, &params, &result, err);
    pg_params_clear(&params);
    if (rc == 0) {
        *out = pg_get_int(result, 0, 0);
        pg_result_free(result);
    }
    pg_sync_close(sync);
    return rc;
}

int store_reseal(const char *conninfo, const struct seal *seal,
                 void (*on_part)(void *owner, int64_t rows), void *owner, struct resealed *out,
                 struct err *err)
{
    struct resealing resealing = { .seal = seal, .out = out, .kind = STR_EMPTY, .name = STR_EMPTY };
    uint32_t count = PART_ROWS;
    int rc = pg_sync_open(&resealing.sync, conninfo, err);

    ASSERT(seal_can_read(seal));
    *out = (struct resealed) { 0 };
    if (rc < 0)
        return rc;
    while (rc == 0 && count == PART_ROWS) {
        rc = reseal_part(&resealing, &count, err);
        if (rc == 0 && count > 0)
            on_part(owner, out->rows);
    }
    pg_sync_close(resealing.sync);
    buf_clear(&resealing.place);
    arena_clear(&resealing.arena);
    return rc < 0 ? err_wrap(err, rc, "sealing with key %d", seal_key_no(seal)) : 0;
}
