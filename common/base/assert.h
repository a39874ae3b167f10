// SPDX-License-Identifier: Apache-2.0
/* assert - for our own bugs, on in every build. The world's faults return errors instead.
 *
 * A failed ASSERT prints file, line, the condition and the current note, then aborts: what is true
 * stands in PostgreSQL and leases expire, so stopping is safe where going on with a broken core is
 * not. */
#ifndef HEADRACE_ASSERT_H
#define HEADRACE_ASSERT_H

#define ASSERT(condition) ((condition) ? (void)0 : assert_failed(__FILE__, __LINE__, #condition))

#define UNREACHABLE()     assert_failed(__FILE__, __LINE__, "unreachable")

_Noreturn void assert_failed(const char *file, int line, const char *condition);

/* Names what is being worked on, to be printed by a failed ASSERT. Borrows `note` until the next
 * call; NULL clears. */
void assert_note(const char *note);

#endif
