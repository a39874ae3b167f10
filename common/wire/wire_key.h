// SPDX-License-Identifier: Apache-2.0
/* wire_key - CURVE key pairs, their files, and who a public key is. Keys are Z85: 40 letters. */
#ifndef HEADRACE_WIRE_KEY_H
#define HEADRACE_WIRE_KEY_H

#include "common/base/secret.h"
#include "common/base/str.h"

enum { WIRE_KEY_SIZE = 41, WIRE_IDENTITY_SIZE = 33 };

struct wire_key {
    char public_key[WIRE_KEY_SIZE];
    char private_key[WIRE_KEY_SIZE]; /* never logged */
};

void wire_key_make(struct wire_key *out);

/* Reads the pair from `path`; when there is no file, makes one there (0600, its folder 0700). A
 * file that others may read is refused with the chmod that helps. */
MUST_USE int wire_key_load(const char *path, struct wire_key *out, struct err *err);

/* 32 hex letters: BLAKE2b of the key. Whatever a peer calls itself, this stands before it. */
MUST_USE int wire_key_identity(const char *public_key, char out[WIRE_IDENTITY_SIZE],
                               struct err *err);

/* Allow list: a file of public keys, one a line, anything behind a blank is a remark, # begins a
 * comment. It is read again when it has changed, looked at once a second at most: a key that is
 * added gets in, and one that is gone does not get in again (a connection that stands goes on). */
struct wire_allowed;

/* A file that is not there is an empty list: nobody may connect. *out is yours (wire_allowed_free).
 */
MUST_USE int wire_allowed_open(const char *path, struct wire_allowed **out, struct err *err);
void wire_allowed_free(struct wire_allowed *allowed); /* NULL allowed */

/* `err` says once for each change of the file that it cannot be read; the keys before it hold on.
 */
bool wire_allowed_has(struct wire_allowed *allowed, const char *public_key, struct err *err);

#endif
