// SPDX-License-Identifier: Apache-2.0
#include "cli/standalone.h"

#include "common/base/rand.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT_LOW = 15000, PORT_HIGH = 32000, PORT_ATTEMPTS = 100 };

static const char *const port_sections[PORT_COUNT] = { "api", "scheduler", "logging" };

/* "autoscale.default", "min" -> HEADRACE__AUTOSCALE_DEFAULT__MIN */
static const char *variable_name(struct arena *arena, struct str section, struct str key)
{
    struct str name = str_format(arena, "HEADRACE__%.*s__%.*s", STR_ARG(section), STR_ARG(key));
    char *bytes = arena_copy(arena, name.bytes, name.size + 1);

    for (size_t i = 0; i < name.size; i++) {
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            bytes[i] = (char)(bytes[i] - 'a' + 'A');
        if (bytes[i] == '.')
            bytes[i] = '_';
    }
    return bytes;
}

static void put(struct environment *env, const char *name, struct str value)
{
    const char *text = str_format(env->arena, "%s=%.*s", name, STR_ARG(value)).bytes;
    size_t size = strlen(name) + 1;

    VEC_EACH (&env->variables, i)
        if (strncmp(env->variables.items[i], text, size) == 0) {
            env->variables.items[i] = text;
            return;
        }
    VEC_ADD(&env->variables, text);
}

void environment_home(struct environment *env, struct str home)
{
    for (char **at = environ; *at != NULL; at++)
        if (strncmp(*at, "HEADRACE_TOKEN=", 15) != 0 && strncmp(*at, "HEADRACE_HOME=", 14) != 0)
            VEC_ADD(&env->variables, *at);
    put(env, "HEADRACE_HOME", home);
}

void environment_set(struct environment *env, const char *section, const char *key,
                     struct str value)
{
    put(env, variable_name(env->arena, str_of(section), str_of(key)), value);
}

void environment_flags(struct environment *env, const struct cli *cli)
{
    for (int i = 0; i < cli->argc; i++) {
        struct str word = str_of(cli->argv[i]), name;
        ptrdiff_t dot = -1;

        if (!str_starts(word, "--") || str_find(word, '=') < 0)
            continue;
        word = str_slice(word, 2, word.size);
        (void)str_split(&word, '=', &name);
        for (size_t k = 0; k < name.size; k++)
            if (name.bytes[k] == '.')
                dot = (ptrdiff_t)k; /* the last: a section may hold one */
        if (dot > 0)
            put(env,
                variable_name(env->arena, str_slice(name, 0, (size_t)dot),
                              str_slice(name, (size_t)dot + 1, name.size)),
                word);
    }
}

void environment_default(struct environment *env, const struct cli *cli, const char *section,
                         const char *key, struct str value)
{
    struct conf_item item;

    if (conf_find(cli->conf, str_of(section), str_of(key), &item, NULL) == 0 &&
        item.origin == CONF_DEFAULT)
        environment_set(env, section, key, value);
}

const char *const *environment_list(struct environment *env)
{
    /* A port that was asked for as 0 is by now a number. */
    for (size_t i = 0; i < PORT_COUNT; i++)
        environment_set(env, port_sections[i], "port",
                        str_format(env->arena, "%lld", (long long)env->ports[i]));
    VEC_ADD(&env->variables, NULL);
    return env->variables.items;
}

void environment_clear(struct environment *env)
{
    VEC_CLEAR(&env->variables);
}

/* Whether the port can be had on loopback: 0, or errno. */
static int try_port(int64_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        return errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int rc = bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0
                 ? errno
                 : 0;
    (void)close(fd);
    return rc;
}

/* Any that is free, below the range of outgoing connections: one of those, looking for a server
 * that is away, could be given the very port that it looks for. */
static int choose_port(struct rand *rand, int64_t *out)
{
    int rc = 0;

    for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
        *out = PORT_LOW + (int64_t)rand_below(rand, PORT_HIGH - PORT_LOW);
        rc = try_port(*out);
        if (rc == 0)
            break;
    }
    return rc;
}

int environment_take_ports(struct environment *env, const struct cli *cli, struct err *err)
{
    const int64_t wanted[PORT_COUNT] = { cli->conf->api_port, cli->conf->scheduler_port,
                                         cli->conf->logging_port };
    struct timespec now;
    struct rand rand;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    rand_init(&rand, (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32);
    struct str taken = STR_EMPTY, others = STR_EMPTY;
    int last = 0;
    for (size_t i = 0; i < PORT_COUNT; i++) {
        env->ports[i] = wanted[i];
        int code = wanted[i] == 0 ? choose_port(&rand, &env->ports[i]) : try_port(wanted[i]);

        if (code == 0)
            continue;
        last = code;
        taken = str_format(env->arena, "%.*s%sport %lld (%s.port)", STR_ARG(taken),
                           taken.size > 0 ? ", " : "", (long long)wanted[i], port_sections[i]);
        others = str_format(env->arena, "%.*s --%s.port=%lld", STR_ARG(others), port_sections[i],
                            (long long)wanted[i] + 1000);
    }
    if (last == 0)
        return 0;
    int rc = err_set(err, ERR_CONFLICT, "%.*s cannot be had: %s", STR_ARG(taken), strerror(last));
    err_hint(err, "choose others:%.*s, or 0 for any that is free", STR_ARG(others));
    return rc;
}
