// SPDX-License-Identifier: Apache-2.0
#include "common/wire/wire_key.h"

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/file/file.h"
#include "common/loop/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { RAW_KEY_SIZE = 32, IDENTITY_RAW_SIZE = 16, FILE_SIZE_LIMIT = 1 << 20 };

void wire_key_make(struct wire_key *out)
{
    int rc = zmq_curve_keypair(out->public_key, out->private_key);
    ASSERT(rc == 0); /* but for a libzmq without CURVE, which the build refuses */
}

int wire_key_identity(const char *public_key, char out[WIRE_IDENTITY_SIZE], struct err *err)
{
    unsigned char raw[RAW_KEY_SIZE], hash[IDENTITY_RAW_SIZE];

    if (strlen(public_key) != WIRE_KEY_SIZE - 1 || zmq_z85_decode(raw, public_key) == NULL)
        return err_set(err, ERR_INVALID, "a public key has 40 letters of Z85");
    crypto_generichash(hash, sizeof hash, raw, sizeof raw, NULL, 0);
    sodium_bin2hex(out, WIRE_IDENTITY_SIZE, hash, sizeof hash);
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int make_folders(const char *path, struct err *err)
{
    char folder[4096];

    if (strlen(path) >= sizeof folder)
        return err_set(err, ERR_INVALID, "%s: the path is too long", path);
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t size = (size_t)(slash - path);
        memcpy(folder, path, size);
        folder[size] = 0;
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "making the folder %s: %s", folder, strerror(errno));
    }
    return 0;
}

/* *out_found false when there is no such file. */
static int read_file(const char *path, struct buf *out, struct stat *status, bool *out_found,
                     struct err *err)
{
    char chunk[4096];
    ssize_t size = 0;

