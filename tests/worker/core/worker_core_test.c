// SPDX-License-Identifier: Apache-2.0
#include "worker/core/worker_core.h"

#include "tests/support/test.h"

#include <stdio.h>

enum { TTL = 10000, LEASE = 300000, RETAIN = 900000, INVENTORY = 5000 };

struct fixture {
    struct worker_core *core;
    struct worker_out out;
    struct worker_inventory inventory;
    int64_t now_ms;
};

static struct fixture given(uint32_t slots)
{
    struct worker_limits limits = { .slots = slots,
                                    .inventory_ms = INVENTORY,
                                    .retain_ms = RETAIN,
                                    .incarnation = 7,
                                    .inventory_bytes_max = 100 };
    return (struct fixture) { .core = worker_core_new(&limits), .now_ms = 1000 };
}

static void step(struct fixture *f, struct worker_event event)
{
    event.now_ms = f->now_ms;
    worker_core_step(f->core, &event, &f->out);
}

static struct id128 id_of(uint64_t n)
{
    return (struct id128) { .high = 1, .low = n };
}

static void synced(struct fixture *f, uint64_t epoch)
{
    step(f, (struct worker_event) { .type = WORKER_SYNC, .epoch = epoch });
    worker_core_inventory(f->core, f->now_ms, &f->inventory);
}

/* A grant under `seq`, stamped with the last inventory. */
static void granted(struct fixture *f, uint64_t epoch, uint64_t n, uint64_t seq)
{
    step(f, (struct worker_event) { .type = WORKER_GRANT,
                                    .epoch = epoch,
                                    .grant = { .attempt = id_of(n),
                                               .incarnation = 7,
                                               .seq = seq,
                                               .stamp_ms = f->inventory.sent_ms,
                                               .credit_ttl_ms = TTL,
                                               .lease_ms = LEASE } });
}

static void ended(struct fixture *f, uint64_t n, const char *output)
{
    step(f, (struct worker_event) {
                .type = WORKER_ENDED,
                .ended = { .attempt = id_of(n), .result = { .output = str_of(output) } } });
}

static void acked(struct fixture *f, uint64_t epoch, uint64_t n)
{
    struct id128 id = id_of(n);
    step(f, (struct worker_event) { .type = WORKER_ACK, .epoch = epoch, .ack = { &id, 1 } });
}

static const struct worker_do *find_do(const struct fixture *f, enum worker_do_type type)
{
    for (uint32_t i = 0; i < f->out.count; i++)
        if (f->out.items[i].type == type)
            return &f->out.items[i];
    return NULL;
}

static void refused(const struct fixture *f, const char *reason)
{
    assert_null(find_do(f, WORKER_DO_START));
    const struct worker_do *item = find_do(f, WORKER_DO_REFUSE);
    assert_non_null(item);
    assert_string_equal(item->reason, reason);
}

static void there_is_one_credit_for_each_free_slot(void **state)
{
    (void)state;
    struct fixture f = given(3);
    synced(&f, 1);
    assert_int_equal(f.inventory.open_count, 3);
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    assert_non_null(find_do(&f, WORKER_DO_START));
    f.now_ms += 10;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.open_count, 2);
    assert_int_equal(f.inventory.attempt_count, 1);
    assert_int_equal(f.inventory.next_seq, 4);
    worker_core_free(f.core);
}

static void a_result_goes_out_at_once_with_the_slots_new_credit(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    f.now_ms += 50;
    ended(&f, 1, "42");
    assert_non_null(find_do(&f, WORKER_DO_INVENTORY));
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.open_count, 1);
    assert_true(f.inventory.attempts[0].ended);
    assert_str(f.inventory.attempts[0].result.output, "42");
    worker_core_free(f.core);
}

static void the_lease_counts_from_the_echoed_stamp(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    f.now_ms += 4000;
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    assert_int_equal(find_do(&f, WORKER_DO_START)->deadline_ms, 1000 + LEASE);
    worker_core_free(f.core);
}

static void a_grant_starts_nothing_when_its_credit_is_not_in_order(void **state)
{
    (void)state;
    struct fixture f = given(2);
    synced(&f, 5);
    uint64_t first = f.inventory.open_seqs[0], second = f.inventory.open_seqs[1];
    granted(&f, 4, 1, first);
    refused(&f, "it comes from an earlier leader");
    granted(&f, 5, 1, first);
    assert_non_null(find_do(&f, WORKER_DO_START));
    granted(&f, 5, 1, first);
    refused(&f, "it has arrived before");
    granted(&f, 5, 2, first);
    refused(&f, "its credit is not open");
    granted(&f, 6, 2, second); /* a leader that we had not heard of: its epoch closes the credit */
    refused(&f, "its credit is not open");
    worker_core_free(f.core);
}

static void a_credit_ends_with_its_time(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    uint64_t seq = f.inventory.open_seqs[0];
    f.now_ms += TTL;
    granted(&f, 1, 1, seq);
    refused(&f, "its credit's time is over");
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.open_seqs[0],
                     seq); /* still open: the leader may repeat the grant with the new stamp */
    granted(&f, 1, 1, seq);
    assert_non_null(find_do(&f, WORKER_DO_START));
    worker_core_free(f.core);
}

