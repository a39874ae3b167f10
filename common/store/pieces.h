// SPDX-License-Identifier: Apache-2.0
/* pieces - an answer of any size, held whole by nobody but PostgreSQL: each piece is given as it
 * comes. A text is cut there; a list (list_read.h) comes by its rows.
 *
 * A connection to the database is busy until the last piece has come: who takes them must not wait
 * for anybody. */
#ifndef HEADRACE_PIECES_H
#define HEADRACE_PIECES_H

#include "common/base/buf.h"
#include "common/base/err.h"

struct pg_tx;
struct store;

enum { PIECE_SIZE_MAX = 64 * 1024 };

struct pieces {
    void (*on_piece)(void *owner, struct str piece); /* in order; borrowed */
    /* Once, last. Negative: what came before is no answer. ERR_NOT_FOUND: nothing came. */
    void (*on_end)(void *owner, int rc, const struct err *err);
    void *owner;
};

/* For the files of this room. Makes of a statement that gives one text the statement that gives it
 * in pieces. */
void pieces_cut(struct buf *out, const char *sql);

/* Sends `tx`, whose last statement was cut. */
void pieces_send(struct store *store, struct pg_tx *tx, const struct pieces *to);

#endif
