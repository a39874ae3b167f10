// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_tls.h"

#include "common/base/assert.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

struct http_tls_context {
    SSL_CTX *ctx;
};

struct http_tls {
    SSL *ssl;
    BIO *in, *out;
    bool is_broken;
};

static int openssl_failed(struct err *err, const char *what)
{
    char reason[160];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ERR_clear_error();
    return err_set(err, ERR_INVALID, "%s: %s", what, reason);
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *arg)
{
    (void)ssl, (void)arg;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    int found = SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, in, in_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int check_key_file(const char *key_file, struct err *err)
{
    struct stat status;
    if (stat(key_file, &status) < 0)
        return err_set(err, ERR_INVALID, "TLS key %s: %s", key_file, strerror(errno));
    if ((status.st_mode & (S_IRWXO)) == 0)
        return 0;
    (void)err_set(err, ERR_INVALID, "TLS key %s can be read by everybody on this machine",
                  key_file);
    (void)err_hint(err, "chmod 600 %s", key_file);
    return ERR_INVALID;
}

int http_tls_context_new(struct http_tls_context **out, const char *cert_file, const char *key_file,
                         struct err *err)
{
    int rc = check_key_file(key_file, err);
    if (rc < 0)
        return rc;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    ASSERT(ctx != NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1)
        rc = openssl_failed(err, cert_file);
    else if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
        rc = openssl_failed(err, key_file);
    else if (SSL_CTX_check_private_key(ctx) != 1)
        rc = openssl_failed(err, "the TLS key does not belong to the certificate");
    if (rc < 0) {
        SSL_CTX_free(ctx);
        return rc;
    }
    *out = calloc(1, sizeof **out);
    ASSERT(*out != NULL);
    (*out)->ctx = ctx;
    return 0;
}

void http_tls_context_free(struct http_tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ctx); /* counted: each SSL holds it */
    free(context);
}

struct http_tls *http_tls_new(struct http_tls_context *context)
{
    struct http_tls *tls = calloc(1, sizeof *tls);
    ASSERT(tls != NULL);
    tls->ssl = SSL_new(context->ctx);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    ASSERT(tls->ssl != NULL && tls->in != NULL && tls->out != NULL);
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void http_tls_free(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static int broken(struct http_tls *tls)
{
    ERR_clear_error();
    tls->is_broken = true;
    return ERR_PROTOCOL;
}

int http_tls_receive(struct http_tls *tls, struct str bytes, struct buf *plain)
{
    if (tls->is_broken || BIO_write(tls->in, bytes.bytes, (int)bytes.size) != (int)bytes.size)
        return broken(tls);
    for (;;) {
        char chunk[16384]; /* a TLS record */
        int size = SSL_read(tls->ssl, chunk, sizeof chunk);
        if (size > 0) {
            buf_add(plain, chunk, (size_t)size);
            continue;
        }
        int error = SSL_get_error(tls->ssl, size);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN)
            return 0;
        return broken(tls);
    }
}

int http_tls_send(struct http_tls *tls, struct str plain)
{
    while (plain.size > 0) {
        int size = plain.size > INT32_MAX ? INT32_MAX : (int)plain.size;
        int written = tls->is_broken ? -1 : SSL_write(tls->ssl, plain.bytes, size);
        if (written <= 0)
            return broken(tls);
        plain = str_slice(plain, (size_t)written, plain.size);
    }
    return 0;
}

void http_tls_end(struct http_tls *tls)
{
    if (!tls->is_broken && SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

void http_tls_output(struct http_tls *tls, struct buf *out)
{
    size_t waiting = BIO_ctrl_pending(tls->out);
    if (waiting == 0)
        return;
    buf_reserve(out, waiting + 1);
    int size = BIO_read(tls->out, out->bytes + out->size, (int)waiting);
    ASSERT(size == (int)waiting);
    out->size += waiting;
}

bool http_tls_is_ready(const struct http_tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}
