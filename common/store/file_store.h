// SPDX-License-Identifier: Apache-2.0
/* file_store - files that have started runs: what DAGs with `schedule: {files: ...}` have taken, by
 * content. */
#ifndef HEADRACE_FILE_STORE_H
#define HEADRACE_FILE_STORE_H

#include "common/base/id.h"
#include "common/store/store.h"

/* What the file holds, as a hash. Reads it whole: not for the loop. A negative code when it cannot
 * be read. */
MUST_USE int store_file_content(const char *path, struct id128 *out);

/* Whether the DAG has made a run of this content. */
void store_file_known(struct store *store, int32_t dag_no, struct id128 content,
                      void (*on_end)(void *owner, int rc, bool known, const struct err *err),
                      void *owner);

#endif
