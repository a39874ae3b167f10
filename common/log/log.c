// SPDX-License-Identifier: Apache-2.0
#include "common/log/log.h"

#include "common/base/assert.h"
#include "common/base/civil.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 16 * 1024, NUMBER_SIZE = 32 };

static struct {
    const char *program;
    enum log_level level;
    bool is_json, has_colour;
    int fd;
} setup = { .program = "", .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO };

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static const char *const level_colours[] = { "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m" };
#define COLOUR_DIM  "\x1b[2m"
#define COLOUR_BOLD "\x1b[1m"
#define COLOUR_OFF  "\x1b[0m"

/* A line under construction, on the stack: logging allocates nothing. What does not fit is dropped,
 * the end is kept free for closing the line. */
struct line {
    char bytes[LINE_MAX_SIZE];
    size_t size, limit;
    bool is_cut;
};

void log_setup(const struct log_options *options)
{
    setup.fd = options->fd != 0 ? options->fd : STDERR_FILENO;
    setup.program = options->program != NULL ? options->program : "";
    setup.level = options->level;
    bool is_terminal = isatty(setup.fd);
    setup.is_json =
        options->format == LOG_FORMAT_JSON || (options->format == LOG_FORMAT_AUTO && !is_terminal);
    setup.has_colour = is_terminal && !setup.is_json && getenv("NO_COLOR") == NULL;
}

bool log_is_on(enum log_level level)
{
    return level >= setup.level;
}

int log_level_parse(struct str name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (str_is(name, level_names[i])) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    if (!str_is(name, "warning"))
        return ERR_INVALID;
    *out = LOG_LEVEL_WARN;
    return 0;
}

