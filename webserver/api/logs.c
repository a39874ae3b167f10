// SPDX-License-Identifier: Apache-2.0
/* The logs of attempts: Airflow's JSON with a continuation token, and the lines of the web
 * application. */
#include "common/base/assert.h"
#include "common/base/civil.h"
#include "common/store/request_store.h"
#include "common/text/json.h"
#include "webserver/api/handlers.h"
#include "webserver/api/line_level.h"
#include "webserver/api/line_search.h"
#include "webserver/api/log_store.h"

enum {
    LINES_MAX = 2000,
    LINE_SHOWN_MAX = 64 * 1024,
    PAGE_BYTES = 1 << 20,
    STREAM_LINES = 512,
    LOOK_MS = 50,
    LOOK_LINES = 4096,
    LOOK_BYTES = 64 * 1024, /* between two looks at the clock */
    WANTED_SIZE_MAX = 256,
};

/* ---- which attempt ---- */

struct reading {
    struct call *call;
    bool may_be_none; /* asked before it is known whether there is a log at all */
    struct id128 attempt;
    int32_t try_no;
    bool has_ended;
    struct log_info info;
    void (*then)(struct reading *reading);
    int64_t line; /* of a stream */
};

static const char *const NO_LOG = "This try has not written a log, or it has not arrived yet.";

static void on_attempts(void *owner, int rc, const struct attempt_row *rows, uint32_t count,
                        const struct err *err)
{
    struct reading *reading = owner;
    struct call *call = reading->call;
    if (rc < 0) {
        call_fail(call, rc, err);
        return;
    }
    /* Losses of ours make several attempts of one try: the newest that has a log. */
    for (uint32_t i = 0; i < count; i++)
        if (log_store_info(call->api->logs, rows[i].attempt, &reading->info) == 0) {
            reading->attempt = rows[i].attempt;
            reading->try_no = rows[i].try_no;
            reading->has_ended = rows[i].has_ended;
            reading->then(reading);
            return;
        }
    int64_t kept_ms = call->api->options.conf->logging_retention_ms;
    bool is_expired = count > 0 && rows[0].queued_ms < loop_wall_ms() - kept_ms;
    if (reading->may_be_none)
        reading->then(reading); /* an empty one, of try 0 */
    else
        call_refuse_reason(call, 404, is_expired ? "expired" : "no_log", "%s",
                           is_expired ? "The log was deleted after logging.retention." : NO_LOG);
}

enum { NEWEST_TRY = -1 };

static void find(struct call *call, int64_t map_index, int64_t try_no,
                 void (*then)(struct reading *reading))
{
    if (call_refuse_problems(call))
        return;
    struct reading *reading = ARENA_NEW(call->arena, struct reading);
    *reading = (struct reading) { .call = call, .may_be_none = try_no == NEWEST_TRY, .then = then };
    attempts_read(call->api->options.store, call_param(call, "dag_id"),
                  call_param(call, "dag_run_id"), call_param(call, "task_id"), (int32_t)map_index,
                  (int32_t)try_no, on_attempts, reading);
}

/* ---- Airflow's ---- */

static void write_message(struct buf *out, struct str raw)
{
    struct log_line line;
    static const struct {
        char stream;
        const char *level, *logger;
    } STREAMS[] = { { 'O', "info", "task.stdout" },
                    { 'E', "error", "task.stderr" },
                    { 'S', "info", "headrace" } };
    bool is_known = log_line_read(raw, &line);
    struct arena arena = { 0 };
    buf_add_byte(out, '{');
    if (is_known) {
        struct str time = civil_text(&arena, line.at_ms);
        buf_printf(out, "\"timestamp\":\"%.*s\",", STR_ARG(time));
    }
    buf_add_cstr(out, "\"event\":");
    json_write_string(out, str_slice(line.text, 0, LINE_SHOWN_MAX));
    for (size_t i = 0; is_known && i < sizeof STREAMS / sizeof *STREAMS; i++)
        if (STREAMS[i].stream == line.stream)
            buf_printf(out, ",\"level\":\"%s\",\"logger\":\"%s\"", STREAMS[i].level,
                       STREAMS[i].logger);
    buf_add_byte(out, '}');
    arena_clear(&arena);
}

/* Adds messages from `from` on; gives how many. */
static int64_t write_messages(struct reading *reading, struct buf *out, int64_t from, int64_t count,
                              size_t bytes_max, const char *between)
{
    struct buf raw = { 0 };
    int64_t got = 0;
    int rc = log_store_lines(reading->call->api->logs, reading->attempt, from, count, bytes_max,
                             &raw, &got);
    struct str rest = buf_str(&raw), line;
    for (int64_t i = 0; rc == 0 && i < got && str_split(&rest, '\n', &line); i++) {
        if (i > 0)
            buf_add_cstr(out, between);
        write_message(out, line);
    }
    buf_clear(&raw);
    return rc < 0 ? 0 : got;
}

