// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/jwt.h"

#include "common/text/base64.h"
#include "common/text/json.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

enum { TOKEN_MAX = 32 * 1024, RSA_BITS_MIN = 2048, P256_SIZE = 32 };

static const struct json_limits LIMITS = { TOKEN_MAX, 16 };

/* ---- keys ---- */

static struct str bytes_of(struct arena *arena, const struct value *jwk, const char *name)
{
    struct str bytes;
    struct str text = value_text(value_get(jwk, name), STR_EMPTY);
    return base64url_decode(arena, text, &bytes) < 0 ? STR_EMPTY : bytes;
}

/* NULL when the parts make no key. Takes `params`. */
static EVP_PKEY *key_from(const char *kind, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(struct arena *arena, const struct value *jwk)
{
    struct str n = bytes_of(arena, jwk, "n"), e = bytes_of(arena, jwk, "e");
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.bytes, (int)n.size, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.bytes, (int)e.size, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (modulus != NULL && exponent != NULL && BN_num_bits(modulus) >= RSA_BITS_MIN &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = key_from("RSA", params);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *ec_key(struct arena *arena, const struct value *jwk)
{
    unsigned char point[1 + 2 * P256_SIZE] = { 4 }; /* uncompressed */
    struct str x = bytes_of(arena, jwk, "x"), y = bytes_of(arena, jwk, "y");
    if (!str_is(value_text(value_get(jwk, "crv"), STR_EMPTY), "P-256") || x.size != P256_SIZE ||
        y.size != P256_SIZE)
        return NULL;
    memcpy(point + 1, x.bytes, P256_SIZE);
    memcpy(point + 1 + P256_SIZE, y.bytes, P256_SIZE);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = key_from("EC", params);
    OSSL_PARAM_BLD_free(build);
    return key;
}

/* ---- signatures ---- */

/* r and s side by side, as a JWS has them, to what OpenSSL takes. Empty when it is none. */
static struct str der_signature(struct arena *arena, struct str raw)
{
    const unsigned char *bytes = (const unsigned char *)raw.bytes;
    if (raw.size != 2 * P256_SIZE)
        return STR_EMPTY;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int size = -1;
    if (ECDSA_SIG_set0(signature, BN_bin2bn(bytes, P256_SIZE, NULL),
                       BN_bin2bn(bytes + P256_SIZE, P256_SIZE, NULL)) == 1)
        size = i2d_ECDSA_SIG(signature, &der);
    struct str copy =
        size < 0 ? STR_EMPTY : str_copy(arena, (struct str) { (char *)der, (size_t)size });
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    return copy;
}

static struct str same_signature(struct arena *arena, struct str raw)
{
    (void)arena;
    return raw;
}

static const struct algorithm {
    const char *name, *kind;
    EVP_PKEY *(*key)(struct arena *arena, const struct value *jwk);
    struct str (*signature)(struct arena *arena, struct str raw);
} ALGORITHMS[] = {
    { "RS256", "RSA", rsa_key, same_signature },
    { "ES256", "EC", ec_key, der_signature },
};

static bool is_signed_by(EVP_PKEY *key, struct str content, struct str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = key != NULL && signature.size > 0 &&
                   EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestVerify(context, (const unsigned char *)signature.bytes, signature.size,
                                    (const unsigned char *)content.bytes, content.size) == 1;
    EVP_MD_CTX_free(context);
    return is_good;
}

static const struct algorithm *algorithm_of(const struct value *header)
{
    struct str name = value_text(value_get(header, "alg"), STR_EMPTY);
    for (size_t i = 0; i < sizeof ALGORITHMS / sizeof *ALGORITHMS; i++)
        if (str_is(name, ALGORITHMS[i].name))
            return &ALGORITHMS[i];
    return NULL;
}

/* The key that the header names; without a name, the only one of that kind. */
static const struct value *find_key(const struct value *keys, const struct value *header,
                                    const struct algorithm *algorithm)
{
    const struct value *list = value_get(keys, "keys"), *found = NULL;
    struct str kid = value_text(value_get(header, "kid"), STR_EMPTY);
    uint32_t count = 0;
    for (uint32_t i = 0; list != NULL && list->type == VALUE_LIST && i < list->count; i++) {
        const struct value *jwk = list->items[i];
        bool is_of_kind = str_is(value_text(value_get(jwk, "kty"), STR_EMPTY), algorithm->kind) &&
                          !str_is(value_text(value_get(jwk, "use"), STR("sig")), "enc");
        if (!is_of_kind ||
            (kid.size > 0 && !str_eq(kid, value_text(value_get(jwk, "kid"), STR_EMPTY))))
            continue;
        found = jwk;
        count++;
    }
    return count == 1 ? found : NULL;
}

static int part_of(struct arena *arena, struct str part, const struct value **out)
{
    struct str text;
    if (base64url_decode(arena, part, &text) < 0 ||
        json_parse(arena, text, &LIMITS, out, NULL) < 0 || (*out)->type != VALUE_MAP)
        return ERR_INVALID;
    return 0;
}

int jwt_verify(struct arena *arena, struct str token, const struct value *keys,
               const struct value **out_claims, struct err *err)
{
    struct str rest = token, parts[3], raw;
    const struct value *header, *claims;
    for (int i = 0; i < 3; i++)
        if (token.size > TOKEN_MAX || !str_split(&rest, '.', &parts[i]))
            return err_set(err, ERR_INVALID, "this is no signed token");
    if (rest.bytes != NULL || part_of(arena, parts[0], &header) < 0 ||
        part_of(arena, parts[1], &claims) < 0 || base64url_decode(arena, parts[2], &raw) < 0)
        return err_set(err, ERR_INVALID, "this is no signed token");
    const struct algorithm *algorithm = algorithm_of(header);
    if (algorithm == NULL || value_get(header, "crit") != NULL)
        return err_set(err, ERR_INVALID, "the token is not signed by RS256 or ES256");
    const struct value *jwk = find_key(keys, header, algorithm);
    if (jwk == NULL)
        return err_set(err, ERR_NOT_FOUND, "the token is signed with a key that is not known");
    EVP_PKEY *key = algorithm->key(arena, jwk);
    struct str content = str_slice(token, 0, parts[0].size + 1 + parts[1].size);
    bool is_good = is_signed_by(key, content, algorithm->signature(arena, raw));
    EVP_PKEY_free(key);
    if (!is_good)
        return err_set(err, ERR_INVALID, "the signature of the token is not that of its key");
    *out_claims = claims;
    return 0;
}
