// SPDX-License-Identifier: Apache-2.0
#include "common/pg/pg_error.h"

#include <string.h>

int pg_error_code(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        int code;
    } rows[] = {
#define SQLSTATE(prefix, code) { prefix, code },
#include "common/pg/sqlstate.def"
#undef SQLSTATE
    };
    int code = ERR_DB;
    size_t longest = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size = strlen(rows[i].prefix);
        if (size > longest && strncmp(sqlstate, rows[i].prefix, size) == 0) {
            code = rows[i].code;
            longest = size;
        }
    }
    return code;
}