/* "L<line>": the next line. The token carries no secret and needs no signature: it says what
 * anybody with the right to read the log may ask for. */
static int64_t token_line(struct call *call)
{
    struct str token = call_query(call, "token", STR_EMPTY);
    int64_t line = 0;
    if (token.size > 0 && (token.bytes[0] != 'L' ||
                           str_to_int(str_slice(token, 1, token.size), 0, INT64_MAX, &line) < 0))
        call_problem(call, "query", "token", "value_error", "Invalid continuation token");
    return line;
}

static void answer_json(struct reading *reading)
{
    struct call *call = reading->call;
    int64_t from = token_line(call);
    if (call_refuse_problems(call))
        return;
    bool is_full = call_query_bool(call, "full_content", false);
    struct buf out = { 0 };
    buf_add_cstr(&out, "{\"content\":[");
    int64_t got =
        write_messages(reading, &out, from, is_full ? INT32_MAX : LINES_MAX, PAGE_BYTES, ",");
    bool is_over = reading->info.is_complete && from + got >= reading->info.lines;
    bool may_grow = !reading->info.is_complete && !reading->has_ended;
    if (is_over || (!may_grow && from + got >= reading->info.lines))
        buf_add_cstr(&out, "],\"continuation_token\":null}");
    else
        buf_printf(&out, "],\"continuation_token\":\"L%lld\"}", (long long)(from + got));
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
}

/* The whole log in pieces, as fast as the client takes it. */
static void pump_ndjson(struct reading *reading)
{
    struct http_request *request = reading->call->request;
    size_t queued = 0;
    while (queued < HTTP_HIGH_WATER) {
        struct buf out = { 0 };
        int64_t got =
            write_messages(reading, &out, reading->line, STREAM_LINES, HTTP_PIECE_SIZE, "\n");
        if (got == 0) {
            buf_clear(&out);
            http_stream_end(request);
            return;
        }
        reading->line += got;
        buf_add_byte(&out, '\n');
        queued = http_stream_write(request, buf_str(&out));
        buf_clear(&out);
        if (request->conn == NULL) {
            http_stream_end(request);
            return;
        }
    }
}

static void on_more_ndjson(struct http_request *request)
{
    pump_ndjson(((struct call *)request->context)->state);
}

static void on_gone(struct http_request *request)
{
    http_stream_end(request);
}

static void answer_log(struct reading *reading)
{
    struct call *call = reading->call;
    struct str accept = http_header(call->request, "Accept");
    if (accept.bytes == NULL || !http_accepts(accept, "application/x-ndjson")) {
        answer_json(reading);
        return;
    }
    call->state = reading;
    call->request->on_more = on_more_ndjson;
    call->request->on_gone = on_gone;
    http_stream_start(call->request, 200, "application/x-ndjson");
    pump_ndjson(reading);
}

void log_get(struct call *call)
{
    int64_t map_index = call_query_int(call, "map_index", -1, INT32_MAX, -1);
    find(call, map_index, call_param_int(call, "try_number", 0, INT16_MAX), answer_log);
}

/* ---- the web application's ---- */

/* "2026-11-21T06:00:00.123Z o text" */
static void write_line(struct buf *out, struct str raw)
{
    struct log_line line;
    if (!log_line_read(raw, &line)) {
        buf_add_cstr(out, "1970-01-01T00:00:00.000Z h ");
        buf_add_str(out, str_slice(raw, 0, LINE_SHOWN_MAX));
    } else {
        struct civil at = civil_of_ms(line.at_ms);
        char stream = line.stream == 'E' ? 'e' : line.stream == 'S' ? 'h' : 'o';
        buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %c ", at.year, at.month, at.day,
                   at.hour, at.minute, at.second, at.millisecond, stream);
        buf_add_str(out, str_slice(line.text, 0, LINE_SHOWN_MAX));
    }
    buf_add_byte(out, '\n');
}

static int64_t write_lines(struct reading *reading, struct buf *out, int64_t from, int64_t count,
                           size_t bytes_max)
{
    struct buf raw = { 0 };
    int64_t got = 0;
    int rc = log_store_lines(reading->call->api->logs, reading->attempt, from, count, bytes_max,
                             &raw, &got);
    struct str rest = buf_str(&raw), line;
    for (int64_t i = 0; rc == 0 && i < got && str_split(&rest, '\n', &line); i++)
        write_line(out, line);
    buf_clear(&raw);
    return rc < 0 ? 0 : got;
}

