// SPDX-License-Identifier: Apache-2.0
/* owner - the first account of an installation, and the token of whoever owns its home. Waits: for
 * the command line.
 *
 * A token is 43 letters (32 random bytes in base64url). Table session keeps its SHA-256 alone. A
 * password is kept as libsodium's text form of argon2id. Whoever checks either uses these
 * functions. */
#ifndef HEADRACE_OWNER_H
#define HEADRACE_OWNER_H

#include "common/base/str.h"

enum { STORE_TOKEN_SIZE = 44, STORE_TOKEN_HASH_SIZE = 32, STORE_PASSWORD_HASH_SIZE = 128 };

void store_token_make(char out[STORE_TOKEN_SIZE]);
void store_token_hash(struct str token, uint8_t out[STORE_TOKEN_HASH_SIZE]);

/* Takes about 50 ms and 64 MiB: not on a loop. ERR_LIMIT when the memory is not there. */
MUST_USE int store_password_hash(struct str password, char out[STORE_PASSWORD_HASH_SIZE],
                                 struct err *err);
bool store_password_fits(struct str password, const char *hash);

/* Makes the account with role Admin if there is none of that name; *out_made says so. An account
 * that is there keeps its password. */
MUST_USE int store_owner_put(const char *conninfo, struct str name, struct str password,
                             bool *out_made, struct err *err);

/* Lets `token` act for the account `name`, without end. */
MUST_USE int store_owner_token(const char *conninfo, struct str name, struct str token,
                               struct err *err);

#endif