int log_format_parse(struct str name, enum log_format *out)
{
    static const char *const names[] = { "auto", "text", "json" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_is(name, names[i])) {
            *out = (enum log_format)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

struct log_field log_field_str(const char *key, struct str value)
{
    return (struct log_field) { key, LOG_TYPE_STR, { .str = value } };
}

struct log_field log_field_cstr(const char *key, const char *value)
{
    return log_field_str(key, str_of(value));
}

struct log_field log_field_secret(const char *key, struct secret value)
{
    return (struct log_field) { key,
                                LOG_TYPE_SECRET,
                                { .str = value.value.size > 0 ? STR(SECRET_STARS) : STR_EMPTY } };
}

/* ---- bytes of a line ------------------------------------------------------------------------- */

static void put(struct line *line, const char *bytes, size_t size)
{
    if (line->is_cut || line->size + size > line->limit) {
        line->is_cut = true;
        return;
    }
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
}

static void put_cstr(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Size of the UTF-8 character at `at`, 0 if there is none whole and valid. */
static size_t utf8_size(struct str s, size_t at)
{
    unsigned char first = (unsigned char)s.bytes[at];
    size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    if (size == 0 || at + size > s.size || !str_is_utf8(str_slice(s, at, at + size)))
        return 0;
    return size;
}

/* JSON's escapes; in text they also keep a value from forging a line or driving a terminal. */
static void put_escaped(struct line *line, struct str s)
{
    for (size_t i = 0; i < s.size && !line->is_cut;) {
        unsigned char byte = (unsigned char)s.bytes[i];
        size_t size = utf8_size(s, i);
        char escape[8];

        if (byte == '"' || byte == '\\')
            put(line, (char[]) { '\\', (char)byte }, 2);
        else if (byte == '\n')
            put(line, "\\n", 2);
        else if (byte == '\t')
            put(line, "\\t", 2);
        else if (byte < 0x20 || byte == 0x7F || size == 0)
            put(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", byte));
        else if (size == 2 && byte == 0xC2 &&
                 (unsigned char)s.bytes[i + 1] < 0xA0) /* C1 controls drive terminals too */
            put(line, escape,
                (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)s.bytes[i + 1]));
        else
            put(line, s.bytes + i, size);
        i += size != 0 ? size : 1;
    }
}

static void put_quoted(struct line *line, struct str s)
{
    put(line, "\"", 1);
    put_escaped(line, s);
    put(line, "\"", 1);
}

/* In text a value stands bare when nobody could misread it. */
static void put_value(struct line *line, struct str s)
{
    bool is_plain = s.size > 0;
    for (size_t i = 0; i < s.size && is_plain; i++)
        is_plain = s.bytes[i] > ' ' && s.bytes[i] < 0x7F && strchr("\"\\=", s.bytes[i]) == NULL;
    if (is_plain && !setup.is_json)
        put(line, s.bytes, s.size);
    else
        put_quoted(line, s);
}

static void put_key(struct line *line, const char *key)
{
    if (setup.is_json) {
        put(line, ",", 1);
        put_quoted(line, str_of(key));
        put(line, ":", 1);
        return;
    }
    put(line, " ", 1);
    if (setup.has_colour)
        put_cstr(line, COLOUR_DIM);
    put_cstr(line, key);
    put(line, "=", 1);
    if (setup.has_colour)
        put_cstr(line, COLOUR_OFF);
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void put_err(struct line *line, const struct err *err)
{
    put_key(line, "error");
    put_value(line, str_of(err->code != 0 ? err_name(err->code) : "none"));
    if (err->sentence[0] != 0) {
        put_key(line, "sentence");
        put_value(line, str_of(err->sentence));
    }
    if (err->hint[0] != 0) {
        put_key(line, "hint");
        put_value(line, str_of(err->hint));
    }
}

static void put_field(struct line *line, const struct log_field *field)
{
    char text[ID_TEXT_SIZE + NUMBER_SIZE];

    if (field->type == LOG_TYPE_ERR) {
        if (field->value.err != NULL)
            put_err(line, field->value.err);
        return;
    }
    put_key(line, field->key);
    switch (field->type) {
    case LOG_TYPE_STR:
    case LOG_TYPE_SECRET:
        put_value(line, field->value.str);
        break;
    case LOG_TYPE_INT:
        put(line, text,
            (size_t)snprintf(text, sizeof text, "%lld", (long long)field->value.number));
        break;
    case LOG_TYPE_REAL:
        /* NaN and infinities are no JSON numbers. */
        if (field->value.real - field->value.real == 0)
            put(line, text, (size_t)snprintf(text, sizeof text, "%.9g", field->value.real));
        else
            put_cstr(line, "null");
        break;
    case LOG_TYPE_BOOL:
        put_cstr(line, field->value.truth ? "true" : "false");
        break;
    case LOG_TYPE_ID:
        id_text(field->value.id, text);
        put_value(line, str_of(text));
        break;
    case LOG_TYPE_ERR:
    case LOG_TYPE_END:
        UNREACHABLE();
    }
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void put_time(struct line *line)
{
    struct timespec now;
    char text[NUMBER_SIZE];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct civil civil = civil_of_ms((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    put(line, text,
        (size_t)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", civil.year,
                         civil.month, civil.day, civil.hour, civil.minute, civil.second,
                         civil.millisecond));
}

static void begin_json(struct line *line, enum log_level level, const char *event)
{
    put_cstr(line, "{\"ts\":\"");
    put_time(line);
    put_cstr(line, "\",\"level\":\"");
    put_cstr(line, level_names[level]);
    put_cstr(line, "\",\"program\":");
    put_quoted(line, str_of(setup.program));
    put_cstr(line, ",\"event\":");
    put_quoted(line, str_of(event));
}

static void begin_text(struct line *line, enum log_level level, const char *event)
{
    char word[16];

    if (setup.has_colour)
        put_cstr(line, COLOUR_DIM);
    put_time(line);
    if (setup.has_colour)
        put_cstr(line, COLOUR_OFF);
    put(line, " ", 1);
    if (setup.has_colour)
        put_cstr(line, level_colours[level]);
    put(line, word, (size_t)snprintf(word, sizeof word, "%-5s ", level_names[level]));
    if (setup.has_colour)
        put_cstr(line, COLOUR_OFF);
    if (setup.program[0] != 0) {
        put_cstr(line, setup.program);
        put_cstr(line, ": ");
    }
    if (setup.has_colour)
        put_cstr(line, COLOUR_BOLD);
    put_cstr(line, event);
    if (setup.has_colour)
        put_cstr(line, COLOUR_OFF);
}

static void write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(setup.fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody can be told that nobody can be told */
        bytes += written;
        size -= (size_t)written;
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    struct line line;
    line.size = 0;
    line.limit = LINE_MAX_SIZE - 32;
    line.is_cut = false;

    if (setup.is_json)
        begin_json(&line, level, event);
    else
        begin_text(&line, level, event);

    for (const struct log_field *field = fields; field->type != LOG_TYPE_END; field++) {
        size_t before = line.size;
        put_field(&line, field);
        if (line.is_cut) { /* a whole field or none, so that JSON stays JSON */
            line.size = before;
            line.is_cut = false;
            line.limit = LINE_MAX_SIZE;
            put_cstr(&line, setup.is_json ? ",\"cut\":true" : " cut=true");
            break;
        }
    }
    line.limit = LINE_MAX_SIZE;
    put_cstr(&line, setup.is_json ? "}\n" : "\n");
    write_all(line.bytes, line.size);
}
