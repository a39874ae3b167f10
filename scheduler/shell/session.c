// SPDX-License-Identifier: Apache-2.0
#include "scheduler/shell/session.h"

#include "common/log/log.h"
#include "common/text/json.h"
#include "scheduler/shell/inbox.h"
#include "scheduler/shell/observe.h"
#include "scheduler/shell/publish.h"
#include "scheduler/shell/waiting.h"

static void on_inventory(struct shell *shell, struct str peer, const struct message *message)
{
    const struct message_inventory *in = &message->inventory;
    struct arena arena = { 0 };
    struct core_attempt_report *reports =
        ARENA_ARRAY(&arena, struct core_attempt_report, in->attempt_count);
    for (uint32_t i = 0; i < in->attempt_count; i++)
        reports[i] = (struct core_attempt_report) { in->attempts[i].attempt, in->attempts[i].credit,
                                                    in->attempts[i].ended, in->attempts[i].result };
    struct core_inventory inventory = {
        .worker = peer,
        .name = in->name,
        .host = in->host,
        .version = in->release,
        .queues = in->queues,
        .boot = in->boot,
        .incarnation = in->incarnation,
        .epoch = message->epoch,
        .sent_ms = in->sent_ms,
        .slots = in->slots,
        .next_seq = in->next_seq,
        .open_seqs = in->open_seqs,
        .open_count = in->open_count,
        .attempts = reports,
        .attempt_count = in->attempt_count,
        .leaving = in->leaving,
        .load = in->load,
    };
    shell_step(shell, &(struct core_event) { .type = CORE_INVENTORY, .inventory = &inventory });
    arena_clear(&arena);
}

static void on_why(struct shell *shell, struct str peer, const struct message *message)
{
    struct arena arena = { 0 };
    struct str text = core_why(shell->core, message->why_question.run_no,
                               message->why_question.task, message->why_question.map_index, &arena);
    struct message answer = { .type = MESSAGE_WHY_ANSWER,
                              .epoch = shell->epoch,
                              .why_answer = { message->why_question.question_no, text } };
    struct err err = { 0 };
    if (wire_server_send(shell->server, peer, &answer, &err) < 0)
        log_debug("why_unanswered", LOG_STR("peer", peer), LOG_ERR(&err));
    arena_clear(&arena);
}

static void on_waiting(struct shell *shell, struct str peer, const struct message *message)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    waiting_render(shell->core, message->waiting_question.queue, message->waiting_question.pool,
                   message->waiting_question.limit, &text);
    struct message answer = { .type = MESSAGE_WAITING_ANSWER,
                              .epoch = shell->epoch,
                              .waiting_answer = { message->waiting_question.question_no,
                                                  buf_str(&text) } };
    if (wire_server_send(shell->server, peer, &answer, &err) < 0)
        log_debug("waiting_unanswered", LOG_STR("peer", peer), LOG_ERR(&err));
    buf_clear(&text);
}

static void on_figures(struct shell *shell, struct str peer, const struct message *message)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    observe_render(shell->observe, &text);
    struct message answer = { .type = MESSAGE_FIGURES_ANSWER,
                              .epoch = shell->epoch,
                              .figures_answer = { message->figures_question.question_no,
                                                  buf_str(&text) } };
    if (wire_server_send(shell->server, peer, &answer, &err) < 0)
        log_debug("figures_unanswered", LOG_STR("peer", peer), LOG_ERR(&err));
    buf_clear(&text);
}

static void on_probe(struct shell *shell, struct str peer, const struct message *message)
{
    struct arena arena = { 0 };
    const struct value *given = NULL;
    struct err err = { 0 };
    int rc = json_parse(&arena, message->probe_question.connection, NULL, &given, &err);
    if (rc < 0)
        log_warn("probe_unreadable", LOG_STR("peer", peer), LOG_ERR(&err));
    else
        shell_step(shell, &(struct core_event) {
                              .type = CORE_PROBE,
                              .probe = { peer, message->probe_question.question_no,
                                         message->probe_question.connection_id, given } });
    arena_clear(&arena);
}

