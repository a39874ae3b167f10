// SPDX-License-Identifier: Apache-2.0
#include "cli/connection_uri.h"

#include "common/text/json.h"

static int hex_digit(char byte)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = byte == '\0' ? NULL : strchr(digits, byte);

    return at == NULL ? -1 : (int)(at - digits) & 15;
}

static struct str decode(struct arena *arena, struct str text)
{
    char *bytes = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        bool is_code = text.bytes[i] == '%' && i + 2 < text.size &&
                       hex_digit(text.bytes[i + 1]) >= 0 && hex_digit(text.bytes[i + 2]) >= 0;

        bytes[size++] =
            is_code ? (char)(hex_digit(text.bytes[i + 1]) << 4 | hex_digit(text.bytes[i + 2]))
                    : text.bytes[i];
        i += is_code ? 2 : 0;
    }
    return (struct str) { bytes, size };
}

static void put_text(struct arena *arena, struct value *out, const char *key, struct str text)
{
    if (text.size > 0)
        value_put(arena, out, str_of(key), value_string(arena, decode(arena, text)));
}

/* The last `byte`: a password may hold an @ that nobody encoded. */
static ptrdiff_t find_last(struct str text, char byte)
{
    for (size_t i = text.size; i > 0; i--)
        if (text.bytes[i - 1] == byte)
            return (ptrdiff_t)i - 1;
    return -1;
}

static int read_host(struct arena *arena, struct str host, struct value *out, struct err *err)
{
    ptrdiff_t colon = find_last(host, ':');
    bool is_ipv6 = host.size > 0 && host.bytes[0] == '[';
    int64_t port = 0;

    if (is_ipv6 && find_last(host, ']') > colon)
        colon = -1;
    if (colon >= 0 &&
        str_to_int(str_slice(host, (size_t)colon + 1, host.size), 1, 65535, &port) < 0)
        return err_set(err, ERR_INVALID, "the port in the URI is not a number from 1 to 65535");
    if (colon >= 0) {
        value_put(arena, out, STR("port"), value_int(arena, port));
        host = str_slice(host, 0, (size_t)colon);
    }
    if (is_ipv6 && str_ends(host, "]"))
        host = str_slice(host, 1, host.size - 1);
    put_text(arena, out, "host", host);
    return 0;
}

static void read_query(struct arena *arena, struct str query, struct value *out)
{
    struct value *extra = value_map(arena);
    struct str part, key;

    while (query.size > 0 && str_split(&query, '&', &part)) {
        (void)str_split(&part, '=', &key);
        value_put(arena, extra, decode(arena, key),
                  value_string(arena, decode(arena, part.bytes == NULL ? STR_EMPTY : part)));
    }
    if (extra->count > 0)
        value_put(arena, out, STR("extra"), value_string(arena, json_text(arena, extra)));
}

int connection_uri_read(struct arena *arena, struct str uri, struct value *out, struct err *err)
{
    ptrdiff_t colon = str_find(uri, ':');

    if (colon <= 0 || !str_starts(str_slice(uri, (size_t)colon, uri.size), "://")) {
        int rc = err_set(err, ERR_INVALID, "the connection's URI has no type:// at its beginning");
        err_hint(err, "write postgres://login:password@host:5432/schema");
        return rc;
    }
    struct str rest = str_slice(uri, (size_t)colon + 3, uri.size), before, login;
    put_text(arena, out, "conn_type", str_slice(uri, 0, (size_t)colon));
    (void)str_split(&rest, '?', &before);
    if (rest.bytes != NULL)
        read_query(arena, rest, out);
    ptrdiff_t slash = str_find(before, '/'), at = find_last(before, '@');
    if (slash >= 0 && slash < at)
        slash = str_find(str_slice(before, (size_t)at, before.size), '/') < 0
                    ? -1
                    : at + str_find(str_slice(before, (size_t)at, before.size), '/');
    if (slash >= 0) {
        put_text(arena, out, "schema", str_slice(before, (size_t)slash + 1, before.size));
        before = str_slice(before, 0, (size_t)slash);
    }
    if (at >= 0) {
        struct str account = str_slice(before, 0, (size_t)at);
        before = str_slice(before, (size_t)at + 1, before.size);
        (void)str_split(&account, ':', &login);
        put_text(arena, out, "login", login);
        if (account.bytes != NULL)
            put_text(arena, out, "password", account);
    }
    return read_host(arena, before, out, err);
}
