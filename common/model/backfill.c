// SPDX-License-Identifier: Apache-2.0
#include "common/model/backfill.h"

static const char *const names[REPROCESS_COUNT] = {
    [REPROCESS_NONE] = "none",
    [REPROCESS_FAILED] = "failed",
    [REPROCESS_COMPLETED] = "completed",
};

const char *reprocess_name(enum reprocess reprocess)
{
    return (unsigned)reprocess < REPROCESS_COUNT ? names[reprocess] : "unknown";
}

int reprocess_parse(struct str name, enum reprocess *out)
{
    for (int i = 0; i < REPROCESS_COUNT; i++) {
        if (str_is(name, names[i])) {
            *out = (enum reprocess)i;
            return 0;
        }
    }
    return ERR_INVALID;
}
