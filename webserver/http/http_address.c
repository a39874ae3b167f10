// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_address.h"

#include <arpa/inet.h>
#include <strings.h>

static const uint8_t MAPPED[12] = { [10] = 0xFF, [11] = 0xFF }; /* ::ffff:0:0/96, RFC 4291 */
enum { BITS_MAX = 128, MAPPED_BITS = 96, CLIENT_BITS = 64 };

static bool is_v4(const struct http_network *network)
{
    return network->bits >= MAPPED_BITS && memcmp(network->bytes, MAPPED, sizeof MAPPED) == 0;
}

/* An address without a length. */
static bool read_address(struct str text, struct http_network *out)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.bytes, text.size);
    copy[text.size] = 0;
    *out = (struct http_network) { .bits = BITS_MAX };
    if (inet_pton(AF_INET6, copy, out->bytes) == 1)
        return true;
    memcpy(out->bytes, MAPPED, sizeof MAPPED);
    return inet_pton(AF_INET, copy, out->bytes + sizeof MAPPED) == 1;
}

static void write_address(const struct http_network *address, char out[HTTP_PEER_SIZE])
{
    const uint8_t *bytes = address->bytes;
    if (is_v4(address))
        inet_ntop(AF_INET, bytes + sizeof MAPPED, out, HTTP_PEER_SIZE);
    else
        inet_ntop(AF_INET6, bytes, out, HTTP_PEER_SIZE);
}

int http_network_parse(struct str text, struct http_network *out, struct err *err)
{
    struct str rest = text, address = STR_EMPTY;
    struct http_network network;
    int64_t bits = 0;
    bool is_good = str_split(&rest, '/', &address) && read_address(address, &network);
    if (is_good && rest.bytes != NULL) {
        int64_t before = is_v4(&network) ? MAPPED_BITS : 0;
        is_good = str_to_int(rest, 0, BITS_MAX - before, &bits) == 0;
        network.bits = (uint32_t)(before + bits);
    }
    if (!is_good)
        return err_set(err, ERR_INVALID,
                       "'%.*s' is no address and no network such as 10.0.0.0/8 or fd00::/8",
                       STR_ARG(text));
    *out = network;
    return 0;
}

bool http_network_holds(const struct http_network *network, const struct http_network *address)
{
    uint32_t whole = network->bits / 8, left = network->bits % 8;
    if (memcmp(network->bytes, address->bytes, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xFF00 >> left);
    return left == 0 || ((network->bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool is_proxy(const struct http_network *proxies, uint32_t count,
                     const struct http_network *address)
{
    for (uint32_t i = 0; i < count; i++)
        if (http_network_holds(&proxies[i], address))
            return true;
    return false;
}

/* Takes the last entry of "client, proxy1, proxy2" off. */
static struct str take_last(struct str *list)
{
    const char *comma = list->size == 0 ? NULL : memrchr(list->bytes, ',', list->size);
    size_t at = comma == NULL ? 0 : (size_t)(comma - list->bytes);
    struct str last = str_trim(str_slice(*list, comma == NULL ? 0 : at + 1, list->size));
    *list = str_slice(*list, 0, at);
    return last;
}

/* Goes on to whom `list` names, from its end, for as long as a proxy says so. False: it ends here. */
static bool follow(struct str list, const struct http_network *proxies, uint32_t count,
                   struct http_network *address)
{
    struct http_network before;
    while (list.size > 0) {
        if (!is_proxy(proxies, count, address) || !read_address(take_last(&list), &before))
            return false;
        *address = before;
    }
    return true;
}

void http_forwarded(struct http_request *request, const struct http_network *proxies,
                    uint32_t count)
{
    static const struct str NAME = { "X-Forwarded-For", 15 };
    struct http_network address;
    if (!read_address(str_of(request->peer), &address) || !is_proxy(proxies, count, &address))
        return;
    for (uint32_t i = request->header_count; i > 0; i--) { /* several lines are one list */
        const struct http_header *header = &request->headers[i - 1];
        bool is_it = header->name.size == NAME.size &&
                     strncasecmp(header->name.bytes, NAME.bytes, NAME.size) == 0;
        if (is_it && !follow(header->value, proxies, count, &address))
            break;
    }
    write_address(&address, request->peer);
}

struct str http_client_key(struct http_request *request)
{
    struct http_network address;
    struct str peer = str_of(request->peer);
    if (!read_address(peer, &address) || is_v4(&address))
        return peer;
    char text[HTTP_PEER_SIZE];
    memset(address.bytes + CLIENT_BITS / 8, 0, sizeof address.bytes - CLIENT_BITS / 8);
    write_address(&address, text);
    return str_format(&request->arena, "%s/%d", text, CLIENT_BITS);
}
