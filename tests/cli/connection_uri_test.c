// SPDX-License-Identifier: Apache-2.0
#include "cli/connection_uri.h"
#include "common/text/json.h"

#include "tests/support/test.h"

static void check(const char *uri, const char *expected)
{
    struct arena arena = { 0 };
    struct value *out = value_map(&arena);
    struct err err = { 0 };
    int rc = connection_uri_read(&arena, str_of(uri), out, &err);
    struct str text = rc < 0 ? str_of(err.sentence) : json_text(&arena, out);

    assert_string_equal(str_cstr(&arena, text), expected);
    arena_clear(&arena);
}

static void every_part_finds_its_field(void **state)
{
    (void)state;
    check("postgres://ann:se%40cret@db.example.org:5433/sales?sslmode=require&a=b%20c",
          "{\"conn_type\":\"postgres\",\"extra\":\"{\\\"sslmode\\\":\\\"require\\\",\\\"a\\\":"
          "\\\"b c\\\"}\",\"schema\":"
          "\"sales\",\"login\":\"ann\",\"password\":\"se@cret\",\"port\":5433,\"host\":\"db."
          "example.org\"}");
}

static void parts_may_be_absent(void **state)
{
    (void)state;
    check("http://example.org", "{\"conn_type\":\"http\",\"host\":\"example.org\"}");
    check("postgres:///sales", "{\"conn_type\":\"postgres\",\"schema\":\"sales\"}");
    check("postgres://ann@/sales",
          "{\"conn_type\":\"postgres\",\"schema\":\"sales\",\"login\":\"ann\"}");
}

static void a_socket_folder_is_a_host_when_it_is_encoded(void **state)
{
    (void)state;
    check("postgres://%2Frun%2Fpg/sales",
          "{\"conn_type\":\"postgres\",\"schema\":\"sales\",\"host\":\"/run/pg\"}");
}

static void an_ipv6_address_keeps_its_colons(void **state)
{
    (void)state;
    check("http://[::1]:8080/", "{\"conn_type\":\"http\",\"port\":8080,\"host\":\"::1\"}");
    check("http://[::1]", "{\"conn_type\":\"http\",\"host\":\"::1\"}");
}

static void a_password_may_hold_what_separates(void **state)
{
    (void)state;
    check("postgres://ann:a:b@c/d@host/db",
          "{\"conn_type\":\"postgres\",\"schema\":\"db\",\"login\":\"ann\",\"password\":\"a:b@c/"
          "d\",\"host\":\"host\"}");
}

static void what_is_no_uri_is_refused(void **state)
{
    (void)state;
    check("sales", "the connection's URI has no type:// at its beginning");
    check("http://host:none", "the port in the URI is not a number from 1 to 65535");
}

TESTS(CASE(every_part_finds_its_field), CASE(parts_may_be_absent),
      CASE(a_socket_folder_is_a_host_when_it_is_encoded), CASE(an_ipv6_address_keeps_its_colons),
      CASE(a_password_may_hold_what_separates), CASE(what_is_no_uri_is_refused))
