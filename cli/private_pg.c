// SPDX-License-Identifier: Apache-2.0
#include "cli/private_pg.h"

#include "cli/files.h"
#include "common/base/buf.h"
#include "common/pg/pg_sync.h"

#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SOCKET_PATH_MAX = 107,
    START_TIMEOUT_MS = 60000,
    POLL_MS = 15,
    START_ATTEMPTS = 8,
    ATTEMPT_PAUSE_MS = 250
};

#define SOCKET_NAME "/.s.PGSQL.5432"
static const char *const clean_env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", NULL };

/* ---- programs, user, places ---- */

/* The release of a cluster that is there, or the newest. */
static int find_programs(struct private_pg *pg, struct err *err)
{
    glob_t found;
    struct str release = STR_EMPTY;
    int64_t best = -1;

    (void)!file_read(pg->arena, str_format(pg->arena, "%s/PG_VERSION", pg->data).bytes, &release,
                     NULL);
    release = str_trim(release);
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            struct str path = str_of(found.gl_pathv[i]),
                       folder = str_slice(path, 0, path.size - sizeof "/postgres" + 1);
            struct str rest = str_slice(folder, sizeof "/usr/lib/postgresql/" - 1, folder.size),
                       number;
            int64_t value;

            (void)str_split(&rest, '/', &number);
            if (str_to_int(number, 1, 1000, &value) == 0 && value > best &&
                (release.size == 0 || str_eq(release, number))) {
                best = value;
                pg->bin = str_copy(pg->arena, folder).bytes;
            }
        }
        globfree(&found);
    }
    if (pg->bin == NULL && access("/usr/local/bin/postgres", X_OK) == 0)
        pg->bin = "/usr/local/bin";
    if (pg->bin != NULL)
        return 0;
    int rc = err_set(err, ERR_NOT_FOUND, "PostgreSQL%s%.*s is not installed",
                     release.size > 0 ? " " : "", STR_ARG(release));
    err_hint(err, "apt-get install postgresql, or name a database of yours: --database.conn=...");
    return rc;
}

static int choose_user(struct private_pg *pg, struct err *err)
{
    pg->uid = geteuid();
    pg->gid = getegid();
    if (pg->uid != 0)
        return 0;
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL) {
        int rc = err_set(err, ERR_NOT_FOUND,
                         "PostgreSQL does not run as root, and there is no user postgres");
        err_hint(err, "apt-get install postgresql makes one, or run this as an ordinary user");
        return rc;
    }
    pg->uid = user->pw_uid;
    pg->gid = user->pw_gid;
    return 0;
}

/* Whether the cluster's user can enter the folder that holds the home. Asked by a process that is
 * that user. */
static bool user_can_enter(const struct private_pg *pg, struct str folder)
{
    const char *path = str_cstr(pg->arena, folder);
    int status = 1;

    pid_t pid = fork();
    if (pid == 0) {
        bool is_user = setgid(pg->gid) == 0 && setuid(pg->uid) == 0;
        _exit(is_user && access(path, X_OK) == 0 ? 0 : 1);
    }
    if (pid > 0)
        (void)waitpid(pid, &status, 0);
    return status == 0;
}

static struct str parent_of(struct str path)
{
    while (path.size > 1 && path.bytes[path.size - 1] != '/')
        path.size--;
    return path.size > 1 ? str_slice(path, 0, path.size - 1) : path;
}

/* Same home, same place: also when it is asked for again after the link was lost. */
static const char *distant_folder(const struct private_pg *pg)
{
    return str_format(pg->arena, "/var/lib/headrace/%016llx",
                      (unsigned long long)str_hash(pg->home))
        .bytes;
}

int private_pg_init(struct private_pg *pg, struct arena *arena, struct str home, struct err *err)
{
    *pg = (struct private_pg) { .arena = arena, .home = home };
    pg->data = str_format(arena, "%.*s/postgres/data", STR_ARG(home)).bytes;
    pg->run = str_format(arena, "%.*s/postgres/run", STR_ARG(home)).bytes;
    pg->log = str_format(arena, "%.*s/run/postgres.log", STR_ARG(home)).bytes;
    int rc = choose_user(pg, err);
    if (rc < 0)
        return rc;
    pg->is_distant = pg->uid != geteuid() && !user_can_enter(pg, parent_of(home));
    if (pg->is_distant) {
        pg->data = str_format(arena, "%s/data", distant_folder(pg)).bytes;
        pg->run = str_format(arena, "%s/run", distant_folder(pg)).bytes;
    } else if (strlen(pg->run) + sizeof SOCKET_NAME > SOCKET_PATH_MAX) {
        pg->run = str_format(arena, "/tmp/headrace-%u-%08x", (unsigned)geteuid(),
                             (unsigned)str_hash(home))
                      .bytes;
    }
    return find_programs(pg, err);
}

