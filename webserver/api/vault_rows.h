// SPDX-License-Identifier: Apache-2.0
/* vault_rows - pools, variables and connections between the JSON of a body and a change of the
 * store. For vault.c and vault_bulk.c. */
#ifndef HEADRACE_VAULT_ROWS_H
#define HEADRACE_VAULT_ROWS_H

#include "common/store/vault_change.h"
#include "webserver/api/call.h"

/* A value that is not a text is kept as JSON; null counts as absent. */
struct str body_value(struct call *call, const char *name, struct str otherwise);

/* A problem of the call when the field has the stars that are shown instead of a secret. */
void vault_refuse_stars(struct call *call, const char *field);

/* All of a row from call->body, which names it. What does not fit becomes problems of the call. */
void vault_read_row(struct call *call, enum vault_kind kind, enum vault_change change,
                    struct vault_row *out);

/* The same of a connection that is not to be kept: secrets may be shown as stars, which mean the
 * kept ones. */
void vault_read_connection_given(struct call *call, struct vault_row *out);

/* The change with its audit row and the leader's message. */
void vault_send(struct call *call, const struct vault_row *row,
                void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
