// SPDX-License-Identifier: Apache-2.0
#include "common/base/vec.h"

#include "common/base/assert.h"

#include <stdlib.h>
#include <string.h>

void *vec_reserve(void *items, uint32_t *capacity, uint32_t count, uint32_t more, size_t item_size)
{
    ASSERT(more <= UINT32_MAX / 2 && count <= UINT32_MAX / 2);
    if (count + more <= *capacity)
        return items;
    uint32_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted < count + more)
        wanted = count + more;
    items = realloc(items, wanted * item_size);
    ASSERT(items != NULL);
    memset((char *)items + (size_t)*capacity * item_size, 0, (wanted - *capacity) * item_size);
    *capacity = wanted;
    return items;
}

void vec_free(void *items)
{
    free(items);
}
