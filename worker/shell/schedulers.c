// SPDX-License-Identifier: Apache-2.0
#include "worker/shell/schedulers.h"

#include "common/base/assert.h"
#include "common/log/log.h"
#include "worker/shell/errands.h"

static void on_grant(struct worker_shell *shell, const struct message *message)
{
    const struct message_grant *grant = &message->grant;
    struct worker_event event = { .type = WORKER_GRANT,
                                  .epoch = message->epoch,
                                  .grant = { .attempt = grant->attempt,
                                             .incarnation = grant->credit.incarnation,
                                             .seq = grant->credit.seq,
                                             .stamp_ms = grant->stamp_ms,
                                             .credit_ttl_ms = grant->credit_ttl_ms,
                                             .lease_ms = grant->lease_ms } };

    shell->grant = grant;
    worker_shell_step(shell, &event);
    shell->grant = NULL;
}

static void on_drain(struct worker_shell *shell, const struct message *message)
{
    bool drain = message->drain.drain || shell->is_leaving || shell->spool_is_full;

    if (message->epoch < shell->epoch)
        return;
    shell->scheduler_drains = message->drain.drain;
    shell->is_drained = shell->is_drained && drain;
    log_info("drain", LOG_BOOL("drain", message->drain.drain));
    worker_shell_step(shell, &(struct worker_event) { .type = WORKER_DRAIN,
                                                      .epoch = message->epoch,
                                                      .drain = { drain } });
}

static void on_message(struct wire_client *client, const struct message *message)
{
    struct scheduler_link *link = wire_client_owner(client);
    struct worker_shell *shell = link->shell;
    struct worker_event event = { .epoch = message->epoch };

    shell->scheduler_heard_ms = loop_now_ms();
    if (message->epoch > shell->epoch)
        shell->epoch = message->epoch;
    switch (message->type) {
    case MESSAGE_GRANT:
        on_grant(shell, message);
        return;
    case MESSAGE_ACK:
        event.type = WORKER_ACK;
        event.ack.attempts = message->ack.attempts;
        event.ack.count = message->ack.count;
        break;
    case MESSAGE_KILL:
        event.type = WORKER_KILL;
        event.kill.attempt = message->kill.attempt;
        break;
    case MESSAGE_SYNC:
        event.type = WORKER_SYNC;
        break;
    case MESSAGE_RENEWED:
        event.type = WORKER_RENEWED;
        event.renewed.stamp_ms = message->renewed.stamp_ms;
        event.renewed.lease_ms = message->renewed.lease_ms;
        break;
    case MESSAGE_DRAIN:
        on_drain(shell, message);
        return;
    case MESSAGE_ERRANDS:
        if (message->epoch >= shell->epoch)
            errands_give(shell, message->errands.items, message->errands.count);
        return;
    case MESSAGE_STOP:
        if (message->epoch >= shell->epoch)
            worker_shell_leave(shell);
        return;
    default:
        log_debug("message_unexpected", LOG_STR("message", message_name(message->type)));
        return;
    }
    worker_shell_step(shell, &event);
}

static void on_state(struct wire_client *client, bool is_up, const struct err *why)
{
    struct scheduler_link *link = wire_client_owner(client);
    struct message hello = message_hello(STR("worker"));
    struct err err;

    if (!is_up) {
        log_warn("scheduler_down", LOG_ERR(why));
        return;
    }
    log_info("scheduler_up", LOG_STR("endpoint", wire_client_endpoint(client)));
    (void)!wire_client_send(client, &hello, &err);
    worker_shell_step(link->shell, &(struct worker_event) { .type = WORKER_CONNECTED });
}

static int endpoint_of(struct arena *arena, const struct conf *conf, struct str address,
                       struct str *out, struct err *err)
{
    int rc = wire_endpoint(arena, address, out, err);

    if (rc == 0 && conf->worker_scheduler_key.size == 0 && !wire_endpoint_is_local(*out)) {
        rc = err_set(err, ERR_INVALID,
                     "%.*s is not on this host, and worker.scheduler_key is not set",
                     STR_ARG(address));
        (void)err_hint(err, "set it to the scheduler's public key; the scheduler logs it as "
                            "scheduler_key when it starts");
    }
    return rc < 0 ? err_wrap(err, rc, "worker.schedulers") : 0;
}

