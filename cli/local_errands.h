// SPDX-License-Identifier: Apache-2.0
/* local_errands - small jobs of a `dags test`: looks are made by headrace-task as in a cluster;
 * notifications are shown and not sent; of other DAGs' runs there are none. */
#ifndef HEADRACE_CLI_LOCAL_ERRANDS_H
#define HEADRACE_CLI_LOCAL_ERRANDS_H

#include "cli/local.h"

struct local_errands *local_errands_new(const char *program); /* path of headrace-task; kept */
void local_errands_free(struct local_errands *errands);       /* ends its process; NULL allowed */

void local_errands_give(struct local_errands *errands, const struct errand *items, uint32_t count);

/* Descriptor to wait on for answers; -1: nothing is asked. */
int local_errands_fd(const struct local_errands *errands);

/* The answers that have come, in `arena`; 0: none. */
uint32_t local_errands_take(struct local_errands *errands, struct arena *arena,
                            const struct errand_answer **out);

#endif
