// SPDX-License-Identifier: Apache-2.0
/* seal - closes values so that only a scheduler can read them (libsodium).
 *
 * The key file ($HEADRACE_HOME/secret.key, mode 0600) holds numbered keys, of which the last seals
 * and all open (keyring.h). Whoever has it seals with XChaCha20-Poly1305. The public file beside it
 * (secret.pub) lets a web server seal (crypto_box_seal) what it cannot open. Each sealed value is
 * bound to a label ("variable:name"): moved to another row, it does not open.
 *
 * Keys may be rotated while this runs: a file that has changed is read again before the next value
 * is sealed, and when a value is sealed with a key that is not known. */
#ifndef HEADRACE_SEAL_H
#define HEADRACE_SEAL_H

#include "common/base/buf.h"

struct seal;

/* Makes the key file and its public file if there is none; then reads. Refuses a key file that
 * others may read. */
MUST_USE int seal_open(struct seal **out, const char *key_path, struct err *err);

/* The public file alone: can close, not read. */
MUST_USE int seal_open_public(struct seal **out, const char *public_path, struct err *err);
void seal_free(struct seal *seal); /* wipes the keys; NULL allowed */

bool seal_can_read(const struct seal *seal);
int32_t seal_key_no(const struct seal *seal); /* with which was sealed by the last seal_close */

void seal_close(const struct seal *seal, struct str label, struct str plain, struct buf *out);

/* Adds the plain text to `out` (yours to wipe). ERR_FORBIDDEN without the private half,
 * ERR_NOT_FOUND for a key that the file has not, ERR_INVALID when it was tampered with or belongs
 * to another label. */
MUST_USE int seal_read(const struct seal *seal, int32_t key_no, struct str label, struct str sealed,
                       struct buf *out, struct err *err);

#endif
