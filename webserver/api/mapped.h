// SPDX-License-Identifier: Apache-2.0
/* mapped - the answer of GET ui/mapped/{dag_id}/{dag_run_id}/{task_id}: the states of all instances
 * (map_view.h), and the rows of one page. */
#ifndef HEADRACE_MAPPED_H
#define HEADRACE_MAPPED_H

#include "webserver/api/call.h"

struct mapped_asked {
    int64_t seq; /* of the stream, before anything was read */
    int64_t from, limit;
    struct bind states; /* words; none: any state */
    struct str text;
};

/* Answers. `asked` is borrowed until it returns, its texts live as long as the call. */
void mapped_answer(struct call *call, const struct mapped_asked *asked);

#endif
