// SPDX-License-Identifier: Apache-2.0
#include "cli/client.h"

#include "cli/files.h"
#include "cli/instance.h"
#include "cli/output.h"
#include "common/base/assert.h"
#include "common/text/json.h"
#include "common/text/yaml.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <strings.h>

enum { PAGE_SIZE = 100, CONNECT_TIMEOUT_S = 5, ANSWER_TIMEOUT_S = 60 };

struct client {
    CURL *curl;
    struct str url; /* without the slash at its end */
    struct str token;
    bool is_guess;           /* of the settings: perhaps the server of another home is there */
    struct str trusted_file; /* certificates to trust besides the system's; empty: none */
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
};

struct answer {
    struct buf body;
    int64_t log_lines;
    bool log_is_complete;
};

/* ---- which server, and who asks ---- */

/* ~/.config/headrace/profiles.yaml: a mapping from a name to url, token or token_file, ca_file. */
static int read_profile(struct cli *cli, struct str name, struct client *client, struct err *err)
{
    const char *folder = getenv("XDG_CONFIG_HOME");
    struct str path = folder != NULL ? str_format(cli->arena, "%s/headrace/profiles.yaml", folder)
                                     : str_format(cli->arena, "%s/.config/headrace/profiles.yaml",
                                                  getenv("HOME") ? getenv("HOME") : "");
    struct str text;
    struct yaml yaml;
    int rc = file_read(cli->arena, path.bytes, &text, err);

    if (rc < 0)
        return err_wrap(err, rc, "reading the profile %.*s", STR_ARG(name));
    if (yaml_parse(cli->arena, text, NULL, &yaml) < 0 || yaml.document_count != 1)
        return err_set(
            err, ERR_INVALID, "%s cannot be read: %.*s", path.bytes,
            STR_ARG(yaml.problem_count > 0 ? yaml.problems[0].sentence : STR("it is empty")));
    const struct value *profile = value_get_str(yaml.documents[0], name);
    if (value_text(value_get(profile, "url"), STR_EMPTY).size == 0) {
        rc = err_set(err, ERR_NOT_FOUND, "%s has no profile %.*s with a url", path.bytes,
                     STR_ARG(name));
        err_hint(err, "write there:  %.*s: {url: \"https://host:8080\", token: \"...\"}",
                 STR_ARG(name));
        return rc;
    }
    client->url = value_text(value_get(profile, "url"), STR_EMPTY);
    client->token = value_text(value_get(profile, "token"), STR_EMPTY);
    client->trusted_file = value_text(value_get(profile, "ca_file"), STR_EMPTY);
    struct str token_file = value_text(value_get(profile, "token_file"), STR_EMPTY);
    if (token_file.size > 0) {
        rc = file_read(cli->arena, str_cstr(cli->arena, token_file), &client->token, err);
        client->token = str_trim(client->token);
    }
    return rc;
}

/* The server of this home: what `standalone` wrote down, unless a setting says otherwise. */
static void local_server(struct cli *cli, struct client *client)
{
    struct conf_item item;
    struct str host = cli->conf->api_host;
    bool is_default = conf_find(cli->conf, STR("api"), STR("port"), &item, NULL) == 0 &&
                      item.origin == CONF_DEFAULT;

    client->url = cli->server;
    if (client->url.size == 0 && is_default)
        client->url = instance_text(cli, "url");
    if (client->url.size == 0) {
        client->is_guess = true;
        if (str_is(host, "*") || str_is(host, "0.0.0.0") || str_is(host, "::"))
            host = STR("127.0.0.1");
        bool is_ipv6 = str_find(host, ':') >= 0;
        client->url = str_format(
            cli->arena, "%s://%s%.*s%s:%lld", cli->conf->api_tls_cert.size > 0 ? "https" : "http",
            is_ipv6 ? "[" : "", STR_ARG(host), is_ipv6 ? "]" : "", (long long)cli->conf->api_port);
    }
    client->trusted_file = cli->conf->api_tls_cert;
}

