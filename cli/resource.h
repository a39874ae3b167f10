// SPDX-License-Identifier: Apache-2.0
/* resource - what pools, variables and connections have in common: a listing, one by name, put,
 * delete, import, export. */
#ifndef HEADRACE_CLI_RESOURCE_H
#define HEADRACE_CLI_RESOURCE_H

#include "cli/cli.h"
#include "cli/output.h"

struct resource {
    const char *noun;     /* "pool" */
    const char *path;     /* "/api/v2/pools" */
    const char *list_key; /* "pools" */
    const char *id_key;   /* "name" */
    const char *argument; /* "NAME" */
    const struct column *columns;
    uint32_t column_count;
    /* Fields that go to a file and come from it, besides the id; ends with NULL. One field only
     * ("value"): the file holds it alone, {id: value}. */
    const char *const *fields;
};

MUST_USE int resource_list(struct cli *cli, const struct resource *resource, struct err *err);
MUST_USE int resource_get(struct cli *cli, const struct resource *resource,
                          const struct value **out, struct err *err);
MUST_USE int resource_delete(struct cli *cli, const struct resource *resource, struct err *err);

/* New, or in place of the one there is. `body` holds the id. */
MUST_USE int resource_put(struct cli *cli, const struct resource *resource,
                          const struct value *body, struct err *err);

/* Reads or writes the FILE argument. */
MUST_USE int resource_import(struct cli *cli, const struct resource *resource, struct err *err);
MUST_USE int resource_export(struct cli *cli, const struct resource *resource, struct err *err);

/* The mapping that a JSON or YAML file holds. */
MUST_USE int resource_read_map(struct cli *cli, const char *path, const struct value **out,
                               struct err *err);

#endif
