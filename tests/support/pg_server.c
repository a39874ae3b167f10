// SPDX-License-Identifier: Apache-2.0
#include "tests/support/pg_server.h"

#include "common/base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
    pid_t pid;
    pid_t maker; /* a forked child of the test must not end it */
    char folder[64];
    char bindir[256];
    uid_t uid;
    gid_t gid;
    int databases;
    struct arena arena;
} server;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "pg_server: %s: %s (folder %s)\n", what, strerror(errno), server.folder);
    exit(1);
}

static void find_binaries(void)
{
    FILE *pipe = popen("pg_config --bindir", "r");
    if (pipe == NULL || fgets(server.bindir, sizeof server.bindir, pipe) == NULL)
        give_up("pg_config --bindir");
    pclose(pipe);
    server.bindir[strcspn(server.bindir, "\n")] = 0;
}

static void find_user(void)
{
    server.uid = geteuid();
    server.gid = getegid();
    if (server.uid != 0)
        return;
    const struct passwd *postgres = getpwnam("postgres"); /* PostgreSQL refuses to run as root */
    if (postgres == NULL)
        give_up("user postgres");
    server.uid = postgres->pw_uid;
    server.gid = postgres->pw_gid;
}

/* Forks, becomes the server's user, executes. Output goes to `log` in the folder. */
static pid_t run(const char *const *argv)
{
    char path[512], log[128];
    snprintf(path, sizeof path, "%s/%s", server.bindir, argv[0]);
    snprintf(log, sizeof log, "%s/log", server.folder);

    pid_t pid = fork();
    if (pid < 0)
        give_up("fork");
    if (pid > 0)
        return pid;
    setsid(); /* a terminal's Ctrl-C is not for it */
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(server.gid) != 0 || setuid(server.uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* changing the user has cleared it */
    int fd = open(log, O_CREAT | O_APPEND | O_WRONLY, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || chdir(server.folder) != 0)
        _exit(126);
    dup2(null, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    unsetenv("LD_PRELOAD");
    execv(path, (char **)argv);
    _exit(127);
}

static void wait_for_end(pid_t pid, const char *what)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            give_up(what);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "pg_server: %s ended with status %d; see %s/log\n", what, status,
                server.folder);
        exit(1);
    }
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char child[1024];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_tree(child);
        else
            unlink(child);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

void pg_server_stop(bool at_once)
{
    int status;
    if (server.pid <= 0)
        return;
    kill(server.pid, at_once ? SIGQUIT : SIGINT);
    while (waitpid(server.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    server.pid = 0;
}

static void on_exit_of_test(void)
{
    if (server.maker != getpid())
        return;
    pg_server_stop(true);
    remove_tree(server.folder);
    arena_clear(&server.arena);
}

static void wait_until_ready(void)
{
    struct pg_sync *sync;
    char conninfo[160];
    struct err err = { 0 };

    snprintf(conninfo, sizeof conninfo, "host=%s dbname=postgres user=headrace", server.folder);
    for (int i = 0; i < 2000; i++) {
        if (pg_sync_open(&sync, conninfo, &err) == 0) {
            pg_sync_close(sync);
            return;
        }
        int status;
        if (waitpid(server.pid, &status, WNOHANG) == server.pid) {
            server.pid = 0;
            give_up("postgres ended at once");
        }
        nanosleep(&(struct timespec) { 0, 10000000 }, NULL);
    }
    fprintf(stderr, "pg_server: %s\n", err.sentence);
    give_up("postgres does not answer");
}

void pg_server_start(void)
{
    char data[128], sockets[160];
    snprintf(data, sizeof data, "%s/data", server.folder);
    snprintf(sockets, sizeof sockets, "unix_socket_directories=%s", server.folder);
    server.pid = run((const char *[]) { "postgres",
                                        "-D",
                                        data,
                                        "-c",
                                        "listen_addresses=",
                                        "-c",
                                        sockets,
                                        "-c",
                                        "fsync=off",
                                        "-c",
                                        "full_page_writes=off",
                                        "-c",
                                        "max_connections=60",
                                        "-c",
                                        "shared_buffers=16MB",
                                        "-c",
                                        "autovacuum=off",
                                        "-c",
                                        "log_min_messages=fatal",
                                        NULL });
    wait_until_ready();
}

static void make(void)
{
    char data[128];

    server.maker = getpid();
    find_binaries();
    find_user();
    snprintf(server.folder, sizeof server.folder,
             "/tmp/hr-pg-XXXXXX"); /* short: a socket's path has 107 bytes */
    if (mkdtemp(server.folder) == NULL || chown(server.folder, server.uid, server.gid) != 0 ||
        chmod(server.folder, 0755) != 0)
        give_up("making the folder");
    atexit(on_exit_of_test);
    snprintf(data, sizeof data, "%s/data", server.folder);
    wait_for_end(run((const char *[]) { "initdb", "-D", data, "-U", "headrace", "--auth=trust",
                                        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
                                        "--wal-segsize=1", NULL }),
                 "initdb");
    pg_server_start();
}

const char *pg_server_conninfo(const char *database)
{
    if (server.folder[0] == 0)
        make();
    return str_format(&server.arena, "host=%s user=headrace dbname=%s", server.folder, database)
        .bytes;
}

const char *pg_server_database(const char *conninfo)
{
    return strstr(conninfo, "dbname=") + strlen("dbname=");
}

void pg_server_run(const char *conninfo, const char *script)
{
    struct pg_sync *sync;
    struct err err = { 0 };

    if (pg_sync_open(&sync, conninfo, &err) < 0 || pg_sync_exec(sync, script, &err) < 0) {
        fprintf(stderr, "pg_server: %s\n%s\n", err.sentence, script);
        exit(1);
    }
    pg_sync_close(sync);
}

const char *pg_server_make_database(const char *template_name)
{
    const char *root = pg_server_conninfo("postgres");
    struct arena arena = { 0 };
    const char *name = str_format(&server.arena, "t%d", ++server.databases).bytes;

    pg_server_run(root, str_format(&arena, "CREATE DATABASE %s TEMPLATE %s", name,
                                   template_name != NULL ? template_name : "template0")
                            .bytes);
    arena_clear(&arena);
    return pg_server_conninfo(name);
}