static int choose_server(struct cli *cli, struct client *client, struct err *err)
{
    struct str profile = cli_arg(cli, "--profile");
    const char *token = getenv("HEADRACE_TOKEN");
    int rc = 0;

    if (profile.size == 0 && cli_arg(cli, "--url").size == 0)
        profile = str_of(getenv("HEADRACE_PROFILE"));
    if (profile.size > 0)
        rc = read_profile(cli, profile, client, err);
    else
        local_server(cli, client);
    if (rc < 0)
        return rc;
    if (cli_arg(cli, "--url").size > 0) {
        client->url = cli_arg(cli, "--url");
        client->is_guess = false;
    }
    while (str_ends(client->url, "/"))
        client->url = str_slice(client->url, 0, client->url.size - 1);
    if (token != NULL) {
        client->token = str_of(token);
        client->is_guess = false;
    }
    if (client->token.size == 0 &&
        file_read(cli->arena, cli_home_path(cli, "cli-token"), &client->token, NULL) == 0)
        client->token = str_trim(client->token);
    return 0;
}

static int client_open(struct cli *cli, struct err *err)
{
    struct client *client = ARENA_NEW(cli->arena, struct client);
    int rc = choose_server(cli, client, err);

    if (rc < 0)
        return rc;
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    client->curl = curl_easy_init();
    ASSERT(client->curl != NULL);
    client->headers =
        curl_slist_append(client->headers, "Accept: application/json, text/plain;q=0.9");
    if (client->token.size > 0)
        client->headers = curl_slist_append(
            client->headers,
            str_format(cli->arena, "Authorization: Bearer %.*s", STR_ARG(client->token)).bytes);
    cli->client = client;
    return 0;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    curl_slist_free_all(client->headers);
    curl_easy_cleanup(client->curl);
    curl_global_cleanup();
}

int client_url(struct cli *cli, struct str *out, struct err *err)
{
    int rc = cli->client == NULL ? client_open(cli, err) : 0;

    if (rc == 0)
        *out = cli->client->url;
    return rc;
}

/* ---- one request ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
    struct answer *answer = owner;

    buf_add(&answer->body, bytes, size * count);
    return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
    struct answer *answer = owner;
    struct str line = { bytes, size * count }, name;

    (void)str_split(&line, ':', &name);
    if (line.bytes != NULL && name.size == 9 && strncasecmp(name.bytes, "Log-Lines", 9) == 0)
        (void)!str_to_int(str_trim(line), 0, INT64_MAX, &answer->log_lines);
    if (line.bytes != NULL && name.size == 12 && strncasecmp(name.bytes, "Log-Complete", 12) == 0)
        answer->log_is_complete = str_is(str_trim(line), "true");
    return size * count;
}

static int perform(struct cli *cli, const char *method, struct str path, const struct value *body,
                   struct answer *answer, long *out_status, struct err *err)
{
    struct client *client = cli->client;
    CURL *curl = client->curl;
    struct str text = body == NULL ? STR_EMPTY : json_text(cli->arena, body);
    char type[] = "Content-Type: application/json"; /* nothing has none */
    struct curl_slist typed = { .data = type, .next = client->headers };

    curl_easy_reset(curl);
    (void)curl_easy_setopt(
        curl, CURLOPT_URL,
        str_format(cli->arena, "%.*s%.*s", STR_ARG(client->url), STR_ARG(path)).bytes);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, body == NULL ? client->headers : &typed);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_TIMEOUT_S);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (client->trusted_file.size > 0)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, str_cstr(cli->arena, client->trusted_file));
    if (body != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)text.size);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text.bytes);
    }
    client->error[0] = '\0';
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        int rc = err_set(err, ERR_UNAVAILABLE, "no answer from %.*s: %s", STR_ARG(client->url),
                         client->error[0] != '\0' ? client->error : curl_easy_strerror(code));
        err_hint(
            err,
            "start one here with `headrace standalone`, or name another with --url or --profile");
        return rc;
    }
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, out_status);
    return 0;
}

