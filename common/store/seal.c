// SPDX-License-Identifier: Apache-2.0
#include "common/store/seal.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS_MAX = 16, SEED_SIZE = crypto_kdf_KEYBYTES, FILE_SIZE_MAX = 8192 };

/* First byte of what is sealed. */
enum form { FORM_OWN_KEY = 1, FORM_PUBLIC_KEY = 2 };

struct seal_key {
    int32_t key_no;
    uint8_t own[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    uint8_t box_public[crypto_box_PUBLICKEYBYTES], box_secret[crypto_box_SECRETKEYBYTES];
};

struct seal {
    struct seal_key keys[KEYS_MAX]; /* by number; the last one seals */
    uint32_t count;
    bool can_read;
};

static const char KDF_CONTEXT[crypto_kdf_CONTEXTBYTES] = "headrace";

/* ---- files: lines of a word, a number and 64 hexadecimal digits ------------------------------ */

static const char KEY_WORD[] = "headrace-secret-key", PUBLIC_WORD[] = "headrace-public-key";

static int read_file(const char *path, bool is_secret, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[FILE_SIZE_MAX];
    struct stat stat;
    ssize_t size;

    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "opening %s: %s", path,
                       strerror(errno));
    if (fstat(fd, &stat) == 0 && is_secret && (stat.st_mode & 077) != 0) {
        (void)close(fd);
        (void)err_set(err, ERR_FORBIDDEN, "%s can be read by others (mode %03o)", path,
                      (unsigned)stat.st_mode & 0777);
        (void)err_hint(err, "chmod 600 %s, and consider its keys known: rotate them", path);
        return ERR_FORBIDDEN;
    }
    size = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    if (size < 0)
        return err_set(err, ERR_IO, "reading %s: %s", path, strerror(errno));
    buf_add(out, bytes, (size_t)size);
    sodium_memzero(bytes, sizeof bytes);
    return 0;
}

/* Written aside, synced and moved into place: after a crash there is the old file or the new one.
 */
static int write_file(const char *path, mode_t mode, struct str text, struct err *err)
{
    char aside[4096];
    int fd, rc = 0;

    if (snprintf(aside, sizeof aside, "%s.%d.new", path, (int)getpid()) >= (int)sizeof aside)
        return err_set(err, ERR_INVALID, "the path is too long: %s", path);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return err_set(err, ERR_IO, "creating %s: %s", aside, strerror(errno));
    if (write(fd, text.bytes, text.size) != (ssize_t)text.size || fsync(fd) < 0)
        rc = err_set(err, ERR_IO, "writing %s: %s", aside, strerror(errno));
    (void)close(fd);
    if (rc == 0 && rename(aside, path) < 0)
        rc = err_set(err, ERR_IO, "moving %s to %s: %s", aside, path, strerror(errno));
    if (rc < 0)
        (void)unlink(aside);
    return rc;
}

static int parse_line(struct str line, const char *word, int32_t *out_no, uint8_t out[32])
{
    struct str part;
    int64_t number;
    size_t size;

    if (!str_split(&line, ' ', &part) || !str_is(part, word))
        return ERR_INVALID;
    if (!str_split(&line, ' ', &part) || str_to_int(part, 1, INT32_MAX, &number) < 0)
        return ERR_INVALID;
    line = str_trim(line);
    if (line.size != 64 || sodium_hex2bin(out, 32, line.bytes, line.size, NULL, &size, NULL) != 0 ||
        size != 32)
        return ERR_INVALID;
    *out_no = (int32_t)number;
    return 0;
}

static void derive(struct seal_key *key, const uint8_t seed[SEED_SIZE])
{
    uint8_t box_seed[crypto_box_SEEDBYTES];

    (void)crypto_kdf_derive_from_key(key->own, sizeof key->own, 1, KDF_CONTEXT, seed);
    (void)crypto_kdf_derive_from_key(box_seed, sizeof box_seed, 2, KDF_CONTEXT, seed);
    (void)crypto_box_seed_keypair(key->box_public, key->box_secret, box_seed);
    sodium_memzero(box_seed, sizeof box_seed);
}

