// SPDX-License-Identifier: Apache-2.0
/* YAML: ends, within its limits; every problem has words; what was read can be written as JSON and
 * read again. */
#include "common/base/assert.h"
#include "common/text/json.h"
#include "common/text/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena = { 0 };
    struct yaml_limits limits = { 1 << 16, 32, 2000, 20 };
    struct yaml yaml;
    int rc = yaml_parse(&arena, (struct str) { (const char *)bytes, size }, &limits, &yaml);
    ASSERT((rc == 0) == (yaml.problem_count == 0));
    ASSERT(yaml.problem_count <= limits.problems_max);
    for (uint32_t i = 0; i < yaml.problem_count; i++)
        ASSERT(yaml.problems[i].sentence.size > 0);
    for (uint32_t i = 0; i < yaml.document_count; i++) {
        const struct value *back;
        struct str text = json_text(&arena, yaml.documents[i]);
        struct err err = { 0 };
        ASSERT(json_parse(&arena, text, NULL, &back, &err) == 0);
        ASSERT(rc < 0 || value_eq(back, yaml.documents[i]));
    }
    arena_clear(&arena);
    return 0;
}
