// SPDX-License-Identifier: Apache-2.0
#include "webserver/api/log_store.h"

#include "tests/support/test.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* In place of libc's: how often it was asked for, and whether the disk does it. */
static atomic_int syncs;
static atomic_bool sync_fails;

int fdatasync(int fd)
{
    (void)fd;
    atomic_fetch_add(&syncs, 1);
    errno = EIO;
    return atomic_load(&sync_fails) ? -1 : 0;
}

struct world {
    char folder[64];
    struct loop *loop;
    struct wire *wire;
    struct log_store *logs;
    struct id128 attempt;
    bool logs_closed, wire_closed, is_up, is_acked;
    int64_t acked;
    uint32_t acks, changes;
};

static struct world w;

static void set_true(void *owner)
{
    *(bool *)owner = true;
}

static void on_change(void *owner, struct id128 attempt)
{
    (void)owner;
    assert_true(id_eq(attempt, w.attempt));
    w.changes++;
}

static void open_logs(void)
{
    struct arena arena = { 0 };
    struct err err = { 0 };
    struct log_store_options options = { .wire = w.wire,
                                         .base = str_format(&arena, "file://%s/logs", w.folder),
                                         .host = STR("127.0.0.1"),
                                         .retention_ms = 1000 };
    if (log_store_open(&w.logs, w.loop, &options, &err) < 0)
        fail_msg("%s", err.sentence);
    log_store_watch(w.logs, on_change, NULL);
    arena_clear(&arena);
}

static void close_logs(void)
{
    w.logs_closed = false;
    log_store_close(w.logs, set_true, &w.logs_closed);
    assert_true(loop_run_until(w.loop, &w.logs_closed, 60000));
}

