// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/jwt.h"

#include "common/text/json.h"
#include "tests/support/test.h"

/* RFC 7515, appendix A.2 and A.3: keys, tokens and what they say. */
static const char RSA_N[] =
    ("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d"
     "4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-"
     "bSf63kpaSHSXndS5z5rexMd"
     "bBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_"
     "I5IhlJH7aGhyxXFvUK-"
     "DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ");
static const char RSA_TOKEN[] = ("eyJhbGciOiJSUzI1NiJ9."
                                 "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtc"
                                 "GxlLmNvbS9pc19yb290Ijp0cnVlfQ"
                                 ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__"
                                 "dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5j"
                                 "ujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
                                 "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L0"
                                 "7Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
                                 "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUip"
                                 "UTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
static const char EC_X[] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
static const char EC_Y[] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
static const char EC_TOKEN[] =
    ("eyJhbGciOiJFUzI1NiJ9."
     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
     "Q"
     ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");

static struct arena arena;

static const struct value *keys_of(const char *text)
{
    const struct value *keys = NULL;
    assert_int_equal(json_parse(&arena, str_of(text), NULL, &keys, NULL), 0);
    return keys;
}

static const struct value *both_keys(void)
{
    return keys_of(str_format(&arena,
                              "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"},{\"kty\":"
                              "\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}]}",
                              RSA_N, EC_X, EC_Y)
                       .bytes);
}

static int verify(const char *token, const struct value *keys)
{
    const struct value *claims = NULL;
    int rc = jwt_verify(&arena, str_of(token), keys, &claims, NULL);
    if (rc == 0)
        assert_true(str_is(value_text(value_get(claims, "iss"), STR_EMPTY), "joe"));
    return rc;
}

static void the_tokens_of_the_standard_are_good(void **state)
{
    (void)state;
    assert_int_equal(verify(RSA_TOKEN, both_keys()), 0);
    assert_int_equal(verify(EC_TOKEN, both_keys()), 0);
    arena_clear(&arena);
}

/* Each letter of the payload and of the signature, replaced by another. */
static void a_letter_changed_anywhere_is_found(void **state)
{
    static const char *const TOKENS[] = { RSA_TOKEN, EC_TOKEN };
    (void)state;
    for (size_t k = 0; k < sizeof TOKENS / sizeof *TOKENS; k++)
        for (size_t i = 0; i < strlen(TOKENS[k]); i += 3) {
            char *text = (char *)str_copy(&arena, str_of(TOKENS[k])).bytes;
            text[i] = text[i] == 'A' ? 'B' : 'A';
            if (TOKENS[k][i] != text[i])
                assert_true(verify(text, both_keys()) < 0);
            if (i % 60 == 0)
                arena_clear(&arena);
        }
    arena_clear(&arena);
}

static void a_key_of_another_kind_or_name_is_not_the_key(void **state)
{
    (void)state;
    const struct value *rsa = keys_of(
        str_format(&arena, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"}]}", RSA_N)
            .bytes);
    const struct value *weak =
        keys_of("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}");
    const struct value *twice = keys_of(
        str_format(&arena,
                   "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQAB\"},{\"kty\":\"RSA\","
                   "\"n\":\"%s\",\"e\":\"AQAB\"}]}",
                   RSA_N, RSA_N)
            .bytes);
    assert_int_equal(verify(EC_TOKEN, rsa), ERR_NOT_FOUND);
    assert_int_equal(verify(RSA_TOKEN, weak), ERR_INVALID);
    assert_int_equal(verify(RSA_TOKEN, twice), ERR_NOT_FOUND); /* which of the two is not said */
    assert_int_equal(verify(RSA_TOKEN, keys_of("{}")), ERR_NOT_FOUND);
    assert_int_equal(verify(RSA_TOKEN, keys_of("{\"keys\":[1,{\"kty\":\"EC\"}]}")), ERR_NOT_FOUND);
    arena_clear(&arena);
}

static void what_is_not_signed_is_no_token(void **state)
{
    static const char *const TOKENS[] = {
        "", ".", "..", "a.b.c", "a.b.c.d",
        /* {"alg":"none"} and {"alg":"HS256"} */
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.", "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.AAAA",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ.", "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UifQ.AAAA",
        /* {"alg":"RS256","crit":["x"]} */
        "eyJhbGciOiJSUzI1NiIsImNyaXQiOlsieCJdfQ.eyJpc3MiOiJqb2UifQ.AAAA"
    };
    (void)state;
    for (size_t i = 0; i < sizeof TOKENS / sizeof *TOKENS; i++)
        assert_int_equal(verify(TOKENS[i], both_keys()), ERR_INVALID);
    arena_clear(&arena);
}

TESTS(CASE(the_tokens_of_the_standard_are_good), CASE(a_letter_changed_anywhere_is_found),
      CASE(a_key_of_another_kind_or_name_is_not_the_key), CASE(what_is_not_signed_is_no_token))