static void a_credit_of_an_earlier_start_is_refused(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    step(&f, (struct worker_event) { .type = WORKER_GRANT,
                                     .epoch = 1,
                                     .grant = { .attempt = id_of(1),
                                                .incarnation = 6,
                                                .seq = f.inventory.open_seqs[0],
                                                .stamp_ms = 900,
                                                .credit_ttl_ms = TTL,
                                                .lease_ms = LEASE } });
    refused(&f, "its credit is of an earlier start of this worker");
    worker_core_free(f.core);
}

static void renewed(struct fixture *f, uint64_t epoch, int64_t stamp_ms)
{
    step(f, (struct worker_event) {
                .type = WORKER_RENEWED, .epoch = epoch, .renewed = { stamp_ms, LEASE } });
}

static void a_renewal_covers_only_what_its_inventory_listed(void **state)
{
    (void)state;
    struct fixture f = given(2);
    synced(&f, 1);
    int64_t before = f.inventory.sent_ms;
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    f.now_ms += 2000;
    renewed(&f, 1, before);
    assert_null(find_do(&f, WORKER_DO_DEADLINE));
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    f.now_ms += 100;
    renewed(&f, 1, f.inventory.sent_ms);
    assert_int_equal(find_do(&f, WORKER_DO_DEADLINE)->deadline_ms, 3000 + LEASE);
    renewed(&f, 1, before); /* late: a deadline never moves back */
    assert_null(find_do(&f, WORKER_DO_DEADLINE));
    worker_core_free(f.core);
}

static void a_lease_that_is_over_is_not_renewed(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    f.now_ms = 1000 + LEASE - 1;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    f.now_ms = 1000 + LEASE;
    renewed(&f, 1, f.inventory.sent_ms);
    assert_null(find_do(&f, WORKER_DO_DEADLINE));
    worker_core_free(f.core);
}

static void an_earlier_leader_is_not_obeyed(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 2);
    granted(&f, 2, 1, f.inventory.open_seqs[0]);
    f.now_ms += 10;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    f.now_ms += 10;
    step(&f, (struct worker_event) { .type = WORKER_KILL, .epoch = 1, .kill = { id_of(1) } });
    assert_null(find_do(&f, WORKER_DO_KILL));
    renewed(&f, 1, f.inventory.sent_ms);
    assert_null(find_do(&f, WORKER_DO_DEADLINE));
    step(&f, (struct worker_event) { .type = WORKER_KILL, .epoch = 2, .kill = { id_of(1) } });
    assert_non_null(find_do(&f, WORKER_DO_KILL));
    worker_core_free(f.core);
}

static void a_result_is_kept_until_it_is_acknowledged_and_a_while_longer(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    ended(&f, 1, "1");
    f.now_ms += RETAIN * 3;
    step(&f, (struct worker_event) { .type = WORKER_TICK });
    assert_null(find_do(&f, WORKER_DO_FORGET));
    acked(&f, 1, 1);
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.attempt_count, 0);

    /* A new leader is shown it again: the commit that the old one knew of may be lost. */
    f.now_ms += 10;
    synced(&f, 2);
    assert_int_equal(f.inventory.attempt_count, 1);
    assert_true(f.inventory.attempts[0].acked);
    acked(&f, 2, 1);
    f.now_ms += 10;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.attempt_count, 0);

    f.now_ms += RETAIN;
    step(&f, (struct worker_event) { .type = WORKER_TICK });
    assert_non_null(find_do(&f, WORKER_DO_FORGET));
    worker_core_free(f.core);
}

static void draining_withdraws_credits_and_ends_with_the_last_acknowledgement(void **state)
{
    (void)state;
    struct fixture f = given(2);
    synced(&f, 1);
    uint64_t other = f.inventory.open_seqs[1];
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    step(&f, (struct worker_event) { .type = WORKER_DRAIN, .epoch = 1, .drain = { true } });
    assert_null(find_do(&f, WORKER_DO_EXIT));
    granted(&f, 1, 2, other);
    refused(&f, "its credit is not open");
    f.now_ms += 10;
    ended(&f, 1, "");
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.open_count, 0);
    assert_true(f.inventory.draining);
    assert_null(find_do(&f, WORKER_DO_EXIT));
    acked(&f, 1, 1);
    assert_non_null(find_do(&f, WORKER_DO_EXIT));
    step(&f, (struct worker_event) { .type = WORKER_DRAIN, .epoch = 1, .drain = { false } });
    f.now_ms += 10;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.open_count, 2);
    worker_core_free(f.core);
}

