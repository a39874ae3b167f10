// SPDX-License-Identifier: Apache-2.0
/* The messages and their bytes. tests/golden/v1/ holds what this release and earlier ones have
 * written: it must decode for ever. HEADRACE_WRITE_GOLDEN=1 writes files that are missing, for a
 * new message, and the description of the protocol. */
#include "common/wire/message.h"

#include "tests/support/test.h"

#include <proto/v1/headrace.pb-c.h>
#include <stdlib.h>

#define GOLDEN HEADRACE_SOURCE_DIR "/tests/golden/v1/"

static const struct id128 id_a = { 0x0192a1b2c3d47e5f, 0x8899aabbccddeeff }, id_b = { 1, 2 };
static struct str argv_items[] = { { "bash", 4 }, { "-c", 2 }, { "echo hi", 7 } };
static struct str env_items[] = { { "A=1", 3 }, { "B=", 2 } };
static struct str secret_items[] = { { "hunter2", 7 } };
static const uint64_t open_seqs[] = { 7, 8, UINT64_MAX };

static const struct message_attempt attempts[] = {
    { .attempt = { 3, 4 }, .credit = { 5, 6 } },
    { .attempt = { 7, 8 },
      .credit = { 9, 10 },
      .ended = true,
      .result = { .outcome = OUTCOME_FAILED,
                  .exit_code = -9,
                  .started_unix_ms = 1700000000000,
                  .ended_unix_ms = 1700000000999,
                  .output = { "{\"n\": 1}", 8 },
                  .error = { "killed by signal 9", 18 },
                  .hard = true,
                  .cpu_ms = 12,
                  .memory_peak_bytes = 1LL << 33,
                  .log_bytes = 77 } },
};
static const struct message_note notes[] = {
    { 1LL << 40, 7, -1, -1, 0, 2, CAUSE_TASKS_DONE, 1700000000000 },
    { 1LL << 40, 7, 3, 12, 2, 4, CAUSE_EXIT_OK, 1700000000001 }
};

static const struct errand errands[] = {
    { { 1, 2 }, 3, ERRAND_FILE, { "{\"path\": \"/x\"}", 14 } },
    { { 5, 6 }, 1, ERRAND_NOTIFY, { "{\"webhook\": \"http://h\"}", 23 } },
};
static const struct errand_answer errand_answers[] = {
    { { 1, 2 }, 3, ERRAND_DONE, { "\"/x\"", 4 }, { "", 0 } },
    { { 5, 6 }, 1, ERRAND_UNREACHABLE, { "", 0 }, { "refused", 7 } },
};

