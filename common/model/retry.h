// SPDX-License-Identifier: Apache-2.0
/* retry - does a failed try get another one, and after which wait? */
#ifndef HEADRACE_RETRY_H
#define HEADRACE_RETRY_H

#include "common/model/dag.h"
#include "common/model/spec.h"

/* The wait after the `nth` failed try (1 = the first): retry_delay * m^(n-1), exact to the
 * millisecond, at most max_retry_delay; with full jitter, `random` (0 <= random < 1) of it. Never
 * negative. */
int64_t retry_delay_ms(const struct task *task, uint32_t nth, double random);

/* How long the failed try asks to be left alone: its error begins "Name retry_after=30s", as of an
 * http task whose server said Retry-After. At most max_retry_delay, whose author knows how long is
 * too long; 0 when it asks for nothing that can be read. */
int64_t retry_asked_ms(const struct task *task, const struct result *result);

/* Whether another try could help: not after a hard error, not when no_retry_on names the failure,
 * and only when retry_on, if given, does. Lists hold exit codes (whole numbers) and error names
 * (text), compared with the exit code, the outcome's name ("timed_out", "out_of_memory") and the
 * first word of the error ("ConnectionError: refused"). */
bool retry_is_wanted(const struct task *task, const struct result *result);

#endif
