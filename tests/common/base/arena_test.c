// SPDX-License-Identifier: Apache-2.0
#include "common/base/arena.h"
#include "tests/support/test.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    for (int i = 1; i < 2000; i++) {
        unsigned char *bytes = arena_alloc(&arena, (size_t)i);
        assert_int_equal((uintptr_t)bytes % 16, 0);
        for (int k = 0; k < i; k++)
            assert_int_equal(bytes[k], 0);
        memset(bytes, 0xFF, (size_t)i);
    }
    arena_clear(&arena);
}

static void a_reset_arena_gives_zeroed_memory_again_without_growing(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    memset(arena_alloc(&arena, 700), 0xAA, 700);
    size_t total = arena.total;
    for (int round = 0; round < 100; round++) {
        arena_reset(&arena);
        unsigned char *bytes = arena_alloc(&arena, 700);
        assert_int_equal(bytes[0] | bytes[699], 0);
        memset(bytes, 0xAA, 700);
        assert_int_equal(arena.total, total);
    }
    arena_clear(&arena);
}

static void a_giant_does_not_stay_after_a_reset(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    arena_alloc(&arena, 10 << 20);
    arena_reset(&arena);
    assert_true(arena.total < 1 << 20);
    arena_clear(&arena);
}

TESTS(CASE(memory_is_zeroed_and_aligned),
      CASE(a_reset_arena_gives_zeroed_memory_again_without_growing),
      CASE(a_giant_does_not_stay_after_a_reset))
