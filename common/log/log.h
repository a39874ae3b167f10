// SPDX-License-Identifier: Apache-2.0
/* log - one event per line: a constant name, then typed fields.
 *
 *     log_warn("task_lost", LOG_STR("run", run->id), LOG_INT("try", try), LOG_ERR(&err));
 *
 * Text for people, JSON (one object a line: ts, level, program, event, then the fields) for
 * machines. Each line is one write(2) to stderr; a line is cut at 16 KiB. Bytes that are not
 * printable UTF-8 are escaped, so that a value cannot forge a line. Any thread may log. Library
 * rooms return errors and log on debug level only; shells log once. */
#ifndef HEADRACE_LOG_H
#define HEADRACE_LOG_H

#include "common/base/id.h"
#include "common/base/secret.h"
#include "common/base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format {
    LOG_FORMAT_AUTO,
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON
}; /* AUTO: text on a terminal, else JSON */

struct log_options {
    const char *program; /* "scheduler"; kept */
    enum log_level level;
    enum log_format format;
    int fd; /* 0 = stderr */
};

/* At start and at reload, before other threads log. Without it: text of level info to stderr. */
void log_setup(const struct log_options *options);
bool log_is_on(enum log_level level);

/* "debug", "info", "warn" or "warning", "error"; "auto", "text", "json". */
MUST_USE int log_level_parse(struct str name, enum log_level *out);
MUST_USE int log_format_parse(struct str name, enum log_format *out);

enum log_type {
    LOG_TYPE_END,
    LOG_TYPE_STR,
    LOG_TYPE_INT,
    LOG_TYPE_REAL,
    LOG_TYPE_BOOL,
    LOG_TYPE_ID,
    LOG_TYPE_SECRET,
    LOG_TYPE_ERR
};

struct log_field {
    const char *key;
    enum log_type type;
    union {
        struct str str;
        int64_t number;
        double real;
        bool truth;
        struct id128 id;
        const struct err *err;
    } value;
};

/* The value of LOG_STR is a char pointer (NULL shows as empty), a struct str, or a struct secret
 * (shows as stars). LOG_ERR adds error (the word), sentence and hint. LOG_RC adds error and its
 * general sentence for a bare code. */
#define LOG_STR(key, value)                                                                        \
    _Generic((value), char *: log_field_cstr, const char *: log_field_cstr,                        \
             struct str: log_field_str, struct secret: log_field_secret)((key), (value))
#define LOG_INT(key, value)                                                                        \
    ((struct log_field) { (key), LOG_TYPE_INT, { .number = (int64_t)(value) } })
#define LOG_REAL(key, value) ((struct log_field) { (key), LOG_TYPE_REAL, { .real = (value) } })
#define LOG_BOOL(key, value) ((struct log_field) { (key), LOG_TYPE_BOOL, { .truth = (value) } })
#define LOG_ID(key, value)   ((struct log_field) { (key), LOG_TYPE_ID, { .id = (value) } })
#define LOG_ERR(error)       ((struct log_field) { "error", LOG_TYPE_ERR, { .err = (error) } })
#define LOG_RC(rc)                                                                                 \
    log_field_cstr("error", err_name(rc)), log_field_cstr("sentence", err_sentence(rc))

#define LOG_LINE(level, event, ...)                                                                \
    (log_is_on(level) ? log_write((level), (event),                                                \
                                  (const struct log_field[]) { __VA_ARGS__ __VA_OPT__(, ) { 0 } }) \
                      : (void)0)

#define log_debug(...) LOG_LINE(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  LOG_LINE(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  LOG_LINE(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) LOG_LINE(LOG_LEVEL_ERROR, __VA_ARGS__)

/* The work behind the macros: `fields` end with LOG_TYPE_END. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);
struct log_field log_field_str(const char *key, struct str value);
struct log_field log_field_cstr(const char *key, const char *value);
struct log_field log_field_secret(const char *key, struct secret value);

#endif
