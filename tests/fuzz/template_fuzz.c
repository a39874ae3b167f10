// SPDX-License-Identifier: Apache-2.0
/* Templates: text without {{ is its own rendering; output keeps to its cap. */
#include "common/base/assert.h"
#include "common/text/json.h"
#include "common/text/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena = { 0 };
    struct str text = { (const char *)bytes, size }, out;
    const struct value *map, *value;
    const struct template *template;
    struct err err = { 0 };
    uint32_t at = 0;
    ASSERT(json_parse(&arena, STR("{\"ds\":\"2026-01-31\",\"n\":7,\"list\":[1,\"a\"]}"), NULL, &map,
                      NULL) == 0);
    struct expr_scope scope = expr_scope_of(map);
    if (template_compile(&arena, text, &template, &at, &err) < 0) {
        ASSERT(at <= size && err.sentence[0] != '\0');
    } else {
        if (template_render(template, &scope, 1000, &arena, &out, &err) == 0) {
            ASSERT(out.size <= 1000);
            if (template_is_plain(text))
                ASSERT(str_eq(out, text));
        }
        if (template_eval(template, &scope, 1000, &arena, &value, &err) == 0)
            (void)template_text(&arena, value);
        if (template_render_value(value_string(&arena, text), &scope, 1000, &arena, &value, &err) ==
            0)
            ASSERT(value != NULL);
    }
    arena_clear(&arena);
    return 0;
}
