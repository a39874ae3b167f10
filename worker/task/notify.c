// SPDX-License-Identifier: Apache-2.0
/* headrace-task notify - tells people: a webhook gets a POST, an e-mail goes through the SMTP
 * server of a connection, or, without one, through this host's sendmail.
 *
 * Payload: webhook (a URL) or email (an address or a list), subject, message, connection. */
#include "worker/task/job.h"

#include "worker/task/request.h"
#include "worker/task/smtp.h"

#include "common/text/json.h"

#include <curl/curl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXCERPT_MAX = 300, ADDRESS_MAX = 254, ADDRESSES_MAX = 100 };

static const char sendmail_path[] = "/usr/sbin/sendmail";

struct mail {
    const char *from;
    const char *to[ADDRESSES_MAX];
    uint32_t count;
    struct str text;
    size_t sent; /* what curl has taken */
};

/* `text` suits Slack and Mattermost, the rest those who take the message apart. */
static int webhook_send(struct job *job, const char *url)
{
    struct str subject = job_text(job, job->payload, "subject"),
               message = job_text(job, job->payload, "message");
    struct value *body = value_map(&job->arena);
    struct answer answer = { 0 };
    struct str text =
        subject.size > 0 && message.size > 0
            ? str_format(&job->arena, "%.*s\n%.*s", STR_ARG(subject), STR_ARG(message))
        : subject.size > 0 ? subject
                           : message;

    value_put(&job->arena, body, STR("text"), value_string(&job->arena, text));
    value_put(&job->arena, body, STR("subject"), value_string(&job->arena, subject));
    value_put(&job->arena, body, STR("message"), value_string(&job->arena, message));
    if (value_get(job->payload, "about") != NULL)
        value_put(&job->arena, body, STR("about"), value_get(job->payload, "about"));
    struct request request = { .method = "POST",
                               .url = url,
                               .has_body = true,
                               .body = json_text(&job->arena, body),
                               .content_type = "application/json" };
    int status = request_run(job, &request, &answer);
    if (status == 0 && (answer.status < 200 || answer.status > 299))
        status = job_fail("HttpError", "the webhook answered %ld %s: %.*s", answer.status,
                          answer.reason, STR_ARG(str_slice(buf_str(&answer.body), 0, EXCERPT_MAX)));
    buf_clear(&answer.body);
    return status;
}

static int address_add(struct job *job, struct mail *mail, struct str address)
{
    address = str_trim(address);
    if (address.size == 0)
        return 0;
    bool good =
        address.size <= ADDRESS_MAX && str_find(address, '@') > 0 && address.bytes[0] != '-';
    for (size_t i = 0; i < address.size; i++)
        good = good && (unsigned char)address.bytes[i] > ' ' &&
               strchr("<>,;\"\\", address.bytes[i]) == NULL;
    if (!good)
        return job_fail_hard("ValueError", "%.*s is not an e-mail address", STR_ARG(address));
    if (mail->count == ADDRESSES_MAX)
        return job_fail_hard("ValueError", "more than %d addresses", ADDRESSES_MAX);
    mail->to[mail->count++] = str_cstr(&job->arena, address);
    return 0;
}

static int addresses_take(struct job *job, struct mail *mail)
{
    const struct value *email = value_get(job->payload, "email");
    int status = 0;

    if (email->type == VALUE_LIST) {
        for (uint32_t i = 0; status == 0 && i < email->count; i++)
            status = address_add(job, mail, value_text(email->items[i], STR_EMPTY));
    } else {
        struct str rest = value_text(email, STR_EMPTY), part;
        while (status == 0 && str_split(&rest, ',', &part))
            status = address_add(job, mail, part);
    }
    if (status == 0 && mail->count == 0)
        status = job_fail_hard("ValueError", "email names no address");
    return status;
}

/* Header text: RFC 2047 where it is not plain ASCII, and never a line end. */
static void header_add(struct buf *out, const char *name, struct str text)
{
    bool plain = true;

    for (size_t i = 0; i < text.size; i++)
        plain = plain && (unsigned char)text.bytes[i] >= ' ' && (unsigned char)text.bytes[i] < 0x7f;
    buf_printf(out, "%s: ", name);
    if (plain) {
        buf_add_str(out, text);
    } else {
        buf_add_cstr(out, "=?utf-8?Q?");
        for (size_t i = 0; i < text.size; i++)
            buf_printf(out, "=%02X", (unsigned char)text.bytes[i]);
        buf_add_cstr(out, "?=");
    }
    buf_add_cstr(out, "\r\n");
}

static void text_make(struct job *job, struct mail *mail)
{
    struct str message = job_text(job, job->payload, "message"), line;
    struct buf text = { 0 };
    char date[64];
    time_t now = time(NULL);
    struct tm fields;

    gmtime_r(&now, &fields);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &fields);
    buf_printf(&text, "Date: %s\r\nFrom: %s\r\n", date, mail->from);
    for (uint32_t i = 0; i < mail->count; i++)
        buf_printf(&text, "%s%s", i == 0 ? "To: " : ",\r\n ", mail->to[i]);
    buf_add_cstr(&text, "\r\n");
    header_add(&text, "Subject", job_text(job, job->payload, "subject"));
    buf_add_cstr(&text, "MIME-Version: 1.0\r\nContent-Type: text/plain; "
                        "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
                        "Auto-Submitted: auto-generated\r\n\r\n");
    while (str_split(&message, '\n', &line))
        buf_printf(&text, "%.*s\r\n", STR_ARG(line));
    mail->text = str_copy(&job->arena, buf_str(&text));
    buf_clear(&text);
}

