// SPDX-License-Identifier: Apache-2.0
/* Messages: what is read can be written, and is then read as the same; memory stays in proportion.
 */
#include "common/base/assert.h"
#include "common/wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena = { 0 };
    struct str frame = { (const char *)bytes, size };
    struct buf first = { 0 }, second = { 0 };
    struct message message;
    struct result result;
    struct spec spec;
    struct err err = { 0 };

    if (message_unpack(frame, &arena, &message, &err) == 0) {
        ASSERT(message_pack(&message, &first, NULL) == 0 || size > MESSAGE_SIZE_MAX / 2);
        if (first.size > 0) {
            ASSERT(message_unpack(buf_str(&first), &arena, &message, &err) == 0);
            ASSERT(message_pack(&message, &second, NULL) == 0);
            ASSERT(str_eq(buf_str(&first), buf_str(&second)));
        }
    } else {
        ASSERT(err.sentence[0] != 0);
    }
    ASSERT(arena.total < size * 100 + (8u << 20));
    if (message_unpack_spec(frame, &arena, &spec, &err) == 0)
        ASSERT(spec.argv_count > 0);
    (void)!message_unpack_result(frame, &arena, &result, &err);
    buf_clear(&first);
    buf_clear(&second);
    arena_clear(&arena);
    return 0;
}
