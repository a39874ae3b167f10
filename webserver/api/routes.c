// SPDX-License-Identifier: Apache-2.0
/* The table of routes. */
#include "common/store/vault_change.h"
#include "webserver/api/handlers.h"

#define ROUTE(verb_word, path, handler, right_word, id, what)                                      \
    { .http.verb = VERB_##verb_word,                                                               \
      .http.pattern = path,                                                                        \
      .handle = handler,                                                                           \
      .right = RIGHT_##right_word,                                                                 \
      .operation = id,                                                                             \
      .aux = what },
static const struct route ROUTES[] = {
#include "webserver/api/routes.def"
};
#undef ROUTE

enum { ROUTE_COUNT = sizeof ROUTES / sizeof *ROUTES };

const struct route *routes_table(uint32_t *out_count)
{
    *out_count = ROUTE_COUNT;
    return ROUTES;
}
