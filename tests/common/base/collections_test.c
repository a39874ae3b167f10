// SPDX-License-Identifier: Apache-2.0
#include "common/base/buf.h"
#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/rand.h"
#include "common/base/vec.h"
#include "tests/support/test.h"

/* The same random puts and removes against an array: the map must agree after each. */
static void a_map_agrees_with_a_plain_array_under_random_use(void **state)
{
    (void)state;
    enum { KEYS = 300 };
    struct map numbers = { 0 }, words = { 0 };
    int64_t expected[KEYS];
    memset(expected, -1, sizeof expected);
    struct rand rand;
    rand_init(&rand, 1);
    struct arena arena = { 0 };
    for (int step = 0; step < 20000; step++) {
        uint64_t key = rand_below(&rand, KEYS);
        struct str word = str_format(&arena, "key %d", (int)key);
        if (rand_chance(&rand, 0.5)) {
            expected[key] = step;
            map_put(&numbers, key, (uint64_t)step);
            map_put_str(&words, word, (uint64_t)step);
        } else {
            assert_int_equal(map_remove(&numbers, key), expected[key] >= 0);
            assert_int_equal(map_remove_str(&words, word), expected[key] >= 0);
            expected[key] = -1;
        }
        key = rand_below(&rand, KEYS);
        uint64_t value = 0;
        assert_int_equal(map_get(&numbers, key, &value), expected[key] >= 0);
        if (expected[key] >= 0)
            assert_int_equal(value, expected[key]);
        arena_reset(&arena);
    }
    map_clear(&numbers);
    map_clear(&words);
    arena_clear(&arena);
}

static void a_heap_gives_keys_in_order_and_equal_keys_by_tie(void **state)
{
    (void)state;
    struct heap heap = { 0 };
    struct rand rand;
    rand_init(&rand, 2);
    for (uint64_t i = 0; i < 5000; i++)
        heap_push(&heap, (struct heap_entry) { .key = (int64_t)rand_below(&rand, 50), .tie = i });
    struct heap_entry last = { .key = -1 };
    while (heap_peek(&heap) != NULL) {
        struct heap_entry entry = heap_pop(&heap);
        assert_true(entry.key > last.key || (entry.key == last.key && entry.tie > last.tie));
        last = entry;
    }
    heap_clear(&heap);
}

static void a_vec_grows_with_zeroed_room(void **state)
{
    (void)state;
    VEC(int) numbers = { 0 };
    for (int i = 0; i < 1000; i++)
        VEC_ADD(&numbers, i);
    int sum = 0;
    VEC_EACH (&numbers, i)
        sum += numbers.items[i];
    assert_int_equal(sum, 999 * 1000 / 2);
    VEC_RESERVE(&numbers, 500);
    assert_int_equal(numbers.items[numbers.count], 0);
    VEC_CLEAR(&numbers);
}

static void a_buf_grows_is_consumed_and_ends_with_a_zero(void **state)
{
    (void)state;
    struct buf buf = { 0 };
    for (int i = 0; i < 500; i++)
        buf_printf(&buf, "%d,", i);
    assert_int_equal(buf.bytes[buf.size], 0);
    assert_true(str_starts(buf_str(&buf), "0,1,2,"));
    buf_consume(&buf, 4);
    assert_true(str_starts(buf_str(&buf), "2,3,"));
    buf_clear(&buf);
}

static void random_numbers_repeat_with_their_seed_and_stay_below_their_bound(void **state)
{
    (void)state;
    struct rand a, b;
    rand_init(&a, 42);
    rand_init(&b, 42);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rand_below(&a, 7);
        assert_true(x < 7 && x == rand_below(&b, 7));
        double real = rand_real(&a);
        assert_true(real >= 0 && real < 1);
        (void)rand_real(&b);
    }
}

TESTS(CASE(a_map_agrees_with_a_plain_array_under_random_use),
      CASE(a_heap_gives_keys_in_order_and_equal_keys_by_tie), CASE(a_vec_grows_with_zeroed_room),
      CASE(a_buf_grows_is_consumed_and_ends_with_a_zero),
      CASE(random_numbers_repeat_with_their_seed_and_stay_below_their_bound))
