// SPDX-License-Identifier: Apache-2.0
#include "common/store/owner.h"

#include "common/base/assert.h"
#include "common/pg/pg_sync.h"
#include "common/store/statement.h"

#include <sodium.h>

enum { TOKEN_BYTES = 32 };

static void ready(void)
{
    int rc = sodium_init();

    ASSERT(rc >= 0);
}

void store_token_make(char out[STORE_TOKEN_SIZE])
{
    unsigned char bytes[TOKEN_BYTES];

    ready();
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(out, STORE_TOKEN_SIZE, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

void store_token_hash(struct str token, uint8_t out[STORE_TOKEN_HASH_SIZE])
{
    (void)crypto_hash_sha256(out, (const unsigned char *)token.bytes, token.size);
}

int store_password_hash(struct str password, char out[STORE_PASSWORD_HASH_SIZE], struct err *err)
{
    ready();
    if (crypto_pwhash_str(out, password.bytes, password.size, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return err_set(err, ERR_LIMIT, "hashing a password needs %d MiB of memory",
                       (int)(crypto_pwhash_MEMLIMIT_INTERACTIVE >> 20));
    return 0;
}

bool store_password_fits(struct str password, const char *hash)
{
    ready();
    return crypto_pwhash_str_verify(hash, password.bytes, password.size) == 0;
}

static int run(const char *conninfo, enum statement statement, const struct pg_params *params,
               int64_t *out_rows, struct err *err)
{
    struct pg_sync *sync;
    struct pg_result *result = NULL;
    int rc = pg_sync_open(&sync, conninfo, err);

    if (rc < 0)
        return rc;
    rc = pg_sync_query(sync, store_statements[statement].sql, params, &result, err);
    if (rc == 0)
        *out_rows = pg_affected(result);
    pg_result_free(result);
    pg_sync_close(sync);
    return rc;
}

int store_owner_put(const char *conninfo, struct str name, struct str password, bool *out_made,
                    struct err *err)
{
    struct pg_params params = { 0 };
    char hash[STORE_PASSWORD_HASH_SIZE];
    int64_t rows = 0;
    int rc = store_password_hash(password, hash, err);

    if (rc < 0)
        return rc;
    pg_put_text(&params, name);
    pg_put_text(&params, str_of(hash));
    rc = run(conninfo, SQL_owner_put, &params, &rows, err);
    pg_params_clear(&params);
    if (rc < 0)
        return err_wrap(err, rc, "making the account %.*s", STR_ARG(name));
    *out_made = rows == 1;
    return 0;
}

int store_owner_token(const char *conninfo, struct str name, struct str token, struct err *err)
{
    struct pg_params params = { 0 };
    uint8_t hash[STORE_TOKEN_HASH_SIZE];
    int64_t rows = 0;

    store_token_hash(token, hash);
    pg_put_text(&params, name);
    pg_put_bytea(&params, (struct str) { (const char *)hash, sizeof hash });
    int rc = run(conninfo, SQL_owner_token, &params, &rows, err);
    pg_params_clear(&params);
    if (rc < 0)
        return err_wrap(err, rc, "making the owner's token");
    return rows == 1 ? 0 : err_set(err, ERR_NOT_FOUND, "there is no account %.*s", STR_ARG(name));
}