    *out_found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, status) != 0) {
        int rc = err_set(err, ERR_IO, "reading %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    *out_found = true;
    while (out->size < FILE_SIZE_LIMIT && (size = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(out, chunk, (size_t)size);
    close(fd);
    sodium_memzero(chunk, sizeof chunk);
    return size < 0 ? err_set(err, ERR_IO, "reading %s: %s", path, strerror(errno)) : 0;
}

static int parse_key(const char *path, struct str text, struct wire_key *out, struct err *err)
{
    char derived[WIRE_KEY_SIZE];
    struct str line;

    memset(out, 0, sizeof *out);
    while (text.size > 0 && str_split(&text, '\n', &line)) {
        struct str name;
        if (line.size == 0 || line.bytes[0] == '#' || !str_split(&line, '=', &name))
            continue;
        char *into = str_is(str_trim(name), "public")    ? out->public_key
                     : str_is(str_trim(name), "private") ? out->private_key
                                                         : NULL;
        line = str_trim(line);
        if (into != NULL && line.size == WIRE_KEY_SIZE - 1)
            memcpy(into, line.bytes, line.size);
    }
    if (out->private_key[0] != 0 && zmq_curve_public(derived, out->private_key) == 0 &&
        strcmp(derived, out->public_key) == 0)
        return 0;
    (void)err_set(err, ERR_INVALID, "%s holds no CURVE key pair", path);
    err_hint(err, "move it away: a new pair is made then, whose public key the others must learn");
    return ERR_INVALID;
}

static int make_key_file(const char *path, struct err *err)
{
    struct wire_key key;
    struct buf text = { 0 };

    int rc = make_folders(path, err);
    if (rc < 0)
        return rc;
    wire_key_make(&key);
    buf_printf(&text,
               "# A CURVE key pair. The private key never leaves this host; others need the public "
               "one.\npublic = %s\nprivate = %s\n",
               key.public_key, key.private_key);
    rc = file_save(path, 0600, buf_str(&text), FILE_KEEP, err); /* two programs may start at once */
    sodium_memzero(text.bytes, text.size);
    sodium_memzero(&key, sizeof key);
    buf_clear(&text);
    return rc;
}

int wire_key_load(const char *path, struct wire_key *out, struct err *err)
{
    struct buf text = { 0 };
    struct stat status;
    bool found;

    int rc = read_file(path, &text, &status, &found, err);
    if (rc == 0 && !found) {
        rc = make_key_file(path, err);
        if (rc == 0)
            rc = read_file(path, &text, &status, &found, err);
    }
    if (rc == 0 && !found)
        rc = err_set(err, ERR_IO, "%s has vanished", path);
    if (rc == 0 && (status.st_mode & 077) != 0) {
        rc = err_set(err, ERR_FORBIDDEN, "%s can be read by others", path);
        err_hint(err, "chmod 600 %s", path);
    }
    if (rc == 0)
        rc = parse_key(path, buf_str(&text), out, err);
    if (text.bytes != NULL)
        sodium_memzero(text.bytes, text.size);
    buf_clear(&text);
    return rc;
}

/* ---- the allow list -------------------------------------------------------------------------- */

enum { LOOK_MS = 1000 };

struct wire_allowed {
    char *path;
    struct map keys;
    struct stat
        seen; /* of the file as it was last read, readable or not; all zero: there was none */
    int64_t looked_ms;
};

static int parse_line(struct map *keys, struct str line, const char *path, int number,
                      struct err *err)
{
    char identity[WIRE_IDENTITY_SIZE], key[WIRE_KEY_SIZE];

    line = str_trim(line);
    if (line.size == 0 || line.bytes[0] == '#')
        return 0;
    size_t size = 0;
    while (size < line.size && line.bytes[size] != ' ' && line.bytes[size] != '\t')
        size++;
    if (size == WIRE_KEY_SIZE - 1) {
        memcpy(key, line.bytes, size);
        key[size] = 0;
        if (wire_key_identity(key, identity, NULL) == 0) {
            map_put_str(keys, str_of(key), 1);
            return 0;
        }
    }
    return err_set(err, ERR_INVALID, "%s:%d: this is no public key of 40 letters", path, number);
}

/* All or nothing: with a mistake in the file the keys stay as they are. */
static int read_allowed(struct wire_allowed *allowed, struct err *err)
{
    struct buf text = { 0 };
    struct stat status = { 0 };
    struct map keys = { 0 };
    struct str line;
    bool found = false;
    int number = 0;

    int rc = read_file(allowed->path, &text, &status, &found, err);
    struct str rest = buf_str(&text);
    while (rc == 0 && rest.size > 0 && str_split(&rest, '\n', &line))
        rc = parse_line(&keys, line, allowed->path, ++number, err);
    buf_clear(&text);
    allowed->seen = status;
    if (rc < 0) {
        map_clear(&keys);
        return rc;
    }
    map_clear(&allowed->keys);
    allowed->keys = keys;
    return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int look_again(struct wire_allowed *allowed, struct err *err)
{
    struct stat status;
    int64_t now = loop_now_ms();

    if (now - allowed->looked_ms < LOOK_MS)
        return 0;
    allowed->looked_ms = now;
    if (stat(allowed->path, &status) != 0)
        status = (struct stat) { 0 };
    return is_same(&status, &allowed->seen) ? 0 : read_allowed(allowed, err);
}

int wire_allowed_open(const char *path, struct wire_allowed **out, struct err *err)
{
    struct wire_allowed *allowed = calloc(1, sizeof *allowed);
    ASSERT(allowed != NULL);
    allowed->path = strdup(path);
    ASSERT(allowed->path != NULL);
    allowed->looked_ms = loop_now_ms();
    int rc = read_allowed(allowed, err);
    if (rc < 0)
        wire_allowed_free(allowed);
    else
        *out = allowed;
    return rc;
}

void wire_allowed_free(struct wire_allowed *allowed)
{
    if (allowed == NULL)
        return;
    map_clear(&allowed->keys);
    free(allowed->path);
    free(allowed);
}

bool wire_allowed_has(struct wire_allowed *allowed, const char *public_key, struct err *err)
{
    (void)look_again(allowed, err);
    return map_get_str(&allowed->keys, str_of(public_key), NULL);
}
