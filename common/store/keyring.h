// SPDX-License-Identifier: Apache-2.0
/* keyring - the keys of seal.h and their files: secret.key, and secret.pub beside it with the
 * public halves.
 *
 * A file is lines of a word, a number that rises, and 64 hexadecimal digits. The last key seals,
 * all open. One that is to come (headrace-next-key) opens already: on several hosts everybody must
 * know a key before anybody seals with it. Files are moved into place whole. */
#ifndef HEADRACE_KEYRING_H
#define HEADRACE_KEYRING_H

#include "common/base/buf.h"

#include <sodium.h>
#include <sys/stat.h>

enum { KEYRING_MAX = 16 };

struct keyring_key {
    int32_t key_no;
    uint8_t own[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    uint8_t box_public[crypto_box_PUBLICKEYBYTES], box_secret[crypto_box_SECRETKEYBYTES];
};

/* Belongs into memory of sodium_malloc. */
struct keyring {
    struct keyring_key keys[KEYRING_MAX]; /* by number */
    uint32_t count;
    bool is_secret; /* of the key file: it opens too */
    bool has_next;  /* the last one does not seal yet */
    struct stat file;
};

/* ERR_NOT_FOUND without a file, ERR_FORBIDDEN when others may read it, ERR_INVALID with its line.
 */
MUST_USE int keyring_read(struct keyring *out, const char *path, bool is_secret, struct err *err);

/* The same of a key file; makes it if there is none, and the public file if it is not its half. */
MUST_USE int keyring_open(struct keyring *out, const char *key_path, struct err *err);

bool keyring_is_stale(const struct keyring *ring, const char *path); /* its file has changed */
const struct keyring_key *keyring_sealing(const struct keyring *ring);
const struct keyring_key *keyring_find(const struct keyring *ring, int32_t key_no); /* or NULL */

enum keyring_change {
    KEYRING_PREPARE, /* a key that is to come, if there is none */
    KEYRING_ROTATE,  /* the one that is to come, or a new one, seals from now on */
    KEYRING_DROP,    /* those before the one that seals are forgotten */
};

/* Writes both files. ERR_LIMIT above KEYRING_MAX keys. */
MUST_USE int keyring_change(const char *key_path, enum keyring_change change, struct err *err);

void keyring_wipe(struct buf *buf); /* and clears */

#endif