static int parse_keys(struct seal *seal, struct str text, const char *path, struct err *err)
{
    const char *word = seal->can_read ? KEY_WORD : PUBLIC_WORD;
    uint32_t line_no = 0;
    struct str line;

    while (text.size > 0 && str_split(&text, '\n', &line)) {
        struct seal_key *key = &seal->keys[seal->count];
        uint8_t bytes[32];
        int rc;

        line_no++;
        if (str_trim(line).size == 0 || str_starts(line, "#"))
            continue;
        if (seal->count == KEYS_MAX)
            return err_set(err, ERR_LIMIT, "%s has more than %d keys", path, KEYS_MAX);
        rc = parse_line(line, word, &key->key_no, bytes);
        if (rc < 0 || (seal->count > 0 && key->key_no <= key[-1].key_no))
            return err_set(
                err, ERR_INVALID,
                "%s, line %u: \"%s NUMBER 64-HEX-DIGITS\" with a rising number is expected", path,
                line_no, word);
        if (seal->can_read)
            derive(key, bytes);
        else
            memcpy(key->box_public, bytes, sizeof key->box_public);
        sodium_memzero(bytes, sizeof bytes);
        seal->count++;
    }
    return seal->count > 0 ? 0 : err_set(err, ERR_INVALID, "%s holds no key", path);
}

static int read_keys(struct seal **out, const char *path, bool is_secret, struct err *err)
{
    struct seal *seal = sodium_malloc(sizeof *seal); /* never swapped, never dumped */
    struct buf text = { 0 };
    int rc;

    ASSERT(seal != NULL);
    memset(seal, 0, sizeof *seal);
    seal->can_read = is_secret;
    rc = read_file(path, is_secret, &text, err);
    if (rc == 0)
        rc = parse_keys(seal, buf_str(&text), path, err);
    if (text.bytes != NULL)
        sodium_memzero(text.bytes, text.capacity);
    buf_clear(&text);
    if (rc < 0) {
        seal_free(seal);
        return rc;
    }
    *out = seal;
    return 0;
}

/* "x/secret.key" -> "x/secret.pub" */
static void public_path_of(const char *key_path, char out[4096])
{
    struct str stem = str_of(key_path);

    if (str_ends(stem, ".key"))
        stem = str_slice(stem, 0, stem.size - 4);
    (void)snprintf(out, 4096, "%.*s.pub", STR_ARG(stem));
}

