// SPDX-License-Identifier: Apache-2.0
/* headrace-scheduler: settings, log, loop, shell; and `--compile`, the child that reads DAG files.
 */
#include "common/base/vec.h"
#include "common/conf/conf.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/loop/signal.h"
#include "common/store/schema.h"
#include "scheduler/shell/compile_children.h"
#include "scheduler/shell/shell.h"

#include <signal.h>
#include <unistd.h>

static const char usage[] =
    "headrace-scheduler: decides which tasks run, and gives them to workers\n"
    "\n"
    "  headrace-scheduler [--section.key=value ...]   settings: headrace config list\n"
    "  headrace-scheduler --compile                   reads \"HASH PATH\" lines, answers each with "
    "a line of JSON\n"
    "  headrace-scheduler --version | --help\n";

struct process {
    struct loop *loop;
    struct shell *shell;
    struct signal terminate, interrupt, hangup;
    const struct conf *conf;
    VEC(struct conf *) reloaded; /* what was read once is kept by those who read it */
    bool is_ending;
};

static void on_closed(void *owner)
{
    struct process *process = owner;
    signal_close(&process->terminate, NULL);
    signal_close(&process->interrupt, NULL);
    signal_close(&process->hangup, NULL);
    loop_stop(process->loop);
}

static void on_signal(struct signal *signal, int signum)
{
    struct process *process = signal->owner;
    if (process->is_ending)
        return;
    process->is_ending = true;
    log_info("ending", LOG_INT("signal", signum));
    shell_close(process->shell, on_closed);
}

static void setup_log(const struct conf *conf)
{
    struct log_options options = { .program = "scheduler" };
    if (log_level_parse(conf->logging_level, &options.level) == 0 &&
        log_format_parse(conf->logging_format, &options.format) == 0)
        log_setup(&options);
}

/* SIGHUP: the settings that may change while it runs. */
static void on_hangup(struct signal *signal, int signum)
{
    struct process *process = signal->owner;
    struct conf *fresh;
    struct err err = { 0 };
    uint32_t waiting = 0;
    (void)signum;
    if (process->is_ending)
        return;
    if (conf_reload(process->conf, &fresh, &waiting, &err) < 0) {
        log_error("reload_failed", LOG_ERR(&err));
        return;
    }
    VEC_ADD(&process->reloaded, fresh);
    process->conf = fresh;
    setup_log(fresh);
    shell_set_conf(process->shell, fresh);
    log_info("reloaded", LOG_INT("settings_that_wait_for_a_restart", waiting));
}

/* Waits for the database to come; a database that does not fit is an error at once. */
static int wait_for_schema(const struct conf *conf, struct err *err)
{
    struct arena arena = { 0 };
    const char *conninfo = str_cstr(&arena, conf->database_conn.value);
    int rc = store_schema_check(conninfo, err);
    for (int tries = 0; rc < 0 && err_retry(rc) != ERR_RETRY_NEVER; tries++) {
        if (tries % 20 == 0)
            log_warn("database_away", LOG_ERR(err));
        usleep(500 * 1000);
        rc = store_schema_check(conninfo, err);
    }
    arena_clear(&arena);
    return rc;
}

static int serve(const struct conf *conf, struct err *err)
{
    struct process process = { .conf = conf };
    (void)signal(SIGHUP, SIG_IGN); /* until there is something to reload */
    int rc = wait_for_schema(conf, err);
    if (rc == 0)
        rc = loop_new(&process.loop, err);
    if (rc < 0)
        return rc;
    loop_raise_descriptors();
    rc = signal_open(&process.terminate, process.loop, SIGTERM, on_signal, &process, err);
    if (rc == 0)
        rc = signal_open(&process.interrupt, process.loop, SIGINT, on_signal, &process, err);
    if (rc == 0)
        rc = signal_open(&process.hangup, process.loop, SIGHUP, on_hangup, &process, err);
    if (rc < 0)
        return rc;
    rc = shell_open(&process.shell, process.loop, conf, &process, err);
    if (rc < 0) {
        process.is_ending = true;
        shell_close(process.shell, on_closed);
    }
    loop_run(process.loop);
    loop_free(process.loop);
    VEC_EACH (&process.reloaded, i)
        conf_free(process.reloaded.items[i]);
    VEC_CLEAR(&process.reloaded);
    return rc;
}

static int fail(const struct err *err)
{
    fprintf(stderr, "headrace-scheduler: %s\n%s%s", err->sentence, err->hint,
            err->hint[0] != '\0' ? "\n" : "");
    return 1;
}

int main(int argc, char **argv)
{
    struct conf *conf;
    struct err err = { 0 };
    struct conf_source source = { .env = (const char *const *)environ, .argc = argc, .argv = argv };
    if (conf_new(&conf, &source, &argc, &err) < 0) {
        fail(&err);
        return 2;
    }
    const char *word = argc > 1 ? argv[1] : "";
    int status = 2;
    setup_log(conf);
    if (strcmp(word, "--compile") == 0)
        status = compile_child_main(conf);
    else if (strcmp(word, "--version") == 0)
        status = printf("headrace-scheduler %s\n", HEADRACE_VERSION) > 0 ? 0 : 1;
    else if (strcmp(word, "--help") == 0)
        status = printf("%s", usage) > 0 ? 0 : 1;
    else if (word[0] != '\0')
        fprintf(stderr, "headrace-scheduler: '%s' is no flag of it\n\n%s", word, usage);
    else
        status = serve(conf, &err) == 0 ? 0 : fail(&err);
    conf_free(conf);
    return status;
}
