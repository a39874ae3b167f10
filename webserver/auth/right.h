// SPDX-License-Identifier: Apache-2.0
/* right - what a role may do: one table (rights.def), one function that decides. */
#ifndef HEADRACE_RIGHT_H
#define HEADRACE_RIGHT_H

#include "common/base/buf.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_USER, ROLE_OP, ROLE_ADMIN };

enum right {
#define RIGHT(name, word, role) RIGHT_##name,
#include "webserver/auth/rights.def"
#undef RIGHT
    RIGHT_COUNT
};

/* "Admin", in any case. ERR_INVALID. */
MUST_USE int role_parse(struct str name, enum role *out);
const char *role_name(enum role role); /* "Admin", as the database has it */

bool role_has(enum role role, enum right right);
const char *right_word(enum right right);
enum role right_role(enum right right); /* the least role that has it */

/* ["read","runs.trigger"] of a role. */
void rights_write(struct buf *out, enum role role);

#endif
