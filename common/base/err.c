// SPDX-License-Identifier: Apache-2.0
#include "common/base/err.h"

#include <stdio.h>
#include <string.h>

struct err_row {
    int code;
    int http_status;
    enum err_retry retry;
    const char *name;
    const char *sentence;
};

static const struct err_row rows[] = {
#define ERROR(name, number, http, retry, sentence)                                                 \
    { number, http, ERR_RETRY_##retry, #name, sentence },
#include "common/base/err.def"
#undef ERROR
};

static const struct err_row system_row = { 0, 500, ERR_RETRY_LATER, "SYSTEM",
                                           "the system refused" };

static const struct err_row *row_of(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return &rows[i];
    return &system_row;
}

int err_setv(struct err *err, int code, const char *fmt, va_list args)
{
    if (err == NULL)
        return code;
    err->code = code;
    err->hint[0] = '\0';
    vsnprintf(err->sentence, sizeof err->sentence, fmt, args);
    return code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err_setv(err, code, fmt, args);
    va_end(args);
    return code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    char before[sizeof err->sentence];
    memcpy(before, err->code != 0 ? err->sentence : "", err->code != 0 ? sizeof before : 1);
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(err->sentence, sizeof err->sentence, fmt, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof err->sentence)
        snprintf(err->sentence + length, sizeof err->sentence - (size_t)length, ": %s",
                 before[0] != '\0' ? before : err_sentence(code));
    if (err->code == 0)
        err->hint[0] = '\0';
    err->code = code;
    return code;
}

void err_hint(struct err *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}

const char *err_name(int code)
{
    return row_of(code)->name;
}

const char *err_sentence(int code)
{
    return row_of(code)->sentence;
}

int err_http_status(int code)
{
    return row_of(code)->http_status;
}

enum err_retry err_retry(int code)
{
    return row_of(code)->retry;
}
