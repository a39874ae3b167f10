// SPDX-License-Identifier: Apache-2.0
#include "common/store/pieces.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

struct taking {
    struct pieces to;
    bool has_come;
};

/* Of bytes, because to find a place in a text is to read all that stands before it; and a letter
 * that is cut in two is whole again when the pieces are together. OFFSET 0: the text is made once,
 * and not again for each piece. */
void pieces_cut(struct buf *out, const char *sql)
{
    buf_reserve(out, strlen(sql) + 256);
    buf_printf(
        out,
        "SELECT substr(w.whole, n, %d) FROM (SELECT convert_to(t.whole, 'UTF8') AS whole FROM (",
        PIECE_SIZE_MAX);
    buf_add_cstr(out, sql); /* of some thousand bytes, which nothing need look through */
    buf_printf(out, "\n) t (whole) OFFSET 0) w, generate_series(1, octet_length(w.whole), %d) n",
               PIECE_SIZE_MAX);
}

static void on_rows(void *owner, const struct pg_result *rows)
{
    struct taking *taking = owner;
    taking->has_come = true;
    for (uint32_t row = 0; row < pg_row_count(rows); row++)
        taking->to.on_piece(taking->to.owner, pg_get_text(rows, row, 0));
}

static void on_end(void *owner, const struct pg_outcome *outcome)
{
    struct taking *taking = owner;
    struct err err = *outcome->err;
    int rc = outcome->rc;
    if (rc == 0 && !taking->has_come)
        rc = err_set(&err, ERR_NOT_FOUND, "%s", err_sentence(ERR_NOT_FOUND));
    taking->to.on_end(taking->to.owner, rc, &err);
    free(taking);
}

void pieces_send(struct store *store, struct pg_tx *tx, const struct pieces *to)
{
    struct taking *taking = malloc(sizeof *taking);
    ASSERT(taking != NULL);
    *taking = (struct taking) { .to = *to };
    pg_tx_rows(tx, on_rows, taking);
    store_send(store, tx, on_end, taking);
}