/* ---- what the server says of a failure ---- */

static int code_of_status(long status)
{
    static const struct {
        long status;
        int code;
    } rows[] = {
        { 400, ERR_INVALID },     { 401, ERR_UNAUTHENTICATED }, { 403, ERR_FORBIDDEN },
        { 404, ERR_NOT_FOUND },   { 409, ERR_CONFLICT },        { 422, ERR_UNPROCESSABLE },
        { 413, ERR_TOO_LARGE },   { 429, ERR_TOO_MANY },        { 501, ERR_UNSUPPORTED },
        { 503, ERR_UNAVAILABLE }, { 504, ERR_TIMEOUT },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == status)
            return rows[i].code;
    return status < 500 ? ERR_INVALID : ERR_INTERNAL;
}

/* detail is a sentence, {reason, message}, or a list of {loc, msg}. */
static struct str detail_text(struct cli *cli, const struct value *detail)
{
    struct str text = STR_EMPTY;

    if (detail == NULL || detail->type == VALUE_STRING)
        return value_text(detail, STR_EMPTY);
    if (detail->type == VALUE_MAP)
        return value_text(value_get(detail, "message"),
                          value_text(value_get(detail, "reason"), STR_EMPTY));
    for (uint32_t i = 0; detail->type == VALUE_LIST && i < detail->count; i++) {
        const struct value *where = value_get(detail->items[i], "loc");
        struct str at =
            where == NULL ? STR_EMPTY : output_cell(cli->arena, where, CELL_TEXT, false);

        text = str_format(cli->arena, "%.*s%s%.*s: %.*s", STR_ARG(text), i > 0 ? "; " : "",
                          STR_ARG(at),
                          STR_ARG(value_text(value_get(detail->items[i], "msg"), STR_EMPTY)));
    }
    return text;
}

/* Where to look for what is there. */
static void hint_absent(struct err *err)
{
    static const struct {
        const char *beginning, *hint;
    } rows[] = {
        { "there is no DAG ", "headrace dags list shows what there is" },
        { "there is no run ", "headrace dags list-runs DAG_ID shows what there is" },
        { "there is no task ",
          "headrace tasks list DAG_ID and headrace dags list-runs DAG_ID show what there is" },
        { "there is no pool ", "headrace pools list shows what there is" },
        { "there is no variable ", "headrace variables list shows what there is" },
        { "there is no connection ", "headrace connections list shows what there is" },
        { "there is no worker ", "headrace workers list shows what there is" },
        { "there is no user ", "headrace users list shows what there is" },
        { "there is no grant ", "headrace grants list shows what there is" },
        { "there is no token ", "headrace tokens list shows what there is" },
    };

    for (size_t i = 0; err != NULL && i < sizeof rows / sizeof rows[0]; i++)
        if (strncmp(err->sentence, rows[i].beginning, strlen(rows[i].beginning)) == 0)
            err_hint(err, "%s", rows[i].hint);
}

static int refusal(struct cli *cli, long status, const struct reply *reply, struct err *err)
{
    struct str text = detail_text(cli, value_get(reply->body, "detail"));
    int code = code_of_status(status);

    if (text.size == 0)
        text = str_format(cli->arena, "the server answered %ld: %.*s", status,
                          STR_ARG(str_slice(str_trim(reply->text), 0, 200)));
    int rc = err_set(err, code, "%.*s", STR_ARG(text));
    if (status == 404)
        hint_absent(err);
    if (status == 401 && cli->client->is_guess) {
        rc = err_set(err, code,
                     "nothing that `headrace standalone` started runs in %.*s, and %.*s "
                     "does not know this home's token",
                     STR_ARG(cli->conf->home), STR_ARG(cli->client->url));
        err_hint(err, "start one here, or name another with --home, --url or --profile; a token "
                      "may also come from HEADRACE_TOKEN");
    } else if (status == 401)
        err_hint(err,
                 "the token comes from HEADRACE_TOKEN, a profile, or %s (written by `headrace "
                 "standalone`)",
                 cli_home_path(cli, "cli-token"));
    return rc;
}

