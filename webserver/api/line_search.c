// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/line_search.h"

#include <string.h>

static void add_folded(struct buf *out, struct str text)
{
    buf_add_str(out, text);
    char *folded = out->bytes + out->size - text.size;
    for (size_t i = 0; i < text.size; i++) /* without a branch: many at a time */
        folded[i] = (char)(folded[i] | ((unsigned char)(folded[i] - 'A') < 26 ? 32 : 0));
}

void line_search_init(struct line_search *search, struct str wanted, bool with_case)
{
    *search = (struct line_search) { .with_case = with_case };
    if (with_case)
        buf_add_str(&search->wanted, wanted);
    else
        add_folded(&search->wanted, wanted);
}

void line_search_clear(struct line_search *search)
{
    buf_clear(&search->wanted);
    buf_clear(&search->folded);
}

bool line_search_finds(struct line_search *search, struct str line)
{
    if (search->wanted.size == 0 || line.size < search->wanted.size)
        return false;
    if (!search->with_case) {
        buf_reset(&search->folded);
        add_folded(&search->folded, line);
        line = buf_str(&search->folded);
    }
    return memmem(line.bytes, line.size, search->wanted.bytes, search->wanted.size) != NULL;
}
