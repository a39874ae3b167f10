// SPDX-License-Identifier: Apache-2.0
/* pieces - an answer of any size, held whole by nobody but PostgreSQL: it cuts the text, and each
 * piece is given as it comes.
 *
 * A connection to the database is busy until the last piece has come: who takes them must not wait
 * for anybody. */
#ifndef HEADRACE_PIECES_H
#define HEADRACE_PIECES_H

#include "common/base/buf.h"
#include "common/base/err.h"

struct pg_result;
struct pg_tx;
struct store;

enum { PIECE_SIZE_MAX = 64 * 1024 };

struct pieces {
    void (*on_piece)(void *owner, struct str piece); /* in order; borrowed */
    /* Once, last. Negative: what came before is no answer. ERR_NOT_FOUND: nothing came. */
    void (*on_end)(void *owner, int rc, const struct err *err);
    void *owner;
};

/* For the files of this room. Makes of a statement that gives one row, whose first column is a text
 * and the `flag_count` others boolean, the statement that gives that text in pieces, the flags with
 * each of them. */
void pieces_cut(struct buf *out, const char *sql, uint32_t flag_count);

/* Sends `tx`, whose last statement was cut. `check` (may be NULL) reads the flags once, before the
 * first piece: negative is the end, and no piece is given. */
void pieces_send(struct store *store, struct pg_tx *tx, const struct pieces *to,
                 int (*check)(const struct pg_result *result, struct err *err));

#endif
