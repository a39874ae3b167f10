// SPDX-License-Identifier: Apache-2.0
/* machine - the warden's own process and the machine it runs on: clocks, boot id, signals, limits,
 * the spool's folder.
 */
#ifndef HEADRACE_MACHINE_H
#define HEADRACE_MACHINE_H

#include "worker/warden/attempt.h"

/* Milliseconds of CLOCK_BOOTTIME and since 1970. */
void machine_now(int64_t *out_boot_ms, int64_t *out_unix_ms);

/* Names this run of the machine: what ran under another id does not run any more. */
MUST_USE int machine_boot_id(struct id128 *out, struct err *err);

/* Makes this process a warden: reaper of its descendants, all signals blocked and default, many
 * descriptors, hard to kill for want of memory. Notes in `host` what children must get back. */
void machine_prepare(struct attempt_host *host);

/* Opens the spool folder with what is below it, and locks it: ERR_EXISTS when it has a warden,
 * after giving one that is just ending the time to do so. */
MUST_USE int machine_spool_open(const char *spool, struct attempt_host *host, int *out_fd,
                                int *out_lock_fd, struct err *err);

#endif
