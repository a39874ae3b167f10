// SPDX-License-Identifier: Apache-2.0
/* http_address - where a request comes from: numeric addresses, networks of them, and whom a proxy
 * speaks for. */
#ifndef HEADRACE_HTTP_ADDRESS_H
#define HEADRACE_HTTP_ADDRESS_H

#include "webserver/http/http_request.h"

/* Both kinds in one: 10.0.0.0/8 is ::ffff:10.0.0.0 with 104 bits. */
struct http_network {
    uint8_t bytes[16];
    uint32_t bits;
};

/* "10.0.0.0/8", "fd00::/8"; an address alone is a network of one. ERR_INVALID names the text. */
MUST_USE int http_network_parse(struct str text, struct http_network *out, struct err *err);
bool http_network_holds(const struct http_network *network, const struct http_network *address);

/* Sets request->peer to the client for whom the peer, one of the `proxies`, says it speaks: the last
 * address of X-Forwarded-For that is none of them. What a client wrote itself stands before that
 * and is not looked at. */
void http_forwarded(struct http_request *request, const struct http_network *proxies,
                    uint32_t count);

/* The key under which the client is counted: its address; of IPv6 its /64, which one client has all
 * of. In the request's arena. */
struct str http_client_key(struct http_request *request);

#endif
