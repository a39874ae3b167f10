// SPDX-License-Identifier: Apache-2.0
/* Expressions: the compiler points into the text; evaluation ends within its budget and gives a
 * tree that can be written. */
#include "common/base/assert.h"
#include "common/text/expr.h"
#include "common/text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char names[] = "{\"ds\":\"2026-01-31\",\"n\":7,\"x\":0.5,\"none\":null,\"list\":[3,1,"
                            "\"a\",[2]],\"map\":{\"a\":{\"b\":[1,2]},\"k\":\"a\"},"
                            "\"text\":\"a,b c\",\"yes\":true}";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena = { 0 };
    struct str text = { (const char *)bytes, size };
    const struct value *map, *value;
    const struct expr *expr;
    struct err err = { 0 };
    uint32_t at = 0;
    ASSERT(json_parse(&arena, STR(names), NULL, &map, NULL) == 0);
    if (expr_compile(&arena, text, &expr, &at, &err) < 0) {
        ASSERT(at <= size && err.sentence[0] != '\0');
    } else {
        uint32_t count;
        const struct expr_path *paths = expr_paths(expr, &count);
        for (uint32_t i = 0; i < count; i++)
            ASSERT(paths[i].count >= 1 && paths[i].at < size);
        struct expr_scope scope = expr_scope_of(map);
        struct expr_limits limits = { 20000, 1 << 16 };
        size_t before = arena.total;
        if (expr_eval(expr, &scope, &limits, &arena, &value, &err) == 0)
            (void)json_text(&arena, value);
        else
            ASSERT(err.sentence[0] != '\0');
        /* The budget is of what is made; arrays that grow, blocks of the arena and the text above
         * come on top. */
        ASSERT(arena.total - before < (16 << 20));
    }
    arena_clear(&arena);
    return 0;
}
