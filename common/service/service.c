// SPDX-License-Identifier: Apache-2.0
#include "common/service/service.h"

#include "common/base/vec.h"
#include "common/log/log.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct service {
    const struct service_type *type;
    void *owner;
    struct loop *loop;
    struct signal terminate, interrupt, hangup;
    VEC(struct conf *) confs; /* the last one is in force; the others may still be borrowed */
    bool is_stopped;
};

struct loop *service_loop(const struct service *service)
{
    return service->loop;
}

const struct conf *service_conf(const struct service *service)
{
    return service->confs.items[service->confs.count - 1];
}

void *service_owner(const struct service *service)
{
    return service->owner;
}

void service_stop(struct service *service)
{
    service->is_stopped = true;
    signal_close(&service->terminate, NULL);
    signal_close(&service->interrupt, NULL);
    signal_close(&service->hangup, NULL);
    loop_stop(service->loop);
}

static void setup_log(const struct service *service)
{
    const struct conf *conf = service_conf(service);
    struct log_options options = { .program = strchr(service->type->program, '-') + 1 };
    (void)!log_level_parse(conf->logging_level, &options.level);
    (void)!log_format_parse(conf->logging_format, &options.format);
    log_setup(&options);
}

static void on_end_signal(struct signal *signal, int signum)
{
    struct service *service = signal->owner;
    log_info("ending", LOG_INT("signal", signum));
    service->type->on_end(service);
}

static void on_hangup(struct signal *signal, int signum)
{
    struct service *service = signal->owner;
    struct conf *fresh;
    struct err err = { 0 };
    uint32_t waiting = 0;
    (void)signum;
    if (conf_reload(service_conf(service), &fresh, &waiting, &err) < 0) {
        log_error("reload_failed", LOG_ERR(&err));
        return;
    }
    VEC_ADD(&service->confs, fresh);
    setup_log(service);
    service->type->on_conf(service, fresh);
    log_info("reloaded", LOG_INT("settings_that_wait_for_a_restart", waiting));
}

/* As many descriptors as we may have: each peer is one. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int open_signals(struct service *service, struct err *err)
{
    struct loop *loop = service->loop;
    int rc = signal_open(&service->terminate, loop, SIGTERM, on_end_signal, service, err);
    if (rc == 0)
        rc = signal_open(&service->interrupt, loop, SIGINT, on_end_signal, service, err);
    if (rc == 0)
        rc = signal_open(&service->hangup, loop, SIGHUP, on_hangup, service, err);
    return rc;
}

static int serve(struct service *service, struct err *err)
{
    const struct service_type *type = service->type;
    int rc = type->prepare == NULL ? 0 : type->prepare(service_conf(service), err);
    raise_descriptors();
    if (rc == 0)
        rc = loop_new(&service->loop, err);
    if (rc == 0)
        rc = open_signals(service, err);
    if (rc < 0)
        return rc;
    rc = type->open(service, err);
    if (!service->is_stopped)
        loop_run(service->loop);
    if (rc == 0) /* what a failed start leaves behind ends with the process */
        loop_free(service->loop);
    return rc;
}

static int said(const struct service *service, const struct err *err, int status)
{
    fprintf(stderr, "%s: %s\n", service->type->program, err->sentence);
    if (err->hint[0] != '\0')
        fprintf(stderr, "%s\n", err->hint);
    return status;
}

static int do_word(struct service *service, const char *word)
{
    const struct service_type *type = service->type;
    int status = type->on_word == NULL ? -1 : type->on_word(service_conf(service), word);
    if (status >= 0)
        return status;
    fprintf(stderr, "%s: '%s' is no flag of it\n\n%s", type->program, word, type->usage);
    return 2;
}

int service_main(const struct service_type *type, void *owner, int argc, char **argv)
{
    static struct service only; /* reachable to the last, whatever a failed start leaves */
    struct service *service = &only;
    struct conf_source source = { .env = (const char *const *)environ, .argc = argc, .argv = argv };
    struct conf *conf;
    struct err err = { 0 };
    *service = (struct service) { .type = type, .owner = owner };
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("%s %s\n", type->program, HEADRACE_VERSION) > 0 ? 0 : 1;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return printf("%s", type->usage) > 0 ? 0 : 1;
    (void)signal(SIGHUP, SIG_IGN); /* until there is something to reload */
    if (conf_new(&conf, &source, &argc, &err) < 0)
        return said(service, &err, 2);
    VEC_ADD(&service->confs, conf);
    setup_log(service);
    int status = 0;
    if (argc > 1)
        status = do_word(service, argv[1]);
    else if (serve(service, &err) < 0)
        status = said(service, &err, 1);
    VEC_EACH (&service->confs, i)
        conf_free(service->confs.items[i]);
    VEC_CLEAR(&service->confs);
    return status;
}