static int write_public(const struct seal *seal, const char *key_path, struct err *err)
{
    struct buf text = { 0 };
    char path[4096], hex[65];
    int rc;

    for (uint32_t i = 0; i < seal->count; i++)
        buf_printf(&text, "%s %d %s\n", PUBLIC_WORD, seal->keys[i].key_no,
                   sodium_bin2hex(hex, sizeof hex, seal->keys[i].box_public,
                                  sizeof seal->keys[i].box_public));
    public_path_of(key_path, path);
    rc = write_file(path, 0644, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

/* Adds a key with `key_no` to the text of a key file and writes it. */
static int write_new_key(const char *path, struct buf *text, int32_t key_no, struct err *err)
{
    uint8_t seed[SEED_SIZE];
    char hex[65];
    int rc;

    randombytes_buf(seed, sizeof seed);
    buf_printf(text, "%s %d %s\n", KEY_WORD, key_no,
               sodium_bin2hex(hex, sizeof hex, seed, sizeof seed));
    rc = write_file(path, 0600, buf_str(text), err);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(hex, sizeof hex);
    return rc;
}

static void wipe(struct buf *buf)
{
    if (buf->bytes != NULL)
        sodium_memzero(buf->bytes, buf->capacity);
    buf_clear(buf);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Scheduler and web server start at the same time in a new home: one of them makes the key, the
 * other one waits for it. Closing the descriptor unlocks. -1: then there is no folder either, and
 * reading says so. */
static int lock_folder_of(const char *key_path)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", key_path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, sizeof folder, ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX);
    return fd;
}

static int open_locked(struct seal **out, const char *key_path, struct err *err)
{
    struct seal *seal;
    char public_path[4096];
    int rc = read_keys(&seal, key_path, true, err);

    if (rc == ERR_NOT_FOUND) {
        struct buf text = { 0 };

        rc = write_new_key(key_path, &text, 1, err);
        wipe(&text);
        if (rc == 0)
            rc = read_keys(&seal, key_path, true, err);
    }
    if (rc < 0)
        return err_wrap(err, rc, "reading the key of variables and connections");
    public_path_of(key_path, public_path);
    if (access(public_path, F_OK) != 0)
        rc = write_public(seal, key_path, err);
    if (rc < 0) {
        seal_free(seal);
        return err_wrap(err, rc, "writing the public half of the key of variables and connections");
    }
    *out = seal;
    return 0;
}

int seal_open(struct seal **out, const char *key_path, struct err *err)
{
    ASSERT(sodium_init() >= 0);
    int lock = lock_folder_of(key_path);
    int rc = open_locked(out, key_path, err);
    if (lock >= 0)
        close(lock);
    return rc;
}

int seal_open_public(struct seal **out, const char *public_path, struct err *err)
{
    int rc;

    ASSERT(sodium_init() >= 0);
    rc = read_keys(out, public_path, false, err);
    if (rc < 0)
        return err_wrap(err, rc, "reading the public key of variables and connections");
    return 0;
}

void seal_free(struct seal *seal)
{
    sodium_free(seal); /* wipes */
}

int seal_rotate(const char *key_path, struct err *err)
{
    struct buf text = { 0 };
    struct seal *seal;
    int rc = seal_open(&seal, key_path, err);

    if (rc < 0)
        return rc;
    if (seal->count == KEYS_MAX) {
        seal_free(seal);
        return err_set(err, ERR_LIMIT,
                       "%s has %d keys: remove those that nothing is sealed with any more",
                       key_path, KEYS_MAX);
    }
    rc = read_file(key_path, true, &text, err);
    if (rc == 0) {
        if (text.size > 0 && text.bytes[text.size - 1] != '\n')
            buf_add_byte(&text, '\n');
        rc = write_new_key(key_path, &text, seal_key_no(seal) + 1, err);
    }
    wipe(&text);
    seal_free(seal);
    if (rc == 0)
        rc = read_keys(&seal, key_path, true, err);
    if (rc < 0)
        return rc;
    rc = write_public(seal, key_path, err);
    seal_free(seal);
    return rc;
}

bool seal_can_read(const struct seal *seal)
{
    return seal->can_read;
}

int32_t seal_key_no(const struct seal *seal)
{
    return seal->keys[seal->count - 1].key_no;
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
static void close_with_public_key(const struct seal_key *key, struct str label, struct str plain,
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
    wipe(&inside);
}

static void close_with_own_key(const struct seal_key *key, struct str label, struct str plain,
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
    const struct seal_key *key = &seal->keys[seal->count - 1];

    if (seal->can_read)
        close_with_own_key(key, label, plain, out);
    else
        close_with_public_key(key, label, plain, out);
}

static bool read_own(const struct seal_key *key, struct str label, struct str sealed,
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

static bool read_box(const struct seal_key *key, struct str label, struct str sealed,
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
    wipe(&inside);
    return is_ours;
}

int seal_read(const struct seal *seal, int32_t key_no, struct str label, struct str sealed,
              struct buf *out, struct err *err)
{
    const struct seal_key *key = NULL;
    struct str rest = str_slice(sealed, 1, sealed.size);
    bool is_read = false;

    if (!seal->can_read)
        return err_set(err, ERR_FORBIDDEN, "this process can seal values, not read them");
    for (uint32_t i = 0; i < seal->count; i++) {
        if (seal->keys[i].key_no == key_no)
            key = &seal->keys[i];
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
