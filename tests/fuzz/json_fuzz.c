// SPDX-License-Identifier: Apache-2.0
/* JSON: what is read, written and read again is the same; the canonical text is its own canonical
 * text. */
#include "common/base/assert.h"
#include "common/text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena = { 0 };
    struct str text = { (const char *)bytes, size };
    const struct value *first, *second;
    struct err err = { 0 };
    struct buf buf;
    buf_init(&buf);
    json_write_string(&buf, text); /* any bytes at all */
    ASSERT(json_parse(&arena, buf_str(&buf), NULL, &first, &err) == 0);
    if (json_parse(&arena, text, NULL, &first, &err) == 0) {
        struct str written = json_text(&arena, first);
        ASSERT(json_parse(&arena, written, NULL, &second, &err) == 0);
        ASSERT(value_eq(first, second));
        ASSERT(value_eq(first, value_copy(&arena, first)));
        buf_reset(&buf);
        json_write_canonical(&buf, first);
        struct str canonical = str_copy(&arena, buf_str(&buf));
        ASSERT(json_parse(&arena, canonical, NULL, &second, &err) == 0);
        buf_reset(&buf);
        json_write_canonical(&buf, second);
        ASSERT(str_eq(canonical, buf_str(&buf)));
    } else {
        ASSERT(err.sentence[0] != '\0');
    }
    buf_clear(&buf);
    arena_clear(&arena);
    return 0;
}
