// SPDX-License-Identifier: Apache-2.0
/* headrace-scheduler: the shell as a service; and `--compile`, the child that reads DAG files. */
#include "common/log/log.h"
#include "common/service/service.h"
#include "common/store/schema.h"
#include "scheduler/shell/compile_children.h"
#include "scheduler/shell/shell.h"

#include <unistd.h>

static const char usage[] =
    "headrace-scheduler: decides which tasks run, and gives them to workers\n"
    "\n"
    "  headrace-scheduler [--section.key=value ...]   settings: headrace config list\n"
    "  headrace-scheduler --compile                   reads \"HASH PATH\" lines, answers each with "
    "a line of JSON\n"
    "  headrace-scheduler --version | --help\n";

struct scheduler {
    struct shell *shell;
    bool is_ending;
};

static void on_closed(void *owner)
{
    service_stop(owner);
}

static void on_end(struct service *service)
{
    struct scheduler *scheduler = service_owner(service);
    if (scheduler->is_ending)
        return;
    scheduler->is_ending = true;
    shell_close(scheduler->shell, on_closed);
}

static void on_conf(struct service *service, const struct conf *fresh)
{
    struct scheduler *scheduler = service_owner(service);
    if (!scheduler->is_ending)
        shell_set_conf(scheduler->shell, fresh);
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

static int open_shell(struct service *service, struct err *err)
{
    struct scheduler *scheduler = service_owner(service);
    const struct conf *conf = service_conf(service);
    int rc = shell_open(&scheduler->shell, service_loop(service), conf, service, err);
    if (rc < 0)
        on_end(service);
    return rc;
}

static int on_word(const struct conf *conf, const char *word)
{
    return strcmp(word, "--compile") == 0 ? compile_child_main(conf) : -1;
}

int main(int argc, char **argv)
{
    static const struct service_type TYPE = {
        .program = "headrace-scheduler",
        .usage = usage,
        .prepare = wait_for_schema,
        .open = open_shell,
        .on_end = on_end,
        .on_conf = on_conf,
        .on_word = on_word,
    };
    struct scheduler scheduler = { 0 };
    return service_main(&TYPE, &scheduler, argc, argv);
}
