// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/causes.h"

#include "common/model/state.h"

struct bind causes_bind(void)
{
    static struct str sentences[CAUSE_COUNT];
    for (int i = 0; i < CAUSE_COUNT; i++)
        sentences[i] = str_of(cause_sentence((enum cause)i));
    return BIND_TEXTS(sentences, CAUSE_COUNT);
}

struct bind cause_names_bind(void)
{
    static struct str names[CAUSE_COUNT];
    for (int i = 0; i < CAUSE_COUNT; i++)
        names[i] = str_of(cause_name((enum cause)i));
    return BIND_TEXTS(names, CAUSE_COUNT);
}
