// SPDX-License-Identifier: Apache-2.0
#include "common/store/file_store.h"

#include "common/base/assert.h"
#include "common/store/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

int store_file_content(const char *path, struct id128 *out)
{
    crypto_generichash_state hash;
    uint8_t part[65536], sum[sizeof *out];
    ssize_t size;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    (void)crypto_generichash_init(&hash, NULL, 0, sizeof sum);
    while ((size = read(fd, part, sizeof part)) > 0)
        (void)crypto_generichash_update(&hash, part, (unsigned long long)size);
    int rc = size < 0 ? -errno : 0;
    close(fd);
    (void)crypto_generichash_final(&hash, sum, sizeof sum);
    if (rc == 0)
        memcpy(out, sum, sizeof sum);
    return rc;
}

struct known_read {
    void (*on_end)(void *owner, int rc, bool known, const struct err *err);
    void *owner;
};

static void on_known(void *owner, const struct pg_outcome *outcome)
{
    struct known_read read = *(struct known_read *)owner;

    free(owner);
    read.on_end(read.owner, outcome->rc, outcome->rc == 0 && pg_row_count(outcome->results[0]) > 0,
                outcome->err);
}

void store_file_known(struct store *store, int32_t dag_no, struct id128 content,
                      void (*on_end)(void *owner, int rc, bool known, const struct err *err),
                      void *owner)
{
    struct known_read *read = malloc(sizeof *read);
    struct pg_tx *tx = pg_tx_new();
    struct pg_params *params = pg_tx_add(tx, SQL_file_known, NULL, NULL);

    ASSERT(read != NULL);
    *read = (struct known_read) { on_end, owner };
    pg_put_int4(params, dag_no);
    pg_put_uuid(params, content);
    store_send(store, tx, on_known, read);
}
