// SPDX-License-Identifier: Apache-2.0
#include "common/store/list_read.h"

#include "common/base/assert.h"
#include "common/store/list_statement.h"
#include "common/store/list_table.h"
#include "common/store/row_json.h"

struct reading {
    const struct list_row *row;
    struct row_json *rows;
    struct buf json; /* what is not given yet */
    int64_t total;
    bool has_begun, has_row;
    int rc;
    struct err err;
    struct pieces to;
};

static int check_scope(const struct pg_result *result, struct err *err)
{
    if (!pg_get_bool(result, 0, LIST_HAS_DAG))
        return err_set(err, ERR_NOT_FOUND, "there is no such DAG");
    if (!pg_get_bool(result, 0, LIST_HAS_RUN))
        return err_set(err, ERR_NOT_FOUND, "there is no such run of this DAG");
    return 0;
}

static void give(struct reading *reading)
{
    reading->to.on_piece(reading->to.owner, buf_str(&reading->json));
    buf_reset(&reading->json);
}

static void begin(struct reading *reading, const struct pg_result *result)
{
    reading->has_begun = true;
    reading->rc = check_scope(result, &reading->err);
    reading->total = pg_get_int(result, 0, LIST_TOTAL);
    buf_printf(&reading->json, "{\"%s\":[", reading->row->key);
}

static void take_rows(void *owner, const struct pg_result *result)
{
    struct reading *reading = owner;
    if (!reading->has_begun)
        begin(reading, result);
    for (uint32_t i = 0; reading->rc == 0 && i < pg_row_count(result); i++) {
        if (!pg_get_bool(result, i, LIST_IS_ROW))
            return;
        if (reading->has_row)
            buf_add_byte(&reading->json, ',');
        reading->has_row = true;
        row_json_write(reading->rows, &reading->json, result, i);
        if (reading->json.size >= PIECE_SIZE_MAX)
            give(reading);
    }
}

static void on_list(void *owner, const struct pg_outcome *outcome)
{
    struct reading *reading = owner;
    if (outcome->rc < 0) {
        reading->rc = outcome->rc;
        reading->err = *outcome->err;
    } else if (!reading->has_begun) {
        take_rows(reading, outcome->results[0]);
    }
    if (reading->rc == 0) {
        buf_printf(&reading->json, "],\"total_entries\":%lld}", (long long)reading->total);
        give(reading);
    }
    reading->to.on_end(reading->to.owner, reading->rc, &reading->err);
    row_json_free(reading->rows);
    buf_clear(&reading->json);
    free(reading);
}

/* Of rows that hold what people wrote, and of many, each is given as it comes: that costs a
 * microsecond a row, and the others little memory. */
enum { ROWS_TOGETHER_MAX = 1000 };

/* Later pages, and pages of sizes of their own, are asked for once: a session keeps no plans of
 * them, of which it has room for few. */
static bool is_asked_again(const struct list_query *query)
{
    return query->offset == 0 && (query->limit <= 1 || query->limit % 5 == 0);
}

static struct pg_tx *asking(const struct list_query *query, struct list_statement statement)
{
    struct pg_tx *tx = pg_tx_new();
    const char *sql = statement.sql.bytes;
    *(is_asked_again(query) ? pg_tx_add_kept(tx, sql) : pg_tx_add_text(tx, sql)) = statement.params;
    buf_clear(&statement.sql);
    return tx;
}

void list_read_pieces(struct store *store, const struct list_query *query, const struct pieces *to)
{
    struct pg_tx *tx = asking(query, list_statement_page(query));
    struct reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    reading->row = &list_rows[query->list];
    reading->rows = row_json_new(LIST_PAGE_COLUMNS);
    reading->to = *to;
    if (reading->row->is_wide || query->limit > ROWS_TOGETHER_MAX)
        pg_tx_rows(tx, take_rows, reading);
    store_send(store, tx, on_list, reading);
}

/* ---- as a whole ---- */

struct whole {
    struct buf json;
    void (*on_end)(void *owner, int rc, struct str json, const struct err *err);
    void *owner;
};

static struct whole *
whole_new(void (*on_end)(void *owner, int rc, struct str json, const struct err *err), void *owner)
{
    struct whole *whole = malloc(sizeof *whole);
    ASSERT(whole != NULL);
    *whole = (struct whole) { .on_end = on_end, .owner = owner };
    return whole;
}

static void on_piece(void *owner, struct str piece)
{
    buf_add_str(&((struct whole *)owner)->json, piece);
}

static void on_whole(void *owner, int rc, const struct err *err)
{
    struct whole *whole = owner;
    whole->on_end(whole->owner, rc, rc < 0 ? STR_EMPTY : buf_str(&whole->json), err);
    buf_clear(&whole->json);
    free(whole);
}

void list_read(struct store *store, const struct list_query *query,
               void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
               void *owner)
{
    struct pieces to = { on_piece, on_whole, whole_new(on_end, owner) };
    list_read_pieces(store, query, &to);
}

static void on_one(void *owner, const struct pg_outcome *outcome)
{
    struct whole *whole = owner;
    const struct pg_result *result = outcome->rc < 0 ? NULL : outcome->results[0];
    struct err err = { 0 };
    int rc = outcome->rc;
    if (rc < 0) {
        err = *outcome->err;
    } else if (pg_row_count(result) == 0) {
        rc = err_set(&err, ERR_NOT_FOUND, "%s", err_sentence(ERR_NOT_FOUND));
    } else {
        struct row_json *rows = row_json_new(LIST_ONE_COLUMNS);
        row_json_write(rows, &whole->json, result, 0);
        row_json_free(rows);
    }
    on_whole(whole, rc, &err);
}

void list_read_one(struct store *store, const struct list_query *query,
                   void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                   void *owner)
{
    store_send(store, asking(query, list_statement_one(query)), on_one, whole_new(on_end, owner));
}
