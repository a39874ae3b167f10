// SPDX-License-Identifier: Apache-2.0
#include "webserver/auth/fetch.h"

#include "tests/support/test.h"

static void a_provider_is_asked_over_tls_or_on_this_machine(void **state)
{
    static const char *const GOOD[] = {
        "https://login.example.org",
        "https://login.example.org:8443/realms/a?b=c",
        "HTTPS://login.example.org/",
        "http://127.0.0.1:8080",
        "http://127.0.0.1/x",
        "http://localhost:9/x",
        "http://[::1]:9/x",
    };
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        if (!fetch_is_allowed(str_of(GOOD[i])))
            fail_msg("%s is refused", GOOD[i]);
}

static void what_only_looks_like_this_machine_is_refused(void **state)
{
    static const char *const BAD[] = {
        "http://login.example.org/",
        "http://localhost:x@evil.example/",
        "http://127.0.0.1:80@evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example:80/",
        "http://[::1]@evil.example/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "login.example.org",
        "https://",
        "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (fetch_is_allowed(str_of(BAD[i])))
            fail_msg("%s is allowed", BAD[i]);
}

TESTS(CASE(a_provider_is_asked_over_tls_or_on_this_machine),
      CASE(what_only_looks_like_this_machine_is_refused))
