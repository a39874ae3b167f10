// SPDX-License-Identifier: Apache-2.0
#include "common/conf/conf.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

static char home[64], path[128];

static int setup(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/headrace-conf-XXXXXX");
    snprintf(path, sizeof path, "%s/headrace.cfg", mkdtemp(home));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    rmdir(home);
    return 0;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct conf *read_all(const char *const *env, int argc, const char **argv)
{
    struct conf *conf;
    struct err err = { 0 };
    struct conf_source source = { .home = home, .env = env, .argc = argc, .argv = (char **)argv };
    int left;
    if (conf_new(&conf, &source, &left, &err) < 0)
        fail_msg("%s", err.sentence);
    return conf;
}

/* The error of a file, a variable or a flag. */
static struct err refuse(const char *text, const char *variable, const char *flag)
{
    struct conf *conf;
    struct err err = { 0 };
    const char *env[] = { variable, NULL };
    const char *argv[] = { "test", flag, NULL };
    struct conf_source source = {
        .home = home, .env = env, .argc = flag != NULL ? 2 : 1, .argv = (char **)argv
    };
    write_file(text);
    assert_true(conf_new(&conf, &source, NULL, &err) < 0);
    return err;
}

static void without_any_source_everything_has_its_default(void **state)
{
    (void)state;
    struct conf *conf = read_all(NULL, 0, NULL);
    char dags[128];
    snprintf(dags, sizeof dags, "%s/dags", home);
    assert_str(conf->core_dags_folder, dags);
    assert_int_equal(conf->scheduler_port, 8790);
    assert_int_equal(conf->api_port, 8080);
    assert_int_equal(conf->logging_port, 8793);
    assert_int_equal(conf->scheduler_lease_ttl_ms, 15000);
    assert_int_equal(conf->core_max_output_bytes, 1 << 20);
    assert_int_equal(conf->core_max_map_length, 1024);
    assert_int_equal(conf->worker_queues.count, 1);
    assert_str(conf->worker_queues.items[0], "default");
    assert_int_equal(conf->worker_pass_env.count, 0);
    assert_int_equal(conf->autoscale_count, 0);
    snprintf(dags, sizeof dags, "host=%s/postgres/run dbname=headrace", home);
    assert_str(conf->database_conn.value, dags);
    conf_free(conf);
}

static void the_last_source_wins_and_its_origin_is_told(void **state)
{
    (void)state;
    const char *env[] = { "PATH=/bin", "HEADRACE__API__PORT=9002", "HEADRACE__WORKER__SLOTS=3",
                          NULL };
    const char *argv[] = {
        "test",         "scheduler", "--worker.slots=4", "--verbose", "--core.load_examples", "--",
        "--not.ours=1", NULL
    };
    struct conf *conf;
    struct conf_item item;
    struct conf_source source = { .home = home, .env = env, .argc = 7, .argv = (char **)argv };
    char origin[160];
    int left;
    write_file(
        "# comment\n\n[api]\nport = 9001\nhost=0.0.0.0\n; another\n[core]\nload_examples = no\n");
    assert_int_equal(conf_new(&conf, &source, &left, NULL), 0);
    assert_int_equal(left, 5);
    assert_string_equal(argv[1], "scheduler");
    assert_string_equal(argv[2], "--verbose");
    assert_string_equal(argv[4], "--not.ours=1");
    assert_int_equal(conf->api_port, 9002);
    assert_int_equal(conf->worker_slots, 4);
    assert_true(conf->core_load_examples);
    assert_int_equal(conf_find(conf, STR("api"), STR("host"), &item, NULL), 0);
    assert_str(item.value, "0.0.0.0");
    assert_str(item.fallback, "127.0.0.1");
    assert_int_equal(item.origin, CONF_FILE);
    snprintf(origin, sizeof origin, "%s:5", path);
    assert_str(item.origin_text, origin);
    assert_int_equal(conf_find(conf, STR("api"), STR("port"), &item, NULL), 0);
    assert_str(item.origin_text, "HEADRACE__API__PORT");
    assert_int_equal(conf_find(conf, STR("worker"), STR("slots"), &item, NULL), 0);
    assert_str(item.origin_text, "--worker.slots");
    conf_free(conf);
}

static void durations_sizes_lists_and_paths_are_read_with_their_units(void **state)
{
    (void)state;
    char expected[160], folder[1024];
    const char *argv[] = { "test", "--core.dags_folder=./mine", NULL };
    const char *env[] = { "HOME=/home/x", NULL };
    write_file("[scheduler]\nlease_ttl = 1m30s\ndag_dir_list_interval = 300\nkey_file = ~/k\n"
               "[worker]\nmax_log_bytes = 2Gi\nqueues = a, b ,,c\nspool = "
               "deep/down\n[api]\ntls_cert=$HEADRACE_HOME/c\ntls_key=/k\n");
    struct conf *conf = read_all(env, 2, argv);
    assert_int_equal(conf->scheduler_lease_ttl_ms, 90000);
    assert_int_equal(conf->scheduler_dag_dir_list_interval_ms, 300000);
    assert_true(conf->worker_max_log_bytes == 2LL << 30);
    assert_int_equal(conf->worker_queues.count, 3);
    assert_str(conf->worker_queues.items[1], "b");
    assert_str(conf->scheduler_key_file, "/home/x/k");
    snprintf(expected, sizeof expected, "%s/deep/down", home);
    assert_str(conf->worker_spool, expected);
    snprintf(expected, sizeof expected, "%s/c", home);
    assert_str(conf->api_tls_cert, expected);
    assert_non_null(getcwd(folder, sizeof folder - 10));
    memcpy(folder + strlen(folder), "/mine", 6);
    assert_str(conf->core_dags_folder, folder);
    conf_free(conf);
}

static void each_queue_has_a_section_of_its_own(void **state)
{
    (void)state;
    const char *env[] = { "HEADRACE__AUTOSCALE_DEFAULT__MIN=1",
                          "HEADRACE__AUTOSCALE_DEFAULT__MAX=4",
                          "HEADRACE__AUTOSCALE_GPU_BIG__MAX=9", NULL };
    struct conf_item item;
    write_file("[autoscale.gpu.Big]\nmin = 2\nmax = 3\nquiet = 30s\n");
    struct conf *conf = read_all(env, 0, NULL);
    assert_int_equal(conf->autoscale_count, 2);
    assert_str(conf->autoscales[0].queue, "default");
    assert_int_equal(conf->autoscales[0].min, 1);
    assert_int_equal(conf->autoscales[0].max, 4);
    assert_str(conf->autoscales[0].provider, "process");
    assert_str(conf->autoscales[1].queue, "gpu.Big");
    assert_int_equal(conf->autoscales[1].max, 9);
    assert_int_equal(conf->autoscales[1].quiet_ms, 30000);
    assert_int_equal(conf_find(conf, STR("autoscale.gpu.Big"), STR("provider"), &item, NULL), 0);
    assert_str(item.value, "process");
    conf_free(conf);
}

static void a_wrong_value_is_located_and_explained(void **state)
{
    (void)state;
    struct err err = refuse("[api]\n\nport = 80a\n", NULL, NULL);
    assert_non_null(
        strstr(err.sentence, "headrace.cfg:3: api.port: \"80a\" is not a whole number"));
    err = refuse("", "HEADRACE__API__PORT=70000", NULL);
    assert_string_equal(err.sentence,
                        "HEADRACE__API__PORT: api.port: 70000 is not between 0 and 65535");
    err = refuse("", NULL, "--scheduler.lease_ttl=1s");
    assert_string_equal(err.sentence,
                        "--scheduler.lease_ttl: scheduler.lease_ttl: 1s is not between 2s and 5m");
    err = refuse("[logging]\nlevel = wran\n", NULL, NULL);
    assert_non_null(strstr(err.sentence, "none of debug|info|warn|error"));
    assert_string_equal(err.hint, "did you mean warn?");
    err = refuse("[core]\nload_examples = maybe\n", NULL, NULL);
    assert_non_null(strstr(err.sentence, "neither true nor false"));
    err = refuse("", NULL, "--worker.slots");
    assert_string_equal(err.hint, "write --worker.slots=...");
}

static void an_unknown_name_is_an_error_that_suggests(void **state)
{
    (void)state;
    struct err err = refuse("[scheduler]\nleese_ttl = 5s\n", NULL, NULL);
    assert_non_null(
        strstr(err.sentence, "headrace.cfg:2: there is no setting scheduler.leese_ttl"));
    assert_string_equal(err.hint, "did you mean scheduler.lease_ttl?");
    err = refuse("[schedular]\n", NULL, NULL);
    assert_non_null(strstr(err.sentence, "headrace.cfg:1: there is no section [schedular]"));
    assert_string_equal(err.hint, "did you mean [scheduler]?");
    err = refuse("", "HEADRACE__API__PROT=1", NULL);
    assert_string_equal(err.sentence, "HEADRACE__API__PROT: there is no setting api.prot");
    err = refuse("", NULL, "--autoscale.default.mox=1");
    assert_string_equal(err.hint, "did you mean autoscale.default.max?");
    err = refuse("", "HEADRACE__NOTHING=1", NULL);
    assert_string_equal(err.hint, "write HEADRACE__SECTION__KEY");
    err = refuse("", NULL, "--verbose");
    assert_string_equal(err.sentence, "--verbose is no flag of this program");
}

static void a_broken_file_is_located(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        { "port = 1\n", ":1: a setting stands before the first [section]" },
        { "[api]\nport\n", ":2: neither [section] nor key = value" },
        { "[api\n", ":1: the section's name does not end with ]" },
        { "[api]\nhost = a\n[core]\n[api]\nhost = b\n", ":5: api.host is set twice" },
        { "[api]\nhost = \xff\n", ":2: this is not UTF-8" },
        { "[autoscale.a b]\n", ":1: there is no section [autoscale.a b]" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = refuse(rows[i].text, NULL, NULL);
        if (strstr(err.sentence, rows[i].sentence) == NULL)
            fail_msg("'%s' does not say '%s'", err.sentence, rows[i].sentence);
    }
}

static void values_that_do_not_fit_each_other_are_refused(void **state)
{
    (void)state;
    struct err err = refuse("[scheduler]\nlease_renew = 14s\n", NULL, NULL);
    assert_non_null(strstr(err.sentence, "must be shorter than scheduler.lease_ttl"));
    err = refuse("[autoscale.x]\nmin = 3\nmax = 2\n", NULL, NULL);
    assert_non_null(strstr(err.sentence, "autoscale.x: min 3 is larger than max 2"));
    err = refuse("[autoscale.x]\nprovider = kubernetes\n", NULL, NULL);
    assert_non_null(
        strstr(err.sentence, "autoscale.x.provider: \"kubernetes\" is none of process"));
    err = refuse("[api]\ntls_cert = /c\n", NULL, NULL);
    assert_non_null(strstr(err.sentence, "belong together"));
}

static void secrets_are_listed_as_stars(void **state)
{
    (void)state;
    struct conf_item item;
    write_file("[database]\nconn = host=db password=hunter2\n");
    struct conf *conf = read_all(NULL, 0, NULL);
    assert_str(conf->database_conn.value, "host=db password=hunter2");
    assert_int_equal(conf_find(conf, STR("database"), STR("conn"), &item, NULL), 0);
    assert_str(item.value, "***");
    assert_true(item.is_secret);
    conf_free(conf);
}

static void every_setting_can_be_listed_and_read_back(void **state)
{
    (void)state;
    struct conf *conf = read_all(NULL, 0, NULL);
    struct conf_item item, again;
    uint32_t count = 0;
    for (; conf_item(conf, count, &item); count++) {
        assert_int_equal(conf_find(conf, item.section, item.key, &again, NULL), 0);
        assert_true(item.help[0] != 0 && item.help[strlen(item.help) - 1] == '.');
    }
    assert_true(count > 60);
    struct err err = { 0 };
    assert_int_equal(conf_find(conf, STR("api"), STR("prot"), &item, &err), ERR_NOT_FOUND);
    assert_string_equal(err.hint, "did you mean api.port?");
    conf_free(conf);
}

static void a_reload_changes_what_may_change_and_counts_what_must_wait(void **state)
{
    (void)state;
    const char *env[] = { "HEADRACE__WORKER__KILL_GRACE=7s", NULL };
    struct conf *next;
    uint32_t waiting;
    write_file("[logging]\nlevel = info\n[api]\nport = 9000\n[autoscale.a]\nmax = 1\n");
    struct conf *conf = read_all(env, 0, NULL);
    write_file("[logging]\nlevel = debug\n[api]\nport = 9001\n[autoscale.a]\nmax = 2\n");
    assert_int_equal(conf_reload(conf, &next, &waiting, NULL), 0);
    assert_str(next->logging_level, "debug");
    assert_int_equal(next->api_port, 9000);
    assert_int_equal(next->worker_kill_grace_ms, 7000);
    assert_int_equal(next->autoscales[0].max, 1);
    assert_int_equal(waiting, 2);
    conf_free(next);
    write_file("[logging]\nlevel = loud\n");
    struct err err = { 0 };
    assert_int_equal(conf_reload(conf, &next, &waiting, &err), ERR_INVALID);
    assert_str(conf->logging_level, "info");
    conf_free(conf);
}

static void the_home_comes_from_the_environment(void **state)
{
    (void)state;
    struct conf *conf;
    const char *env[] = { "HOME=/home/x", NULL, NULL };
    struct conf_source source = { .env = env };
    assert_int_equal(conf_new(&conf, &source, NULL, NULL), 0);
    assert_str(conf->home, "/home/x/headrace");
    assert_str(conf->file, "/home/x/headrace/headrace.cfg");
    conf_free(conf);
    env[1] = "HEADRACE_HOME=/srv/h//";
    assert_int_equal(conf_new(&conf, &source, NULL, NULL), 0);
    assert_str(conf->home, "/srv/h");
    conf_free(conf);
}

#undef CASE
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(CASE(without_any_source_everything_has_its_default),
      CASE(the_last_source_wins_and_its_origin_is_told),
      CASE(durations_sizes_lists_and_paths_are_read_with_their_units),
      CASE(each_queue_has_a_section_of_its_own), CASE(a_wrong_value_is_located_and_explained),
      CASE(an_unknown_name_is_an_error_that_suggests), CASE(a_broken_file_is_located),
      CASE(values_that_do_not_fit_each_other_are_refused), CASE(secrets_are_listed_as_stars),
      CASE(every_setting_can_be_listed_and_read_back),
      CASE(a_reload_changes_what_may_change_and_counts_what_must_wait),
      CASE(the_home_comes_from_the_environment))
