// SPDX-License-Identifier: Apache-2.0
/* Durations, sizes, base64, glob patterns, suggestions: what is written reads back; patterns end.
 */
#include "common/base/assert.h"
#include "common/text/base64.h"
#include "common/text/duration.h"
#include "common/text/glob.h"
#include "common/text/size.h"
#include "common/text/suggest.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_globs(struct arena *arena, struct str text)
{
    struct str rest = text, first = STR_EMPTY;
    (void)str_split(&rest, '\n', &first);
    struct str path = rest.bytes == NULL ? first : rest;
    (void)glob_match(first, path);
    struct globs globs = globs_parse(arena, text);
    (void)globs_ignore(&globs, path, true);
    (void)suggest_distance(first, path, 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 4000)
        return 0;
    struct arena arena = { 0 };
    struct str text = { size == 0 ? "" : (const char *)bytes, size }, out;
    int64_t first, again;
    if (duration_parse(text, &first, NULL) == 0) {
        ASSERT(first >= 0);
        ASSERT(duration_parse(duration_text(&arena, first), &again, NULL) == 0 && again == first);
    }
    if (size_parse(text, &first, NULL) == 0) {
        ASSERT(first >= 0);
        ASSERT(size_parse(size_text(&arena, first), &again, NULL) == 0 && again == first);
    }
    if (base64_decode(&arena, text, &out) == 0)
        ASSERT(str_eq(base64_encode(&arena, out), text));
    if (base64url_decode(&arena, text, &out) == 0)
        ASSERT(str_eq(base64url_encode(&arena, out), text));
    ASSERT(base64_decode(&arena, base64_encode(&arena, text), &out) == 0 && str_eq(out, text));
    check_globs(&arena, text);
    arena_clear(&arena);
    return 0;
}
