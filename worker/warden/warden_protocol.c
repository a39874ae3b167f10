// SPDX-License-Identifier: Apache-2.0
#include "worker/warden/warden_protocol.h"

#include "common/base/assert.h"

enum { LIST_MAX = 65536 };

static void put_u8(struct buf *out, uint8_t value)
{
    buf_add_byte(out, (char)value);
}

static void put_u32(struct buf *out, uint32_t value)
{
    unsigned char bytes[4];

    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    buf_add(out, bytes, sizeof bytes);
}

static void put_u64(struct buf *out, uint64_t value)
{
    put_u32(out, (uint32_t)value);
    put_u32(out, (uint32_t)(value >> 32));
}

static void put_str(struct buf *out, struct str s)
{
    put_u32(out, (uint32_t)s.size);
    buf_add_str(out, s);
}

static void put_list(struct buf *out, const struct str *items, uint32_t count)
{
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++)
        put_str(out, items[i]);
}

static void put_task(struct buf *out, const struct warden_task *task)
{
    put_list(out, task->argv, task->argv_count);
    put_list(out, task->env, task->env_count);
    put_str(out, task->input);
    put_str(out, task->cwd);
    put_str(out, task->run_as_user);
    put_list(out, task->secrets, task->secret_count);
    put_u32(out, task->output_rule);
    put_u64(out, (uint64_t)task->max_output_bytes);
    put_u64(out, (uint64_t)task->timeout_ms);
    put_u64(out, (uint64_t)task->kill_grace_ms);
    put_u32(out, (uint32_t)task->skip_exit_code);
    put_u32(out, (uint32_t)task->cpu_milli);
    put_u64(out, (uint64_t)task->memory_bytes);
    put_u32(out, (uint32_t)task->pids_max);
    put_u64(out, (uint64_t)task->max_log_bytes);
}

static void put_result(struct buf *out, const struct warden_result *result)
{
    put_u32(out, result->outcome);
    put_u32(out, (uint32_t)result->exit_code);
    put_u64(out, (uint64_t)result->started_unix_ms);
    put_u64(out, (uint64_t)result->ended_unix_ms);
    put_str(out, result->output);
    put_str(out, result->error);
    put_u8(out, result->hard);
    put_u64(out, (uint64_t)result->cpu_ms);
    put_u64(out, (uint64_t)result->memory_peak_bytes);
    put_u64(out, (uint64_t)result->log_bytes);
}

void warden_encode(struct buf *out, const struct warden_message *message)
{
    size_t start = out->size;

    put_u32(out, 0);
    put_u8(out, (uint8_t)message->type);
    put_u64(out, message->attempt.high);
    put_u64(out, message->attempt.low);
    switch (message->type) {
    case WARDEN_HELLO:
        put_u32(out, message->version);
        break;
    case WARDEN_START:
        put_u64(out, (uint64_t)message->deadline_ms);
        put_task(out, &message->task);
        break;
    case WARDEN_KILL:
        put_u64(out, (uint64_t)message->grace_ms);
        break;
    case WARDEN_DEADLINE:
        put_u64(out, (uint64_t)message->deadline_ms);
        break;
    case WARDEN_STARTED:
        put_u64(out, (uint64_t)message->deadline_ms);
        put_u64(out, (uint64_t)message->started_unix_ms);
        break;
    case WARDEN_ENDED:
        put_result(out, &message->result);
        break;
    case WARDEN_LOG:
        put_u64(out, (uint64_t)message->log_bytes);
        break;
    case WARDEN_LIST:
    case WARDEN_FORGET:
    case WARDEN_STOP:
    case WARDEN_LISTED:
        break;
    }
    uint32_t size = (uint32_t)(out->size - start - WARDEN_HEADER_SIZE);
    for (int i = 0; i < 4; i++)
        out->bytes[start + (size_t)i] = (char)(size >> (8 * i));
}

/* Reads on; past the end everything is zero and `bad` stays false, a piece that is cut is `bad`. */
struct cursor {
    struct str rest;
    struct arena *arena;
    bool bad;
};

static uint64_t take(struct cursor *cursor, size_t size)
{
    uint64_t value = 0;

    if (cursor->rest.size < size) {
        cursor->bad = cursor->bad || cursor->rest.size > 0;
        cursor->rest = STR_EMPTY;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)(unsigned char)cursor->rest.bytes[i] << (8 * i);
    cursor->rest = str_slice(cursor->rest, size, cursor->rest.size);
    return value;
}

static uint32_t take_u32(struct cursor *cursor)
{
    return (uint32_t)take(cursor, 4);
}

static int64_t take_i64(struct cursor *cursor)
{
    return (int64_t)take(cursor, 8);
}

static struct str take_str(struct cursor *cursor)
{
    uint32_t size = take_u32(cursor);

    if (size > cursor->rest.size) {
        cursor->bad = true;
        return STR_EMPTY;
    }
    struct str s = str_slice(cursor->rest, 0, size);
    cursor->rest = str_slice(cursor->rest, size, cursor->rest.size);
    return s;
}