/* What a peer without a common version says after this is dropped by the wire: here is said why. */
static void on_hello(struct str peer, const struct message *message)
{
    struct err err = { 0 };
    if (message_hello_check(message, &err) < 0)
        log_error("peer_not_understood", LOG_STR("peer", peer), LOG_ERR(&err));
    else
        log_info("peer", LOG_STR("peer", peer), LOG_STR("program", message->hello.program),
                 LOG_STR("release", message->hello.release));
}

static void on_message(struct wire_server *server, struct str peer, const struct message *message)
{
    struct shell *shell = wire_server_owner(server);
    if (message->type == MESSAGE_HELLO) {
        on_hello(peer, message);
        return;
    }
    if (message->type == MESSAGE_SUBSCRIBE) {
        publish_subscribe(shell->publish, peer);
        return;
    }
    /* A standby says nothing: workers and web servers talk to every scheduler, and the leader
     * answers. */
    if (!shell->is_leading)
        return;
    switch (message->type) {
    case MESSAGE_INVENTORY:
        on_inventory(shell, peer, message);
        break;
    case MESSAGE_STARTED:
        shell_step(shell, &(struct core_event) { .type = CORE_STARTED,
                                                 .started = { peer, message->started.attempt,
                                                              message->started.started_unix_ms } });
        break;
    case MESSAGE_ERRANDS_DONE:
        shell_step(shell, &(struct core_event) { .type = CORE_ERRANDS_DONE,
                                                 .errands = { peer, message->errands_done.answers,
                                                              message->errands_done.count } });
        break;
    case MESSAGE_NUDGE:
        inbox_look(shell->inbox);
        break;
    case MESSAGE_WHY_QUESTION:
        on_why(shell, peer, message);
        break;
    case MESSAGE_PROBE_QUESTION:
        on_probe(shell, peer, message);
        break;
    case MESSAGE_WAITING_QUESTION:
        on_waiting(shell, peer, message);
        break;
    case MESSAGE_FIGURES_QUESTION:
        on_figures(shell, peer, message);
        break;
    default:
        log_debug("message_unexpected", LOG_STR("peer", peer),
                  LOG_STR("message", message_name(message->type)));
        break;
    }
}

static bool is_allowed(void *owner, const char *public_key)
{
    const struct shell *shell = owner;
    struct err err = { 0 };
    bool is_in = wire_allowed_has(shell->allowed, public_key, &err);
    if (err.code < 0)
        log_warn("allowed_keys_unreadable", LOG_ERR(&err));
    return is_in;
}

int session_open(struct shell *shell, struct err *err)
{
    const struct conf *conf = shell->conf;
    struct arena arena = { 0 };
    struct str endpoint;
    struct str address =
        str_format(&arena, "%.*s:%d", STR_ARG(conf->scheduler_host), (int)conf->scheduler_port);
    int rc = wire_endpoint(&arena, address, &endpoint, err);
    if (rc < 0)
        goto out;
    bool needs_key = conf->scheduler_curve || !wire_endpoint_is_local(endpoint);
    struct wire_key key;
    if (needs_key) {
        rc = wire_key_load(str_cstr(&arena, conf->scheduler_key_file), &key, err);
        if (rc == 0)
            rc = wire_allowed_open(str_cstr(&arena, conf->scheduler_allowed_keys), &shell->allowed,
                                   err);
        if (rc < 0)
            goto out;
        log_info("scheduler_key", LOG_STR("public", key.public_key));
    }
    struct wire_server_options options = {
        .name = "scheduler",
        .endpoint = str_cstr(&arena, endpoint),
        .key = needs_key ? &key : NULL,
        .is_allowed = is_allowed,
        .on_message = on_message,
        .owner = shell,
    };
    rc = wire_server_open(&shell->server, shell->wire, &options, err);
    if (rc == 0)
        log_info("listening", LOG_STR("endpoint", wire_server_endpoint(shell->server)),
                 LOG_BOOL("curve", needs_key));
out:
    arena_clear(&arena);
    return rc < 0 ? err_wrap(err, rc, "opening the port for workers") : 0;
}