static int give_to_user(const struct private_pg *pg, const char *path, mode_t mode, struct err *err)
{
    struct stat status;

    /* In /tmp somebody else may have been there first. */
    if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode) ||
        (status.st_uid != geteuid() && status.st_uid != pg->uid))
        return err_set(err, ERR_FORBIDDEN, "%s is not a folder of ours", path);
    if (chown(path, pg->uid, pg->gid) != 0 || chmod(path, mode) != 0)
        return err_set(err, ERR_FORBIDDEN, "handing %s to the user of PostgreSQL: %s", path,
                       strerror(errno));
    return 0;
}

/* The group of PostgreSQL's user may pass through a root-owned home to the folder of the cluster,
 * and no further. */
static int let_user_through(const struct private_pg *pg, struct err *err)
{
    const char *folders[] = { str_cstr(pg->arena, pg->home),
                              str_format(pg->arena, "%.*s/postgres", STR_ARG(pg->home)).bytes };

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (chown(folders[i], geteuid(), pg->gid) != 0 || chmod(folders[i], 0710) != 0)
            return err_set(err, ERR_FORBIDDEN, "opening %s to the user of PostgreSQL: %s",
                           folders[i], strerror(errno));
    return 0;
}

static int make_folders(struct private_pg *pg, struct err *err)
{
    const char *link = str_format(pg->arena, "%.*s/postgres/data", STR_ARG(pg->home)).bytes;
    int rc =
        folder_make(str_format(pg->arena, "%.*s/postgres", STR_ARG(pg->home)).bytes, 0700, err);

    if (rc == 0)
        rc = folder_make(pg->data, 0700, err);
    if (rc == 0 && pg->is_distant && symlink(pg->data, link) != 0 && errno != EEXIST)
        rc = err_set(err, ERR_IO, "linking %s: %s", link, strerror(errno));
    if (rc == 0)
        rc = folder_make(pg->run, 0700, err);
    if (rc == 0 && pg->uid != geteuid() && !pg->is_distant)
        rc = let_user_through(pg, err);
    if (rc == 0)
        rc = give_to_user(pg, pg->data, 0700, err);
    if (rc == 0)
        rc = give_to_user(pg, pg->run, 0700, err);
    return rc;
}

/* ---- the cluster ---- */

/* The last line of the log that tells of an error, or its very last, into the hint: why PostgreSQL
 * did not start. */
static void hint_of_log(const struct private_pg *pg, struct err *err)
{
    struct str text, line, telling = STR_EMPTY, last = STR_EMPTY;

    if (file_read(pg->arena, pg->log, &text, NULL) < 0)
        return;
    while (str_split(&text, '\n', &line)) {
        const char *copy = str_cstr(pg->arena, line);

        if (strstr(copy, "error:") != NULL || strstr(copy, "FATAL:") != NULL)
            telling = line;
        if (line.size > 0)
            last = line;
    }
    err_hint(err, "%s says: %.*s", pg->log, STR_ARG(telling.size > 0 ? telling : last));
}

/* Our own account by the system's word (peer); role `warehouse` by its password. Nobody else, and
 * no network. */
static int write_access(const struct private_pg *pg, const char *owner, struct err *err)
{
    const char *path = str_format(pg->arena, "%s/pg_hba.conf", pg->data).bytes;
    struct str text = str_format(pg->arena,
                                 "# written by headrace standalone\n"
                                 "local all       \"%s\"      peer\n"
                                 "local warehouse warehouse scram-sha-256\n",
                                 owner);
    int rc = file_write(path, text, 0600, err);

    if (rc == 0 && chown(path, pg->uid, pg->gid) != 0)
        rc = err_set(err, ERR_IO, "handing over %s: %s", path, strerror(errno));
    return rc;
}