int schedulers_check(const struct conf *conf, struct err *err)
{
    struct arena arena = { 0 };
    struct str endpoint;
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < conf->worker_schedulers.count; i++)
        rc = endpoint_of(&arena, conf, conf->worker_schedulers.items[i], &endpoint, err);
    arena_clear(&arena);
    return rc;
}

static int connect_one(struct worker_shell *shell, struct str address, const struct wire_key *key,
                       struct arena *arena, struct err *err)
{
    struct scheduler_link *link = calloc(1, sizeof *link);
    struct str endpoint;

    ASSERT(link != NULL);
    link->shell = shell;
    int rc = endpoint_of(arena, shell->conf, address, &endpoint, err);
    if (rc == 0) {
        struct wire_client_options options = {
            .name = "worker",
            .endpoint = str_cstr(arena, endpoint),
            .sender = shell->spool.identity,
            .key = key,
            .server_key = key == NULL ? NULL : str_cstr(arena, shell->conf->worker_scheduler_key),
            .on_state = on_state,
            .on_message = on_message,
            .owner = link,
        };
        rc = wire_client_open(&link->client, shell->wire, &options, err);
    }
    if (rc < 0) {
        free(link);
        return rc;
    }
    VEC_ADD(&shell->schedulers, link);
    return 0;
}

void schedulers_connect(struct worker_shell *shell)
{
    const struct conf *conf = shell->conf;
    bool keyed = conf->worker_scheduler_key.size > 0;
    struct arena arena = { 0 };
    struct wire_key key;
    struct err err = { 0 };
    int rc = keyed ? wire_key_load(str_cstr(&arena, conf->worker_key_file), &key, &err) : 0;

    if (rc == 0 && keyed)
        log_info("worker_key", LOG_STR("public", key.public_key));
    for (uint32_t i = 0; rc == 0 && i < conf->worker_schedulers.count; i++)
        rc =
            connect_one(shell, conf->worker_schedulers.items[i], keyed ? &key : NULL, &arena, &err);
    if (rc < 0)
        log_error("scheduler_connect", LOG_ERR(&err));
    arena_clear(&arena);
}

void schedulers_close(struct worker_shell *shell)
{
    VEC_EACH (&shell->schedulers, i) {
        wire_client_close(shell->schedulers.items[i]->client);
        free(shell->schedulers.items[i]);
    }
    VEC_CLEAR(&shell->schedulers);
}

bool schedulers_any_up(const struct worker_shell *shell)
{
    VEC_EACH (&shell->schedulers, i) {
        if (wire_client_is_up(shell->schedulers.items[i]->client))
            return true;
    }
    return false;
}

void schedulers_send(struct worker_shell *shell, struct message *message)
{
    struct err err = { 0 };

    VEC_EACH (&shell->schedulers, i) {
        struct wire_client *client = shell->schedulers.items[i]->client;
        if (!wire_client_is_up(client))
            continue;
        if (wire_client_send(client, message, &err) < 0)
            log_warn("message_unsent", LOG_STR("message", message_name(message->type)),
                     LOG_ERR(&err));
    }
}

void schedulers_send_inventory(struct worker_shell *shell)
{
    struct worker_inventory inventory;
    struct arena arena = { 0 };

    worker_core_inventory(shell->core, loop_now_ms(), &inventory);
    struct message_attempt *reports =
        ARENA_ARRAY(&arena, struct message_attempt, inventory.attempt_count);
    for (uint32_t i = 0; i < inventory.attempt_count; i++) {
        const struct worker_attempt *attempt = &inventory.attempts[i];
        reports[i] = (struct message_attempt) { attempt->attempt,
                                                { attempt->incarnation, attempt->seq },
                                                attempt->ended,
                                                attempt->result };
    }
    struct message message = { .type = MESSAGE_INVENTORY,
                               .epoch = inventory.epoch,
                               .inventory = { .name = str_of(shell->name),
                                              .host = str_of(shell->host),
                                              .release = STR(HEADRACE_VERSION),
                                              .queues = str_of(shell->queues),
                                              .boot = shell->spool.boot,
                                              .incarnation = inventory.incarnation,
                                              .sent_ms = inventory.sent_ms,
                                              .slots = inventory.slots,
                                              .next_seq = inventory.next_seq,
                                              .open_seqs = inventory.open_seqs,
                                              .open_count = inventory.open_count,
                                              .attempts = reports,
                                              .attempt_count = inventory.attempt_count,
                                              .leaving = shell->is_leaving,
                                              .load = shell->gauge.load } };
    schedulers_send(shell, &message);
    arena_clear(&arena);
}
