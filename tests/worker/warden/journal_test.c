// SPDX-License-Identifier: Apache-2.0
#include "common/base/vec.h"
#include "tests/support/test.h"
#include "worker/warden/journal.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

struct fixture {
    char folder[32];
    int dir_fd;
    struct journal journal;
    struct buf seen; /* "type:attempt:bytes;" */
};

static void on_replay(void *owner, const struct journal_record *record)
{
    struct fixture *fixture = owner;

    buf_printf(&fixture->seen, "%u:%llu:%.*s;", record->type,
               (unsigned long long)record->attempt.low, STR_ARG(record->bytes));
}

static void reopen(struct fixture *fixture)
{
    struct err err = { 0 };

    journal_close(&fixture->journal);
    buf_reset(&fixture->seen);
    if (journal_open(&fixture->journal, fixture->dir_fd, "j", on_replay, fixture, &err) < 0)
        fail_msg("%s", err.sentence);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/headrace-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->dir_fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->journal.fd = -1;
    reopen(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[64];

    journal_close(&fixture->journal);
    buf_clear(&fixture->seen);
    close(fixture->dir_fd);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, uint8_t type, uint64_t number, const char *bytes)
{
    journal_add(&fixture->journal, type, (struct id128) { 0, number }, str_of(bytes), NULL);
}

static void flush(struct fixture *fixture)
{
    assert_int_equal(journal_flush(&fixture->journal, NULL), 0);
}

static void records_come_back_in_order(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 1, 7, "one");
    add(fixture, 2, 8, "");
    flush(fixture);
    add(fixture, 1, 9, "three");
    flush(fixture);
    add(fixture, 1, 10, "never flushed");
    reopen(fixture);
    assert_string_equal(fixture->seen.bytes, "1:7:one;2:8:;1:9:three;");
}

static void a_tail_cut_anywhere_is_dropped_and_the_rest_stays(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 1, 1, "first");
    flush(fixture);
    int64_t whole = fixture->journal.written;
    for (int64_t size = whole + 30; size > whole; size--) {
        add(fixture, 1, 2, "second");
        flush(fixture);
        assert_int_equal(ftruncate(fixture->journal.fd, size), 0);
        reopen(fixture);
        assert_string_equal(fixture->seen.bytes, "1:1:first;");
        assert_int_equal(fixture->journal.written, whole);
    }
}

static void a_flipped_bit_ends_the_replay_before_it(void **state)
{
    struct fixture *fixture = *state;
    char byte;

    add(fixture, 1, 1, "first");
    flush(fixture);
    int64_t whole = fixture->journal.written;
    for (int64_t at = whole; at < whole + 31; at++) {
        add(fixture, 1, 2, "second");
        add(fixture, 1, 3, "third");
        flush(fixture);
        assert_int_equal(pread(fixture->journal.fd, &byte, 1, at), 1);
        byte = (char)(byte ^ 4);
        assert_int_equal(pwrite(fixture->journal.fd, &byte, 1, at), 1);
        reopen(fixture);
        assert_string_equal(fixture->seen.bytes, "1:1:first;");
    }
}

static void a_record_is_read_again_by_its_offset(void **state)
{
    struct fixture *fixture = *state;
    struct journal_record added, read;
    struct buf buf = { 0 };

    add(fixture, 1, 1, "before");
    journal_add(&fixture->journal, 5, (struct id128) { 3, 4 }, STR("content"), &added);
    flush(fixture);
    assert_int_equal(journal_read(&fixture->journal, added.offset, &buf, &read, NULL), 0);
    assert_int_equal(read.type, 5);
    assert_true(id_eq(read.attempt, (struct id128) { 3, 4 }));
    assert_str(read.bytes, "content");
    assert_int_equal(journal_read(&fixture->journal, added.offset + 1, &buf, &read, NULL), ERR_IO);
    buf_clear(&buf);
}

static void on_live(void *owner, struct journal *fresh)
{
    (void)owner;
    journal_add(fresh, 1, (struct id128) { 0, 99 }, STR("live"), NULL);
}

static void a_rewrite_keeps_what_is_live(void **state)
{
    struct fixture *fixture = *state;
    struct journal_record record;
    struct err err = { 0 };

    add(fixture, 1, 99, "live");
    while (!journal_wants_rewrite(&fixture->journal)) {
        char bytes[1000] = { 0 };
        journal_add(&fixture->journal, 1, (struct id128) { 0, 1 },
                    (struct str) { bytes, sizeof bytes }, &record);
        flush(fixture);
        journal_dead(&fixture->journal, record.size);
    }
    assert_true(fixture->journal.written > 1 << 20);
    assert_int_equal(journal_rewrite(&fixture->journal, on_live, NULL, &err), 0);
    assert_true(fixture->journal.written < 100);
    add(fixture, 1, 100, "after");
    flush(fixture);
    reopen(fixture);
    assert_string_equal(fixture->seen.bytes, "1:99:live;1:100:after;");
}

static void a_full_disk_loses_nothing_that_is_queued(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit, small = { 64, RLIM_INFINITY };

    signal(SIGXFSZ, SIG_IGN);
    add(fixture, 1, 1, "first");
    flush(fixture);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small.rlim_max = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    add(fixture, 1, 2, "a record that goes beyond what the file may hold");
    assert_int_equal(journal_flush(&fixture->journal, NULL), ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    add(fixture, 1, 3, "third");
    flush(fixture);
    reopen(fixture);
    assert_string_equal(
        fixture->seen.bytes,
        "1:1:first;1:2:a record that goes beyond what the file may hold;1:3:third;");
}

static void another_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err = { 0 };

    assert_int_equal(pwrite(fixture->journal.fd, "SOMETHING ELSE", 14, 0), 14);
    journal_close(&fixture->journal);
    assert_int_equal(
        journal_open(&fixture->journal, fixture->dir_fd, "j", on_replay, fixture, &err),
        ERR_INVALID);
}

static void crc32c_is_the_one_of_rfc_3720(void **state)
{
    char zeros[32] = { 0 };

    (void)state;
    assert_int_equal(crc32c(zeros, 32), 0x8a9136aaU);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283U);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(TEST(records_come_back_in_order), TEST(a_tail_cut_anywhere_is_dropped_and_the_rest_stays),
      TEST(a_flipped_bit_ends_the_replay_before_it), TEST(a_record_is_read_again_by_its_offset),
      TEST(a_rewrite_keeps_what_is_live), TEST(a_full_disk_loses_nothing_that_is_queued),
      TEST(another_file_is_refused), CASE(crc32c_is_the_one_of_rfc_3720))
