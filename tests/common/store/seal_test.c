// SPDX-License-Identifier: Apache-2.0
#include "common/store/keyring.h"
#include "common/store/seal.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], key_path[96], public_path[96];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/seal_test_XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(key_path, sizeof key_path, "%s/secret.key", folder);
    (void)snprintf(public_path, sizeof public_path, "%s/secret.pub", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(key_path);
    (void)unlink(public_path);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static struct seal *open_seal(void)
{
    struct err err = { 0 };
    struct seal *seal;

    if (seal_open(&seal, key_path, &err) < 0)
        fail_msg("%s", err.sentence);
    return seal;
}

static int read_as(const struct seal *seal, int32_t key_no, struct str label, struct str sealed,
                   const char *expected)
{
    struct buf plain = { 0 };
    int rc = seal_read(seal, key_no, label, sealed, &plain, NULL);

    if (rc == 0)
        assert_str(buf_str(&plain), expected);
    else
        assert_int_equal(plain.size, 0);
    buf_clear(&plain);
    return rc;
}

static unsigned mode_of(const char *path)
{
    struct stat stat_of;

    assert_int_equal(stat(path, &stat_of), 0);
    return stat_of.st_mode & 0777;
}

static void the_first_opening_makes_a_key_that_only_the_owner_reads(void **state)
{
    struct seal *seal = open_seal();

    (void)state;
    assert_int_equal(mode_of(key_path), 0600);
    assert_int_equal(access(public_path, F_OK), 0);
    assert_int_equal(seal_key_no(seal), 1);
    assert_true(seal_can_read(seal));
    seal_free(seal);
}

static void what_is_sealed_is_read_again_after_a_restart(void **state)
{
    struct seal *seal = open_seal();
    struct buf sealed = { 0 };

    (void)state;
    seal_close(seal, STR("variable:x"), STR("hunter2"), &sealed);
    assert_null(memmem(sealed.bytes, sealed.size, "hunter2", 7));
    seal_free(seal);
    seal = open_seal();
    assert_int_equal(read_as(seal, 1, STR("variable:x"), buf_str(&sealed), "hunter2"), 0);
    seal_free(seal);
    buf_clear(&sealed);
}

static void the_same_text_never_looks_the_same(void **state)
{
    struct seal *seal = open_seal();
    struct buf one = { 0 }, two = { 0 };

    (void)state;
    seal_close(seal, STR("v:x"), STR("hunter2"), &one);
    seal_close(seal, STR("v:x"), STR("hunter2"), &two);
    assert_int_equal(one.size, two.size);
    assert_memory_not_equal(one.bytes, two.bytes, one.size);
    buf_clear(&one);
    buf_clear(&two);
    seal_free(seal);
}

static void who_has_the_public_half_writes_and_cannot_read(void **state)
{
    struct seal *seal = open_seal(), *web;
    struct buf sealed = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(seal_open_public(&web, public_path, &err), 0);
    assert_false(seal_can_read(web));
    seal_close(web, STR("connection:db"), STR("from the web"), &sealed);
    assert_int_equal(read_as(web, seal_key_no(web), STR("connection:db"), buf_str(&sealed), ""),
                     ERR_FORBIDDEN);
    assert_int_equal(
        read_as(seal, seal_key_no(web), STR("connection:db"), buf_str(&sealed), "from the web"), 0);
    buf_clear(&sealed);
    seal_free(web);
    seal_free(seal);
}

static void an_empty_text_is_a_text(void **state)
{
    struct seal *seal = open_seal(), *web;
    struct buf sealed = { 0 };

    (void)state;
    assert_int_equal(seal_open_public(&web, public_path, NULL), 0);
    seal_close(seal, STR("v:x"), STR_EMPTY, &sealed);
    assert_int_equal(read_as(seal, 1, STR("v:x"), buf_str(&sealed), ""), 0);
    buf_reset(&sealed);
    seal_close(web, STR("v:x"), STR_EMPTY, &sealed);
    assert_int_equal(read_as(seal, 1, STR("v:x"), buf_str(&sealed), ""), 0);
    buf_clear(&sealed);
    seal_free(web);
    seal_free(seal);
}

static void moved_or_changed_it_does_not_open(void **state)
{
    struct seal *own = open_seal(), *web;
    const struct seal *writers[2];

    (void)state;
    assert_int_equal(seal_open_public(&web, public_path, NULL), 0);
    writers[0] = own;
    writers[1] = web;
    for (int i = 0; i < 2; i++) {
        struct buf sealed = { 0 };

        seal_close(writers[i], STR("variable:x"), STR("hunter2"), &sealed);
        assert_int_equal(read_as(own, 1, STR("variable:y"), buf_str(&sealed), ""), ERR_INVALID);
        assert_int_equal(read_as(own, 1, STR("variable:"), buf_str(&sealed), ""), ERR_INVALID);
        assert_int_equal(read_as(own, 2, STR("variable:x"), buf_str(&sealed), ""), ERR_NOT_FOUND);
        for (size_t size = 0; size < sealed.size; size++)
            assert_int_equal(
                read_as(own, 1, STR("variable:x"), (struct str) { sealed.bytes, size }, ""),
                ERR_INVALID);
        for (size_t at = 0; at < sealed.size; at++) {
            sealed.bytes[at] ^= 0x10;
            assert_int_equal(read_as(own, 1, STR("variable:x"), buf_str(&sealed), ""), ERR_INVALID);
            sealed.bytes[at] ^= 0x10;
        }
        assert_int_equal(read_as(own, 1, STR("variable:x"), buf_str(&sealed), "hunter2"), 0);
        buf_clear(&sealed);
    }
    seal_free(web);
    seal_free(own);
}

static void after_a_rotation_new_values_have_the_new_key_and_old_ones_still_open(void **state)
{
    struct seal *seal = open_seal(), *web;
    struct buf old = { 0 }, new = { 0 };

    (void)state;
    seal_close(seal, STR("v:x"), STR("old"), &old);
    seal_free(seal);
    assert_int_equal(keyring_change(key_path, KEYRING_ROTATE, NULL), 0);
    seal = open_seal();
    assert_int_equal(seal_key_no(seal), 2);
    assert_int_equal(mode_of(key_path), 0600);
    seal_close(seal, STR("v:x"), STR("new"), &new);
    assert_int_equal(read_as(seal, 1, STR("v:x"), buf_str(&old), "old"), 0);
    assert_int_equal(read_as(seal, 2, STR("v:x"), buf_str(&new), "new"), 0);
    assert_int_equal(seal_open_public(&web, public_path, NULL), 0);
    assert_int_equal(seal_key_no(web), 2);
    buf_clear(&old);
    buf_clear(&new);
    seal_free(web);
    seal_free(seal);
}

static int change(enum keyring_change change)
{
    return keyring_change(key_path, change, NULL);
}

static void who_runs_through_a_rotation_seals_with_the_new_key_and_opens_all(void **state)
{
    struct seal *own = open_seal(), *other = open_seal(), *web;
    struct buf old = { 0 }, by_other = { 0 }, by_web = { 0 };

    (void)state;
    assert_int_equal(seal_open_public(&web, public_path, NULL), 0);
    seal_close(own, STR("v:x"), STR("old"), &old);
    assert_int_equal(change(KEYRING_ROTATE), 0);
    seal_close(web, STR("v:x"), STR("web"), &by_web);
    assert_int_equal(seal_key_no(web), 2);
    seal_close(other, STR("v:x"), STR("other"), &by_other);
    assert_int_equal(seal_key_no(other), 2);
    assert_int_equal(read_as(own, 2, STR("v:x"), buf_str(&by_web), "web"), 0);
    assert_int_equal(read_as(own, 2, STR("v:x"), buf_str(&by_other), "other"), 0);
    assert_int_equal(read_as(own, 1, STR("v:x"), buf_str(&old), "old"), 0);
    buf_clear(&old);
    buf_clear(&by_other);
    buf_clear(&by_web);
    seal_free(web);
    seal_free(other);
    seal_free(own);
}

static void a_key_that_is_to_come_opens_and_does_not_seal_until_it_has_come(void **state)
{
    struct seal *seal = open_seal(), *web;
    struct buf sealed = { 0 };

    (void)state;
    assert_int_equal(change(KEYRING_PREPARE), 0);
    assert_int_equal(change(KEYRING_PREPARE), 0); /* there is one already */
    seal_close(seal, STR("v:x"), STR("x"), &sealed);
    assert_int_equal(seal_key_no(seal), 1);
    assert_int_equal(seal_open_public(&web, public_path, NULL), 0);
    assert_int_equal(seal_key_no(web), 1);
    assert_int_equal(change(KEYRING_ROTATE), 0);
    buf_reset(&sealed);
    seal_close(web, STR("v:x"), STR("y"), &sealed);
    assert_int_equal(seal_key_no(web), 2);
    assert_int_equal(read_as(seal, 2, STR("v:x"), buf_str(&sealed), "y"), 0);
    buf_clear(&sealed);
    seal_free(web);
    seal_free(seal);
}

static void dropped_keys_open_nothing_and_the_number_goes_on_rising(void **state)
{
    struct seal *seal = open_seal();
    struct buf sealed = { 0 };

    (void)state;
    seal_close(seal, STR("v:x"), STR("x"), &sealed);
    seal_free(seal);
    assert_int_equal(change(KEYRING_ROTATE), 0);
    assert_int_equal(change(KEYRING_DROP), 0);
    seal = open_seal();
    assert_int_equal(read_as(seal, 1, STR("v:x"), buf_str(&sealed), ""), ERR_NOT_FOUND);
    assert_int_equal(change(KEYRING_ROTATE), 0);
    buf_reset(&sealed);
    seal_close(seal, STR("v:x"), STR("x"), &sealed);
    assert_int_equal(seal_key_no(seal), 3);
    assert_int_equal(mode_of(key_path), 0600);
    buf_clear(&sealed);
    seal_free(seal);
}

static void too_many_keys_are_refused_with_advice(void **state)
{
    struct err err = { 0 };
    struct seal *seal = open_seal();

    (void)state;
    for (int i = 1; i < KEYRING_MAX; i++)
        assert_int_equal(change(KEYRING_ROTATE), 0);
    assert_int_equal(keyring_change(key_path, KEYRING_ROTATE, &err), ERR_LIMIT);
    assert_non_null(strstr(err.hint, "--drop-old"));
    assert_int_equal(change(KEYRING_DROP), 0);
    assert_int_equal(change(KEYRING_ROTATE), 0);
    seal_free(seal);
}

/* As a crash between the two files leaves it. */
static void a_public_half_that_is_behind_is_written_anew(void **state)
{
    struct seal *seal = open_seal(), *web;
    char old_path[112];

    (void)state;
    (void)snprintf(old_path, sizeof old_path, "%s.old", public_path);
    assert_int_equal(rename(public_path, old_path), 0);
    assert_int_equal(change(KEYRING_ROTATE), 0);
    assert_int_equal(rename(old_path, public_path), 0);
    seal_free(seal);
    seal = open_seal();
    assert_int_equal(seal_open_public(&web, public_path, NULL), 0);
    assert_int_equal(seal_key_no(web), 2);
    seal_free(web);
    seal_free(seal);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    struct err err = { 0 };
    struct seal *seal = open_seal();

    (void)state;
    seal_free(seal);
    assert_int_equal(chmod(key_path, 0640), 0);
    assert_int_equal(seal_open(&seal, key_path, &err), ERR_FORBIDDEN);
    assert_non_null(strstr(err.sentence, "can be read by others (mode 640)"));
    assert_non_null(strstr(err.hint, "chmod 600"));
}

static void a_spoiled_key_file_is_refused_with_its_line(void **state)
{
    static const char *const spoiled[] = {
        "", "# nothing\n", "headrace-secret-key 1 00\n", "headrace-secret-key x 00\n",
        "headrace-public-key 1 0000000000000000000000000000000000000000000000000000000000000000\n"
    };
    struct err err = { 0 };
    struct seal *seal;

    (void)state;
    for (size_t i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
        FILE *file = fopen(key_path, "w");

        assert_non_null(file);
        assert_true(fputs(spoiled[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(key_path, 0600), 0);
        assert_int_equal(seal_open(&seal, key_path, &err), ERR_INVALID);
    }
    assert_non_null(strstr(err.sentence, "line 1: "));
}

#define CASE_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

TESTS(CASE_FOLDER(the_first_opening_makes_a_key_that_only_the_owner_reads),
      CASE_FOLDER(what_is_sealed_is_read_again_after_a_restart),
      CASE_FOLDER(the_same_text_never_looks_the_same),
      CASE_FOLDER(who_has_the_public_half_writes_and_cannot_read),
      CASE_FOLDER(an_empty_text_is_a_text), CASE_FOLDER(moved_or_changed_it_does_not_open),
      CASE_FOLDER(after_a_rotation_new_values_have_the_new_key_and_old_ones_still_open),
      CASE_FOLDER(who_runs_through_a_rotation_seals_with_the_new_key_and_opens_all),
      CASE_FOLDER(a_key_that_is_to_come_opens_and_does_not_seal_until_it_has_come),
      CASE_FOLDER(dropped_keys_open_nothing_and_the_number_goes_on_rising),
      CASE_FOLDER(too_many_keys_are_refused_with_advice),
      CASE_FOLDER(a_public_half_that_is_behind_is_written_anew),
      CASE_FOLDER(a_key_that_others_may_read_is_refused),
      CASE_FOLDER(a_spoiled_key_file_is_refused_with_its_line))
