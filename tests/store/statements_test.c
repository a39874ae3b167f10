// SPDX-License-Identifier: Apache-2.0
// Every statement against a freshly migrated PostgreSQL: what its block says that it takes and
// gives is what PostgreSQL infers. What the store binds is compared with the same inference each
// time it binds (common/pg), so the three cannot drift apart.
#include "common/store/statement.h"

#include "tests/support/store_world.h"
#include "tests/support/test.h"

static const struct {
    const char *name;
    uint32_t oid, array_oid;
} types[] = {
#define TYPE(name, oid, array_oid) { #name, oid, array_oid },
    PG_TYPES(TYPE)
#undef TYPE
        { "VOID", 2278, 0 },
    { "JSON", 114, 199 },
    { "RECORD", 2249, 2287 },
};

static uint32_t oid_of(struct str word)
{
    bool is_array = str_ends(word, "[]");

    if (is_array)
        word = str_slice(word, 0, word.size - 2);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].name) == word.size &&
            strncasecmp(types[i].name, word.bytes, word.size) == 0)
            return is_array ? types[i].array_oid : types[i].oid;
    }
    fail_msg("there is no type %.*s", STR_ARG(word));
    return 0;
}

/* The rest of the line of the block that begins with `prefix`; empty when there is none. */
static struct str line_of(const char *sql, const char *prefix)
{
    struct str rest = str_of(sql), line;

    while (rest.bytes != NULL && str_split(&rest, '\n', &line)) {
        if (str_starts(line, prefix))
            return str_trim(str_slice(line, strlen(prefix), line.size));
    }
    return STR_EMPTY;
}

static void check(const struct pg_statement *statement, const char *prefix,
                  const uint32_t *inferred, uint32_t count)
{
    struct str rest = line_of(statement->sql, prefix), word;
    uint32_t i = 0;

    while (rest.size > 0 && str_split(&rest, ' ', &word)) {
        if (word.size == 0)
            continue;
        if (i == count)
            fail_msg("%s: \"%s\" says more than the %u that PostgreSQL infers", statement->name,
                     prefix, count);
        if (oid_of(word) != inferred[i])
            fail_msg("%s: \"%s\" says %.*s for number %u, PostgreSQL infers oid %u",
                     statement->name, prefix, STR_ARG(word), i + 1, inferred[i]);
        i++;
    }
    if (i != count)
        fail_msg("%s: \"%s\" says %u types, PostgreSQL infers %u", statement->name, prefix, i,
                 count);
}

static void every_statement_takes_and_gives_what_it_says(void **state)
{
    struct err err = { 0 };
    struct pg_sync *sync;

    (void)state;
    assert_int_equal(pg_sync_open(&sync, store_world_database(), &err), 0);
    for (uint32_t i = 0; i < STATEMENT_COUNT; i++) {
        struct arena arena = { 0 };
        struct pg_types inferred;

        if (pg_sync_describe(sync, store_statements[i].sql, &arena, &inferred, &err) < 0)
            fail_msg("%s: %s", store_statements[i].name, err.sentence);
        check(&store_statements[i], "-- takes:", inferred.params, inferred.param_count);
        check(&store_statements[i], "-- gives:", inferred.columns, inferred.column_count);
        arena_clear(&arena);
    }
    pg_sync_close(sync);
}

static void a_store_opens_on_a_migrated_database(void **state)
{
    struct store_world world;

    (void)state;
    store_world_open(&world);
    assert_true(store_is_up(world.store));
    assert_int_equal(world.ups, 1);
    store_world_lead(&world);
    assert_int_equal(world.epoch >> 32, 1);
    store_world_close(&world);
}

TESTS(CASE(every_statement_takes_and_gives_what_it_says),
      CASE(a_store_opens_on_a_migrated_database))