static int make_cluster(struct private_pg *pg, struct err *err)
{
    const struct passwd *me = getpwuid(geteuid());
    int status = 0;

    if (me == NULL) {
        int rc = err_set(err, ERR_NOT_FOUND, "the user with number %u has no name in /etc/passwd",
                         (unsigned)geteuid());
        err_hint(err, "PostgreSQL tells users by name; add one, or run as another user");
        return rc;
    }
    const char *owner = str_copy(pg->arena, str_of(me->pw_name)).bytes;
    const char *const argv[] = { str_format(pg->arena, "%s/initdb", pg->bin).bytes,
                                 "-D",
                                 pg->data,
                                 "-U",
                                 owner,
                                 "--auth=peer",
                                 "--auth-host=reject",
                                 "--encoding=UTF8",
                                 "--locale=C.UTF-8",
                                 NULL };
    struct process_options options = {
        .argv = argv,
        .env = clean_env,
        .log_path = pg->log,
        .uid = pg->uid,
        .gid = pg->gid,
    };
    int rc = process_run(&options, &status, err);
    if (rc == 0 && status != 0) {
        rc = err_set(err, ERR_IO, "initdb could not make a cluster in %s", pg->data);
        hint_of_log(pg, err);
    }
    if (rc == 0)
        rc = write_access(pg, owner, err);
    pg->is_new = rc == 0;
    return rc;
}

/* The postmaster of these data, if it is alive: line 1 of postmaster.pid is its pid, line 2 its
 * data, line 5 its socket. */
static struct process find_living(struct private_pg *pg)
{
    struct str text, line = STR_EMPTY;
    int64_t pid = 0;
    char link[64], program[4096];

    if (file_read(pg->arena, str_format(pg->arena, "%s/postmaster.pid", pg->data).bytes, &text,
                  NULL) < 0)
        return (struct process) { 0 };
    for (int number = 1; number <= 5 && str_split(&text, '\n', &line); number++) {
        if (number == 1 && str_to_int(str_trim(line), 1, INT32_MAX, &pid) < 0)
            return (struct process) { 0 };
        if (number == 5 && line.size > 0)
            pg->run = str_copy(pg->arena, line).bytes;
    }
    (void)snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t size = readlink(link, program, sizeof program);
    /* After a reboot the pid may be anybody's. */
    if (size <= 0 || !str_ends((struct str) { program, (size_t)size }, "/postgres"))
        return (struct process) { 0 };
    return process_of((pid_t)pid);
}

bool private_pg_find(struct private_pg *pg)
{
    pg->process = find_living(pg);
    return pg->process.pid > 0;
}

/* Modest: a scheduler, a web server and some tasks on a laptop. What is durable stays durable. */
static int start_postmaster(struct private_pg *pg, struct err *err)
{
    static const char *const settings[] = {
        "listen_addresses=",
        "port=5432",
        "unix_socket_permissions=0700",
        "max_connections=60",
        "shared_buffers=64MB",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_wal_size=512MB",
        "checkpoint_timeout=15min",
        "random_page_cost=1.1",
        "autovacuum_naptime=20s",
        "jit=off",
        "logging_collector=off",
        "log_destination=stderr",
        "log_checkpoints=off",
        "timezone=UTC",
        "log_timezone=UTC",
        "cluster_name=headrace",
    };
    enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };
    const char *argv[SETTING_COUNT * 2 + 8];
    int count = 0;

    argv[count++] = str_format(pg->arena, "%s/postgres", pg->bin).bytes;
    argv[count++] = "-D";
    argv[count++] = pg->data;
    for (int i = 0; i < SETTING_COUNT; i++) {
        argv[count++] = "-c";
        argv[count++] = settings[i];
    }
    argv[count++] = "-c";
    argv[count++] = str_format(pg->arena, "unix_socket_directories=%s", pg->run).bytes;
    argv[count] = NULL;
    struct process_options options = {
        .argv = argv,
        .env = clean_env,
        .log_path = pg->log,
        .uid = pg->uid,
        .gid = pg->gid,
    };
    return process_spawn(&pg->process, &options, err);
}

