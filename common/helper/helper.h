// SPDX-License-Identifier: Apache-2.0
/* helper - the process that runs errands for this one: `headrace-task errands`, started at first
 * need and anew when it has ended. Errands that it had then are lost, without an answer. */
#ifndef HEADRACE_HELPER_H
#define HEADRACE_HELPER_H

#include "common/loop/loop.h"
#include "common/model/errand.h"

struct helper;

/* `program` is the path of headrace-task; copied. Answers are borrowed until the callback returns.
 */
struct helper *helper_new(struct loop *loop, const char *program,
                          void (*on_answers)(void *owner, const struct errand_answer *answers,
                                             uint32_t count),
                          void *owner);

void helper_give(struct helper *helper, const struct errand *errands, uint32_t count);

/* Ends the process and frees the helper; then done(owner). */
void helper_close(struct helper *helper, void (*done)(void *owner), void *owner);

#endif
