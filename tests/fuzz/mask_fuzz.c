// SPDX-License-Identifier: Apache-2.0
/* Masking: the first line is a secret, the rest a text. However the stream is cut, the result is
 * the same, and the secret is not in it. */
#include "common/base/assert.h"
#include "worker/warden/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = { (const char *)bytes, size }, secret;
    struct mask mask;
    struct buf whole = { 0 };

    if (size > 4096 || !str_split(&text, '\n', &secret) || text.bytes == NULL)
        return 0;
    mask_init(&mask, &secret, 1);
    mask_text(&mask, text, &whole);
    for (size_t step = 1; step < 40; step += 3) {
        struct buf held = { 0 }, out = { 0 };
        for (size_t at = 0; at < text.size; at += step)
            mask_stream(&mask, &held, str_slice(text, at, at + step), false, &out);
        mask_stream(&mask, &held, STR_EMPTY, true, &out);
        ASSERT(str_eq(buf_str(&out), buf_str(&whole)));
        buf_clear(&held);
        buf_clear(&out);
    }
    /* Stars between may build the secret anew only if it has stars itself. */
    if (secret.size >= MASK_SECRET_MIN && str_find(secret, '*') < 0)
        ASSERT(memmem(buf_str(&whole).bytes, whole.size, secret.bytes, secret.size) == NULL);
    buf_clear(&whole);
    mask_clear(&mask);
    return 0;
}
