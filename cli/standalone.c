// SPDX-License-Identifier: Apache-2.0
/* headrace standalone: everything in one home directory, from nothing to healthy, and back. */
#include "cli/standalone.h"

#include "cli/client.h"
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/instance.h"
#include "cli/output.h"
#include "cli/provision.h"
#include "cli/supervisor.h"
#include "common/store/owner.h"
#include "common/store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRESS_FD = 3, READY_TIMEOUT_MS = 90000, DEATHS_MAX = 4, STEP_MS = 40 };

static FILE
    *progress; /* where a person looks: our stdout, or the terminal of the one who said --detach */

static void note(const char *sentence)
{
    FILE *file = progress != NULL ? progress : stderr;

    fprintf(file, "  %s\n", sentence);
    (void)fflush(file);
}

static void notef(const char *fmt, ...) FORMAT(1, 2);
static void notef(const char *fmt, ...)
{
    char sentence[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    note(sentence);
}

/* ---- the home ---- */

static int make_home(struct cli *cli, struct err *err)
{
    static const char *const folders[] = { "run", "dags", "logs" };
    const char *home = str_cstr(cli->arena, cli->conf->home);
    bool is_new = !file_exists(home);
    int rc = folder_make(home, 0700, err);

    if (rc == 0 && access(home, R_OK | W_OK | X_OK) != 0) {
        rc = err_set(err, ERR_FORBIDDEN, "%s cannot be written: %s", home, strerror(errno));
        err_hint(err, "choose another with HEADRACE_HOME or --home");
    }
    for (size_t i = 0; rc == 0 && i < sizeof folders / sizeof folders[0]; i++)
        rc = folder_make(cli_home_path(cli, folders[i]), 0700, err);
    if (rc == 0 && is_new)
        notef("home: %s", home);
    return rc;
}

/* One supervisor a home. The lock goes with the process, however it ends. */
static int lock_home(struct cli *cli, struct err *err)
{
    int fd = open(cli_home_path(cli, "run/standalone.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", cli_home_path(cli, "run/standalone.lock"),
                       strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    int rc = err_set(err, ERR_CONFLICT, "Headrace runs in %.*s already: %.*s (pid %lld)",
                     STR_ARG(cli->conf->home), STR_ARG(instance_text(cli, "url")),
                     (long long)instance_number(cli, "pid"));
    err_hint(err, "stop it with `headrace standalone --stop`, or choose another home with --home");
    (void)close(fd);
    return rc;
}

/* ---- database, account ---- */

static void on_migration(void *owner, int32_t number, const char *title)
{
    (void)owner;
    notef("schema: %04d %s", number, title);
}

static int start_database(struct cli *cli, struct private_pg *pg, const char **out_conninfo,
                          struct err *err)
{
    int64_t began_ms = process_now_ms();
    int rc = private_pg_init(pg, cli->arena, cli->conf->home, err);

    if (rc == 0)
        rc = private_pg_start(pg, err);
    if (rc == 0)
        rc = private_pg_database(pg, "headrace", "", err);
    if (rc < 0)
        return rc;
    *out_conninfo = private_pg_conninfo(pg, "headrace");
    notef("PostgreSQL: %s, on the socket in %s (%.1f s)",
          pg->is_new       ? "a new cluster"
          : pg->is_adopted ? "it ran already"
                           : "started",
          pg->run, (double)(process_now_ms() - began_ms) / 1000);
    return 0;
}

/* The account `admin` and its password file. An account that is there keeps its password; one that
 * is not gets that of the file. The files alone say nothing: the database may be another by now, or
 * have been emptied. */
static int make_admin(struct cli *cli, const char *conninfo, struct err *err)
{
    const char *path = cli_home_path(cli, "admin-password");
    char fresh[PROVISION_PASSWORD_SIZE];
    struct str password = STR_EMPTY;
    bool was_made = false;

    if (file_read(cli->arena, path, &password, NULL) == 0)
        password = str_trim(password);
    bool is_kept = password.size > 0;
    if (!is_kept) {
        provision_password(fresh);
        password = str_of(fresh);
    }
    int rc = store_owner_put(conninfo, STR("admin"), password, &was_made, err);
    if (rc == 0 && was_made && !is_kept)
        rc = file_write(path, str_format(cli->arena, "%.*s\n", STR_ARG(password)), 0600, err);
    return rc;
}

static int make_token(struct cli *cli, const char *conninfo, struct err *err)
{
    const char *path = cli_home_path(cli, "cli-token");
    char token[STORE_TOKEN_SIZE];
    struct str text;

    if (file_read(cli->arena, path, &text, NULL) == 0 && str_trim(text).size > 0) {
        if (store_owner_token(conninfo, STR("admin"), str_trim(text), err) == 0)
            return 0;
    }
    store_token_make(token);
    int rc = store_owner_token(conninfo, STR("admin"), str_of(token), err);
    return rc < 0 ? rc : file_write(path, str_format(cli->arena, "%s\n", token), 0600, err);
}

/* ---- the programs ---- */

/* Sends the programs where this instance is, unless the settings say it themselves. */
static void settle_environment(struct cli *cli, struct environment *env, const char *conninfo)
{
    const struct conf *conf = cli->conf;
    struct str scheduler =
        str_format(cli->arena, "127.0.0.1:%lld", (long long)env->ports[PORT_SCHEDULER]);
    struct str logs = str_format(cli->arena, "127.0.0.1:%lld", (long long)env->ports[PORT_LOGGING]);

    environment_home(env, conf->home);
    environment_flags(env, cli);
    environment_set(env, "database", "conn", str_of(conninfo));
    environment_default(env, cli, "worker", "schedulers", scheduler);
    environment_default(env, cli, "api", "schedulers", scheduler);
    environment_default(env, cli, "worker", "log_intake", logs);
    if (conf->autoscale_count == 0) {
        /* Workers of this host: one is kept, more come while there is work for them. */
        environment_set(env, "autoscale.default", "min", STR("1"));
        environment_set(env, "autoscale.default", "max", STR("4"));
        environment_set(env, "autoscale.default", "slots", STR("8"));
        environment_set(env, "autoscale.default", "quiet", STR("60s"));
    }
}

static int write_instance(struct cli *cli, const struct environment *env, const char *conninfo,
                          struct err *err)
{
    struct process self = process_of(getpid());
    struct value *map = value_map(cli->arena);

    cli->server = str_format(cli->arena, "%s://127.0.0.1:%lld",
                             cli->conf->api_tls_cert.size > 0 ? "https" : "http",
                             (long long)env->ports[PORT_API]);
    value_put(cli->arena, map, STR("url"), value_string(cli->arena, cli->server));
    value_put(cli->arena, map, STR("database"), value_string(cli->arena, str_of(conninfo)));
    value_put(cli->arena, map, STR("pid"), value_int(cli->arena, self.pid));
    value_put(cli->arena, map, STR("started"), value_int(cli->arena, self.started));
    return instance_write(cli, map, err);
}

/* The end of a program's log, when it will not run. */
static int ailing_part(struct cli *cli, const struct part *part, struct err *err)
{
    struct str text = STR_EMPTY;
    int rc = err_set(err, ERR_UNAVAILABLE, "the %s does not stay up", part->name);

    (void)!file_read(cli->arena, part->log, &text, NULL);
    text = str_trim(text);
    size_t from = text.size;
    while (from > 0 && text.bytes[from - 1] != '\n' && text.size - from < 200)
        from--;
    err_hint(err, "%s ends with: %.*s", part->log, STR_ARG(str_slice(text, from, text.size)));
    return rc;
}

/* 0 once healthy; 1 when it was asked to stop before. */
static int wait_until_healthy(struct cli *cli, struct supervisor *supervisor, struct err *err)
{
    int64_t began_ms = process_now_ms();
    struct arena *whole = cli->arena;
    struct str url;
    int rc = client_url(cli, &url, err); /* opens it, in the arena that stays */

    while (rc == 0 && supervisor_step(supervisor, STEP_MS)) {
        struct arena look = { 0 };
        const struct part *part = supervisor_ailing(supervisor);

        cli->arena = &look;
        bool is_healthy = client_is_healthy(cli);
        cli->arena = whole;
        arena_clear(&look);
        if (is_healthy) {
            notef("scheduler and web server are healthy (%.1f s)",
                  (double)(process_now_ms() - began_ms) / 1000);
            return 0;
        }
        if (part != NULL && part->deaths >= DEATHS_MAX)
            return ailing_part(cli, part, err);
        if (process_now_ms() - began_ms > READY_TIMEOUT_MS)
            return err_set(err, ERR_TIMEOUT, "%.*s is not healthy after %d s; the logs are in %s",
                           STR_ARG(url), READY_TIMEOUT_MS / 1000, cli_home_path(cli, "run"));
    }
    return rc < 0 ? rc : 1;
}

/* ---- start and end ---- */

/* The password is shown at the first start that succeeds; later where it is kept. */
static void print_banner(struct cli *cli)
{
    const char *path = cli_home_path(cli, "admin-password"),
               *shown = cli_home_path(cli, "run/password-shown");
    struct str password = STR_EMPTY;

    if (progress == NULL)
        return;
    if (!file_exists(shown) && file_read(cli->arena, path, &password, NULL) == 0)
        (void)!file_write(shown, STR_EMPTY, 0600, NULL);
    fprintf(progress, "\nHeadrace is ready:  %s%.*s%s\n", cli->is_coloured ? "\033[1m" : "",
            STR_ARG(instance_text(cli, "url")), output_plain(cli));
    if (password.size > 0)
        fprintf(progress, "  user admin, password %.*s   (kept in %s)\n",
                STR_ARG(str_trim(password)), path);
    else
        fprintf(progress, "  user admin, password in %s\n", path);
    (void)fflush(progress);
}

static int bring_up(struct cli *cli, struct private_pg *pg, struct supervisor *supervisor,
                    struct environment *env, struct err *err)
{
    struct conf_item item;
    bool is_private = conf_find(cli->conf, STR("database"), STR("conn"), &item, NULL) == 0 &&
                      item.origin == CONF_DEFAULT;
    const char *conninfo = str_cstr(cli->arena, cli->conf->database_conn.value);
    int rc = is_private ? start_database(cli, pg, &conninfo, err) : 0;

    if (rc == 0)
        rc = store_migrate(conninfo, cli->conf->core_default_pool_slots, on_migration, NULL, err);
    if (rc == 0)
        rc = make_admin(cli, conninfo, err);
    if (rc == 0)
        rc = make_token(cli, conninfo, err);
    if (rc == 0)
        rc = provision(cli, conninfo, is_private ? pg : NULL, note, err);
    if (rc == 0)
        rc = write_instance(cli, env, conninfo, err);
    if (rc < 0)
        return rc;
    settle_environment(cli, env, conninfo);
    supervisor->env = environment_list(env);
    supervisor->pg = is_private ? pg : NULL;
    return wait_until_healthy(cli, supervisor, err);
}

static int check_programs(struct cli *cli, struct err *err)
{
    static const char *const names[] = { "headrace-scheduler", "headrace-webserver",
                                         "headrace-worker", "headrace-warden" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (access(cli_program_path(cli->arena, names[i]), X_OK) != 0) {
            int rc = err_set(err, ERR_NOT_FOUND, "%s is missing: %s",
                             cli_program_path(cli->arena, names[i]), strerror(errno));
            err_hint(err, "it belongs beside this program; ./dev build release makes all of them");
            return rc;
        }
    return 0;
}

static int run_here(struct cli *cli, struct err *err)
{
    struct supervisor supervisor;
    struct private_pg pg = { 0 };
    struct environment env = { .arena = cli->arena };
    int rc = check_programs(cli, err);

    if (rc == 0)
        rc = make_home(cli, err);
    if (rc == 0)
        rc = lock_home(cli, err);
    if (rc == 0) {
        supervisor_end_programs(
            cli->conf->home); /* of a supervisor that was killed; its workers go on */
        rc = environment_take_ports(&env, cli, err);
    }
    if (rc < 0)
        return rc;
    supervisor_init(&supervisor, cli->arena, cli->conf->home, NULL, note);
    rc = bring_up(cli, &pg, &supervisor, &env, err);
    if (rc == 0) {
        print_banner(cli);
        if (progress == stdout)
            fputs("  Ctrl-C stops everything.\n", progress);
        if (progress != stdout && progress != NULL) {
            (void)fputc('\0', progress); /* tells --detach that it was a success */
            (void)fclose(progress);
            progress = NULL;
        }
        while (supervisor_step(&supervisor, 1000))
            continue;
    }
    struct str home = cli->conf->home;
    supervisor_end(home, supervisor.pg != NULL || pg.process.pid > 0 ? &pg : NULL, note);
    instance_remove(cli);
    note("stopped");
    environment_clear(&env);
    return rc < 0 ? rc : 0;
}

/* Starts this program again in a session of its own, and shows its progress until it is ready or
 * has failed. */
static int run_detached(struct cli *cli, struct err *err)
{
    struct process process;
    int ends[2];
    char bytes[4096];
    bool succeeded = false;
    const char **argv = ARENA_ARRAY(cli->arena, const char *, cli->argc + 3);
    int count = 0, rc = make_home(cli, err);

    if (rc < 0)
        return rc;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_LIMIT, "opening a pipe: %s", strerror(errno));
    argv[count++] = cli_program_path(cli->arena, "headrace");
    argv[count++] = "standalone";
    for (int i = 0; i < cli->argc; i++)
        if (strcmp(cli->argv[i], "--detach") != 0)
            argv[count++] = cli->argv[i];
    (void)setenv("HEADRACE_PROGRESS", cli->is_coloured ? "coloured" : "plain", 1);
    struct process_options options = { .argv = argv,
                                       .env = (const char *const *)environ,
                                       .keep_fd = ends[1],
                                       .log_path = cli_home_path(cli, "run/standalone.log") };
    rc = process_spawn(&process, &options, err);
    (void)close(ends[1]);
    for (ssize_t size; rc == 0 && (size = read(ends[0], bytes, sizeof bytes)) > 0;) {
        succeeded = bytes[size - 1] == '\0';
        (void)fwrite(bytes, 1, (size_t)size - (succeeded ? 1 : 0), stdout);
        (void)fflush(stdout);
    }
    (void)close(ends[0]);
    if (rc == 0 && !succeeded)
        cli->exit_status = CLI_FAILED; /* it has said why */
    return rc;
}

static int stop_other(struct cli *cli, struct err *err)
{
    struct process supervisor = instance_supervisor(cli);
    struct private_pg pg;

    (void)err;
    if (supervisor.pid > 0) {
        notef("stopping; tasks that run have %d s to end", SUPERVISOR_TASK_GRACE_S);
        process_stop(&supervisor, SIGTERM, 90000);
        note("stopped");
        return 0;
    }
    bool has_pg =
        private_pg_init(&pg, cli->arena, cli->conf->home, NULL) == 0 && private_pg_find(&pg);
    bool has_any = has_pg || supervisor_finds_programs(cli->conf->home);
    if (has_any)
        supervisor_end(cli->conf->home, has_pg ? &pg : NULL, note);
    instance_remove(cli);
    note(has_any ? "ended what was left" : "nothing runs");
    return 0;
}

static int show_status(struct cli *cli, struct err *err)
{
    struct str url = instance_text(cli, "url");

    if (url.size == 0 || !client_is_healthy(cli)) {
        cli->exit_status = CLI_FAILED;
        printf("not %s in %.*s\n", url.size == 0 ? "running" : "healthy", STR_ARG(cli->conf->home));
        return 0;
    }
    (void)err;
    print_banner(cli);
    if (instance_supervisor(cli).pid == 0) {
        cli->exit_status = CLI_FAILED;
        puts("  It runs without its supervisor, so nothing starts again what ends. `headrace "
             "standalone` takes it over.");
    }
    return 0;
}

int cli_standalone(struct cli *cli, struct err *err)
{
    const char *detached = getenv("HEADRACE_PROGRESS");

    progress = stdout;
    if (cli_has(cli, "--stop"))
        return stop_other(cli, err);
    if (cli_has(cli, "--status"))
        return show_status(cli, err);
    if (cli_has(cli, "--detach"))
        return run_detached(cli, err);
    if (detached != NULL) {
        progress = fdopen(PROGRESS_FD, "w");
        cli->is_coloured = strcmp(detached, "coloured") == 0;
        if (progress != NULL)
            (void)fcntl(PROGRESS_FD, F_SETFD, FD_CLOEXEC);
        (void)unsetenv("HEADRACE_PROGRESS");
    }
    int rc = run_here(cli, err);
    if (rc < 0 && detached != NULL && progress != NULL && err != NULL)
        fprintf(progress, "headrace: %s\n%s%s%s", err->sentence, err->hint[0] != '\0' ? "  " : "",
                err->hint, err->hint[0] != '\0' ? "\n" : "");
    return rc;
}
