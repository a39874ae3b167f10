# SPDX-License-Identifier: Apache-2.0
"""What a web server is sent that it should not be: some hundreds of kinds, made from tables of mutations. Each is a row

    (what, bytes, status)

with the one status that docs/api/airflow.md ("HTTP") names for it; status 0 is an end without an answer, because the client went away in
the middle of its request. `DIALECTS` are other protocols, `framing` is about bytes, `paths`, `queries` and `bodies` about meaning."""

HOST = b"Host: h\r\n"
CONTROLS = [b"\0", b"\x01", b"\a", b"\b", b"\v", b"\f", b"\x0e", b"\x1b", b"\x1f", b"\x7f"]
LONG = 1 << 20


def get(target=b"/api/v2/version", version=b"HTTP/1.1", method=b"GET", headers=b"", host=HOST, end=b"\r\n"):
    return method + b" " + target + b" " + version + b"\r\n" + host + headers + end


def post(headers, body=b"", target=b"/auth/token"):
    return b"POST " + target + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def each(what, status, make, variants):
    return [(f"{what}: {variant!r:.60}", make(variant), status) for variant in variants]


DIALECTS = [
    ("TLS 1.0 hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("TLS 1.3 hello", b"\x16\x03\x03\x00\xff\x01\x00\x00\xfb\x03\x03" + bytes(250), 400),
    ("SSL 2 hello", b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", 400),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", 505),
    ("HTTP/2 frame without a preface", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80", 400),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", 400),
    ("SMTP", b"EHLO there\r\n", 400),
    ("FTP", b"USER anonymous\r\n", 400),
    ("IMAP", b"a1 LOGIN a b\r\n", 400),
    ("POP3", b"APOP a c4c9334bac560ecc979e58001b3e22fb\r\n", 400),
    ("IRC", b"NICK a\r\nUSER a 0 * :a\r\n", 400),
    ("Redis", b"*1\r\n$4\r\nPING\r\n", 400),
    ("Redis in a line", b"PING\r\n", 400),
    ("memcached", b"get x\r\n", 400),
    ("memcached, binary", b"\x80\x00\x00\x01" + bytes(20), 400),
    ("PostgreSQL start", b"\x00\x00\x00\x08\x04\xd2\x16\x2f", 400),
    ("MySQL", b"\x4a\0\0\0\x0a8.0.33\0", 400),
    ("MongoDB", b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0", 400),
    ("ZMTP greeting", b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x00NULL", 400),
    ("AMQP", b"AMQP\x00\x00\x09\x01", 400),
    ("MQTT", b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test", 400),
    ("Kafka", b"\0\0\0\x14\0\x12\0\x03\0\0\0\x01\0\x04test\0\0\0\0", 400),
    ("SOCKS 4", b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", 400),
    ("SOCKS 5", b"\x05\x01\x00", 400),
    ("proxy protocol 1", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get(), 400),
    ("proxy protocol 2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12), 400),
    ("RTSP", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
    ("SIP", b"REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n\r\n", 400),
    ("FastCGI", b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00" + bytes(5), 400),
    ("uwsgi", b"\x00\x10\x00\x00\x04\x00HOST\x01\x00h", 400),
    ("DNS over TCP", b"\x00\x1d\xaa\xaa\x01\x00\x00\x01" + bytes(6) + b"\x01a\x00\x00\x01\x00\x01", 400),
    ("LDAP bind", b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00", 400),
    ("RDP", b"\x03\x00\x00\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0", 400),
    ("SMB", b"\x00\x00\x00\x54\xffSMBr" + bytes(20), 400),
    ("Java serialisation", b"\xac\xed\x00\x05sr\x00", 400),
    ("ICY", b"GET / ICY/1.0\r\n\r\n", 400),
    ("JSON alone", b'{"jsonrpc": "2.0", "method": "x", "id": 1}\n', 400),
    ("XML alone", b'<?xml version="1.0"?><a/>\r\n', 400),
    ("shell", b"; cat /etc/passwd\n", 400),
    ("HTTP answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    ("UTF-16 request", get().decode().encode("utf-16"), 400),
    ("UTF-8 mark first", b"\xef\xbb\xbf" + get(), 400),
    ("zeros", bytes(4096), 400),
    ("ones", b"\xff" * 4096, 400),
    ("line feeds", b"\n" * 4096, 400),
    ("empty lines", b"\r\n" * 4096, 400),
    ("blanks", b" " * 4096, 400),
]


def request_lines():
    line = b"GET / HTTP/1.1"
    end = b"\r\n" + HOST + b"\r\n"
    rows = [
        ("no target", b"GET HTTP/1.1" + end, 400), ("no version", b"GET /" + end, 400), ("no method", b"/ HTTP/1.1" + end, 400),
        ("HTTP/0.9", b"GET /\r\n", 400), ("tab after the method", b"GET\t/ HTTP/1.1" + end, 400),
        ("tab before the version", b"GET /\tHTTP/1.1" + end, 400), ("two blanks", b"GET  / HTTP/1.1" + end, 400),
        ("two blanks before the version", b"GET /  HTTP/1.1" + end, 400), ("blank at the end", line + b" " + end, 400),
        ("word at the end", line + b" x" + end, 400), ("blank at the beginning", b" " + line + end, 400),
        ("empty line first", b"\r\n" + line + end, 400), ("line feed first", b"\n" + line + end, 400),
        ("folded", b"GET /\r\n HTTP/1.1" + end, 400), ("LF alone", line + b"\n" + HOST + b"\r\n", 400),
        ("CR alone", line + b"\r" + HOST + b"\r\n", 400), ("CR CR LF", line + b"\r\r\n" + HOST + b"\r\n", 400),
        ("LF CR", line + b"\n\r" + HOST + b"\r\n", 400), ("quoted", b'"GET / HTTP/1.1"' + end, 400),
        ("method of 21 letters", b"ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1" + end, 400),
        ("method of a mebibyte", b"A" * LONG, 400), ("target of a mebibyte", b"GET /" + b"a" * LONG, 414),
        ("target of 8 KiB and one", get(b"/" + b"a" * 8192), 414), ("query of 8 KiB", get(b"/?" + b"a" * 8192), 414),
        ("version of a mebibyte", b"GET / " + b"H" * LONG, 400),
    ]
    rows += each("byte in the method", 400, lambda b: get(method=b"G" + b + b"T"), CONTROLS + [b"\xc3\x89", b"\xff", *(
        bytes([b]) for b in b'"(),/:;<=>?@[\\]{}')])
    rows += each("byte in the target", 400, lambda b: get(b"/a" + b + b"b"), CONTROLS + [b"\t", b"\r", b"\n", b"\x80", b"\xc3\xa9", b"\xff"])
    rows += each("byte in the version", 400, lambda b: get(version=b"HTTP/1" + b + b"1"), CONTROLS + [b",", b"\xff", b"-", b""])
    rows += each("byte behind the version", 400, lambda b: get(version=b"HTTP/1.1" + b), CONTROLS + [b"1", b"\t", b"\xff", b";", b".0"])
    rows += each("version", 400, lambda v: get(version=v), [b"http/1.1", b"Http/1.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11",
                 b"HTTP/x.1", b"HTTP/1.x", b"HTTP/-1.1", b"HTTP/ 1.1", b"HTTPS/1.1", b"HTTP 1.1", b"HTTP", b"1.1", b"HTTP/01.1", b"HTTP/1.01"])
    rows += each("version not spoken", 505, lambda v: get(version=v), [b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9"])
    rows += each("method unknown", 501, lambda m: get(method=m), [b"get", b"Get", b"BREW", b"PROPFIND", b"MKCOL", b"LOCK", b"SEARCH", b"PURGE",
                 b"LINK", b"M-SEARCH", b"QUERY", b"$", b"GETGET", b"PRI", b"ABCDEFGHIJKLMNOPQRST"])
    rows += each("method never allowed", 405, lambda m: get(method=m), [b"TRACE"])
    rows += each("method not allowed here", 405, lambda m: get(method=m, headers=b"Connection: close\r\n"), [b"PUT", b"DELETE", b"PATCH", b"POST"])
    rows += each("target that is no path", 400, lambda t: get(t), [b"*", b"http://h/", b"https://h/", b"ftp://h/", b"h:80", b"file:///etc/passwd",
                 b"javascript:alert(1)", b"api/v2/version", b"?a=b", b"/a#b", b"#", b"../../etc/passwd", b"\\\\h\\c$", b"%2fapi"])
    return rows + [("CONNECT", b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405)]


def header_lines():
    rows = each("header", 400, lambda h: get(headers=h), [
        b"X : v\r\n", b"X\t: v\r\n", b"X\r\n", b": v\r\n", b"\t: v\r\n", b"X: a\r\n b\r\n", b"X: a\r\n\tb\r\n", b" X: v\r\n", b" \r\n",
        b"X: a\nY: b\r\n", b"X: a\rY: b\r\n", b"X: a\rb\n", b"X\n: b\r\n", b"X: a\r\r\n", b"X: a\n\r\n", b"X;: v\r\n", b"X=v\r\n",
        b"X y: v\r\n", b"GET / HTTP/1.1\r\n", b"\r: v\r\n", b"=: v\r\n", b"[]: v\r\n", b"X\xa0: v\r\n"])
    rows += each("byte in a name", 400, lambda b: get(headers=b"X" + b + b"Y: v\r\n"), CONTROLS + [b"\xff", b"\xc3\xa9", b" ", b"\t", *(
        bytes([b]) for b in b'"(),/;<=>?@[\\]{}')])
    rows += each("byte in a value", 400, lambda b: get(headers=b"X: a" + b + b"b\r\n"), CONTROLS)
    rows += each("Host", 400, lambda h: get(host=h), [
        b"", HOST * 2, HOST + b"HOST: i\r\n", b"Host: a b\r\n", b"Host: a,b\r\n", b"Host: a/b\r\n", b"Host: u@h\r\n", b"Host: h?x\r\n",
        b"Host: h#x\r\n", b"Host: <h>\r\n", b"Host: h\\x\r\n", b'Host: "h"\r\n', b"Host : h\r\n", b"Host: h\r\n i\r\n", b"Host: h;x\r\n",
        b"Host: {h}\r\n", b"Host: \xff\r\n", b"Host: h\0\r\n", b"\0Host: h\r\n", b"Hos\t: h\r\n", b"X-Host: h\r\n"])
    rows += [
        ("LF ends the head", get(end=b"\n"), 400), ("CR and another byte end the head", get(end=b"\rX"), 400),
        ("CR LF CR X", get(headers=b"X: y\r\n\rX: z\r\n"), 400), ("100 fields beside Host", get(headers=b"X: y\r\n" * 100), 431),
        ("10 000 fields", get(headers=b"X: y\r\n" * 10000), 431), ("name of 17 KiB", get(headers=b"x" * 17000 + b": v\r\n"), 431),
        ("value of 17 KiB", get(headers=b"X: " + b"y" * 17000 + b"\r\n"), 431), ("value of a mebibyte", get(headers=b"X: " + b"y" * LONG), 431),
        ("name of a mebibyte", get(headers=b"y" * LONG), 431), ("cookies of 17 KiB", get(headers=b"Cookie: " + b"a=b; " * 3400 + b"\r\n"), 431),
        ("token of 17 KiB", get(headers=b"Authorization: Bearer " + b"a" * 17000 + b"\r\n"), 431),
        ("100 names of 200 bytes", get(headers=(b"x" * 200 + b":\r\n") * 99), 431),
    ]
    return rows


TRANSFERS = [b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"identity", b"identity, chunked", b"xchunked", b"chunkedx", b"chunk",
             b"chunked;a=b", b'"chunked"', b"", b",chunked", b"chunked,", b"cow", b"deflate", b"trailers", b"chun ked", b"=chunked", b"(c)chunked",
             b"\xffchunked", b"chunked\xff"]


def smuggling():
    """Whatever two parsers could read differently. Behind each stands a second request, which is never to be answered."""
    hidden = get(b"/hidden")
    sized, chunks = b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"
    rows = each("encoding", 400, lambda t: post(b"Transfer-Encoding: " + t + b"\r\n", b"0\r\n\r\n" + hidden), TRANSFERS)
    rows += each("encoding beside a length", 400, lambda t: post(sized + b"Transfer-Encoding: " + t + b"\r\n", b"0\r\n\r\n" + hidden), TRANSFERS)
    rows += each("encoding written", 400, lambda t: post(t + b"\r\n", b"0\r\n\r\n" + hidden), [
        b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b" Transfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding\n: chunked", b"Transfer-Encoding: chunked\n", b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding:\x00chunked",
        b"Transfer-Encoding: chunked\rX: y", b"X: y\nTransfer-Encoding: chunked", b"Transfer Encoding: chunked", b"\x00Transfer-Encoding: chunked"])
    rows += [
        ("length, then chunked", post(sized + chunks, b"0\r\n\r\n" + hidden), 400), ("chunked, then length", post(chunks + sized, b"0\r\n\r\n" + hidden), 400),
        ("chunked twice", post(chunks * 2, b"0\r\n\r\n" + hidden), 400), ("in capitals beside a length", post(sized + chunks.upper(), b"0\r\n\r\n" + hidden), 400),
        ("encodings in two fields", post(chunks + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n" + hidden), 400),
        ("two lengths", post(sized * 2, b"abc" + hidden), 400), ("two lengths that differ", post(sized + b"Content-Length: 0\r\n", b"abc" + hidden), 400),
        ("two lengths in other letters", post(sized + b"content-length: 3\r\n", b"abc" + hidden), 400),
        ("GET with both", b"GET /api/v2/version HTTP/1.1\r\n" + HOST + sized + chunks + b"\r\n0\r\n\r\n" + hidden, 400),
        ("chunked in HTTP/1.0", b"POST /auth/token HTTP/1.0\r\n" + chunks + b"\r\n0\r\n\r\n" + hidden, 400),
        ("length and chunked in HTTP/1.0", b"POST /auth/token HTTP/1.0\r\n" + sized + chunks + b"\r\n0\r\n\r\n" + hidden, 400),
    ]
    rows += each("length", 400, lambda n: post(b"Content-Length:" + n + b"\r\n", b"abc" + hidden), [
        b" +3", b" -3", b" -0", b" 3, 3", b" 3,", b" 3 3", b" 0x3", b" 3.0", b" 3e0", b" three", b" 3;", b" \"3\"", b"", b" ", b" 3\x0b", b"\x0c3", b" 3\0",
        b" 18446744073709551617", b" 9223372036854775808", b" " + b"9" * 40, b" \xd9\xa3", b" 3\r\n 3", b" 3\rX: y", b" 3\nX: y", b" 3_0", b" 3a", b" NaN"])
    rows += each("length above the limit", 413, lambda n: post(b"Content-Length: " + n + b"\r\n"), [b"1048577", b"4294967296", b"9223372036854775807"])
    rows += each("length above the limit, promised", 413, lambda n: post(b"Expect: 100-continue\r\nContent-Length: " + n + b"\r\n"), [b"1048577", b"1099511627776"])
    return rows


def chunks():
    head = b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n"
    rows = each("chunk", 400, lambda body: post(head, body), [
        b"\r\n", b"3 \r\nabc\r\n0\r\n\r\n", b" 3\r\nabc\r\n0\r\n\r\n", b"0x3\r\nabc\r\n", b"+3\r\nabc\r\n", b"-3\r\nabc\r\n", b"000000003\r\nabc\r\n", b"g\r\n",
        b"3;a=b\r\nabc\r\n0\r\n\r\n", b"3;\r\nabc\r\n", b'3;a="\r\n"\r\nabc\r\n', b"3\nabc\r\n0\r\n\r\n", b"3\rabc\r\n", b"3\r\nabc\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabcXY0\r\n\r\n", b"3\r\nabc0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0;x\r\n\r\n", b"FFFFFFFFF\r\n",
        b"ffffffffffffffff\r\n", b"80000000000000000\r\n", b"3\0\r\nabc", b"\0", b"3\t\r\nabc", b"3.0\r\nabc", b"3,3\r\nabc", b"3\r\r\nabc", b"\xd9\xa3\r\nabc",
        b"3_0\r\n", b"3h\r\n", b"--\r\n", b"0\r\n \r\n", b"00000000g\r\n"])
    rows.append(("chunks above the limit", post(head, b"FFFFF\r\n" + b" " * 0xFFFFF + b"\r\n10\r\n" + b" " * 16 + b"\r\n0\r\n\r\n"), 413))
    rows.append(("a chunk of 4 GiB", post(head, b"FFFFFFFF\r\n" + b" " * (LONG + 1)), 413))
    rows.append(("65 536 chunks above the limit", post(head, b"11\r\n" + b"\r\n11\r\n".join([b" " * 17] * 65536)), 413))
    return rows


def half():
    """The client goes away in the middle: there is nobody to answer."""
    whole = post(b"Content-Length: 30\r\nContent-Type: application/json\r\n", b'{"username": "a"')
    cuts = [1, 3, 4, 8, 12, 20, 25, 28, 30, 34, 40, 60, 70, 77, 90, len(whole) - 16, len(whole) - 15, len(whole)]
    rows = each("cut after bytes", 0, lambda cut: whole[:cut], cuts)
    rows += each("chunks cut", 0, lambda body: post(b"Transfer-Encoding: chunked\r\n", body), [b"", b"3", b"3\r", b"3\r\n", b"3\r\nab", b"3\r\nabc", b"3\r\nabc\r", b"0", b"0\r\n", b"0\r\n\r"])
    return [("nothing", b"", 0)] + rows


def paths(close):
    """What cannot be decoded, or climbs, is 400, on every kind of address."""
    segments = [b"%", b"%2", b"%zz", b"%u0041", b"%00", b"a%00b", b"%2f", b"%2F", b"a%2fb", b"..", b".", b"%2e", b"%2e%2e", b".%2e", b"%2e.", b"%2E%2E",
                b"%2e%2e%2f", b"..%2f..%2f", b"\\..\\x", b"a%5cb", b"%2e%2e%2fetc%2fpasswd", b"%c0%ae%c0%ae", b"%c0%af", b"%e0%80%af", b"%ff", b"%c3", b"%c3%28", b"%ed%a0%80",
                b"%f4%90%80%80", b"%f8%88%80%80%80", b"%%", b"%-1", b"% 2f"]
    segments = [s for s in segments if b" " not in s]
    rows = []
    for prefix, suffix in ((b"/api/v2/dags/", b"/tasks"), (b"/api/v2/variables/", b""), (b"/assets/", b""), (b"/", b"/x")):
        rows += each(f"segment of {prefix.decode()}", 400, lambda s: get(prefix + s + suffix, headers=close), segments)
    rows += each("address unknown", 404, lambda t: get(t, headers=close), [
        b"/api/v2/", b"/api/v2//dags", b"/api/v3/dags", b"/api/", b"/api/v2/dags/a/b/c/d", b"/api/v2/version/", b"/auth/", b"/api/v2/;",
        b"/api/v2/.env", b"/api/v2/" + b"a/" * 2000, b"/api/v2/" + b"/" * 4000, b"/auth/../..".replace(b"..", b"x"), b"/metrics/x"])
    return rows


def queries(close, signed):
    rows = each("query", 400, lambda q: get(b"/api/v2/dags?" + q, headers=close + signed), [
        b"%", b"%zz", b"limit=%", b"limit=%00", b"a=%c0%ae", b"a=%ff", b"%00=a", b"a=%u0041", b"order_by=nonsense", b"order_by=dag_id;drop", b"order_by=--dag_id",
        b"order_by=dag_id%20desc", b"&".join([b"a=b"] * 1001), b"order_by='", b"order_by=1", b"order_by=%F0%9F%92%A9"])
    rows += each("value of a query", 422, lambda q: get(b"/api/v2/dags?" + q, headers=close + signed), [
        b"limit=abc", b"limit=-1", b"limit=1.5", b"limit=1e3", b"limit=0x10", b"limit=99999999999999999999", b"limit=+1;", b"offset=-1", b"offset=abc",
        b"offset=2147483648", b"paused=maybe", b"paused=2", b"paused=yes", b"dag_run_start_date_gte=yesterday", b"limit=1&limit=x",
        b"dag_run_start_date_gte=2026-13-01T00:00:00Z", b"dag_run_end_date_lte=99999-01-01T00:00:00Z", b"limit=%D9%A3", b"limit=%E2%85%A7", b"limit=NaN"])
    return rows


def bodies(close, signed):
    """Bodies of a trigger: what is no JSON is 400, what does not fit 422, other kinds 415, none where its kind was announced 411."""
    target = b"/api/v2/dags/etl/dagRuns"

    def send(body, kind=b"application/json"):
        kind = b"Content-Type: " + kind + b"\r\n" if kind is not None else b""
        return post(close + signed + kind + b"Content-Length: " + str(len(body)).encode() + b"\r\n", body, target)
    deep = 33
    rows = each("body that is no JSON", 400, send, [
        b"{", b"}", b"[", b"]", b'"', b"'a'", b"{]", b'{"a"}', b'{"a":}', b'{"a":1,}', b"[1,]", b"{a:1}", b"{'a':1}", b'{"a":1 "b":2}', b'{"a":1}x', b'{"a":1}{"a":1}', b"nul", b"True",
        b"NaN", b"-Infinity", b'{"a":NaN}', b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":0x10}', b'{"a":1e}', b'{"a":1e999}', b'{"a":"\x01"}', b'{"a":"\n"}',
        b'{"a":"\\x41"}', b'{"a":"\\u12"}', b'{"a":"\\ud800"}', b'{"dag_run_id":"\\u0000"}', b'{"a":"\\udc00\\ud800"}', b'{"a":"b', b'{"a":"b\\"}', b"/**/{}", b'{"a":1}//', b"\xef\xbb\xbf{}", b"\0", b'{"a":1}\0',
        b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf4\x90\x80\x80"}', b'{"\xff":1}', b"{\x00}", "{}".encode("utf-16"), "{}".encode("utf-32"), b" ", b"\n\n", b"\x1f\x8b\x08\0",
        b'{"a":1,"a":2}', b'{"conf":{"a":1,"a":1}}', b'{"conf":{},"conf":{}}', b'{"a":{"b":1,"\\u0062":2}}', b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep,
        b"[" * 100000, b'{"a":' * 100000, b"[[]," * 50000, b"username=a&password=b", b"<a/>", b"a: 1", b"--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--\r\n",
        b'{"conf": {"a": 123456789012345678901234567890}}'])
    rows += each("body that does not fit", 422, send, [
        b"[]", b"1", b'"a"', b"true", b'{"conf":[]}', b'{"conf":"a"}', b'{"conf":1}', b'{"dag_run_id":1}', b'{"dag_run_id":{}}', b'{"dag_run_id":"a/b"}', b'{"logical_date":"yesterday"}',
        b'{"logical_date":1}', b'{"logical_date":"2026-02-30T00:00:00Z"}', b'{"logical_date":"2026-02-03T00:00:00"}', b'{"note":1}', b'{"note":[]}', b'{"run_after":"x"}',
        b'{"dag_run_id":"' + b"a" * 1000 + b'"}', b'{"dag_run_id":".."}', b'{"dag_run_id":" "}'])
    rows += each("kind of a body", 415, lambda kind: send(b"{}", kind), [
        None, b"", b"text/plain", b"text/html", b"application/xml", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b", b"application/octet-stream", b"json",
        b"application/jsonx", b"application / json", b"application/json/x", b"*/*", b"application/*", b";", b"application/x-yaml", b"image/png", b"application/graphql"])
    rows += each("kind without a length", 411, lambda m: m + b" " + target + b" HTTP/1.1\r\n" + HOST + close + signed + b"Content-Type: application/json\r\n\r\n",
                 [b"POST"])
    rows.append(("body of a mebibyte and one", send(b" " * (LONG + 1)), 413))
    return rows


def all_kinds(token):
    close, signed = b"Connection: close\r\n", b"Authorization: Bearer " + token.encode() + b"\r\n"
    rows = DIALECTS + request_lines() + header_lines() + smuggling() + chunks() + half() + paths(close) + queries(close, signed) + bodies(close, signed)
    assert len({sent for _, sent, _ in rows}) >= len(rows) - 3, "kinds differ"
    return rows
