// SPDX-License-Identifier: Apache-2.0
/* headrace-worker: the shell as a service. */
#include "common/service/service.h"
#include "worker/shell/shell.h"

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

struct worker {
    struct worker_shell *shell;
    bool is_leaving, is_ending;
};

static void on_closed(void *owner)
{
    service_stop(owner);
}

static void end(void *owner)
{
    struct worker *worker = service_owner(owner);
    if (worker->is_ending)
        return;
    worker->is_ending = true;
    worker_shell_close(worker->shell, on_closed);
}

/* The first signal asks it to leave, the second ends it. */
static void on_end(struct service *service)
{
    struct worker *worker = service_owner(service);
    if (worker->is_leaving) {
        end(service);
        return;
    }
    worker->is_leaving = true;
    worker_shell_leave(worker->shell);
}

static void on_conf(struct service *service, const struct conf *fresh)
{
    struct worker *worker = service_owner(service);
    if (!worker->is_ending)
        worker_shell_set_conf(worker->shell, fresh);
}

static int open_shell(struct service *service, struct err *err)
{
    struct worker *worker = service_owner(service);
    int rc = worker_shell_open(&worker->shell, service_loop(service), service_conf(service), end,
                               service, err);
    if (rc < 0)
        end(service);
    return rc;
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
    static const struct service_type TYPE = {
        .program = "headrace-worker",
        .usage = usage,
        .open = open_shell,
        .on_end = on_end,
        .on_conf = on_conf,
    };
    struct worker worker = { 0 };
    struct arena arena = { 0 };
    argv = long_flags(&arena, &argc, argv);
    int status = service_main(&TYPE, &worker, argc, argv);
    arena_clear(&arena);
    return status;
}
