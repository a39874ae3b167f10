// SPDX-License-Identifier: Apache-2.0
/* What the warden reads: frames of its socket, and a task's output, of which it must say no less
 * than the reader of JSON accepts. */
#include "common/base/assert.h"
#include "common/text/json.h"
#include "worker/warden/json_check.h"
#include "worker/warden/warden_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_frame(struct str rest)
{
    struct arena arena = { 0 };
    struct str frame;
    struct warden_message message;

    if (warden_frame(rest, &frame, NULL) == 0 && frame.size > 0) {
        ASSERT(frame.size <= rest.size);
        if (warden_decode(&arena, frame, &message, NULL) == 0) {
            struct buf again = { 0 };
            struct warden_message second;
            warden_encode(&again, &message);
            ASSERT(warden_decode(&arena, buf_str(&again), &second, NULL) == 0);
            ASSERT(second.type == message.type &&
                   second.task.argv_count == message.task.argv_count);
            buf_clear(&again);
        }
    }
    ASSERT(arena.total < 64 * rest.size + (1 << 20));
    arena_clear(&arena);
}

static void check_json(struct str text)
{
    struct arena arena = { 0 };
    const struct value *value;
    struct buf quoted = { 0 };

    if (json_parse(&arena, text, NULL, &value, NULL) == 0)
        ASSERT(json_check(text));
    json_quote(&quoted, text);
    ASSERT(json_check(buf_str(&quoted)));
    ASSERT(json_parse(&arena, buf_str(&quoted), NULL, &value, NULL) == 0);
    buf_clear(&quoted);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = { (const char *)bytes, size };

    check_frame(text);
    check_json(text);
    return 0;
}
