// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/mask.h"

#include <ctype.h>

static const char stars[] = "***";

static void pattern_add(struct mask *mask, struct str pattern)
{
    if (pattern.size < MASK_SECRET_MIN)
        return;
    VEC_EACH (&mask->patterns, i) {
        if (str_eq(mask->patterns.items[i], pattern))
            return;
    }
    VEC_ADD(&mask->patterns, str_copy(&mask->arena, pattern));
}

static bool url_plain(unsigned char c)
{
    return isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/* `blank` is how a blank is written ("%20" or "+"), `plain` which further bytes stay. */
static void add_url(struct mask *mask, struct str secret, const char *digits, const char *blank,
                    const char *plain)
{
    struct buf text = { 0 };

    for (size_t i = 0; i < secret.size; i++) {
        unsigned char c = (unsigned char)secret.bytes[i];
        if (c == ' ')
            buf_add_cstr(&text, blank);
        else if (url_plain(c) || (c != '\0' && strchr(plain, c) != NULL))
            buf_add_byte(&text, (char)c);
        else
            buf_printf(&text, "%%%c%c", digits[c >> 4], digits[c & 15]);
    }
    pattern_add(mask, buf_str(&text));
    buf_clear(&text);
}

static void add_json(struct mask *mask, struct str secret, bool slashes)
{
    static const char escaped[] = "\"\\\b\f\n\r\t";
    struct buf text = { 0 };

    for (size_t i = 0; i < secret.size; i++) {
        unsigned char c = (unsigned char)secret.bytes[i];
        const char *at = c == '\0' ? NULL : strchr(escaped, c);
        if (at != NULL)
            buf_printf(&text, "\\%c", "\"\\bfnrt"[at - escaped]);
        else if (c == '/' && slashes)
            buf_add_cstr(&text, "\\/");
        else if (c < 0x20)
            buf_printf(&text, "\\u%04x", c);
        else
            buf_add_byte(&text, (char)c);
    }
    pattern_add(mask, buf_str(&text));
    buf_clear(&text);
}

/* What is certain of the encoding when `phase` foreign bytes precede the secret: the characters
 * that depend on the secret alone. The secret of n bytes at offset p fixes the bits from 8p to
 * 8(p+n), that is, the whole sextets in them. */
static void add_base64(struct mask *mask, struct str secret, size_t phase, const char *alphabet)
{
    struct buf text = { 0 };
    size_t from = (phase * 8 + 5) / 6, to = (phase + secret.size) * 8 / 6;

    for (size_t sextet = from; sextet < to; sextet++) {
        unsigned value = 0;
        for (size_t bit = sextet * 6; bit < sextet * 6 + 6; bit++) {
            unsigned char byte = (unsigned char)secret.bytes[bit / 8 - phase];
            value = value << 1 | (byte >> (7 - bit % 8) & 1);
        }
        buf_add_byte(&text, alphabet[value]);
    }
    pattern_add(mask, buf_str(&text));
    buf_clear(&text);
}

static void add_forms(struct mask *mask, struct str secret)
{
    static const char standard[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    pattern_add(mask, secret);
    add_url(mask, secret, "0123456789ABCDEF", "%20", "");
    add_url(mask, secret, "0123456789abcdef", "%20", "");
    add_url(mask, secret, "0123456789ABCDEF", "+", "");
    add_url(mask, secret, "0123456789ABCDEF", "%20", "!$&'()*+,;=:@/");
    add_json(mask, secret, false);
    add_json(mask, secret, true);
    for (size_t phase = 0; phase < 3; phase++) {
        add_base64(mask, secret, phase, standard);
        add_base64(mask, secret, phase, url);
    }
}

static int by_first_then_longest(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    int first = (unsigned char)x->bytes[0] - (unsigned char)y->bytes[0];

    if (first != 0)
        return first;
    return x->size < y->size ? 1 : x->size > y->size ? -1 : str_cmp(*x, *y);
}

void mask_init(struct mask *mask, const struct str *secrets, uint32_t count)
{
    *mask = (struct mask) { 0 };
    for (uint32_t i = 0; i < count; i++) {
        struct str secret = secrets[i], line;

        if (secret.size < MASK_SECRET_MIN)
            continue;
        add_forms(mask, secret);
        /* A key of several lines is printed with an indent, or a line at a time. */
        if (str_find(secret, '\n') < 0)
            continue;
        pattern_add(mask, str_trim(secret));
        while (str_split(&secret, '\n', &line)) {
            if (line.size >= 16)
                pattern_add(mask, str_trim(line));
        }
    }
    if (mask->patterns.count > 0)
        qsort(mask->patterns.items, mask->patterns.count, sizeof(struct str),
              by_first_then_longest);
    uint32_t at = 0;
    for (uint32_t byte = 0; byte <= 256; byte++) {
        while (at < mask->patterns.count && (unsigned char)mask->patterns.items[at].bytes[0] < byte)
            at++;
        mask->first[byte] = at;
    }
}

void mask_clear(struct mask *mask)
{
    VEC_EACH (&mask->patterns, i)
        explicit_bzero((char *)mask->patterns.items[i].bytes, mask->patterns.items[i].size);
    VEC_CLEAR(&mask->patterns);
    arena_clear(&mask->arena);
}

/* What stands at the start of `text`: the size of the longest secret, 0 for none, -1 when more
 * bytes must decide. */
static ptrdiff_t match(const struct mask *mask, struct str text, bool last)
{
    unsigned char byte = (unsigned char)text.bytes[0];

    for (uint32_t i = mask->first[byte]; i < mask->first[byte + 1]; i++) {
        struct str pattern = mask->patterns.items[i];
        if (pattern.size <= text.size) {
            if (memcmp(pattern.bytes, text.bytes, pattern.size) == 0)
                return (ptrdiff_t)pattern.size;
        } else if (!last && memcmp(pattern.bytes, text.bytes, text.size) == 0) {
            return -1;
        }
    }
    return 0;
}

/* Masks `text` and returns how much of it is decided. */
static size_t mask_bytes(const struct mask *mask, struct str text, bool last, struct buf *out)
{
    size_t at = 0, plain = 0; /* plain .. at is decided and not written yet */

    while (at < text.size) {
        unsigned char byte = (unsigned char)text.bytes[at];
        if (mask->first[byte] == mask->first[byte + 1]) {
            at++;
            continue;
        }
        ptrdiff_t size = match(mask, str_slice(text, at, text.size), last);
        if (size < 0)
            break;
        if (size == 0) {
            at++;
            continue;
        }
        buf_add(out, text.bytes + plain, at - plain);
        buf_add(out, stars, sizeof stars - 1);
        at += (size_t)size;
        plain = at;
    }
    buf_add(out, text.bytes + plain, at - plain);
    return at;
}

void mask_stream(const struct mask *mask, struct buf *held, struct str bytes, bool last,
                 struct buf *out)
{
    if (mask->patterns.count == 0) {
        buf_add_str(out, bytes);
        return;
    }
    if (held->size == 0) {
        size_t done = mask_bytes(mask, bytes, last, out);
        buf_add(held, bytes.bytes + done, bytes.size - done);
        return;
    }
    buf_add_str(held, bytes);
    buf_consume(held, mask_bytes(mask, buf_str(held), last, out));
}

void mask_text(const struct mask *mask, struct str text, struct buf *out)
{
    struct buf held = { 0 };

    mask_stream(mask, &held, text, true, out);
    buf_clear(&held);
}
