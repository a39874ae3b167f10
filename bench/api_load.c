// SPDX-License-Identifier: Apache-2.0
/* api_load - asks the same few things again and again on several connections, each with a thread of
 * its own, and tells how many answers came and how long they took. Prints one JSON object.
 *
 *     api_load http PORT TOKEN CONNECTIONS SECONDS PATH...          GET on a connection that stays
 *     api_load sql CONNINFO - CONNECTIONS SECONDS STATEMENT...      prepared, through libpq */
#include "common/base/buf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, ANSWERS_MAX = 1 << 22, READ_SIZE = 1 << 16, REOPENED_MAX = 100 };

struct load {
    bool is_sql;
    const char *where, *token;
    char **questions;
    int question_count;
    int64_t ends_us;
};

struct asker {
    const struct load *load;
    pthread_t thread;
    uint32_t number;
    int fd;
    PGconn *conn;
    struct buf got;
    uint32_t *taken_us;
    uint32_t count, bad, reopened;
    uint64_t bytes;
};

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "api_load: %s: %s\n", what, why);
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* ---- over HTTP ---- */

static void connect_http(struct asker *asker)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port =
                                       htons((uint16_t)strtoul(asker->load->where, NULL, 10)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    asker->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(asker->fd, (struct sockaddr *)&address, sizeof address) != 0)
        give_up("connecting", strerror(errno));
    (void)setsockopt(asker->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* Of the whole answer; 0 while it is not known. */
static size_t answer_size(const struct buf *got)
{
    const char *end = got->size == 0 ? NULL : strstr(got->bytes, "\r\n\r\n");
    if (end == NULL)
        return 0;
    const char *length = strcasestr(got->bytes, "\r\ncontent-length:");
    if (length == NULL || length > end)
        give_up("reading", "an answer without a length");
    return (size_t)(end + 4 - got->bytes) + strtoul(length + 17, NULL, 10);
}

/* False when the server closed the connection first. */
static bool read_answer(struct asker *asker)
{
    static _Thread_local char part[READ_SIZE];
    size_t whole = 0;
    buf_reset(&asker->got);
    while (whole == 0 || asker->got.size < whole) {
        ssize_t size = read(asker->fd, part, sizeof part);
        if (size <= 0)
            return false;
        buf_add(&asker->got, part, (size_t)size);
        if (whole == 0)
            whole = answer_size(&asker->got);
    }
    asker->bytes += whole;
    asker->bad += strncmp(asker->got.bytes + 9, "200", 3) != 0;
    return true;
}

/* As a client does, it asks again over a new connection when a server closes one: a supervisor that
 * takes a busy process for a dead one does so. */
static void ask_http(struct asker *asker, uint32_t question)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nAccept: "
                        "application/json\r\n\r\n",
                        asker->load->questions[question], asker->load->token);
    while (send(asker->fd, text, (size_t)size, MSG_NOSIGNAL) != size || !read_answer(asker)) {
        if (asker->reopened++ == REOPENED_MAX)
            give_up("reading", "the server closed the connection again and again");
        close(asker->fd);
        connect_http(asker);
    }
}

/* ---- through libpq ---- */

static void name_of(uint32_t question, char name[16])
{
    snprintf(name, 16, "q%u", question);
}

static void connect_sql(struct asker *asker)
{
    char name[16];
    asker->conn = PQconnectdb(asker->load->where);
    for (int i = 0; i < asker->load->question_count; i++) {
        name_of((uint32_t)i, name);
        PGresult *result = PQprepare(asker->conn, name, asker->load->questions[i], 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            give_up("preparing", PQerrorMessage(asker->conn));
        PQclear(result);
    }
}

static void ask_sql(struct asker *asker, uint32_t question)
{
    char name[16];
    name_of(question, name);
    PGresult *result = PQexecPrepared(asker->conn, name, 0, NULL, NULL, NULL, 0);
    asker->bad += PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) == 0;
    asker->bytes += PQresultMemorySize(result);
    PQclear(result);
}

/* ---- */

static void *run(void *owner)
{
    struct asker *asker = owner;
    const struct load *load = asker->load;
    for (int64_t begun_us = now_us(); begun_us < load->ends_us && asker->count < ANSWERS_MAX;) {
        uint32_t question = (asker->number * 31 + asker->count) % (uint32_t)load->question_count;
        if (load->is_sql)
            ask_sql(asker, question);
        else
            ask_http(asker, question);
        int64_t ended_us = now_us();
        asker->taken_us[asker->count++] = (uint32_t)(ended_us - begun_us);
        begun_us = ended_us;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void tell(const struct asker *askers, uint32_t asker_count, int64_t taken_us)
{
    uint32_t count = 0, bad = 0, reopened = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < asker_count; i++) {
        count += askers[i].count;
        bad += askers[i].bad;
        reopened += askers[i].reopened;
        bytes += askers[i].bytes;
    }
    uint32_t *all = calloc(count, sizeof *all), at = 0;
    for (uint32_t i = 0; i < asker_count; i++) {
        memcpy(all + at, askers[i].taken_us, askers[i].count * sizeof *all);
        at += askers[i].count;
    }
    qsort(all, count, sizeof *all, compare);
    printf("{\"count\":%u,\"bad\":%u,\"reopened\":%u,\"bytes\":%llu,\"per_s\":%.2f,\"p50_us\":%u,"
           "\"p99_us\":%u}\n",
           count, bad, reopened, (unsigned long long)(bytes / count),
           count * 1e6 / (double)taken_us, all[count / 2], all[(uint64_t)count * 99 / 100]);
    free(all);
}

int main(int argc, char **argv)
{
    static struct asker askers[CONNECTIONS_MAX];
    if (argc < 7)
        give_up("usage", "http PORT TOKEN CONNECTIONS SECONDS PATH... | sql CONNINFO - ...");
    uint32_t asker_count = (uint32_t)strtoul(argv[4], NULL, 10);
    if (asker_count == 0 || asker_count > CONNECTIONS_MAX)
        give_up("connections", "1 to 64");
    struct load load = { .is_sql = strcmp(argv[1], "sql") == 0,
                         .where = argv[2],
                         .token = argv[3],
                         .questions = argv + 6,
                         .question_count = argc - 6 };
    for (uint32_t i = 0; i < asker_count; i++) {
        askers[i] = (struct asker) { .load = &load, .number = i };
        askers[i].taken_us = calloc(ANSWERS_MAX, sizeof *askers[i].taken_us);
        if (load.is_sql)
            connect_sql(&askers[i]);
        else
            connect_http(&askers[i]);
    }
    int64_t begun_us = now_us();
    load.ends_us = begun_us + (int64_t)(strtod(argv[5], NULL) * 1e6);
    for (uint32_t i = 0; i < asker_count; i++)
        if (pthread_create(&askers[i].thread, NULL, run, &askers[i]) != 0)
            give_up("a thread", "cannot be had");
    for (uint32_t i = 0; i < asker_count; i++)
        (void)pthread_join(askers[i].thread, NULL);
    tell(askers, asker_count, now_us() - begun_us);
    for (uint32_t i = 0; i < asker_count; i++) {
        PQfinish(askers[i].conn);
        buf_clear(&askers[i].got);
        free(askers[i].taken_us);
    }
    return 0;
}
