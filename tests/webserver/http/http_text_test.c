// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check_form(const char *text, const char *wanted)
{
    struct arena arena = { 0 };
    struct http_form form = { 0 };
    struct buf got = { 0 };
    if (http_form_parse(&arena, str_of(text), &form) < 0)
        buf_add_cstr(&got, "invalid");
    for (uint32_t i = 0; i < form.count; i++)
        buf_printf(&got, "[%.*s=%.*s]", STR_ARG(form.pairs[i].name), STR_ARG(form.pairs[i].value));
    assert_string_equal(got.bytes == NULL ? "" : got.bytes, wanted);
    buf_clear(&got);
    arena_clear(&arena);
}

static void a_query_is_read_pair_by_pair_and_decoded_once(void **state)
{
    (void)state;
    check_form("", "");
    check_form("a=1&b=2", "[a=1][b=2]");
    check_form("a", "[a=]");
    check_form("a=&&b", "[a=][b=]");
    check_form("=x", "[=x]");
    check_form("q=a+b%20c%2Bd", "[q=a b c+d]");
    check_form("x=a%3Db&x=%2526", "[x=a=b][x=%26]");
    check_form("a=b=c", "[a=b=c]");
    check_form("u=%c3%a9", "[u=\xc3\xa9]");
    check_form("u=%ff", "invalid");
    check_form("n=%00", "invalid");
    check_form("n=%1", "invalid");
    check_form("n=%gg", "invalid");
}

static void accept_headers_name_what_is_wanted(void **state)
{
    (void)state;
    assert_true(http_accepts(STR("gzip, br"), "br"));
    assert_true(http_accepts(STR("GZIP;q=0.5"), "gzip"));
    assert_false(http_accepts(STR("gzip;q=0"), "gzip"));
    assert_false(http_accepts(STR("gzip; q=0.000, br"), "gzip"));
    assert_false(http_accepts(STR("*"), "gzip"));
    assert_false(http_accepts(STR("gzipx"), "gzip"));
    assert_false(http_accepts((struct str) { NULL, 0 }, "gzip"));
    struct arena arena = { 0 };
    assert_true(str_is(http_media_type(&arena, STR("Application/JSON; charset=utf-8")),
                       "application/json"));
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_read_pair_by_pair_and_decoded_once),
        cmocka_unit_test(accept_headers_name_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
