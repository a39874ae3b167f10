// SPDX-License-Identifier: Apache-2.0
#include "webserver/http/http_static.h"

#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct http_static *files;

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int setup(void **state)
{
    (void)state;
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/http_static_XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/assets", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    write_file("index.html", "<!doctype html>");
    write_file("index.html.gz", "gzipped");
    write_file("index.html.br", "brotli");
    write_file("favicon.svg", "<svg/>");
    write_file("assets/app-1234.js", "js");
    snprintf(path, sizeof path, "%s/assets/secret", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(http_static_load(&files, folder, NULL), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    http_static_free(files);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void files_are_known_by_their_path_and_links_are_not_followed(void **state)
{
    (void)state;
    assert_true(http_static_has(files, STR("/index.html")));
    assert_true(http_static_has(files, STR("/assets/app-1234.js")));
    assert_false(http_static_has(files, STR("/assets/secret")));
    assert_false(http_static_has(files, STR("/index.html.gz"))); /* a form, no file */
    assert_false(http_static_has(files, STR("/../index.html")));
    assert_false(http_static_has(files, STR("/")));
}

static void a_folder_without_an_application_is_said(void **state)
{
    (void)state;
    struct http_static *none = NULL;
    struct err err = { 0 };
    assert_int_equal(http_static_load(&none, "/tmp/there-is-no-such-folder", &err), ERR_NOT_FOUND);
    char path[128];
    snprintf(path, sizeof path, "%s/assets", folder);
    assert_int_equal(http_static_load(&none, path, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.sentence, "index.html"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_known_by_their_path_and_links_are_not_followed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_without_an_application_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