static struct str attempt_text(struct arena *arena, struct id128 attempt)
{
    char id[ID_TEXT_SIZE];
    id_text(attempt, id);
    return str_copy(arena, str_of(id));
}

static void set_number(struct call *call, const char *name, int64_t number)
{
    http_set_header(call->request, name, str_format(call->arena, "%lld", (long long)number));
}

static void answer_lines(struct reading *reading)
{
    struct call *call = reading->call;
    int64_t count = call_query_int(call, "lines", 1, LINES_MAX, 512);
    int64_t from = call_query_int(call, "from", 0, INT64_MAX / 2, 0);
    int64_t tail = call_query_int(call, "tail", 1, LINES_MAX, 0);
    if (call_refuse_problems(call))
        return;
    if (tail > 0) {
        from = reading->info.lines > tail ? reading->info.lines - tail : 0;
        count = tail;
    }
    struct buf out = { 0 };
    (void)write_lines(reading, &out, from, count, 4 * PAGE_BYTES);
    if (reading->try_no > 0)
        http_set_header(call->request, "Log-Attempt", attempt_text(call->arena, reading->attempt));
    set_number(call, "Log-Try", reading->try_no);
    set_number(call, "Log-First-Line", from);
    set_number(call, "Log-Lines", reading->info.lines);
    set_number(call, "Log-Bytes", reading->info.bytes);
    http_set_header(call->request, "Log-Complete",
                    reading->info.is_complete ? STR("true") : STR("false"));
    http_answer(call->request, 200, "text/plain; charset=utf-8", buf_str(&out));
    buf_clear(&out);
}

/* ---- looking through all of it ---- */

/* Line by line from `*at` on: until `on_line` has enough, or a while has passed (the loop has
 * others to serve: the next question goes on from there), or the log ends. */
static void look_through(struct reading *reading, int64_t *at,
                         bool (*on_line)(void *owner, struct str raw), void *owner)
{
    int64_t deadline_ms = loop_now_ms() + LOOK_MS, got = 1;
    size_t looked = 0;
    bool goes_on = true;
    struct buf raw = { 0 };
    while (goes_on && got > 0) {
        buf_reset(&raw);
        if (log_store_lines(reading->call->api->logs, reading->attempt, *at, LOOK_LINES, PAGE_BYTES,
                            &raw, &got) < 0)
            break;
        struct str rest = buf_str(&raw), line;
        for (int64_t i = 0; goes_on && i < got && str_split(&rest, '\n', &line); i++, ++*at) {
            goes_on = on_line(owner, line);
            looked += line.size;
            if (looked < LOOK_BYTES)
                continue;
            goes_on = goes_on && loop_now_ms() < deadline_ms;
            looked = 0;
        }
    }
    buf_clear(&raw);
}

static void write_looked(struct reading *reading, struct buf *out, int64_t at)
{
    buf_printf(out, "\"searched\":%lld,\"total_lines\":%lld,\"more\":%s}", (long long)at,
               (long long)reading->info.lines, at < reading->info.lines ? "true" : "false");
}

/* ---- by text ---- */

struct searching {
    struct line_search search;
    int64_t at, left;
    struct buf lines;
};

static bool add_found(void *owner, struct str raw)
{
    struct searching *searching = owner;
    struct log_line parts;
    (void)log_line_read(raw, &parts);
    if (!line_search_finds(&searching->search, parts.text))
        return true;
    buf_printf(&searching->lines, "%s%lld", searching->lines.size == 0 ? "" : ",",
               (long long)searching->at);
    return --searching->left > 0;
}

static void answer_search(struct reading *reading)
{
    struct call *call = reading->call;
    struct str wanted = call_query(call, "q", STR_EMPTY);
    bool with_case = call_query_bool(call, "case", false);
    struct searching searching = { .at = call_query_int(call, "from", 0, INT64_MAX / 2, 0),
                                   .left = call_query_int(call, "limit", 1, 10000, 1000) };
    if (wanted.size > WANTED_SIZE_MAX)
        call_problem(call, "query", "q", "string_too_long", "at most %d bytes", WANTED_SIZE_MAX);
    if (call_refuse_problems(call))
        return;
    line_search_init(&searching.search, wanted, with_case);
    look_through(reading, &searching.at, add_found, &searching);
    struct buf out = { 0 };
    buf_printf(&out, "{\"lines\":[%.*s],", STR_ARG(buf_str(&searching.lines)));
    write_looked(reading, &out, searching.at);
    call_json(call, 200, buf_str(&out));
    buf_clear(&out);
    buf_clear(&searching.lines);
    line_search_clear(&searching.search);
}

/* ---- by level ---- */