int client_call(struct cli *cli, const char *method, struct str path, const struct value *body,
                struct reply *out, struct err *err)
{
    struct answer answer = { .log_lines = -1 };
    struct reply reply = { 0 };
    long status = 0;
    int rc = cli->client == NULL ? client_open(cli, err) : 0;

    if (rc == 0)
        rc = perform(cli, method, path, body, &answer, &status, err);
    if (rc == 0) {
        reply = (struct reply) { .status = (int)status,
                                 .text = str_copy(cli->arena, buf_str(&answer.body)),
                                 .log_lines = answer.log_lines,
                                 .log_is_complete = answer.log_is_complete };
        if (json_parse(cli->arena, reply.text, NULL, &reply.body, NULL) < 0)
            reply.body = NULL;
        rc = status >= 400 ? refusal(cli, status, &reply, err) : 0;
    }
    buf_clear(&answer.body);
    if (rc == 0 && out != NULL)
        *out = reply;
    return rc;
}

int client_get(struct cli *cli, struct str path, const struct value **out, struct err *err)
{
    struct reply reply;
    int rc = client_call(cli, "GET", path, NULL, &reply, err);

    if (rc < 0)
        return rc;
    if (reply.body == NULL)
        return err_set(err, ERR_PROTOCOL,
                       "%.*s%.*s does not answer with JSON: is it a Headrace web server?",
                       STR_ARG(cli->client->url), STR_ARG(path));
    *out = reply.body;
    return 0;
}

int client_list(struct cli *cli, struct str path, const char *key, int64_t max,
                const struct value **out, struct err *err)
{
    struct value *rows = value_list(cli->arena);

    for (;;) {
        int64_t left = max - rows->count;
        int64_t limit = left < PAGE_SIZE ? left : PAGE_SIZE;
        const struct value *page;
        struct str paged =
            str_format(cli->arena, "%.*s%climit=%lld&offset=%u", STR_ARG(path),
                       str_find(path, '?') < 0 ? '?' : '&', (long long)limit, rows->count);
        int rc = limit > 0 ? client_get(cli, paged, &page, err) : 1;

        if (rc < 0)
            return rc;
        const struct value *items = rc > 0 ? NULL : value_get(page, key);
        for (uint32_t i = 0; items != NULL && i < items->count; i++)
            value_add(cli->arena, rows, items->items[i]);
        if (items == NULL || items->count == 0 ||
            rows->count >= value_integer(value_get(page, "total_entries"), 0))
            break;
    }
    *out = rows;
    return 0;
}

bool client_is_healthy(struct cli *cli)
{
    const struct value *health;

    if (client_get(cli, STR("/api/v2/monitor/health"), &health, NULL) < 0)
        return false;
    return str_is(value_text(value_get(value_get(health, "metadatabase"), "status"), STR_EMPTY),
                  "healthy") &&
           str_is(value_text(value_get(value_get(health, "scheduler"), "status"), STR_EMPTY),
                  "healthy");
}

/* ---- paths ---- */

struct str client_encode(struct arena *arena, struct str text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *bytes = arena_alloc(arena, text.size * 3 + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        bool is_free = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || (byte != 0 && strchr("-._~", byte) != NULL);

        if (is_free) {
            bytes[size++] = (char)byte;
        } else {
            bytes[size++] = '%';
            bytes[size++] = digits[byte >> 4];
            bytes[size++] = digits[byte & 15];
        }
    }
    return (struct str) { bytes, size };
}

struct str client_path(struct cli *cli, const char *pattern, ...)
{
    struct buf path = { 0 };
    va_list args;

    va_start(args, pattern);
    for (; *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] == 's') {
            buf_add_str(&path, client_encode(cli->arena, va_arg(args, struct str)));
            pattern++;
        } else {
            buf_add_byte(&path, *pattern);
        }
    }
    va_end(args);
    struct str out = str_copy(cli->arena, buf_str(&path));
    buf_clear(&path);
    return out;
}
