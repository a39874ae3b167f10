// SPDX-License-Identifier: Apache-2.0
/* connection_uri - a connection in one line, as Airflow writes it:
 *     postgres://login:password@host:5432/schema?sslmode=require    percent-encoded; the query
 * becomes extra */
#ifndef HEADRACE_CONNECTION_URI_H
#define HEADRACE_CONNECTION_URI_H

#include "common/text/value.h"

/* Puts conn_type, host, port, login, password, schema and extra, as far as they are there, into the
 * map `out`. */
MUST_USE int connection_uri_read(struct arena *arena, struct str uri, struct value *out,
                                 struct err *err);

#endif
