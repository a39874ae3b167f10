// SPDX-License-Identifier: Apache-2.0
#include "common/store/document_read.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

static const struct {
    enum statement statement;
    const char *takes;
    bool is_selection;
} DOCUMENTS[DOCUMENT_COUNT] = {
#define DOCUMENT(name, takes)  { SQL_##name, takes, false },
#define SELECTION(name, takes) { SQL_##name, takes, true },
#include "common/store/documents.def"
#undef SELECTION
#undef DOCUMENT
};

struct reading {
    void (*on_end)(void *owner, int rc, struct str json, const struct err *err);
    void *owner;
};

static void on_document(void *owner, const struct pg_outcome *outcome)
{
    struct reading reading = *(struct reading *)owner;
    free(owner);
    struct err err = { 0 };
    if (outcome->rc < 0) {
        reading.on_end(reading.owner, outcome->rc, STR_EMPTY, outcome->err);
        return;
    }
    const struct pg_result *result = outcome->results[0];
    if (pg_row_count(result) == 0 || pg_is_null(result, 0, 0)) {
        int rc = err_set(&err, ERR_NOT_FOUND, "%s", err_sentence(ERR_NOT_FOUND));
        reading.on_end(reading.owner, rc, STR_EMPTY, &err);
        return;
    }
    reading.on_end(reading.owner, 0, pg_get_text(result, 0, 0), &err);
}

static void put_int4s(struct pg_params *params, const struct bind *bind)
{
    pg_put_array(params, PG_INT4);
    for (uint32_t i = 0; i < bind->count; i++)
        pg_put_int4(params, (int32_t)bind->numbers[i]);
    pg_put_array_end(params);
}

static void put(struct pg_params *params, char letter, const struct bind *bind)
{
    switch (letter) {
    case 't':
        pg_put_text(params, bind->text.bytes == NULL ? STR_EMPTY : bind->text);
        break;
    case 'i':
        pg_put_int4(params, (int32_t)bind->number);
        break;
    case 'l':
        pg_put_int8(params, bind->number);
        break;
    case 'b':
        pg_put_bool(params, bind->number != 0);
        break;
    case 'T':
        pg_put_text_array(params, bind->texts, bind->count);
        break;
    case 'L':
        pg_put_int8_array(params, bind->numbers, bind->count);
        break;
    case 'I':
        put_int4s(params, bind);
        break;
    default:
        UNREACHABLE();
    }
}

static void put_all(struct pg_params *params, const struct reader *reader, enum document document,
                    const struct bind *binds)
{
    const char *takes = DOCUMENTS[document].takes;
    for (uint32_t i = 0; takes[i] != 0; i++)
        put(params, takes[i], &binds[i]);
    if (reader != NULL)
        reader_bind(reader, params);
}

static struct pg_params *add_statement(struct pg_tx *tx, const struct reader *reader,
                                       enum document document, uint32_t count)
{
    const char *whole = store_statements[DOCUMENTS[document].statement].sql;
    if (reader == NULL)
        return DOCUMENTS[document].is_selection
                   ? pg_tx_add_text(tx, whole)
                   : pg_tx_add(tx, DOCUMENTS[document].statement, NULL, NULL);
    struct buf sql = { 0 };
    reader_narrow(&sql, whole, count);
    struct pg_params *params = pg_tx_add_text(tx, sql.bytes);
    buf_clear(&sql);
    return params;
}

void document_read_for(struct store *store, const struct reader *reader, enum document document,
                       const struct bind *binds, uint32_t count,
                       void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                       void *owner)
{
    ASSERT(strlen(DOCUMENTS[document].takes) == count);
    struct reading *reading = calloc(1, sizeof *reading);
    ASSERT(reading != NULL);
    *reading = (struct reading) { on_end, owner };
    struct pg_tx *tx = pg_tx_new();
    put_all(add_statement(tx, reader, document, count), reader, document, binds);
    store_send(store, tx, on_document, reading);
}

void document_read(struct store *store, enum document document, const struct bind *binds,
                   uint32_t count,
                   void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                   void *owner)
{
    document_read_for(store, NULL, document, binds, count, on_end, owner);
}

void document_read_pieces(struct store *store, const struct reader *reader, enum document document,
                          const struct bind *binds, uint32_t count, const struct pieces *to)
{
    ASSERT(strlen(DOCUMENTS[document].takes) == count);
    const char *sql = store_statements[DOCUMENTS[document].statement].sql;
    struct buf narrowed = { 0 }, cut = { 0 };
    if (reader != NULL)
        reader_narrow(&narrowed, sql, count);
    pieces_cut(&cut, reader == NULL ? sql : narrowed.bytes);
    struct pg_tx *tx = pg_tx_new();
    put_all(DOCUMENTS[document].is_selection ? pg_tx_add_text(tx, cut.bytes)
                                             : pg_tx_add_kept(tx, cut.bytes),
            reader, document, binds);
    buf_clear(&narrowed);
    buf_clear(&cut);
    pieces_send(store, tx, to);
}