static void recovered_attempts_take_slots_and_are_listed(void **state)
{
    (void)state;
    struct fixture f = given(2);
    step(&f, (struct worker_event) {
                 .type = WORKER_RECOVERED,
                 .recovered = {
                     .attempt = id_of(1), .incarnation = 6, .seq = 9, .deadline_ms = 50000 } });
    step(&f, (struct worker_event) { .type = WORKER_RECOVERED,
                                     .recovered = { .attempt = id_of(2),
                                                    .incarnation = 6,
                                                    .seq = 8,
                                                    .ended = true,
                                                    .result = { .outcome = OUTCOME_LOST } } });
    synced(&f, 1);
    assert_int_equal(f.inventory.attempt_count, 2);
    assert_int_equal(f.inventory.open_count, 1);
    f.now_ms += 10;
    renewed(&f, 1, f.inventory.sent_ms);
    assert_int_equal(find_do(&f, WORKER_DO_DEADLINE)->deadline_ms, 1000 + LEASE);
    worker_core_free(f.core);
}

static void recovered_attempts_fit_into_the_slots_in_any_order(void **state)
{
    (void)state;
    struct fixture f = given(2);
    step(&f, (struct worker_event) { .type = WORKER_RECOVERED,
                                     .recovered = { .attempt = id_of(2),
                                                    .incarnation = 6,
                                                    .seq = 8,
                                                    .ended = true,
                                                    .result = { .outcome = OUTCOME_LOST } } });
    for (uint64_t i = 3; i < 6; i++)
        step(&f, (struct worker_event) {
                     .type = WORKER_RECOVERED,
                     .recovered = {
                         .attempt = id_of(i), .incarnation = 6, .seq = i, .deadline_ms = 50000 } });
    f.now_ms += 10;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(f.inventory.attempt_count, 4);
    assert_int_equal(f.inventory.open_count, 0);
    worker_core_free(f.core);
}

static void inventories_have_different_stamps_and_come_at_least_so_often(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    int64_t first = f.inventory.sent_ms;
    step(&f, (struct worker_event) { .type = WORKER_SYNC, .epoch = 1 });
    assert_null(find_do(&f, WORKER_DO_INVENTORY)); /* within the same millisecond */
    assert_int_equal(worker_core_wake_at_ms(f.core), first + 1);
    f.now_ms += 1;
    step(&f, (struct worker_event) { .type = WORKER_TICK });
    assert_non_null(find_do(&f, WORKER_DO_INVENTORY));
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_int_equal(worker_core_wake_at_ms(f.core), f.inventory.sent_ms + INVENTORY);
    worker_core_free(f.core);
}

static void what_the_warden_says_starts_is_reported(void **state)
{
    (void)state;
    struct fixture f = given(1);
    synced(&f, 1);
    granted(&f, 1, 1, f.inventory.open_seqs[0]);
    step(&f, (struct worker_event) { .type = WORKER_STARTED, .started = { id_of(1) } });
    assert_non_null(find_do(&f, WORKER_DO_REPORT_STARTED));
    step(&f, (struct worker_event) { .type = WORKER_STARTED, .started = { id_of(99) } });
    assert_null(find_do(&f, WORKER_DO_REPORT_STARTED));
    worker_core_free(f.core);
}

/* One message has room for so much: the others are told as soon as there is news that some have
 * arrived. */
static void results_without_room_come_with_the_next_acknowledgement(void **state)
{
    (void)state;
    struct fixture f = given(2);
    char long_output[81];
    memset(long_output, 'x', 80);
    long_output[80] = '\0';
    synced(&f, 5);
    granted(&f, 5, 1, f.inventory.open_seqs[0]);
    granted(&f, 5, 2, f.inventory.open_seqs[1]);
    ended(&f, 1, long_output);
    ended(&f, 2, long_output);
    f.now_ms += 10;
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_true(f.inventory.attempts[0].ended);
    assert_false(f.inventory.attempts[1].ended);
    f.now_ms += 10;
    acked(&f, 5, 1);
    assert_non_null(find_do(&f, WORKER_DO_INVENTORY));
    worker_core_inventory(f.core, f.now_ms, &f.inventory);
    assert_true(id_eq(f.inventory.attempts[0].attempt, id_of(2)) && f.inventory.attempts[0].ended);
    worker_core_free(f.core);
}

TESTS(CASE(results_without_room_come_with_the_next_acknowledgement),
      CASE(there_is_one_credit_for_each_free_slot),
      CASE(a_result_goes_out_at_once_with_the_slots_new_credit),
      CASE(the_lease_counts_from_the_echoed_stamp),
      CASE(a_grant_starts_nothing_when_its_credit_is_not_in_order),
      CASE(a_credit_ends_with_its_time), CASE(a_credit_of_an_earlier_start_is_refused),
      CASE(a_renewal_covers_only_what_its_inventory_listed),
      CASE(a_lease_that_is_over_is_not_renewed), CASE(an_earlier_leader_is_not_obeyed),
      CASE(a_result_is_kept_until_it_is_acknowledged_and_a_while_longer),
      CASE(draining_withdraws_credits_and_ends_with_the_last_acknowledgement),
      CASE(recovered_attempts_take_slots_and_are_listed),
      CASE(recovered_attempts_fit_into_the_slots_in_any_order),
      CASE(inventories_have_different_stamps_and_come_at_least_so_often),
      CASE(what_the_warden_says_starts_is_reported))