/* Lines of the levels that are wanted, as ["number","line"], and how many there are of each level
 * that was looked at. */
struct leveling {
    bool wants[LINE_LEVEL_COUNT];
    enum line_level before; /* of the line before `at` */
    int64_t at, left, counts[LINE_LEVEL_COUNT];
    struct buf lines;
};

static bool add_leveled(void *owner, struct str raw)
{
    struct leveling *leveling = owner;
    struct log_line parts;
    (void)log_line_read(raw, &parts);
    leveling->before = line_level_of(parts.text, leveling->before);
    leveling->counts[leveling->before]++;
    if (leveling->wants[leveling->before]) {
        struct buf shown = { 0 };
        write_line(&shown, raw);
        buf_printf(&leveling->lines, "%s[%lld,", leveling->lines.size == 0 ? "" : ",",
                   (long long)leveling->at);
        json_write_string(&leveling->lines, str_slice(buf_str(&shown), 0, shown.size - 1));
        buf_add_byte(&leveling->lines, ']');
        buf_clear(&shown);
        leveling->left--;
    }
    return leveling->left > 0 && leveling->lines.size < PAGE_BYTES;
}

static void read_levels(struct call *call, const char *name, struct leveling *leveling)
{
    struct str rest = call_query(call, name, STR_EMPTY), word;
    enum line_level level;
    while (rest.size > 0 && str_split(&rest, ',', &word))
        if (line_level_parse(word, &level) == 0)
            leveling->wants[level] = true;
        else
            call_problem(call, "query", name, "enum",
                         "plain, debug, info, warning or error is expected");
}

static void answer_levels(struct reading *reading)
{
    struct call *call = reading->call;
    struct leveling leveling = { .at = call_query_int(call, "from", 0, INT64_MAX / 2, 0),
                                 .left = call_query_int(call, "limit", 1, 10000, 5000) };
    struct buf out = { 0 };
    read_levels(call, "level", &leveling);
    if (line_level_parse(call_query(call, "before", STR("plain")), &leveling.before) < 0)
        call_problem(call, "query", "before", "enum",
                     "the `before` of the last answer is expected");
    if (call_refuse_problems(call))
        return;
    look_through(reading, &leveling.at, add_leveled, &leveling);
    buf_printf(&out, "{\"lines\":[%.*s],\"counts\":{", STR_ARG(buf_str(&leveling.lines)));
    for (int level = 0; level < LINE_LEVEL_COUNT; level++)
        buf_printf(&out, "%s\"%s\":%lld", level == 0 ? "" : ",",
                   line_level_name((enum line_level)level), (long long)leveling.counts[level]);
    buf_printf(&out, "},\"before\":\"%s\",", line_level_name(leveling.before));
    write_looked(reading, &out, leveling.at);
    call_json(call, 200, buf_str(&out));
    buf_clear(&leveling.lines);
    buf_clear(&out);
}

static void pump_raw(struct reading *reading)
{
    struct http_request *request = reading->call->request;
    size_t queued = 0;
    while (queued < HTTP_HIGH_WATER) {
        struct buf out = { 0 };
        int64_t got = write_lines(reading, &out, reading->line, STREAM_LINES, HTTP_PIECE_SIZE);
        reading->line += got;
        queued = got == 0 ? 0 : http_stream_write(request, buf_str(&out));
        buf_clear(&out);
        if (got == 0 || request->conn == NULL) {
            http_stream_end(request);
            return;
        }
    }
}

static void on_more_raw(struct http_request *request)
{
    pump_raw(((struct call *)request->context)->state);
}

/* File names hold what is safe everywhere: ids may hold anything. */
static void answer_raw(struct reading *reading)
{
    struct call *call = reading->call;
    struct str id = attempt_text(call->arena, reading->attempt);
    call->state = reading;
    call->request->on_more = on_more_raw;
    call->request->on_gone = on_gone;
    http_set_header(call->request, "Content-Disposition",
                    str_format(call->arena, "attachment; filename=\"%.*s.log\"", STR_ARG(id)));
    http_stream_start(call->request, 200, "text/plain; charset=utf-8");
    pump_raw(reading);
}

void ui_log(struct call *call)
{
    static void (*const ANSWERS[])(struct reading * reading) = { answer_lines, answer_search,
                                                                 answer_raw, answer_levels };
    int64_t map_index = call_param_int(call, "map_index", -1, INT32_MAX);
    find(call, map_index, call_param_int(call, "try_number", 0, INT16_MAX),
         ANSWERS[call->route->aux]);
}

void ui_log_newest(struct call *call)
{
    find(call, call_param_int(call, "map_index", -1, INT32_MAX), NEWEST_TRY, answer_lines);
}
