// SPDX-License-Identifier: Apache-2.0
#include "common/text/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str encode(struct arena *arena, struct str bytes, const char *alphabet, bool padded)
{
    char *out = arena_alloc(arena, (bytes.size + 2) / 3 * 4 + 1);
    size_t size = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t have = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < have ? (unsigned char)bytes.bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            if (k <= have)
                out[size++] = alphabet[bits >> (18 - 6 * k) & 63];
            else if (padded)
                out[size++] = '=';
        }
    }
    out[size] = '\0';
    return (struct str) { out, size };
}

/* The value of a digit, or -1. */
static int digit(char c, const char *alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

/* `text` without padding. */
static int decode(struct arena *arena, struct str text, const char *alphabet, struct str *out)
{
    if (text.size % 4 == 1)
        return ERR_INVALID;
    char *bytes = arena_alloc(arena, text.size / 4 * 3 + 3);
    size_t size = 0;
    uint32_t bits = 0;
    int bit_count = 0;
    for (size_t i = 0; i < text.size; i++) {
        int value = digit(text.bytes[i], alphabet);
        if (value < 0)
            return ERR_INVALID;
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes[size++] = (char)(bits >> bit_count & 0xFF);
        }
    }
    if ((bits & ((1U << bit_count) - 1)) != 0)
        return ERR_INVALID;
    bytes[size] = '\0';
    *out = (struct str) { bytes, size };
    return 0;
}

struct str base64_encode(struct arena *arena, struct str bytes)
{
    return encode(arena, bytes, standard, true);
}

struct str base64url_encode(struct arena *arena, struct str bytes)
{
    return encode(arena, bytes, url_safe, false);
}

int base64_decode(struct arena *arena, struct str text, struct str *out)
{
    if (text.size % 4 != 0)
        return ERR_INVALID;
    for (int i = 0; i < 2 && text.size > 0 && text.bytes[text.size - 1] == '='; i++)
        text.size--;
    return decode(arena, text, standard, out);
}

int base64url_decode(struct arena *arena, struct str text, struct str *out)
{
    return decode(arena, text, url_safe, out);
}