static size_t on_read(char *out, size_t size, size_t count, void *owner)
{
    struct mail *mail = owner;
    struct str rest = str_slice(mail->text, mail->sent, mail->sent + size * count);

    memcpy(out, rest.bytes, rest.size);
    mail->sent += rest.size;
    return rest.size;
}

static int smtp_send(struct job *job, struct mail *mail, const struct value *connection)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *to = NULL;
    CURL *curl = smtp_open(job, connection, detail);

    if (curl == NULL)
        return 1;
    for (uint32_t i = 0; i < mail->count; i++)
        to = curl_slist_append(to, mail->to[i]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, mail);
    CURLcode code = curl_easy_perform(curl);
    const char *host = job_cstr(job, connection, "host");
    curl_slist_free_all(to);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        return job_fail("ConnectionError", "e-mail through %s: %s", host,
                        *detail != '\0' ? detail : curl_easy_strerror(code));
    printf("e-mail to %u addresses through %s\n", mail->count, host);
    return 0;
}

static int sendmail_send(const struct mail *mail)
{
    if (access(sendmail_path, X_OK) < 0)
        return job_fail_hard("NotConfigured",
                             "there is no %s here and no mail server is named: set smtp_host in "
                             "the section [smtp] of the "
                             "scheduler's settings, or make a connection smtp_default",
                             sendmail_path);
    fflush(stdout);
    FILE *pipe = popen("/usr/sbin/sendmail -t -i", "w");
    if (pipe == NULL)
        return job_fail("OSError", "starting %s: %m", sendmail_path);
    for (size_t i = 0; i < mail->text.size; i++) {
        if (mail->text.bytes[i] != '\r')
            fputc(mail->text.bytes[i], pipe);
    }
    int status = pclose(pipe);
    if (status != 0)
        return job_fail("MailError", "%s ended with status %d", sendmail_path, WEXITSTATUS(status));
    printf("e-mail to %u addresses through %s\n", mail->count, sendmail_path);
    return 0;
}

static int email_send(struct job *job)
{
    const struct value *connection = value_get(job->payload, "connection");
    const char *from = job_cstr(job, value_get(connection, "extra"), "from_email");
    struct mail mail = { 0 };
    char host[128] = "localhost";

    gethostname(host, sizeof host - 1);
    mail.from = from != NULL ? from : str_format(&job->arena, "headrace@%s", host).bytes;
    int status = addresses_take(job, &mail);
    if (status != 0)
        return status;
    text_make(job, &mail);
    return connection != NULL ? smtp_send(job, &mail, connection) : sendmail_send(&mail);
}

/* The program takes this one's place, with what it may want to know in its environment and nothing
 * else. */
static int program_run(struct job *job, const struct value *argv)
{
    static const char *const words[] = { "event",   "dag_id",    "run_id",    "logical_date",
                                         "task_id", "map_index", "try_number" };
    const struct value *about = value_get(job->payload, "about");
    char **args = ARENA_ARRAY(&job->arena, char *, argv->count + 1);
    char *env[16];
    uint32_t count = 0;

    for (uint32_t i = 0; i < argv->count; i++) {
        const struct value *item = argv->items[i];
        struct str text = item->type == VALUE_STRING ? item->string : json_text(&job->arena, item);
        args[i] = (char *)str_cstr(&job->arena, text);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct str name = str_of(words[i]), text = job_text(job, about, words[i]);
        char *upper = arena_copy(&job->arena, name.bytes, name.size);
        for (size_t k = 0; k < name.size; k++)
            upper[k] = (char)(upper[k] >= 'a' && upper[k] <= 'z' ? upper[k] - 'a' + 'A' : upper[k]);
        env[count++] = (char *)str_format(&job->arena, "HEADRACE_CTX_%.*s=%.*s", (int)name.size,
                                          upper, STR_ARG(text))
                           .bytes;
    }
    const char *path = getenv("PATH"), *home = getenv("HOME");
    env[count++] = (char *)str_format(&job->arena, "PATH=%s",
                                      path == NULL ? "/usr/local/bin:/usr/bin:/bin" : path)
                       .bytes;
    env[count++] = (char *)str_format(&job->arena, "HOME=%s", home == NULL ? "/" : home).bytes;
    env[count++] = (char *)str_format(&job->arena, "HEADRACE_SUBJECT=%.*s",
                                      STR_ARG(job_text(job, job->payload, "subject")))
                       .bytes;
    env[count++] = (char *)str_format(&job->arena, "HEADRACE_MESSAGE=%.*s",
                                      STR_ARG(job_text(job, job->payload, "message")))
                       .bytes;
    env[count] = NULL;
    execvpe(args[0], args, env);
    return job_fail_hard("FileNotFoundError", "%s cannot be started: %m", args[0]);
}

int notify_main(struct job *job)
{
    const char *webhook = job_cstr(job, job->payload, "webhook");

    if (webhook != NULL)
        return webhook_send(job, webhook);
    if (value_get(job->payload, "email") != NULL)
        return email_send(job);
    const struct value *argv = value_get(job->payload, "exec");
    if (argv != NULL && argv->type == VALUE_LIST && argv->count > 0)
        return program_run(job, argv);
    return job_fail_hard("ValueError", "the notification has neither webhook nor email");
}
