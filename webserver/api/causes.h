// SPDX-License-Identifier: Apache-2.0
/* causes - the words and sentences of common/model/state.h as parameters of queries: indexed by the
 * cause's number. */
#ifndef HEADRACE_CAUSES_H
#define HEADRACE_CAUSES_H

#include "common/store/document_read.h"

struct bind causes_bind(void);      /* "its upstream tasks are done" */
struct bind cause_names_bind(void); /* "upstreams_done" */

#endif
