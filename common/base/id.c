// SPDX-License-Identifier: Apache-2.0
#include "common/base/id.h"

bool id_eq(struct id128 a, struct id128 b)
{
    return a.high == b.high && a.low == b.low;
}

bool id_is_zero(struct id128 id)
{
    return (id.high | id.low) == 0;
}

static struct id128 with_version(uint64_t high, uint64_t low, uint64_t version)
{
    return (struct id128) { .high = (high & ~0xF000ULL) | version << 12,
                            .low = (low & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL };
}

struct id128 id_v7(int64_t unix_ms, uint64_t random_high, uint64_t random_low)
{
    return with_version((uint64_t)unix_ms << 16 | (random_high & 0x0FFF), random_low, 7);
}

struct id128 id_derived(uint64_t kind, uint64_t a, uint64_t b)
{
    /* Readable on purpose: the integers stand in the digits, so a UUID in a ticket leads to its
     * row. */
    return with_version((a >> 4) << 16 | (a & 0xF) << 8 | (kind & 0xFF), b, 8);
}

void id_text(struct id128 id, char out[ID_TEXT_SIZE])
{
    snprintf(out, ID_TEXT_SIZE, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(id.high >> 32),
             (unsigned)(id.high >> 16 & 0xFFFF), (unsigned)(id.high & 0xFFFF),
             (unsigned)(id.low >> 48), (unsigned long long)(id.low & 0xFFFFFFFFFFFFULL));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int id_parse(struct str text, struct id128 *out)
{
    if (text.size != ID_TEXT_SIZE - 1)
        return ERR_INVALID;
    uint64_t words[2] = { 0 };
    int digits = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.bytes[i] != '-')
                return ERR_INVALID;
            continue;
        }
        int digit = hex_digit(text.bytes[i]);
        if (digit < 0)
            return ERR_INVALID;
        words[digits / 16] = words[digits / 16] << 4 | (uint64_t)digit;
        digits++;
    }
    *out = (struct id128) { words[0], words[1] };
    return 0;
}