static int wait_until_up(struct private_pg *pg, struct err *err)
{
    int64_t until = process_now_ms() + START_TIMEOUT_MS;

    for (;;) {
        struct pg_sync *sync;

        if (pg_sync_open(&sync, private_pg_conninfo(pg, "postgres"), err) == 0) {
            pg_sync_close(sync);
            return 0;
        }
        if (!process_is_alive(&pg->process)) {
            int rc = err_set(err, ERR_IO, "PostgreSQL ended while it started");
            hint_of_log(pg, err);
            return rc;
        }
        if (process_now_ms() > until)
            return err_wrap(err, ERR_TIMEOUT, "waiting for PostgreSQL");
        process_sleep_ms(POLL_MS);
    }
}

int private_pg_start(struct private_pg *pg, struct err *err)
{
    int rc = make_folders(pg, err);

    if (rc == 0 && !file_exists(str_format(pg->arena, "%s/PG_VERSION", pg->data).bytes))
        rc = make_cluster(pg, err);
    if (rc < 0)
        return rc;
    /* Backends of a postmaster that was killed end a moment after it; until then a new one
     * declines. */
    for (int attempt = 0; attempt < START_ATTEMPTS; attempt++) {
        pg->process = find_living(pg);
        pg->is_adopted = pg->process.pid > 0;
        rc = pg->is_adopted ? 0 : start_postmaster(pg, err);
        if (rc == 0)
            rc = wait_until_up(pg, err);
        if (rc != ERR_IO)
            break;
        process_sleep_ms(ATTEMPT_PAUSE_MS);
    }
    return rc;
}

/* ---- what is in it ---- */

const char *private_pg_conninfo(const struct private_pg *pg, const char *database)
{
    struct buf quoted = { 0 };

    for (const char *at = pg->run; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            buf_add_byte(&quoted, '\\');
        buf_add_byte(&quoted, *at);
    }
    const char *text =
        str_format(pg->arena, "host='%s' port=5432 dbname=%s", quoted.bytes, database).bytes;
    buf_clear(&quoted);
    return text;
}

static bool has_row(struct pg_sync *sync, const char *sql, const char *name, int *out_rc,
                    struct err *err)
{
    struct pg_params params = { 0 };
    struct pg_result *result = NULL;

    pg_put_text(&params, str_of(name));
    *out_rc = pg_sync_query(sync, sql, &params, &result, err);
    bool has = *out_rc == 0 && pg_row_count(result) > 0;
    pg_result_free(result);
    pg_params_clear(&params);
    return has;
}

/* Names and passwords are our own words here: letters, digits, - and _. */
static int make_role(struct private_pg *pg, struct pg_sync *sync, const char *name,
                     const char *password, struct err *err)
{
    int rc;
    bool is_there =
        has_row(sync, "SELECT 1 FROM pg_roles WHERE rolname = $1::text", name, &rc, err);

    if (rc < 0)
        return rc;
    return pg_sync_query(sync,
                         str_format(pg->arena, "%s ROLE \"%s\" LOGIN PASSWORD '%s'",
                                    is_there ? "ALTER" : "CREATE", name, password)
                             .bytes,
                         NULL, NULL, err);
}

int private_pg_database(struct private_pg *pg, const char *name, const char *password,
                        struct err *err)
{
    struct pg_sync *sync;
    int rc = pg_sync_open(&sync, private_pg_conninfo(pg, "postgres"), err);

    if (rc < 0)
        return rc;
    if (password[0] != '\0')
        rc = make_role(pg, sync, name, password, err);
    bool is_there = rc == 0 && has_row(sync, "SELECT 1 FROM pg_database WHERE datname = $1::text",
                                       name, &rc, err);
    if (rc == 0 && !is_there)
        rc = pg_sync_query(sync,
                           str_format(pg->arena, "CREATE DATABASE \"%s\" TEMPLATE template0%s%s%s",
                                      name, password[0] != '\0' ? " OWNER \"" : "",
                                      password[0] != '\0' ? name : "",
                                      password[0] != '\0' ? "\"" : "")
                               .bytes,
                           NULL, NULL, err);
    pg_sync_close(sync);
    return rc < 0 ? err_wrap(err, rc, "making the database %s", name) : 0;
}

void private_pg_stop(struct private_pg *pg, int64_t grace_ms)
{
    process_stop(&pg->process, SIGINT, grace_ms); /* SIGINT is PostgreSQL's fast shutdown */
}
