// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_address.h"

#include "tests/support/test.h"

static struct http_network network(const char *text)
{
    struct http_network parsed;
    struct err err = { 0 };
    if (http_network_parse(str_of(text), &parsed, &err) < 0)
        fail_msg("%s", err.sentence);
    return parsed;
}

static void check_holds(const char *whole, const char *part, bool wanted)
{
    struct http_network a = network(whole), b = network(part);
    if (http_network_holds(&a, &b) != wanted)
        fail_msg("%s %s %s", whole, wanted ? "does not hold" : "holds", part);
}

static void a_network_holds_its_addresses_of_both_kinds(void **state)
{
    (void)state;
    check_holds("10.0.0.0/8", "10.200.3.4", true);
    check_holds("10.0.0.0/8", "11.0.0.1", false);
    check_holds("10.1.2.0/23", "10.1.3.255", true);
    check_holds("10.1.2.0/23", "10.1.4.0", false);
    check_holds("127.0.0.1", "127.0.0.1", true);
    check_holds("127.0.0.1", "127.0.0.2", false);
    check_holds("127.0.0.1", "::ffff:127.0.0.1", true);
    check_holds("0.0.0.0/0", "192.0.2.1", true);
    check_holds("0.0.0.0/0", "2001:db8::1", false);
    check_holds("fd00::/8", "fd12::1", true);
    check_holds("fd00::/8", "fe80::1", false);
    check_holds("::1", "0:0:0:0:0:0:0:1", true);
}

static void what_is_no_network_is_refused_by_name(void **state)
{
    static const char *const BAD[] = {
        "",           "proxy",       "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8",
        "::1/129",    "10.0.0.1:80", "[::1]",     "/8",          "10.0.0.0/8/8",
        "::1 or so, and much more than an address has letters",
    };
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct http_network parsed;
        struct err err = { 0 };
        if (http_network_parse(str_of(BAD[i]), &parsed, &err) != ERR_INVALID)
            fail_msg("'%s' was taken", BAD[i]);
        assert_non_null(strstr(err.sentence, BAD[i]));
    }
}

/* The client of a request from `peer` with these lines of X-Forwarded-For. */
static void check_client(const char *peer, const char *first, const char *second,
                         const char *wanted)
{
    const struct http_network proxies[] = { network("127.0.0.1"), network("10.0.0.0/8") };
    struct http_request *request = http_request_new();
    struct http_header headers[] = { { STR("x-forwarded-for"), str_of(first) },
                                     { STR("Accept"), STR("203.0.113.99") },
                                     { STR("X-Forwarded-For"), str_of(second) } };
    snprintf(request->peer, sizeof request->peer, "%s", peer);
    request->headers = headers;
    request->header_count = 3;
    http_forwarded(request, proxies, 2);
    assert_string_equal(request->peer, wanted);
    request->headers = NULL;
    http_request_free(request);
}

static void a_proxy_that_is_trusted_says_who_asks_and_nobody_else_does(void **state)
{
    (void)state;
    check_client("127.0.0.1", "", "192.0.2.7", "192.0.2.7");
    check_client("127.0.0.1", "192.0.2.7", "", "192.0.2.7");
    check_client("127.0.0.1", "", "2001:DB8:0::7", "2001:db8::7");
    check_client("192.0.2.1", "", "192.0.2.7", "192.0.2.1");
    /* what the client wrote itself stands before what our proxies added */
    check_client("127.0.0.1", "", "198.51.100.1, 192.0.2.7", "192.0.2.7");
    check_client("127.0.0.1", "198.51.100.1", "192.0.2.7, 10.0.0.3,10.1.0.4", "192.0.2.7");
    check_client("127.0.0.1", "192.0.2.7", "10.1.0.4", "192.0.2.7");
    /* nonsense ends it where it is */
    check_client("127.0.0.1", "", "unknown", "127.0.0.1");
    check_client("127.0.0.1", "192.0.2.7", "unknown, 10.0.0.3", "10.0.0.3");
    check_client("127.0.0.1", "", "", "127.0.0.1");
    check_client("127.0.0.1", "", ",", "127.0.0.1");
    check_client("?", "", "192.0.2.7", "?");
}

static void check_key(const char *peer, const char *wanted)
{
    struct http_request *request = http_request_new();
    snprintf(request->peer, sizeof request->peer, "%s", peer);
    assert_str(http_client_key(request), wanted);
    http_request_free(request);
}

static void a_client_is_counted_by_its_address_or_by_its_64_bits_of_the_new_kind(void **state)
{
    (void)state;
    check_key("192.0.2.7", "192.0.2.7");
    check_key("::ffff:192.0.2.7", "::ffff:192.0.2.7");
    check_key("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
    check_key("2001:db8:1:2:9:9:9:9", "2001:db8:1:2::/64");
    check_key("2001:db8:1:3::1", "2001:db8:1:3::/64");
    check_key("?", "?");
}

TESTS(CASE(a_network_holds_its_addresses_of_both_kinds),
      CASE(what_is_no_network_is_refused_by_name),
      CASE(a_proxy_that_is_trusted_says_who_asks_and_nobody_else_does),
      CASE(a_client_is_counted_by_its_address_or_by_its_64_bits_of_the_new_kind))
