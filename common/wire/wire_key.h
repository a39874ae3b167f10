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

/* 32 hex letters: BLAKE2b of the key. This is the worker's identity, whatever it calls itself. */
MUST_USE int wire_key_identity(const char *public_key, char out[WIRE_IDENTITY_SIZE],
                               struct err *err);

/* Allow list: a file of public keys, one a line, anything behind a blank is a remark, # begins a
 * comment. */
struct wire_allowed;

/* A file that is not there is an empty list: nobody may connect. *out is yours (wire_allowed_free).
 */
MUST_USE int wire_allowed_load(const char *path, struct wire_allowed **out, struct err *err);
void wire_allowed_free(struct wire_allowed *allowed); /* NULL allowed */
bool wire_allowed_has(const struct wire_allowed *allowed, const char *public_key);

/* Adds a key with a remark and makes the file if need be. Adding one that is there changes nothing.
 */
MUST_USE int wire_allowed_add(const char *path, const char *public_key, const char *remark,
                              struct err *err);

#endif
