// SPDX-License-Identifier: Apache-2.0
/* headrace-worker: settings, log, loop, shell. */
#include "common/base/assert.h"
#include "common/base/vec.h"
#include "common/conf/conf.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/loop/signal.h"
#include "worker/shell/shell.h"

#include <signal.h>
#include <unistd.h>

static const char usage[] =
    "headrace-worker: runs the tasks that a scheduler grants it\n"
    "\n"
    "  headrace-worker [--slots N] [--queues a,b] [--name NAME] [--spool FOLDER] "
    "[--section.key=value ...]\n"
    "  headrace-worker --version | --help\n"
    "\n"
    "All settings: headrace config list. SIGTERM: takes no more work, waits for its tasks, ends; a "
    "second SIGTERM: ends at\n"
    "once, its tasks go on and the next worker with this spool finds them.\n";

/* Short for --worker.slots and so on. */
static const char *const short_flags[] = { "slots", "queues", "name", "spool" };

struct process {
    struct loop *loop;
    struct worker_shell *shell;
    struct signal terminate, interrupt, hangup;
    const struct conf *conf;
    VEC(struct conf *) reloaded; /* what was read once is kept by those who read it */
    bool is_leaving, is_ending;
};

static void on_closed(void *owner)
{
    struct process *process = owner;

    signal_close(&process->terminate, NULL);
    signal_close(&process->interrupt, NULL);
    signal_close(&process->hangup, NULL);
    loop_stop(process->loop);
}

static void end(void *owner)
{
    struct process *process = owner;

    if (process->is_ending)
        return;
    process->is_ending = true;
    worker_shell_close(process->shell, on_closed);
}

static void on_signal(struct signal *signal, int signum)
{
    struct process *process = signal->owner;

    log_info("signal", LOG_INT("signal", signum));
    if (process->is_leaving) {
        end(process);
        return;
    }
    process->is_leaving = true;
    worker_shell_leave(process->shell);
}

static void setup_log(const struct conf *conf)
{
    struct log_options options = { .program = "worker" };

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
    worker_shell_set_conf(process->shell, fresh);
    log_info("reloaded", LOG_INT("settings_that_wait_for_a_restart", waiting));
}

static int serve(const struct conf *conf, struct err *err)
{
    struct process process = { .conf = conf };
    int rc = loop_new(&process.loop, err);

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
    rc = worker_shell_open(&process.shell, process.loop, conf, end, &process, err);
    if (rc < 0)
        end(&process);
    loop_run(process.loop);
    loop_free(process.loop);
    VEC_EACH (&process.reloaded, i)
        conf_free(process.reloaded.items[i]);
    VEC_CLEAR(&process.reloaded);
    return rc;
}

static int fail(const struct err *err)
{
    fprintf(stderr, "headrace-worker: %s\n%s%s", err->sentence, err->hint,
            err->hint[0] != '\0' ? "\n" : "");
    return 1;
}

/* "--slots 5" and "--slots=5" become "--worker.slots=5". */
static char **long_flags(struct arena *arena, int *argc, char **argv)
{
    char **out = ARENA_ARRAY(arena, char *, *argc + 1);
    int count = 0;

    for (int i = 0; i < *argc; i++) {
        struct str word = str_of(argv[i]);
        out[count] = argv[i];
        for (size_t k = 0; k < sizeof short_flags / sizeof *short_flags && str_starts(word, "--");
             k++) {
            struct str rest = str_slice(word, 2, word.size), flag;
            bool has_value = str_find(rest, '=') >= 0;
            struct str value = rest;
            (void)str_split(&value, '=', &flag);
            if (!str_is(flag, short_flags[k]) || (!has_value && i + 1 >= *argc))
                continue;
            if (!has_value)
                value = str_of(argv[++i]);
            out[count] =
                (char *)str_format(arena, "--worker.%s=%.*s", short_flags[k], STR_ARG(value)).bytes;
            break;
        }
        count++;
    }
    *argc = count;
    return out;
}

int main(int argc, char **argv)
{
    struct arena arena = { 0 };
    struct conf *conf;
    struct err err = { 0 };
    int status = 2;

    argv = long_flags(&arena, &argc, argv);
    struct conf_source source = { .env = (const char *const *)environ, .argc = argc, .argv = argv };
    if (conf_new(&conf, &source, &argc, &err) < 0) {
        fail(&err);
        arena_clear(&arena);
        return 2;
    }
    const char *word = argc > 1 ? argv[1] : "";
    setup_log(conf);
    if (strcmp(word, "--version") == 0)
        status = printf("headrace-worker %s\n", HEADRACE_VERSION) > 0 ? 0 : 1;
    else if (strcmp(word, "--help") == 0)
        status = printf("%s", usage) > 0 ? 0 : 1;
    else if (word[0] != '\0')
        fprintf(stderr, "headrace-worker: '%s' is no flag of it\n\n%s", word, usage);
    else
        status = serve(conf, &err) == 0 ? 0 : fail(&err);
    conf_free(conf);
    arena_clear(&arena);
    return status;
}
