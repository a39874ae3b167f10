// SPDX-License-Identifier: Apache-2.0
/* err - what went wrong, for a program (code) and for a person (sentence, hint).
 *
 * A function that can fail returns 0 or a negative code: ours from err.def, or libuv's, unchanged.
 * `struct err` is a fixed-size value on the caller's stack; NULL is allowed wherever one is taken.
 * Nothing here allocates. */
#ifndef HEADRACE_ERR_H
#define HEADRACE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define MUST_USE                __attribute__((warn_unused_result))
#define FORMAT(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

enum {
#define ERROR(name, number, http, retry, sentence) ERR_##name = (number),
#include "common/base/err.def"
#undef ERROR
};

enum err_retry { ERR_RETRY_NEVER, ERR_RETRY_LATER, ERR_RETRY_RECONNECT };

struct err {
    int code;           /* 0 while nothing is wrong */
    char sentence[512]; /* "creating run r1 of dag d: there is no such thing: dag d" */
    char hint[256];     /* what to do about it; empty if there is nothing to say */
};

/* Each fills `err` (unless NULL) and returns `code`, so that a failing function ends in one line.
 */
int err_set(struct err *err, int code, const char *fmt, ...) FORMAT(3, 4);
int err_setv(struct err *err, int code, const char *fmt, va_list args) FORMAT(3, 0);

/* Prepends what the caller was doing: "doing this: <what there was>". */
int err_wrap(struct err *err, int code, const char *fmt, ...) FORMAT(3, 4);

/* Says what to do. Gives nothing back: `err` may be NULL, the code must come from elsewhere. */
void err_hint(struct err *err, const char *fmt, ...) FORMAT(2, 3);

/* The word ("NOT_FOUND"), the sentence, the HTTP status and the retry policy of a code. Codes that
 * are not ours (libuv's) answer "SYSTEM", a general sentence, 500 and LATER. */
const char *err_name(int code);
const char *err_sentence(int code);
int err_http_status(int code);
enum err_retry err_retry(int code);

#endif
