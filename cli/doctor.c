// SPDX-License-Identifier: Apache-2.0
/* headrace doctor: looks at everything an installation stands on, and says what to do about what is
 * wrong. */
#include "cli/client.h"
#include "cli/files.h"
#include "cli/handlers.h"
#include "cli/instance.h"
#include "cli/output.h"
#include "cli/private_pg.h"
#include "common/pg/pg_sync.h"
#include "common/store/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DISK_LOW_MIB = 500 };

struct report {
    struct cli *cli;
    struct value *rows;
    bool is_bad;
};

/* `level`: "ok", "note" (worth knowing) or "wrong". */
static void say(struct report *report, const char *level, const char *what, const char *advice,
                const char *fmt, ...) FORMAT(5, 6);
static void say(struct report *report, const char *level, const char *what, const char *advice,
                const char *fmt, ...)
{
    struct arena *arena = report->cli->arena;
    struct value *row = value_map(arena);
    va_list args;

    va_start(args, fmt);
    struct str found = str_formatv(arena, fmt, args);
    va_end(args);
    value_put(arena, row, STR("verdict"), value_string(arena, str_of(level)));
    value_put(arena, row, STR("what"), value_string(arena, str_of(what)));
    value_put(arena, row, STR("found"), value_string(arena, found));
    value_put(arena, row, STR("advice"), value_string_copy(arena, str_of(advice)));
    value_add(arena, report->rows, row);
    report->is_bad |= strcmp(level, "wrong") == 0;
}

static void look_at_programs(struct report *report)
{
    static const char *const names[] = { "headrace-scheduler", "headrace-worker",
                                         "headrace-webserver", "headrace-warden", "headrace-task" };
    struct arena *arena = report->cli->arena;
    struct str missing = STR_EMPTY;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (access(cli_program_path(arena, names[i]), X_OK) != 0)
            missing = str_format(arena, "%.*s %s", STR_ARG(missing), names[i]);
    if (missing.size > 0)
        say(report, "wrong", "programs",
            "build all of them (./dev build release) or install the whole", "missing:%.*s",
            STR_ARG(missing));
    else
        say(report, "ok", "programs", "", "release " HEADRACE_VERSION ", all in %.*s",
            STR_ARG(cli_bin_folder(arena)));
}

static void look_at_home(struct report *report)
{
    struct str home = report->cli->conf->home;
    const char *path = str_cstr(report->cli->arena, home);
    struct stat status;
    struct statvfs space;

    if (stat(path, &status) != 0) {
        say(report, "note", "home", "headrace standalone makes it", "%s is not there yet", path);
        return;
    }
    if (access(path, R_OK | W_OK | X_OK) != 0)
        say(report, "wrong", "home", "give it to this user, or choose another with HEADRACE_HOME",
            "%s cannot be written by this user", path);
    else if ((status.st_mode & 077) > 010)
        say(report, "wrong", "home", "chmod 0700: it holds keys and passwords",
            "%s may be read by others (mode %04o)", path, (unsigned)status.st_mode & 07777);
    else
        say(report, "ok", "home", "", "%s", path);
    if (statvfs(path, &space) != 0)
        return;
    long long free_mib = (long long)(space.f_bavail * space.f_frsize >> 20);
    say(report, free_mib < DISK_LOW_MIB ? "wrong" : "ok", "disk",
        free_mib < DISK_LOW_MIB ? "make room: the database and the workers' spools need it" : "",
        "%lld MiB free", free_mib);
}

static void look_at_settings(struct report *report)
{
    const struct conf *conf = report->cli->conf;
    struct conf_item item;
    uint32_t changed = 0;

    for (uint32_t i = 0; conf_item(conf, i, &item); i++)
        changed += item.origin != CONF_DEFAULT;
    say(report, "ok", "settings", "",
        "%u differ from their defaults (headrace config list --changed)%s%.*s", changed,
        file_exists(str_cstr(report->cli->arena, conf->file)) ? "; file " : "; no file ",
        STR_ARG(conf->file));
    const char *dags = str_cstr(report->cli->arena, conf->core_dags_folder);
    if (!file_exists(dags))
        say(report, "note", "DAG folder", "make it, or set core.dags_folder", "%s is not there",
            dags);
    else
        say(report, "ok", "DAG folder", "", "%s", dags);
}

static void look_at_database(struct report *report)
{
    const char *conninfo = instance_database(report->cli);
    struct pg_sync *sync;
    struct pg_result *result = NULL;
    struct private_pg pg;
    struct err err = { 0 };
    struct conf_item item;
    bool is_default =
        conf_find(report->cli->conf, STR("database"), STR("conn"), &item, NULL) == 0 &&
        item.origin == CONF_DEFAULT;

    if (is_default && private_pg_init(&pg, report->cli->arena, report->cli->conf->home, &err) < 0)
        say(report, "wrong", "PostgreSQL", err.hint, "%s", err.sentence);
    if (pg_sync_open(&sync, conninfo, &err) < 0) {
        say(report, is_default ? "note" : "wrong", "database",
            is_default ? "headrace standalone starts one"
                       : "look at database.conn and at that server",
            "%s", err.sentence);
        return;
    }
    if (pg_sync_query(sync, "SHOW server_version", NULL, &result, &err) == 0)
        say(report, "ok", "database", "", "PostgreSQL %.*s answers",
            STR_ARG(pg_get_text(result, 0, 0)));
    pg_result_free(result);
    pg_sync_close(sync);
    if (store_schema_check(conninfo, &err) < 0)
        say(report, "wrong", "schema", err.hint[0] != '\0' ? err.hint : "headrace db migrate", "%s",
            err.sentence);
    else
        say(report, "ok", "schema", "", "fits this release");
}

