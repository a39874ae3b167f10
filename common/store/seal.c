// SPDX-License-Identifier: Apache-2.0
#include "common/store/seal.h"

#include "common/base/assert.h"
#include "common/store/keyring.h"

#include <stdlib.h>

/* First byte of what is sealed. */
enum form { FORM_OWN_KEY = 1, FORM_PUBLIC_KEY = 2 };

struct seal {
    char *path;
    struct keyring *ring; /* never swapped, never dumped */
};

/* ---- opening --------------------------------------------------------------------------------- */

static struct seal *seal_new(const char *path)
{
    struct seal *seal = calloc(1, sizeof *seal);

    ASSERT(seal != NULL && sodium_init() >= 0);
    seal->path = strdup(path);
    seal->ring = sodium_malloc(sizeof *seal->ring);
    ASSERT(seal->path != NULL && seal->ring != NULL);
    return seal;
}

int seal_open(struct seal **out, const char *key_path, struct err *err)
{
    struct seal *seal = seal_new(key_path);
    int rc = keyring_open(seal->ring, key_path, err);

    if (rc < 0)
        seal_free(seal);
    else
        *out = seal;
    return rc;
}

int seal_open_public(struct seal **out, const char *public_path, struct err *err)
{
    struct seal *seal = seal_new(public_path);
    int rc = keyring_read(seal->ring, public_path, false, err);

    if (rc < 0)
        seal_free(seal);
    else
        *out = seal;
    return rc < 0 ? err_wrap(err, rc, "reading the public key of variables and connections") : 0;
}

void seal_free(struct seal *seal)
{
    if (seal == NULL)
        return;
    sodium_free(seal->ring); /* wipes */
    free(seal->path);
    free(seal);
}

bool seal_can_read(const struct seal *seal)
{
    return seal->ring->is_secret;
}

int32_t seal_key_no(const struct seal *seal)
{
    return keyring_sealing(seal->ring)->key_no;
}

/* The keys may have been rotated since they were read. A file that cannot be read now will be
 * looked at again. */
static void refresh(const struct seal *seal)
{
    if (!keyring_is_stale(seal->ring, seal->path))
        return;
    struct keyring *fresh = sodium_malloc(sizeof *fresh);
    ASSERT(fresh != NULL);
    if (keyring_read(fresh, seal->path, seal->ring->is_secret, NULL) == 0)
        *seal->ring = *fresh;
    sodium_free(fresh);
}

/* ---- closing and reading --------------------------------------------------------------------- */

static void *add_room(struct buf *buf, size_t size)
{
    void *room;

    buf_reserve(buf, size + 1);
    room = buf->bytes + buf->size;
    buf->size += size;
    buf->bytes[buf->size] = '\0';
    return room;
}

/* A sealed box takes no additional data, so the label is sealed in: its size in four bytes, itself,
 * the text. */
static void close_with_public_key(const struct keyring_key *key, struct str label, struct str plain,
                                  struct buf *out)
{
    uint8_t size[4] = { (uint8_t)(label.size >> 24), (uint8_t)(label.size >> 16),
                        (uint8_t)(label.size >> 8), (uint8_t)label.size };
    struct buf inside = { 0 };

    buf_add(&inside, size, sizeof size);
    buf_add_str(&inside, label);
    buf_add_str(&inside, plain);
    buf_add_byte(out, FORM_PUBLIC_KEY);
    (void)crypto_box_seal(add_room(out, inside.size + crypto_box_SEALBYTES),
                          (const uint8_t *)inside.bytes, inside.size, key->box_public);
    keyring_wipe(&inside);
}

static void close_with_own_key(const struct keyring_key *key, struct str label, struct str plain,
                               struct buf *out)
{
    uint8_t nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

    randombytes_buf(nonce, sizeof nonce);
    buf_add_byte(out, FORM_OWN_KEY);
    buf_add(out, nonce, sizeof nonce);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        add_room(out, plain.size + crypto_aead_xchacha20poly1305_ietf_ABYTES), NULL,
        (const uint8_t *)plain.bytes, plain.size, (const uint8_t *)label.bytes, label.size, NULL,
        nonce, key->own);
}

void seal_close(const struct seal *seal, struct str label, struct str plain, struct buf *out)
{
    const struct keyring_key *key;

    refresh(seal);
    key = keyring_sealing(seal->ring);
    if (seal_can_read(seal))
        close_with_own_key(key, label, plain, out);
    else
        close_with_public_key(key, label, plain, out);
}

static bool read_own(const struct keyring_key *key, struct str label, struct str sealed,
                     struct buf *out)
{
    enum {
        HEAD = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
        TAIL = crypto_aead_xchacha20poly1305_ietf_ABYTES
    };
    const uint8_t *bytes = (const uint8_t *)sealed.bytes;
    size_t before = out->size;

    if (sealed.size < HEAD + TAIL)
        return false;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            add_room(out, sealed.size - HEAD - TAIL), NULL, NULL, bytes + HEAD, sealed.size - HEAD,
            (const uint8_t *)label.bytes, label.size, bytes, key->own) == 0)
        return true;
    out->size = before;
    return false;
}

static bool read_box(const struct keyring_key *key, struct str label, struct str sealed,
                     struct buf *out)
{
    struct buf inside = { 0 };
    bool is_ours = false;

    if (sealed.size >= crypto_box_SEALBYTES &&
        crypto_box_seal_open(add_room(&inside, sealed.size - crypto_box_SEALBYTES),
                             (const uint8_t *)sealed.bytes, sealed.size, key->box_public,
                             key->box_secret) == 0) {
        const uint8_t *size = (const uint8_t *)inside.bytes;
        size_t label_size = inside.size < 4 ? SIZE_MAX
                                            : (size_t)size[0] << 24 | (size_t)size[1] << 16 |
                                                  (size_t)size[2] << 8 | size[3];

        is_ours = label_size == label.size && inside.size >= 4 + label.size &&
                  memcmp(inside.bytes + 4, label.bytes, label.size) == 0;
        if (is_ours)
            buf_add(out, inside.bytes + 4 + label.size, inside.size - 4 - label.size);
    }
    keyring_wipe(&inside);
    return is_ours;
}

int seal_read(const struct seal *seal, int32_t key_no, struct str label, struct str sealed,
              struct buf *out, struct err *err)
{
    const struct keyring_key *key = keyring_find(seal->ring, key_no);
    struct str rest = str_slice(sealed, 1, sealed.size);
    bool is_read = false;

    if (!seal_can_read(seal))
        return err_set(err, ERR_FORBIDDEN, "this process can seal values, not read them");
    if (key == NULL) { /* a new one, sealed with by somebody who has read the file since */
        refresh(seal);
        key = keyring_find(seal->ring, key_no);
    }
    if (key == NULL)
        return err_set(err, ERR_NOT_FOUND,
                       "%.*s is sealed with key %d, which the key file does not have",
                       STR_ARG(label), key_no);
    if (sealed.size > 0 && sealed.bytes[0] == FORM_OWN_KEY)
        is_read = read_own(key, label, rest, out);
    if (sealed.size > 0 && sealed.bytes[0] == FORM_PUBLIC_KEY)
        is_read = read_box(key, label, rest, out);
    if (!is_read)
        return err_set(err, ERR_INVALID,
                       "%.*s does not open with key %d: it was changed, or it belongs elsewhere",
                       STR_ARG(label), key_no);
    return 0;
}
