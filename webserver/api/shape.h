// SPDX-License-Identifier: Apache-2.0
/* shape - the notation in which tables say what JSON is made of, and its JSON Schema.
 *
 *     type    a name of shapes.def | [type], a list | type?, or null | fields, an object
 *     fields  "name: type, name?: type, ...Shape": a ? behind its name says that a field may be
 *             missing; three dots put in all fields of another shape
 *
 * The tables are ours: a name that is not in them is a bug, and asserts. */
#ifndef HEADRACE_SHAPE_H
#define HEADRACE_SHAPE_H

#include "common/base/buf.h"

#include <stdbool.h>

struct shape_field {
    struct str name, type;
    bool is_optional, is_spliced; /* spliced: `type` is the shape whose fields stand here */
};

/* The next of "a: int, b?: text"; false at the end. */
bool shape_next_field(struct str *rest, struct shape_field *out);

void shape_write_type(struct buf *out, struct str type);

/* "Pool":{...},"Variable":{...}: what the other schemas refer to. */
void shape_write_all(struct buf *out);

#endif
