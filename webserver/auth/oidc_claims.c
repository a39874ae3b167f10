// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/oidc_claims.h"

#include "common/text/base64.h"

#include <sodium.h>

enum { LEEWAY_S = 60 };

static struct str claim(const struct value *claims, struct str name)
{
    return value_text(value_get_str(claims, name), STR_EMPTY);
}

/* ---- the ID token ---- */

/* Ours, and when it is for others too, given to us. */
static bool is_for(const struct value *claims, struct str client_id)
{
    const struct value *audience = value_get(claims, "aud");
    if (audience == NULL || audience->type != VALUE_LIST)
        return str_eq(value_text(audience, STR_EMPTY), client_id);
    bool is_there = false;
    for (uint32_t i = 0; i < audience->count; i++)
        is_there = is_there || str_eq(value_text(audience->items[i], STR_EMPTY), client_id);
    return is_there && (audience->count == 1 || str_eq(claim(claims, STR("azp")), client_id));
}

/* The left half of the access token's hash, where it is told; by SHA-256, as RS256 and ES256. */
static bool is_of_token(const struct value *claims, struct str access_token)
{
    const struct value *told = value_get(claims, "at_hash");
    uint8_t hash[crypto_hash_sha256_BYTES];
    struct arena arena = { 0 };
    if (told == NULL)
        return true;
    crypto_hash_sha256(hash, (const unsigned char *)access_token.bytes, access_token.size);
    struct str ours = base64url_encode(&arena, (struct str) { (char *)hash, sizeof hash / 2 });
    bool is_it = str_eq(value_text(told, STR_EMPTY), ours);
    arena_clear(&arena);
    return is_it;
}

int oidc_check_claims(const struct oidc_options *options, const struct value *claims,
                      struct str nonce, struct str access_token, int64_t now_s, struct err *err)
{
    const char *wrong = NULL;
    if (!str_eq(claim(claims, STR("iss")), options->issuer))
        wrong = "iss";
    else if (!is_for(claims, options->client_id))
        wrong = "aud";
    else if (value_integer(value_get(claims, "exp"), 0) <= now_s - LEEWAY_S)
        wrong = "exp";
    else if (value_integer(value_get(claims, "iat"), INT64_MAX) > now_s + LEEWAY_S)
        wrong = "iat";
    else if (value_integer(value_get(claims, "nbf"), 0) > now_s + LEEWAY_S)
        wrong = "nbf";
    else if (!str_eq(claim(claims, STR("nonce")), nonce))
        wrong = "nonce";
    else if (claim(claims, STR("sub")).size == 0)
        wrong = "sub";
    else if (!is_of_token(claims, access_token))
        wrong = "at_hash";
    if (wrong == NULL)
        return 0;
    return err_set(err, ERR_INVALID, "the claim %s of the id_token does not fit", wrong);
}

/* ---- what it leaves out ---- */

bool oidc_lacks_groups(const struct oidc_options *options, const struct value *claims)
{
    return options->role_count > 0 && value_get_str(claims, options->groups_claim) == NULL;
}

bool oidc_lacks_claims(const struct oidc_options *options, const struct value *claims)
{
    return value_get_str(claims, options->username_claim) == NULL ||
           value_get(claims, "email") == NULL || oidc_lacks_groups(options, claims);
}

int oidc_join_claims(struct arena *arena, const struct value *claims, const struct value *userinfo,
                     const struct value **out, struct err *err)
{
    struct str subject = claim(claims, STR("sub"));
    if (userinfo->type != VALUE_MAP || !str_eq(claim(userinfo, STR("sub")), subject))
        return err_set(err, ERR_INVALID, "what the provider says of %.*s is of somebody else",
                       STR_ARG(subject));
    struct value *joined = value_map(arena);
    for (uint32_t i = 0; i < claims->count; i++)
        value_put(arena, joined, claims->entries[i].key, claims->entries[i].value);
    for (uint32_t i = 0; i < userinfo->count; i++)
        if (value_get_str(claims, userinfo->entries[i].key) == NULL)
            value_put(arena, joined, userinfo->entries[i].key, userinfo->entries[i].value);
    *out = joined;
    return 0;
}

/* ---- who it is ---- */

static bool is_in(const struct value *groups, struct str group)
{
    if (groups == NULL || groups->type != VALUE_LIST)
        return group.size > 0 && str_eq(value_text(groups, STR_EMPTY), group);
    for (uint32_t i = 0; i < groups->count; i++)
        if (str_eq(value_text(groups->items[i], STR_EMPTY), group))
            return true;
    return false;
}

int oidc_read_rule(struct str rule, struct str *out_group, enum role *out_role)
{
    const char *equals = rule.size == 0 ? NULL : memrchr(rule.bytes, '=', rule.size);
    if (equals == NULL || equals == rule.bytes)
        return ERR_INVALID;
    *out_group = str_slice(rule, 0, (size_t)(equals - rule.bytes));
    return role_parse(str_slice(rule, out_group->size + 1, rule.size), out_role);
}

static enum role role_of(const struct oidc_options *options, const struct value *groups)
{
    enum role role = options->default_role;
    for (uint32_t i = 0; i < options->role_count; i++) {
        struct str group;
        enum role ruled;
        if (oidc_read_rule(options->roles[i], &group, &ruled) == 0 && is_in(groups, group) &&
            ruled > role)
            role = ruled;
    }
    return role;
}

void oidc_read_person(const struct oidc_options *options, const struct value *claims,
                      struct oidc_person *out)
{
    out->issuer = options->issuer;
    out->subject = claim(claims, STR("sub"));
    out->email = claim(claims, STR("email"));
    out->name = claim(claims, options->username_claim);
    if (out->name.size == 0)
        out->name = out->email.size > 0 ? out->email : out->subject;
    out->role = role_of(options, value_get_str(claims, options->groups_claim));
}
