// SPDX-License-Identifier: Apache-2.0
/* view_store - the filters of lists that a user has given names. They are read as a document
 * (auth_views). */
#ifndef HEADRACE_VIEW_STORE_H
#define HEADRACE_VIEW_STORE_H

#include "common/store/store.h"

struct view {
    int32_t user_no, view_no; /* view_no: of a change */
    struct str page;          /* "runs", "tasks"; not changed */
    struct str name, query;
    struct str is_default; /* "true", "false" */
};

/* ERR_EXISTS: there is one of that name for that page; ERR_CONFLICT: the user has `count_max`. */
void view_put(struct store *store, const struct view *view, int64_t count_max,
              void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* What is empty stays as it is. The default of a page is one: what was it before is it no more.
 * ERR_NOT_FOUND, ERR_EXISTS. */
void view_change(struct store *store, const struct view *view,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

/* ERR_NOT_FOUND. */
void view_delete(struct store *store, int32_t user_no, int32_t view_no,
                 void (*on_end)(void *owner, int rc, const struct err *err), void *owner);

#endif