/* One message of each kind, with every field set. */
static uint32_t make_samples(struct message *out)
{
    static const struct id128 acked[] = { { 1, 2 }, { 3, 4 } };
    struct message samples[] = {
        { .type = MESSAGE_HELLO, .hello = { 1, 2, STR("worker"), STR("0.1.0") } },
        { .type = MESSAGE_INVENTORY,
          .inventory = { .name = STR("w1"),
                         .host = STR("höst"),
                         .release = STR("0.1.0"),
                         .queues = STR("default,gpu"),
                         .boot = id_a,
                         .incarnation = 3,
                         .sent_ms = 123456789,
                         .slots = 16,
                         .next_seq = 9,
                         .open_seqs = open_seqs,
                         .open_count = 3,
                         .attempts = attempts,
                         .attempt_count = 2,
                         .leaving = true } },
        { .type = MESSAGE_STARTED, .started = { id_a, 1700000000000 } },
        { .type = MESSAGE_GRANT,
          .grant = { .attempt = id_a,
                     .credit = { 3, 7 },
                     .stamp_ms = 123456789,
                     .credit_ttl_ms = 30000,
                     .lease_ms = 300000,
                     .dag_id = STR("d"),
                     .run_id = STR("manual__1"),
                     .task_id = STR("g.t"),
                     .map_index = -1,
                     .try_no = 2,
                     .fence = 99,
                     .spec = { .argv = argv_items,
                               .argv_count = 3,
                               .env = env_items,
                               .env_count = 2,
                               .input = { "in\0put", 6 },
                               .cwd = STR("/tmp"),
                               .run_as_user = STR("nobody"),
                               .secrets = secret_items,
                               .secret_count = 1,
                               .output_rule = OUTPUT_LAST_LINE,
                               .max_output_bytes = 1 << 20,
                               .timeout_ms = 60000,
                               .kill_grace_ms = 30000,
                               .skip_exit_code = -1,
                               .cpu_milli = 500,
                               .memory_bytes = 1LL << 30,
                               .pids_max = 64 } } },
        { .type = MESSAGE_ACK, .ack = { acked, 2 } },
        { .type = MESSAGE_KILL, .kill = { id_b, CAUSE_STOPPED } },
        { .type = MESSAGE_SYNC },
        { .type = MESSAGE_RENEWED, .renewed = { 123456789, 300000 } },
        { .type = MESSAGE_DRAIN, .drain = { true } },
        { .type = MESSAGE_STOP },
        { .type = MESSAGE_SUBSCRIBE },
        { .type = MESSAGE_NUDGE },
        { .type = MESSAGE_NOTES, .notes = { 41, notes, 2, true } },
        { .type = MESSAGE_WHY_QUESTION, .why_question = { 5, 1LL << 40, 3, -1 } },
        { .type = MESSAGE_WHY_ANSWER,
          .why_answer = { 5, STR("pool default_pool: 128 of 128 slots in use\n") } },
        { .type = MESSAGE_LOG_CHUNK,
          .log_chunk = { id_a, 4096, { "1700000000000 O \xff\n", 17 }, true } },
        { .type = MESSAGE_LOG_ACK, .log_ack = { id_a, 4096 } },
        { .type = MESSAGE_ERRANDS, .errands = { errands, 2 } },
        { .type = MESSAGE_ERRANDS_DONE, .errands_done = { errand_answers, 2 } },
        { .type = MESSAGE_FIGURES_QUESTION, .figures_question = { 6 } },
        { .type = MESSAGE_FIGURES_ANSWER,
          .figures_answer = { 6, STR("headrace_scheduler_placed_total 3\n") } },
        { .type = MESSAGE_PROBE_QUESTION,
          .probe_question = { 7, STR("lake"), STR("{\"host\":\"db\"}") } },
        { .type = MESSAGE_PROBE_ANSWER, .probe_answer = { 7, true, STR("it opens") } },
        { .type = MESSAGE_WAITING_QUESTION,
          .waiting_question = { 8, STR("gpu"), STR("warehouse"), 50 } },
        { .type = MESSAGE_WAITING_ANSWER, .waiting_answer = { 8, STR("{\"total\":0}") } },
    };
    uint32_t count = sizeof samples / sizeof *samples;
    for (uint32_t i = 0; i < count; i++) {
        samples[i].sender = STR("worker-1");
        samples[i].epoch = (1ULL << 32) | 5;
        samples[i].message_no = i + 1;
        out[i] = samples[i];
    }
    return count;
}

static bool write_missing(void)
{
    return getenv("HEADRACE_WRITE_GOLDEN") != NULL;
}

