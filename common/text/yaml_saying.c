// SPDX-License-Identifier: Apache-2.0
#include "common/text/yaml_parts.h"

/* The first row whose words occur in the message. */
static const struct {
    const char *said, *sentence, *advice;
} sayings[] = {
#define SAYING(said, sentence, advice) { said, sentence, advice },
#include "common/text/yaml_sayings.def"
#undef SAYING
};

void yaml_saying(struct arena *arena, const char *message, struct str *out_sentence,
                 const char **out_advice)
{
    static const char plain[] = "plain scalar cannot start with ";
    const char *sign = strstr(message, plain);
    if (sign != NULL) {
        *out_sentence =
            str_format(arena, "text without quotes cannot begin with %s", sign + sizeof plain - 1);
        *out_advice = "put the text in quotes";
        return;
    }
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        if (strstr(message, sayings[i].said) == NULL)
            continue;
        *out_sentence = str_of(sayings[i].sentence);
        *out_advice = sayings[i].advice;
        return;
    }
    *out_sentence = str_copy(arena, str_of(message));
    *out_advice = "";
}