static int setup(void **state)
{
    (void)state;
    w = (struct world) { .attempt = id_v7(1795239457205, 1, 2) };
    snprintf(w.folder, sizeof w.folder, "/tmp/log_store_XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    assert_int_equal(loop_new(&w.loop, NULL), 0);
    assert_int_equal(wire_open(&w.wire, w.loop, NULL, NULL), 0);
    open_logs();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    close_logs();
    wire_close(w.wire, set_true, &w.wire_closed);
    assert_true(loop_run_until(w.loop, &w.wire_closed, 60000));
    loop_free(w.loop);
    snprintf(command, sizeof command, "rm -rf %s", w.folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static int64_t append(int64_t offset, const char *text, bool is_complete)
{
    int64_t safe = -1;
    struct err err = { 0 };
    if (log_store_append(w.logs, w.attempt, offset, str_of(text), is_complete, &safe, &err) < 0)
        fail_msg("%s", err.sentence);
    return safe;
}

static void check_lines(int64_t from, int64_t count, const char *wanted)
{
    struct buf out = { 0 };
    int64_t got = 0;
    assert_int_equal(log_store_lines(w.logs, w.attempt, from, count, 1 << 20, &out, &got), 0);
    assert_string_equal(out.bytes == NULL ? "" : out.bytes, wanted);
    buf_clear(&out);
}

static void bytes_are_taken_where_they_belong_and_gaps_are_refused(void **state)
{
    (void)state;
    assert_int_equal(append(0, "1 O a\n2 O b\n", false), 12);
    assert_int_equal(append(0, "1 O a\n", false), 12);        /* again */
    assert_int_equal(append(6, "2 O b\n3 E c\n", false), 18); /* overlapping */
    assert_int_equal(append(30, "9 O z\n", false), 18);       /* a gap: what is safe is said */
    assert_int_equal(append(18, "4 O half", false), 26);
    check_lines(0, 10, "1 O a\n2 O b\n3 E c\n"); /* half a line is no line yet */
    check_lines(1, 1, "2 O b\n");
    check_lines(3, 5, "");
    struct log_info info;
    assert_int_equal(log_store_info(w.logs, w.attempt, &info), 0);
    assert_int_equal(info.lines, 3);
    assert_false(info.is_complete);
    assert_int_equal(w.changes, 4);
}

static void the_last_line_of_a_complete_log_needs_no_line_end(void **state)
{
    (void)state;
    assert_int_equal(append(0, "1 O a\n2 O b", true), 11);
    struct log_info info;
    assert_int_equal(log_store_info(w.logs, w.attempt, &info), 0);
    assert_true(info.is_complete);
    assert_int_equal(info.lines, 2);
    check_lines(0, 10, "1 O a\n2 O b\n");
    check_lines(1, 10, "2 O b\n");
    close_logs();
    open_logs(); /* a restart finds it as it was */
    assert_int_equal(log_store_info(w.logs, w.attempt, &info), 0);
    assert_true(info.is_complete && info.lines == 2);
}

static void a_complete_mark_before_all_bytes_are_there_does_not_count(void **state)
{
    (void)state;
    struct log_info info;
    assert_int_equal(append(0, "1 O a\n", false), 6);
    assert_int_equal(append(20, "end\n", true), 6);
    assert_int_equal(log_store_info(w.logs, w.attempt, &info), 0);
    assert_false(info.is_complete);
}

static void any_line_of_a_long_log_is_found(void **state)
{
    (void)state;
    struct buf text = { 0 };
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "%d O line %d\n", i, i);
    assert_int_equal(append(0, text.bytes, true), (int64_t)text.size);
    check_lines(0, 1, "0 O line 0\n");
    check_lines(255, 2, "255 O line 255\n256 O line 256\n");
    check_lines(1999, 5, "1999 O line 1999\n");
    struct buf out = { 0 };
    int64_t got = 0;
    assert_int_equal(log_store_lines(w.logs, w.attempt, 0, 5000, 1 << 20, &out, &got), 0);
    assert_int_equal(got, 2000);
    assert_true(str_eq(buf_str(&out), buf_str(&text)));
    buf_reset(&out);
    assert_int_equal(log_store_lines(w.logs, w.attempt, 0, 5000, 100, &out, &got), 0);
    assert_true(got > 0 && got < 20); /* bounded by bytes */
    buf_clear(&out);
    buf_clear(&text);
}

static void many_logs_that_grow_by_turns_are_not_read_again(void **state)
{
    (void)state;
    enum { LOGS = 400, TURNS = 5 };
    static char chunk[20000];
    memset(chunk, 'x', sizeof chunk - 2);
    chunk[sizeof chunk - 2] = '\n';
    for (int turn = 0; turn < TURNS; turn++)
        for (int i = 0; i < LOGS; i++) {
            w.attempt = id_v7(1795239457205, 1, (uint64_t)i);
            append(turn * (int64_t)(sizeof chunk - 1), chunk, turn == TURNS - 1);
        }
    struct log_info info;
    w.attempt = id_v7(1795239457205, 1, 7);
    assert_int_equal(log_store_info(w.logs, w.attempt, &info), 0);
    assert_int_equal(info.lines, TURNS);
    assert_true(info.is_complete);
    assert_int_equal(log_store_scanned_bytes(w.logs), 0);
}

static void what_another_web_server_writes_is_seen(void **state)
{
    (void)state;
    struct world one = w, other;
    struct log_info info;
    append(0, "1 O one\n", false);
    assert_int_equal(wire_open(&w.wire, w.loop, NULL, NULL), 0);
    open_logs();
    other = w;
    assert_int_equal(log_store_info(other.logs, w.attempt, &info), 0);
    assert_int_equal(info.lines, 1);
    w = one;
    append(8, "2 O two\n", true);
    w = other;
    assert_int_equal(log_store_info(other.logs, w.attempt, &info), 0);
    assert_int_equal(info.lines, 2);
    assert_true(info.is_complete);
    check_lines(1, 1, "2 O two\n");
    close_logs();
    wire_close(w.wire, set_true, &w.wire_closed);
    assert_true(loop_run_until(w.loop, &w.wire_closed, 60000));
    w = one;
}

static void what_is_no_attempt_gets_no_file(void **state)
{
    (void)state;
    int64_t safe;
    struct log_info info;
    struct id128 not_v7 = { 0x1234, 0x5678 };
    assert_int_equal(log_store_append(w.logs, not_v7, 0, STR("x"), false, &safe, NULL),
                     ERR_PROTOCOL);
    assert_int_equal(log_store_append(w.logs, w.attempt, -1, STR("x"), false, &safe, NULL),
                     ERR_PROTOCOL);
    assert_int_equal(log_store_info(w.logs, not_v7, &info), ERR_NOT_FOUND);
    assert_int_equal(log_store_info(w.logs, id_v7(1795239457205, 9, 9), &info), ERR_NOT_FOUND);
}

static void a_symbolic_link_in_the_place_of_a_log_is_not_followed(void **state)
{
    (void)state;
    char folder[128], link_path[256], id[ID_TEXT_SIZE];
    int64_t safe;
    id_text(w.attempt, id);
    snprintf(folder, sizeof folder, "%s/logs/2026-11-21", w.folder);
    snprintf(link_path, sizeof link_path, "%s/%s.log", folder, id);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(symlink("/tmp/elsewhere", link_path), 0);
    assert_true(log_store_append(w.logs, w.attempt, 0, STR("x"), false, &safe, NULL) < 0);
    assert_int_not_equal(access("/tmp/elsewhere", F_OK), 0);
}

static void lines_have_time_stream_and_text(void **state)
{
    (void)state;
    struct log_line line;
    assert_true(log_line_read(STR("1795239457205 E a b  c"), &line));
    assert_int_equal(line.at_ms, 1795239457205);
    assert_int_equal(line.stream, 'E');
    assert_str(line.text, "a b  c");
    assert_true(log_line_read(STR("7 O "), &line));
    assert_str(line.text, "");
    assert_false(log_line_read(STR("no line of ours"), &line));
    assert_str(line.text, "no line of ours");
    assert_false(log_line_read(STR(""), &line));
}

static void on_state(struct wire_client *client, bool is_up, const struct err *why)
{
    (void)client, (void)why;
    w.is_up = is_up;
}

static void on_message(struct wire_client *client, const struct message *message)
{
    (void)client;
    assert_int_equal(message->type, MESSAGE_LOG_ACK);
    assert_true(id_eq(message->log_ack.attempt, w.attempt));
    w.acked = message->log_ack.offset;
    w.is_acked = true;
    w.acks++;
}

static struct wire_client *open_worker(void)
{
    char endpoint[64];
    struct wire_client *client;
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", log_store_port(w.logs));
    struct wire_client_options options = { .name = "test",
                                           .endpoint = endpoint,
                                           .sender = "w-1",
                                           .on_state = on_state,
                                           .on_message = on_message };
    assert_int_equal(wire_client_open(&client, w.wire, &options, NULL), 0);
    assert_true(loop_run_until(w.loop, &w.is_up, 60000));
    return client;
}

static void send_chunk(struct wire_client *client, int64_t offset, const char *text,
                       bool is_complete)
{
    struct message message = { .type = MESSAGE_LOG_CHUNK };
    message.log_chunk.attempt = w.attempt;
    message.log_chunk.offset = offset;
    message.log_chunk.content = str_of(text);
    message.log_chunk.complete = is_complete;
    w.is_acked = false;
    assert_int_equal(wire_client_send(client, &message, NULL), 0);
}

static void a_worker_sends_chunks_and_gets_what_is_safe(void **state)
{
    (void)state;
    struct wire_client *client = open_worker();
    static const struct {
        int64_t offset;
        const char *text;
        int64_t safe;
    } CHUNKS[] = {
        { 0, "1 O a\n", 6 }, { 6, "2 O b\n", 12 }, { 100, "9 O z\n", 12 }, { 0, "1 O a\n", 12 }
    };
    for (size_t i = 0; i < sizeof CHUNKS / sizeof *CHUNKS; i++) {
        send_chunk(client, CHUNKS[i].offset, CHUNKS[i].text, false);
        assert_true(loop_run_until(w.loop, &w.is_acked, 60000));
        assert_int_equal(w.acked, CHUNKS[i].safe);
    }
    check_lines(0, 5, "1 O a\n2 O b\n");
    wire_client_close(client);
}

/* With its answer the worker deletes the only other copy. */
static void a_complete_log_is_acknowledged_when_it_is_safe_from_a_loss_of_power(void **state)
{
    (void)state;
    struct wire_client *client = open_worker();
    bool never = false;
    int before = atomic_load(&syncs);
    send_chunk(client, 0, "1 O a\n", false);
    assert_true(loop_run_until(w.loop, &w.is_acked, 60000));
    assert_int_equal(atomic_load(&syncs), before);
    atomic_store(&sync_fails, true);
    send_chunk(client, 6, "2 O b\n", true);
    while (atomic_load(&syncs) == before)
        (void)loop_run_until(w.loop, &never, 5);
    atomic_store(&sync_fails, false);
    send_chunk(client, 6, "2 O b\n", true); /* as the worker does that was not answered */
    assert_true(loop_run_until(w.loop, &w.is_acked, 60000));
    assert_int_equal(w.acked, 12);
    assert_int_equal(w.acks, 2);
    assert_int_equal(atomic_load(&syncs), before + 2);
    wire_client_close(client);
}

int main(void)
{
#define LOG_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        LOG_CASE(bytes_are_taken_where_they_belong_and_gaps_are_refused),
        LOG_CASE(the_last_line_of_a_complete_log_needs_no_line_end),
        LOG_CASE(a_complete_mark_before_all_bytes_are_there_does_not_count),
        LOG_CASE(any_line_of_a_long_log_is_found),
        LOG_CASE(many_logs_that_grow_by_turns_are_not_read_again),
        LOG_CASE(what_another_web_server_writes_is_seen),
        LOG_CASE(what_is_no_attempt_gets_no_file),
        LOG_CASE(a_symbolic_link_in_the_place_of_a_log_is_not_followed),
        LOG_CASE(lines_have_time_stream_and_text),
        LOG_CASE(a_worker_sends_chunks_and_gets_what_is_safe),
        LOG_CASE(a_complete_log_is_acknowledged_when_it_is_safe_from_a_loss_of_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
