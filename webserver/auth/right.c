// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/right.h"

#include <strings.h>

static const struct {
    const char *word;
    enum role role;
} RIGHTS[RIGHT_COUNT] = {
#define RIGHT(name, word, role) { word, ROLE_##role },
#include "webserver/auth/rights.def"
#undef RIGHT
};

_Static_assert(RIGHT_COUNT <= 8 * sizeof(rights_set), "a bit for each right");

static const char *const ROLES[] = { "None", "Public", "Viewer", "User", "Op", "Admin" };

int role_parse(struct str name, enum role *out)
{
    for (int role = ROLE_PUBLIC; role <= ROLE_ADMIN; role++)
        if (name.size == strlen(ROLES[role]) &&
            strncasecmp(name.bytes, ROLES[role], name.size) == 0) {
            *out = (enum role)role;
            return 0;
        }
    return ERR_INVALID;
}

const char *role_name(enum role role)
{
    return ROLES[role];
}

bool role_has(enum role role, enum right right)
{
    return role >= RIGHTS[right].role;
}

const char *right_word(enum right right)
{
    return RIGHTS[right].word;
}

enum role right_role(enum right right)
{
    return RIGHTS[right].role;
}

int right_parse(struct str word, enum right *out)
{
    for (int right = RIGHT_SIGNED_IN + 1; right < RIGHT_COUNT; right++)
        if (str_is(word, RIGHTS[right].word)) {
            *out = (enum right)right;
            return 0;
        }
    return ERR_INVALID;
}

void rights_write(struct buf *out, enum role role, rights_set held)
{
    const char *comma = "";
    buf_add_byte(out, '[');
    for (int right = RIGHT_SIGNED_IN + 1; right < RIGHT_COUNT; right++)
        if (role_has(role, (enum right)right) && (held >> right & 1) != 0) {
            buf_printf(out, "%s\"%s\"", comma, RIGHTS[right].word);
            comma = ",";
        }
    buf_add_byte(out, ']');
}