static bool read_golden(const char *name, struct buf *out)
{
    char path[256], chunk[4096];
    size_t size;
    snprintf(path, sizeof path, GOLDEN "%s", name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(out, chunk, size);
    fclose(file);
    return true;
}

static void write_golden(const char *name, struct str bytes)
{
    char path[256];
    snprintf(path, sizeof path, GOLDEN "%s", name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fwrite(bytes.bytes, 1, bytes.size, file);
    fclose(file);
}

static void every_message_is_written_and_read_as_its_golden_bytes(void **state)
{
    (void)state;
    struct message samples[32], back;
    uint32_t count = make_samples(samples);
    for (uint32_t i = 0; i < count; i++) {
        struct buf bytes = { 0 }, golden = { 0 }, again = { 0 };
        struct arena arena = { 0 };
        struct err err = { 0 };
        char name[64];
        snprintf(name, sizeof name, "%s.bin", message_name(samples[i].type));
        assert_int_equal(message_pack(&samples[i], &bytes, NULL), 0);
        if (!read_golden(name, &golden)) {
            if (!write_missing())
                fail_msg("tests/golden/v1/%s is missing: HEADRACE_WRITE_GOLDEN=1 writes it", name);
            write_golden(name, buf_str(&bytes));
            buf_add_str(&golden, buf_str(&bytes));
        }
        if (!str_eq(buf_str(&bytes), buf_str(&golden)))
            fail_msg("%s: these are not the golden bytes any more", name);
        if (message_unpack(buf_str(&golden), &arena, &back, &err) < 0)
            fail_msg("%s: %s", name, err.sentence);
        assert_int_equal(back.type, samples[i].type);
        assert_int_equal(back.message_no, i + 1);
        assert_true(back.epoch == samples[i].epoch);
        assert_str(back.sender, "worker-1");
        /* Written again from what was read: every field has come through. */
        assert_int_equal(message_pack(&back, &again, NULL), 0);
        assert_true(str_eq(buf_str(&again), buf_str(&bytes)));
        buf_clear(&bytes);
        buf_clear(&golden);
        buf_clear(&again);
        arena_clear(&arena);
    }
}

static struct machine_load load_that_travels(struct machine_load load)
{
    struct message samples[32], back;
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    (void)make_samples(samples);
    samples[1].inventory.load = load;
    assert_int_equal(message_pack(&samples[1], &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_int_equal(back.inventory.attempt_count, 2);
    struct machine_load arrived = back.inventory.load;
    buf_clear(&bytes);
    arena_clear(&arena);
    return arrived;
}

/* The golden inventory, of a release that told no load, is read above. */
static void a_load_travels_with_the_inventory_and_one_that_cannot_be_is_none(void **state)
{
    (void)state;
    static const struct machine_load impossible[] = {
        { -5, 1, 1 }, { 9, -1, 1 }, { 9, 1, 1001 }, { 9, 1, -1 }
    };
    struct machine_load load =
        load_that_travels((struct machine_load) { 1LL << 40, 1LL << 39, 1000 });
    assert_true(load.memory_total_bytes == 1LL << 40 && load.memory_used_bytes == 1LL << 39);
    assert_int_equal(load.cpu_permille, 1000);
    assert_true(load_that_travels((struct machine_load) { 0 }).memory_total_bytes == 0);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        load = load_that_travels(impossible[i]);
        assert_true(load.memory_total_bytes == 0 && load.cpu_permille == 0);
    }
}

/* The others of the inventory must not suffer for it. */
static void a_result_with_foreign_bytes_is_read_all_the_same(void **state)
{
    (void)state;
    struct message samples[32], back;
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    (void)make_samples(samples);
    struct message_attempt strange[2] = { attempts[0], attempts[1] };
    strange[1].result.error = STR("caf\xE9");
    strange[1].result.output = STR("\xFF");
    samples[1].inventory.attempts = strange;
    assert_int_equal(message_pack(&samples[1], &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_int_equal(back.inventory.attempt_count, 2);
    assert_str(back.inventory.attempts[1].result.error, "caf\xEF\xBF\xBD");
    assert_str(back.inventory.attempts[1].result.output, "\xEF\xBF\xBD");
    buf_clear(&bytes);
    arena_clear(&arena);
}

/* Some fields by value, so that a pair of equal mistakes in packing and reading shows. */
static void fields_arrive_in_their_places(void **state)
{
    (void)state;
    struct message samples[32], back;
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    (void)make_samples(samples);
    assert_int_equal(message_pack(&samples[1], &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_true(id_eq(back.inventory.boot, id_a));
    assert_str(back.inventory.host, "höst");
    assert_true(back.inventory.open_seqs[2] == UINT64_MAX);
    assert_false(back.inventory.attempts[0].ended);
    assert_int_equal(back.inventory.attempts[1].result.exit_code, -9);
    assert_str(back.inventory.attempts[1].result.output, "{\"n\": 1}");
    assert_true(back.inventory.attempts[1].credit.seq == 10);
    buf_reset(&bytes);
    assert_int_equal(message_pack(&samples[3], &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_str(back.grant.spec.argv[2], "echo hi");
    assert_int_equal(back.grant.spec.argv[2].bytes[7], 0);
    assert_int_equal(back.grant.spec.input.size, 6);
    assert_int_equal(back.grant.map_index, -1);
    assert_int_equal(back.grant.spec.skip_exit_code, -1);
    assert_true(back.grant.fence == 99);
    buf_clear(&bytes);
    arena_clear(&arena);
}

static void add_field(struct buf *out, const char *message, const ProtobufCFieldDescriptor *field)
{
    static const char *const types[] = { "int32",    "sint32", "sfixed32", "int64",  "sint64",
                                         "sfixed64", "uint32", "fixed32",  "uint64", "fixed64",
                                         "float",    "double", "bool",     "enum",   "string",
                                         "bytes",    "message" };
    const char *type = types[field->type];
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        type = ((const ProtobufCMessageDescriptor *)field->descriptor)->short_name;
    buf_printf(out, "%s.%s = %u %s%s\n", message, field->name, field->id,
               field->label == PROTOBUF_C_LABEL_REPEATED ? "repeated " : "", type);
}

static void add_message(struct buf *out, const ProtobufCMessageDescriptor *message)
{
    char needle[128];
    snprintf(needle, sizeof needle, "\n%s\n", message->short_name);
    if (out->size > 0 && strstr(out->bytes, needle) != NULL)
        return;
    buf_printf(out, "\n%s\n", message->short_name);
    for (unsigned i = 0; i < message->n_fields; i++)
        add_field(out, message->short_name, &message->fields[i]);
    for (unsigned i = 0; i < message->n_fields; i++)
        if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            add_message(out, message->fields[i].descriptor);
}

static void a_change_of_the_protocol_shows_in_its_description(void **state)
{
    (void)state;
    struct buf now = { 0 }, golden = { 0 };
    add_message(&now, &headrace__v1__envelope__descriptor);
    if (!read_golden("protocol.txt", &golden) ||
        (write_missing() && !str_eq(buf_str(&now), buf_str(&golden)))) {
        assert_true(write_missing());
        write_golden("protocol.txt", buf_str(&now));
    } else if (!str_eq(buf_str(&now), buf_str(&golden))) {
        fail_msg("the protocol is no longer what tests/golden/v1/protocol.txt says; if only fields "
                 "were added, "
                 "HEADRACE_WRITE_GOLDEN=1 writes it anew:\n%s",
                 now.bytes);
    }
    buf_clear(&now);
    buf_clear(&golden);
}

static int unpack_rc(const void *bytes, size_t size, struct err *err)
{
    struct message message;
    struct arena arena = { 0 };
    int rc = message_unpack((struct str) { bytes, size }, &arena, &message, err);
    arena_clear(&arena);
    return rc;
}

static void a_hello_of_any_version_is_read_and_tells_who_can_talk(void **state)
{
    (void)state;
    static const struct {
        uint32_t lowest, highest;
        bool is_good;
    } peers[] = {
        { MESSAGE_VERSION_LOWEST, MESSAGE_VERSION, true },
        { 1, MESSAGE_VERSION + 1, true },
        { MESSAGE_VERSION, MESSAGE_VERSION + 7, true },
        { MESSAGE_VERSION + 1, MESSAGE_VERSION + 2, false },
        { 0, MESSAGE_VERSION_LOWEST - 1, false },
    };
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        struct message hello = message_hello(STR("worker")), back;
        struct arena arena = { 0 };
        struct buf bytes = { 0 };
        struct err err = { 0 };
        hello.sender = STR("w");
        hello.hello.lowest_version = peers[i].lowest;
        hello.hello.highest_version = peers[i].highest;
        assert_int_equal(message_pack(&hello, &bytes, NULL), 0);
        assert_int_equal(bytes.bytes[0], 8); /* the envelope's version, in the byte behind */
        bytes.bytes[1] = MESSAGE_VERSION + 1;
        assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
        assert_int_equal(message_hello_check(&back, &err), peers[i].is_good ? 0 : ERR_UNSUPPORTED);
        if (!peers[i].is_good)
            assert_non_null(strstr(err.sentence, "worker " HEADRACE_VERSION " speaks versions"));
        buf_clear(&bytes);
        arena_clear(&arena);
    }
}

static void foreign_bytes_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct err err = { 0 };
    assert_int_equal(unpack_rc("\xff\xff\xff\xff", 4, &err), ERR_PROTOCOL);
    assert_int_equal(unpack_rc("", 0, &err), ERR_UNSUPPORTED); /* version 0 */
    assert_int_equal(unpack_rc("\x08\x02", 2, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.sentence, "version 2"));
    assert_int_equal(unpack_rc("\x08\x01\x12\x01w", 5, &err), ERR_UNSUPPORTED); /* no body */
    assert_int_equal(unpack_rc("\x08\x01\x12\x01/\xfa\x01\x00", 8, &err),
                     ERR_PROTOCOL); /* nudge of "/" */
    assert_non_null(strstr(err.sentence, "sender"));
    assert_int_equal(unpack_rc("\x08\x01\x12\x01w\xfa\x01\x00", 8, &err), 0);
    /* kill with an id of 2 bytes; why_answer with a text that is not UTF-8 */
    assert_int_equal(unpack_rc("\x08\x01\x12\x01w\x7a\x04\x0a\x02xx", 11, &err), ERR_PROTOCOL);
    assert_string_equal(err.sentence, "message kill: kill.attempt has 2 bytes, not 16");
    assert_int_equal(unpack_rc("\x08\x01\x12\x01w\x92\x02\x04\x12\x02\xc3\x28", 12, &err),
                     ERR_PROTOCOL);
    assert_non_null(strstr(err.sentence, "why_answer.text is not UTF-8"));
}

static void a_swarm_of_empty_parts_cannot_eat_memory(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct message message;
    struct buf bytes = { 0 };
    /* Each empty note takes 2 bytes on the wire and would take 80 in memory. */
    uint32_t count = 500000;
    buf_add(&bytes, "\x08\x01\x12\x01w\x82\x02", 7);
    uint32_t size = count * 2;
    for (; size >= 128; size >>= 7)
        buf_add_byte(&bytes, (char)(size | 128));
    buf_add_byte(&bytes, (char)size);
    for (uint32_t i = 0; i < count; i++)
        buf_add(&bytes, "\x12\x00", 2);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &message, NULL), ERR_PROTOCOL);
    assert_true(arena.total < 20u << 20);
    arena_clear(&arena);
    buf_clear(&bytes);
}

static void a_full_inventory_fits_into_its_budget(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    static struct message_attempt many[COUNT];
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    struct message back;
    for (int i = 0; i < COUNT; i++)
        many[i] = (struct message_attempt) { .attempt = { 1, (uint64_t)i },
                                             .credit = { 1, (uint64_t)i } };
    struct message message = { .type = MESSAGE_INVENTORY,
                               .sender = STR("w"),
                               .inventory = { .attempts = many, .attempt_count = COUNT } };
    assert_int_equal(message_pack(&message, &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_true(back.inventory.attempts[COUNT - 1].attempt.low == COUNT - 1);
    arena_clear(&arena);
    buf_clear(&bytes);
}

static void a_message_that_is_too_large_is_not_made(void **state)
{
    (void)state;
    static char much[MESSAGE_SIZE_MAX];
    struct buf bytes = { 0 };
    struct err err = { 0 };
    struct message message = { .type = MESSAGE_LOG_CHUNK,
                               .sender = STR("w"),
                               .log_chunk = { .content = { much, sizeof much } } };
    buf_add_cstr(&bytes, "before");
    assert_int_equal(message_pack(&message, &bytes, &err), ERR_TOO_LARGE);
    assert_non_null(strstr(err.sentence, "log_chunk"));
    assert_str(buf_str(&bytes), "before");
    buf_clear(&bytes);
}

static void a_later_releases_words_are_read_as_the_nearest_safe_ones(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    struct message back;
    struct message_attempt attempt = { .ended = true, .result = { .outcome = (enum outcome)77 } };
    struct message message = { .type = MESSAGE_INVENTORY,
                               .sender = STR("w"),
                               .inventory = { .attempts = &attempt, .attempt_count = 1 } };
    assert_int_equal(message_pack(&message, &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_int_equal(back.inventory.attempts[0].result.outcome, OUTCOME_FAILED);
    buf_reset(&bytes);
    message = (struct message) { .type = MESSAGE_KILL,
                                 .sender = STR("w"),
                                 .kill = { id_a, (enum cause)999 } };
    assert_int_equal(message_pack(&message, &bytes, NULL), 0);
    assert_int_equal(message_unpack(buf_str(&bytes), &arena, &back, NULL), 0);
    assert_int_equal(back.kill.cause, CAUSE_NONE);
    arena_clear(&arena);
    buf_clear(&bytes);
}

static void words_for_a_process_hold_no_zero_byte(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    struct err err = { 0 };
    struct spec back, spec = { .argv = (struct str[]) { { "a\0b", 3 } }, .argv_count = 1 };
    message_pack_spec(&spec, &bytes);
    assert_int_equal(message_unpack_spec(buf_str(&bytes), &arena, &back, &err), ERR_PROTOCOL);
    assert_non_null(strstr(err.sentence, "zero byte"));
    spec.argv_count = 0;
    buf_reset(&bytes);
    message_pack_spec(&spec, &bytes);
    assert_int_equal(message_unpack_spec(buf_str(&bytes), &arena, &back, &err), ERR_PROTOCOL);
    arena_clear(&arena);
    buf_clear(&bytes);
}

static void specs_and_results_travel_alone(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct buf bytes = { 0 };
    struct spec spec;
    struct result result;
    struct message samples[32];
    (void)make_samples(samples);
    message_pack_spec(&samples[3].grant.spec, &bytes);
    assert_int_equal(message_unpack_spec(buf_str(&bytes), &arena, &spec, NULL), 0);
    assert_str(spec.cwd, "/tmp");
    assert_str(spec.secrets[0], "hunter2");
    assert_int_equal(spec.pids_max, 64);
    buf_reset(&bytes);
    message_pack_result(&attempts[1].result, &bytes);
    assert_int_equal(message_unpack_result(buf_str(&bytes), &arena, &result, NULL), 0);
    assert_true(result.memory_peak_bytes == 1LL << 33);
    assert_true(result.hard);
    assert_int_equal(message_unpack_result(STR("\xff"), &arena, &result, NULL), ERR_PROTOCOL);
    arena_clear(&arena);
    buf_clear(&bytes);
}

TESTS(CASE(every_message_is_written_and_read_as_its_golden_bytes),
      CASE(a_load_travels_with_the_inventory_and_one_that_cannot_be_is_none),
      CASE(fields_arrive_in_their_places), CASE(a_result_with_foreign_bytes_is_read_all_the_same),
      CASE(a_change_of_the_protocol_shows_in_its_description),
      CASE(a_hello_of_any_version_is_read_and_tells_who_can_talk),
      CASE(foreign_bytes_are_refused_with_a_reason), CASE(a_swarm_of_empty_parts_cannot_eat_memory),
      CASE(a_full_inventory_fits_into_its_budget), CASE(a_message_that_is_too_large_is_not_made),
      CASE(a_later_releases_words_are_read_as_the_nearest_safe_ones),
      CASE(words_for_a_process_hold_no_zero_byte), CASE(specs_and_results_travel_alone))
