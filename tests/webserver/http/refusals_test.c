// SPDX-License-Identifier: Apache-2.0
/* Everything that is not a well-formed request, and the status that it gets. Each row is fed whole
 * and byte by byte. */
#include "webserver/http/http_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct refusal {
    const char *what;
    struct str bytes;
    int status; /* 0: it is a good request */
};

#define H "Host: h\r\n"
#define ROW(what, text, status)                                                                    \
    {                                                                                              \
        what, { text, sizeof(text) - 1 }, status                                                   \
    }

static const struct refusal REFUSALS[] = {
    /* ---- good ones, so that the table cannot pass by refusing all */
    ROW("plain GET", "GET / HTTP/1.1\r\n" H "\r\n", 0),
    ROW("query", "GET /a?b=c&d HTTP/1.1\r\n" H "\r\n", 0),
    ROW("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0),
    ROW("empty value", "GET / HTTP/1.1\r\n" H "X:\r\n\r\n", 0),
    ROW("no blank after the colon", "GET / HTTP/1.1\r\nHost:h\r\n\r\n", 0),
    ROW("tab around a value", "GET / HTTP/1.1\r\n" H "X:\tv\t\r\n\r\n", 0),
    ROW("value of bytes above 127", "GET / HTTP/1.1\r\n" H "X: \xc3\xa9\r\n\r\n", 0),
    ROW("body by length", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 0),
    ROW("length zero", "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0),
    ROW("length with leading zeros", "POST / HTTP/1.1\r\n" H "Content-Length: 003\r\n\r\nabc", 0),
    ROW("chunks",
        "POST / HTTP/1.1\r\n" H
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        0),
    ROW("Chunked in capitals",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", 0),
    ROW("OPTIONS of all", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0),
    ROW("upgrade is passed over",
        "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 0),
    ROW("websocket is passed over",
        "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 0),
    ROW("host with port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0),

    /* ---- the request line */
    ROW("empty line first", "\r\nGET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("line feed first", "\nGET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("blank first", " GET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("NUL first", "\0GET / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
    ROW("SSH", "SSH-2.0-OpenSSH_9.2\r\n", 400), ROW("SMTP", "EHLO there\r\n", 400),
    ROW("Redis", "*1\r\n$4\r\nPING\r\n", 400), ROW("memcached", "get x\r\n", 400),
    ROW("IMAP", "a1 LOGIN a b\r\n", 400), ROW("version that stops", "GET / HTTQ", 400),
    ROW("tab for a blank", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400),
    ROW("two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("two blanks before the version", "GET /  HTTP/1.1\r\n" H "\r\n", 400),
    ROW("blank behind the version", "GET / HTTP/1.1 \r\n" H "\r\n", 400),
    ROW("no version (HTTP/0.9)", "GET /\r\n", 400),
    ROW("no target", "GET HTTP/1.1\r\n" H "\r\n", 400),
    ROW("bare line feed", "GET / HTTP/1.1\n" H "\r\n", 400),
    ROW("bare carriage return", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400),
    ROW("two carriage returns", "GET / HTTP/1.1\r\r\n" H "\r\n", 400),
    ROW("method of 21 letters", "ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("method with a slash", "G/T / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("method with brackets", "(GET) / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("method with DEL", "GE\x7fT / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("method in UTF-8", "G\xc3\x89T / HTTP/1.1\r\n" H "\r\n", 400),
    ROW("small letters", "get / HTTP/1.1\r\n" H "\r\n", 501),
    ROW("unknown method", "BREW / HTTP/1.1\r\n" H "\r\n", 501),
    ROW("PROPFIND", "PROPFIND / HTTP/1.1\r\n" H "\r\n", 501),
    ROW("SUBSCRIBE", "SUBSCRIBE / HTTP/1.1\r\n" H "\r\n", 501),
    ROW("TRACE", "TRACE / HTTP/1.1\r\n" H "\r\n", 405),
    ROW("CONNECT", "CONNECT h:443 HTTP/1.1\r\n" H "\r\n", 405),
    ROW("NUL in the target", "GET /\0 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("control byte in the target", "GET /\x01 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("tab in the target", "GET /a\tb HTTP/1.1\r\n" H "\r\n", 400),
    ROW("DEL in the target", "GET /\x7f HTTP/1.1\r\n" H "\r\n", 400),
    ROW("raw UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("absolute target", "GET http://h/ HTTP/1.1\r\n" H "\r\n", 400),
    ROW("authority target", "GET h:80 HTTP/1.1\r\n" H "\r\n", 400),
    ROW("star for GET", "GET * HTTP/1.1\r\n" H "\r\n", 400),
    ROW("fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 400),
    ROW("question mark alone", "GET ?a HTTP/1.1\r\n" H "\r\n", 400),

    /* ---- the version */
    ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ROW("HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 505),
    ROW("HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 505),
    ROW("HTTP/0.9 written", "GET / HTTP/0.9\r\n" H "\r\n", 505),
    ROW("HTTP/9.9", "GET / HTTP/9.9\r\n" H "\r\n", 505),
    ROW("http/1.1", "GET / http/1.1\r\n" H "\r\n", 400),
    ROW("HTTP/1", "GET / HTTP/1\r\n" H "\r\n", 400),
    ROW("HTTP/1.", "GET / HTTP/1.\r\n" H "\r\n", 400),
    ROW("HTTP/11", "GET / HTTP/11\r\n" H "\r\n", 400),
    ROW("HTTP/1.11", "GET / HTTP/1.11\r\n" H "\r\n", 400),
    ROW("HTTP/x.1", "GET / HTTP/x.1\r\n" H "\r\n", 400),
    ROW("HTTPS/1.1", "GET / HTTPS/1.1\r\n" H "\r\n", 400),
    ROW("RTSP/1.0", "OPTIONS * RTSP/1.0\r\n\r\n", 400),
    ROW("ICY/1.0", "GET / ICY/1.00\r\n\r\n", 400),

    /* ---- header lines */
    ROW("blank before the colon", "GET / HTTP/1.1\r\n" H "X : v\r\n\r\n", 400),
    ROW("tab before the colon", "GET / HTTP/1.1\r\n" H "X\t: v\r\n\r\n", 400),
    ROW("blank before the colon of Host", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
    ROW("no colon", "GET / HTTP/1.1\r\n" H "X\r\n\r\n", 400),
    ROW("no name", "GET / HTTP/1.1\r\n" H ": v\r\n\r\n", 400),
    ROW("folded by a blank", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400),
    ROW("folded by a tab", "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", 400),
    ROW("folded first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
    ROW("blank line of blanks", "GET / HTTP/1.1\r\n" H " \r\n\r\n", 400),
    ROW("line feed in the headers", "GET / HTTP/1.1\r\n" H "X: a\nY: b\r\n\r\n", 400),
    ROW("carriage return in a value", "GET / HTTP/1.1\r\n" H "X: a\rY: b\r\n\r\n", 400),
    ROW("carriage return, other, line feed", "GET / HTTP/1.1\r\n" H "X: a\rb\n\r\n", 400),
    ROW("line feed at the end", "GET / HTTP/1.1\r\n" H "\n", 400),
    ROW("carriage return at the end", "GET / HTTP/1.1\r\n" H "\rX", 400),
    ROW("end of headers by CR LF CR X", "GET / HTTP/1.1\r\n" H "X: y\r\n\rX: z\r\n\r\n", 400),
    ROW("NUL in a name", "GET / HTTP/1.1\r\n" H "X\0: v\r\n\r\n", 400),
    ROW("NUL in a value", "GET / HTTP/1.1\r\n" H "X: \0\r\n\r\n", 400),
    ROW("bell in a value", "GET / HTTP/1.1\r\n" H "X: \a\r\n\r\n", 400),
    ROW("escape in a value", "GET / HTTP/1.1\r\n" H "X: \x1b[0m\r\n\r\n", 400),
    ROW("vertical tab in a value", "GET / HTTP/1.1\r\n" H "X: a\vb\r\n\r\n", 400),
    ROW("form feed in a value", "GET / HTTP/1.1\r\n" H "X: a\fb\r\n\r\n", 400),
    ROW("DEL in a value", "GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n", 400),
    ROW("blank in a name", "GET / HTTP/1.1\r\n" H "X Y: v\r\n\r\n", 400),
    ROW("bracket in a name", "GET / HTTP/1.1\r\n" H "X(Y): v\r\n\r\n", 400),
    ROW("slash in a name", "GET / HTTP/1.1\r\n" H "X/Y: v\r\n\r\n", 400),
    ROW("at in a name", "GET / HTTP/1.1\r\n" H "X@Y: v\r\n\r\n", 400),
    ROW("quote in a name", "GET / HTTP/1.1\r\n" H "X\"Y: v\r\n\r\n", 400),
    ROW("equals in a name", "GET / HTTP/1.1\r\n" H "X=Y: v\r\n\r\n", 400),
    ROW("brace in a name", "GET / HTTP/1.1\r\n" H "X{: v\r\n\r\n", 400),
    ROW("UTF-8 in a name", "GET / HTTP/1.1\r\n" H "X\xc3\xa9: v\r\n\r\n", 400),
    ROW("byte 255 in a name", "GET / HTTP/1.1\r\n" H "\xff: v\r\n\r\n", 400),

    /* ---- Host */
    ROW("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
    ROW("two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", 400),
    ROW("two Hosts that differ", "GET / HTTP/1.1\r\n" H "HOST: i\r\n\r\n", 400),
    ROW("Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ROW("Host with a comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
    ROW("Host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ROW("Host with a fragment", "GET / HTTP/1.1\r\nHost: h#x\r\n\r\n", 400),
    ROW("Host with an at", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400),

    /* ---- lengths */
    ROW("two lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        400),
    ROW("two lengths that differ",
        "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    ROW("list of lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", 400),
    ROW("length with a plus", "POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 400),
    ROW("negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400),
    ROW("length in hex", "POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc", 400),
    ROW("length with a fraction", "POST / HTTP/1.1\r\n" H "Content-Length: 3.0\r\n\r\nabc", 400),
    ROW("length with a blank inside", "POST / HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\nabc",
        400),
    ROW("empty length", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400),
    ROW("length above 64 bits",
        "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", 400),
    ROW("length above 63 bits",
        "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n", 400),
    ROW("length in letters", "POST / HTTP/1.1\r\n" H "Content-Length: three\r\n\r\nabc", 400),
    ROW("body above the limit", "POST / HTTP/1.1\r\n" H "Content-Length: 1025\r\n\r\n", 413),
    ROW("body far above the limit",
        "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n", 413),

    ROW("kind of a body without a length", "POST / HTTP/1.1\r\n" H "Content-Type: a/b\r\n\r\n", 0),
    ROW("kind of a body that is empty",
        "POST / HTTP/1.1\r\n" H "Content-Type: a/b\r\nContent-Length: 0\r\n\r\n", 0),
    ROW("kind of a body where there is none", "GET / HTTP/1.1\r\n" H "Content-Type: a/b\r\n\r\n",
        0),

    /* ---- transfer encodings */
    ROW("length and chunked",
        "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400),
    ROW("chunked and length",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        400),
    ROW("chunked twice",
        "POST / HTTP/1.1\r\n" H
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400),
    ROW("chunked, chunked",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("gzip, chunked",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    ROW("identity", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 400),
    ROW("xchunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    ROW("chunked with a parameter",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n", 400),
    ROW("chunked in quotes",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400),
    ROW("empty encoding", "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 400),
    ROW("chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),

/* ---- chunks */
#define CHUNKED "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
    ROW("no chunk size", CHUNKED "\r\n", 400),
    ROW("chunk size with a blank", CHUNKED "3 \r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size behind a blank", CHUNKED " 3\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size with 0x", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size with a plus", CHUNKED "+3\r\nabc\r\n0\r\n\r\n", 400),
    ROW("negative chunk size", CHUNKED "-3\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size of nine digits", CHUNKED "000000003\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size in letters", CHUNKED "g\r\n", 400),
    ROW("chunk extension", CHUNKED "3;a=b\r\nabc\r\n0\r\n\r\n", 400),
    ROW("empty chunk extension", CHUNKED "3;\r\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size ended by LF", CHUNKED "3\nabc\r\n0\r\n\r\n", 400),
    ROW("chunk size ended by CR", CHUNKED "3\rabc\r\n0\r\n\r\n", 400),
    ROW("chunk ended by LF", CHUNKED "3\r\nabc\n0\r\n\r\n", 400),
    ROW("chunk longer than its size", CHUNKED "3\r\nabcd\r\n0\r\n\r\n", 400),
    ROW("chunk ended by other bytes", CHUNKED "3\r\nabcXY0\r\n\r\n", 400),
    ROW("trailer", CHUNKED "0\r\nX: y\r\n\r\n", 400),
    ROW("trailer that is a length", CHUNKED "0\r\nContent-Length: 5\r\n\r\n", 400),
    ROW("last chunk ended by LF", CHUNKED "0\n\n", 400),
    ROW("chunks above the limit", CHUNKED "401\r\n", 0), /* not yet: no byte of it has come */
};

enum { REFUSAL_COUNT = sizeof REFUSALS / sizeof *REFUSALS, BODY_LIMIT = 1024 };

/* Feeds `bytes` in pieces; the status of the refusal, or 0. */
static int read_all(struct str bytes, size_t piece)
{
    struct http_reader reader;
    http_reader_init(&reader);
    int status = 0;
    size_t at = 0;
    while (status == 0) {
        size_t end = at + piece < bytes.size ? at + piece : bytes.size;
        size_t used = 0;
        enum http_read read = http_reader_feed(&reader, str_slice(bytes, at, end), &used);
        at += used;
        if (read == HTTP_READ_HEAD)
            reader.body_max = BODY_LIMIT;
        else if (read == HTTP_READ_REQUEST)
            http_request_free(http_reader_take(&reader));
        else if (read == HTTP_READ_REFUSED)
            status = reader.status;
        else if (at == bytes.size)
            break;
    }
    http_reader_clear(&reader);
    return status;
}

static void each_malformed_request_gets_its_status_however_it_is_cut(void **state)
{
    (void)state;
    assert_true(REFUSAL_COUNT > 120);
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        const struct refusal *row = &REFUSALS[i];
        for (size_t piece = 1; piece <= row->bytes.size;
             piece += piece == 1 ? 6 : row->bytes.size) {
            int status = read_all(row->bytes, piece);
            if (status != row->status)
                fail_msg("%s, in pieces of %zu: %d instead of %d", row->what, piece, status,
                         row->status);
        }
        int whole = read_all(row->bytes, row->bytes.size);
        if (whole != row->status)
            fail_msg("%s: %d instead of %d", row->what, whole, row->status);
    }
}

static int read_made(const char *before, const char *repeated, size_t times, const char *after)
{
    struct buf bytes = { 0 };
    buf_add_cstr(&bytes, before);
    for (size_t i = 0; i < times; i++)
        buf_add_cstr(&bytes, repeated);
    buf_add_cstr(&bytes, after);
    int status = read_all(buf_str(&bytes), 4096);
    buf_clear(&bytes);
    return status;
}

static void what_is_too_large_is_refused_at_its_limit(void **state)
{
    (void)state;
    assert_int_equal(read_made("GET /", "a", 8191, " HTTP/1.1\r\n" H "\r\n"), 0);
    assert_int_equal(read_made("GET /", "a", 8192, " HTTP/1.1\r\n" H "\r\n"), 414);
    assert_int_equal(read_made("GET /", "a", 1 << 20, ""), 414);
    assert_int_equal(read_made("GET / HTTP/1.1\r\n" H, "X: y\r\n", 99, "\r\n"), 0);
    assert_int_equal(read_made("GET / HTTP/1.1\r\n" H, "X: y\r\n", 100, "\r\n"), 431);
    assert_int_equal(read_made("GET / HTTP/1.1\r\n" H "X: ", "y", 16000, "\r\n\r\n"), 0);
    assert_int_equal(read_made("GET / HTTP/1.1\r\n" H "X: ", "y", 17000, "\r\n\r\n"), 431);
    assert_int_equal(read_made("GET / HTTP/1.1\r\n" H, "y", 17000, ": z\r\n\r\n"), 431);
    assert_int_equal(read_made(CHUNKED "400\r\n", "x", 1024, "\r\n0\r\n\r\n"), 0);
    assert_int_equal(read_made(CHUNKED "401\r\n", "x", 1025, "\r\n0\r\n\r\n"), 413);
    assert_int_equal(
        read_made(CHUNKED,
                  "100\r\n"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
                  5, ""),
        413);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_malformed_request_gets_its_status_however_it_is_cut),
        cmocka_unit_test(what_is_too_large_is_refused_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
