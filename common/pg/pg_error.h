// SPDX-License-Identifier: Apache-2.0
/* pg_error - what a SQLSTATE means here. Known nowhere else.
 *
 * Our own SQL may raise: HR404 ERR_NOT_FOUND, HR409 ERR_CONFLICT, HR410 ERR_LOST (the fence:
 * another epoch holds the lease), HR412 ERR_EXISTS, HR403 ERR_FORBIDDEN, HR422 ERR_UNPROCESSABLE,
 * HR400 ERR_INVALID. */
#ifndef HEADRACE_PG_ERROR_H
#define HEADRACE_PG_ERROR_H

#include "common/base/err.h"

/* Unique violation ERR_EXISTS, foreign key ERR_NOT_FOUND, check and data errors ERR_INVALID,
 * deadlock, serialization and lock timeouts ERR_UNAVAILABLE (nothing happened, try again),
 * statement_timeout ERR_TIMEOUT, ... The table is sqlstate.def. */
int pg_error_code(const char *sqlstate);

#endif
