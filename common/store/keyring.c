// SPDX-License-Identifier: Apache-2.0
#include "common/store/keyring.h"

#include "common/base/assert.h"
#include "common/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { SEED_SIZE = crypto_kdf_KEYBYTES, FILE_SIZE_MAX = 8192, PATH_SIZE = 4096 };

static const char KDF_CONTEXT[crypto_kdf_CONTEXTBYTES] = "headrace";
static const char KEY_WORD[] = "headrace-secret-key", NEXT_WORD[] = "headrace-next-key",
                  PUBLIC_WORD[] = "headrace-public-key";

void keyring_wipe(struct buf *buf)
{
    if (buf->bytes != NULL)
        sodium_memzero(buf->bytes, buf->capacity);
    buf_clear(buf);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int read_file(const char *path, bool is_secret, struct buf *out, struct stat *out_stat,
                     struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[FILE_SIZE_MAX];
    ssize_t size;

    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "opening %s: %s", path,
                       strerror(errno));
    if (fstat(fd, out_stat) == 0 && is_secret && (out_stat->st_mode & 077) != 0) {
        (void)close(fd);
        (void)err_set(err, ERR_FORBIDDEN, "%s can be read by others (mode %03o)", path,
                      (unsigned)out_stat->st_mode & 0777);
        (void)err_hint(err, "chmod 600 %s, and consider its keys known: headrace db rotate-key",
                       path);
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

static void public_path_of(const char *key_path, char out[PATH_SIZE])
{
    struct str stem = str_of(key_path);

    if (str_ends(stem, ".key"))
        stem = str_slice(stem, 0, stem.size - 4);
    (void)snprintf(out, PATH_SIZE, "%.*s.pub", STR_ARG(stem)); /* x/secret.key: x/secret.pub */
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct line {
    struct str word;
    int32_t key_no;
    uint8_t bytes[SEED_SIZE];
};

static bool is_remark(struct str line)
{
    return str_trim(line).size == 0 || str_starts(line, "#");
}

static int line_read(struct str text, struct line *out)
{
    struct str number_text;
    int64_t number;
    size_t size;

    if (!str_split(&text, ' ', &out->word) || !str_split(&text, ' ', &number_text) ||
        str_to_int(number_text, 1, INT32_MAX, &number) < 0)
        return ERR_INVALID;
    text = str_trim(text);
    if (text.size != 2 * SEED_SIZE ||
        sodium_hex2bin(out->bytes, SEED_SIZE, text.bytes, text.size, NULL, &size, NULL) != 0 ||
        size != SEED_SIZE)
        return ERR_INVALID;
    out->key_no = (int32_t)number;
    return 0;
}

static void line_add(struct buf *out, const char *word, int32_t key_no, const uint8_t *bytes)
{
    char hex[2 * SEED_SIZE + 1];

    buf_printf(out, "%s %d %s\n", word, key_no, sodium_bin2hex(hex, sizeof hex, bytes, SEED_SIZE));
    sodium_memzero(hex, sizeof hex);
}

static void derive(struct keyring_key *key, const uint8_t seed[SEED_SIZE])
{
    uint8_t box_seed[crypto_box_SEEDBYTES];

    (void)crypto_kdf_derive_from_key(key->own, sizeof key->own, 1, KDF_CONTEXT, seed);
    (void)crypto_kdf_derive_from_key(box_seed, sizeof box_seed, 2, KDF_CONTEXT, seed);
    (void)crypto_box_seed_keypair(key->box_public, key->box_secret, box_seed);
    sodium_memzero(box_seed, sizeof box_seed);
}

/* Behind a key that is to come nothing stands. */
static bool take_line(struct keyring *ring, struct str text)
{
    struct keyring_key *key = &ring->keys[ring->count];
    struct line line;

    if (ring->has_next || line_read(text, &line) < 0 ||
        (ring->count > 0 && line.key_no <= key[-1].key_no))
        return false;
    ring->has_next = ring->is_secret && ring->count > 0 && str_is(line.word, NEXT_WORD);
    if (!ring->has_next && !str_is(line.word, ring->is_secret ? KEY_WORD : PUBLIC_WORD))
        return false;
    key->key_no = line.key_no;
    if (ring->is_secret)
        derive(key, line.bytes);
    else
        memcpy(key->box_public, line.bytes, sizeof key->box_public);
    sodium_memzero(&line, sizeof line);
    ring->count++;
    return true;
}

static int take_lines(struct keyring *ring, struct str text, const char *path, struct err *err)
{
    uint32_t line_no = 0;
    struct str line;

    while (text.size > 0 && str_split(&text, '\n', &line)) {
        line_no++;
        if (is_remark(line))
            continue;
        if (ring->count == KEYRING_MAX)
            return err_set(err, ERR_LIMIT, "%s has more than %d keys", path, KEYRING_MAX);
        if (!take_line(ring, line))
            return err_set(
                err, ERR_INVALID,
                "%s, line %u: \"%s NUMBER 64-HEX-DIGITS\" with a rising number is expected", path,
                line_no, ring->is_secret ? KEY_WORD : PUBLIC_WORD);
    }
    return ring->count > 0 ? 0 : err_set(err, ERR_INVALID, "%s holds no key", path);
}

int keyring_read(struct keyring *out, const char *path, bool is_secret, struct err *err)
{
    struct buf text = { 0 };
    struct stat file;
    int rc = read_file(path, is_secret, &text, &file, err);

    if (rc == 0) {
        *out = (struct keyring) { .is_secret = is_secret, .file = file };
        rc = take_lines(out, buf_str(&text), path, err);
    }
    keyring_wipe(&text);
    return rc;
}

const struct keyring_key *keyring_sealing(const struct keyring *ring)
{
    return &ring->keys[ring->count - 1 - ring->has_next];
}

const struct keyring_key *keyring_find(const struct keyring *ring, int32_t key_no)
{
    for (uint32_t i = 0; i < ring->count; i++)
        if (ring->keys[i].key_no == key_no)
            return &ring->keys[i];
    return NULL;
}

bool keyring_is_stale(const struct keyring *ring, const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 &&
           (file.st_ino != ring->file.st_ino || file.st_size != ring->file.st_size ||
            file.st_mtim.tv_sec != ring->file.st_mtim.tv_sec ||
            file.st_mtim.tv_nsec != ring->file.st_mtim.tv_nsec);
}

/* ---- making and changing --------------------------------------------------------------------- */

/* What stands there already is left alone. */
static int write_public(const struct keyring *ring, const char *key_path, struct err *err)
{
    struct buf text = { 0 }, old = { 0 };
    char path[PATH_SIZE];
    struct stat file;
    int rc = 0;

    for (uint32_t i = 0; i < ring->count - ring->has_next; i++)
        line_add(&text, PUBLIC_WORD, ring->keys[i].key_no, ring->keys[i].box_public);
    public_path_of(key_path, path);
    if (read_file(path, false, &old, &file, NULL) < 0 || !str_eq(buf_str(&old), buf_str(&text)))
        rc = file_save(path, 0644, buf_str(&text), FILE_REPLACE, err);
    buf_clear(&text);
    buf_clear(&old);
    return rc;
}

static void add_new(struct buf *text, const char *word, int32_t key_no)
{
    uint8_t seed[SEED_SIZE];

    if (text->size > 0 && text->bytes[text->size - 1] != '\n')
        buf_add_byte(text, '\n');
    randombytes_buf(seed, sizeof seed);
    line_add(text, word, key_no, seed);
    sodium_memzero(seed, sizeof seed);
}

static int make(const char *key_path, struct err *err)
{
    struct buf text = { 0 };

    add_new(&text, KEY_WORD, 1);
    int rc = file_save(key_path, 0600, buf_str(&text), FILE_REPLACE, err);
    keyring_wipe(&text);
    return rc;
}

/* Scheduler and web server start at the same time in a new home: one of them makes the key, the
 * other one waits for it. Closing the descriptor unlocks. -1: then there is no folder either, and
 * reading says so. */
static int lock_folder_of(const char *key_path)
{
    char folder[PATH_SIZE];
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

static int open_locked(struct keyring *out, const char *key_path, struct err *err)
{
    int rc = keyring_read(out, key_path, true, err);

    if (rc == ERR_NOT_FOUND) {
        rc = make(key_path, err);
        if (rc == 0)
            rc = keyring_read(out, key_path, true, err);
    }
    if (rc < 0)
        return err_wrap(err, rc, "reading the key of variables and connections");
    rc = write_public(out, key_path, err);
    return rc < 0 ? err_wrap(err, rc,
                             "writing the public half of the key of variables and connections")
                  : 0;
}

int keyring_open(struct keyring *out, const char *key_path, struct err *err)
{
    int lock = lock_folder_of(key_path);
    int rc = open_locked(out, key_path, err);
    if (lock >= 0)
        close(lock);
    return rc;
}

/* The lines of the file that stay, remarks among them; one that was to come is so no longer. */
static void keep_lines(const struct keyring *ring, enum keyring_change change, struct str old,
                       struct buf *out)
{
    struct str text;

    while (old.size > 0 && str_split(&old, '\n', &text)) {
        struct line line;
        if (is_remark(text) || line_read(text, &line) < 0)
            buf_printf(out, "%.*s\n", STR_ARG(text));
        else if (change == KEYRING_ROTATE)
            line_add(out, KEY_WORD, line.key_no, line.bytes);
        else if (change == KEYRING_PREPARE || line.key_no >= keyring_sealing(ring)->key_no)
            buf_printf(out, "%.*s\n", STR_ARG(text));
        sodium_memzero(&line, sizeof line);
    }
}

static int change_locked(struct keyring *ring, const char *key_path, enum keyring_change change,
                         struct err *err)
{
    struct buf old = { 0 }, text = { 0 };
    struct stat file;
    int rc = open_locked(ring, key_path, err);
    bool adds = change != KEYRING_DROP && !ring->has_next;

    if (rc == 0 && adds && ring->count == KEYRING_MAX) {
        (void)err_set(err, ERR_LIMIT, "%s has %d keys", key_path, KEYRING_MAX);
        (void)err_hint(err, "headrace db rotate-key --drop-old forgets those before the last");
        return ERR_LIMIT;
    }
    if (rc == 0)
        rc = read_file(key_path, true, &old, &file, err);
    if (rc == 0) {
        keep_lines(ring, change, buf_str(&old), &text);
        if (adds)
            add_new(&text, change == KEYRING_PREPARE ? NEXT_WORD : KEY_WORD,
                    ring->keys[ring->count - 1].key_no + 1);
        rc = file_save(key_path, 0600, buf_str(&text), FILE_REPLACE, err);
    }
    keyring_wipe(&old);
    keyring_wipe(&text);
    return rc < 0 ? rc : open_locked(ring, key_path, err); /* the public half follows */
}

int keyring_change(const char *key_path, enum keyring_change change, struct err *err)
{
    struct keyring *ring = sodium_malloc(sizeof *ring);
    int lock = lock_folder_of(key_path);

    ASSERT(ring != NULL);
    int rc = change_locked(ring, key_path, change, err);
    sodium_free(ring); /* wipes */
    if (lock >= 0)
        close(lock);
    return rc;
}
