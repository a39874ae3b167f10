// SPDX-License-Identifier: Apache-2.0
/* document_read - one answer of the API, made as JSON by PostgreSQL: a DAG's details, the tries of
 * an instance, a page. documents.def says which there are and what each takes. */
#ifndef HEADRACE_DOCUMENT_READ_H
#define HEADRACE_DOCUMENT_READ_H

#include "common/store/pieces.h"
#include "common/store/reader.h"
#include "common/store/store.h"

enum document {
#define DOCUMENT(name, takes) DOCUMENT_##name,
#define SELECTION             DOCUMENT
#include "common/store/documents.def"
#undef SELECTION
#undef DOCUMENT
    DOCUMENT_COUNT
};

/* A parameter; the letter of documents.def says which member counts. */
struct bind {
    struct str text;
    int64_t number; /* i, l, b */
    const struct str *texts;
    const int64_t *numbers; /* L; I too */
    uint32_t count;
};

#define BIND_TEXT(value)        ((struct bind) { .text = (value) })
#define BIND_NUMBER(value)      ((struct bind) { .number = (int64_t)(value) })
#define BIND_TEXTS(values, n)   ((struct bind) { .texts = (values), .count = (n) })
#define BIND_NUMBERS(values, n) ((struct bind) { .numbers = (values), .count = (n) })

/* Borrows the binds until it returns. ERR_NOT_FOUND: there is no row. `json` dies when the callback
 * returns. */
void document_read(struct store *store, enum document document, const struct bind *binds,
                   uint32_t count,
                   void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                   void *owner);

/* The same, narrowed to what `reader` may read; NULL reads all. Borrowed until it returns. */
void document_read_for(struct store *store, const struct reader *reader, enum document document,
                       const struct bind *binds, uint32_t count,
                       void (*on_end)(void *owner, int rc, struct str json, const struct err *err),
                       void *owner);

/* The same in pieces: for what grows with the size of a DAG or with what people wrote. */
void document_read_pieces(struct store *store, const struct reader *reader, enum document document,
                          const struct bind *binds, uint32_t count, const struct pieces *to);

#endif
