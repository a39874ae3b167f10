// SPDX-License-Identifier: Apache-2.0
/* Where to connect: libpq resolves names while the loop waits, so they are resolved on the pool
 * beforehand and given as addresses; the names stay for certificates and messages. */
#include "common/base/assert.h"
#include "common/pg/inside.h"

#include <arpa/inet.h>
#include <netdb.h>

enum { HOSTS_MAX = 16, ADDRESSES_PER_HOST = 4 };

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (strcmp(option->keyword, keyword) == 0)
            return option->val;
    return NULL;
}

static int parse(const char *conninfo, PQconninfoOption **out, struct err *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    if (options == NULL) {
        struct str reason = str_trim(str_of(message));
        (void)err_set(err, ERR_INVALID, "database.conn cannot be read: %.*s", STR_ARG(reason));
        err_hint(err, "write host=... dbname=... or postgresql://user@host/dbname");
        PQfreemem(message);
        return ERR_INVALID;
    }
    *out = options;
    return 0;
}

int pg_target_check(const char *conninfo, struct err *err)
{
    PQconninfoOption *options;
    int rc = parse(conninfo, &options, err);
    if (rc == 0)
        PQconninfoFree(options);
    return rc;
}

static bool is_name(struct str host)
{
    char text[64];
    struct in6_addr address;

    if (host.size == 0 || host.bytes[0] == '/' || host.bytes[0] == '@')
        return false;
    if (host.size >= sizeof text)
        return true;
    memcpy(text, host.bytes, host.size);
    text[host.size] = 0;
    return inet_pton(AF_INET, text, &address) != 1 && inet_pton(AF_INET6, text, &address) != 1;
}

bool pg_target_has_names(const char *conninfo)
{
    PQconninfoOption *options;
    if (parse(conninfo, &options, NULL) < 0)
        return false;
    struct str rest = str_of(value_of(options, "host")), host;
    bool has_names = false;
    if (value_of(options, "hostaddr") == NULL)
        while (rest.size > 0 && str_split(&rest, ',', &host))
            has_names |= is_name(host);
    PQconninfoFree(options);
    return has_names;
}

struct lists {
    struct buf hosts, addresses, ports;
    uint32_t count;
};

static void add_host(struct lists *lists, struct str host, const char *address, struct str port)
{
    if (lists->count++ > 0) {
        buf_add_byte(&lists->hosts, ',');
        buf_add_byte(&lists->addresses, ',');
        buf_add_byte(&lists->ports, ',');
    }
    buf_add_str(&lists->hosts, host);
    buf_add_cstr(&lists->addresses, address);
    buf_add_str(&lists->ports, port);
}

/* All addresses of one name, as so many hosts: libpq tries them in turn. */
static int resolve_host(struct lists *lists, struct arena *arena, struct str host, struct str port)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list = NULL;
    char address[NI_MAXHOST];
    int count = 0;

    int rc = getaddrinfo(str_cstr(arena, host), NULL, &hints, &list);
    if (rc != 0)
        return rc;
    for (const struct addrinfo *item = list; item != NULL && count < ADDRESSES_PER_HOST;
         item = item->ai_next) {
        if (getnameinfo(item->ai_addr, item->ai_addrlen, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        add_host(lists, host, address, port);
        count++;
    }
    freeaddrinfo(list);
    return count > 0 ? 0 : EAI_NONAME;
}

static int resolve_hosts(struct lists *lists, struct arena *arena, const PQconninfoOption *options,
                         struct err *err)
{
    struct str rest = str_of(value_of(options, "host")), ports = str_of(value_of(options, "port"));
    struct str host, port = STR_EMPTY;
    bool is_one_port = str_find(ports, ',') < 0;
    int last = 0;

    if (is_one_port)
        port = ports;
    while (lists->count < HOSTS_MAX && str_split(&rest, ',', &host)) {
        if (!is_one_port && !str_split(&ports, ',', &port))
            port = STR_EMPTY;
        if (!is_name(host)) {
            add_host(lists, host, "", port);
            continue;
        }
        int rc = resolve_host(lists, arena, host, port);
        if (rc != 0) {
            last = rc;
            (void)err_set(err, ERR_DB_CONNECTION, "looking up the database's host %.*s: %s",
                          STR_ARG(host), gai_strerror(rc));
        }
    }
    if (lists->count > 0)
        return 0;
    return last != 0 ? ERR_DB_CONNECTION : err_set(err, ERR_INVALID, "database.conn names no host");
}

/* What the house wants unless the connection string says otherwise. */
static const struct {
    const char *keyword, *value;
} defaults[] = {
    { "target_session_attrs", "read-write" },
    { "keepalives_idle", "5" },
    { "keepalives_interval", "2" },
    { "keepalives_count", "3" },
    { "tcp_user_timeout", "10000" },
    { "connect_timeout", "5" },
    { "client_encoding", "UTF8" },
};

int pg_target_resolve(struct pg_target *target, const char *conninfo, const char *application_name,
                      struct err *err)
{
    PQconninfoOption *options;
    struct lists lists = { 0 };
    size_t room = 0, count = 0;

    *target = (struct pg_target) { 0 };
    int rc = parse(conninfo, &options, err);
    if (rc < 0)
        return rc;
    bool names = pg_target_has_names(conninfo);
    if (names)
        rc = resolve_hosts(&lists, &target->arena, options, err);
    if (rc < 0)
        goto out;

    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        room++;
    room += sizeof defaults / sizeof *defaults + 3;
    target->keywords = ARENA_ARRAY(&target->arena, const char *, room);
    target->values = ARENA_ARRAY(&target->arena, const char *, room);
#define ADD(keyword, value)                                                                        \
    (target->keywords[count] = str_cstr(&target->arena, str_of(keyword)),                          \
     target->values[count++] = str_cstr(&target->arena, str_of(value)))
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val == NULL)
            continue;
        const char *value = option->val;
        if (names && strcmp(option->keyword, "host") == 0)
            value = lists.hosts.bytes;
        if (names && strcmp(option->keyword, "port") == 0)
            value = lists.ports.bytes;
        ADD(option->keyword, value);
    }
    if (names)
        ADD("hostaddr", lists.addresses.bytes);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (value_of(options, defaults[i].keyword) == NULL)
            ADD(defaults[i].keyword, defaults[i].value);
    if (value_of(options, "application_name") == NULL && application_name != NULL)
        ADD("application_name", application_name);
#undef ADD
    ASSERT(count < room);

out:
    PQconninfoFree(options);
    buf_clear(&lists.hosts);
    buf_clear(&lists.addresses);
    buf_clear(&lists.ports);
    return rc;
}

struct str pg_session_sql(struct arena *arena, int64_t statement_timeout_ms,
                          int64_t lock_timeout_ms)
{
    return str_format(arena,
                      "SELECT set_config('TimeZone', 'UTC', false), set_config('search_path', "
                      "'public, pg_temp', false),"
                      " set_config('statement_timeout', '%lld', false), set_config('lock_timeout', "
                      "'%lld', false),"
                      " set_config('idle_in_transaction_session_timeout', '10000', false),"
                      " set_config('synchronous_commit', 'on', false), "
                      "set_config('default_transaction_isolation', 'read committed', false),"
                      " set_config('standard_conforming_strings', 'on', false),"
                      /* Compiling a plan takes a second; none of ours runs for so long. */
                      " set_config('jit', 'off', false)",
                      (long long)statement_timeout_ms, (long long)lock_timeout_ms);
}