static struct str *take_list(struct cursor *cursor, uint32_t *out_count)
{
    uint32_t count = take_u32(cursor);

    /* Each item takes at least its four bytes of size, so a count beyond that is a lie, told before
     * it costs memory. */
    if (count > LIST_MAX || count > cursor->rest.size / 4) {
        cursor->bad = true;
        *out_count = 0;
        return NULL;
    }
    struct str *items = ARENA_ARRAY(cursor->arena, struct str, count);
    for (uint32_t i = 0; i < count; i++)
        items[i] = take_str(cursor);
    *out_count = count;
    return items;
}

static void take_task(struct cursor *cursor, struct warden_task *task)
{
    task->argv = take_list(cursor, &task->argv_count);
    task->env = take_list(cursor, &task->env_count);
    task->input = take_str(cursor);
    task->cwd = take_str(cursor);
    task->run_as_user = take_str(cursor);
    task->secrets = take_list(cursor, &task->secret_count);
    task->output_rule = take_u32(cursor);
    task->max_output_bytes = take_i64(cursor);
    task->timeout_ms = take_i64(cursor);
    task->kill_grace_ms = take_i64(cursor);
    task->skip_exit_code = (int32_t)take_u32(cursor);
    task->cpu_milli = (int32_t)take_u32(cursor);
    task->memory_bytes = take_i64(cursor);
    task->pids_max = (int32_t)take_u32(cursor);
    task->max_log_bytes = take_i64(cursor);
}

static void take_result(struct cursor *cursor, struct warden_result *result)
{
    result->outcome = take_u32(cursor);
    result->exit_code = (int32_t)take_u32(cursor);
    result->started_unix_ms = take_i64(cursor);
    result->ended_unix_ms = take_i64(cursor);
    result->output = take_str(cursor);
    result->error = take_str(cursor);
    result->hard = take(cursor, 1) != 0;
    result->cpu_ms = take_i64(cursor);
    result->memory_peak_bytes = take_i64(cursor);
    result->log_bytes = take_i64(cursor);
}

int warden_frame(struct str bytes, struct str *out_frame, struct err *err)
{
    struct cursor cursor = { .rest = bytes };

    if (bytes.size < WARDEN_HEADER_SIZE) {
        *out_frame = STR_EMPTY;
        return 0;
    }
    uint32_t size = take_u32(&cursor);
    if (size < 17 || size > WARDEN_FRAME_MAX)
        return err_set(err, ERR_PROTOCOL, "a frame of %u bytes on the warden's socket", size);
    *out_frame = size > cursor.rest.size ? STR_EMPTY
                                         : str_slice(bytes, 0, WARDEN_HEADER_SIZE + (size_t)size);
    return 0;
}

int warden_decode(struct arena *arena, struct str frame, struct warden_message *out,
                  struct err *err)
{
    struct cursor cursor = { .rest = str_slice(frame, WARDEN_HEADER_SIZE, frame.size),
                             .arena = arena };
    struct warden_message message = { 0 };

    message.type = (enum warden_message_type)take(&cursor, 1);
    message.attempt.high = take(&cursor, 8);
    message.attempt.low = take(&cursor, 8);
    switch (message.type) {
    case WARDEN_HELLO:
        message.version = take_u32(&cursor);
        break;
    case WARDEN_START:
        message.deadline_ms = take_i64(&cursor);
        take_task(&cursor, &message.task);
        break;
    case WARDEN_KILL:
        message.grace_ms = take_i64(&cursor);
        break;
    case WARDEN_DEADLINE:
        message.deadline_ms = take_i64(&cursor);
        break;
    case WARDEN_STARTED:
        message.deadline_ms = take_i64(&cursor);
        message.started_unix_ms = take_i64(&cursor);
        break;
    case WARDEN_ENDED:
        take_result(&cursor, &message.result);
        break;
    case WARDEN_LOG:
        message.log_bytes = take_i64(&cursor);
        break;
    case WARDEN_LIST:
    case WARDEN_FORGET:
    case WARDEN_STOP:
    case WARDEN_LISTED:
        break;
    default:
        return err_set(err, ERR_UNSUPPORTED, "message type %d on the warden's socket",
                       message.type);
    }
    if (cursor.bad)
        return err_set(err, ERR_PROTOCOL, "a message %s that is cut short",
                       warden_message_name(message.type));
    *out = message;
    return 0;
}

const char *warden_message_name(enum warden_message_type type)
{
    switch (type) {
    case WARDEN_HELLO:
        return "HELLO";
    case WARDEN_START:
        return "START";
    case WARDEN_KILL:
        return "KILL";
    case WARDEN_DEADLINE:
        return "DEADLINE";
    case WARDEN_LIST:
        return "LIST";
    case WARDEN_FORGET:
        return "FORGET";
    case WARDEN_STOP:
        return "STOP";
    case WARDEN_STARTED:
        return "STARTED";
    case WARDEN_ENDED:
        return "ENDED";
    case WARDEN_LOG:
        return "LOG";
    case WARDEN_LISTED:
        return "LISTED";
    }
    return "?";
}