static void look_at_supervisor(struct report *report)
{
    struct process supervisor = instance_supervisor(report->cli);

    if (instance_text(report->cli, "url").size == 0)
        return; /* nothing was started by `standalone`: a service manager watches, or nothing runs
                 */
    if (supervisor.pid == 0)
        say(report, "wrong", "supervisor", "headrace standalone takes over what still runs",
            "it has ended: nothing starts again what ends");
    else
        say(report, "ok", "supervisor", "", "pid %lld", (long long)supervisor.pid);
}

static uint32_t count_files(const struct value *errors)
{
    uint32_t count = 0;

    for (uint32_t i = 0; errors != NULL && i < errors->count; i++) {
        struct str file = value_text(value_get(errors->items[i], "file"), STR_EMPTY);
        bool is_new = true;

        for (uint32_t k = 0; k < i; k++)
            is_new &= !str_eq(value_text(value_get(errors->items[k], "file"), STR_EMPTY), file);
        count += is_new;
    }
    return count;
}

static void look_at_server(struct report *report)
{
    struct cli *cli = report->cli;
    const struct value *health, *answer;
    struct err err = { 0 };
    struct str url;

    if (client_url(cli, &url, &err) < 0 ||
        client_get(cli, STR("/api/v2/monitor/health"), &health, &err) < 0) {
        say(report, "note", "web server", "headrace standalone starts one", "%s", err.sentence);
        return;
    }
    static const char *const parts[] = { "metadatabase", "scheduler", "dag_processor" };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct str status =
            value_text(value_get(value_get(health, parts[i]), "status"), STR("unknown"));
        bool is_healthy = str_is(status, "healthy");
        say(report, is_healthy ? "ok" : "wrong", parts[i],
            is_healthy ? "" : "its log says why (run/ in the home)", "%.*s", STR_ARG(status));
    }
    /* Something that is told to nobody who is not known. */
    if (client_get(cli, STR("/api/v2/dags?limit=1"), &answer, &err) < 0)
        say(report, "wrong", "sign-in", err.hint, "%.*s: %s", STR_ARG(url), err.sentence);
    else
        say(report, "ok", "sign-in", "", "%.*s knows this user", STR_ARG(url));
    if (client_get(cli, STR("/api/headrace/v1/workers"), &answer, NULL) == 0) {
        const struct value *workers = value_get(answer, "workers");
        uint32_t count = workers == NULL ? 0 : workers->count;
        say(report, count == 0 ? "note" : "ok", "workers",
            count == 0 ? "start some: headrace worker, or autoscale.default.max above 0" : "",
            "%u known", count);
    }
    if (client_get(cli, STR("/api/headrace/v1/import_errors"), &answer, NULL) == 0) {
        uint32_t count = count_files(value_get(answer, "import_errors"));
        say(report, count > 0 ? "wrong" : "ok", "DAG files",
            count > 0 ? "headrace dags list-import-errors" : "", "%u cannot be used", count);
    }
}

static void look_at_host(struct report *report)
{
    bool has_cgroups = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    bool can_write = has_cgroups && access("/sys/fs/cgroup/cgroup.subtree_control", W_OK) == 0;

    if (access("/usr/share/zoneinfo/Europe/Lisbon", R_OK) != 0)
        say(report, "wrong", "time zones", "apt-get install tzdata",
            "no zones in /usr/share/zoneinfo: only UTC works");
    else
        say(report, "ok", "time zones", "", "/usr/share/zoneinfo");
    say(report, can_write ? "ok" : "note", "task limits",
        can_write ? "" : "a systemd unit with Delegate=yes gives the worker a cgroup", "%s",
        can_write ? "by cgroup v2" : "by rlimits: cgroup v2 cannot be written here");
}

int cli_doctor(struct cli *cli, struct err *err)
{
    static const struct column columns[] = {
        { "verdict", "VERDICT", CELL_STATE },
        { "what", "WHAT", CELL_TEXT },
        { "found", "FOUND", CELL_TEXT },
        { "advice", "DO", CELL_TEXT },
    };
    struct report report = { .cli = cli, .rows = value_list(cli->arena) };

    (void)err;
    look_at_programs(&report);
    look_at_home(&report);
    look_at_settings(&report);
    look_at_host(&report);
    look_at_database(&report);
    look_at_supervisor(&report);
    look_at_server(&report);
    OUTPUT_ROWS(cli, columns, report.rows);
    cli->exit_status = report.is_bad ? CLI_FAILED : CLI_DONE;
    return 0;
}
