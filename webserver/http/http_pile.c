// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_pile.h"

#include "common/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct http_pile *http_pile_new(void)
{
    struct http_pile *pile = calloc(1, sizeof *pile);
    ASSERT(pile != NULL);
    pile->hash = str_fingerprint(STR_EMPTY);
    return pile;
}

void http_pile_free(struct http_pile *pile)
{
    if (pile == NULL)
        return;
    buf_clear(&pile->small);
    if (pile->file != NULL)
        (void)fclose(pile->file);
    free(pile);
}

/* It has a name for no longer than this takes: nothing is left of it, however we end. */
static FILE *open_file(const char *folder)
{
    struct buf path = { 0 };
    buf_printf(&path, "%s/.answer-XXXXXX", folder == NULL ? P_tmpdir : folder);
    int fd = mkostemp(path.bytes, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path.bytes);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");
    if (file == NULL && fd >= 0)
        close(fd);
    if (file != NULL)
        (void)setvbuf(file, NULL, _IONBF, 0); /* pieces are large: a buffer is memory a client */
    buf_clear(&path);
    return file;
}

static void write_piece(struct http_pile *pile, struct str piece)
{
    if (piece.size > 0 && fwrite(piece.bytes, piece.size, 1, pile->file) != 1)
        pile->problem = errno;
}

static void move_to_file(struct http_pile *pile, const char *folder)
{
    pile->file = open_file(folder);
    if (pile->file == NULL) {
        pile->problem = errno;
        return;
    }
    write_piece(pile, buf_str(&pile->small));
    buf_clear(&pile->small);
}

void http_pile_put(struct http_pile *pile, const char *folder, struct str piece)
{
    pile->size += piece.size;
    pile->hash = str_fingerprint_on(pile->hash, piece);
    if (pile->file == NULL && pile->problem == 0 && pile->size > HTTP_HIGH_WATER)
        move_to_file(pile, folder);
    if (pile->problem != 0)
        return;
    if (pile->file == NULL)
        buf_add_str(&pile->small, piece);
    else
        write_piece(pile, piece);
}

size_t http_pile_take(struct http_pile *pile, char *out, size_t size)
{
    size_t taken = 0;
    if (pile->file == NULL) {
        struct str rest = str_slice(buf_str(&pile->small), pile->taken, pile->small.size);
        taken = rest.size < size ? rest.size : size;
        memcpy(out, rest.bytes, taken);
    } else {
        if (pile->taken == 0)
            rewind(pile->file);
        taken = fread(out, 1, size, pile->file);
    }
    pile->taken += taken;
    return taken;
}
