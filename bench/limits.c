// SPDX-License-Identifier: Apache-2.0
/* limits - what the machine gives at this moment, for the ratios of bench/: one commit, one message
 * there and one back, one process from spawn to main(), spawns per second. Prints JSON.
 *
 *     limits CONNINFO STAMP_PROGRAM
 */
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { ROUNDS = 400, SPAWNS = 3000, PARALLEL = 8 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "limits: %s: %s\n", what, why);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_spread(const char *name, int64_t *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    printf("\"%s\": {\"p50_us\": %.1f, \"p99_us\": %.1f}, ", name,
           (double)values[count / 2] / 1000.0, (double)values[count * 99 / 100] / 1000.0);
}

/* ---- a commit: what one hop writes, an update and an insert, in one pipelined transaction ---- */

static void run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        die("database", PQerrorMessage(conn));
    PQclear(result);
}

static void commit_once(PGconn *conn, int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    const char *values[] = { text };
    if (PQsendQueryPrepared(conn, "ended", 1, values, NULL, NULL, 0) != 1 ||
        PQsendQueryPrepared(conn, "placed", 1, values, NULL, NULL, 0) != 1 ||
        PQpipelineSync(conn) != 1)
        die("database", PQerrorMessage(conn));
    for (bool synced = false; !synced;) {
        PGresult *result = PQgetResult(conn);
        if (result == NULL)
            continue;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED)
            die("database", PQerrorMessage(conn));
        synced = status == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
}

static void measure_commit(const char *conninfo)
{
    static int64_t times[ROUNDS];
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        die("database", PQerrorMessage(conn));
    run(conn, "SET client_min_messages = warning; DROP TABLE IF EXISTS limits_probe");
    run(conn, "CREATE TABLE limits_probe (id int PRIMARY KEY, state smallint, at timestamptz, fill "
              "text) WITH (fillfactor = 70)");
    run(conn,
        "PREPARE ended AS UPDATE limits_probe SET state = 4, at = now() WHERE id = $1::int - 1");
    run(conn,
        "PREPARE placed AS INSERT INTO limits_probe VALUES ($1::int, 2, now(), repeat('x', 60))");
    if (PQenterPipelineMode(conn) != 1)
        die("database", PQerrorMessage(conn));
    for (int i = 0; i < ROUNDS; i++) {
        int64_t began = now_ns();
        commit_once(conn, i + 1);
        times[i] = now_ns() - began;
    }
    PQexitPipelineMode(conn);
    run(conn, "DROP TABLE limits_probe");
    PQfinish(conn);
    print_spread("commit", times, ROUNDS);
}

/* ---- a message there and one back: two hops -------------------------------------------------- */

static void *echo(void *socket)
{
    char identity[256], body[1024];
    for (;;) {
        int identity_size = zmq_recv(socket, identity, sizeof identity, 0);
        int size = zmq_recv(socket, body, sizeof body, 0);
        if (identity_size < 0 || size <= 1)
            return NULL;
        zmq_send(socket, identity, (size_t)identity_size, ZMQ_SNDMORE);
        zmq_send(socket, body, (size_t)size, 0);
    }
}

static void measure_messages(void)
{
    static int64_t times[ROUNDS];
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_ROUTER), *client = zmq_socket(context, ZMQ_DEALER);
    char endpoint[128], body[200] = { 1 };
    size_t size = sizeof endpoint;
    if (zmq_bind(server, "tcp://127.0.0.1:*") < 0 ||
        zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) < 0 ||
        zmq_connect(client, endpoint) < 0)
        die("ZeroMQ", zmq_strerror(errno));
    pthread_t thread;
    if (pthread_create(&thread, NULL, echo, server) != 0)
        die("thread", strerror(errno));
    for (int i = -20; i < ROUNDS; i++) {
        int64_t began = now_ns();
        zmq_send(client, body, sizeof body, 0);
        zmq_recv(client, body, sizeof body, 0);
        if (i >= 0)
            times[i] = now_ns() - began;
    }
    zmq_send(client, body, 1, 0);
    pthread_join(thread, NULL);
    zmq_close(client);
    zmq_close(server);
    zmq_ctx_term(context);
    print_spread("message_there_and_back", times, ROUNDS);
}

/* ---- a process ------------------------------------------------------------------------------- */

static pid_t spawn(const char *program, const char *argument)
{
    extern char **environ;
    char *argv[] = { (char *)program, (char *)argument, NULL };
    pid_t pid;
    int rc = posix_spawn(&pid, program, NULL, NULL, argv, environ);
    if (rc != 0)
        die(program, strerror(rc));
    return pid;
}

static void measure_spawn(const char *stamp)
{
    static int64_t times[ROUNDS];
    char path[] = "/tmp/limits.XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        die(path, strerror(errno));
    for (int i = 0; i < ROUNDS; i++) {
        int64_t began = now_ns(), stamps[2];
        if (waitpid(spawn(stamp, path), NULL, 0) < 0 ||
            read(fd, stamps, sizeof stamps) != sizeof stamps)
            die("stamp", strerror(errno));
        times[i] = stamps[0] - began;
    }
    close(fd);
    unlink(path);
    print_spread("spawn_to_main", times, ROUNDS);
}

static void measure_spawn_rate(void)
{
    int64_t began = now_ns();
    int running = 0;
    for (int started = 0; started < SPAWNS || running > 0;) {
        if (started < SPAWNS && running < PARALLEL) {
            (void)spawn("/bin/true", NULL);
            started++;
            running++;
            continue;
        }
        if (waitpid(-1, NULL, 0) > 0)
            running--;
    }
    printf("\"spawns_per_s\": %.0f", SPAWNS / ((double)(now_ns() - began) / 1e9));
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: limits CONNINFO STAMP_PROGRAM\n");
        return 2;
    }
    printf("{");
    measure_commit(argv[1]);
    measure_messages();
    measure_spawn(argv[2]);
    measure_spawn_rate();
    printf("}\n");
    return 0;
}
