// SPDX-License-Identifier: Apache-2.0
#include "common/store/pieces.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

struct taking {
    struct pieces to;
    int (*check)(const struct pg_result *result, struct err *err);
    bool has_come;
    int rc;
    struct err err;
};

static void write_flags(struct buf *out, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        buf_printf(out, ", flag_%u", i);
}

/* Of bytes, because to find a place in a text is to read all that stands before it; and one answer
 * cannot be told from another by a letter cut in two, once its pieces are together again. OFFSET 0:
 * the text is made once, and not again for each piece. */
void pieces_cut(struct buf *out, const char *sql, uint32_t flag_count)
{
    buf_printf(out, "SELECT substr(w.whole, n, %d)", PIECE_SIZE_MAX);
    write_flags(out, flag_count);
    buf_add_cstr(out, " FROM (SELECT convert_to(t.whole, 'UTF8') AS whole");
    write_flags(out, flag_count);
    buf_printf(out, " FROM (%s\n) t (whole", sql);
    write_flags(out, flag_count);
    buf_printf(out, ") OFFSET 0) w, generate_series(1, octet_length(w.whole), %d) n",
               PIECE_SIZE_MAX);
}

static void on_rows(void *owner, const struct pg_result *rows)
{
    struct taking *taking = owner;
    if (!taking->has_come && taking->check != NULL)
        taking->rc = taking->check(rows, &taking->err);
    taking->has_come = true;
    for (uint32_t row = 0; taking->rc == 0 && row < pg_row_count(rows); row++)
        taking->to.on_piece(taking->to.owner, pg_get_text(rows, row, 0));
}

static void on_end(void *owner, const struct pg_outcome *outcome)
{
    struct taking *taking = owner;
    if (outcome->rc < 0) {
        taking->rc = outcome->rc;
        taking->err = *outcome->err;
    } else if (!taking->has_come) {
        taking->rc = err_set(&taking->err, ERR_NOT_FOUND, "%s", err_sentence(ERR_NOT_FOUND));
    }
    taking->to.on_end(taking->to.owner, taking->rc, &taking->err);
    free(taking);
}

void pieces_send(struct store *store, struct pg_tx *tx, const struct pieces *to,
                 int (*check)(const struct pg_result *result, struct err *err))
{
    struct taking *taking = calloc(1, sizeof *taking);
    ASSERT(taking != NULL);
    taking->to = *to;
    taking->check = check;
    pg_tx_rows(tx, on_rows, taking);
    store_send(store, tx, on_end, taking);
}
