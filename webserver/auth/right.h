// SPDX-License-Identifier: Apache-2.0
/* right - what a role may do: one table (rights.def), one function that decides.
 *
 * The numbers of roles are those of role_rank in sql/migrations/0005_access.sql. */
#ifndef HEADRACE_RIGHT_H
#define HEADRACE_RIGHT_H

#include "common/base/buf.h"

enum role { ROLE_NONE, ROLE_PUBLIC, ROLE_VIEWER, ROLE_USER, ROLE_OP, ROLE_ADMIN };

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
/* "runs.trigger". ERR_INVALID; also for what nobody is held to (anybody, signed_in). */
MUST_USE int right_parse(struct str word, enum right *out);
enum role right_role(enum right right); /* the least role that has it */

/* Some rights: bit 1 << right. */
typedef uint32_t rights_set;
#define RIGHTS_ALL ((rights_set)-1)

/* ["read","runs.trigger"]: those of a role that are in `held`. */
void rights_write(struct buf *out, enum role role, rights_set held);

#endif
