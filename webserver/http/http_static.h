// SPDX-License-Identifier: Apache-2.0
/* http_static - the files of a built web application, held in memory: read once, served with ETag,
 * gzip and brotli.
 *
 * `x.br` and `x.gz` beside a file are its compressed forms. Names below assets/ are hashed by the
 * build: browsers may keep those for ever. */
#ifndef HEADRACE_HTTP_STATIC_H
#define HEADRACE_HTTP_STATIC_H

#include "webserver/http/http_request.h"

struct http_static;

/* ERR_NOT_FOUND without a folder or an index.html in it; ERR_TOO_LARGE above 64 MiB. Symbolic links
 * are not followed. */
MUST_USE int http_static_load(struct http_static **out, const char *folder, struct err *err);
void http_static_free(struct http_static *files); /* NULL allowed */

/* Answers a GET or HEAD: the file of request->path, or index.html for a path that names no file
 * (and is not below /assets/), so that every address of the application works as a link. Takes the
 * request. */
void http_static_answer(const struct http_static *files, struct http_request *request);

/* Whether the path itself names a file. */
bool http_static_has(const struct http_static *files, struct str path);

#endif
